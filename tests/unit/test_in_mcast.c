/* src/netinet/in_multi.c, in_mcast*.c: groups of interfaces and sockets, source filters. */
#include "tests/unit/inet_testing.h"

#define GROUP4	IP4(232, 1, 2, 3)
#define S1	IP4(10, 0, 0, 11)
#define S2	IP4(10, 0, 0, 12)
#define S3	IP4(10, 0, 0, 13)

static const uint32_t group4 = GROUP4;

/* ---- what the reporter hears -------------------------------------------------------------- */

/* The last of the changes: "I->E" ..., then sources by their last byte, + listed now, - no longer. */
static char told[256];
static unsigned changes;

static void
hear(struct ifnet *ifp, struct in_multi *inm)
{
	size_t n = 0;

	CHECK(ifp == inm->ifp);
	changes++;
	memset(told, 0, sizeof told);
	told[n++] = !inm->was_member ? '0' : inm->old_mode == MCAST_EXCLUDE ? 'E' : 'I';
	told[n++] = '>';
	told[n++] = !in_multi_wanted(inm) ? '0' : inm->mode == MCAST_EXCLUDE ? 'E' : 'I';
	for (unsigned i = 0; i < inm->source_count && n < sizeof told - 8; i++) {
		const struct in_msource *s = &inm->sources[i];

		if (!s->listed && !s->was_listed)
			continue;
		told[n++] = s->listed ? s->was_listed ? '=' : '+' : '-';
		told[n++] = (char)('0' + (ntohl(s->addr.v4.s_addr) & 0xf));
	}
}

static void
begin(void)
{
	inet_testbed();
	in_multi_set_reporter(curmachine(), AF_INET, hear);
	changes = 0;
	told[0] = '\0';
}

static void
end(void)
{
	in_multi_set_reporter(curmachine(), AF_INET, NULL);
	testbed_end();
}

/* ---- options in short --------------------------------------------------------------------- */

static errno_t
any_source(struct socket *so, int name)
{
	struct ip_mreq r = {{GROUP4}, {HERE4}};

	return set_option(so, IPPROTO_IP, name, &r, sizeof r);
}

static errno_t
of_source(struct socket *so, int name, uint32_t source)
{
	struct ip_mreq_source r = {{GROUP4}, {source}, {HERE4}};

	return set_option(so, IPPROTO_IP, name, &r, sizeof r);
}

static errno_t
filter(struct socket *so, uint32_t mode, unsigned count, const uint32_t *sources)
{
	struct sockaddr_storage list[130];
	struct sockaddr_in group = sin4(GROUP4, 0);
	struct __msfilterreq r = {.msfr_ifindex = en7->index, .msfr_fmode = mode, .msfr_nsrcs = count};

	memset(list, 0, sizeof list);
	for (unsigned i = 0; i < count && i < 130; i++) {
		struct sockaddr_in s = sin4(sources != NULL ? sources[i] : htonl(0x0a000100 + i), 0);

		memcpy(&list[i], &s, sizeof s);
	}
	memcpy(&r.msfr_group, &group, sizeof group);
	r.msfr_srcs = list;
	return set_option(so, IPPROTO_IP, IP_MSFILTER, &r, sizeof r);
}

/* Does the interface want datagrams to `group` from `source` (RFC 3376 section 3.2)? */
static bool
interface_wants(sa_family_t family, const void *group, const void *source)
{
	const struct in_multi *inm = in_multi_find(en7, family, group);
	bool listed = false;

	if (inm == NULL)
		return false;
	for (unsigned i = 0; i < inm->source_count; i++)
		if (inm->sources[i].listed &&
		    memcmp(&inm->sources[i].addr, source, in_any_size(family)) == 0)
			listed = true;
	return listed == (inm->mode == MCAST_INCLUDE);
}

static bool
accepts(uint32_t source)
{
	return interface_wants(AF_INET, &group4, &source);
}

/* ---- one member --------------------------------------------------------------------------- */

