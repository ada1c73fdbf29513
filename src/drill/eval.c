/* What expressions are worth. Called by the running of calls. */
#include "src/drill/eval.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "src/drill/names.h"

static int
fail(struct drill_error *error, const struct drill_expr *e, const char *why)
{
	char text[120];

	return drill_error_set(error, DRILL_ERROR_SYNTAX, e->place, "%s: %s", drill_expr_text(e, text,
	    sizeof text),
	    why);
}

/* ---- integers ----------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int64_t size;
} sizes[] = {
	{"int", sizeof(int)}, {"char", 1}, {"short", sizeof(short)}, {"long", sizeof(long)},
	{"sockaddr", sizeof(struct sockaddr)}, {"sockaddr_in", sizeof(struct sockaddr_in)},
	{"sockaddr_in6", sizeof(struct sockaddr_in6)}, {"linger", sizeof(struct linger)},
	{"socklen_t", sizeof(socklen_t)}
};

static int
eval_sizeof(const struct drill_expr *e, int64_t *value, struct drill_error *error)
{
	const struct drill_expr *type = e->item_count == 1 ? e->items[0].value : NULL;

	for (size_t i = 0; type != NULL && type->kind == DRILL_NAME && i < sizeof sizes / sizeof sizes[0];
	    i++) {
		if (strcmp(sizes[i].name, type->text) == 0) {
			*value = sizes[i].size;
			return 0;
		}
	}
	return fail(error, e, "the size of this is not known");
}

/* htons(80) and its like, inet_addr("1.2.3.4"), as the host's numbers hold them. */
static int
eval_call(const struct drill_expr *e, enum drill_system system, int64_t *value, struct drill_error *error)
{
	bool s = strcmp(e->text, "htons") == 0 || strcmp(e->text, "ntohs") == 0;
	bool l = strcmp(e->text, "htonl") == 0 || strcmp(e->text, "ntohl") == 0;
	uint8_t octets[16];
	uint32_t address;
	int64_t v;

	if (strcmp(e->text, "sizeof") == 0)
		return eval_sizeof(e, value, error);
	if ((s || l) && e->item_count == 1) {
		if (drill_eval(e->items[0].value, system, &v, error) != 0)
			return -1;
		if (v < 0 || v > (s ? 0xffff : 0xffffffffLL))
			return fail(error, e, "the number does not fit");
		*value = s ? htons((uint16_t)v) : htonl((uint32_t)v);
		return 0;
	}
	if (strcmp(e->text, "inet_addr") == 0) {
		if (drill_eval_inaddr(e, octets, error) != 4)
			return fail(error, e, "no IPv4 address");
		memcpy(&address, octets, sizeof address);
		*value = address;
		return 0;
	}
	return fail(error, e, "no function of that name with so many arguments");
}

static int
eval_name(const struct drill_expr *e, enum drill_system system, int64_t *value, struct drill_error *error)
{
	const struct drill_constant *c = drill_constant(e->text);
	int number = c == NULL ? drill_errno(e->text) : -1;

	if (c != NULL)
		*value = (system == DRILL_HOST && c->has_host) || !c->has_darwin ? c->host : c->darwin;
	else if (number >= 0)
		*value = number;
	else
		return fail(error, e, "no constant of that name is known");
	return 0;
}

int
drill_eval(const struct drill_expr *e, enum drill_system system, int64_t *value, struct drill_error *error)
{
	*value = 0;
	switch (e->kind) {
	case DRILL_INTEGER:
		*value = e->integer;
		return 0;
	case DRILL_NULL:
		*value = 0;
		return 0;
	case DRILL_NAME:
		return eval_name(e, system, value, error);
	case DRILL_CALL:
		return eval_call(e, system, value, error);
	case DRILL_OR:
		*value = 0;
		for (size_t i = 0; i < e->item_count; i++) {
			int64_t item;

			if (drill_eval(e->items[i].value, system, &item, error) != 0)
				return -1;
			*value |= item;
		}
		return 0;
	default:
		return fail(error, e, "a number is expected here");
	}
}

/* ---- addresses ---------------------------------------------------------------------------------- */

static int
parse_address(const struct drill_expr *e, const char *text, int family, uint8_t octets[16],
    struct drill_error *error)
{
	if ((family == 0 || family == AF_INET) && inet_pton(AF_INET, text, octets) == 1)
		return 4;
	if ((family == 0 || family == AF_INET6) && inet_pton(AF_INET6, text, octets) == 1)
		return 16;
	return fail(error, e, "no address");
}

