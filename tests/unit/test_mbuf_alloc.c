/* Getting and freeing mbufs, clusters and packets; limits, failures, counters. */
#include "src/kern/mbuf_zone.h"
#include "tests/unit/mbuf_testing.h"

KTEST(a_new_mbuf_is_empty)
{
	mbuf_t m;

	CHECK_EQ(mbuf_get(MBUF_WAITOK, MBUF_TYPE_CONTROL, &m), 0);
	CHECK_EQ(mbuf_type(m), MBUF_TYPE_CONTROL);
	CHECK_EQ(mbuf_flags(m), 0);
	CHECK_EQ(mbuf_len(m), 0);
	CHECK_EQ(mbuf_maxlen(m), 224);
	CHECK_EQ(mbuf_pkthdr_len(m), 0);
	CHECK(mbuf_data(m) == mbuf_datastart(m));
	CHECK(mbuf_next(m) == NULL && mbuf_nextpkt(m) == NULL);
	CHECK_EQ(mbuf_leadingspace(m), 0);
	CHECK_EQ(mbuf_trailingspace(m), 224);
	CHECK(mbuf_free(m) == NULL);
}

KTEST(a_new_packet_header_is_clear)
{
	mbuf_t m, again;

	CHECK_EQ(mbuf_gethdr(MBUF_DONTWAIT, MBUF_TYPE_HEADER, &m), 0);
	CHECK_EQ(mbuf_flags(m), MBUF_PKTHDR);
	CHECK_EQ(mbuf_maxlen(m), 80);
	CHECK_EQ((char *)mbuf_data(m) - (char *)m, 176);
	memset(&m->m_pkthdr, 0xff, offsetof(struct pkthdr, tags));
	m->m_pkthdr.timestamp = 1;
	mbuf_freem(m);
	/* LIFO: the same one, clean again. */
	CHECK_EQ(mbuf_gethdr(MBUF_DONTWAIT, MBUF_TYPE_HEADER, &again), 0);
	CHECK(again == m);
	CHECK_EQ(mbuf_pkthdr_len(m), 0);
	CHECK(mbuf_pkthdr_rcvif(m) == NULL && mbuf_pkthdr_header(m) == NULL);
	CHECK_EQ(m->m_pkthdr.csum_flags, 0);
	CHECK_EQ(m->m_pkthdr.timestamp, 0);
	CHECK(m->m_pkthdr.tags == NULL && m->m_pkthdr.origin == NULL);
	mbuf_freem(m);
}

KTEST(a_packet_has_a_cluster)
{
	mbuf_t m;

	CHECK_EQ(mbuf_getpacket(MBUF_WAITOK, &m), 0);
	CHECK_EQ(mbuf_flags(m), MBUF_PKTHDR | MBUF_EXT);
	CHECK_EQ(mbuf_maxlen(m), 2048);
	CHECK_EQ(mbuf_len(m) + mbuf_pkthdr_len(m), 0);
	CHECK_EQ((uintptr_t)mbuf_data(m) % 2048, 0);
	CHECK_EQ(mbuf_mclhasreference(m), 0);
	mbuf_freem(m);
}

KTEST(errors_tell_whether_the_caller_waited)
{
	mbuf_t m = (mbuf_t)&m;

	fail_after(1);
	CHECK_EQ(mbuf_get(MBUF_WAITOK, MBUF_TYPE_DATA, &m), ENOMEM);
	CHECK(m == NULL);
	m = (mbuf_t)&m;
	fail_after(1);
	CHECK_EQ(mbuf_gethdr(MBUF_DONTWAIT, MBUF_TYPE_DATA, &m), ENOMEM);
	CHECK(m == NULL);
	for (unsigned n = 1; n <= 2; n++) {
		m = (mbuf_t)&m;
		fail_after(n);
		CHECK_EQ(mbuf_getpacket(MBUF_WAITOK, &m), ENOMEM);
		CHECK(m == NULL);
		m = (mbuf_t)&m;
		fail_after(n);
		CHECK_EQ(mbuf_getpacket(MBUF_DONTWAIT, &m), EWOULDBLOCK);
		CHECK(m == NULL);
	}
	CHECK_EQ(memory_now().mbufs, 0);
	CHECK_EQ(memory_now().mbuf_denied, 6);
}

