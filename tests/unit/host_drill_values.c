/*
 * What scripts' expressions, names, code and settings are worth, and how what is wrong with them is told.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "src/drill/code.h"
#include "src/drill/config.h"
#include "src/drill/eval.h"
#include "src/drill/names.h"

/* The argument of f(...), whose script the caller frees. */
static const struct drill_expr *
argument(struct drill_script **s, const char *expression)
{
	struct drill_error error;
	char text[400];

	snprintf(text, sizeof text, "0 f(%s) = 0", expression);
	if (drill_parse("test", text, strlen(text), NULL, 0, s, &error) != 0)
		fail_msg("%s: %s", text, error.text);
	return (*s)->events[0].call->args[0].value;
}

/* ---- integers ----------------------------------------------------------------------------------- */

static void
is_worth(const char *expression, enum drill_system system, int64_t expected)
{
	struct drill_error error = {.kind = DRILL_ERROR_NONE};
	struct drill_script *s;
	int64_t value;

	if (drill_eval(argument(&s, expression), system, &value, &error) != 0)
		fail_msg("%s: %s", expression, error.text);
	if (value != expected)
		fail_msg("%s is %lld", expression, (long long)value);
	drill_script_free(s);
}

static void
is_worth_nothing(const char *expression, const char *message)
{
	struct drill_error error = {.kind = DRILL_ERROR_NONE};
	struct drill_script *s;
	int64_t value;

	assert_int_equal(drill_eval(argument(&s, expression), DRILL_HOST, &value, &error), -1);
	assert_string_equal(error.text, message);
	assert_int_equal(error.place.line, 1);
	assert_int_equal(error.place.column, 5);
	drill_script_free(s);
}

static void
integers(void **state)
{
	(void)state;
	is_worth("-5", DRILL_HOST, -5);
	is_worth("0x10|1", DRILL_HOST, 17);
	is_worth("NULL", DRILL_HOST, 0);
	is_worth("SOL_SOCKET", DRILL_HOST, SOL_SOCKET);
	is_worth("SOL_SOCKET", DRILL_DARWIN, 0xffff);
	is_worth("SO_RCVBUF", DRILL_DARWIN, 0x1002);
	is_worth("TCP_NOPUSH", DRILL_HOST, 4);		/* the host has none */
	is_worth("TCP_KEEPINTVL", DRILL_HOST, TCP_KEEPINTVL);
	is_worth("TCP_KEEPINTVL", DRILL_DARWIN, 0x101);
	is_worth("AF_INET6", DRILL_DARWIN, 30);
	is_worth("O_RDWR | O_NONBLOCK", DRILL_HOST, O_RDWR | O_NONBLOCK);
	is_worth("POLLIN|POLLOUT", DRILL_HOST, POLLIN | POLLOUT);
	is_worth("ECONNRESET", DRILL_HOST, ECONNRESET);
	is_worth("htons(8080)", DRILL_HOST, htons(8080));
	is_worth("htonl(0x01020304)", DRILL_HOST, htonl(0x01020304));
	is_worth("inet_addr(\"1.2.3.4\")", DRILL_HOST, inet_addr("1.2.3.4"));
	is_worth("sizeof(int)", DRILL_HOST, 4);
	is_worth("sizeof(sockaddr_in6)", DRILL_HOST, 28);
	is_worth_nothing("FOO", "FOO: no constant of that name is known");
	is_worth_nothing("...", "...: a number is expected here");
	is_worth_nothing("[1]", "[1]: a number is expected here");
	is_worth_nothing("htons(65536)", "htons(65536): the number does not fit");
	is_worth_nothing("htons(1, 2)", "htons(1, 2): no function of that name with so many arguments");
	is_worth_nothing("inet_addr(\"x\")", "inet_addr(\"x\"): no address");
	is_worth_nothing("sizeof(x)", "sizeof(x): the size of this is not known");
}

/* ---- addresses ---------------------------------------------------------------------------------- */

