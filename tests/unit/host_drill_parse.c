/*
 * Reading packetdrill scripts: what every form of the language becomes, and where and how each mistake is
 * told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/drill/script.h"

/* ---- helpers ------------------------------------------------------------------------------------ */

static struct drill_script *
parse(const char *text)
{
	struct drill_script *script;
	struct drill_error error;

	if (drill_parse("test", text, strlen(text), NULL, 0, &script, &error) != 0)
		fail_msg("%s\n%u:%u: %s", text, error.place.line, error.place.column, error.text);
	return script;
}

/* The only event of a script. */
static const struct drill_event *
one(struct drill_script **script, const char *text)
{
	*script = parse(text);
	assert_int_equal((*script)->event_count, 1);
	return &(*script)->events[0];
}

static void
fails(const char *text, enum drill_error_kind kind, unsigned line, unsigned column, const char *message)
{
	struct drill_script *script;
	struct drill_error error;

	if (drill_parse("test", text, strlen(text), NULL, 0, &script, &error) == 0) {
		drill_script_free(script);
		fail_msg("this was read:\n%s", text);
	}
	assert_null(script);
	if (error.kind != kind || error.place.line != line || error.place.column != column ||
	    strcmp(error.text, message) != 0)
		fail_msg("%s\nexpected %u:%u: %s\nseen     %u:%u: %s (kind %d)", text, line, column, message,
		    error.place.line, error.place.column, error.text, error.kind);
}

/* An expression as an argument of a call, printed. */
static void
prints(const char *expression, enum drill_expr_kind kind, const char *printed)
{
	char text[500], seen[500];
	struct drill_script *script;
	const struct drill_event *e;

	snprintf(text, sizeof text, "0 f(%s) = 0", expression);
	e = one(&script, text);
	assert_int_equal(e->call->arg_count, 1);
	assert_int_equal(e->call->args[0].value->kind, kind);
	assert_string_equal(drill_expr_text(e->call->args[0].value, seen, sizeof seen), printed);
	drill_script_free(script);
}

/* ---- times -------------------------------------------------------------------------------------- */

static void
times(void **state)
{
	static const struct {
		const char *text;
		enum drill_time_kind kind;
		int64_t us, end_us;
	} forms[] = {
		{"0", DRILL_TIME_ABSOLUTE, 0, 0}, {"3", DRILL_TIME_ABSOLUTE, 3000000, 0},
		{"0.000001", DRILL_TIME_ABSOLUTE, 1, 0}, {".5", DRILL_TIME_ABSOLUTE, 500000, 0},
		{"1.1", DRILL_TIME_ABSOLUTE, 1100000, 0}, {"4.0000019", DRILL_TIME_ABSOLUTE, 4000001, 0},
		{"+0", DRILL_TIME_RELATIVE, 0, 0}, {"+.1", DRILL_TIME_RELATIVE, 100000, 0},
		{"+ 2.5", DRILL_TIME_RELATIVE, 2500000, 0}, {"*", DRILL_TIME_ANY, 0, 0},
		{"+*", DRILL_TIME_RELATIVE_ANY, 0, 0},
		{"0.1~0.2", DRILL_TIME_ABSOLUTE_RANGE, 100000, 200000},
		{"+.1~+.25", DRILL_TIME_RELATIVE_RANGE, 100000, 250000},
		{"+.1~.25", DRILL_TIME_RELATIVE_RANGE, 100000, 250000}
	};
	struct drill_script *script;
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		const struct drill_event *e;

		snprintf(text, sizeof text, "%s > . 1:1(0) ack 1", forms[i].text);
		e = one(&script, text);
		assert_int_equal(e->time.kind, forms[i].kind);
		assert_int_equal(e->time.us, forms[i].us);
		assert_int_equal(e->time.end_us, forms[i].end_us);
		drill_script_free(script);
	}
	fails("-1 close(3) = 0", DRILL_ERROR_SYNTAX, 1, 1, "the time -1 is negative");
	fails("99999999999999999 close(3) = 0", DRILL_ERROR_SYNTAX, 1, 1,
	    "the time 99999999999999999 is too large");
	fails("0x1 close(3) = 0", DRILL_ERROR_SYNTAX, 1, 1, "expected a time in seconds, found '0x1'");
	fails("+ close(3) = 0", DRILL_ERROR_SYNTAX, 1, 3, "expected a time in seconds, found 'close'");
	fails("0.2~0.1 > . 1:1(0) ack 1", DRILL_ERROR_SYNTAX, 1, 5, "the time range is backwards");
	fails("0.1~+0.2 > . 1:1(0) ack 1", DRILL_ERROR_SYNTAX, 1, 4,
	    "a time range from an absolute to a relative time");
	fails("\n* close(3) = 0", DRILL_ERROR_SYNTAX, 2, 1, "the time * is for packets out (>) only");
	fails("* < . 1:1(0) ack 1 win 1", DRILL_ERROR_SYNTAX, 1, 1, "the time * is for packets out (>) only");
	fails("0~1 `true`", DRILL_ERROR_SYNTAX, 1, 1, "a range of times is for packets out (>) only");
	fails("close(3) = 0", DRILL_ERROR_SYNTAX, 1, 1,
	    "expected an event, which begins with its time, found 'close'");
}

/* ---- options, commands, code, comments ---------------------------------------------------------- */