KTEST(membership_of_any_source_is_taken_and_given_up)
{
	struct socket *so;

	begin();
	so = udp4();
	CHECK_EQ(any_source(so, IP_DROP_MEMBERSHIP), EADDRNOTAVAIL);
	CHECK_EQ(any_source(so, IP_ADD_MEMBERSHIP), 0);
	CHECK_STR(told, "0>E");
	CHECK_EQ(any_source(so, IP_ADD_MEMBERSHIP), EADDRINUSE);
	CHECK_EQ(changes, 1);
	CHECK(in_multi_find(en7, AF_INET, &group4) != NULL);
	CHECK(in_multi_find(fw7, AF_INET, &group4) == NULL);
	CHECK(accepts(S1));
	CHECK_EQ(any_source(so, IP_DROP_MEMBERSHIP), 0);
	CHECK_STR(told, "E>0");
	CHECK(in_multi_find(en7, AF_INET, &group4) == NULL);
	CHECK(!accepts(S1));
	/* What a socket has not given up goes with it. */
	CHECK_EQ(any_source(so, IP_ADD_MEMBERSHIP), 0);
	CHECK_EQ(soclose(so), 0);
	CHECK_STR(told, "E>0");
	CHECK_EQ(changes, 4);
	end();
}

KTEST(membership_of_sources_grows_and_shrinks)
{
	struct socket *so;

	begin();
	so = udp4();
	CHECK_EQ(of_source(so, IP_ADD_SOURCE_MEMBERSHIP, S1), 0);
	CHECK_STR(told, "0>I+;");
	CHECK_EQ(of_source(so, IP_ADD_SOURCE_MEMBERSHIP, S1), EADDRNOTAVAIL);
	CHECK_EQ(of_source(so, IP_ADD_SOURCE_MEMBERSHIP, S2), 0);
	CHECK_STR(told, "I>I=;+<");
	CHECK(accepts(S1) && accepts(S2) && !accepts(S3));
	/* The two kinds do not mix. */
	CHECK_EQ(any_source(so, IP_ADD_MEMBERSHIP), EINVAL);
	CHECK_EQ(of_source(so, IP_BLOCK_SOURCE, S1), EINVAL);
	CHECK_EQ(of_source(so, IP_DROP_SOURCE_MEMBERSHIP, S3), EADDRNOTAVAIL);
	CHECK_EQ(of_source(so, IP_DROP_SOURCE_MEMBERSHIP, S1), 0);
	CHECK_STR(told, "I>I-;=<");
	CHECK_EQ(of_source(so, IP_DROP_SOURCE_MEMBERSHIP, S2), 0);
	CHECK_STR(told, "I>0-<");
	CHECK_EQ(of_source(so, IP_DROP_SOURCE_MEMBERSHIP, S2), EADDRNOTAVAIL);
	/* Leaving takes all of them. */
	CHECK_EQ(of_source(so, IP_ADD_SOURCE_MEMBERSHIP, S1), 0);
	CHECK_EQ(any_source(so, IP_DROP_MEMBERSHIP), 0);
	CHECK_STR(told, "I>0-;");
	CHECK_EQ(soclose(so), 0);
	end();
}

KTEST(sources_are_blocked_and_let_in_again)
{
	struct sockaddr_in bad = sin4(S1, 7), good = sin4(S2, 7), to = sin4(GROUP4, 5000);
	struct socket *so;

	begin();
	so = udp4();
	CHECK_EQ(bind4(so, INADDR_ANY, 5000), 0);
	CHECK_EQ(of_source(so, IP_BLOCK_SOURCE, S1), EADDRNOTAVAIL);
	CHECK_EQ(any_source(so, IP_ADD_MEMBERSHIP), 0);
	CHECK_EQ(of_source(so, IP_UNBLOCK_SOURCE, S1), EADDRNOTAVAIL);
	CHECK_EQ(of_source(so, IP_BLOCK_SOURCE, S1), 0);
	CHECK_STR(told, "E>E+;");
	CHECK_EQ(of_source(so, IP_BLOCK_SOURCE, S1), EADDRNOTAVAIL);
	CHECK_EQ(of_source(so, IP_DROP_SOURCE_MEMBERSHIP, S1), EINVAL);
	CHECK(!accepts(S1) && accepts(S2));
	come4(en7, &bad, &to, "bad", -1);
	CHECK_STR(receive(so), "");
	come4(en7, &good, &to, "good", -1);
	CHECK_STR(receive(so), "good");
	CHECK_EQ(of_source(so, IP_UNBLOCK_SOURCE, S1), 0);
	CHECK_STR(told, "E>E-;");
	come4(en7, &bad, &to, "better", -1);
	CHECK_STR(receive(so), "better");
	CHECK_EQ(soclose(so), 0);
	end();
}

/* ---- several members (RFC 3376 section 3.2) ----------------------------------------------- */

