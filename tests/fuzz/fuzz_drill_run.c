/*
 * Fuzz target: running packetdrill scripts, whatever they say, against a machine: packets of any kind at any
 * time, calls with any arguments in any order, calls that wait. No command reaches the host.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/drill/config.h"
#include "src/drill/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *out;
	struct drill_script *script;
	struct drill_error error;
	struct drill_config config;
	struct drill_result result;

	if (out == NULL)
		out = fopen("/dev/null", "w");
	memset(&error, 0, sizeof error);
	if (drill_parse("fuzz", (const char *)data, size, NULL, 0, &script, &error) != 0)
		return 0;
	drill_config_init(&config);
	if (drill_config_script(&config, script, &error) == 0) {
		config.shell = false;
		config.init_scripts = NULL;
		config.verbose = 2;
		config.check = true;
		if (drill_run(script, &config, out, &result) == DRILL_PANICKED) {
			fputs(result.text != NULL ? result.text : "panic", stderr);
			abort();
		}
		if ((result.outcome == DRILL_PASSED) != (result.text == NULL))
			abort();
		free(result.text);
	}
	drill_script_free(script);
	return 0;
}