static void
options(void **state)
{
	struct drill_script *s =
	    parse("--ip_version=ipv6\n--dry_run --mtu = 1400// so\n--remote_ip=192.0.2.1/24\n"
	    "--local_ip=fd3d:fa7b:d17d::1\n--init_scripts=\"a b.sh\"\n"
	    "--define=CC=\"new reno\"\n0 f(CC, $CC) = 0\n");

	(void)state;
	assert_int_equal(s->option_count, 7);
	assert_string_equal(s->options[0].name, "ip_version");
	assert_string_equal(s->options[0].value, "ipv6");
	assert_string_equal(s->options[1].name, "dry_run");
	assert_null(s->options[1].value);
	assert_string_equal(s->options[2].value, "1400");
	assert_int_equal(s->options[2].place.line, 2);
	assert_int_equal(s->options[2].place.column, 11);
	assert_string_equal(s->options[3].value, "192.0.2.1/24");
	assert_string_equal(s->options[4].value, "fd3d:fa7b:d17d::1");
	assert_string_equal(s->options[5].value, "a b.sh");
	assert_string_equal(s->options[6].value, "CC=\"new reno\"");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(s->events[0].call->args[i].value->kind, DRILL_STRING);
		assert_string_equal(s->events[0].call->args[i].value->text, "new reno");
	}
	drill_script_free(s);
	fails("--mtu=\n0 close(3) = 0", DRILL_ERROR_SYNTAX, 2, 1,
	    "expected a value behind --option=, found '0'");
	fails("--define=x\n0 close(3) = 0", DRILL_ERROR_SYNTAX, 1, 1, "--define is to be given NAME=VALUE");
	fails("--mtu=\"15\n", DRILL_ERROR_SYNTAX, 1, 7, "a string that does not end");
	fails("0 close(3) = 0\n--mtu=9", DRILL_ERROR_SYNTAX, 2, 1,
	    "expected an event (options stand before the first one), found '--mtu'");
	fails("--mtu=9\n", DRILL_ERROR_SYNTAX, 2, 1, "the script has no events");
	fails("", DRILL_ERROR_SYNTAX, 1, 1, "the script has no events");
}

static void
defines(void **state)
{
	const struct drill_define given[] = {{"PORT", "8080"}, {"RUN", "`sysctl a`"}, {"A", "\"x\""}};
	const char *text = "--define=A=\"y\"\n0 RUN\n0 f(PORT, A) = PORT\n";
	struct drill_script *s;
	struct drill_error error;

	(void)state;
	assert_int_equal(drill_parse("test", text, strlen(text), given, 3, &s, &error), 0);
	assert_int_equal(s->events[0].kind, DRILL_COMMAND);
	assert_string_equal(s->events[0].text, "sysctl a");
	assert_int_equal(s->events[1].call->args[0].value->integer, 8080);
	assert_string_equal(s->events[1].call->args[1].value->text, "y");
	assert_int_equal(s->events[1].call->result->integer, 8080);
	drill_script_free(s);
}

static void
commands_and_code(void **state)
{
	struct drill_script *s = parse("#!/usr/bin/packetdrill\n`init\n# of a shell\ndone`\n"
	    "0 `a \\` b`/* a comment\n with ` in it */ +1 %{ assert x\n  y }z }% // %{\n`clean`");

	(void)state;
	assert_int_equal(s->event_count, 4);
	assert_int_equal(s->events[0].kind, DRILL_COMMAND);
	assert_int_equal(s->events[0].time.kind, DRILL_TIME_NONE);
	assert_string_equal(s->events[0].text, "init\n# of a shell\ndone");
	assert_int_equal(s->events[0].place.line, 2);
	assert_string_equal(s->events[1].text, "a \\` b");
	assert_int_equal(s->events[2].kind, DRILL_CODE);
	assert_string_equal(s->events[2].text, " assert x\n  y }z ");
	assert_int_equal(s->events[2].text_place.line, 6);
	assert_int_equal(s->events[3].time.kind, DRILL_TIME_NONE);
	drill_script_free(s);
	fails("0 `a\n", DRILL_ERROR_SYNTAX, 1, 3, "a command ` that does not end");
	fails("0 %{ a }\n", DRILL_ERROR_SYNTAX, 1, 3, "code %{ that does not end with }%");
	fails("0 close(3) = 0 /* x\n", DRILL_ERROR_SYNTAX, 1, 16, "a comment /* that does not end");
	fails("0 f(\"x) = 0\n", DRILL_ERROR_SYNTAX, 1, 5, "a string that does not end");
	fails("%{ x }%", DRILL_ERROR_SYNTAX, 1, 1,
	    "expected an event, which begins with its time, found code");
}

static void
systems(void **state)
{
	struct drill_script *s =
	    parse("#ifdef Linux\n0 nonsense !\n#endif\n#ifdef FreeBSD\n0 f() = 1\n#endif\n0 g() = 2\n");

	(void)state;
	assert_int_equal(s->event_count, 2);
	assert_string_equal(s->events[0].call->name, "f");
	assert_int_equal(s->events[0].place.line, 5);
	drill_script_free(s);
	fails("#ifdef Linux\n0 f() = 0\n", DRILL_ERROR_SYNTAX, 1, 1, "#ifdef without #endif");
	fails("0 f() = 0\n#ifdef FreeBSD\n0 f() = 0\n", DRILL_ERROR_SYNTAX, 2, 1, "#ifdef without #endif");
	fails("0 f() = 0\n#endif\n", DRILL_ERROR_SYNTAX, 2, 1, "#endif without #ifdef");
	fails("#ifdef FreeBSD\n#ifdef Linux\n#endif\n#endif\n", DRILL_ERROR_SYNTAX, 2, 1,
	    "#ifdef inside #ifdef");
	fails("# comment\n0 f() = 0\n", DRILL_ERROR_SYNTAX, 1, 1,
	    "'#' begins nothing but #ifdef SYSTEM and #endif; comments begin with //");
}

/* ---- calls and expressions ---------------------------------------------------------------------- */