/* The examples of the RFC: what the interface wants follows from what its sockets want. */
KTEST(what_sockets_want_is_put_together)
{
	static const uint32_t abc[] = {S1, S2, S3}, bc[] = {S2, S3}, c[] = {S3}, b[] = {S2};
	struct socket *s1, *s2, *s3;

	begin();
	s1 = udp4();
	s2 = udp4();
	s3 = udp4();
	CHECK_EQ(any_source(s1, IP_ADD_MEMBERSHIP), 0);
	CHECK_EQ(any_source(s2, IP_ADD_MEMBERSHIP), 0);
	CHECK_EQ(changes, 1);
	/* EXCLUDE {1,2,3} and EXCLUDE {}: everything is wanted. */
	CHECK_EQ(filter(s1, MCAST_EXCLUDE, 3, abc), 0);
	CHECK_EQ(changes, 1);
	CHECK(accepts(S1));
	/* EXCLUDE {1,2,3} and EXCLUDE {2,3}: what both exclude. */
	CHECK_EQ(filter(s2, MCAST_EXCLUDE, 2, bc), 0);
	CHECK_STR(told, "E>E+<+=");
	CHECK(accepts(S1) && !accepts(S2) && !accepts(S3));
	/* A third includes 3: it is wanted. */
	CHECK_EQ(of_source(s3, IP_ADD_SOURCE_MEMBERSHIP, S3), 0);
	CHECK_STR(told, "E>E=<-=");
	CHECK(accepts(S3));
	/* The excluding ones go, one by changing its mind: what is left is included. */
	CHECK_EQ(any_source(s2, IP_DROP_MEMBERSHIP), 0);
	CHECK_STR(told, "E>E+;=<");
	CHECK_EQ(filter(s1, MCAST_INCLUDE, 1, b), 0);
	CHECK_STR(told, "E>I-;=<+=");
	CHECK_EQ(filter(s3, MCAST_INCLUDE, 1, c), 0);
	CHECK(!accepts(S1) && accepts(S2) && accepts(S3));
	CHECK_EQ(soclose(s1), 0);
	CHECK_STR(told, "I>I-<==");
	CHECK_EQ(soclose(s2) + soclose(s3), 0);
	CHECK_STR(told, "I>0-=");
	CHECK(in_multi_next(curmachine(), NULL, en7, AF_INET) == NULL ||
	    in_multi_find(en7, AF_INET, &group4) == NULL);
	end();
}

/* Any sequence of wishes leaves what the rule says, worked out here from the sockets' own lists. */
KTEST(random_wishes_are_put_together_as_the_rule_says)
{
	struct socket *so[5];
	bool member[5] = {false}, names[5][8] = {{false}};
	uint32_t mode[5] = {0};

	begin();
	for (unsigned i = 0; i < 5; i++)
		so[i] = udp4();
	for (unsigned round = 0; round < 400; round++) {
		unsigned i = prng_u32(curmachine()) % 5, mask = prng_u32(curmachine()) & 0xff, n = 0;
		uint32_t list[8];
		bool leave;

		mode[i] = prng_u32(curmachine()) & 1 ? MCAST_INCLUDE : MCAST_EXCLUDE;
		for (unsigned k = 0; k < 8; k++) {
			names[i][k] = mask >> k & 1;
			if (names[i][k])
				list[n++] = htonl(0x0a000010 + (7 - k));
		}
		leave = mode[i] == MCAST_INCLUDE && n == 0;
		if (!member[i])
			CHECK_EQ(any_source(so[i], IP_ADD_MEMBERSHIP), 0);
		CHECK_EQ(filter(so[i], mode[i], n, list), 0);
		member[i] = !leave;
		for (unsigned k = 0; k < 8; k++) {
			bool want = false;

			for (unsigned j = 0; j < 5; j++)
				want |= member[j] && names[j][k] == (mode[j] == MCAST_INCLUDE);
			CHECK_EQ(accepts(htonl(0x0a000010 + (7 - k))), want);
		}
	}
	for (unsigned i = 0; i < 5; i++)
		CHECK_EQ(soclose(so[i]), 0);
	CHECK(in_multi_find(en7, AF_INET, &group4) == NULL);
	end();
}

/* ---- the reporter ------------------------------------------------------------------------- */

static struct in_multi *held;

