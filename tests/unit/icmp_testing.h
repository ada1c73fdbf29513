/* What the tests of ICMP and ICMPv6 share: messages, and a transport that keeps errors. */
#ifndef NKE_TESTS_ICMP_TESTING_H
#define NKE_TESTS_ICMP_TESTING_H

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#include "src/kern/sysctl.h"
#include "src/netinet/icmp_private.h"
#include "src/netinet6/icmp6_private.h"
#include "tests/unit/ip_testing.h"

/* Errors that reached the transport. */
static struct ip_error told;
static unsigned told_count;

static inline void
keep_error(struct nke *machine, const struct ip_error *e)
{
	(void)machine;
	told = *e;
	told_count++;
}

static inline void
icmp_testbed(void)
{
	static const struct ip_transport transport = {keep_delivered, keep_error};

	testbed();
	told_count = 0;
	ip_set_transport(curmachine(), AF_INET, IPPROTO_UDP, &transport);
	ip_set_transport(curmachine(), AF_INET6, IPPROTO_UDP, &transport);
}

static inline struct icmpstat *
ist4(void)
{
	return icmp_statistics(curmachine());
}
static inline struct icmp6stat *
ist6(void)
{
	return icmp6_statistics(curmachine());
}

static inline void
switch_to(const char *name, int value)
{
	struct sysctl_access a = {.new = &value, .new_len = sizeof value};

	CHECK_EQ(sysctl_by_name(curmachine(), name, &a), 0);
}

/* The next of a row of random numbers. */
static inline uint32_t
random_after(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* ---- ICMP --------------------------------------------------------------------------------- */

/* Packet `s` carrying a message of `type`: the second word, then `s->len` bytes of the pattern. */
static inline struct mbuf *
message4(const struct spec4 *s, uint8_t type, uint8_t code, uint32_t word)
{
	struct spec4 whole = *s;
	uint8_t head[8] = {type, code};
	struct mbuf *m;
	size_t off = sizeof(struct ip) + s->options_len;
	uint16_t sum;

	whole.protocol = IPPROTO_ICMP;
	whole.len += sizeof head;
	/* The pattern begins behind the header. */
	whole.from = (size_t)0 - sizeof head;
	memcpy(head + 4, &word, sizeof word);
	m = make4(&whole);
	CHECK_EQ(m_copyback(m, off, sizeof head, head, MBUF_DONTWAIT), 0);
	for (size_t i = 0; i < s->len; i++) {
		uint8_t b = pattern_at(i);

		CHECK_EQ(m_copyback(m, off + sizeof head + i, 1, &b, MBUF_DONTWAIT), 0);
	}
	sum = in_cksum_part(m, off, sizeof head + s->len);
	CHECK_EQ(m_copyback(m, off + 2, 2, &sum, MBUF_DONTWAIT), 0);
	return m;
}

static inline void
receive_message4(const struct spec4 *s, uint8_t type, uint8_t code, uint32_t word)
{
	ip_input(curmachine(), message4(s, type, code, word));
}

/* An error that quotes the packet; the quoted packet is consumed. */
static inline struct mbuf *
error4(struct mbuf *quoted, uint8_t type, uint8_t code, uint32_t word, uint32_t from)
{
	size_t len = (size_t)quoted->m_pkthdr.len;
	struct mbuf *m = message4(&(struct spec4){.src = from, .len = len}, type, code, word);
	uint16_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t b;

		CHECK_EQ(m_copydata(quoted, i, 1, &b), 0);
		CHECK_EQ(m_copyback(m, 28 + i, 1, &b, MBUF_DONTWAIT), 0);
	}
	CHECK_EQ(m_copyback(m, 22, 2, &sum, MBUF_DONTWAIT), 0);
	sum = in_cksum_part(m, 20, 8 + len);
	CHECK_EQ(m_copyback(m, 22, 2, &sum, MBUF_DONTWAIT), 0);
	m_freem(quoted);
	return m;
}