KTEST(free_returns_the_rest)
{
	struct mbuf *m = two_pieces(10, 20);
	struct mbuf *rest = mbuf_next(m);

	CHECK(mbuf_free(m) == rest);
	CHECK(mbuf_free(rest) == NULL);
	mbuf_freem(NULL);
	CHECK_EQ(mbuf_freem_list(NULL), 0);
}

KTEST(a_list_is_freed_and_counted)
{
	struct mbuf *a = two_pieces(10, 20), *b = two_pieces(1, 2), *c = piece(true, 0, 1, 4096);

	mbuf_setnextpkt(a, b);
	mbuf_setnextpkt(b, c);
	CHECK_EQ(mbuf_freem_list(a), 3);
	CHECK_EQ(memory_now().mbufs, 0);
	CHECK_EQ(memory_now().clusters, 0);
	CHECK_EQ(memory_now().mbuf_bytes, 0);
}

KTEST(freem_leaves_the_next_packet)
{
	struct mbuf *a = piece(true, 0, 5, 0), *b = piece(true, 0, 7, 0);

	mbuf_setnextpkt(a, b);
	mbuf_freem(a);
	CHECK_EQ(mbuf_len(b), 7);
	mbuf_freem(b);
}

/* ---- clusters ----------------------------------------------------------------------------- */

KTEST(raw_clusters_are_rounded_up)
{
	static const size_t sizes[][2] = {{1, 2048}, {2048, 2048}, {2049, 4096}, {4097, 16384},
	    {16384, 16384}};

	for (unsigned i = 0; i < 5; i++) {
		size_t size = sizes[i][0];
		caddr_t addr;

		CHECK_EQ(mbuf_alloccluster(MBUF_WAITOK, &size, &addr), 0);
		CHECK_EQ(size, sizes[i][1]);
		CHECK(mbuf_data_to_physical(addr) != 0);
		CHECK(mbuf_data_to_physical(addr + size - 1) == mbuf_data_to_physical(addr) + size - 1);
		memset(addr, 0xff, size);
		mbuf_freecluster(addr, size);
	}
	CHECK_EQ(memory_now().clusters, 0);
}

KTEST(raw_cluster_errors)
{
	size_t size = 0;
	caddr_t addr;

	CHECK_EQ(mbuf_alloccluster(MBUF_WAITOK, &size, &addr), EINVAL);
	CHECK_EQ(mbuf_alloccluster(MBUF_WAITOK, NULL, &addr), EINVAL);
	size = 1;
	CHECK_EQ(mbuf_alloccluster(MBUF_WAITOK, &size, NULL), EINVAL);
	size = 16385;
	CHECK_EQ(mbuf_alloccluster(MBUF_WAITOK, &size, &addr), ENOMEM);
	CHECK_EQ(size, 0);
	size = 100;
	fail_after(1);
	CHECK_EQ(mbuf_alloccluster(MBUF_DONTWAIT, &size, &addr), ENOMEM);
	CHECK_EQ(mbuf_data_to_physical(&size), 0);
}

KTEST_PANICS(a_cluster_freed_with_another_size_is_named, "has 2047 bytes; clusters have")
{
	size_t size = 2048;
	caddr_t addr;

	CHECK_EQ(mbuf_alloccluster(MBUF_WAITOK, &size, &addr), 0);
	mbuf_freecluster(addr, 2047);
}

KTEST_PANICS(a_cluster_freed_twice_is_named, "freed twice")
{
	size_t size = 4096;
	caddr_t addr;

	CHECK_EQ(mbuf_alloccluster(MBUF_WAITOK, &size, &addr), 0);
	mbuf_freecluster(addr, size);
	mbuf_freecluster(addr, size);
}

KTEST_PANICS(an_mbufs_cluster_is_not_a_raw_one, "belongs to an mbuf")
{
	size_t size = 2048;
	caddr_t addr;
	mbuf_t m;

	CHECK_EQ(mbuf_alloccluster(MBUF_WAITOK, &size, &addr), 0);
	mbuf_freecluster(addr, size);
	/* The same one, now not by itself. */
	CHECK_EQ(mbuf_getpacket(MBUF_WAITOK, &m), 0);
	CHECK(mbuf_datastart(m) == addr);
	mbuf_freecluster(addr, size);
}

