/* Fields of mbufs and packet headers, tags, VLAN, segmentation, traffic class. */
#include "tests/unit/mbuf_testing.h"

/* ---- data --------------------------------------------------------------------------------- */

KTEST(setdata_stays_within_the_buffer)
{
	struct mbuf *m = piece(true, 0, 10, 0);
	char *start = mbuf_datastart(m);

	CHECK_EQ(mbuf_setdata(m, start, 80), 0);
	CHECK_EQ(mbuf_setdata(m, start + 79, 1), 0);
	CHECK_EQ(mbuf_setdata(m, start + 80, 0), 0);
	CHECK(mbuf_data(m) == start + 80 && mbuf_len(m) == 0);
	CHECK_EQ(mbuf_setdata(m, start, 81), EINVAL);
	CHECK_EQ(mbuf_setdata(m, start - 1, 1), EINVAL);
	CHECK_EQ(mbuf_setdata(m, start + 81, 0), EINVAL);
	CHECK_EQ(mbuf_setdata(m, start + 1, (size_t)-1), EINVAL);
	CHECK(mbuf_data(m) == start + 80);
	CHECK_EQ(mbuf_pkthdr_len(m), 10);
	mbuf_freem(m);
}

KTEST(align_32_puts_data_at_the_end)
{
	struct mbuf *m = piece(true, 0, 0, 0), *shared;
	char *start = mbuf_datastart(m);

	CHECK_EQ(mbuf_align_32(m, 14), 0);
	CHECK_EQ((char *)mbuf_data(m) - start, 64);
	CHECK_EQ(mbuf_len(m), 0);
	mbuf_setlen(m, 14);
	/* What is there already counts. */
	CHECK_EQ(mbuf_align_32(m, 14), 0);
	CHECK_EQ((char *)mbuf_data(m) - start, 52);
	mbuf_freem(m);
	m = piece(true, 0, 100, 2048);
	CHECK_EQ(mbuf_copym(m, 0, MBUF_COPYALL, MBUF_WAITOK, &shared), 0);
	CHECK_EQ(mbuf_align_32(m, 14), ENOTSUP);
	mbuf_freem(shared);
	CHECK_EQ(mbuf_align_32(m, 14), ENOTSUP);
	mbuf_freem(m);
}

KTEST_PANICS(align_32_without_room, "70 bytes more than the 11")
{
	(void)mbuf_align_32(piece(true, 0, 11, 0), 70);
}

KTEST(adjustlen_stays_within_the_buffer)
{
	struct mbuf *m = piece(false, 0, 10, 0);

	CHECK_EQ(mbuf_adjustlen(m, 214), 0);
	CHECK_EQ(mbuf_adjustlen(m, 1), EINVAL);
	CHECK_EQ(mbuf_adjustlen(m, -224), 0);
	CHECK_EQ(mbuf_adjustlen(m, -1), EINVAL);
	CHECK_EQ(mbuf_adjustlen(m, 2147483647), EINVAL);
	CHECK_EQ(mbuf_adjustlen(m, -2147483647 - 1), EINVAL);
	CHECK_EQ(mbuf_len(m), 0);
	CHECK_EQ(mbuf_setdata(m, (char *)mbuf_datastart(m) + 24, 0), 0);
	CHECK_EQ(mbuf_adjustlen(m, 201), EINVAL);
	CHECK_EQ(mbuf_adjustlen(m, 200), 0);
	CHECK_EQ(mbuf_leadingspace(m), 24);
	CHECK_EQ(mbuf_trailingspace(m), 0);
	mbuf_freem(m);
}

/* ---- links, type, flags ------------------------------------------------------------------- */