/* Like IGMP: has something to say about a group that was left, twice. */
static void
hear_and_hold(struct ifnet *ifp, struct in_multi *inm)
{
	hear(ifp, inm);
	if (held == NULL && !in_multi_wanted(inm)) {
		held = inm;
		in_multi_retain(inm);
		for (unsigned i = 0; i < inm->source_count; i++)
			inm->sources[i].report = 2;
	}
}

KTEST(a_reporter_keeps_what_was_left_until_it_has_said_so)
{
	struct socket *so;
	struct in_multi *inm;

	begin();
	in_multi_set_reporter(curmachine(), AF_INET, hear_and_hold);
	held = NULL;
	so = udp4();
	CHECK_EQ(of_source(so, IP_ADD_SOURCE_MEMBERSHIP, S1), 0);
	CHECK_EQ(of_source(so, IP_DROP_SOURCE_MEMBERSHIP, S1), 0);
	CHECK(held != NULL);
	CHECK_EQ(held->members, 0);
	CHECK_EQ(held->source_count, 1);
	CHECK(in_multi_find(en7, AF_INET, &group4) == NULL);
	inm = in_multi_next(curmachine(), NULL, en7, AF_INET);
	while (inm != NULL && inm != held)
		inm = in_multi_next(curmachine(), inm, en7, AF_INET);
	CHECK(inm == held);
	/* Who joins meanwhile finds it. */
	CHECK_EQ(any_source(so, IP_ADD_MEMBERSHIP), 0);
	CHECK(in_multi_find(en7, AF_INET, &group4) == held);
	CHECK_EQ(any_source(so, IP_DROP_MEMBERSHIP), 0);
	held->sources[0].report = 0;
	in_multi_prune(held);
	CHECK_EQ(held->source_count, 0);
	in_multi_release(held);
	CHECK_EQ(soclose(so), 0);
	end();
}

KTEST(the_link_layer_is_joined_while_there_are_members)
{
	struct sockaddr_in g = sin4(GROUP4, 0);
	struct in_multi *own;
	struct socket *so;

	begin();
	so = udp4();
	CHECK(!ip_local_member(en7, SA(g)));
	CHECK_EQ(any_source(so, IP_ADD_MEMBERSHIP), 0);
	CHECK(ip_local_member(en7, SA(g)));
	/* The core's own membership counts like a socket's. */
	CHECK_EQ(in_multi_join(en7, AF_INET, &group4, &own), 0);
	CHECK_EQ(any_source(so, IP_DROP_MEMBERSHIP), 0);
	CHECK(ip_local_member(en7, SA(g)));
	CHECK_EQ(changes, 1);
	in_multi_leave(own);
	CHECK(!ip_local_member(en7, SA(g)));
	CHECK_EQ(changes, 2);
	/* An interface that has no multicast. */
	CHECK_EQ(dlil_set_flags(en7, 0, IFF_MULTICAST), 0);
	CHECK_EQ(any_source(so, IP_ADD_MEMBERSHIP), EADDRNOTAVAIL);
	CHECK_EQ(in_multi_join(en7, AF_INET, &group4, &own), EADDRNOTAVAIL);
	CHECK_EQ(soclose(so), 0);
	end();
}

KTEST(an_interface_that_goes_takes_its_groups_along)
{
	struct in_multi *own;
	struct socket *so;
	struct ip_mreq r = {{GROUP4}, {OTHER4}};

	begin();
	so = udp4();
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r), 0);
	CHECK_EQ(in_multi_join(fw7, AF_INET, &group4, &own), 0);
	CHECK_EQ(dlil_detach(fw7), 0);
	let_run();
	let_run();
	CHECK_STR(told, "E>0");
	CHECK(in_multi_next(curmachine(), NULL, fw7, AF_INET) == NULL);
	/* What is left in the socket is no membership; room for others is made from it. */
	r.imr_interface.s_addr = INADDR_ANY;
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_DROP_MEMBERSHIP, &r, sizeof r), EADDRNOTAVAIL);
	CHECK_EQ(any_source(so, IP_ADD_MEMBERSHIP), 0);
	CHECK_EQ(sotoinpcb(so)->inp_moptions->count, 1);
	CHECK(own->gone);
	in_multi_leave(own);
	CHECK_EQ(soclose(so), 0);
	end();
}

/* ---- RFC 3678's other options ------------------------------------------------------------- */