KTEST_PANICS(memory_that_is_no_cluster_is_named, "is not a cluster of 2048 bytes")
{
	char buf[16];

	mbuf_freecluster(buf, 2048);
}

KTEST(getcluster_makes_an_mbuf_or_takes_one)
{
	mbuf_t m = NULL, given = piece(true, 0, 10, 0);

	CHECK_EQ(mbuf_getcluster(MBUF_WAITOK, MBUF_TYPE_DATA, 16384, &m), 0);
	CHECK_EQ(mbuf_flags(m), MBUF_EXT);
	CHECK_EQ(mbuf_maxlen(m), 16384);
	mbuf_freem(m);
	m = given;
	CHECK_EQ(mbuf_mclget(MBUF_WAITOK, MBUF_TYPE_DATA, &m), 0);
	CHECK(m == given);
	CHECK_EQ(mbuf_flags(m), MBUF_EXT | MBUF_PKTHDR);
	CHECK_EQ(mbuf_maxlen(m), 2048);
	/* Another size: the old one goes. */
	CHECK_EQ(mbuf_getcluster(MBUF_WAITOK, MBUF_TYPE_DATA, 4096, &m), 0);
	CHECK_EQ(mbuf_maxlen(m), 4096);
	CHECK_EQ(memory_now().clusters, 1);
	CHECK_EQ(mbuf_setdata(m, (char *)mbuf_datastart(m) + 9, 1), 0);
	CHECK_EQ(mbuf_getcluster(MBUF_WAITOK, MBUF_TYPE_DATA, 4096, &m), 0);
	CHECK(mbuf_data(m) == mbuf_datastart(m));
	mbuf_freem(m);
}

KTEST(getcluster_errors)
{
	mbuf_t m = NULL;

	CHECK_EQ(mbuf_getcluster(MBUF_WAITOK, MBUF_TYPE_DATA, 2048, NULL), EINVAL);
	CHECK_EQ(mbuf_getcluster(MBUF_WAITOK, MBUF_TYPE_DATA, 1024, &m), EINVAL);
	CHECK_EQ(mbuf_mclget(MBUF_WAITOK, MBUF_TYPE_DATA, NULL), EINVAL);
	for (unsigned n = 1; n <= 2; n++) {
		fail_after(n);
		CHECK_EQ(mbuf_getcluster(MBUF_WAITOK, MBUF_TYPE_DATA, 2048, &m), ENOMEM);
		CHECK(m == NULL);
	}
	/* A supplied mbuf survives, with its data. */
	m = piece(false, 0, 30, 0);
	fail_after(1);
	CHECK_EQ(mbuf_mclget(MBUF_DONTWAIT, MBUF_TYPE_DATA, &m), ENOMEM);
	CHECK(has_pattern(m, 0, 30));
	mbuf_freem(m);
}

/* ---- foreign storage ---------------------------------------------------------------------- */

static unsigned freed_count;
static caddr_t freed_buf, freed_arg;
static u_int freed_size;

static void
foreign_free(caddr_t buf, u_int size, caddr_t arg)
{
	freed_count++;
	freed_buf = buf;
	freed_size = size;
	freed_arg = arg;
}

KTEST(foreign_storage_is_given_back_once)
{
	char buf[100];
	mbuf_t m = NULL, copy;

	freed_count = 0;
	CHECK_EQ(mbuf_attachcluster(MBUF_WAITOK, MBUF_TYPE_DATA, &m, buf, foreign_free, sizeof buf,
	    buf + 1), 0);
	CHECK_EQ(mbuf_flags(m), MBUF_EXT | MBUF_PKTHDR);
	CHECK_EQ(mbuf_maxlen(m), 100);
	CHECK(mbuf_data(m) == buf && mbuf_len(m) == 0);
	/* Not ours to write in: no space, though there is. */
	mbuf_setlen(m, 50);
	CHECK_EQ(mbuf_trailingspace(m), 0);
	CHECK_EQ(mbuf_leadingspace(m), 0);
	CHECK_EQ(mbuf_mclhasreference(m), 0);
	CHECK_EQ(mbuf_copym(m, 10, 20, MBUF_WAITOK, &copy), 0);
	CHECK_EQ(mbuf_mclhasreference(m), 1);
	CHECK(mbuf_data(copy) == buf + 10);
	mbuf_freem(m);
	CHECK_EQ(freed_count, 0);
	mbuf_freem(copy);
	CHECK_EQ(freed_count, 1);
	CHECK(freed_buf == buf && freed_size == 100 && freed_arg == buf + 1);
}