KTEST(setnext_refuses_what_is_no_rest)
{
	struct mbuf *m = piece(true, 0, 1, 0), *next = piece(false, 1, 1, 0), *freed;

	mbuf_setnextpkt(next, m);
	CHECK_EQ(mbuf_setnext(m, next), EINVAL);
	CHECK(mbuf_next(m) == NULL);
	mbuf_setnextpkt(next, NULL);
	CHECK_EQ(mbuf_setnext(m, next), 0);
	CHECK(mbuf_next(m) == next);
	CHECK_EQ(mbuf_setnext(m, NULL), 0);
	mbuf_freem(next);
	freed = next;
	CHECK_EQ(mbuf_setnext(m, freed), EINVAL);
	mbuf_freem(m);
}

KTEST(settype_refuses_free)
{
	struct mbuf *m = piece(false, 0, 0, 0);

	CHECK_EQ(mbuf_settype(m, MBUF_TYPE_FREE), EINVAL);
	CHECK_EQ(mbuf_settype(m, MBUF_TYPE_SONAME), 0);
	CHECK_EQ(mbuf_type(m), MBUF_TYPE_SONAME);
	mbuf_freem(m);
}

KTEST(setflags_replaces_the_public_ones)
{
	struct mbuf *m = piece(true, 0, 1, 2048);

	CHECK_EQ(mbuf_setflags(m, MBUF_EXT | MBUF_PKTHDR | MBUF_MCAST | MBUF_HASFCS), 0);
	CHECK_EQ(mbuf_flags(m), MBUF_EXT | MBUF_PKTHDR | MBUF_MCAST | MBUF_HASFCS);
	(void)mbuf_data(m);
	CHECK_EQ(mbuf_setflags(m, MBUF_EXT | MBUF_PKTHDR), 0);
	CHECK(m->m_flags & M_TOUCHED);
	CHECK_EQ(mbuf_setflags(m, MBUF_PKTHDR), EINVAL);
	CHECK_EQ(mbuf_setflags(m, MBUF_EXT | MBUF_PKTHDR | 0x8000), EINVAL);
	CHECK_EQ(mbuf_setflags(m, MBUF_EXT | MBUF_PKTHDR | 0x10000), EINVAL);
	CHECK_EQ(mbuf_setflags_mask(m, MBUF_LOOP | MBUF_BCAST, MBUF_BCAST), 0);
	CHECK_EQ(mbuf_flags(m), MBUF_EXT | MBUF_PKTHDR | MBUF_BCAST);
	CHECK_EQ(mbuf_setflags_mask(m, 0, MBUF_EXT), EINVAL);
	CHECK_EQ(mbuf_setflags_mask(m, 0, 0x8000), EINVAL);
	CHECK_EQ(mbuf_setflags_mask(m, 0, MBUF_BCAST), 0);
	CHECK_EQ(mbuf_flags(m), MBUF_EXT | MBUF_PKTHDR);
	mbuf_freem(m);
}

KTEST(turning_the_packet_header_on_and_off)
{
	struct mbuf *m = piece(false, 0, 0, 0);
	mbuf_tag_id_t id;
	void *data;

	memset(m->m_dat, 0xff, sizeof m->m_dat);
	CHECK_EQ(mbuf_setflags_mask(m, MBUF_PKTHDR, MBUF_PKTHDR), 0);
	CHECK_EQ(mbuf_pkthdr_len(m), 0);
	CHECK(mbuf_pkthdr_rcvif(m) == NULL);
	CHECK_EQ(mbuf_maxlen(m), 80);
	CHECK(mbuf_data(m) == mbuf_datastart(m));
	CHECK_EQ(mbuf_tag_id_find("org.example.tag", &id), 0);
	CHECK_EQ(mbuf_tag_allocate(m, id, 0, 8, MBUF_WAITOK, &data), 0);
	CHECK_EQ(memory_now().mbufs, 2);
	CHECK_EQ(mbuf_setflags(m, 0), 0);
	CHECK_EQ(memory_now().mbufs, 1);
	CHECK_EQ(mbuf_maxlen(m), 224);
	mbuf_freem(m);
	/* Data in its place: no, but the other flags have changed. */
	m = piece(false, 0, 5, 0);
	CHECK_EQ(mbuf_setflags(m, MBUF_PKTHDR | MBUF_EOR), EBUSY);
	CHECK_EQ(mbuf_flags(m), MBUF_EOR);
	CHECK(has_pattern(m, 0, 5));
	mbuf_setlen(m, 0);
	CHECK_EQ(mbuf_setdata(m, (char *)mbuf_data(m) + 1, 0), 0);
	CHECK_EQ(mbuf_setflags_mask(m, MBUF_PKTHDR, MBUF_PKTHDR), EBUSY);
	mbuf_freem(m);
	/* With a cluster there is place. */
	m = piece(false, 0, 5, 2048);
	CHECK_EQ(mbuf_setflags_mask(m, MBUF_PKTHDR, MBUF_PKTHDR), 0);
	CHECK(has_pattern(m, 0, 5));
	CHECK_EQ(mbuf_pkthdr_len(m), 0);
	mbuf_freem(m);
}