int
drill_eval_inaddr(const struct drill_expr *e, uint8_t octets[16], struct drill_error *error)
{
	const struct drill_expr *last = e;
	uint32_t address;
	int64_t value;
	int family = 0;

	if (e->kind == DRILL_CALL && e->item_count > 0 && strncmp(e->text, "inet", 4) == 0) {
		last = e->items[e->item_count - 1].value;	/* inet_pton(AF_INET6, "::1") */
		family = strcmp(e->text, "inet6_addr") == 0 ? AF_INET6 : 0;
	}
	if (last->kind == DRILL_STRING)
		return parse_address(e, last->text, family, octets, error);
	if (last != e)
		return fail(error, e, "no address");
	if (e->kind == DRILL_NAME && strcmp(e->text, "in6addr_any") == 0) {
		memset(octets, 0, 16);
		return 16;
	}
	/* INADDR_ANY is in the host's order, htonl(INADDR_LOOPBACK) in the network's. */
	if (drill_eval(e, DRILL_HOST, &value, error) != 0)
		return -1;
	address = e->kind == DRILL_NAME ? htonl((uint32_t)value) : (uint32_t)value;
	memcpy(octets, &address, sizeof address);
	return 4;
}

/* The first of the fields that is there. */
static const struct drill_expr *
either(const struct drill_expr *e, const char *a, const char *b)
{
	const struct drill_expr *value = drill_field(e, a);

	return value != NULL ? value : drill_field(e, b);
}

static bool
is_told(const struct drill_expr *e)
{
	return e != NULL && e->kind != DRILL_ELLIPSIS;
}

static int
eval_field(const struct drill_expr *e, int64_t *value, struct drill_error *error)
{
	*value = 0;
	return is_told(e) ? drill_eval(e, DRILL_HOST, value, error) : 0;
}

static int
eval_in(const struct drill_expr *e, int64_t port, struct sockaddr_in *in, struct drill_error *error)
{
	const struct drill_expr *address = either(e, "sin_addr", "s_addr");
	uint8_t octets[16];

	in->sin_family = AF_INET;
	in->sin_port = (in_port_t)port;
	if (!is_told(address))
		return 0;
	if (drill_eval_inaddr(address, octets, error) != 4)
		return fail(error, address, "no IPv4 address");
	memcpy(&in->sin_addr, octets, 4);
	return 0;
}

static int
eval_in6(const struct drill_expr *e, int64_t port, struct sockaddr_in6 *in6, struct drill_error *error)
{
	const struct drill_expr *address = either(e, "sin6_addr", "sin_addr");
	uint8_t octets[16];
	int64_t flow, scope;
	int n;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = (in_port_t)port;
	if (eval_field(drill_field(e, "sin6_flowinfo"), &flow, error) != 0 ||
	    eval_field(drill_field(e, "sin6_scope_id"), &scope, error) != 0)
		return -1;
	in6->sin6_flowinfo = (uint32_t)flow;
	in6->sin6_scope_id = (uint32_t)scope;
	if (!is_told(address))
		return 0;
	n = drill_eval_inaddr(address, octets, error);
	if (n == 4) {		/* of a socket for both families */
		in6->sin6_addr.s6_addr[10] = in6->sin6_addr.s6_addr[11] = 0xff;
		memcpy(&in6->sin6_addr.s6_addr[12], octets, 4);
	} else if (n == 16)
		memcpy(&in6->sin6_addr, octets, 16);
	return n < 0 ? -1 : 0;
}

int
drill_eval_address(const struct drill_expr *e, struct sockaddr_storage *address, socklen_t *len,
    struct drill_error *error)
{
	const struct drill_expr *family = either(e, "sa_family", "sin_family");
	int64_t af, port;

	memset(address, 0, sizeof *address);
	if (family == NULL)
		family = drill_field(e, "sin6_family");
	if (e->kind != DRILL_STRUCT || family == NULL)
		return fail(error, e, "no address: {sa_family = ..., sin_port = ..., sin_addr = ...}");
	if (drill_eval(family, DRILL_HOST, &af, error) != 0 ||
	    eval_field(either(e, "sin_port", "sin6_port"), &port, error) != 0)
		return -1;
	if (port < 0 || port > 0xffff)
		return fail(error, e, "the port does not fit");
	if (af == AF_INET) {
		*len = sizeof(struct sockaddr_in);
		return eval_in(e, port, (struct sockaddr_in *)(void *)address, error);
	}
	if (af == AF_INET6) {
		*len = sizeof(struct sockaddr_in6);
		return eval_in6(e, port, (struct sockaddr_in6 *)(void *)address, error);
	}
	if (af == AF_UNSPEC) {
		address->ss_family = AF_UNSPEC;
		*len = sizeof(struct sockaddr_in);
		return 0;
	}
	return fail(error, family, "no family of addresses that is known");
}
