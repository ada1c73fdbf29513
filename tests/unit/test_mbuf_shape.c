/* Copying, cutting, joining, making contiguous: each row of the interface's table. */
#include "src/kern/heap.h"
#include "tests/unit/mbuf_testing.h"

/* A chain without header: three mbufs of 100 bytes of the pattern, the second in a cluster. */
static struct mbuf *
three_pieces(bool header)
{
	struct mbuf *m = piece(header, 0, header ? 70 : 100, 0);
	size_t first = mbuf_len(m);
	struct mbuf *b = piece(false, first, 100, 2048), *c = piece(false, first + 100, 100, 0);

	CHECK_EQ(mbuf_setnext(b, c), 0);
	CHECK_EQ(mbuf_setnext(m, b), 0);
	if (header)
		mbuf_pkthdr_setlen(m, first + 200);
	return m;
}

/* ---- copym, dup --------------------------------------------------------------------------- */

KTEST(copym_shares_clusters_and_copies_the_rest)
{
	struct mbuf *m = three_pieces(true), *copy;

	m->m_pkthdr.packet_number = 42;
	m->m_pkthdr.origin = (struct pkt_origin *)(void *)&copy;
	CHECK_EQ(mbuf_setflags_mask(m, MBUF_BCAST, MBUF_BCAST), 0);
	CHECK_EQ(mbuf_copym(m, 0, MBUF_COPYALL, MBUF_WAITOK, &copy), 0);
	CHECK(has_pattern(copy, 0, 270));
	CHECK_EQ(mbuf_pkthdr_len(copy), 270);
	CHECK_EQ(mbuf_flags(copy), MBUF_PKTHDR | MBUF_BCAST);
	CHECK(mbuf_data(mbuf_next(copy)) == mbuf_data(mbuf_next(m)));
	CHECK(mbuf_data(copy) != mbuf_data(m));
	CHECK_EQ(mbuf_mclhasreference(mbuf_next(m)), 1);
	CHECK_EQ(mbuf_trailingspace(mbuf_next(m)), 0);
	CHECK_EQ(copy->m_pkthdr.packet_number, 42);
	CHECK(copy->m_pkthdr.origin == NULL && m->m_pkthdr.origin != NULL);
	mbuf_freem(copy);
	/* The mark stays, the space is back. */
	CHECK_EQ(mbuf_mclhasreference(mbuf_next(m)), 1);
	CHECK_EQ(mbuf_trailingspace(mbuf_next(m)), 1948);
	CHECK(has_pattern(m, 0, 270));
	mbuf_freem(m);
}

KTEST(copym_of_a_part)
{
	struct mbuf *m = three_pieces(true), *copy;

	CHECK_EQ(mbuf_copym(m, 60, 120, MBUF_DONTWAIT, &copy), 0);
	CHECK(has_pattern(copy, 60, 120));
	CHECK_EQ(mbuf_flags(copy) & MBUF_PKTHDR, 0);
	mbuf_freem(copy);
	CHECK_EQ(mbuf_copym(m, 0, 65, MBUF_DONTWAIT, &copy), 0);
	CHECK(has_pattern(copy, 0, 65));
	CHECK_EQ(mbuf_pkthdr_len(copy), 65);
	mbuf_freem(copy);
	CHECK_EQ(mbuf_copym(m, 250, MBUF_COPYALL, MBUF_DONTWAIT, &copy), 0);
	CHECK(has_pattern(copy, 250, 20));
	mbuf_freem(copy);
	mbuf_freem(m);
}

KTEST(copym_of_nothing)
{
	struct mbuf *m = three_pieces(true), *copy;

	CHECK_EQ(mbuf_copym(m, 0, 0, MBUF_WAITOK, &copy), ENOMEM);
	CHECK(copy == NULL);
	CHECK_EQ(mbuf_copym(m, 270, MBUF_COPYALL, MBUF_WAITOK, &copy), ENOMEM);
	mbuf_freem(m);
}

