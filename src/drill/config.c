/* Settings: packetdrill's options by name, and what addresses they make. */
#include "src/drill/config.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* packetdrill's own addresses, which scripts count on. */
#define LOCAL4		"192.168.0.1"
#define REMOTE4		"192.0.2.1"
#define GATEWAY4	"192.168.0.2"
#define NETMASK4	"255.255.0.0"
#define LOCAL6		"fd3d:fa7b:d17d::1"
#define REMOTE6		"2001:db8::1"
#define GATEWAY6	"fd3d:fa7b:d17d::2"
#define PREFIX6		48u

void
drill_config_init(struct drill_config *c)
{
	memset(c, 0, sizeof *c);
	c->connect_port = 8080;
	c->bind_port = 8080;
	c->mtu = 1500;
	c->tolerance_us = -1;
}

/* ---- values ------------------------------------------------------------------------------------- */

struct option_value {
	struct drill_config *config;
	const char *name, *value;	/* value NULL: none */
	struct drill_place place;
	struct drill_error *error;
};

static int
wrong(const struct option_value *o, const char *expected)
{
	return drill_error_set(o->error, DRILL_ERROR_SYNTAX, o->place, "--%s=%s: expected %s", o->name,
	    o->value != NULL ? o->value : "", expected);
}

static int
number(const struct option_value *o, uint64_t min, uint64_t max, uint64_t *n)
{
	char expected[80];
	char *end;

	*n = strtoull(o->value, &end, 10);
	if (o->value[0] >= '0' && o->value[0] <= '9' && *end == '\0' && *n >= min && *n <= max)
		return 0;
	snprintf(expected, sizeof expected, "a number from %llu to %llu", (unsigned long long)min,
	    (unsigned long long)max);
	return wrong(o, expected);
}

/* ---- options ------------------------------------------------------------------------------------ */

static int
set_ip_version(const struct option_value *o)
{
	if (strcmp(o->value, "ipv4") == 0)
		o->config->ip_version = DRILL_IPV4;
	else if (strcmp(o->value, "ipv6") == 0)
		o->config->ip_version = DRILL_IPV6;
	else if (strcmp(o->value, "ipv4-mapped-ipv6") == 0)
		o->config->ip_version = DRILL_IPV4_MAPPED;
	else
		return wrong(o, "ipv4, ipv6 or ipv4-mapped-ipv6");
	return 0;
}

/* Addresses are looked at when all options are known: drill_config_addresses(). */
static int
set_address(const struct option_value *o)
{
	if (strcmp(o->name, "local_ip") == 0)
		o->config->local_ip = o->value;
	else if (strcmp(o->name, "remote_ip") == 0)
		o->config->remote_ip = o->value;
	else if (strcmp(o->name, "gateway_ip") == 0)
		o->config->gateway_ip = o->value;
	else
		o->config->netmask_ip = o->value;
	return 0;
}

static int
set_port(const struct option_value *o)
{
	uint64_t n;

	if (number(o, 1, 65535, &n) != 0)
		return -1;
	if (strcmp(o->name, "bind_port") == 0)
		o->config->bind_port = (uint16_t)n;
	else
		o->config->connect_port = (uint16_t)n;
	return 0;
}

static int
set_number(const struct option_value *o)
{
	struct drill_config *c = o->config;
	uint64_t n;

	if (strcmp(o->name, "mtu") == 0) {
		if (number(o, 68, 65535, &n) != 0)
			return -1;
		c->mtu = (unsigned)n;
	} else if (strcmp(o->name, "speed") == 0) {
		if (number(o, 0, UINT32_MAX, &n) != 0)
			return -1;
		c->speed = n * 1000000;
	} else if (strcmp(o->name, "tolerance_usecs") == 0) {
		if (number(o, 0, INT32_MAX, &n) != 0)
			return -1;
		c->tolerance_us = (int64_t)n;
	} else if (strcmp(o->name, "mss") == 0) {
		if (number(o, 1, 65535, &n) != 0)
			return -1;
		c->mss = (unsigned)n;
	} else if (strcmp(o->name, "tolerance_percent") == 0) {
		if (number(o, 0, 100, &n) != 0)
			return -1;
		c->tolerance_percent = (unsigned)n;
	} else {
		if (number(o, 0, 1000000, &n) != 0)
			return -1;
		c->tcp_ts_tick_us = (int64_t)n;
	}
	return 0;
}