KTEST(the_options_of_either_family_do_the_same)
{
	struct in6_addr g6 = ip6_of("\xff\x35\0\0\0\0\0\0\0\0\0\0\0\0\x12\x34");
	struct sockaddr_in group = sin4(GROUP4, 0), s1 = sin4(S1, 0);
	struct sockaddr_in6 group6 = sin6(g6, 0), s6 = sin6(THERE6, 0);
	struct group_source_req gsr = {0};
	struct group_req gr = {0};
	struct in6_addr source = THERE6;
	struct socket *so, *so6;

	begin();
	so = udp4();
	so6 = udp6();
	gr.gr_interface = gsr.gsr_interface = en7->index;
	memcpy(&gr.gr_group, &group, sizeof group);
	memcpy(&gsr.gsr_group, &group, sizeof group);
	memcpy(&gsr.gsr_source, &s1, sizeof s1);
	CHECK_EQ(set_option(so, IPPROTO_IP, MCAST_JOIN_GROUP, &gr, sizeof gr), 0);
	CHECK_EQ(set_option(so, IPPROTO_IP, MCAST_JOIN_GROUP, &gr, sizeof gr), EADDRINUSE);
	CHECK_EQ(set_option(so, IPPROTO_IP, MCAST_BLOCK_SOURCE, &gsr, sizeof gsr), 0);
	CHECK(!accepts(S1));
	CHECK_EQ(set_option(so, IPPROTO_IP, MCAST_UNBLOCK_SOURCE, &gsr, sizeof gsr), 0);
	CHECK_EQ(set_option(so, IPPROTO_IP, MCAST_LEAVE_GROUP, &gr, sizeof gr), 0);
	CHECK_EQ(set_option(so, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &gsr, sizeof gsr), 0);
	CHECK_EQ(set_option(so, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, &gsr, sizeof gsr), 0);
	CHECK_EQ(set_option(so, IPPROTO_IP, MCAST_JOIN_GROUP, &gr, sizeof gr - 1), EINVAL);
	memcpy(&gr.gr_group, &group6, sizeof group6);
	CHECK_EQ(set_option(so, IPPROTO_IP, MCAST_JOIN_GROUP, &gr, sizeof gr), EINVAL);
	memcpy(&gsr.gsr_group, &group6, sizeof group6);
	CHECK_EQ(set_option(so6, IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, &gsr, sizeof gsr), EINVAL);
	memcpy(&gsr.gsr_source, &s6, sizeof s6);
	CHECK_EQ(set_option(so6, IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, &gsr, sizeof gsr), 0);
	CHECK(interface_wants(AF_INET6, &g6, &source));
	CHECK_EQ(set_option(so6, IPPROTO_IPV6, MCAST_LEAVE_SOURCE_GROUP, &gsr, sizeof gsr), 0);
	gr.gr_interface = 99;
	CHECK_EQ(set_option(so6, IPPROTO_IPV6, MCAST_JOIN_GROUP, &gr, sizeof gr), EADDRNOTAVAIL);
	CHECK_EQ(soclose(so) + soclose(so6), 0);
	end();
}

KTEST(filters_are_read_as_they_were_set)
{
	static const uint32_t ab[] = {S2, S1, S2};
	struct sockaddr_storage list[4];
	struct sockaddr_in group = sin4(GROUP4, 0);
	struct __msfilterreq r = {.msfr_nsrcs = 1, .msfr_srcs = list};
	struct sockopt get = {SOPT_GET, IPPROTO_IP, IP_MSFILTER, &r, sizeof r};
	struct socket *so;

	begin();
	so = udp4();
	r.msfr_ifindex = en7->index;
	memcpy(&r.msfr_group, &group, sizeof group);
	CHECK_EQ(filter(so, MCAST_INCLUDE, 2, ab), EADDRNOTAVAIL);
	CHECK_EQ(any_source(so, IP_ADD_MEMBERSHIP), 0);
	CHECK_EQ(filter(so, 7, 2, ab), EINVAL);
	CHECK_EQ(filter(so, MCAST_INCLUDE, 129, NULL), ENOBUFS);
	CHECK_EQ(filter(so, MCAST_INCLUDE, 128, NULL), 0);
	/* Named twice is named once. */
	CHECK_EQ(filter(so, MCAST_INCLUDE, 3, ab), 0);
	memset(list, 0, sizeof list);
	CHECK_EQ(sogetopt(so, &get), 0);
	CHECK_EQ(r.msfr_fmode, MCAST_INCLUDE);
	CHECK_EQ(r.msfr_nsrcs, 2);
	CHECK_EQ(((struct sockaddr_in *)(void *)&list[0])->sin_addr.s_addr, S1);
	CHECK_EQ(list[1].ss_len, 0);	/* there was room for one */
	CHECK_EQ(filter(so, MCAST_INCLUDE, 0, NULL), 0);
	CHECK_STR(told, "I>0-;-<");
	CHECK_EQ(soclose(so), 0);
	end();
}

