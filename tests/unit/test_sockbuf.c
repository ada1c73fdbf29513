/* src/kern/uipc_sockbuf.c: records, accounts, limits. */
#include "tests/unit/sock_testing.h"

static struct mbuf *
packet(const char *text)
{
	struct mbuf *m = m_devget(curmachine(), text, strlen(text), 0);

	CHECK(m != NULL);
	return m;
}

/* What the buffer's counters should say, counted anew. */
static void
check_counters(const struct sockbuf *sb)
{
	uint32_t cc = 0, ctl = 0, mbcnt = 0;
	const struct mbuf *last = NULL, *tail = NULL;

	for (const struct mbuf *r = sb->sb_mb; r != NULL; r = r->m_nextpkt) {
		last = r;
		for (const struct mbuf *m = r; m != NULL; m = m->m_next) {
			cc += (uint32_t)m->m_len;
			ctl += sb_counts_as_data(m) ? 0 : (uint32_t)m->m_len;
			mbcnt += sb_memory(m);
			tail = m;
		}
	}
	CHECK_EQ(sb->sb_cc, cc);
	CHECK_EQ(sb->sb_ctl, ctl);
	CHECK_EQ(sb->sb_mbcnt, mbcnt);
	CHECK(sb->sb_lastrecord == last);
	CHECK(sb->sb_mbtail == tail);
}

static const struct sockaddr from = {.sa_len = sizeof from, .sa_family = AF_LOCAL};

KTEST(a_stream_is_one_record_and_small_pieces_share_mbufs)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_STREAM);
	struct sockbuf *sb = &so->so_rcv;

	for (int i = 0; i < 50; i++)
		sbappendstream(sb, packet("abcd"));
	check_counters(sb);
	CHECK_EQ(sb->sb_cc, 200);
	CHECK(sb->sb_mb->m_nextpkt == NULL);
	CHECK(sb->sb_mbcnt <= 4 * MSIZE);
	sbdrop(sb, 7);
	check_counters(sb);
	CHECK_EQ(sb->sb_cc, 193);
	CHECK_EQ(*mtod(sb->sb_mb, char *), 'd');
	sbdrop(sb, 1000000);
	check_counters(sb);
	CHECK_EQ(sb->sb_cc, 0);
	soclose(so);
}

KTEST(a_shared_cluster_is_not_written_to)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_STREAM);
	struct mbuf *big = m_devget(curmachine(), NULL, 500, 0), *copy;

	memset(big->m_data, 'x', 500);
	copy = m_copym(big, 0, M_COPYALL, MBUF_DONTWAIT);
	sbappendstream(&so->so_rcv, big);
	sbappendstream(&so->so_rcv, packet("tail"));
	check_counters(&so->so_rcv);
	CHECK_EQ(so->so_rcv.sb_mb->m_len, 500);
	m_freem(copy);
	soclose(so);
}

KTEST(messages_are_records_with_their_senders)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_DGRAM);
	struct sockbuf *sb = &so->so_rcv;

	CHECK_EQ(sbappendaddr(sb, &from, packet("one"), NULL), 0);
	CHECK_EQ(sbappendaddr(sb, &from, NULL,
	    sbcreatecontrol(curmachine(), "time", 4, SCM_TIMESTAMP, SOL_SOCKET)), 0);
	CHECK_EQ(sbappendcontrol(sb, packet("three"), NULL), 0);
	CHECK(sbappendrecord(sb, packet("four")));
	check_counters(sb);
	CHECK_EQ(sb->sb_cc - sb->sb_ctl, 3 + 5 + 4);
	CHECK_EQ(sb->sb_mb->m_type, MBUF_TYPE_SONAME);
	CHECK_EQ(sb->sb_mb->m_nextpkt->m_next->m_type, MBUF_TYPE_CONTROL);
	sbdroprecord(sb);
	check_counters(sb);
	sbdroprecord(sb);
	check_counters(sb);
	CHECK_EQ(sb->sb_cc, 9);
	sbflush(sb);
	check_counters(sb);
	CHECK(sb->sb_mb == NULL);
	sbdroprecord(sb);
	soclose(so);
}