KTEST(attaching_releases_what_was_there)
{
	char a[10], b[20];
	mbuf_t m = NULL, given;

	freed_count = 0;
	CHECK_EQ(mbuf_getpacket(MBUF_WAITOK, &m), 0);
	given = m;
	CHECK_EQ(mbuf_attachcluster(MBUF_WAITOK, MBUF_TYPE_DATA, &m, a, foreign_free, sizeof a, NULL), 0);
	CHECK(m == given);
	CHECK_EQ(memory_now().clusters, 0);
	CHECK_EQ(mbuf_attachcluster(MBUF_WAITOK, MBUF_TYPE_DATA, &m, b, foreign_free, sizeof b, NULL), 0);
	CHECK_EQ(freed_count, 1);
	CHECK(freed_buf == a);
	/* And a cluster of the zone's own drives foreign storage out. */
	CHECK_EQ(mbuf_mclget(MBUF_WAITOK, MBUF_TYPE_DATA, &m), 0);
	CHECK_EQ(freed_count, 2);
	mbuf_freem(m);
	CHECK_EQ(freed_count, 2);
}

KTEST(attachcluster_errors)
{
	char buf[10];
	mbuf_t m = NULL;

	freed_count = 0;
	CHECK_EQ(mbuf_attachcluster(MBUF_WAITOK, MBUF_TYPE_DATA, NULL, buf, foreign_free, 10, NULL), EINVAL);
	CHECK_EQ(mbuf_attachcluster(MBUF_WAITOK, MBUF_TYPE_DATA, &m, NULL, foreign_free, 10, NULL), EINVAL);
	CHECK_EQ(mbuf_attachcluster(MBUF_WAITOK, MBUF_TYPE_DATA, &m, buf, NULL, 10, NULL), EINVAL);
	CHECK_EQ(mbuf_attachcluster(MBUF_WAITOK, MBUF_TYPE_DATA, &m, buf, foreign_free, 0, NULL), EINVAL);
	fail_after(1);
	CHECK_EQ(mbuf_attachcluster(MBUF_WAITOK, MBUF_TYPE_DATA, &m, buf, foreign_free, 10, NULL), ENOMEM);
	CHECK(m == NULL);
	/* The mbuf that was given is gone, the buffer stays the caller's. */
	m = piece(true, 0, 1, 0);
	fail_after(1);
	CHECK_EQ(mbuf_attachcluster(MBUF_WAITOK, MBUF_TYPE_DATA, &m, buf, foreign_free, 10, NULL), ENOMEM);
	CHECK(m == NULL);
	CHECK_EQ(freed_count, 0);
	CHECK_EQ(memory_now().mbufs, 0);
}

static void
free_raw(caddr_t buf, u_int size, caddr_t arg)
{
	(void)arg;
	mbuf_freecluster(buf, size);
}

KTEST(a_raw_cluster_may_be_attached)
{
	size_t size = 2048;
	caddr_t addr;
	mbuf_t m = NULL;

	CHECK_EQ(mbuf_alloccluster(MBUF_WAITOK, &size, &addr), 0);
	CHECK_EQ(mbuf_attachcluster(MBUF_WAITOK, MBUF_TYPE_DATA, &m, addr, free_raw, size, NULL), 0);
	CHECK_EQ(memory_now().clusters, 1);
	mbuf_freem(m);
	CHECK_EQ(memory_now().clusters, 0);
}

/* ---- packets of a size -------------------------------------------------------------------- */

