/*
 * A packetdrill script as the parser leaves it: options, then events in the order of the file.
 *
 * Both public dialects of the language become the same tree: Google's and the FreeBSD community's. What a
 * dialect has and a machine of ours does not (encapsulation, MPTCP, SCTP) is refused by the parser, by name
 * and place. Numbers are checked for the width of their field; names of constants and the meaning of calls
 * are left to whoever runs the script (names.h, eval.h).
 *
 * Everything belongs to the script and goes with drill_script_free(). The tree is not changed after
 * parsing: several threads may read one script.
 */
#ifndef NKE_DRILL_SCRIPT_H
#define NKE_DRILL_SCRIPT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A place in a script, from 1. line 0: none. */
struct drill_place {
	unsigned line;
	unsigned column;
};

enum drill_error_kind {
	DRILL_ERROR_NONE,
	DRILL_ERROR_FILE,		/* unreadable, no memory */
	DRILL_ERROR_SYNTAX,		/* not the language */
	DRILL_ERROR_REFUSED		/* the language, but nothing that a machine can do */
};

struct drill_error {
	enum drill_error_kind kind;
	struct drill_place place;
	char text[400];
	char line[200];			/* that line of the script, if it could not be parsed; "" */
};

/* Fills in and returns -1. Only the first error is kept. */
int drill_error_set(struct drill_error *, enum drill_error_kind, struct drill_place, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- times -------------------------------------------------------------------------------------- */

/* All times in whole microseconds. */
enum drill_time_kind {
	DRILL_TIME_NONE,		/* nothing before the event: at once (commands) */
	DRILL_TIME_ABSOLUTE,		/* 0.100: since the script began */
	DRILL_TIME_RELATIVE,		/* +0.100: since the event before it happened */
	DRILL_TIME_ANY,			/* *: whenever it comes (packets out) */
	DRILL_TIME_RELATIVE_ANY,	/* +*: the same; kept for messages */
	DRILL_TIME_ABSOLUTE_RANGE,	/* 0.100~0.200 (packets out) */
	DRILL_TIME_RELATIVE_RANGE	/* +0.100~+0.200 (packets out) */
};

struct drill_time {
	enum drill_time_kind kind;
	int64_t us;
	int64_t end_us;			/* of ranges, counted from where `us` is counted */
};

/* ---- expressions -------------------------------------------------------------------------------- */

enum drill_expr_kind {
	DRILL_ELLIPSIS,			/* ... */
	DRILL_INTEGER,			/* 5, -1, 0x10; 010 is ten, as in packetdrill */
	DRILL_NAME,			/* AF_INET */
	DRILL_STRING,			/* "abc"; escapes are undone; "a" "b" is "ab" */
	DRILL_STRING_PART,		/* "abc"...: begins so */
	DRILL_OR,			/* items joined by | */
	DRILL_ARRAY,			/* [a, b] */
	DRILL_LIST,			/* {a, b}: braces around plain values */
	DRILL_STRUCT,			/* {name = a, name = b} */
	DRILL_CALL,			/* htons(80), inet_addr("1.2.3.4"), sizeof(int) */
	DRILL_NULL			/* NULL */
};

struct drill_expr;

/* An item of an array, a list, a call, |; of a struct with its name (an array's may have one). */
struct drill_field {
	const char *name;		/* NULL: not of a struct */
	struct drill_place place;
	/* Of `msg_iov(1) = ...`: what stands in the parentheses; else NULL. */
	const struct drill_expr *count;
	const struct drill_expr *value;
};

struct drill_expr {
	enum drill_expr_kind kind;
	struct drill_place place;
	int64_t integer;		/* DRILL_INTEGER */
	bool hex;			/* it was written so, and is to be told so */
	const char *text;		/* DRILL_NAME, DRILL_CALL: the name; DRILL_STRING: its bytes */
	size_t text_len;		/* of strings, which may have NULs inside; a NUL follows */
	const struct drill_field *items;	/* DRILL_OR, ARRAY, LIST, STRUCT, CALL (arguments) */
	size_t item_count;
};

/* The value of a struct's field; NULL: it has none of that name. */
const struct drill_expr *drill_field(const struct drill_expr *, const char *name);
/* As it was written, more or less, for messages. What does not fit is cut. Returns buffer. */
const char *drill_expr_text(const struct drill_expr *, char *buffer, size_t size);

/* ---- packets ------------------------------------------------------------------------------------ */

enum drill_direction { DRILL_IN, DRILL_OUT };	/* <, > */
enum drill_protocol { DRILL_TCP, DRILL_UDP, DRILL_ICMP };

/* What of the TOS or traffic class octet is told, and so compared in packets out. */
enum drill_tos_kind {
	DRILL_TOS_NONE,			/* nothing */
	DRILL_TOS_ECN,			/* the two low bits */
	DRILL_TOS_ECT01,		/* ect0 or ect1; packets out only */
	DRILL_TOS_DSCP,			/* the six high bits */
	DRILL_TOS_DSCP_ECT01,		/* those, and ect0 or ect1 */
	DRILL_TOS_ALL			/* all eight */
};

struct drill_ip {
	enum drill_tos_kind tos_kind;
	uint8_t tos;
	bool has_ttl;
	uint8_t ttl;			/* or hop limit */
	bool has_flow_label;
	uint32_t flow_label;
};

enum {
	DRILL_FIN = 0x001, DRILL_SYN = 0x002, DRILL_RST = 0x004, DRILL_PSH = 0x008, DRILL_ACK = 0x010,
	DRILL_URG = 0x020, DRILL_ECE = 0x040, DRILL_CWR = 0x080, DRILL_AE = 0x100
};

enum drill_seq_kind {
	DRILL_SEQ_RELATIVE,		/* 1:1001(1000): the sender's SYN is 0 */
	DRILL_SEQ_ABSOLUTE,		/* 1:1001(1000)!: as it is on the wire */
	DRILL_SEQ_ANY			/* ...(1000): packets out only */
};

struct drill_seq {
	enum drill_seq_kind kind;
	uint32_t start;
	uint32_t length;		/* octets of data: SYN and FIN are not counted */
};

enum drill_tcp_option_kind {
	DRILL_OPT_EOL,
	DRILL_OPT_NOP,
	DRILL_OPT_MSS,
	DRILL_OPT_WSCALE,
	DRILL_OPT_SACKOK,
	DRILL_OPT_SACK,
	DRILL_OPT_TS,
	DRILL_OPT_FASTOPEN,		/* FO: kind 34 */
	DRILL_OPT_FASTOPEN_EXP,		/* FOEXP, exp-FO: kind 254 with 0xf989 */
	DRILL_OPT_MD5,
	DRILL_OPT_RAW			/* any other: AccECN, TARR, and those given by their octets */
};

#define DRILL_TCP_OPTION_BYTES	40	/* all of a segment's */

struct drill_tcp_option {
	enum drill_tcp_option_kind kind;
	struct drill_place place;
	uint16_t mss;
	uint8_t wscale;
	/*
	 * TS. val_any: `val ...`. ecr_absolute: `ecr 5!`, not moved by what the machine adds to its own
	 * clock.
	 */
	uint32_t ts_val, ts_ecr;
	bool ts_val_any, ts_ecr_any, ts_ecr_absolute;
	/* SACK: up to 4 blocks, relative as seq. */
	unsigned sack_count;
	struct {
		uint32_t left, right;
	} sack[4];
	/*
	 * FASTOPEN, FASTOPEN_EXP: the cookie. any: `FO ...`.
	 * MD5: the 16 octets of the digest; or `md5 valid`, `md5 invalid`: bytes_len 0.
	 * RAW: the whole option with its kind and length octets.
	 */
	uint8_t bytes[DRILL_TCP_OPTION_BYTES];
	unsigned bytes_len;
	bool any;
	bool md5_valid;
};

struct drill_tcp {
	bool flags_any_ace;		/* reserved for dialects: AE, CWR, ECE are not compared */
	uint16_t flags;			/* DRILL_FIN ... */
	struct drill_seq seq;
	bool has_ack;			/* `ack N` is there; DRILL_ACK in flags may be without */
	uint32_t ack;
	bool has_window;
	uint16_t window;		/* as on the wire */
	bool has_urgent;
	uint16_t urgent;
	/* <...>, packets out only: whatever options it has. Else exactly these, in this order. */
	bool options_any;
	const struct drill_tcp_option *options;
	unsigned option_count;
};

/* The packet that an ICMP error is about. */
enum drill_quote { DRILL_QUOTE_NONE, DRILL_QUOTE_TCP, DRILL_QUOTE_UDP, DRILL_QUOTE_RAW };

struct drill_icmp {
	/* By names, which mean other numbers in IPv4 and IPv6: see names.h. */
	const char *type;
	const char *code;		/* NULL: the type's only one, 0 */
	bool has_mtu;
	uint32_t mtu;
	bool has_id;
	uint16_t id;			/* of echo */
	/* TCP: [1:1001(1000)]. UDP: [udp (10)]. RAW: [raw (10)]. NONE: the last packet or nothing. */
	enum drill_quote quote;
	struct drill_seq quote_seq;	/* TCP */
	uint32_t quote_length;		/* UDP, RAW: octets */
};

struct drill_packet {
	enum drill_direction direction;
	struct drill_ip ip;
	bool has_ports;			/* `8080 > 53`: not those of the connection */
	uint16_t source_port, destination_port;
	enum drill_protocol protocol;
	struct drill_tcp tcp;
	uint32_t udp_length;		/* octets of data */
	struct drill_icmp icmp;
};

/* ---- events ------------------------------------------------------------------------------------- */

struct drill_call {
	const char *name;
	const struct drill_field *args;	/* their `value`s */
	size_t arg_count;
	/*
	 * `0.1...0.3 read(...)`: blocks, and returns at the second time, counted from where the event's own
	 * is counted.
	 */
	bool blocks;
	int64_t end_us;
	const struct drill_expr *result;
	const char *error;		/* EAGAIN; NULL: none told */
	const char *note;		/* what stands in parentheses behind; NULL */
};

enum drill_event_kind {
	DRILL_PACKET,
	DRILL_SYSCALL,
	DRILL_COMMAND,			/* `sysctl ...` */
	DRILL_CODE			/* %{ ... }% */
};

struct drill_event {
	enum drill_event_kind kind;
	struct drill_place place;	/* where its time begins, or it itself when there is none */
	struct drill_time time;
	const struct drill_packet *packet;
	const struct drill_call *call;
	const char *text;		/* DRILL_COMMAND, DRILL_CODE: without the delimiters */
	struct drill_place text_place;	/* where that begins */
};

struct drill_option {
	struct drill_place place;
	const char *name;		/* without -- */
	const char *value;		/* NULL: without = */
};

struct drill_script {
	const char *name;		/* of the file */
	const char *text;		/* all of it, NUL-terminated, for messages */
	size_t text_len;
	const struct drill_option *options;
	size_t option_count;
	const struct drill_event *events;
	size_t event_count;
	struct drill_arena *arena;
};

/* -D NAME=VALUE: a word of the script that is NAME is read as VALUE, which may be "..." or `...`. */
struct drill_define {
	const char *name;
	const char *value;
};

/*
 * Reads a script. `name` is for messages. Returns 0, or -1 with `error` filled in (and *script NULL).
 * `defines` may be NULL; those of the script's own --define lines come after them.
 */
int drill_parse(const char *name, const char *text, size_t len, const struct drill_define *defines,
    size_t define_count, struct drill_script **script, struct drill_error *error);
/* The same from a file. */
int drill_load(const char *path, const struct drill_define *defines, size_t define_count,
    struct drill_script **script, struct drill_error *error);
void drill_script_free(struct drill_script *);

/*
 * The script's line `line` without its newline, for messages: its begin and length. NULL: there is no such
 * line.
 */
const char *drill_script_line(const struct drill_script *, unsigned line, size_t *len);

#endif