KTEST(what_does_not_fit_is_gone)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_DGRAM);

	CHECK_EQ(sbreserve(&so->so_rcv, 100), 0);
	CHECK_EQ(sbappendaddr(&so->so_rcv, &from, packet("0123456789012345678901234567890123456789"), NULL),
	    0);
	CHECK_EQ(sbspace(&so->so_rcv), 100 - 56);
	CHECK_EQ(sbappendaddr(&so->so_rcv, &from, packet("0123456789012345678901234567890123456789"), NULL),
	    ENOBUFS);
	CHECK_EQ(sbappendcontrol(&so->so_rcv, packet("0123456789012345678901234567890123456789"), NULL), 0);
	CHECK_EQ(sbappendcontrol(&so->so_rcv, packet("01234"), NULL), ENOBUFS);
	check_counters(&so->so_rcv);
	soclose(so);
}

/* A flood of tiny messages is bounded by memory, not only by bytes. */
KTEST(memory_is_limited_as_well_as_bytes)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_DGRAM);
	unsigned n = 0;

	CHECK_EQ(sbreserve(&so->so_rcv, 10000), 0);
	CHECK_EQ(so->so_rcv.sb_mbmax, 80000);
	while (sbappendaddr(&so->so_rcv, &from, packet("x"), NULL) == 0)
		n++;
	CHECK(n <= 80000 / (2 * MSIZE) + 1);
	CHECK(n > 100);
	CHECK_EQ(sbspace(&so->so_rcv), 0);
	soclose(so);
}

KTEST(limits_follow_kern_ipc_maxsockbuf)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_STREAM);
	uint32_t most = (uint64_t)SB_MAX_DEFAULT * MCLBYTES / (MSIZE + MCLBYTES);

	CHECK_EQ(sbreserve(&so->so_rcv, most + 1), ENOBUFS);
	CHECK_EQ(sbreserve(&so->so_rcv, UINT32_MAX), ENOBUFS);
	CHECK_EQ(so->so_rcv.sb_hiwat, 8192);
	CHECK_EQ(sbreserve(&so->so_rcv, most), 0);
	CHECK_EQ(so->so_rcv.sb_mbmax, SB_MAX_DEFAULT);
	CHECK_EQ(soreserve(so, 100, 100), 0);
	CHECK_EQ(so->so_snd.sb_lowat, 100);
	CHECK_EQ(so->so_rcv.sb_lowat, 1);
	soclose(so);
}

KTEST(control_messages_have_darwins_layout)
{
	struct mbuf *m = sbcreatecontrol(curmachine(), "abcde", 5, SCM_CREDS, SOL_SOCKET);
	struct cmsghdr header;

	CHECK_EQ(m->m_type, MBUF_TYPE_CONTROL);
	CHECK_EQ(m->m_len, 20);
	memcpy(&header, m->m_data, sizeof header);
	CHECK_EQ(header.cmsg_len, 17);
	CHECK_EQ(header.cmsg_level, SOL_SOCKET);
	CHECK_EQ(header.cmsg_type, SCM_CREDS);
	CHECK_EQ(memcmp(m->m_data + 12, "abcde\0\0\0", 8), 0);
	m_free(m);
	m = sbcreatecontrol(curmachine(), NULL, 2036, 1, 2);
	CHECK_EQ(m->m_len, 2048);
	m_free(m);
	CHECK(sbcreatecontrol(curmachine(), NULL, 2037, 1, 2) == NULL);
}

KTEST_SUITE(sockbuf,
    T(a_stream_is_one_record_and_small_pieces_share_mbufs),
    T(a_shared_cluster_is_not_written_to),
    T(messages_are_records_with_their_senders),
    T(what_does_not_fit_is_gone),
    T(memory_is_limited_as_well_as_bytes),
    T(limits_follow_kern_ipc_maxsockbuf),
    T(control_messages_have_darwins_layout));