static void
calls(void **state)
{
	struct drill_script *s;
	const struct drill_event *e = one(&s,
	    "+0.1...0.35 connect(3, ..., ...) = -1 EINPROGRESS (it's under way)");

	(void)state;
	assert_int_equal(e->kind, DRILL_SYSCALL);
	assert_string_equal(e->call->name, "connect");
	assert_int_equal(e->call->arg_count, 3);
	assert_int_equal(e->call->args[0].value->kind, DRILL_INTEGER);
	assert_int_equal(e->call->args[1].value->kind, DRILL_ELLIPSIS);
	assert_true(e->call->blocks);
	assert_int_equal(e->call->end_us, 350000);
	assert_int_equal(e->call->result->integer, -1);
	assert_string_equal(e->call->error, "EINPROGRESS");
	assert_string_equal(e->call->note, "it's under way");
	drill_script_free(s);
	e = one(&s, "0...0 f() = ...");
	assert_true(e->call->blocks);
	assert_int_equal(e->call->result->kind, DRILL_ELLIPSIS);
	assert_null(e->call->error);
	drill_script_free(s);
	e = one(&s, "0 fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)");
	assert_false(e->call->blocks);
	assert_int_equal(e->call->result->integer, 2);
	assert_string_equal(e->call->note, "flags O_RDWR");
	drill_script_free(s);
	fails("0.3...0.2 read(3) = 0", DRILL_ERROR_SYNTAX, 1, 7, "the call returns before it begins");
	fails("0 close 3) = 0", DRILL_ERROR_SYNTAX, 1, 9,
	    "expected '(' behind the name of a call, found '3'");
	fails("0 close(3 = 0", DRILL_ERROR_SYNTAX, 1, 11,
	    "expected ')' or ',' behind an argument, found '='");
	fails("0 close(3,) = 0", DRILL_ERROR_SYNTAX, 1, 11, "expected a value, found ')'");
	fails("0 close(3)\n", DRILL_ERROR_SYNTAX, 2, 1,
	    "expected '=' and the result behind a call, found the end of the script");
	fails("0 close(3) =\n", DRILL_ERROR_SYNTAX, 2, 1, "expected a value, found the end of the script");
	fails("0 f() = 0 (a", DRILL_ERROR_SYNTAX, 1, 11, "a note ( that does not end");
	fails("0\n", DRILL_ERROR_SYNTAX, 2, 1,
	    "expected a packet, a call, `a command` or %{ code }%, found the end of the script");
	fails("0 \"a\"", DRILL_ERROR_SYNTAX, 1, 3,
	    "expected a packet, a call, `a command` or %{ code }%, found \"a\"");
}

static void
expressions(void **state)
{
	char deep[400];

	(void)state;
	prints("...", DRILL_ELLIPSIS, "...");
	prints("12", DRILL_INTEGER, "12");
	prints("-1", DRILL_INTEGER, "-1");
	prints("010", DRILL_INTEGER, "10");
	prints("0xffffffffffffffff", DRILL_INTEGER, "0xffffffffffffffff");
	prints("-9223372036854775808", DRILL_INTEGER, "-9223372036854775808");
	prints("AF_INET", DRILL_NAME, "AF_INET");
	prints("NULL", DRILL_NULL, "NULL");
	prints("O_RDWR|O_NONBLOCK | 0x4", DRILL_OR, "O_RDWR|O_NONBLOCK|0x4");
	prints("\"a\\n\\x41\\101\\\\\" \"b\"", DRILL_STRING, "\"a\\x0aAA\\\\b\"");
	prints("\"abc\"...", DRILL_STRING_PART, "\"abc\"...");
	prints("[]", DRILL_ARRAY, "[]");
	prints("[1, [2, a]]", DRILL_ARRAY, "[1, [2, a]]");
	prints("{..., 4}", DRILL_LIST, "{..., 4}");
	prints("{}", DRILL_LIST, "{}");
	prints("(3)", DRILL_INTEGER, "3");
	prints("{fd=3, events=POLLIN|POLLOUT, revents=0}", DRILL_STRUCT,
	    "{fd = 3, events = POLLIN|POLLOUT, revents = 0}");
	prints("{msg_name(...)=..., msg_iov(2)=[{...,4},{\"b\",1}], msg_flags=0}", DRILL_STRUCT,
	    "{msg_name(...) = ..., msg_iov(2) = [{..., 4}, {\"b\", 1}], msg_flags = 0}");
	prints("{sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr(\"192.0.2.1\")}",
	    DRILL_STRUCT,
	    "{sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr(\"192.0.2.1\")}");
	prints("{enable=1, psk=01234567890123456789012345678901}", DRILL_STRUCT,
	    "{enable = 1, psk = 01234567890123456789012345678901}");
	prints("{enable=1, psk=0a1b}", DRILL_STRUCT, "{enable = 1, psk = 0a1b}");
	prints("[a = 1, b]", DRILL_ARRAY, "[a = 1, b]");
	fails("0 f(18446744073709551616) = 0", DRILL_ERROR_SYNTAX, 1, 5,
	    "a number that does not fit into 64 bits");
	fails("0 f(0x10000000000000000) = 0", DRILL_ERROR_SYNTAX, 1, 5,
	    "a number that does not fit into 64 bits");
	fails("0 f([1) = 0", DRILL_ERROR_SYNTAX, 1, 7, "expected ']' or ',' behind an element, found ')'");
	fails("0 f({a = 1) = 0", DRILL_ERROR_SYNTAX, 1, 11, "expected '}' or ',' behind a field, found ')'");
	fails("0 f({a = 1, 2}) = 0", DRILL_ERROR_SYNTAX, 1, 13, "expected the name of a field, found '2'");
	fails("0 f({a(1 = 1}) = 0", DRILL_ERROR_SYNTAX, 1, 10,
	    "expected ')' behind the number of a field's elements, found '='");
	fails("0 f({a(1 2) = 1}) = 0", DRILL_ERROR_SYNTAX, 1, 10,
	    "expected ')' behind the number of a field's elements, found '2'");
	fails("0 f(a |) = 0", DRILL_ERROR_SYNTAX, 1, 8, "expected a value, found ')'");
	fails("0 f(1.5) = 0", DRILL_ERROR_SYNTAX, 1, 5, "expected a value, found '1.5'");
	strcpy(deep, "0 f(");
	memset(deep + 4, '[', 100);
	deep[104] = '\0';
	fails(deep, DRILL_ERROR_SYNTAX, 1, 69, "expressions are nested deeper than 64");
}