KTEST(allocpacket_layouts)
{
	/* length; limit in; pieces out; capacity of the first and of the last */
	static const struct {
		size_t len;
		unsigned limit, chunks;
		size_t first, last;
	} rows[] = {
		{1, 0, 1, 80, 80}, {80, 0, 1, 80, 80}, {81, 0, 2, 80, 224}, {304, 2, 2, 80, 224},
		{81, 1, 1, 2048, 2048}, {304, 1, 1, 2048, 2048}, {305, 0, 1, 2048, 2048},
		{2048, 0, 1, 2048, 2048}, {2049, 0, 1, 4096, 4096}, {4096, 1, 1, 4096, 4096},
		{4097, 0, 1, 16384, 16384}, {16384, 0, 1, 16384, 16384}, {16385, 0, 2, 16384, 2048},
		{19000, 0, 2, 16384, 4096}, {32768, 0, 2, 16384, 16384}, {40000, 3, 3, 16384, 16384},
	};

	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		unsigned chunks = rows[i].limit, n = 0;
		size_t room = 0;
		mbuf_t m, last = NULL;

		CHECK_EQ(mbuf_allocpacket(MBUF_WAITOK, rows[i].len, &chunks, &m), 0);
		CHECK_EQ(chunks, rows[i].chunks);
		CHECK_EQ(mbuf_maxlen(m), rows[i].first);
		for (mbuf_t p = m; p != NULL; p = mbuf_next(p), n++) {
			CHECK_EQ(mbuf_len(p), 0);
			CHECK_EQ((mbuf_flags(p) & MBUF_PKTHDR) != 0, p == m);
			room += mbuf_maxlen(p);
			last = p;
		}
		CHECK_EQ(n, chunks);
		CHECK_EQ(mbuf_maxlen(last), rows[i].last);
		CHECK(room >= rows[i].len);
		CHECK_EQ(mbuf_pkthdr_len(m), 0);
		mbuf_freem(m);
	}
}

KTEST(allocpacket_errors)
{
	unsigned chunks = 1;
	mbuf_t m;

	CHECK_EQ(mbuf_allocpacket(MBUF_WAITOK, 0, NULL, &m), EINVAL);
	CHECK_EQ(mbuf_allocpacket(MBUF_WAITOK, 16385, &chunks, &m), ENOBUFS);
	CHECK_EQ(chunks, 1);
	CHECK(m == NULL);
	for (unsigned n = 1; n <= 4; n++) {
		fail_after(n);
		CHECK_EQ(mbuf_allocpacket(MBUF_DONTWAIT, 20000, NULL, &m), ENOMEM);
		CHECK(m == NULL);
	}
	/* More than there is: an error, not a crash, and nothing stays. */
	fail_after(0);
	CHECK_EQ(mbuf_allocpacket(MBUF_WAITOK, (size_t)1 << 40, NULL, &m), ENOMEM);
	CHECK_EQ(memory_now().mbufs, 0);
}

KTEST(packet_lists_are_all_or_nothing)
{
	unsigned chunks = 0;
	mbuf_t m;

	CHECK_EQ(mbuf_allocpacket_list(0, MBUF_WAITOK, 1, NULL, &m), EINVAL);
	CHECK_EQ(mbuf_allocpacket_list(1, MBUF_WAITOK, 0, NULL, &m), EINVAL);
	CHECK_EQ(mbuf_allocpacket_list(5, MBUF_WAITOK, 3000, &chunks, &m), 0);
	CHECK_EQ(chunks, 1);
	CHECK_EQ(memory_now().mbufs, 5);
	CHECK_EQ(mbuf_freem_list(m), 5);
	fail_after(8);
	CHECK_EQ(mbuf_allocpacket_list(5, MBUF_WAITOK, 3000, &chunks, &m), ENOMEM);
	CHECK(m == NULL);
	CHECK_EQ(memory_now().mbufs, 0);
}

/* ---- limits and counters ------------------------------------------------------------------ */