static void
address(const char *expression, const char *expected)
{
	struct drill_error error = {.kind = DRILL_ERROR_NONE};
	struct sockaddr_storage ss;
	char host[INET6_ADDRSTRLEN], seen[100];
	struct drill_script *s;
	socklen_t len;

	if (drill_eval_address(argument(&s, expression), &ss, &len, &error) != 0)
		snprintf(seen, sizeof seen, "%.99s", error.text);
	else if (ss.ss_family == AF_INET6)
		snprintf(seen, sizeof seen, "[%s]:%u", inet_ntop(AF_INET6,
		    &((struct sockaddr_in6 *)&ss)->sin6_addr, host,
		    sizeof host), ntohs(((struct sockaddr_in6 *)&ss)->sin6_port));
	else
		snprintf(seen, sizeof seen, "%s:%u", inet_ntop(AF_INET,
		    &((struct sockaddr_in *)&ss)->sin_addr, host,
		    sizeof host), ntohs(((struct sockaddr_in *)&ss)->sin_port));
	assert_string_equal(seen, expected);
	drill_script_free(s);
}

static void
addresses(void **state)
{
	(void)state;
	address("{sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr(\"1.2.3.4\")}",
	    "1.2.3.4:80");
	address("{sa_family = AF_INET, sin_port = htons(80), sin_addr = htonl(INADDR_LOOPBACK)}",
	    "127.0.0.1:80");
	address("{sin_family = AF_INET, sin_port = ..., sin_addr = ...}", "0.0.0.0:0");
	address("{sa_family = AF_INET6, sin_port = htons(1), sin_addr = inet_addr(\"::1\")}", "[::1]:1");
	address("{sa_family = AF_INET6, sin6_port = htons(1), sin6_addr = inet6_addr(\"fe80::1\")}",
	    "[fe80::1]:1");
	address("{sin6_family = AF_INET6, sin6_port = htons(1), "
	    "sin6_addr = inet_pton(AF_INET6, \"fd00::2\")}",
	    "[fd00::2]:1");
	address("{sa_family = AF_INET6, sin_port = htons(1), sin_addr = inet_addr(\"1.2.3.4\")}",
	    "[::ffff:1.2.3.4]:1");
	address("{sa_family = AF_INET, sin_port = htons(1), sin_addr = inet_addr(\"::1\")}",
	    "inet_addr(\"::1\"): no IPv4 address");
	address("{sin_port = htons(1)}",
	    "{sin_port = htons(1)}: no address: {sa_family = ..., sin_port = ..., sin_addr = ...}");
	address("{sa_family = 77, sin_port = 0}", "77: no family of addresses that is known");
	address("...", "...: no address: {sa_family = ..., sin_port = ..., sin_addr = ...}");
}

/* ---- names -------------------------------------------------------------------------------------- */

static void
names(void **state)
{
	uint8_t v;

	(void)state;
	assert_true(drill_constant("TCP_NODELAY")->has_host);
	assert_false(drill_constant("TCP_NOOPT")->has_host);
	assert_false(drill_constant("TCP_CONGESTION")->has_darwin);
	assert_null(drill_constant("TCP_NODELAYS"));
	assert_null(drill_constant(""));
	assert_int_equal(drill_errno("EWOULDBLOCK"), EAGAIN);
	assert_int_equal(drill_errno("ENOBUFS"), ENOBUFS);
	assert_int_equal(drill_errno("ENOTHING"), -1);
	assert_string_equal(drill_errno_name(EAGAIN), "EAGAIN");
	assert_string_equal(drill_errno_name(12345), "errno 12345");
	assert_true(drill_icmp_type("unreachable", false, &v) && v == 3);
	assert_true(drill_icmp_type("unreachable", true, &v) && v == 1);
	assert_true(drill_icmp_type("packet_too_big", true, &v) && v == 2);
	assert_false(drill_icmp_type("packet_too_big", false, &v));
	assert_true(drill_icmp_type("77", false, &v) && v == 77);
	assert_false(drill_icmp_type("256", false, &v));
	assert_true(drill_icmp_code(3, "frag_needed", false, &v) && v == 4);
	assert_true(drill_icmp_code(1, "port_unreachable", true, &v) && v == 4);
	assert_false(drill_icmp_code(8, "port_unreachable", false, &v));
	assert_true(drill_icmp_code(8, NULL, false, &v) && v == 0);
	assert_string_equal(drill_icmp_type_name(3, false), "unreachable");
	assert_string_equal(drill_icmp_code_name(3, 4, false), "frag_needed");
	assert_null(drill_icmp_type_name(200, false));
}

/* ---- code --------------------------------------------------------------------------------------- */

static bool
look_up(void *ctx, const char *name, int64_t *value)
{
	(void)ctx;
	*value = 10;
	return strcmp(name, "tcpi_snd_cwnd") == 0;
}