static void
fields(void **state)
{
	struct drill_script *s;
	const struct drill_event *e = one(&s, "0 f({onoff=1, linger=5}) = 0");
	const struct drill_expr *linger = e->call->args[0].value;

	(void)state;
	assert_int_equal(drill_field(linger, "linger")->integer, 5);
	assert_null(drill_field(linger, "linge"));
	assert_null(drill_field(e->call->result, "linger"));
	drill_script_free(s);
}

/* ---- TCP ---------------------------------------------------------------------------------------- */

static const struct drill_packet *
packet(struct drill_script **s, const char *text)
{
	const struct drill_event *e = one(s, text);

	assert_int_equal(e->kind, DRILL_PACKET);
	return e->packet;
}

static void
tcp_flags(void **state)
{
	static const struct {
		const char *text;
		unsigned flags;
	} forms[] = {
		{"S", DRILL_SYN}, {"S.", DRILL_SYN | DRILL_ACK}, {".", DRILL_ACK}, {"-", 0},
		{"FP.", DRILL_FIN | DRILL_PSH | DRILL_ACK}, {"R", DRILL_RST}, {"U.", DRILL_URG | DRILL_ACK},
		{"SEW", DRILL_SYN | DRILL_ECE | DRILL_CWR}, {"SEWA",
		DRILL_SYN | DRILL_ECE | DRILL_CWR | DRILL_AE},
		{"P6.", DRILL_PSH | DRILL_ACK | DRILL_AE | DRILL_CWR}, {".5",
		DRILL_ACK | DRILL_AE | DRILL_ECE},
		{"P.1", DRILL_PSH | DRILL_ACK | DRILL_ECE}, {"0.", DRILL_ACK}
	};
	struct drill_script *s;
	char text[60];

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		snprintf(text, sizeof text, "0 > %s 1:1(0)", forms[i].text);
		assert_int_equal(packet(&s, text)->tcp.flags, forms[i].flags);
		drill_script_free(s);
	}
	fails("0 > SS 1:1(0)", DRILL_ERROR_SYNTAX, 1, 5, "the TCP flags 'SS' say 'S' twice");
	fails("0 > P6E. 1:1(0)", DRILL_ERROR_SYNTAX, 1, 5, "the TCP flags 'P6E.' say 'E' twice");
	fails("0 > S- 1:1(0)", DRILL_ERROR_SYNTAX, 1, 5, "'S-' are no TCP flags");
	fails("0 > hello 1:1(0)", DRILL_ERROR_SYNTAX, 1, 5,
	    "expected TCP flags (F S R P . U E W A, - for none), udp or icmp, found 'hello'");
	fails("0 > Sx 1:1(0)", DRILL_ERROR_SYNTAX, 1, 6,
	    "expected a number as the sequence number, found 'x'");
}