/* ---- packet header ------------------------------------------------------------------------ */

KTEST(copy_pkthdr_moves_tags_and_replaces_flags)
{
	struct mbuf *src = piece(true, 0, 10, 0), *dst = piece(true, 0, 0, 2048), *plain;
	mbuf_tag_id_t id;
	size_t len;
	void *data, *found;

	CHECK_EQ(mbuf_tag_id_find("org.example.tag", &id), 0);
	CHECK_EQ(mbuf_tag_allocate(src, id, 1, 8, MBUF_WAITOK, &data), 0);
	CHECK_EQ(mbuf_tag_allocate(dst, id, 2, 8, MBUF_WAITOK, &found), 0);
	CHECK_EQ(mbuf_setflags_mask(src, MBUF_MCAST, MBUF_MCAST), 0);
	CHECK_EQ(mbuf_setflags_mask(dst, MBUF_LOOP, MBUF_LOOP), 0);
	src->m_pkthdr.origin = (struct pkt_origin *)(void *)&len;
	CHECK_EQ(mbuf_copy_pkthdr(dst, src), 0);
	CHECK(src->m_pkthdr.origin == NULL);
	CHECK(dst->m_pkthdr.origin == (struct pkt_origin *)(void *)&len);
	CHECK_EQ(mbuf_flags(dst), MBUF_EXT | MBUF_PKTHDR | MBUF_MCAST);
	CHECK_EQ(mbuf_pkthdr_len(dst), 10);
	CHECK_EQ(mbuf_tag_find(dst, id, 1, &len, &found), 0);
	CHECK(found == data);
	CHECK_EQ(mbuf_tag_find(dst, id, 2, &len, &found), ENOENT);
	CHECK_EQ(mbuf_tag_find(src, id, 1, &len, &found), ENOENT);
	/* The source still is a packet. */
	CHECK_EQ(mbuf_pkthdr_len(src), 10);
	plain = piece(false, 0, 0, 0);
	CHECK_EQ(mbuf_copy_pkthdr(plain, src), 0);
	CHECK_EQ((char *)mbuf_data(plain) - (char *)plain, 176);
	mbuf_freem(plain);
	plain = piece(false, 0, 0, 0);
	CHECK_EQ(mbuf_copy_pkthdr(src, plain), EINVAL);
	mbuf_freem(plain);
	mbuf_freem(src);
	mbuf_freem(dst);
}

KTEST(pkthdr_lengths)
{
	struct mbuf *m = piece(true, 0, 10, 0);

	mbuf_pkthdr_adjustlen(m, 5);
	CHECK_EQ(mbuf_pkthdr_len(m), 15);
	mbuf_pkthdr_adjustlen(m, -20);
	CHECK_EQ(mbuf_pkthdr_len(m), 0);
	mbuf_pkthdr_setlen(m, (size_t)1 << 40);
	CHECK_EQ(mbuf_pkthdr_len(m), 0x7fffffff);
	mbuf_pkthdr_setheader(m, &m);
	CHECK(mbuf_pkthdr_header(m) == &m);
	mbuf_freem(m);
}

