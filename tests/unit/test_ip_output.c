/* IPv4's way out: header, source, route, broadcasts, multicasts, checksums, errors. */
#include "tests/unit/ip_testing.h"

static errno_t
send4(const struct spec4 *s, uint32_t flags, ipf_pktopts_t options)
{
	struct mbuf *m = make4(s);

	m->m_pkthdr.rcvif = NULL;
	return ip_output(curmachine(), m, flags, options);
}

static const struct ip *
sent_ip(unsigned i)
{
	CHECK(i < sent.count);
	CHECK_EQ(in_cksum_part(sent.m[i], 0, mtod(sent.m[i], struct ip *)->ip_hl << 2), 0);
	return mtod(sent.m[i], const struct ip *);
}

KTEST(the_header_is_filled_in)
{
	struct mbuf *m;
	struct ip *ip;

	testbed();
	m = make4(&(struct spec4){.len = 30, .off = IP_DF | IP_MF | 5});
	ip = mtod(m, struct ip *);
	ip->ip_v = 0;
	ip->ip_hl = 0;
	ip->ip_len = 0;
	ip->ip_ttl = 0;
	ip->ip_src.s_addr = 0;
	ip->ip_dst.s_addr = FAR4;
	CHECK_EQ(ip_output(curmachine(), m, 0, NULL), 0);
	CHECK_EQ(sent.count, 1);
	CHECK_EQ(*sent.m[0]->m_data, 0x45);
	CHECK_EQ(ntohs(sent_ip(0)->ip_len), 50);
	CHECK_EQ(sent_ip(0)->ip_off, htons(IP_DF));
	CHECK_EQ(sent_ip(0)->ip_ttl, 64);
	CHECK_EQ(sent_ip(0)->ip_src.s_addr, HERE4);
	CHECK(payload_is(sent.m[0], 20, 30));
	CHECK_EQ(st4()->ips_localout, 1);
	testbed_end();
}

KTEST(identifications_differ)
{
	uint8_t seen[8192];

	testbed();
	memset(seen, 0, sizeof seen);
	for (int i = 0; i < 60000; i++) {
		uint16_t id;

		CHECK_EQ(send4(&(struct spec4){.dst = FAR4}, 0, NULL), 0);
		id = ntohs(sent_ip(0)->ip_id);
		CHECK(id != 0 && !(seen[id / 8] & 1u << id % 8));
		seen[id / 8] |= (uint8_t)(1u << id % 8);
		forget(&sent);
	}
	testbed_end();
}

KTEST(a_complete_header_is_left_alone)
{
	testbed();
	CHECK_EQ(send4(&(struct spec4){.dst = FAR4, .id = 77, .ttl = 3, .off = IP_DF, .len = 4},
	    IP_OUT_RAW, NULL), 0);
	CHECK_EQ(ntohs(sent_ip(0)->ip_id), 77);
	CHECK_EQ(sent_ip(0)->ip_ttl, 3);
	CHECK_EQ(sent_ip(0)->ip_src.s_addr, THERE4);
	CHECK_EQ(st4()->ips_rawout, 1);
	CHECK_EQ(st4()->ips_localout, 0);
	testbed_end();
}

KTEST(nonsense_is_not_sent)
{
	struct mbuf *m;

	testbed();
	m = make4(&(struct spec4){.dst = FAR4});
	*m->m_data = 0x65;
	CHECK_EQ(ip_output(curmachine(), m, IP_OUT_RAW, NULL), EINVAL);
	m = make4(&(struct spec4){.dst = FAR4});
	mtod(m, struct ip *)->ip_len = htons(21);
	CHECK_EQ(ip_output(curmachine(), m, IP_OUT_RAW, NULL), EINVAL);
	m = make4(&(struct spec4){.dst = FAR4});
	*m->m_data = 0x4f;
	CHECK_EQ(ip_output(curmachine(), m, IP_OUT_RAW, NULL), EINVAL);
	m = make4(&(struct spec4){.dst = FAR4});
	m_adj(m, 1);
	CHECK_EQ(ip_output(curmachine(), m, 0, NULL), EINVAL);
	CHECK_EQ(send4(&(struct spec4){.dst = FAR4, .len = 65516}, 0, NULL), EMSGSIZE);
	CHECK_EQ(sent.count, 0);
	testbed_end();
}