static void
tcp_fields(void **state)
{
	struct drill_script *s;
	const struct drill_packet *p = packet(&s, "0 < UP. 1001:2001(1000) ack 5 win 65535 urg 7 <nop>");

	(void)state;
	assert_int_equal(p->direction, DRILL_IN);
	assert_int_equal(p->protocol, DRILL_TCP);
	assert_int_equal(p->tcp.seq.kind, DRILL_SEQ_RELATIVE);
	assert_int_equal(p->tcp.seq.start, 1001);
	assert_int_equal(p->tcp.seq.length, 1000);
	assert_true(p->tcp.has_ack && p->tcp.has_window && p->tcp.has_urgent);
	assert_int_equal(p->tcp.ack, 5);
	assert_int_equal(p->tcp.window, 65535);
	assert_int_equal(p->tcp.urgent, 7);
	assert_false(p->has_ports);
	drill_script_free(s);
	p = packet(&s, "0 > 8080 > 53 R. 4294967295:0(1)! ack 4294967295");
	assert_int_equal(p->direction, DRILL_OUT);
	assert_true(p->has_ports);
	assert_int_equal(p->source_port, 8080);
	assert_int_equal(p->destination_port, 53);
	assert_int_equal(p->tcp.seq.kind, DRILL_SEQ_ABSOLUTE);
	assert_int_equal(p->tcp.seq.start, UINT32_MAX);
	assert_int_equal(p->tcp.ack, UINT32_MAX);
	assert_false(p->tcp.has_window);
	drill_script_free(s);
	p = packet(&s, "0 > . ...(100)");
	assert_int_equal(p->tcp.seq.kind, DRILL_SEQ_ANY);
	assert_int_equal(p->tcp.seq.length, 100);
	assert_false(p->tcp.has_ack);
	drill_script_free(s);
	fails("0 > . 1:100(100)", DRILL_ERROR_SYNTAX, 1, 7, "sequence numbers 1 to 100 are not 100 octets");
	fails("0 > . 1:1", DRILL_ERROR_SYNTAX, 1, 10,
	    "expected '(' and the number of octets behind sequence numbers, found the end of the script");
	fails("0 > . 1(0)", DRILL_ERROR_SYNTAX, 1, 8,
	    "expected ':' behind the first sequence number, found '('");
	fails("0 > . 1:70001(70000)", DRILL_ERROR_SYNTAX, 1, 15,
	    "the number of octets is 70000, but can be 0 to 65535");
	fails("0 > . 4294967296:1(1)", DRILL_ERROR_SYNTAX, 1, 7,
	    "the sequence number is 4294967296, but can be 0 to 4294967295");
	fails("0 > . -1:0(1)", DRILL_ERROR_SYNTAX, 1, 7,
	    "the sequence number is -1, but can be 0 to 4294967295");
	fails("0 < . ...(0) win 1", DRILL_ERROR_SYNTAX, 1, 7,
	    "... as sequence numbers is for packets out (>) only");
	fails("0 > . 1:1(0) ack -1", DRILL_ERROR_SYNTAX, 1, 18, "ack is -1, but can be 0 to 4294967295");
	fails("0 > . 1:1(0) ack\n", DRILL_ERROR_SYNTAX, 2, 1,
	    "expected a number as ack, found the end of the script");
	fails("0 > . 1:1(0) ack 1 win 65536", DRILL_ERROR_SYNTAX, 1, 24,
	    "win is 65536, but can be 0 to 65535");
	fails("0 > . 1:1(0) urg 65536", DRILL_ERROR_SYNTAX, 1, 18, "urg is 65536, but can be 0 to 65535");
	fails("0 < S 0:0(0)\n1 close(3) = 0", DRILL_ERROR_SYNTAX, 2, 1,
	    "expected win, which a packet in (<) needs, found '1'");
	fails("0 < 70000 > 53 S 0:0(0) win 1", DRILL_ERROR_SYNTAX, 1, 5,
	    "the source port is 70000, but can be 0 to 65535");
	fails("0 < 53 > 70000 S 0:0(0) win 1", DRILL_ERROR_SYNTAX, 1, 10,
	    "the destination port is 70000, but can be 0 to 65535");
	fails("0 > . 1:1(0) ack 1 foo 1", DRILL_ERROR_SYNTAX, 1, 20,
	    "expected an event, which begins with its time, found 'foo'");
}

static const struct drill_tcp_option *
option(struct drill_script **s, const char *options, unsigned count)
{
	const struct drill_packet *p;
	char text[300];

	snprintf(text, sizeof text, "0 > . 1:1(0) ack 1 <%s>", options);
	p = packet(s, text);
	assert_int_equal(p->tcp.option_count, count);
	assert_false(p->tcp.options_any);
	return p->tcp.options;
}

static void
tcp_options(void **state)
{
	const struct drill_tcp_option *o;
	struct drill_script *s;

	(void)state;
	o = option(&s, "mss 1460, nop,wscale 6,sackOK,TS val 100 ecr 0 , eol", 6);
	assert_int_equal(o[0].kind, DRILL_OPT_MSS);
	assert_int_equal(o[0].mss, 1460);
	assert_int_equal(o[1].kind, DRILL_OPT_NOP);
	assert_int_equal(o[2].kind, DRILL_OPT_WSCALE);
	assert_int_equal(o[2].wscale, 6);
	assert_int_equal(o[3].kind, DRILL_OPT_SACKOK);
	assert_int_equal(o[4].kind, DRILL_OPT_TS);
	assert_int_equal(o[4].ts_val, 100);
	assert_false(o[4].ts_val_any || o[4].ts_ecr_any || o[4].ts_ecr_absolute);
	assert_int_equal(o[5].kind, DRILL_OPT_EOL);
	drill_script_free(s);
	o = option(&s, "TS val ... ecr 7!", 1);
	assert_true(o[0].ts_val_any && o[0].ts_ecr_absolute);
	assert_int_equal(o[0].ts_ecr, 7);
	drill_script_free(s);
	o = option(&s, "TS val 4294967295 ecr ...", 1);
	assert_true(o[0].ts_ecr_any);
	drill_script_free(s);
	o = option(&s, "nop,nop,sack 1:2 3:4 5:6 4294967295:8", 3);
	assert_int_equal(o[2].kind, DRILL_OPT_SACK);
	assert_int_equal(o[2].sack_count, 4);
	assert_int_equal(o[2].sack[1].left, 3);
	assert_int_equal(o[2].sack[3].left, UINT32_MAX);
	assert_int_equal(o[2].sack[3].right, 8);
	drill_script_free(s);
	o = option(&s, "FO,FO abcd1234,FO 3021b9d889017eeb,FO 12345678", 4);
	assert_int_equal(o[0].kind, DRILL_OPT_FASTOPEN);
	assert_int_equal(o[0].bytes_len, 0);
	assert_memory_equal(o[1].bytes, "\xab\xcd\x12\x34", 4);
	assert_int_equal(o[2].bytes_len, 8);
	assert_memory_equal(o[3].bytes, "\x12\x34\x56\x78", 4);
	drill_script_free(s);
	o = option(&s, "nop,FO 0102030405060708091011121314151617", 2);
	assert_int_equal(o[1].bytes_len, 17);
	assert_int_equal(o[1].bytes[16], 0x17);
	drill_script_free(s);
	o = option(&s, "FOEXP 0a0b,exp-FO,FO ...", 3);
	assert_int_equal(o[0].kind, DRILL_OPT_FASTOPEN_EXP);
	assert_int_equal(o[0].bytes_len, 2);
	assert_int_equal(o[1].kind, DRILL_OPT_FASTOPEN_EXP);
	assert_true(o[2].any);
	drill_script_free(s);
	o = option(&s, "md5 valid,md5 00112233445566778899aabbccddeeff", 2);
	assert_true(o[0].md5_valid);
	assert_int_equal(o[0].bytes_len, 0);
	assert_int_equal(o[1].bytes_len, 16);
	assert_int_equal(o[1].bytes[15], 0xff);
	drill_script_free(s);
	o = option(&s, "AccECN0 ee0b 1 eceb 2,exp-AccECN1 ee1b 3,exp-tarr,exp-tarr 3", 4);
	assert_int_equal(o[0].bytes_len, 8);
	assert_memory_equal(o[0].bytes, "\xac\x08\x00\x00\x01\x00\x00\x02", 8);
	assert_memory_equal(o[1].bytes, "\xfe\x07\xac\xc1\x00\x00\x03", 7);
	assert_memory_equal(o[2].bytes, "\xfe\x04\x00\xac", 4);
	assert_memory_equal(o[3].bytes, "\xfe\x06\x00\xac\x00\x60", 6);
	drill_script_free(s);
	o = option(&s, "ECN e0b 1 ceb 996 e1b 1,ECN e1b 2", 2);
	assert_memory_equal(o[0].bytes, "\xac\x0b\x00\x00\x01\x00\x03\xe4\x00\x00\x01", 11);
	assert_memory_equal(o[1].bytes, "\xae\x05\x00\x00\x02", 5);
	drill_script_free(s);
	o = option(&s, "raw 253 0a0b,raw 9,raw 2 len 1 05", 3);
	assert_memory_equal(o[0].bytes, "\xfd\x04\x0a\x0b", 4);
	assert_memory_equal(o[1].bytes, "\x09\x02", 2);
	assert_memory_equal(o[2].bytes, "\x02\x01\x05", 3);
	drill_script_free(s);
	option(&s, "", 0);
	drill_script_free(s);
}