KTEST(copym_copies_tags_from_the_start_only)
{
	struct mbuf *m = three_pieces(true), *copy;
	mbuf_tag_id_t id;
	size_t len;
	void *data, *found;

	CHECK_EQ(mbuf_tag_id_find("org.example.tag", &id), 0);
	CHECK_EQ(mbuf_tag_allocate(m, id, 1, 8, MBUF_WAITOK, &data), 0);
	memcpy(data, "12345678", 8);
	CHECK_EQ(mbuf_tag_allocate(m, id, 2, 1000, MBUF_WAITOK, &data), 0);
	CHECK_EQ(mbuf_copym(m, 0, 100, MBUF_WAITOK, &copy), 0);
	CHECK_EQ(mbuf_tag_find(copy, id, 1, &len, &found), 0);
	CHECK(len == 8 && memcmp(found, "12345678", 8) == 0);
	CHECK_EQ(mbuf_tag_find(copy, id, 2, &len, &found), 0);
	CHECK(len == 1000 && found != data);
	mbuf_freem(copy);
	/* Every allocation of the copy fails once; nothing stays. */
	for (unsigned n = 1; n <= 4; n++) {
		uint64_t before = memory_now().mbuf_bytes;

		fail_after(n);
		CHECK_EQ(mbuf_copym(m, 0, 100, MBUF_WAITOK, &copy), ENOMEM);
		CHECK_EQ(memory_now().mbuf_bytes, before);
	}
	mbuf_freem(m);
	CHECK_EQ(memory_now().clusters, 0);
}

KTEST_PANICS(copym_beyond_the_end, "copy of 21 bytes from offset 250")
{
	struct mbuf *m = three_pieces(true), *copy;

	(void)mbuf_copym(m, 250, 21, MBUF_WAITOK, &copy);
}

KTEST_PANICS(copym_from_beyond_the_end, "from offset 271: it has 270 bytes")
{
	struct mbuf *m = three_pieces(true), *copy;

	(void)mbuf_copym(m, 271, MBUF_COPYALL, MBUF_WAITOK, &copy);
}

KTEST(dup_shares_nothing_and_keeps_the_layout)
{
	struct mbuf *m = three_pieces(true), *copy;

	CHECK_EQ(mbuf_setdata(mbuf_next(m), (char *)mbuf_data(mbuf_next(m)) + 10, 90), 0);
	CHECK_EQ(mbuf_set_vlan_tag(m, 7), 0);
	CHECK_EQ(mbuf_dup(m, MBUF_WAITOK, &copy), 0);
	for (struct mbuf *a = m, *b = copy; a != NULL || b != NULL; a = mbuf_next(a), b = mbuf_next(b)) {
		CHECK(a != NULL && b != NULL);
		CHECK_EQ(mbuf_len(b), mbuf_len(a));
		CHECK_EQ(mbuf_maxlen(b), mbuf_maxlen(a));
		CHECK_EQ(mbuf_leadingspace(b), mbuf_leadingspace(a));
		CHECK_EQ(memcmp(a->m_data, b->m_data, mbuf_len(a)), 0);
		CHECK(a->m_data != b->m_data);
		CHECK_EQ(mbuf_mclhasreference(a), 0);
	}
	CHECK_EQ(copy->m_pkthdr.vlan_tag, 7);
	mbuf_freem(copy);
	for (unsigned n = 1; n <= 4; n++) {
		uint64_t before = memory_now().mbuf_bytes;

		fail_after(n);
		CHECK_EQ(mbuf_dup(m, MBUF_DONTWAIT, &copy), ENOMEM);
		CHECK(copy == NULL);
		CHECK_EQ(memory_now().mbuf_bytes, before);
	}
	mbuf_freem(m);
}

static void
no_free(caddr_t buf, u_int size, caddr_t arg)
{
	(void)buf;
	(void)size;
	(void)arg;
}

KTEST(dup_of_large_foreign_storage)
{
	enum { LENGTH = 40000 };
	struct mbuf *m = NULL, *copy;
	char *buf = kalloc(curmachine(), LENGTH);

	for (size_t i = 0; i < LENGTH; i++)
		buf[i] = (char)pattern_at(i);
	CHECK_EQ(mbuf_attachcluster(MBUF_WAITOK, MBUF_TYPE_DATA, &m, buf, no_free, LENGTH, NULL), 0);
	mbuf_setlen(m, LENGTH);
	mbuf_pkthdr_setlen(m, LENGTH);
	CHECK_EQ(mbuf_dup(m, MBUF_WAITOK, &copy), 0);
	mbuf_freem(m);
	kfree(curmachine(), buf);
	CHECK(has_pattern(copy, 0, LENGTH));
	CHECK_EQ(mbuf_pkthdr_len(copy), LENGTH);
	CHECK_EQ(mbuf_flags(mbuf_next(copy)) & MBUF_PKTHDR, 0);
	mbuf_freem(copy);
}

