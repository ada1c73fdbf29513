/*
 * Fuzz target: reading packetdrill scripts, the values of their expressions and the code in them. Nothing
 * is run: no machine is made, and code reaches nothing but its own variables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/drill/code.h"
#include "src/drill/config.h"
#include "src/drill/eval.h"
#include "src/drill/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
look_up(void *ctx, const char *name, int64_t *value)
{
	(void)ctx;
	*value = 7;
	return strncmp(name, "tcpi_", 5) == 0;
}

static void
expression(const struct drill_expr *e)
{
	struct drill_error error;
	struct sockaddr_storage address;
	socklen_t len;
	uint8_t octets[16];
	char text[60];
	int64_t value;

	drill_expr_text(e, text, sizeof text);
	for (enum drill_system system = DRILL_HOST; system <= DRILL_DARWIN; system++) {
		memset(&error, 0, sizeof error);
		drill_eval(e, system, &value, &error);
	}
	memset(&error, 0, sizeof error);
	drill_eval_address(e, &address, &len, &error);
	drill_eval_inaddr(e, octets, &error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct drill_define defines[] = {{"A", "1"}, {"B", "\"x\""}, {"C", "`y`"}, {"D", ""}};
	struct drill_code *code = drill_code_new(look_up, NULL, NULL);
	struct drill_script *script;
	struct drill_error error;
	struct drill_config config;
	struct drill_addresses addresses;
	char *text = malloc(size != 0 ? size : 1);	/* so that reading beyond its end is seen */

	if (code == NULL || text == NULL)
		abort();
	memcpy(text, data, size);
	if (drill_parse("fuzz", text, size, defines, sizeof defines / sizeof defines[0], &script,
	    &error) != 0) {
		if (error.kind == DRILL_ERROR_NONE || error.text[0] == '\0')
			abort();
	} else {
		drill_config_init(&config);
		if (drill_config_script(&config, script, &error) == 0)
			drill_config_addresses(&config, &addresses, &error);
		for (size_t i = 0; i < script->event_count; i++) {
			const struct drill_event *e = &script->events[i];

			for (size_t a = 0; e->kind == DRILL_SYSCALL && a < e->call->arg_count; a++)
				expression(e->call->args[a].value);
			if (e->kind == DRILL_CODE)
				drill_code_run(code, e->text, e->text_place, &error);
		}
		drill_script_free(script);
	}
	drill_code_free(code);
	free(text);
	return 0;
}