static void
any_options(void **state)
{
	struct drill_script *s;

	(void)state;
	assert_true(packet(&s, "0 > . 1:1(0) ack 1 <...>")->tcp.options_any);
	drill_script_free(s);
	assert_false(packet(&s, "0 > . 1:1(0) ack 1")->tcp.options_any);
	drill_script_free(s);
	fails("0 < . 1:1(0) ack 1 win 1 <...>", DRILL_ERROR_SYNTAX, 1, 27,
	    "<...> as TCP options is for packets out (>) only");
}

static void
wrong_options(void **state)
{
	static const struct {
		const char *options;
		unsigned column;	/* behind the < */
		const char *message;
	} wrong[] = {
		{"foo 1", 0, "there is no TCP option 'foo'"},
		{"mss", 3, "expected a number as mss, found '>'"},
		{"mss 65536", 4, "mss is 65536, but can be 0 to 65535"},
		{"wscale 256", 7, "wscale is 256, but can be 0 to 255"},
		{"mss 1 nop", 6, "expected '>' or ',' behind a TCP option, found 'nop'"},
		{"nop,", 4, "expected the name of a TCP option, found '>'"},
		{"TS 1", 3, "expected 'val' in TS, found '1'"},
		{"TS val 1", 8, "expected 'ecr' in TS, found '>'"},
		{"TS val 4294967296 ecr 0", 7, "val is 4294967296, but can be 0 to 4294967295"},
		{"TS val 1 ecr x", 13, "expected a number as ecr, found 'x'"},
		{"sack", 4, "expected a number as the begin of a SACK block, found '>'"},
		{"sack 1", 6, "expected ':' in a SACK block, found '>'"},
		{"sack 1:2 2:3 3:4 4:5 5:6", 21, "more than 4 SACK blocks"},
		{"FO xyz", 3, "'xyz' as the cookie are no hexadecimal digits"},
		{"FO abc", 3, "the cookie has 3 hexadecimal digits: two for each of at most 38 octets"},
		{"md5", 3, "expected the digest as hexadecimal digits, found '>'"},
		{"md5 0011", 4, "the digest has 2 octets instead of 16"},
		{"AccECN0 ee0b 16777216", 13, "a counter of AccECN is 16777216, but can be 0 to 16777215"},
		{"ECN ceb 1", 4, "expected e0b or e1b behind ECN, found 'ceb'"},
		{"exp-tarr 2048", 9, "the rate is 2048, but can be 0 to 2047"},
		{"raw 300", 4, "the kind of an option is 300, but can be 0 to 255"},
		{"mss 1,TS val 1 ecr 1,TS val 1 ecr 1,TS val 1 ecr 1,TS val 1 ecr 1", 51,
		    "the TCP options are 44 octets, more than the 40 there can be"}
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		snprintf(text, sizeof text, "\n0 > . 1:1(0) ack 1 <%s>\n", wrong[i].options);
		fails(text, DRILL_ERROR_SYNTAX, 2, 21 + wrong[i].column, wrong[i].message);
	}
}

/* ---- IP, UDP, ICMP ------------------------------------------------------------------------------ */