/* ---- prepend ------------------------------------------------------------------------------ */

KTEST(prepend_uses_the_space_in_front)
{
	struct mbuf *m = piece(true, 0, 100, 2048), *given = m;

	mbuf_adj(m, 30);
	CHECK_EQ(mbuf_prepend(&m, 30, MBUF_WAITOK), 0);
	CHECK(m == given);
	CHECK(has_pattern(m, 0, 100));
	CHECK_EQ(mbuf_pkthdr_len(m), 100);
	mbuf_freem(m);
}

KTEST(prepend_makes_room_and_moves_the_header)
{
	struct mbuf *m = three_pieces(true), *given = m;
	mbuf_tag_id_t id;
	size_t len;
	void *data, *found;

	CHECK_EQ(mbuf_tag_id_find("org.example.tag", &id), 0);
	CHECK_EQ(mbuf_tag_allocate(m, id, 1, 8, MBUF_WAITOK, &data), 0);
	m->m_pkthdr.packet_number = 9;
	m->m_pkthdr.origin = (struct pkt_origin *)(void *)&len;
	CHECK_EQ(mbuf_prepend(&m, 80, MBUF_DONTWAIT), 0);
	CHECK(m != given && mbuf_next(m) == given);
	CHECK_EQ(mbuf_len(m), 80);
	CHECK_EQ(mbuf_pkthdr_len(m), 350);
	CHECK_EQ(mbuf_flags(given) & MBUF_PKTHDR, 0);
	CHECK(has_pattern(given, 0, 270));
	CHECK_EQ(mbuf_tag_find(m, id, 1, &len, &found), 0);
	CHECK(found == data);
	CHECK_EQ(m->m_pkthdr.packet_number, 9);
	CHECK(m->m_pkthdr.origin == (struct pkt_origin *)(void *)&len);
	mbuf_freem(m);
}

KTEST(a_new_first_mbuf_keeps_the_list)
{
	struct mbuf *m = three_pieces(true), *next = piece(true, 0, 1, 0), *given = m;

	mbuf_setnextpkt(m, next);
	CHECK_EQ(mbuf_prepend(&m, 40, MBUF_WAITOK), 0);
	CHECK(mbuf_nextpkt(m) == next && mbuf_nextpkt(given) == NULL);
	mbuf_freem(m);
	m = piece(true, 0, 100, 2048);
	mbuf_setnextpkt(m, next);
	CHECK_EQ(mbuf_pullup(&m, 20), 0);
	CHECK(mbuf_nextpkt(m) == next && mbuf_nextpkt(mbuf_next(m)) == NULL);
	CHECK_EQ(mbuf_freem_list(m), 2);
}

KTEST(prepend_leaves_room_for_more)
{
	struct mbuf *m = piece(true, 0, 80, 0), *first;

	CHECK_EQ(mbuf_prepend(&m, 20, MBUF_WAITOK), 0);
	first = m;
	CHECK_EQ(mbuf_prepend(&m, 14, MBUF_WAITOK), 0);
	CHECK(m == first);
	CHECK_EQ(mbuf_len(m), 34);
	CHECK_EQ(mbuf_pkthdr_len(m), 114);
	mbuf_freem(m);
}

KTEST(prepend_does_not_write_into_a_shared_cluster)
{
	struct mbuf *m = piece(true, 0, 100, 2048), *copy, *given = m;

	mbuf_adj(m, 50);
	CHECK_EQ(mbuf_copym(m, 0, MBUF_COPYALL, MBUF_WAITOK, &copy), 0);
	CHECK_EQ(mbuf_prepend(&m, 10, MBUF_WAITOK), 0);
	CHECK(m != given);
	memset(mbuf_data(m), 0, 10);
	CHECK(has_pattern(copy, 50, 50));
	mbuf_freem(m);
	mbuf_freem(copy);
}