static int
set_flag(const struct option_value *o)
{
	struct drill_config *c = o->config;
	bool on = true;

	if (o->value != NULL && strcmp(o->value, "1") != 0 && strcmp(o->value, "true") != 0) {
		if (strcmp(o->value, "0") != 0 && strcmp(o->value, "false") != 0)
			return wrong(o, "no value, 0 or 1");
		on = false;
	}
	if (strcmp(o->name, "dry_run") == 0)
		c->dry_run = on;
	else if (strcmp(o->name, "send_omit_free") == 0)
		c->send_omit_free = on;
	else if (strcmp(o->name, "tcp_ts_ecr_scaled") == 0)
		c->tcp_ts_ecr_scaled = on;
	else if (strcmp(o->name, "strict_segments") == 0)
		c->strict_segments = on;
	else if (strcmp(o->name, "strict_end") == 0)
		c->strict_end = on;
	else
		c->verbose = on ? c->verbose + 1 : 0;
	return 0;
}

/* packet, syscall, or both with a comma. */
static int
set_non_fatal(const struct option_value *o)
{
	const char *word = o->value;

	while (*word != '\0') {
		size_t n = strcspn(word, ", ");

		if (n == 6 && strncmp(word, "packet", n) == 0)
			o->config->non_fatal |= DRILL_NON_FATAL_PACKET;
		else if (n == 7 && strncmp(word, "syscall", n) == 0)
			o->config->non_fatal |= DRILL_NON_FATAL_SYSCALL;
		else
			return wrong(o, "packet, syscall or packet,syscall");
		word += n;
		word += strspn(word, ", ");
	}
	return 0;
}

static int
set_text(const struct option_value *o)
{
	if (strcmp(o->name, "init_scripts") == 0)
		o->config->init_scripts = o->value;
	else if (strcmp(o->name, "tcp_md5_secret") == 0)
		o->config->tcp_md5_secret = o->value;
	else
		o->config->local_linux_fake_gateway = o->value;
	return 0;
}

static int
set_define(const struct option_value *o)
{
	struct drill_config *c = o->config;
	const char *equals = strchr(o->value, '=');
	char *name;

	if (equals == NULL || equals == o->value)
		return wrong(o, "NAME=VALUE");
	if (c->define_count == DRILL_DEFINES)
		return wrong(o, "fewer definitions");
	name = strndup(o->value, (size_t)(equals - o->value));	/* as long as the program */
	if (name == NULL)
		return drill_error_set(o->error, DRILL_ERROR_FILE, o->place, "no memory");
	c->defines[c->define_count++] = (struct drill_define){.name = name, .value = equals + 1};
	return 0;
}

/* For other ways to the wire or to code than ours: nothing to do. */
static int
set_nothing(const struct option_value *o)
{
	(void)o;
	return 0;
}

static int
refuse(const struct option_value *o)
{
	if (o->value != NULL && strcmp(o->value, "none") == 0)
		return 0;
	return drill_error_set(o->error, DRILL_ERROR_REFUSED, o->place, "--%s is not supported", o->name);
}

static const struct {
	const char *name;
	int value;			/* 0 none, 1 needed, 2 optional */
	int (*set)(const struct option_value *);
} options[] = {
	{"ip_version", 1, set_ip_version},
	{"local_ip", 1, set_address}, {"remote_ip", 1, set_address}, {"gateway_ip", 1, set_address},
	{"netmask_ip", 1, set_address},
	{"bind_port", 1, set_port}, {"connect_port", 1, set_port},
	{"mtu", 1, set_number}, {"speed", 1, set_number}, {"tolerance_usecs", 1, set_number},
	{"tolerance_percent", 1, set_number}, {"tcp_ts_tick_usecs", 1, set_number},
	{"tcp_ts_ecr_scaled", 2, set_flag}, {"dry_run", 2, set_flag}, {"send_omit_free", 2, set_flag},
	{"strict_segments", 2, set_flag}, {"strict_end", 2, set_flag}, {"verbose", 2, set_flag},
	{"non_fatal", 1, set_non_fatal}, {"init_scripts", 1, set_text}, {"tcp_md5_secret", 1, set_text},
	{"define", 1, set_define},
	{"code_command", 1, set_nothing}, {"code_format", 1, set_nothing}, {"code_sockopt", 1, set_nothing},
	{"persistent_tun_dev", 2, set_nothing}, {"tun_dev", 1, set_nothing},
	{"local_linux_fake_gateway", 1, set_text}, {"no_cleanup", 2, set_nothing}, {"debug", 2, set_nothing},
	{"fuzz_seed", 1, set_nothing}, {"mss", 1, set_number},
	{"udp_encaps", 2, refuse}, {"udp_encapsulation", 2, refuse},
	{"wire_client", 2, refuse}, {"wire_server", 2, refuse}, {"wire_server_ip", 1, refuse},
	{"wire_server_port", 1, refuse}, {"wire_client_dev", 1, refuse}, {"wire_server_dev", 1, refuse},
	{"so_filename", 1, refuse}, {"so_flags", 1, refuse}
};

#define OPTION_COUNT	(sizeof options / sizeof options[0])