/* Runs pieces of code with the same variables; the last one is told about. */
static enum drill_code_result
run_pieces(const char *const *pieces, char *out, size_t size, struct drill_error *error)
{
	FILE *f = fmemopen(out, size, "w");
	struct drill_code *c = drill_code_new(look_up, NULL, f);
	struct drill_place place = {.line = 10, .column = 5};
	enum drill_code_result result = DRILL_CODE_OK;

	assert_non_null(f);
	assert_non_null(c);
	out[0] = '\0';
	for (; *pieces != NULL && result == DRILL_CODE_OK; pieces++)
		result = drill_code_run(c, *pieces, place, error);
	drill_code_free(c);
	fclose(f);
	return result;
}

static void
prints(const char *code, const char *expected)
{
	const char *pieces[] = {code, NULL};
	struct drill_error error;
	char out[300];

	if (run_pieces(pieces, out, sizeof out, &error) != DRILL_CODE_OK)
		fail_msg("%s\n%u:%u: %s", code, error.place.line, error.place.column, error.text);
	assert_string_equal(out, expected);
}

static void
stops(const char *code, enum drill_code_result result, unsigned line, unsigned column, const char *message)
{
	const char *pieces[] = {code, NULL};
	struct drill_error error;
	char out[300];

	assert_int_equal(run_pieces(pieces, out, sizeof out, &error), result);
	if (strcmp(error.text, message) != 0 || error.place.line != line || error.place.column != column)
		fail_msg("%s\nexpected %u:%u: %s\nseen     %u:%u: %s", code, line, column, message,
		    error.place.line,
		    error.place.column, error.text);
}

static void
code_values(void **state)
{
	(void)state;
	prints("print(1, -2, 0x1f, 0b101, 0o17, 1_000)", "1 -2 31 5 15 1000\n");
	prints("print 1, \"a\", 'b'", "1 a b\n");
	prints("print (1) + 2", "3\n");
	prints("print", "\n");
	prints("print(True, False, None, 1.5, 1e3)", "True False None 1.5 1000\n");
	prints("print(7 / 2, 6 / 2, -7 // 2, -7 % 3, 7 % -3, 2 ** 10, -2 ** 2)", "3.5 3 -4 2 -2 1024 -4\n");
	prints("print(1 + 2 * 3, (1 + 2) * 3, 10 - 2 - 3, 1 << 4 | 1, 6 & 3, 5 ^ 1, ~0, 256 >> 4)",
	    "7 9 5 17 2 4 -1 16\n");
	prints("print(1 < 2, 2 <= 1, 1 < 2 < 3, 3 > 2 > 2, 1 == 1.0, 1 != 2, \"a\" < \"b\")",
	    "True False True False True True True\n");
	prints("print(0 or 5, 1 and 0, not 0, not not 3, 1 in (1, 2), 3 not in [1, 2], None is None)",
	    "5 0 True True True True True\n");
	prints("print(abs(-3), min(3, 1, 2), max(3, 1.5), int(2.9), len(\"abc\"), str(5) + \"x\", hex(255))",
	    "3 1 3 2 3 5x 0xff\n");
	prints("print(1 if 2 > 1 else nothing)", "1\n");
	prints("print(tcpi_snd_cwnd, TCPI_OPT_SACK)", "10 2\n");
	prints("x = 5; x += 1; x *= 2\nx -= 3; x //= 2; x <<= 3; x |= 1\nprint(x)  # a comment", "33\n");
	prints("print(1 +\n   2)\nprint(\\\n3)", "3\n3\n");
	prints("if 1 > 2: print(\"no\")\nif 2 > 1: print(\"yes\")", "yes\n");
	prints("if 1 > 2:\n  print('no')\n  print('no')\nelif 2 > 3: print('no')\nelse:\n\tprint('yes')\n"
	    "\tif 1: print('a'); print('b')\n# nothing\n\n\telse:\n\t    print('no')\nprint('end')",
	    "yes\na\nb\nend\n");
	prints("if 1: print('a')\nelif nothing: nothing()\n"
	    "else: nothing\nelsewhere = 1\nprint(elsewhere)", "a\n1\n");
	prints("print \"{} {}\".format(1, 'x')\nif (1 != 2):\n  print \"b\"\nassert (1 == 1)\n", "1 x\nb\n");
	prints("print('{1}{0} {:x} {{}} {0:5d}|{0:.2f}'.format(255, 'a'))", "a255 ff {}   255|255.00\n");
	prints("print('%d %s %x %5.1f%% %-4d| %04d %r' % (1, 'a', 255, 2.5, 7, 8, None), '%s' % 5)",
	    "1 a ff   2.5% 7   | 0008 None 5\n");
	prints("import socket; from a import b; pass", "");
	prints("True or nothing; False and nothing(1, x)", "");
}