KTEST(prepend_frees_the_chain_when_it_fails)
{
	struct mbuf *m = three_pieces(true);

	fail_after(1);
	CHECK_EQ(mbuf_prepend(&m, 80, MBUF_WAITOK), ENOMEM);
	CHECK(m == NULL);
	CHECK_EQ(memory_now().mbufs, 0);
}

KTEST_PANICS(prepend_of_too_much_to_a_packet, "81 bytes prepended")
{
	struct mbuf *m = three_pieces(true);

	(void)mbuf_prepend(&m, 81, MBUF_WAITOK);
}

KTEST_PANICS(prepend_of_too_much_to_a_chain, "225 bytes prepended")
{
	struct mbuf *m = three_pieces(false);

	CHECK_EQ(mbuf_prepend(&m, 224, MBUF_WAITOK), 0);
	CHECK_EQ(mbuf_len(m), 224);
	(void)mbuf_prepend(&m, 225, MBUF_WAITOK);
}

/* ---- split -------------------------------------------------------------------------------- */

KTEST(split_everywhere)
{
	for (int header = 0; header < 2; header++) {
		size_t total = header ? 270 : 300;

		for (size_t at = 0; at <= total; at++) {
			struct mbuf *m = three_pieces(header), *tail;
			errno_t error;

			if (header)
				CHECK_EQ(mbuf_pkthdr_setrcvif(m, (ifnet_t)(void *)&error), 0);
			error = mbuf_split(m, at, MBUF_WAITOK, &tail);
			if (!header && at == total) {
				CHECK_EQ(error, ENOMEM);
				CHECK(tail == NULL);
			} else {
				CHECK_EQ(error, 0);
				CHECK(has_pattern(tail, at, total - at));
				CHECK_EQ((mbuf_flags(tail) & MBUF_PKTHDR) != 0, header);
			}
			CHECK(has_pattern(m, 0, at));
			if (header) {
				CHECK_EQ(mbuf_pkthdr_len(m), at);
				CHECK_EQ(mbuf_pkthdr_len(tail), total - at);
				CHECK(mbuf_pkthdr_rcvif(tail) == (ifnet_t)(void *)&error);
			}
			mbuf_freem(m);
			mbuf_freem(tail);
		}
	}
}

KTEST(split_shares_the_cluster_and_drops_the_rest_of_the_header)
{
	struct mbuf *m = piece(true, 0, 1000, 2048), *tail;
	mbuf_tag_id_t id;
	size_t len;
	void *data;

	CHECK_EQ(mbuf_tag_id_find("org.example.tag", &id), 0);
	CHECK_EQ(mbuf_tag_allocate(m, id, 1, 8, MBUF_WAITOK, &data), 0);
	CHECK_EQ(mbuf_set_vlan_tag(m, 7), 0);
	CHECK_EQ(mbuf_set_csum_performed(m, MBUF_CSUM_DID_IP, 5), 0);
	m->m_pkthdr.origin = (struct pkt_origin *)(void *)&len;
	CHECK_EQ(mbuf_split(m, 300, MBUF_WAITOK, &tail), 0);
	CHECK(mbuf_data(tail) == (char *)mbuf_data(m) + 300);
	CHECK_EQ(mbuf_mclhasreference(m) + mbuf_mclhasreference(tail), 2);
	CHECK_EQ(mbuf_tag_find(tail, id, 1, &len, &data), ENOENT);
	CHECK_EQ(mbuf_tag_find(m, id, 1, &len, &data), 0);
	CHECK_EQ(tail->m_pkthdr.csum_flags, 0);
	CHECK(tail->m_pkthdr.origin == NULL);
	mbuf_freem(m);
	CHECK(has_pattern(tail, 300, 700));
	mbuf_freem(tail);
}

