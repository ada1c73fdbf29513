/* The core's half of fuzz_ip: an interface, filters that misbehave as far as they may, and packets. */
#include <string.h>
#include <net/if_types.h>
#include <netinet/kpi_ipfilter.h>

#include "dlil/dlil.h"
#include "src/net/ifaddr.h"
#include "src/netinet/ip_private.h"
#include "tests/fuzz/fuzz_ip.h"

#define FILTERS	16u

/* One process, one machine at a time. */
static struct ifnet *ifp;
static struct {
	ipfilter_t ref;
	uint8_t what;
} filters[FILTERS];
static unsigned filter_count;

static const uint8_t here4[4] = {10, 0, 0, 1};
static const uint8_t here6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};

static errno_t
drop(ifnet_t i, mbuf_t m)
{
	(void)i;
	mbuf_freem(m);
	return 0;
}

static void
swallow(struct nke *machine, struct mbuf *m, int offset, uint8_t protocol)
{
	(void)machine;
	(void)protocol;
	/* What is promised to transports. */
	if (offset > m->m_pkthdr.len || m_length(m) != (size_t)m->m_pkthdr.len || m->m_len < 20)
		__builtin_trap();
	m_freem(m);
}

/* Changes the packet as the bits of `what` say. */
static errno_t
filter(uint8_t what, mbuf_t *data)
{
	mbuf_t tail = NULL;
	size_t len = mbuf_pkthdr_len(*data);

	if ((what & 0x01) && len > what && mbuf_split(*data, what % len, MBUF_DONTWAIT, &tail) == 0) {
		mbuf_t last = *data;

		while (mbuf_next(last) != NULL)
			last = mbuf_next(last);
		mbuf_setflags_mask(tail, 0, MBUF_PKTHDR);
		mbuf_setnext(last, tail);
		mbuf_pkthdr_setlen(*data, len);
	}
	if (what & 0x02)
		mbuf_adj(*data, -(int)(what >> 2));
	if (what & 0x04)
		(void)mbuf_copyback(*data, what >> 3, 4, "\x11\x22\x33\x44", MBUF_DONTWAIT);
	if (what & 0x08)
		(void)mbuf_copyback(*data, len, 9, "appended.", MBUF_DONTWAIT);
	if (what & 0x10) {
		mbuf_t copy;

		if (mbuf_dup(*data, MBUF_DONTWAIT, &copy) == 0) {
			mbuf_freem(*data);
			*data = copy;
		}
	}
	return what & 0x80 ? EACCES : 0;
}

static errno_t
filter_input(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	unsigned i = (unsigned)(uintptr_t)cookie;

	(void)offset;
	(void)protocol;
	if (filters[i].what == 0x40) {
		if (ipf_inject_input(*data, filters[i].ref) != 0)
			mbuf_freem(*data);
		return EJUSTRETURN;
	}
	return filter(filters[i].what, data);
}

static errno_t
filter_output(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	unsigned i = (unsigned)(uintptr_t)cookie;

	if (filters[i].what == 0x40) {
		(void)ipf_inject_output(*data, filters[i].ref, options);
		return EJUSTRETURN;
	}
	if (filters[i].what == 0x41)
		(void)ipf_remove(filters[i].ref);
	return filter(filters[i].what, data);
}

static void
add_filter(uint8_t what, bool v6)
{
	struct ipf_filter f = {.cookie = (void *)(uintptr_t)filter_count, .name = "fuzz",
	    .ipf_input = filter_input, .ipf_output = filter_output};

	if (filter_count == FILTERS)
		return;
	filters[filter_count].what = what;
	if ((v6 ? ipf_addv6(&f, &filters[filter_count].ref) : ipf_addv4(&f, &filters[filter_count].ref)) == 0)
		filter_count++;
}

void
fuzz_ip_start(void *arg)
{
	static const struct ip_transport transport = {.input = swallow};
	struct ifnet_init_params p = {.name = "fuzz", .output = drop};
	struct sockaddr_in a = {.sin_len = sizeof a, .sin_family = AF_INET};
	struct sockaddr_in6 b = {.sin6_len = sizeof b, .sin6_family = AF_INET6};
	struct nke *m = curmachine();

	(void)arg;
	filter_count = 0;
	raw_media(&p);
	memcpy(&a.sin_addr, here4, 4);
	memcpy(&b.sin6_addr, here6, 16);
	if (dlil_allocate(m, &p, NULL, &ifp) != 0 || dlil_attach(ifp, NULL) != 0 ||
	    ifaddr_add(ifp, (struct sockaddr *)&a, NULL, NULL) != 0 ||
	    ifaddr_add(ifp, (struct sockaddr *)&b, NULL, NULL) != 0 ||
	    route_set_default(m, AF_INET, ifp, NULL) != 0 ||
	    route_set_default(m, AF_INET6, ifp, NULL) != 0)
		__builtin_trap();
	ifp->mtu = 1500;
	for (unsigned n = 0; n < 256; n += 1 + n % 3) {
		ip_set_transport(m, AF_INET, (uint8_t)n, &transport);
		ip_set_transport(m, AF_INET6, (uint8_t)n, &transport);
	}
}