KTEST(without_a_route_there_is_an_error)
{
	testbed();
	CHECK_EQ(route_set_default(curmachine(), AF_INET, NULL, NULL), 0);
	CHECK_EQ(send4(&(struct spec4){.dst = FAR4}, 0, NULL), EHOSTUNREACH);
	CHECK_EQ(st4()->ips_noroute, 1);
	testbed_end();
}

KTEST(broadcasts_need_permission)
{
	testbed();
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = IP4(10, 0, 0, 255)}, 0, NULL), EACCES);
	CHECK_EQ(
	    send4(&(struct spec4){.src = HERE4, .dst = IP4(10, 0, 0, 255)}, IP_OUT_BROADCAST, NULL),
	    0);
	CHECK(sent.m[0]->m_flags & MBUF_BCAST);
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = IP4(10, 0, 0, 255), .len = 2000},
	    IP_OUT_BROADCAST, NULL), EMSGSIZE);
	CHECK_EQ(dlil_set_flags(en7, 0, IFF_BROADCAST), 0);
	CHECK_EQ(send4(&(struct spec4){.src = HERE4, .dst = IP4(255, 255, 255, 255)},
		     IP_OUT_BROADCAST, NULL),
	    EADDRNOTAVAIL);
	testbed_end();
}

KTEST(loopback_addresses_stay_inside)
{
	testbed();
	CHECK_EQ(
	    send4(&(struct spec4){.src = IP4(127, 0, 0, 1), .dst = FAR4}, 0, NULL), EADDRNOTAVAIL);
	CHECK_EQ(st4()->ips_badaddr, 1);
	CHECK_EQ(
	    send4(&(struct spec4){.src = IP4(127, 0, 0, 1), .dst = IP4(127, 0, 0, 1), .len = 9}, 0,
		NULL),
	    0);
	let_run();
	CHECK_EQ(delivered.count, 1);
	CHECK(delivered.m[0]->m_pkthdr.rcvif == dlil_loopback(curmachine()));
	CHECK_EQ(sent.count, 0);
	testbed_end();
}

KTEST(what_is_for_us_comes_back_through_lo0)
{
	struct mbuf *m;

	testbed();
	m = make4(&(struct spec4){.len = 3000, .off = IP_DF});
	mtod(m, struct ip *)->ip_src.s_addr = 0;
	CHECK_EQ(ip_output(curmachine(), m, 0, NULL), 0);
	let_run();
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(mtod(delivered.m[0], struct ip *)->ip_src.s_addr, HERE4);
	CHECK(payload_is(delivered.m[0], 20, 3000));
	testbed_end();
}

KTEST(multicasts_choose_their_interface)
{
	struct ipf_pktopts options = {.ippo_flags = IPPOF_MCAST_OPTS, .ippo_mcast_ttl = 7};

	testbed();
	options.ippo_mcast_ifnet = en7;
	CHECK_EQ(route_set_default(curmachine(), AF_INET, NULL, NULL), 0);
	CHECK_EQ(send4(&(struct spec4){.dst = IP4(224, 0, 0, 251)}, 0, &options), 0);
	CHECK_EQ(sent_ip(0)->ip_ttl, 7);
	CHECK(sent.m[0]->m_flags & MBUF_MCAST);
	CHECK_EQ(
	    send4(&(struct spec4){.dst = IP4(224, 0, 0, 251), .ttl = 9}, IP_OUT_RAW, &options), 0);
	CHECK_EQ(sent_ip(1)->ip_ttl, 9);
	options.ippo_mcast_ttl = 0;
	CHECK_EQ(send4(&(struct spec4){.dst = IP4(224, 0, 0, 251)}, 0, &options), 0);
	CHECK_EQ(sent.count, 2);
	testbed_end();
}