KTEST_PANICS(a_header_field_of_a_plain_mbuf, "has no packet header")
{
	mbuf_pkthdr_setlen(piece(false, 0, 10, 0), 10);
}

/* ---- hardware ----------------------------------------------------------------------------- */

KTEST(vlan_tags)
{
	struct mbuf *m = piece(true, 0, 10, 0);
	u_int16_t tag = 1;

	CHECK_EQ(mbuf_get_vlan_tag(m, &tag), ENXIO);
	CHECK_EQ(mbuf_set_vlan_tag(m, 0x2005), 0);
	CHECK_EQ(mbuf_get_vlan_tag(m, &tag), 0);
	CHECK_EQ(tag, 0x2005);
	/* The low bits' functions leave it; inbound_modified doesn't. */
	CHECK_EQ(mbuf_clear_csum_performed(m), 0);
	CHECK_EQ(mbuf_get_vlan_tag(m, &tag), 0);
	mbuf_inbound_modified(m);
	CHECK_EQ(mbuf_get_vlan_tag(m, &tag), ENXIO);
	CHECK_EQ(mbuf_set_vlan_tag(m, 3), 0);
	CHECK_EQ(mbuf_clear_vlan_tag(m), 0);
	CHECK_EQ(mbuf_get_vlan_tag(m, &tag), ENXIO);
	CHECK_EQ(m->m_pkthdr.vlan_tag, 0);
	mbuf_freem(m);
}

KTEST(requested_and_performed_share_bits)
{
	struct mbuf *m = piece(true, 0, 10, 0);
	mbuf_csum_request_flags_t request;
	u_int32_t value;

	m->m_pkthdr.csum_flags = MBUF_CSUM_REQ_IP | MBUF_CSUM_REQ_UDPIPV6 | 0x1000 | MBUF_CSUM_DID_IP |
	    MBUF_TSO_IPV4;
	m->m_pkthdr.csum_data = 6;
	CHECK_EQ(mbuf_get_csum_requested(m, &request, NULL), 0);
	CHECK_EQ(request, MBUF_CSUM_REQ_IP | MBUF_CSUM_REQ_UDPIPV6 | 0x1000);
	CHECK_EQ(mbuf_get_csum_requested(m, &request, &value), 0);
	CHECK_EQ(value, 6);
	CHECK_EQ(mbuf_set_csum_performed(m, MBUF_CSUM_DID_IP | MBUF_CSUM_IP_GOOD | MBUF_CSUM_DID_DATA |
	    MBUF_CSUM_PSEUDO_HDR | MBUF_CSUM_REQ_IP | 0x70000, 0xffff), 0);
	CHECK_EQ(m->m_pkthdr.csum_flags, 0xf00 | MBUF_TSO_IPV4);
	CHECK_EQ(m->m_pkthdr.csum_data, 0xffff);
	CHECK_EQ(mbuf_clear_csum_requested(m), 0);
	CHECK_EQ(m->m_pkthdr.csum_flags, MBUF_TSO_IPV4);
	CHECK_EQ(m->m_pkthdr.csum_data, 0);
	mbuf_freem(m);
}

