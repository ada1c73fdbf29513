/* The Internet checksum over chains, and deferred checksums. */
#include <netinet/ip_var.h>

#include "src/netinet/ip_private.h"
#include "tests/unit/mbuf_testing.h"

/* Network bytes of a checksum as stored in memory. */
static uint16_t
stored(uint8_t a, uint8_t b)
{
	uint8_t bytes[2] = {a, b};
	uint16_t v;

	memcpy(&v, bytes, 2);
	return v;
}

/* Straight from the definition: bytes in pairs, carries added back. */
static uint16_t
slow_sum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)sum);
}

KTEST(rfc1071_example)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	struct mbuf *m;

	/* Section 3: the sum is ddf2, byte swapped or not. */
	CHECK_EQ(in_cksum_buf(bytes, 8), stored(0x22, 0x0d));
	m = m_devget(curmachine(), bytes, 8, 0);
	CHECK_EQ(in_cksum_sum(m, 0, 8, 0), stored(0xdd, 0xf2));
	CHECK_EQ(in_cksum_part(m, 0, 8), stored(0x22, 0x0d));
	mbuf_freem(m);
}

KTEST(an_ip_header_sums_to_zero)
{
	static const uint8_t header[] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
	    0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

	CHECK_EQ(in_cksum_buf(header, sizeof header), 0);
}

KTEST(all_ones_do_not_overflow)
{
	struct mbuf *m = NULL;

	CHECK_EQ(mbuf_getcluster(MBUF_WAITOK, MBUF_TYPE_DATA, 16384, &m), 0);
	memset(mbuf_data(m), 0xff, 16384);
	mbuf_setlen(m, 16384);
	CHECK_EQ(in_cksum_sum(m, 0, 16384, 0xffffffff), 0xffff);
	CHECK_EQ(in_cksum_part(m, 0, 16384), 0);
	mbuf_freem(m);
}

KTEST(any_range_of_any_chain)
{
	uint8_t flat[700];
	uint64_t r = 12345;

	for (unsigned round = 0; round < 300; round++) {
		struct mbuf *top = NULL, **link = &top;
		size_t total = 0;

		while (total < 600) {
			size_t len = (size_t)((r = r * UINT64_C(6364136223846793005) + 1) >> 33) % 100;
			struct mbuf *m = piece(false, 0, 0, 2048);

			/* Odd lengths, odd addresses, empty mbufs. */
			m->m_data += (r >> 20) % 16;
			for (size_t i = 0; i < len; i++)
				m->m_data[i] = (char)(flat[total + i] = (uint8_t)(r >> (i % 56)));
			m->m_len = (int32_t)len;
			total += len;
			*link = m;
			link = &m->m_next;
		}
		for (size_t off = 0; off < 40; off += 13)
			for (size_t len = 0; off + len <= total; len += 1 + len / 9)
				CHECK_EQ(in_cksum_sum(top, off, len, 0) % 0xffff,
				    slow_sum(flat + off, len) % 0xffff);
		/* A range longer than the chain is as long as the chain. */
		CHECK_EQ(in_cksum_sum(top, 5, 100000, 0), in_cksum_sum(top, 5, total - 5, 0));
		mbuf_freem(top);
	}
}

/* ---- packets ------------------------------------------------------------------------------ */

/* Ten bytes of UDP from 10.0.0.1 to 10.0.0.2, 4 of options before it; sums not filled in. */
static const uint8_t udp4[] = {
	0x46, 0, 0, 34, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 1, 1, 0,
	0x30, 0x39, 0, 53, 0, 10, 0x12, 0x34, 'h', 'i',
};

static struct mbuf *
packet(const uint8_t *bytes, size_t len, size_t first, uint32_t csum_flags)
{
	struct mbuf *m = m_devget(curmachine(), bytes, len, 0), *tail;

	if (first != 0) {
		CHECK_EQ(mbuf_split(m, first, MBUF_WAITOK, &tail), 0);
		CHECK_EQ(mbuf_setflags_mask(tail, 0, MBUF_PKTHDR), 0);
		m->m_next = tail;
		mbuf_pkthdr_setlen(m, len);
	}
	m->m_pkthdr.csum_flags = csum_flags;
	return m;
}