static void
code_variables_stay(void **state)
{
	const char *pieces[] = {"cwnd = 3; s = 'abc'", "cwnd += 1", "print(cwnd, s)", NULL};
	struct drill_error error;
	char out[100];

	(void)state;
	assert_int_equal(run_pieces(pieces, out, sizeof out, &error), DRILL_CODE_OK);
	assert_string_equal(out, "4 abc\n");
}

static void
code_stops(void **state)
{
	(void)state;
	stops("assert tcpi_snd_cwnd == 11", DRILL_CODE_FAILED, 10, 12,
	    "assert tcpi_snd_cwnd == 11: tcpi_snd_cwnd is 10");
	stops("x = 2\nassert x == 3, tcpi_snd_cwnd", DRILL_CODE_FAILED, 11, 8, "assert x == 3: x is 2");
	stops("assert 0, 'because'", DRILL_CODE_FAILED, 10, 12, "assert 0 (because)");
	stops("pass\n  assert (1 ==\n 2)", DRILL_CODE_FAILED, 11, 10, "assert (1 ==  2)");
	stops("print(nothing)", DRILL_CODE_REFUSED, 10, 11, "there is no name 'nothing'");
	stops("x += 1", DRILL_CODE_REFUSED, 10, 5, "'x' has no value yet");
	stops("1 / 0", DRILL_CODE_REFUSED, 10, 7, "a division by zero");
	stops("1.5 // 0", DRILL_CODE_REFUSED, 10, 9, "a division by zero");
	stops("9223372036854775807 + 1", DRILL_CODE_REFUSED, 10, 25, "a number beyond 64 bits");
	stops("9223372036854775808", DRILL_CODE_REFUSED, 10, 5, "a number beyond 64 bits");
	stops("1 << 64", DRILL_CODE_REFUSED, 10, 7, "a shift by 64");
	stops("2 ** -1", DRILL_CODE_REFUSED, 10, 7, "a power with a negative exponent");
	stops("'a' + 1", DRILL_CODE_REFUSED, 10, 9, "+ of something that is no number");
	stops("1.5 | 1", DRILL_CODE_REFUSED, 10, 9, "| of numbers that are not whole");
	stops("'a' < 1", DRILL_CODE_REFUSED, 10, 9, "< of values that have no order");
	stops("x.y", DRILL_CODE_REFUSED, 10, 6, "attributes and indices are not known");
	stops("(1, 2)", DRILL_CODE_REFUSED, 10, 7, "tuples are not known");
	stops("(1", DRILL_CODE_REFUSED, 10, 7, "expected ')'");
	stops("1 +", DRILL_CODE_REFUSED, 10, 8, "a value is missing");
	stops("1 2", DRILL_CODE_REFUSED, 10, 7, "'2' is not known here");
	stops("@", DRILL_CODE_REFUSED, 10, 5, "'@' is not known here");
	stops("'abc", DRILL_CODE_REFUSED, 10, 5, "a string that does not end");
	stops("1x", DRILL_CODE_REFUSED, 10, 5, "no number");
	stops("for i in x: pass", DRILL_CODE_REFUSED, 10, 5, "'for' is not known");
	stops("def f(): pass", DRILL_CODE_REFUSED, 10, 5, "'def' is not known");
	stops("if 1:\npass", DRILL_CODE_REFUSED, 10, 10, "a block is missing");
	stops("if 1:\n pass\n  pass", DRILL_CODE_REFUSED, 12, 3,
	    "a line that is further to the right than the one before");
	stops("'%d' % 'a'", DRILL_CODE_REFUSED, 10, 10, "%d of something that is no number");
	stops("'%d %d' % 1", DRILL_CODE_REFUSED, 10, 13, "more conversions than values");
	stops("'%d' % (1, 2)", DRILL_CODE_REFUSED, 10, 10, "more values than conversions");
	stops("'%q' % 1", DRILL_CODE_REFUSED, 10, 10, "the conversion 'q' is not known");
	stops("'{} {}'.format(1)", DRILL_CODE_REFUSED, 10, 12, "more {} than values");
	stops("'{x}'.format(1)", DRILL_CODE_REFUSED, 10, 10, "a {} that is not known");
	stops("if 1 pass", DRILL_CODE_REFUSED, 10, 10, "expected ':'");
	stops("1 if 2", DRILL_CODE_REFUSED, 10, 11, "expected 'else'");
	stops("1 in 2", DRILL_CODE_REFUSED, 10, 10, "expected (values) or [values] behind 'in'");
	stops("foo(1)", DRILL_CODE_REFUSED, 10, 5, "no function 'foo' of that is known");
	stops("abs(1, 2)", DRILL_CODE_REFUSED, 10, 5, "no function 'abs' with 2 arguments");
	stops("abs(1", DRILL_CODE_REFUSED, 10, 10, "expected ',' or ')'");
}