KTEST(segmentation_requests)
{
	struct mbuf *m = piece(true, 0, 10, 0), *plain = piece(false, 0, 0, 0);
	mbuf_tso_request_flags_t request;
	u_int32_t value = 77;

	CHECK_EQ(mbuf_get_tso_requested(NULL, &request, &value), EINVAL);
	CHECK_EQ(mbuf_get_tso_requested(m, NULL, &value), EINVAL);
	CHECK_EQ(mbuf_get_tso_requested(m, &request, NULL), EINVAL);
	CHECK_EQ(mbuf_get_tso_requested(plain, &request, &value), EINVAL);
	CHECK_EQ(mbuf_get_tso_requested(m, &request, &value), 0);
	CHECK(request == 0 && value == 77);
	m->m_pkthdr.csum_flags = MBUF_TSO_IPV6 | MBUF_CSUM_REQ_IP;
	m->m_pkthdr.tso_segsz = 1440;
	CHECK_EQ(mbuf_get_tso_requested(m, &request, &value), 0);
	CHECK(request == MBUF_TSO_IPV6 && value == 1440);
	mbuf_freem(plain);
	mbuf_freem(m);
}

KTEST(traffic_classes)
{
	struct mbuf *m = piece(true, 0, 10, 0), *plain = piece(false, 0, 0, 0);

	CHECK_EQ(mbuf_get_traffic_class(NULL), MBUF_TC_BE);
	CHECK_EQ(mbuf_get_traffic_class(plain), MBUF_TC_BE);
	CHECK_EQ(mbuf_set_traffic_class(NULL, MBUF_TC_VI), EINVAL);
	CHECK_EQ(mbuf_set_traffic_class(plain, MBUF_TC_VI), EINVAL);
	CHECK_EQ(mbuf_set_traffic_class(m, (mbuf_traffic_class_t)4), EINVAL);
	CHECK_EQ(mbuf_set_traffic_class(m, (mbuf_traffic_class_t)-1), EINVAL);
	CHECK_EQ(mbuf_set_traffic_class(m, MBUF_TC_VO), 0);
	CHECK_EQ(mbuf_get_traffic_class(m), MBUF_TC_VO);
	CHECK_EQ(mbuf_is_traffic_class_privileged(m), 0);
	m->m_pkthdr.traffic_class_privileged = 1;
	CHECK_EQ(mbuf_is_traffic_class_privileged(m), 1);
	CHECK_EQ(mbuf_is_traffic_class_privileged(plain) + mbuf_is_traffic_class_privileged(NULL), 0);
	mbuf_freem(plain);
	mbuf_freem(m);
}

/* ---- tags --------------------------------------------------------------------------------- */

KTEST(tag_ids_are_made_once)
{
	mbuf_tag_id_t a, b, c;

	CHECK_EQ(mbuf_tag_id_find(NULL, &a), EINVAL);
	CHECK_EQ(mbuf_tag_id_find("org.example.a", NULL), EINVAL);
	CHECK_EQ(mbuf_tag_id_find("org.example.a", &a), 0);
	CHECK_EQ(mbuf_tag_id_find("org.example.b", &b), 0);
	CHECK_EQ(mbuf_tag_id_find("org.example.a", &c), 0);
	CHECK(a >= 1000 && a != b && a == c);
}

KTEST(tags_of_every_length)
{
	struct mbuf *m = piece(true, 0, 10, 0);
	static const size_t lengths[] = {1, 7, 208, 209, 2024};
	mbuf_tag_id_t id;
	void *data, *found;
	size_t len;

	CHECK_EQ(mbuf_tag_id_find("org.example.a", &id), 0);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(mbuf_tag_allocate(m, id, (mbuf_tag_type_t)i, lengths[i], MBUF_WAITOK, &data), 0);
		CHECK_EQ((uintptr_t)data % 8, 0);
		for (size_t n = 0; n < lengths[i]; n++)
			CHECK_EQ(((char *)data)[n], 0);
		memset(data, 0xee, lengths[i]);
	}
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(mbuf_tag_find(m, id, (mbuf_tag_type_t)i, &len, &found), 0);
		CHECK_EQ(len, lengths[i]);
	}
	mbuf_tag_free(m, id, 2);
	CHECK_EQ(mbuf_tag_find(m, id, 2, &len, &found), ENOENT);
	CHECK_EQ(mbuf_tag_find(m, id, 1, &len, &found), 0);
	mbuf_tag_free(m, id, 2);
	mbuf_tag_free(NULL, id, 1);
	mbuf_tag_free(m, 5, 1);
	mbuf_freem(m);
	CHECK_EQ(memory_now().mbuf_bytes, 0);
}