KTEST(split_fails_without_harm)
{
	struct mbuf *m = three_pieces(true), *tail;

	CHECK_EQ(mbuf_split(m, 271, MBUF_WAITOK, &tail), ENOMEM);
	CHECK(tail == NULL);
	fail_after(1);
	CHECK_EQ(mbuf_split(m, 10, MBUF_WAITOK, &tail), ENOMEM);
	/* 100 bytes do not fit behind a packet header: a second mbuf, that fails. */
	fail_after(2);
	CHECK_EQ(mbuf_split(m, 171, MBUF_WAITOK, &tail), ENOMEM);
	CHECK(has_pattern(m, 0, 270));
	CHECK_EQ(memory_now().mbufs, 3);
	mbuf_freem(m);
}

/* ---- pullup, pulldown --------------------------------------------------------------------- */

KTEST(pullup_within_the_first_mbuf)
{
	struct mbuf *m = two_pieces(20, 100), *given = m;

	CHECK_EQ(mbuf_pullup(&m, 20), 0);
	CHECK(m == given && mbuf_len(m) == 20);
	CHECK_EQ(mbuf_pullup(&m, 60), 0);
	CHECK(m == given && mbuf_len(m) >= 60);
	CHECK(has_pattern(m, 0, 120));
	CHECK_EQ(mbuf_pullup(&m, 80), 0);
	CHECK(m == given && mbuf_len(m) == 80);
	CHECK_EQ(mbuf_pkthdr_len(m), 120);
	mbuf_freem(m);
}

KTEST(pullup_frees_what_it_empties)
{
	struct mbuf *m = two_pieces(20, 30);

	CHECK_EQ(mbuf_pullup(&m, 50), 0);
	CHECK(mbuf_next(m) == NULL);
	CHECK_EQ(memory_now().mbufs, 1);
	CHECK(has_pattern(m, 0, 50));
	mbuf_freem(m);
}

KTEST(pullup_of_a_cluster_or_the_only_mbuf_takes_a_new_one)
{
	struct mbuf *m = piece(true, 0, 100, 2048), *given = m;

	CHECK_EQ(mbuf_pullup(&m, 20), 0);
	CHECK(m != given && mbuf_next(m) == given);
	CHECK_EQ(mbuf_len(m), 20);
	CHECK(has_pattern(m, 0, 100));
	CHECK_EQ(mbuf_pkthdr_len(m), 100);
	CHECK_EQ(mbuf_flags(given) & MBUF_PKTHDR, 0);
	mbuf_freem(m);
	m = given = piece(true, 0, 50, 0);
	CHECK_EQ(mbuf_pullup(&m, 20), 0);
	CHECK(m != given);
	CHECK(has_pattern(m, 0, 50));
	mbuf_freem(m);
}

KTEST(pullup_limits)
{
	struct mbuf *m = piece(true, 0, 500, 2048);

	/* A new mbuf is needed: 80 and not more. */
	CHECK_EQ(mbuf_pullup(&m, 80), 0);
	mbuf_freem(m);
	m = piece(true, 0, 500, 2048);
	CHECK_EQ(mbuf_pullup(&m, 81), ENOMEM);
	CHECK(m == NULL);
	/* Without header, within the mbuf: 224 and not more. */
	m = piece(false, 0, 100, 0);
	CHECK_EQ(mbuf_setnext(m, piece(false, 100, 400, 2048)), 0);
	CHECK_EQ(mbuf_pullup(&m, 224), 0);
	CHECK(has_pattern(m, 0, 500));
	mbuf_freem(m);
	m = piece(false, 0, 100, 0);
	CHECK_EQ(mbuf_setnext(m, piece(false, 100, 400, 2048)), 0);
	CHECK_EQ(mbuf_pullup(&m, 225), ENOMEM);
	CHECK(m == NULL);
	CHECK_EQ(memory_now().mbufs, 0);
}

KTEST(pullup_frees_the_chain_when_it_fails)
{
	struct mbuf *m = two_pieces(20, 30);
	struct mbuf_stat st;

	CHECK_EQ(mbuf_pullup(&m, 51), ENOMEM);
	CHECK(m == NULL);
	m = piece(true, 0, 100, 2048);
	fail_after(1);
	CHECK_EQ(mbuf_pullup(&m, 20), ENOMEM);
	CHECK(m == NULL);
	CHECK_EQ(memory_now().mbufs, 0);
	mbuf_stats(&st);
	CHECK_EQ(st.mpfail, 2);
}