KTEST(memberships_find_their_interface)
{
	struct ip_mreqn n = {{GROUP4}, {INADDR_ANY}, 0};
	struct ip_mreq r = {{GROUP4}, {INADDR_ANY}};
	struct ipv6_mreq r6 = {ip6_of("\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\x12\x34"), 0};
	struct in_addr addr = {0};
	struct sockopt get = {SOPT_GET, IPPROTO_IP, IP_MULTICAST_IF, &addr, sizeof addr};
	struct socket *so;

	begin();
	so = udp4();
	n.imr_ifindex = (int)fw7->index;
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_ADD_MEMBERSHIP, &n, sizeof n), 0);
	CHECK(in_multi_find(fw7, AF_INET, &group4) != NULL);
	/* Without an interface the first that fits is left. */
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_DROP_MEMBERSHIP, &r, sizeof r), 0);
	CHECK(in_multi_find(fw7, AF_INET, &group4) == NULL);
	n.imr_ifindex = 99;
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_ADD_MEMBERSHIP, &n, sizeof n), EADDRNOTAVAIL);
	r.imr_interface.s_addr = THERE4;
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r), EADDRNOTAVAIL);
	r.imr_multiaddr.s_addr = HERE4;
	r.imr_interface.s_addr = HERE4;
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r), EINVAL);
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, 7), EINVAL);
	r.imr_multiaddr.s_addr = GROUP4;
	r.imr_interface.s_addr = INADDR_ANY;
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r), 0);
	CHECK(in_multi_find(en7, AF_INET, &group4) != NULL);
	n.imr_ifindex = (int)fw7->index;
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_MULTICAST_IF, &n, sizeof n), 0);
	CHECK_EQ(sogetopt(so, &get), 0);
	CHECK_EQ(addr.s_addr, OTHER4);
	CHECK_EQ(get_int(so, IPPROTO_IP, IP_MULTICAST_IFINDEX), fw7->index);
	addr.s_addr = THERE4;
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_MULTICAST_IF, &addr, sizeof addr), EADDRNOTAVAIL);
	addr.s_addr = INADDR_ANY;
	CHECK_EQ(set_option(so, IPPROTO_IP, IP_MULTICAST_IF, &addr, sizeof addr), 0);
	CHECK_EQ(get_int(so, IPPROTO_IP, IP_MULTICAST_IFINDEX), 0);
	CHECK_EQ(soclose(so), 0);
	so = udp6();
	r6.ipv6mr_interface = 99;
	CHECK_EQ(set_option(so, IPPROTO_IPV6, IPV6_JOIN_GROUP, &r6, sizeof r6), EADDRNOTAVAIL);
	r6.ipv6mr_interface = 0;
	CHECK_EQ(set_option(so, IPPROTO_IPV6, IPV6_JOIN_GROUP, &r6, sizeof r6), 0);
	CHECK_EQ(set_option(so, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &r6, sizeof r6), 0);
	CHECK_EQ(set_option(so, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &r6, sizeof r6), EADDRNOTAVAIL);
	CHECK_EQ(soclose(so), 0);
	end();
}

/* ---- limits ------------------------------------------------------------------------------- */

KTEST(memberships_and_sources_are_bounded)
{
	struct socket *so[6];
	struct ip_mreq r = {{0}, {0}};
	unsigned n = 0;

	begin();
	so[0] = udp4();
	r.imr_interface.s_addr = HERE4;
	for (unsigned i = 0; i <= IP_MAX_MEMBERSHIPS; i++) {
		r.imr_multiaddr.s_addr = htonl(0xef010000 + i);
		CHECK_EQ(set_option(so[0], IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r),
		    i < IP_MAX_MEMBERSHIPS ? 0 : ETOOMANYREFS);
	}
	CHECK_EQ(soclose(so[0]), 0);
	/* 128 sources in a socket, 512 in what the interface is to know. */
	for (unsigned i = 0; i < 6; i++) {
		uint32_t list[128];

		so[i] = udp4();
		for (unsigned k = 0; k < 128; k++)
			list[k] = htonl(0x0a100000 + i * 256 + k);
		CHECK_EQ(any_source(so[i], IP_ADD_MEMBERSHIP), 0);
		n += filter(so[i], MCAST_INCLUDE, 128, list) == 0;
	}
	CHECK_EQ(n, 4);
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQ(soclose(so[i]), 0);
	CHECK(in_multi_find(en7, AF_INET, &group4) == NULL);
	end();
}