KTEST(members_here_hear_a_multicast)
{
	struct sockaddr_in group = {.sin_len = sizeof group, .sin_family = AF_INET,
	    .sin_addr = {IP4(224, 0, 0, 251)}};
	struct ipf_pktopts options = {.ippo_flags = IPPOF_MCAST_OPTS, .ippo_mcast_ttl = 1};
	struct ifmultiaddr *member;

	testbed();
	options.ippo_mcast_ifnet = en7;
	CHECK_EQ(dlil_multicast_join(en7, (struct sockaddr *)&group, &member), 0);
	CHECK_EQ(send4(&(struct spec4){.dst = IP4(224, 0, 0, 251), .len = 12}, 0, NULL), 0);
	let_run();
	CHECK_EQ(sent.count, 1);
	CHECK_EQ(delivered.count, 1);
	CHECK(payload_is(delivered.m[0], 20, 12));
	CHECK_EQ(send4(&(struct spec4){.dst = IP4(224, 0, 0, 251), .len = 12}, 0, &options), 0);
	let_run();
	CHECK_EQ(sent.count, 2);
	CHECK_EQ(delivered.count, 1);
	CHECK_EQ(dlil_multicast_leave(member), 0);
	ifmultiaddr_drop(member);
	testbed_end();
}

KTEST(link_local_addresses_are_sent_with_ttl_255)
{
	testbed();
	CHECK_EQ(send4(&(struct spec4){.dst = IP4(169, 254, 1, 2), .ttl = 5}, 0, NULL), 0);
	CHECK_EQ(sent_ip(0)->ip_ttl, 255);
	testbed_end();
}

KTEST(deferred_checksums_are_done_unless_the_hardware_does_them)
{
	struct mbuf *m;
	uint16_t sum;

	testbed();
	for (int offload = 0; offload < 2; offload++) {
		en7->offload = offload ? IFNET_CSUM_UDP | IFNET_CSUM_IP : 0;
		m = make4(&(struct spec4){.dst = FAR4, .len = 40});
		sum = in_cksum_sum(m, 0, 0, in_pseudo(mtod(m, struct ip *)->ip_src,
		    mtod(m, struct ip *)->ip_dst, IPPROTO_UDP, 40));
		memcpy(m->m_data + 26, &sum, 2);
		m->m_pkthdr.csum_flags = MBUF_CSUM_REQ_UDP;
		m->m_pkthdr.csum_data = 6;
		CHECK_EQ(ip_output(curmachine(), m, 0, NULL), 0);
		m = sent.m[offload];
		if (offload) {
			CHECK_EQ(m->m_pkthdr.csum_flags, MBUF_CSUM_REQ_UDP | MBUF_CSUM_REQ_IP);
			CHECK_EQ(mtod(m, struct ip *)->ip_sum, 0);
		} else {
			CHECK_EQ(m->m_pkthdr.csum_flags, 0);
			CHECK_EQ(in_cksum_sum(m, 20, 40, in_pseudo(mtod(m, struct ip *)->ip_src,
			    mtod(m, struct ip *)->ip_dst, IPPROTO_UDP, 40)), 0xffff);
		}
	}
	testbed_end();
}

KTEST(shared_clusters_are_not_written)
{
	struct mbuf *m, *copy;

	testbed();
	m = make4(&(struct spec4){.dst = FAR4, .len = 900, .id = 5});
	copy = m_copym(m, 0, M_COPYALL, MBUF_WAITOK);
	CHECK(!m_writable(m));
	CHECK_EQ(ip_output(curmachine(), m, 0, NULL), 0);
	CHECK_EQ(ntohs(mtod(copy, struct ip *)->ip_id), 5);
	CHECK(ntohs(sent_ip(0)->ip_id) != 5);
	CHECK(payload_is(sent.m[0], 20, 900));
	m_freem(copy);
	testbed_end();
}

KTEST_SUITE(ip_output, T(the_header_is_filled_in), T(identifications_differ),
    T(a_complete_header_is_left_alone), T(nonsense_is_not_sent),
    T(without_a_route_there_is_an_error), T(broadcasts_need_permission),
    T(loopback_addresses_stay_inside), T(what_is_for_us_comes_back_through_lo0),
    T(multicasts_choose_their_interface), T(members_here_hear_a_multicast),
    T(link_local_addresses_are_sent_with_ttl_255),
    T(deferred_checksums_are_done_unless_the_hardware_does_them),
    T(shared_clusters_are_not_written));