KTEST(pulldown_everywhere)
{
	for (size_t off = 0; off < 270; off++)
		for (size_t len = 1; off + len <= 270; len += 7) {
			struct mbuf *m = three_pieces(true), *at;
			size_t where = off;

			CHECK_EQ(mbuf_pulldown(m, &where, len, &at), 0);
			CHECK(where + len <= mbuf_len(at));
			for (size_t i = 0; i < len; i++)
				CHECK_EQ((uint8_t)at->m_data[where + i], pattern_at(off + i));
			CHECK(has_pattern(m, 0, 270));
			CHECK_EQ(mbuf_pkthdr_len(m), 270);
			mbuf_freem(m);
		}
}

KTEST(pulldown_does_not_write_into_shared_clusters)
{
	struct mbuf *m = three_pieces(true), *copy, *at;
	size_t off = 50;

	CHECK_EQ(mbuf_copym(m, 0, MBUF_COPYALL, MBUF_WAITOK, &copy), 0);
	CHECK_EQ(mbuf_pulldown(m, &off, 150, &at), 0);
	CHECK_EQ(off, 0);
	CHECK(has_pattern(copy, 0, 270));
	CHECK(has_pattern(m, 0, 270));
	mbuf_freem(copy);
	mbuf_freem(m);
}

KTEST(pulldown_frees_the_chain_when_it_fails)
{
	struct mbuf *m = three_pieces(true), *at;
	size_t off = 0;

	CHECK_EQ(mbuf_pulldown(m, &off, 271, &at), ENOMEM);
	CHECK(at == NULL);
	off = 270;
	CHECK_EQ(mbuf_pulldown(three_pieces(true), &off, 1, &at), ENOMEM);
	m = piece(true, 0, 4000, 4096);
	off = 0;
	CHECK_EQ(mbuf_pulldown(m, &off, 2049, &at), ENOMEM);
	/* A new mbuf and its cluster are needed. */
	for (unsigned n = 1; n <= 2; n++) {
		m = piece(true, 0, 1000, 2048);
		CHECK_EQ(mbuf_setdata(m, (char *)mbuf_datastart(m) + 1048, 1000), 0);
		CHECK_EQ(mbuf_setnext(m, piece(false, 1000, 400, 2048)), 0);
		off = 500;
		fail_after(n);
		CHECK_EQ(mbuf_pulldown(m, &off, 800, &at), ENOMEM);
		CHECK(at == NULL);
	}
	CHECK_EQ(memory_now().mbufs, 0);
	CHECK_EQ(memory_now().clusters, 0);
}

/* ---- adj, concatenate --------------------------------------------------------------------- */

KTEST(adj_trims_either_end)
{
	for (int n = -280; n <= 280; n++) {
		struct mbuf *m = three_pieces(true);
		size_t left = (size_t)(n < 0 ? -n : n) > 270 ? 0 : 270 - (size_t)(n < 0 ? -n : n);

		mbuf_adj(m, n);
		CHECK(has_pattern(m, n > 0 ? (size_t)n : 0, left));
		CHECK_EQ(mbuf_pkthdr_len(m), left);
		/* Empty mbufs stay. */
		CHECK(mbuf_next(m) != NULL && mbuf_next(mbuf_next(m)) != NULL);
		mbuf_freem(m);
	}
	mbuf_adj(NULL, 5);
}

KTEST(adj_takes_any_number)
{
	struct mbuf *m = three_pieces(false);

	mbuf_adj(m, -2147483647 - 1);
	CHECK_EQ(m_length(m), 0);
	mbuf_adj(m, 2147483647);
	mbuf_freem(m);
}

KTEST(concatenate_copies_what_is_small)
{
	struct mbuf *m = piece(true, 0, 20, 0), *tail = piece(false, 20, 60, 0), *more;

	CHECK(mbuf_concatenate(m, tail) == m);
	CHECK(mbuf_next(m) == NULL);
	CHECK_EQ(memory_now().mbufs, 1);
	CHECK_EQ(mbuf_pkthdr_len(m), 20);
	more = piece(false, 80, 10, 0);
	CHECK_EQ(mbuf_setnext(more, piece(false, 90, 300, 2048)), 0);
	CHECK(mbuf_concatenate(m, more) == m);
	CHECK(has_pattern(m, 0, 390));
	CHECK(mbuf_concatenate(NULL, m) == NULL);
	CHECK(mbuf_concatenate(m, NULL) == m);
	mbuf_freem(m);
}