static void
ip_fields(void **state)
{
	static const struct {
		const char *text;
		enum drill_tos_kind kind;
		unsigned tos, ttl, flow_label;	/* 0: not told */
	} forms[] = {
		{"[noecn]", DRILL_TOS_ECN, 0, 0, 0}, {"[ect0]", DRILL_TOS_ECN, 2, 0, 0}, {"(ect1)",
		DRILL_TOS_ECN, 1, 0, 0},
		{"[ce]", DRILL_TOS_ECN, 3, 0, 0}, {"[ect01]", DRILL_TOS_ECT01, 0, 0, 0},
		{"[ecn ect0]", DRILL_TOS_ECN, 2, 0, 0}, {"[tos 0xb8]", DRILL_TOS_ALL, 0xb8, 0, 0},
		{"[class 0x3, flowlabel 0x12345]", DRILL_TOS_ALL, 3, 0, 0x12345}, {"[ttl 64]",
		DRILL_TOS_NONE, 0, 64, 0},
		{"[ect0, ttl 1]", DRILL_TOS_ECN, 2, 1, 0}, {"[dscp EF]", DRILL_TOS_DSCP, 0xb8, 0, 0},
		{"[dscp 0x1]", DRILL_TOS_DSCP, 4, 0, 0}, {"[dscp AF11, ecn ce, hlim 9]", DRILL_TOS_ALL,
		0x2b, 9, 0},
		{"[dscp CS1, ecn ect01]", DRILL_TOS_DSCP_ECT01, 0x20, 0, 0}, {"[flowlabel 0x1]",
		DRILL_TOS_NONE, 0, 0, 1}
	};
	struct drill_script *s;
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		const struct drill_ip *ip;

		snprintf(text, sizeof text, "0 >%s . 1:1(0) ack 1", forms[i].text);
		ip = &packet(&s, text)->ip;
		assert_int_equal(ip->tos_kind, forms[i].kind);
		assert_int_equal(ip->tos, forms[i].tos);
		assert_int_equal(ip->has_ttl ? ip->ttl : 0, forms[i].ttl);
		assert_int_equal(ip->has_flow_label ? ip->flow_label : 0, forms[i].flow_label);
		drill_script_free(s);
	}
	fails("0 < [ect01] . 1:1(0) win 1", DRILL_ERROR_SYNTAX, 1, 5, "[ect01] is for packets out (>) only");
	fails("0 > [ect2] . 1:1(0)", DRILL_ERROR_SYNTAX, 1, 6,
	    "expected noecn, ect0, ect1, ect01, ce, ecn, dscp, tos, class, ttl, hlim or flowlabel, "
	    "found 'ect2'");
	fails("0 > [ecn x] . 1:1(0)", DRILL_ERROR_SYNTAX, 1, 10,
	    "expected noecn, ect0, ect1, ect01 or ce, found 'x'");
	fails("0 > [tos 0x100] . 1:1(0)", DRILL_ERROR_SYNTAX, 1, 10, "tos is 0x100, but can be 0 to 255");
	fails("0 > [dscp 64] . 1:1(0)", DRILL_ERROR_SYNTAX, 1, 11, "dscp is 64, but can be 0 to 63");
	fails("0 > [ttl 256] . 1:1(0)", DRILL_ERROR_SYNTAX, 1, 10, "ttl is 256, but can be 0 to 255");
	fails("0 > [flowlabel 0x100000] . 1:1(0)", DRILL_ERROR_SYNTAX, 1, 16,
	    "flowlabel is 0x100000, but can be 0 to 1048575");
	fails("0 > [ect0, ce] . 1:1(0)", DRILL_ERROR_SYNTAX, 1, 12, "the type of service is told twice");
	fails("0 > [ect0) . 1:1(0)", DRILL_ERROR_SYNTAX, 1, 10,
	    "expected ']' or ',' behind a field of IP, found ')'");
}

static void
udp_and_icmp(void **state)
{
	const struct drill_packet *p;
	struct drill_script *s;

	(void)state;
	p = packet(&s, "0 < udp (100)");
	assert_int_equal(p->protocol, DRILL_UDP);
	assert_int_equal(p->udp_length, 100);
	drill_script_free(s);
	p = packet(&s, "0 > udp 80 > 53 (0)");
	assert_int_equal(p->source_port, 80);
	drill_script_free(s);
	p = packet(&s, "0 > 80 > 53 udp (65535)");
	assert_int_equal(p->destination_port, 53);
	drill_script_free(s);
	p = packet(&s, "0 < icmp unreachable frag_needed mtu 1200 [1:1461(1460)]");
	assert_int_equal(p->protocol, DRILL_ICMP);
	assert_string_equal(p->icmp.type, "unreachable");
	assert_string_equal(p->icmp.code, "frag_needed");
	assert_true(p->icmp.has_mtu);
	assert_int_equal(p->icmp.mtu, 1200);
	assert_int_equal(p->icmp.quote, DRILL_QUOTE_TCP);
	assert_int_equal(p->icmp.quote_seq.length, 1460);
	drill_script_free(s);
	p = packet(&s, "0 < [ttl 3] icmp packet_too_big mtu 1280 [udp (10)]");
	assert_null(p->icmp.code);
	assert_int_equal(p->icmp.quote, DRILL_QUOTE_UDP);
	assert_int_equal(p->icmp.quote_length, 10);
	assert_int_equal(p->ip.ttl, 3);
	drill_script_free(s);
	p = packet(&s, "0 < icmp echo_request id 77 [raw (10)]");
	assert_true(p->icmp.has_id);
	assert_int_equal(p->icmp.id, 77);
	assert_int_equal(p->icmp.quote, DRILL_QUOTE_RAW);
	drill_script_free(s);
	p = packet(&s, "0 < [4294967295:4294967295(0)] icmp unreachable port_unreachable");
	assert_int_equal(p->icmp.quote, DRILL_QUOTE_TCP);
	assert_int_equal(p->icmp.quote_seq.start, UINT32_MAX);
	assert_string_equal(p->icmp.code, "port_unreachable");
	drill_script_free(s);
	p = packet(&s, "0 < [ttl 3] [udp (10)] icmp unreachable");
	assert_int_equal(p->icmp.quote, DRILL_QUOTE_UDP);
	drill_script_free(s);
	fails("0 < [1:1(0)] S 0:0(0) win 1", DRILL_ERROR_SYNTAX, 1, 14,
	    "expected icmp behind a quoted packet, found 'S'");
	fails("0 < [1:1(0)] icmp unreachable [1:1(0)]", DRILL_ERROR_SYNTAX, 1, 31,
	    "the quoted packet is told twice");
	fails("0 < udp 100", DRILL_ERROR_SYNTAX, 1, 9, "expected '(' and the number of octets, found '100'");
	fails("0 < udp (70000)", DRILL_ERROR_SYNTAX, 1, 10,
	    "the number of octets is 70000, but can be 0 to 65535");
	fails("0 < icmp [1:1(0)]", DRILL_ERROR_SYNTAX, 1, 10, "expected the name of an ICMP type, found '['");
	fails("0 < icmp unreachable mtu x", DRILL_ERROR_SYNTAX, 1, 26, "expected a number as mtu, found 'x'");
	fails("0 < icmp unreachable id 65536", DRILL_ERROR_SYNTAX, 1, 25,
	    "id is 65536, but can be 0 to 65535");
	fails("0 < icmp unreachable [1:1(0)", DRILL_ERROR_SYNTAX, 1, 29,
	    "expected ']' behind the quoted packet, found the end of the script");
	fails("0 < icmp unreachable [...(0)]", DRILL_ERROR_SYNTAX, 1, 23,
	    "... as sequence numbers of a quoted packet");
	fails("0 < 1 > 2 icmp unreachable", DRILL_ERROR_SYNTAX, 1, 11, "ICMP has no ports");
}