KTEST(outbound_finalize_ipv4)
{
	for (size_t first = 0; first < sizeof udp4; first++) {
		struct mbuf *m = packet(udp4, sizeof udp4, first,
		    MBUF_CSUM_REQ_IP | MBUF_CSUM_REQ_UDP | CSUM_VLAN_TAG_VALID);
		uint8_t out[sizeof udp4];
		u_int16_t sum;

		mbuf_outbound_finalize(m, PF_INET, 0);
		CHECK_EQ(m->m_pkthdr.csum_flags, CSUM_VLAN_TAG_VALID);
		CHECK_EQ(in_cksum_part(m, 0, 24), 0);
		CHECK_EQ(mbuf_inet_cksum(m, IPPROTO_UDP, 24, 10, &sum), 0);
		CHECK_EQ(sum, 0);
		CHECK_EQ(mbuf_copydata(m, 0, sizeof out, out), 0);
		CHECK(out[30] != 0x12 || out[31] != 0x34);
		CHECK_EQ(out[32], 'h');
		/* A second time there is nothing to do. */
		mbuf_outbound_finalize(m, PF_INET, 0);
		CHECK_EQ(in_cksum_part(m, 0, 24), 0);
		mbuf_freem(m);
	}
}

KTEST(finalize_takes_a_length_in_host_order)
{
	uint8_t bytes[sizeof udp4];
	struct mbuf *a = packet(udp4, sizeof udp4, 0, MBUF_CSUM_REQ_UDP), *b;
	u_int16_t sum;

	memcpy(bytes, udp4, sizeof bytes);
	bytes[2] = udp4[3];
	bytes[3] = udp4[2];
	b = packet(bytes, sizeof bytes, 0, MBUF_CSUM_REQ_UDP);
	mbuf_outbound_finalize(a, PF_INET, 0);
	mbuf_outbound_finalize(b, PF_INET, 0);
	CHECK_EQ(memcmp(mtod(a, char *) + 24, mtod(b, char *) + 24, 10), 0);
	mbuf_freem(a);
	mbuf_freem(b);
	/* Both readings are possible: the one that is the whole packet counts. */
	a = packet(NULL, 0x2118, 0, MBUF_CSUM_REQ_UDP);
	memset(mtod(a, char *), 0x33, 0x2118);
	mtod(a, uint8_t *)[0] = 0x45;
	mtod(a, uint8_t *)[2] = 0x18;
	mtod(a, uint8_t *)[3] = 0x21;
	mbuf_outbound_finalize(a, PF_INET, 0);
	CHECK_EQ(mbuf_inet_cksum(a, IPPROTO_UDP, 20, 0x2118 - 20, &sum), 0);
	CHECK_EQ(sum, 0);
	mbuf_freem(a);
}

KTEST(finalize_behind_a_link_header)
{
	uint8_t bytes[14 + sizeof udp4] = {0};
	struct mbuf *m;

	memcpy(bytes + 14, udp4, sizeof udp4);
	m = packet(bytes, sizeof bytes, 0, MBUF_CSUM_REQ_IP);
	mbuf_outbound_finalize(m, PF_INET, 14);
	CHECK_EQ(in_cksum_part(m, 14, 24), 0);
	/* Families it does not know are left alone. */
	m->m_pkthdr.csum_flags = MBUF_CSUM_REQ_UDP;
	mbuf_outbound_finalize(m, PF_LINK, 14);
	CHECK_EQ(m->m_pkthdr.csum_flags, MBUF_CSUM_REQ_UDP);
	mbuf_freem(m);
}

KTEST(a_udp_checksum_is_never_zero)
{
	uint8_t bytes[sizeof udp4];
	struct mbuf *m;
	uint16_t sum, word;

	/* The data that makes the sum 0xffff: the checksum of the rest. */
	memcpy(bytes, udp4, sizeof bytes);
	bytes[30] = bytes[31] = bytes[32] = bytes[33] = 0;
	m = packet(bytes, sizeof bytes, 0, 0);
	CHECK_EQ(in_cksum(m, 20), in_cksum_part(m, 0, 20));
	CHECK_EQ(in_cksum(m, -1), 0xffff);
	CHECK_EQ(mbuf_inet_cksum(m, IPPROTO_UDP, 24, 10, &sum), 0);
	mbuf_freem(m);
	memcpy(bytes + 32, &sum, 2);
	m = packet(bytes, sizeof bytes, 0, MBUF_CSUM_REQ_UDP);
	mbuf_outbound_finalize(m, PF_INET, 0);
	memcpy(&word, mtod(m, char *) + 30, 2);
	CHECK_EQ(word, 0xffff);
	mbuf_freem(m);
}

/* TCP behind hop-by-hop options, from fe80::1 to fe80::2. */
static const uint8_t tcp6[] = {
	0x60, 0, 0, 0, 0, 29, 0, 64,
	0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	6, 0, 1, 4, 0, 0, 0, 0,
	0, 80, 1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0, 'x',
};