/* ---- copydata, copyback ------------------------------------------------------------------- */

KTEST(copydata_reads_any_range)
{
	struct mbuf *m = three_pieces(true);
	uint8_t out[300];

	for (size_t off = 0; off <= 270; off += 3)
		for (size_t len = 0; off + len <= 270; len += 5) {
			CHECK_EQ(mbuf_copydata(m, off, len, out), 0);
			for (size_t i = 0; i < len; i++)
				CHECK_EQ(out[i], pattern_at(off + i));
		}
	CHECK_EQ(mbuf_copydata(m, 0, 271, out), EINVAL);
	CHECK_EQ(mbuf_copydata(m, 271, 0, out), EINVAL);
	CHECK_EQ(mbuf_copydata(m, 0, (size_t)INT32_MAX, out), EINVAL);
	CHECK_EQ(mbuf_copydata(m, (size_t)INT32_MAX, 1, out), EINVAL);
	mbuf_freem(m);
}

KTEST(copyback_overwrites_and_extends)
{
	uint8_t bytes[3000], out[4000];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 13);
	for (size_t off = 0; off < 600; off += 37)
		for (size_t len = 1; len < 3000; len += 411) {
			struct mbuf *m = three_pieces(true);
			size_t end = off + len > 270 ? off + len : 270;

			CHECK_EQ(mbuf_copyback(m, off, len, bytes, MBUF_WAITOK), 0);
			CHECK_EQ(mbuf_pkthdr_len(m), end);
			CHECK_EQ(m_length(m), end);
			CHECK_EQ(mbuf_copydata(m, 0, end, out), 0);
			CHECK_EQ(memcmp(out + off, bytes, len), 0);
			for (size_t i = 0; i < end; i++)
				if (i < off || i >= off + len)
					CHECK_EQ(out[i], i < 270 ? pattern_at(i) : 0);
			mbuf_freem(m);
		}
}

KTEST(copyback_errors)
{
	static const uint8_t bytes[1000];
	struct mbuf *m = two_pieces(80, 224);

	CHECK_EQ(mbuf_copyback(NULL, 0, 1, bytes, MBUF_WAITOK), EINVAL);
	CHECK_EQ(mbuf_copyback(m, 0, 0, bytes, MBUF_WAITOK), EINVAL);
	CHECK_EQ(mbuf_copyback(m, 0, 1, NULL, MBUF_WAITOK), EINVAL);
	CHECK_EQ(mbuf_copyback(m, (size_t)-1, 2, bytes, MBUF_WAITOK), EINVAL);
	fail_after(1);
	CHECK_EQ(mbuf_copyback(m, 300, 1000, bytes, MBUF_WAITOK), ENOBUFS);
	CHECK_EQ(mbuf_pkthdr_len(m), 304);
	/* No cluster: mbufs do. */
	fail_after(2);
	CHECK_EQ(mbuf_copyback(m, 300, 1000, bytes, MBUF_WAITOK), 0);
	CHECK_EQ(mbuf_pkthdr_len(m), 1300);
	mbuf_freem(m);
}

KTEST(copyback_writes_into_shared_clusters)
{
	struct mbuf *m = piece(true, 0, 100, 2048), *copy;

	CHECK_EQ(mbuf_copym(m, 0, MBUF_COPYALL, MBUF_WAITOK, &copy), 0);
	CHECK_EQ(mbuf_copyback(m, 5, 3, "abc", MBUF_WAITOK), 0);
	CHECK_EQ(memcmp((char *)mbuf_data(copy) + 5, "abc", 3), 0);
	mbuf_freem(copy);
	mbuf_freem(m);
}

/* ---- what the core uses ------------------------------------------------------------------- */

