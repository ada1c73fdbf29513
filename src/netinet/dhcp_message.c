/*
 * DHCP messages (RFC 2131 section 2, RFC 2132): written for a server, read from one. Called by dhcp_client.c.
 *
 * Every length that a server says is held against what there is. Options may go on in the fields for names
 * (RFC 2132 9.3). Left out: options in several pieces (RFC 3396), classless routes (RFC 3442),
 * authentication (RFC 3118), parameters that a kernel has no use for.
 */
#include <string.h>

#include "src/netinet/dhcp.h"

enum {
	OPT_PAD = 0, OPT_MASK = 1, OPT_ROUTER = 3, OPT_DNS = 6, OPT_HOSTNAME = 12, OPT_DOMAIN = 15,
	OPT_REQUESTED = 50, OPT_LEASE = 51, OPT_OVERLOAD = 52, OPT_TYPE = 53, OPT_SERVER = 54,
	OPT_PARAMETERS = 55, OPT_MAX_SIZE = 57, OPT_T1 = 58, OPT_T2 = 59, OPT_CLIENT = 61, OPT_END = 255
};

#define OVERLOAD_FILE	1u
#define OVERLOAD_SNAME	2u

/* ---- writing ------------------------------------------------------------------------------ */

static uint8_t *
put(uint8_t *p, uint8_t option, const void *value, size_t len)
{
	*p++ = option;
	*p++ = (uint8_t)len;
	memcpy(p, value, len);
	return p + len;
}

static uint8_t *
put_address(uint8_t *p, uint8_t option, struct in_addr in)
{
	return in.s_addr != 0 ? put(p, option, &in, sizeof in) : p;
}

size_t
dhcp_build(uint8_t *message, const struct dhcp_ask *ask)
{
	static const uint8_t wanted[] = {OPT_MASK, OPT_ROUTER, OPT_DNS, OPT_DOMAIN, OPT_LEASE,
	    OPT_T1, OPT_T2};
	const uint8_t type = (uint8_t)ask->type;
	struct bootp b = {.bp_op = BOOTREQUEST, .bp_htype = 1, .bp_hlen = 6, .bp_xid = htonl(ask->xid),
	    .bp_secs = htons(ask->secs), .bp_unused = htons(ask->broadcast ? 0x8000 : 0),
	    .bp_ciaddr = ask->ciaddr};
	uint32_t cookie = htonl(DHCP_COOKIE);
	uint16_t size = htons(DHCP_MAX);
	uint8_t client[7] = {1}, *p = message;

	memset(message, 0, DHCP_MIN);
	memcpy(b.bp_chaddr, ask->lladdr, 6);
	memcpy(p, &b, DHCP_FIXED);
	p += DHCP_FIXED;
	memcpy(p, &cookie, sizeof cookie);
	p = put(p + sizeof cookie, OPT_TYPE, &type, 1);
	memcpy(client + 1, ask->lladdr, 6);
	p = put(p, OPT_CLIENT, client, sizeof client);
	p = put_address(p, OPT_REQUESTED, ask->requested);
	p = put_address(p, OPT_SERVER, ask->server);
	if (ask->type == DHCPDISCOVER || ask->type == DHCPREQUEST) {
		p = put(p, OPT_MAX_SIZE, &size, sizeof size);
		p = put(p, OPT_PARAMETERS, wanted, sizeof wanted);
		if (ask->hostname != NULL && ask->hostname[0] != '\0')
			p = put(p, OPT_HOSTNAME, ask->hostname, strnlen(ask->hostname, 63));
	}
	*p++ = OPT_END;
	return (size_t)(p - message) > DHCP_MIN ? (size_t)(p - message) : DHCP_MIN;
}

/* ---- reading ------------------------------------------------------------------------------ */

static uint32_t
number(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
take_address(const uint8_t *p, size_t len, struct in_addr *in)
{
	if (len >= sizeof *in)
		memcpy(in, p, sizeof *in);
}

static void
take_option(struct dhcp_said *s, uint8_t option, const uint8_t *p, size_t len, unsigned *overload)
{
	switch (option) {
	case OPT_MASK:
		take_address(p, len, &s->mask);
		break;
	case OPT_ROUTER:
		take_address(p, len, &s->router);
		break;
	case OPT_DNS:
		for (s->dns_count = 0; len >= 4 &&
		    s->dns_count < sizeof s->dns / sizeof s->dns[0]; len -= 4, p += 4)
			memcpy(&s->dns[s->dns_count++], p, 4);
		break;
	case OPT_DOMAIN:
		len = len < sizeof s->domain - 1 ? len : sizeof s->domain - 1;
		memcpy(s->domain, p, len);
		s->domain[len] = '\0';
		break;
	case OPT_SERVER:
		take_address(p, len, &s->server);
		break;
	case OPT_TYPE:
		s->type = len == 1 && p[0] <= DHCPRELEASE ? (enum dhcp_type)p[0] : DHCP_NONE;
		break;
	case OPT_OVERLOAD:
		*overload |= len == 1 ? p[0] : 0;
		break;
	case OPT_LEASE:
		s->lease = len == 4 ? number(p) : s->lease;
		break;
	case OPT_T1:
		s->t1 = len == 4 ? number(p) : s->t1;
		break;
	case OPT_T2:
		s->t2 = len == 4 ? number(p) : s->t2;
		break;
	default:
		break;
	}
}

static void
take_options(struct dhcp_said *s, const uint8_t *p, size_t len, unsigned *overload)
{
	const uint8_t *end = p + len;

	while (p < end && *p != OPT_END) {
		if (*p == OPT_PAD) {
			p++;
			continue;
		}
		if (end - p < 2 || end - p - 2 < p[1])
			return;
		take_option(s, p[0], p + 2, p[1], overload);
		p += 2 + p[1];
	}
}

bool
dhcp_parse(const uint8_t *message, size_t len, uint32_t xid, const uint8_t lladdr[6], struct dhcp_said *s)
{
	const struct bootp *b = (const struct bootp *)(const void *)message;
	unsigned overload = 0, ignored = 0;

	memset(s, 0, sizeof *s);
	if (len < DHCP_FIXED + 4 || b->bp_op != BOOTREPLY || b->bp_xid != htonl(xid) ||
	    memcmp(b->bp_chaddr, lladdr, 6) != 0 || number(message + DHCP_FIXED) != DHCP_COOKIE)
		return false;
	s->address = b->bp_yiaddr;
	take_options(s, message + DHCP_FIXED + 4, len - DHCP_FIXED - 4, &overload);
	if (overload & OVERLOAD_FILE)
		take_options(s, b->bp_file, sizeof b->bp_file, &ignored);
	if (overload & OVERLOAD_SNAME)
		take_options(s, b->bp_sname, sizeof b->bp_sname, &ignored);
	return s->type != DHCP_NONE;
}