static void
code_is_not_too_deep(void **state)
{
	static const char *const parts[] = {"(", "-", "2**", "not ", "1 if 1 else ", "if 1: ", "abs("};
	struct drill_error error;
	char text[5000], out[10];
	const char *pieces[] = {text, NULL};

	(void)state;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		text[0] = '\0';
		while (strlen(text) < sizeof text - 20)
			strcat(text, parts[i]);
		strcat(text, "1");
		run_pieces(pieces, out, sizeof out, &error);	/* that it comes back is enough */
	}
}

/* ---- settings ----------------------------------------------------------------------------------- */

static void
sets(struct drill_config *c, const char *name, const char *value)
{
	struct drill_error error = {.kind = DRILL_ERROR_NONE};
	struct drill_place place = {0};

	if (drill_config_option(c, name, value, place, &error) != 0)
		fail_msg("%s", error.text);
}

static void
does_not_set(const char *name, const char *value, enum drill_error_kind kind, const char *message)
{
	struct drill_error error = {.kind = DRILL_ERROR_NONE};
	struct drill_place place = {.line = 3, .column = 1};
	struct drill_config c;

	drill_config_init(&c);
	assert_int_equal(drill_config_option(&c, name, value, place, &error), -1);
	assert_string_equal(error.text, message);
	assert_int_equal(error.kind, kind);
	assert_int_equal(error.place.line, 3);
}

static void
settings(void **state)
{
	struct drill_config c;

	(void)state;
	drill_config_init(&c);
	sets(&c, "ip_version", "ipv4-mapped-ipv6");
	sets(&c, "bind_port", "1");
	sets(&c, "connect_port", "65535");
	sets(&c, "mtu", "9000");
	sets(&c, "speed", "100");
	sets(&c, "tolerance_usecs", "0");
	sets(&c, "tcp_ts_tick_usecs", "1000");
	sets(&c, "non_fatal", "packet, syscall");
	sets(&c, "dry_run", NULL);
	sets(&c, "verbose", "0");
	sets(&c, "tcp_ts_ecr_scaled", NULL);
	sets(&c, "udp_encapsulation", "none");
	sets(&c, "code_command", "/usr/bin/python");
	assert_int_equal(c.ip_version, DRILL_IPV4_MAPPED);
	assert_int_equal(c.connect_port, 65535);
	assert_int_equal(c.mtu, 9000);
	assert_int_equal(c.speed, 100000000);
	assert_int_equal(c.tcp_ts_tick_us, 1000);
	assert_int_equal(c.non_fatal, DRILL_NON_FATAL_PACKET | DRILL_NON_FATAL_SYSCALL);
	assert_true(c.dry_run && c.tcp_ts_ecr_scaled);
	does_not_set("ip_version", "ipv5", DRILL_ERROR_SYNTAX,
	    "--ip_version=ipv5: expected ipv4, ipv6 or ipv4-mapped-ipv6");
	does_not_set("ip_version", NULL, DRILL_ERROR_SYNTAX, "--ip_version needs a value");
	does_not_set("bind_port", "0", DRILL_ERROR_SYNTAX,
	    "--bind_port=0: expected a number from 1 to 65535");
	does_not_set("mtu", "67", DRILL_ERROR_SYNTAX, "--mtu=67: expected a number from 68 to 65535");
	does_not_set("mtu", "1500x", DRILL_ERROR_SYNTAX, "--mtu=1500x: expected a number from 68 to 65535");
	does_not_set("mtu", "-1", DRILL_ERROR_SYNTAX, "--mtu=-1: expected a number from 68 to 65535");
	does_not_set("non_fatal", "all", DRILL_ERROR_SYNTAX,
	    "--non_fatal=all: expected packet, syscall or packet,syscall");
	does_not_set("dry_run", "maybe", DRILL_ERROR_SYNTAX, "--dry_run=maybe: expected no value, 0 or 1");
	does_not_set("define", "x", DRILL_ERROR_SYNTAX, "--define=x: expected NAME=VALUE");
	does_not_set("udp_encapsulation", "tcp", DRILL_ERROR_REFUSED, "--udp_encapsulation is not supported");
	does_not_set("wire_client", NULL, DRILL_ERROR_REFUSED, "--wire_client is not supported");
	does_not_set("nonsense", NULL, DRILL_ERROR_SYNTAX, "there is no option --nonsense");
}