KTEST(outbound_finalize_ipv6_skips_extensions)
{
	for (size_t first = 0; first < sizeof tcp6; first++) {
		struct mbuf *m = packet(tcp6, sizeof tcp6, first, MBUF_CSUM_REQ_TCPIPV6);
		uint8_t scope[2] = {0, 4};
		u_int16_t sum;

		/* The stack's scope in a link-local address is not summed. */
		CHECK_EQ(mbuf_copyback(m, 10, 2, scope, MBUF_WAITOK), 0);
		mbuf_outbound_finalize(m, PF_INET6, 0);
		CHECK_EQ(m->m_pkthdr.csum_flags, 0);
		scope[1] = 0;
		CHECK_EQ(mbuf_copyback(m, 10, 2, scope, MBUF_WAITOK), 0);
		CHECK_EQ(mbuf_inet6_cksum(m, IPPROTO_TCP, 48, 21, &sum), 0);
		CHECK_EQ(sum, 0);
		mbuf_freem(m);
	}
}

KTEST(a_routing_header_names_the_destination)
{
	uint8_t bytes[40 + 24 + 9] = {0x60, 0, 0, 0, 0, 33, 43, 64};
	struct mbuf *m;
	struct in6_addr src, dst;

	bytes[23] = 1;
	bytes[39] = 2;
	bytes[40] = 17;
	bytes[41] = 2;
	bytes[43] = 1;
	bytes[48] = 0x20;
	bytes[63] = 9;
	bytes[69] = 9;
	bytes[72] = 'x';
	m = packet(bytes, sizeof bytes, 0, MBUF_CSUM_REQ_UDPIPV6);
	mbuf_outbound_finalize(m, PF_INET6, 0);
	memcpy(&src, bytes + 8, 16);
	memcpy(&dst, bytes + 48, 16);
	CHECK_EQ(in_cksum_sum(m, 64, 9, in6_pseudo(&src, &dst, IPPROTO_UDP, 9)), 0xffff);
	mbuf_freem(m);
}

KTEST(short_packets_are_an_error)
{
	for (size_t len = 1; len < sizeof udp4; len++) {
		struct mbuf *m = packet(udp4, len, 0, MBUF_CSUM_REQ_IP | MBUF_CSUM_REQ_UDP);

		CHECK_EQ(in_finalize_cksum(m, 0, 0xffff), EINVAL);
		CHECK_EQ(memcmp(mtod(m, char *), udp4, len), 0);
		mbuf_freem(m);
	}
	for (size_t len = 1; len < sizeof tcp6; len++) {
		struct mbuf *m = packet(tcp6, len, 0, MBUF_CSUM_REQ_TCPIPV6);

		CHECK_EQ(in6_finalize_cksum(m, 0, 0xffff), EINVAL);
		mbuf_freem(m);
	}
}

KTEST_PANICS(finalizing_a_short_packet, "too few for the headers expected at offset 0")
{
	mbuf_outbound_finalize(packet(udp4, 30, 0, MBUF_CSUM_REQ_UDP), PF_INET, 0);
}

KTEST(cksum_functions_check_the_range)
{
	struct mbuf *m = packet(udp4, sizeof udp4, 0, 0);
	u_int16_t sum;

	CHECK_EQ(mbuf_inet_cksum(NULL, 0, 0, 1, &sum), EINVAL);
	CHECK_EQ(mbuf_inet_cksum(m, 0, 0, 1, NULL), EINVAL);
	CHECK_EQ(mbuf_inet_cksum(m, 0, 0, 0, &sum), EINVAL);
	CHECK_EQ(mbuf_inet_cksum(m, 0, 24, 11, &sum), EINVAL);
	CHECK_EQ(mbuf_inet6_cksum(NULL, 0, 0, 1, &sum), EINVAL);
	CHECK_EQ(mbuf_inet6_cksum(m, 0, 0, 1, NULL), EINVAL);
	CHECK_EQ(mbuf_inet6_cksum(m, 0, 0, 0, &sum), EINVAL);
	CHECK_EQ(mbuf_inet6_cksum(m, 0, 35, 0, &sum), EINVAL);
	/* The sum of 32-bit numbers may wrap: nothing is read that is not there. */
	CHECK_EQ(mbuf_inet_cksum(m, 0, 0xffffffff, 2, &sum), 0);
	CHECK_EQ(sum, 0xffff);
	CHECK_EQ(mbuf_inet_cksum(m, 0, 24, 10, &sum), 0);
	CHECK_EQ(sum, in_cksum_part(m, 24, 10));
	mbuf_freem(m);
}

KTEST_SUITE(in_cksum, T(rfc1071_example), T(an_ip_header_sums_to_zero), T(all_ones_do_not_overflow),
    T(any_range_of_any_chain), T(outbound_finalize_ipv4), T(finalize_takes_a_length_in_host_order),
    T(finalize_behind_a_link_header), T(a_udp_checksum_is_never_zero),
    T(outbound_finalize_ipv6_skips_extensions), T(a_routing_header_names_the_destination),
    T(short_packets_are_an_error), T(finalizing_a_short_packet), T(cksum_functions_check_the_range));
