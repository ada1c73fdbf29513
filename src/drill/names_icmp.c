/* Types and codes of ICMP (RFC 792, 1122, 1812) and ICMPv6 (RFC 4443), by packetdrill's names. */
#include <stdlib.h>
#include <string.h>

#include "src/drill/names.h"

struct icmp_name {
	const char *name;
	uint8_t type, code;
};

/* A type's first name is the one that messages use. */
static const struct icmp_name types4[] = {
	{"echo_reply", 0, 0}, {"unreachable", 3, 0}, {"dest_unreachable", 3, 0}, {"source_quench", 4, 0},
	{"redirect", 5, 0}, {"echo_request", 8, 0}, {"echo", 8, 0}, {"time_exceeded", 11, 0},
	{"parameter_problem", 12, 0}, {"timestamp", 13, 0}, {"timestamp_request", 13, 0},
	{"timestamp_reply", 14, 0}, {"info_request", 15, 0}, {"information_request", 15, 0},
	{"info_reply", 16, 0}, {"information_reply", 16, 0}, {"address", 17, 0},
	{"address_mask_request", 17, 0}, {"address_reply", 18, 0}, {"address_mask_reply", 18, 0}
};
static const struct icmp_name codes4[] = {
	{"net_unreachable", 3, 0}, {"host_unreachable", 3, 1}, {"protocol_unreachable", 3, 2},
	{"port_unreachable", 3, 3}, {"frag_needed", 3, 4}, {"source_route_failed", 3, 5}, {"net_unknown",
	3, 6},
	{"host_unknown", 3, 7}, {"source_host_isolated", 3, 8}, {"net_prohibited", 3, 9},
	{"host_prohibited", 3, 10}, {"net_unreachable_for_service", 3, 11},
	{"net_unreachable_for_tos", 3, 11}, {"host_unreachable_for_tos", 3, 12},
	{"host_unreachable_for_service", 3, 12}, {"communication_prohibited", 3, 13}, {"packet_filtered",
	3, 13},
	{"host_precedence_violation", 3, 14}, {"precedence_violation", 3, 14}, {"precedence_cutoff", 3, 15},
	{"net_redirect", 5, 0}, {"host_redirect", 5, 1}, {"ttl_exceeded", 11, 0}, {"exceeded_in_transit",
	11, 0},
	{"fragment_reassembly_time_exceeded", 11, 1}, {"exceeded_reassembly", 11, 1},
	{"ttl_exceeded_in_transit", 11, 0}, {"frag_reass_exceeded", 11, 1}, {"pointer", 12, 0},
	{"missing_option", 12, 1}, {"bad_length", 12, 2}
};
static const struct icmp_name types6[] = {
	{"unreachable", 1, 0}, {"dest_unreachable", 1, 0}, {"packet_too_big", 2, 0}, {"time_exceeded", 3, 0},
	{"parameter_problem", 4, 0}, {"echo_request", 128, 0}, {"echo", 128, 0}, {"echo_reply", 129, 0},
	{"router_solicitation", 133, 0}, {"router_advertisement", 134, 0}, {"neighbor_solicitation", 135, 0},
	{"neighbor_advertisement", 136, 0}, {"redirect", 137, 0}
};
static const struct icmp_name codes6[] = {
	{"no_route", 1, 0}, {"net_unreachable", 1, 0}, {"admin_prohibited", 1, 1}, {"not_neighbour", 1, 2},
	{"beyond_scope", 1, 2}, {"address_unreachable", 1, 3}, {"host_unreachable", 1, 3},
	{"port_unreachable", 1, 4}, {"failed_policy", 1, 5}, {"source_address_failed", 1, 5},
	{"reject_route", 1, 6}, {"hop_limit_exceeded", 3, 0}, {"exceeded_hop_limit", 3, 0},
	{"ttl_exceeded", 3, 0}, {"fragment_reassembly_time_exceeded", 3, 1}, {"exceeded_frag_time", 3, 1},
	{"header_field", 4, 0}, {"next_header", 4, 1}, {"unrecognized_next_header", 4, 1},
	{"unknown_next_header", 4, 1}, {"unrecognized_option", 4, 2}, {"unknown_option", 4, 2}
};

#define COUNT(array)	(sizeof (array) / sizeof (array)[0])

/* A number up to 255 in decimal. */
static bool
is_number(const char *text, uint8_t *value)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || v > 255)
		return false;
	*value = (uint8_t)v;
	return true;
}

bool
drill_icmp_type(const char *type, bool v6, uint8_t *value)
{
	const struct icmp_name *names = v6 ? types6 : types4;
	size_t count = v6 ? COUNT(types6) : COUNT(types4);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i].name, type) == 0) {
			*value = names[i].type;
			return true;
		}
	}
	return is_number(strncmp(type, "type_", 5) == 0 ? type + 5 : type, value);
}

bool
drill_icmp_code(uint8_t type, const char *code, bool v6, uint8_t *value)
{
	const struct icmp_name *names = v6 ? codes6 : codes4;
	size_t count = v6 ? COUNT(codes6) : COUNT(codes4);

	if (code == NULL) {
		*value = 0;
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		if (names[i].type == type && strcmp(names[i].name, code) == 0) {
			*value = names[i].code;
			return true;
		}
	}
	return is_number(strncmp(code, "code_", 5) == 0 ? code + 5 : code, value);
}

const char *
drill_icmp_type_name(uint8_t type, bool v6)
{
	const struct icmp_name *names = v6 ? types6 : types4;
	size_t count = v6 ? COUNT(types6) : COUNT(types4);

	for (size_t i = 0; i < count; i++)
		if (names[i].type == type)
			return names[i].name;
	return NULL;
}

const char *
drill_icmp_code_name(uint8_t type, uint8_t code, bool v6)
{
	const struct icmp_name *names = v6 ? codes6 : codes4;
	size_t count = v6 ? COUNT(codes6) : COUNT(codes4);

	for (size_t i = 0; i < count; i++)
		if (names[i].type == type && names[i].code == code)
			return names[i].name;
	return NULL;
}