KTEST(tag_errors)
{
	struct mbuf *m = piece(true, 0, 10, 0), *plain = piece(false, 0, 0, 0);
	mbuf_tag_id_t id;
	size_t len = 9;
	void *data = &len;

	CHECK_EQ(mbuf_tag_id_find("org.example.a", &id), 0);
	CHECK_EQ(mbuf_tag_allocate(NULL, id, 0, 1, MBUF_WAITOK, &data), EINVAL);
	CHECK_EQ(mbuf_tag_allocate(plain, id, 0, 1, MBUF_WAITOK, &data), EINVAL);
	CHECK_EQ(mbuf_tag_allocate(m, 999, 0, 1, MBUF_WAITOK, &data), EINVAL);
	CHECK_EQ(mbuf_tag_allocate(m, id + 1, 0, 1, MBUF_WAITOK, &data), EINVAL);
	CHECK_EQ(mbuf_tag_allocate(m, id, 0, 0, MBUF_WAITOK, &data), EINVAL);
	CHECK_EQ(mbuf_tag_allocate(m, id, 0, 65536, MBUF_WAITOK, &data), EINVAL);
	CHECK_EQ(mbuf_tag_allocate(m, id, 0, 1, MBUF_WAITOK, NULL), EINVAL);
	CHECK_EQ(mbuf_tag_allocate(m, id, 0, 2025, MBUF_WAITOK, &data), ENOMEM);
	CHECK_EQ(mbuf_tag_allocate(m, id, 0, 65535, MBUF_DONTWAIT, &data), EWOULDBLOCK);
	fail_after(1);
	CHECK_EQ(mbuf_tag_allocate(m, id, 0, 8, MBUF_DONTWAIT, &data), EWOULDBLOCK);
	fail_after(1);
	CHECK_EQ(mbuf_tag_allocate(m, id, 0, 1000, MBUF_WAITOK, &data), ENOMEM);
	CHECK_EQ(mbuf_tag_allocate(m, id, 0, 8, MBUF_WAITOK, &data), 0);
	CHECK_EQ(mbuf_tag_allocate(m, id, 0, 9, MBUF_WAITOK, &data), EEXIST);
	data = &len;
	CHECK_EQ(mbuf_tag_find(m, id, 1, &len, &data), ENOENT);
	CHECK(len == 0 && data == NULL);
	CHECK_EQ(mbuf_tag_find(m, id, 0, NULL, &data), EINVAL);
	CHECK_EQ(mbuf_tag_find(m, id, 0, &len, NULL), EINVAL);
	CHECK_EQ(mbuf_tag_find(NULL, id, 0, &len, &data), EINVAL);
	CHECK_EQ(mbuf_tag_find(plain, id, 0, &len, &data), EINVAL);
	CHECK_EQ(mbuf_tag_find(m, 999, 0, &len, &data), EINVAL);
	mbuf_freem(plain);
	mbuf_freem(m);
}

KTEST_SUITE(mbuf_fields, T(setdata_stays_within_the_buffer), T(align_32_puts_data_at_the_end),
    T(align_32_without_room), T(adjustlen_stays_within_the_buffer), T(setnext_refuses_what_is_no_rest),
    T(settype_refuses_free), T(setflags_replaces_the_public_ones),
    T(turning_the_packet_header_on_and_off), T(copy_pkthdr_moves_tags_and_replaces_flags),
    T(pkthdr_lengths), T(a_header_field_of_a_plain_mbuf), T(vlan_tags),
    T(requested_and_performed_share_bits), T(segmentation_requests), T(traffic_classes),
    T(tag_ids_are_made_once), T(tags_of_every_length), T(tag_errors));