static void
refused(void **state)
{
	(void)state;
	fails("0 > ipv4 1.2.3.4 > 5.6.7.8: gre: S 0:0(0)", DRILL_ERROR_REFUSED, 1, 5,
	    "encapsulation ('ipv4') is not supported");
	fails("0 > mpls (label 0, tc 0, ttl 0): S 0:0(0)", DRILL_ERROR_REFUSED, 1, 5,
	    "encapsulation ('mpls') is not supported");
	fails("0 > sctp: INIT[...]", DRILL_ERROR_REFUSED, 1, 5, "'sctp' is not supported");
	fails("0 < udplite (10, 5)", DRILL_ERROR_REFUSED, 1, 5, "'udplite' is not supported");
	fails("0 > S 0:0(0) <mp_capable a>", DRILL_ERROR_REFUSED, 1, 15,
	    "Multipath TCP ('mp_capable') is not supported");
	fails("0 < S 0:0(0) win 1 <nop>/udp(1 > 9899)", DRILL_ERROR_REFUSED, 1, 25,
	    "encapsulation in UDP is not supported");
	fails("0 < S 0:0(0) win 1 <nop> {mut ip 0-1}", DRILL_ERROR_REFUSED, 1, 26,
	    "mutated packets ({...}) are not supported");
	fails("0 < icmp unreachable [sctp(1)]", DRILL_ERROR_REFUSED, 1, 23, "'sctp' is not supported");
}

/* ---- files -------------------------------------------------------------------------------------- */

static void
files(void **state)
{
	char path[] = "/tmp/drill_parse_XXXXXX";
	struct drill_script *s;
	struct drill_error error;
	const char *line;
	size_t len;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "// one\r\n0 close(3) = 0\r\n", 24), 24);
	close(fd);
	assert_int_equal(drill_load(path, NULL, 0, &s, &error), 0);
	assert_string_equal(s->name, path);
	line = drill_script_line(s, 2, &len);
	assert_int_equal(len, 14);
	assert_memory_equal(line, "0 close(3) = 0", len);
	assert_non_null(drill_script_line(s, 1, &len));
	assert_null(drill_script_line(s, 3, &len));
	drill_script_free(s);
	unlink(path);
	assert_int_equal(drill_load(path, NULL, 0, &s, &error), -1);
	assert_int_equal(error.kind, DRILL_ERROR_FILE);
	assert_string_equal(error.text, "No such file or directory");
	assert_int_equal(drill_load("/tmp", NULL, 0, &s, &error), -1);
	assert_string_equal(error.text, "Is a directory");
}

/* NULs, and every beginning of a script, are read or refused. */
static void
cut_scripts(void **state)
{
	static const char whole[] =
	    "--mtu=9\n#ifdef FreeBSD\n`a`\n#endif\n+0.1~+0.2 > [dscp EF, ecn ce] P.6 1:2(1) ack 1 "
	    "win 5 <mss 1,sack 1:2,TS val ... ecr 1!,FO ab>\n"
	    "0...1 f({a(1)=[\"x\\n\"...]}) = -1 E (n)\n0 %{ a }%\n"
	    "* < icmp a b mtu 1 id 2 [udp (1)]\n\0 1 f() = 0\n";
	struct drill_script *s;
	struct drill_error error;

	(void)state;
	for (size_t n = 0; n < sizeof whole; n++) {
		char *copy = malloc(n != 0 ? n : 1);

		assert_non_null(copy);
		memcpy(copy, whole, n);
		if (drill_parse("cut", copy, n, NULL, 0, &s, &error) == 0)
			drill_script_free(s);
		else
			assert_true(error.kind != DRILL_ERROR_NONE && error.text[0] != '\0');
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times), cmocka_unit_test(options), cmocka_unit_test(defines),
		cmocka_unit_test(commands_and_code), cmocka_unit_test(systems), cmocka_unit_test(calls),
		cmocka_unit_test(expressions), cmocka_unit_test(fields), cmocka_unit_test(tcp_flags),
		cmocka_unit_test(tcp_fields), cmocka_unit_test(tcp_options), cmocka_unit_test(any_options),
		cmocka_unit_test(wrong_options), cmocka_unit_test(ip_fields), cmocka_unit_test(udp_and_icmp),
		cmocka_unit_test(refused), cmocka_unit_test(files), cmocka_unit_test(cut_scripts)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