/* Each allocation fails in turn: the socket is a member or not, nothing is lost. */
KTEST(joining_without_memory_leaves_nothing_behind)
{
	struct nke *m = curmachine();
	struct core_memory mem;
	uint64_t blocks;
	bool joined = false;

	begin();
	for (unsigned i = 1; i < 40 && !joined; i++) {
		struct socket *so = udp4();

		machine_memory(m, &mem);
		blocks = mem.heap_blocks;
		m->config.fail_alloc = mem.allocations + i;
		joined = of_source(so, IP_ADD_SOURCE_MEMBERSHIP, S1) == 0;
		m->config.fail_alloc = 0;
		CHECK_EQ(in_multi_find(en7, AF_INET, &group4) != NULL, joined);
		CHECK_EQ(soclose(so), 0);
		machine_memory(m, &mem);
		CHECK(mem.heap_blocks < blocks);
		CHECK(in_multi_find(en7, AF_INET, &group4) == NULL);
	}
	CHECK(joined);
	end();
}

/* ---- while the driver is being told ------------------------------------------------------- */

static struct socket *joining;
static errno_t
sleepy_check(struct ifnet *ifp, const struct sockaddr *sa)
{
	(void)ifp;
	(void)sa;
	sched_block(NULL, machine_now(curmachine()) + 1000000, false, "the driver");
	return 0;
}

static void
close_it(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	CHECK_EQ(soclose(joining), 0);
	joining = NULL;
}

static errno_t second;

static void
join_too(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	second = any_source(joining, IP_ADD_MEMBERSHIP);
}

static errno_t
join_while(void (*fn)(void *, wait_result_t))
{
	struct socket *so = joining = udp4();
	struct thread *t;
	errno_t error;

	so_retain(so);
	CHECK_EQ(kthread_create(fn, NULL, &t), 0);
	kthread_release(t);
	error = any_source(so, IP_ADD_MEMBERSHIP);
	so_release(so);
	return error;
}

KTEST(a_socket_may_be_closed_while_it_joins)
{
	begin();
	en7->check_multi = sleepy_check;
	CHECK(join_while(close_it) != 0);
	sched_block(NULL, machine_now(curmachine()) + 5000000, false, "the other");
	CHECK(joining == NULL);
	CHECK(in_multi_find(en7, AF_INET, &group4) == NULL);
	end();
}

KTEST(two_may_join_at_once)
{
	errno_t first;

	begin();
	en7->check_multi = sleepy_check;
	first = join_while(join_too);
	sched_block(NULL, machine_now(curmachine()) + 5000000, false, "the other");
	CHECK((first == 0 && second == EADDRINUSE) || (first == EADDRINUSE && second == 0));
	CHECK_EQ(sotoinpcb(joining)->inp_moptions->count, 1);
	CHECK_EQ(in_multi_find(en7, AF_INET, &group4)->members, 1);
	CHECK_EQ(soclose(joining), 0);
	CHECK(in_multi_find(en7, AF_INET, &group4) == NULL);
	end();
}

KTEST_SUITE(in_mcast, T(membership_of_any_source_is_taken_and_given_up),
    T(membership_of_sources_grows_and_shrinks), T(sources_are_blocked_and_let_in_again),
    T(what_sockets_want_is_put_together), T(random_wishes_are_put_together_as_the_rule_says),
    T(a_reporter_keeps_what_was_left_until_it_has_said_so),
    T(the_link_layer_is_joined_while_there_are_members),
    T(an_interface_that_goes_takes_its_groups_along),
    T(the_options_of_either_family_do_the_same), T(filters_are_read_as_they_were_set),
    T(memberships_find_their_interface), T(memberships_and_sources_are_bounded),
    T(joining_without_memory_leaves_nothing_behind),
    T(a_socket_may_be_closed_while_it_joins), T(two_may_join_at_once));