void
fuzz_ip_stop(void *arg)
{
	(void)arg;
	curmachine()->config.fail_alloc = 0;
	for (unsigned i = 0; i < filter_count; i++)
		(void)ipf_remove(filters[i].ref);
}

static void
fit4(struct mbuf *m, bool out)
{
	struct ip *ip = mtod(m, struct ip *);

	ip->ip_v = 4;
	if (ip->ip_hl < 5 || ip->ip_hl << 2 > m->m_len)
		ip->ip_hl = 5;
	ip->ip_len = htons(m->m_pkthdr.len);
	if (!out)
		memcpy(&ip->ip_dst, here4, 4);
	ip->ip_sum = 0;
	ip->ip_sum = in_cksum_part(m, 0, (size_t)ip->ip_hl << 2);
}

static void
fit6(struct mbuf *m, bool out)
{
	struct ip6_hdr *ip6 = mtod(m, struct ip6_hdr *);

	m->m_data[0] = (char)(0x60 | (m->m_data[0] & 0xf));
	ip6->ip6_plen = htons(m->m_pkthdr.len - (int)sizeof *ip6);
	if (!out)
		memcpy(m->m_data + offsetof(struct ip6_hdr, ip6_dst), here6, 16);
}

/* The record's bytes as a packet, in mbufs of `size` bytes (0: one). NULL: no memory. */
static struct mbuf *
in_pieces(struct mbuf *m, uint8_t size)
{
	struct mbuf *last = m;

	for (int n = 0; size != 0 && last->m_len > size && n < 40; n++) {
		struct mbuf *tail = m_split(last, size, MBUF_DONTWAIT);

		if (tail == NULL)
			break;
		tail->m_flags &= (uint16_t)~M_PKTHDR;
		last->m_next = tail;
		last = tail;
	}
	m->m_pkthdr.len = (int32_t)m_length(m);
	return m;
}

static void
enter(struct nke *machine, struct mbuf *m, uint8_t flags)
{
	bool v6 = flags & FUZZ_IP_V6;

	if (flags & FUZZ_IP_INJECT) {
		if (flags & FUZZ_IP_OUT)
			(void)ipf_inject_output(m, NULL, NULL);
		else if (ipf_inject_input(m, NULL) != 0)
			m_freem(m);
	} else if (flags & FUZZ_IP_OUT) {
		(void)(v6 ? ip6_output : ip_output)(machine, m, 0, NULL);
	} else {
		(v6 ? ip6_input : ip_input)(machine, m);
	}
}

/* Only what ip_check_header would let pass may be cut. */
static void
cut(struct nke *machine, struct mbuf *m, const struct fuzz_ip_record *r)
{
	struct mbuf *list, *next;
	bool v6 = r->flags & FUZZ_IP_V6;

	if ((v6 ? ip6_fragment : ip_fragment)(machine, m, r->arg * 8u, &list) != 0)
		return;
	for (; list != NULL; list = next) {
		next = list->m_nextpkt;
		list->m_nextpkt = NULL;
		list->m_pkthdr.rcvif = ifp;
		enter(machine, list, r->flags & FUZZ_IP_V6);
	}
}

void
fuzz_ip_run(void *record)
{
	const struct fuzz_ip_record *r = record;
	struct nke *machine = curmachine();
	bool v6 = r->flags & FUZZ_IP_V6;
	size_t least = v6 ? sizeof(struct ip6_hdr) : sizeof(struct ip);
	bool fit = (r->flags & (FUZZ_IP_FIT | FUZZ_IP_CUT)) && r->len >= least;
	struct core_memory memory;
	struct mbuf *m;

	if (r->flags & FUZZ_IP_FILTER)
		add_filter(r->arg, v6);
	machine_memory(machine, &memory);
	machine->config.fail_alloc = r->flags & FUZZ_IP_FAIL ? memory.allocations + 1 + r->arg : 0;
	m = m_devget(machine, r->data, r->len, 16);
	if (m == NULL)
		return;
	m->m_pkthdr.rcvif = ifp;
	if (fit)
		(v6 ? fit6 : fit4)(m, r->flags & FUZZ_IP_OUT);
	if ((r->flags & FUZZ_IP_CUT) && fit) {
		cut(machine, m, r);
		return;
	}
	enter(machine, r->flags & FUZZ_IP_PIECES ? in_pieces(m, r->arg) : m, r->flags);
}
