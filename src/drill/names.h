/*
 * Names that scripts use: constants of both systems, errno values, types and codes of ICMP.
 *
 * A constant has the host's value where the host has that name, for nke_socket() and its like; and
 * Darwin's, for nke_darwin_setsockopt(), where the host has none.
 */
#ifndef NKE_DRILL_NAMES_H
#define NKE_DRILL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drill_constant {
	const char *name;
	bool has_host, has_darwin;
	int64_t host;			/* for include/nke/socket.h */
	int64_t darwin;			/* for nke_darwin_setsockopt and the like */
};

/* NULL: no such name on any system. Of those that only FreeBSD has the value is FreeBSD's in `darwin`. */
const struct drill_constant *drill_constant(const char *name);

/* The host's errno value of a name of any system; -1: no such name. */
int drill_errno(const char *name);
/* "EAGAIN"; "errno 999" for what has no name (in static memory of the thread). */
const char *drill_errno_name(int error);

/* Type and code of ICMP (`v6`: ICMPv6) by packetdrill's names. False: no such name; `code` NULL: 0. */
bool drill_icmp_type(const char *type, bool v6, uint8_t *value);
bool drill_icmp_code(uint8_t type, const char *code, bool v6, uint8_t *value);
/* Their names, for messages; NULL. */
const char *drill_icmp_type_name(uint8_t type, bool v6);
const char *drill_icmp_code_name(uint8_t type, uint8_t code, bool v6);

#endif