/* The i-th packet sent is a good ICMP message of that type and code. */
static inline const struct ip *
sent_message4(unsigned i, uint8_t type, uint8_t code)
{
	const struct ip *ip;

	CHECK(i < sent.count);
	ip = mtod(sent.m[i], const struct ip *);
	CHECK_EQ(in_cksum_part(sent.m[i], 0, (size_t)ip->ip_hl << 2), 0);
	CHECK_EQ(ip->ip_p, IPPROTO_ICMP);
	CHECK_EQ(ntohs(ip->ip_len), sent.m[i]->m_pkthdr.len);
	CHECK_EQ(in_cksum_part(sent.m[i], (size_t)ip->ip_hl << 2,
	    (size_t)sent.m[i]->m_pkthdr.len - ((size_t)ip->ip_hl << 2)), 0);
	CHECK_EQ((uint8_t)sent.m[i]->m_data[ip->ip_hl << 2], type);
	CHECK_EQ((uint8_t)sent.m[i]->m_data[(ip->ip_hl << 2) + 1], code);
	return ip;
}

static inline uint32_t
sent_word(unsigned i, size_t off)
{
	uint32_t word;

	CHECK(i < sent.count);
	CHECK_EQ(m_copydata(sent.m[i], off, sizeof word, &word), 0);
	return word;
}

/* ---- ICMPv6 ------------------------------------------------------------------------------- */

static inline void
sum6(struct mbuf *m, size_t off)
{
	uint32_t len = (uint32_t)m->m_pkthdr.len - (uint32_t)off;
	uint16_t sum = 0;

	CHECK_EQ(m_copyback(m, off + 2, 2, &sum, MBUF_DONTWAIT), 0);
	sum = (uint16_t)~in_cksum_sum(m, off, len, in6_pseudo(ip6_source(m), ip6_destination(m),
	    IPPROTO_ICMPV6, len));
	CHECK_EQ(m_copyback(m, off + 2, 2, &sum, MBUF_DONTWAIT), 0);
}

/* Packet `s` carrying a message of `type`: the second word, then `s->len` bytes of the pattern. */
static inline struct mbuf *
message6(const struct spec6 *s, uint8_t type, uint8_t code, uint32_t word)
{
	struct spec6 whole = *s;
	uint8_t head[8] = {type, code};
	size_t off = sizeof(struct ip6_hdr) + s->headers_len;
	struct mbuf *m;

	if (s->headers_len == 0)
		whole.next = IPPROTO_ICMPV6;
	whole.len += sizeof head;
	memcpy(head + 4, &word, sizeof word);
	m = make6(&whole);
	CHECK_EQ(m_copyback(m, off, sizeof head, head, MBUF_DONTWAIT), 0);
	for (size_t i = 0; i < s->len; i++) {
		uint8_t b = pattern_at(i);

		CHECK_EQ(m_copyback(m, off + sizeof head + i, 1, &b, MBUF_DONTWAIT), 0);
	}
	sum6(m, off);
	return m;
}

static inline void
receive_message6(const struct spec6 *s, uint8_t type, uint8_t code, uint32_t word)
{
	ip6_input(curmachine(), message6(s, type, code, word));
}

/* An error that quotes the packet; the quoted packet is consumed. */
static inline struct mbuf *
error6(struct mbuf *quoted, uint8_t type, uint8_t code, uint32_t word)
{
	size_t len = (size_t)quoted->m_pkthdr.len;
	struct mbuf *m = message6(&(struct spec6){.len = len}, type, code, word);

	for (size_t i = 0; i < len; i++) {
		uint8_t b;

		CHECK_EQ(m_copydata(quoted, i, 1, &b), 0);
		CHECK_EQ(m_copyback(m, 48 + i, 1, &b, MBUF_DONTWAIT), 0);
	}
	sum6(m, 40);
	m_freem(quoted);
	return m;
}

static inline struct mbuf *
sent_message6(unsigned i, uint8_t type, uint8_t code)
{
	struct mbuf *m;

	CHECK(i < sent.count);
	m = sent.m[i];
	CHECK_EQ(mtod(m, const struct ip6_hdr *)->ip6_nxt, IPPROTO_ICMPV6);
	CHECK_EQ(40 + ip6_payload(m), m->m_pkthdr.len);
	CHECK_EQ(in_cksum_sum(m, 40, (size_t)ip6_payload(m), in6_pseudo(ip6_source(m),
	    ip6_destination(m), IPPROTO_ICMPV6, (uint32_t)ip6_payload(m))), 0xffff);
	CHECK_EQ((uint8_t)m->m_data[40], type);
	CHECK_EQ((uint8_t)m->m_data[41], code);
	return m;
}

#endif