KTEST(devget_makes_one_piece_when_it_can)
{
	static const size_t lengths[][2] = {{1, 1}, {66, 1}, {67, 1}, {2034, 1}, {2035, 1}, {4082, 1},
	    {4083, 1}, {16370, 1}, {16371, 2}, {40000, 3}, {0, 1}};
	uint8_t *bytes = kalloc(curmachine(), 40000);

	for (size_t i = 0; i < 40000; i++)
		bytes[i] = pattern_at(i);
	for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		struct mbuf *m = m_devget(curmachine(), bytes, lengths[i][0], 14);
		size_t n = 0;

		CHECK(m != NULL);
		CHECK(has_pattern(m, 0, lengths[i][0]));
		CHECK_EQ(mbuf_pkthdr_len(m), lengths[i][0]);
		CHECK(mbuf_leadingspace(m) >= 14);
		for (struct mbuf *p = m; p != NULL; p = mbuf_next(p))
			n++;
		CHECK_EQ(n, lengths[i][1]);
		mbuf_freem(m);
	}
	for (unsigned n = 1; n <= 6; n++) {
		fail_after(n);
		CHECK(m_devget(curmachine(), bytes, 40000, 14) == NULL);
	}
	CHECK_EQ(memory_now().mbufs, 0);
	kfree(curmachine(), bytes);
}

KTEST(touching_is_noticed_and_survives)
{
	struct mbuf *m = m_devget(curmachine(), "0123456789", 10, 14), *copy;

	CHECK(!m_touched(m));
	CHECK_EQ(mbuf_len(m), 10);
	CHECK(!m_touched(m));
	CHECK(m_copydata(m, 0, 10, (char[10]){0}) == 0);
	CHECK(!m_touched(m));
	(void)mbuf_data(m);
	CHECK(m_touched(m));
	m->m_flags &= (uint16_t)~M_TOUCHED;
	m = m_prepend(m, 4, MBUF_WAITOK);
	CHECK(!m_touched(m));
	mbuf_freem(m);
	/* Through a copy that shares the cluster, too. */
	m = m_devget(curmachine(), NULL, 1000, 14);
	CHECK(!m_touched(m));
	CHECK_EQ(mbuf_copym(m, 0, MBUF_COPYALL, MBUF_WAITOK, &copy), 0);
	CHECK(m_touched(m));
	mbuf_freem(copy);
	mbuf_freem(m);
	/* The mark goes where the bytes go. */
	m = two_pieces(20, 30);
	m->m_flags &= (uint16_t)~M_TOUCHED;
	(void)mbuf_data(mbuf_next(m));
	m = m_pullup(m, 50);
	CHECK(m_touched(m));
	mbuf_freem(m);
}

KTEST_SUITE(mbuf_shape, T(copym_shares_clusters_and_copies_the_rest), T(copym_of_a_part),
    T(copym_of_nothing), T(copym_copies_tags_from_the_start_only), T(copym_beyond_the_end),
    T(copym_from_beyond_the_end), T(dup_shares_nothing_and_keeps_the_layout),
    T(dup_of_large_foreign_storage), T(prepend_uses_the_space_in_front),
    T(prepend_makes_room_and_moves_the_header), T(a_new_first_mbuf_keeps_the_list),
    T(prepend_leaves_room_for_more),
    T(prepend_does_not_write_into_a_shared_cluster), T(prepend_frees_the_chain_when_it_fails),
    T(prepend_of_too_much_to_a_packet), T(prepend_of_too_much_to_a_chain), T(split_everywhere),
    T(split_shares_the_cluster_and_drops_the_rest_of_the_header), T(split_fails_without_harm),
    T(pullup_within_the_first_mbuf), T(pullup_frees_what_it_empties),
    T(pullup_of_a_cluster_or_the_only_mbuf_takes_a_new_one), T(pullup_limits),
    T(pullup_frees_the_chain_when_it_fails), T(pulldown_everywhere),
    T(pulldown_does_not_write_into_shared_clusters), T(pulldown_frees_the_chain_when_it_fails),
    T(adj_trims_either_end), T(adj_takes_any_number), T(concatenate_copies_what_is_small),
    T(copydata_reads_any_range), T(copyback_overwrites_and_extends), T(copyback_errors),
    T(copyback_writes_into_shared_clusters), T(devget_makes_one_piece_when_it_can),
    T(touching_is_noticed_and_survives));