static void
makes(const struct drill_config *c, const char *expected)
{
	struct drill_error error = {.kind = DRILL_ERROR_NONE};
	struct drill_addresses a;
	char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN], seen[200];

	if (drill_config_addresses(c, &a, &error) != 0)
		snprintf(seen, sizeof seen, "%.199s", error.text);
	else if (a.v6)
		snprintf(seen, sizeof seen, "%s/%u > %s", inet_ntop(AF_INET6,
		    &((struct sockaddr_in6 *)&a.local)->sin6_addr,
		    local, sizeof local), a.prefix_len, inet_ntop(AF_INET6,
		    &((struct sockaddr_in6 *)&a.remote)->sin6_addr, remote, sizeof remote));
	else
		snprintf(seen, sizeof seen, "%s/%u > %s", inet_ntop(AF_INET,
		    &((struct sockaddr_in *)&a.local)->sin_addr,
		    local, sizeof local), a.prefix_len, inet_ntop(AF_INET,
		    &((struct sockaddr_in *)&a.remote)->sin_addr,
		    remote, sizeof remote));
	assert_string_equal(seen, expected);
}

static void
settings_make_addresses(void **state)
{
	struct drill_config c;

	(void)state;
	drill_config_init(&c);
	makes(&c, "192.168.0.1/16 > 192.0.2.1");
	c.remote_ip = "10.0.0.9/8";
	c.netmask_ip = "255.255.255.192";
	makes(&c, "192.168.0.1/26 > 10.0.0.9");
	c.netmask_ip = "0.0.0.0";
	makes(&c, "192.168.0.1/0 > 10.0.0.9");
	c.netmask_ip = "255.0.255.0";
	makes(&c, "'255.0.255.0' is no network mask");
	c.local_ip = "::1";
	makes(&c, "'::1' is no IPv4 address");
	c.ip_version = DRILL_IPV6;
	c.remote_ip = NULL;
	makes(&c, "::1/48 > 2001:db8::1");
	c.remote_ip = "10.0.0.9";
	makes(&c, "'10.0.0.9' is no IPv6 address");
}

static void
settings_of_scripts(void **state)
{
	const char *text = "--mtu=1000\n--define=A=1\n--tolerance_usecs=5\n0 f() = 0", *wrong =
	    "\n--mtu=1\n0 f() = 0", *family = "--ip_version=ipv6\n0 f() = 0";
	struct drill_script *s;
	struct drill_error error;
	struct drill_config c;

	(void)state;
	drill_config_init(&c);
	assert_int_equal(drill_parse("a", text, strlen(text), NULL, 0, &s, &error), 0);
	assert_int_equal(drill_config_script(&c, s, &error), 0);
	assert_int_equal(c.mtu, 1000);
	assert_int_equal(c.tolerance_us, 5);
	assert_int_equal(c.define_count, 0);
	drill_script_free(s);
	/* The family is the script's, unless the command line has addresses, and the script none. */
	assert_int_equal(drill_parse("a", family, strlen(family), NULL, 0, &s, &error), 0);
	assert_int_equal(drill_config_script(&c, s, &error), 0);
	assert_int_equal(c.ip_version, DRILL_IPV6);
	c.ip_version = DRILL_IPV4;
	c.local_ip = "10.0.0.1";
	assert_int_equal(drill_config_script(&c, s, &error), 0);
	assert_int_equal(c.ip_version, DRILL_IPV4);
	drill_script_free(s);
	assert_int_equal(drill_parse("a", wrong, strlen(wrong), NULL, 0, &s, &error), 0);
	assert_int_equal(drill_config_script(&c, s, &error), -1);
	assert_int_equal(error.place.line, 2);
	drill_script_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers), cmocka_unit_test(addresses), cmocka_unit_test(names),
		cmocka_unit_test(code_values), cmocka_unit_test(code_variables_stay),
		cmocka_unit_test(code_stops),
		cmocka_unit_test(code_is_not_too_deep), cmocka_unit_test(settings),
		cmocka_unit_test(settings_make_addresses), cmocka_unit_test(settings_of_scripts)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