int
drill_config_takes_value(const char *name)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (strcmp(options[i].name, name) == 0)
			return options[i].value;
	return -1;
}

const char *
drill_config_name(size_t i)
{
	return i < OPTION_COUNT ? options[i].name : NULL;
}

int
drill_config_option(struct drill_config *c, const char *name, const char *value, struct drill_place place,
    struct drill_error *error)
{
	struct option_value o = {.config = c, .name = name, .value = value, .place = place, .error = error};

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (strcmp(options[i].name, name) != 0)
			continue;
		if (options[i].value == 1 && value == NULL)
			return drill_error_set(error, DRILL_ERROR_SYNTAX, place, "--%s needs a value", name);
		return options[i].set(&o);
	}
	return drill_error_set(error, DRILL_ERROR_SYNTAX, place, "there is no option --%s", name);
}

static bool
has_option(const struct drill_script *script, const char *name)
{
	for (size_t i = 0; i < script->option_count; i++)
		if (strcmp(script->options[i].name, name) == 0)
			return true;
	return false;
}

int
drill_config_script(struct drill_config *c, const struct drill_script *script, struct drill_error *error)
{
	/* An address of the command line says which family, where the script has none but names another. */
	bool given = c->local_ip != NULL && !has_option(script, "local_ip");
	bool v6 = given && strchr(c->local_ip, ':') != NULL;

	for (size_t i = 0; i < script->option_count; i++) {
		const struct drill_option *o = &script->options[i];

		/* The parser has put these in already. */
		if (strcmp(o->name, "define") == 0 || (given && strcmp(o->name, "ip_version") == 0 &&
		    o->value != NULL && v6 != (strcmp(o->value, "ipv6") == 0)))
			continue;
		if (drill_config_option(c, o->name, o->value, o->place, error) != 0)
			return -1;
	}
	return 0;
}

/* ---- addresses ---------------------------------------------------------------------------------- */

/* `text` may have /N behind the address, as --remote_ip does. */
static int
parse_address(const char *text, bool v6, struct sockaddr_storage *address, struct drill_error *error)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)address;
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)address;
	struct drill_place nowhere = {0};
	char copy[64];
	size_t n = strcspn(text, "/");
	int ok = 0;

	memset(address, 0, sizeof *address);
	if (n < sizeof copy) {
		memcpy(copy, text, n);
		copy[n] = '\0';
		ok = v6 ? inet_pton(AF_INET6, copy, &in6->sin6_addr) : inet_pton(AF_INET, copy,
		    &in->sin_addr);
	}
	address->ss_family = v6 ? AF_INET6 : AF_INET;
	if (ok != 1)
		return drill_error_set(error, DRILL_ERROR_SYNTAX, nowhere, "'%s' is no IPv%c address", text,
		    v6 ? '6' : '4');
	return 0;
}

/* 255.255.0.0, or 16. */
static int
parse_netmask(const char *text, unsigned *prefix_len, struct drill_error *error)
{
	struct drill_place nowhere = {0};
	struct in_addr mask;
	uint32_t bits;
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end == '\0' && end != text && n <= 32) {
		*prefix_len = (unsigned)n;
		return 0;
	}
	if (inet_pton(AF_INET, text, &mask) == 1) {
		bits = ntohl(mask.s_addr);
		if ((~bits & (~bits + 1)) == 0) {
			*prefix_len = bits == 0 ? 0 : 32u - (unsigned)__builtin_ctz(bits);
			return 0;
		}
	}
	return drill_error_set(error, DRILL_ERROR_SYNTAX, nowhere, "'%s' is no network mask", text);
}

int
drill_config_addresses(const struct drill_config *c, struct drill_addresses *a, struct drill_error *error)
{
	const char *local = c->local_ip, *remote = c->remote_ip, *gateway = c->gateway_ip;

	memset(a, 0, sizeof *a);
	a->v6 = c->ip_version == DRILL_IPV6;
	a->mapped = c->ip_version == DRILL_IPV4_MAPPED;
	if (local == NULL)
		local = a->v6 ? LOCAL6 : LOCAL4;
	if (remote == NULL)
		remote = a->v6 ? REMOTE6 : REMOTE4;
	if (gateway == NULL)
		gateway = a->v6 ? GATEWAY6 : GATEWAY4;
	if (parse_address(local, a->v6, &a->local, error) != 0 ||
	    parse_address(remote, a->v6, &a->remote, error) != 0 ||
	    parse_address(gateway, a->v6, &a->gateway, error) != 0)
		return -1;
	a->prefix_len = PREFIX6;
	return a->v6 ? 0 : parse_netmask(c->netmask_ip != NULL ? c->netmask_ip : NETMASK4, &a->prefix_len,
	    error);
}