KTEST(the_limit_is_exact_and_recoverable)
{
	struct mbuf *list = NULL, *m;
	unsigned n;

	curmachine()->mbufs->limit = 10 * (256 + 2048) + 100;
	for (n = 0; mbuf_getpacket(MBUF_DONTWAIT, &m) == 0; n++) {
		m->m_nextpkt = list;
		list = m;
	}
	CHECK_EQ(n, 10);
	CHECK_EQ(memory_now().mbuf_denied, 1);
	CHECK_EQ(memory_now().mbuf_peak_bytes, 10 * (256 + 2048));
	m = list;
	list = m->m_nextpkt;
	m->m_nextpkt = NULL;
	mbuf_freem(m);
	CHECK_EQ(mbuf_getpacket(MBUF_DONTWAIT, &m), 0);
	mbuf_freem(m);
	CHECK_EQ(mbuf_freem_list(list), 9);
	CHECK_EQ(memory_now().mbuf_bytes, 0);
}

KTEST(more_than_a_slab_of_everything)
{
	struct mbuf *list = NULL, *m;

	for (unsigned i = 0; i < 600; i++) {
		m = piece(true, i, 60, i % 3 == 0 ? 2048 : i % 3 == 1 ? 4096 : 16384);
		mbuf_setnextpkt(m, list);
		list = m;
	}
	for (unsigned i = 600; i-- != 0; list = m) {
		m = list->m_nextpkt;
		CHECK(has_pattern(list, i, 60));
		mbuf_freem(list);
	}
	CHECK_EQ(memory_now().clusters, 0);
}

KTEST(statistics_follow)
{
	struct mbuf *a = piece(true, 0, 1, 2048), *b = piece(false, 0, 1, 4096);
	struct mbuf_stat st;
	mbuf_t copy;

	CHECK_EQ(mbuf_settype(b, MBUF_TYPE_OOBDATA), 0);
	fail_after(1);
	CHECK_EQ(mbuf_dup(a, MBUF_WAITOK, &copy), ENOMEM);
	mbuf_stats(&st);
	CHECK_EQ(st.mbufs, 2);
	CHECK_EQ(st.mtypes[MBUF_TYPE_DATA], 1);
	CHECK_EQ(st.mtypes[MBUF_TYPE_OOBDATA], 1);
	CHECK_EQ(st.mtypes[MBUF_TYPE_FREE], 0);
	CHECK_EQ(st.clusters, 1);
	CHECK_EQ(st.clfree, 0);
	CHECK_EQ(st.bigclusters, 1);
	CHECK_EQ(st.drops, 1);
	CHECK_EQ(st.mcfail, 1);
	CHECK_EQ(st.msize, 256);
	CHECK_EQ(st.mclbytes, 2048);
	CHECK_EQ(st.bigmclbytes, 4096);
	CHECK_EQ(st.minclsize, 304);
	CHECK_EQ(st.mlen, 224);
	CHECK_EQ(st.mhlen, 80);
	mbuf_freem(a);
	mbuf_freem(b);
	mbuf_stats(&st);
	CHECK_EQ(st.mbufs, 2);
	CHECK_EQ(st.mtypes[MBUF_TYPE_FREE], 2);
	CHECK_EQ(st.mtypes[MBUF_TYPE_OOBDATA], 0);
	CHECK_EQ(st.clfree, 1);
	CHECK_EQ(mbuf_get_mlen(), 224);
	CHECK_EQ(mbuf_get_mhlen(), 80);
	CHECK_EQ(mbuf_get_minclsize(), 304);
}

KTEST_SUITE(mbuf_alloc, T(a_new_mbuf_is_empty), T(a_new_packet_header_is_clear),
    T(a_packet_has_a_cluster), T(errors_tell_whether_the_caller_waited), T(free_returns_the_rest),
    T(a_list_is_freed_and_counted), T(freem_leaves_the_next_packet), T(raw_clusters_are_rounded_up),
    T(raw_cluster_errors), T(a_cluster_freed_with_another_size_is_named),
    T(a_cluster_freed_twice_is_named), T(an_mbufs_cluster_is_not_a_raw_one),
    T(memory_that_is_no_cluster_is_named), T(getcluster_makes_an_mbuf_or_takes_one),
    T(getcluster_errors), T(foreign_storage_is_given_back_once), T(attaching_releases_what_was_there),
    T(attachcluster_errors), T(a_raw_cluster_may_be_attached), T(allocpacket_layouts),
    T(allocpacket_errors), T(packet_lists_are_all_or_nothing), T(the_limit_is_exact_and_recoverable),
    T(more_than_a_slab_of_everything), T(statistics_follow));
