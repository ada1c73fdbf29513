/*
 * The two buffers of a socket: queues of records that protocols fill and readers empty (or the other way
 * round). Called by protocols (sbappend*, sbdrop), by the receiving calls (uipc_receive.c), and when a
 * socket goes.
 *
 * A buffer owns the mbufs in it. Four counters say what is in it at any time: bytes, bytes that are not
 * data, memory, and by their limits how much more may come. A message that carries descriptors
 * (PR_RIGHTS) gives them up through its domain when it goes unread.
 */
#include <string.h>

#include "src/kern/so_filter.h"
#include "src/kern/socket_private.h"

/* ---- putting in --------------------------------------------------------------------------- */

/*
 * Every mbuf that enters a buffer, for streams and messages alike, passes one of the two functions
 * below, put_record() and put_behind(). In front of them are the filters of what is received.
 */

static inline bool
is_filtered(const struct sockbuf *sb)
{
	return so_filtered(sb_socket(sb)) && !(sb->sb_flags & SB_SND);
}

/*
 * Shows what comes to the filters. False: it is gone. They may have shut the receiving side, and then
 * nobody would ever take it out.
 */
static __attribute__((noinline)) bool
pass_filters(struct sockbuf *sb, const struct sockaddr *from, struct mbuf **m, struct mbuf **control,
    sflt_data_flag_t flags)
{
	struct socket *so = sb_socket(sb);

	if (so_filter_ops(so)->data_in(so, from, m, control, flags) != 0)
		return false;
	if (__builtin_expect(!(so->so_state & SS_CANTRCVMORE), 1))
		return true;
	m_freem(*m);
	if (control != NULL)
		m_freem(*control);
	return false;
}

/* Makes the chain, `tail` its last mbuf, the last record. The caller has accounted for it. */
static inline void
put_record(struct sockbuf *sb, struct mbuf *m, struct mbuf *tail)
{
	m->m_nextpkt = NULL;
	if (sb->sb_lastrecord != NULL)
		sb->sb_lastrecord->m_nextpkt = m;
	else
		sb->sb_mb = m;
	sb->sb_lastrecord = m;
	sb->sb_mbtail = tail;
}

/* True when the few bytes of `m` can be copied behind the record's last ones, which saves an mbuf. */
static bool
fits_behind(const struct mbuf *tail, const struct mbuf *m)
{
	return tail != NULL && tail->m_type == m->m_type && !(tail->m_flags & MBUF_EOR) &&
	    m->m_len <= MCLBYTES / 4 && (size_t)m->m_len <= m_trailingspace(tail) &&
	    sb_counts_as_data(tail);
}

/* Adds the chain to the last record, or begins one. */
static void
put_behind(struct sockbuf *sb, struct mbuf *m)
{
	struct mbuf *next;

	for (; m != NULL; m = next) {
		struct mbuf *tail = sb->sb_mbtail;

		next = m->m_next;
		if (m->m_len == 0 && !(m->m_flags & MBUF_EOR)) {
			m_free(m);
			continue;
		}
		if (fits_behind(tail, m)) {
			memcpy(tail->m_data + tail->m_len, m->m_data, (size_t)m->m_len);
			tail->m_len += m->m_len;
			tail->m_flags |= m->m_flags & (MBUF_EOR | M_TOUCHED);
			sb->sb_cc += (uint32_t)m->m_len;
			m_free(m);
			continue;
		}
		m->m_next = NULL;
		sb_account(sb, m);
		if (tail == NULL) {
			put_record(sb, m, m);
		} else {
			m->m_nextpkt = NULL;
			tail->m_next = m;
			sb->sb_mbtail = m;
		}
	}
}

bool
sbappendstream(struct sockbuf *sb, struct mbuf *m)
{
	if (is_filtered(sb) && (!pass_filters(sb, NULL, &m, NULL, 0) || m == NULL))
		return false;
	put_behind(sb, m);
	return true;
}

/* Accounts for a chain; its last mbuf. */
static inline struct mbuf *
account_chain(struct sockbuf *sb, struct mbuf *m)
{
	for (;; m = m->m_next) {
		sb_account(sb, m);
		if (m->m_next == NULL)
			return m;
	}
}

bool
sbappendrecord(struct sockbuf *sb, struct mbuf *m)
{
	if (is_filtered(sb) && !pass_filters(sb, NULL, &m, NULL, sock_data_filt_flag_record))
		return false;
	if (m != NULL)
		put_record(sb, m, account_chain(sb, m));
	return m != NULL;
}

/* What goes unread may carry descriptors. */
static inline void
give_up_rights(const struct sockbuf *sb, struct mbuf *m)
{
	const struct socket *so = sb_socket(sb);

	if (!(so->so_proto->pr_flags & PR_RIGHTS) || so->so_registration->domain->dom_dispose == NULL)
		return;
	for (; m != NULL; m = m->m_next) {
		if (m->m_type == MBUF_TYPE_CONTROL)
			so->so_registration->domain->dom_dispose(sotomachine(so), m);
	}
}

static inline size_t
bytes_of(const struct mbuf *m)
{
	if (m == NULL)
		return 0;
	return m->m_flags & M_PKTHDR ? (size_t)m->m_pkthdr.len : m_length(m);
}

/* Links the control mbufs in front of the data, as one chain. */
static inline struct mbuf *
join(struct mbuf *control, struct mbuf *data)
{
	if (control == NULL)
		return data;
	if (data != NULL)
		m_last(control)->m_next = data;
	return control;
}

/* There is no room for it. */
static errno_t
turn_away(const struct sockbuf *sb, struct mbuf *data, struct mbuf *control)
{
	m_freem(data);
	give_up_rights(sb, control);
	m_freem(control);
	return ENOBUFS;
}

errno_t
sbappendaddr(struct sockbuf *sb, const struct sockaddr *from, struct mbuf *data,
    struct mbuf *control)
{
	struct mbuf *name;

	if (is_filtered(sb) && !pass_filters(sb, from, &data, &control, 0))
		return EJUSTRETURN;
	if (from->sa_len + bytes_of(data) + (control != NULL ? m_length(control) : 0) > sbspace(sb) ||
	    from->sa_len > MLEN)
		return turn_away(sb, data, control);
	name = m_get(sotomachine(sb_socket(sb)), MBUF_DONTWAIT, MBUF_TYPE_SONAME);
	if (name == NULL)
		return turn_away(sb, data, control);
	memcpy(name->m_data, from, from->sa_len);
	name->m_len = from->sa_len;
	name->m_next = join(control, data);
	put_record(sb, name, account_chain(sb, name));
	return 0;
}

errno_t
sbappendcontrol(struct sockbuf *sb, struct mbuf *data, struct mbuf *control)
{
	struct mbuf *m;

	if (is_filtered(sb) && !pass_filters(sb, NULL, &data, &control, 0))
		return EJUSTRETURN;
	if (bytes_of(data) + (control != NULL ? m_length(control) : 0) > sbspace(sb))
		return turn_away(sb, data, control);
	m = join(control, data);
	if (m != NULL)
		put_record(sb, m, account_chain(sb, m));
	return 0;
}

/* ---- taking out --------------------------------------------------------------------------- */

struct mbuf *
sb_unlink_record(struct sockbuf *sb)
{
	struct mbuf *m = sb->sb_mb;

	if (m == NULL)
		return NULL;
	sb->sb_mb = m->m_nextpkt;
	if (sb->sb_mb == NULL) {
		sb->sb_lastrecord = NULL;
		sb->sb_mbtail = NULL;
	}
	m->m_nextpkt = NULL;
	return m;
}

void
sb_replace_first(struct sockbuf *sb, struct mbuf *m)
{
	struct mbuf *old = sb->sb_mb, *next = old->m_nextpkt;

	if (m == old)
		return;
	old->m_nextpkt = NULL;
	if (m != NULL) {
		m->m_nextpkt = next;
		sb->sb_mb = m;
		if (sb->sb_lastrecord == old)
			sb->sb_lastrecord = m;
		return;
	}
	sb->sb_mb = next;
	if (next == NULL) {
		sb->sb_lastrecord = NULL;
		sb->sb_mbtail = NULL;
	}
}

void
sb_discard(struct sockbuf *sb, struct mbuf *m)
{
	give_up_rights(sb, m);
	while (m != NULL) {
		sb_unaccount(sb, m);
		m = m_free(m);
	}
}

void
sbdroprecord(struct sockbuf *sb)
{
	sb_discard(sb, sb_unlink_record(sb));
}

void
sbdrop(struct sockbuf *sb, uint32_t len)
{
	while (len != 0 && sb->sb_mb != NULL) {
		struct mbuf *m = sb->sb_mb;

		if (len < (uint32_t)m->m_len) {
			m->m_data += len;
			m->m_len -= (int32_t)len;
			sb->sb_cc -= len;
			if (!sb_counts_as_data(m))
				sb->sb_ctl -= len;
			return;
		}
		len -= (uint32_t)m->m_len;
		sb_replace_first(sb, m->m_next);
		m->m_next = NULL;
		sb_discard(sb, m);
	}
}

void
sbflush(struct sockbuf *sb)
{
	while (sb->sb_mb != NULL)
		sbdroprecord(sb);
}

/* ---- limits ------------------------------------------------------------------------------- */

errno_t
sbreserve(struct sockbuf *sb, uint32_t hiwat)
{
	const struct socket_state *s = sotomachine(sb_socket(sb))->sockets;
	uint64_t most = (uint64_t)s->maxsockbuf, memory = (uint64_t)hiwat * (unsigned)s->sockbuf_waste;

	/* As if every byte of the limit were in a cluster with its mbuf. */
	if (hiwat > most * MCLBYTES / (MSIZE + MCLBYTES))
		return ENOBUFS;
	sb->sb_hiwat = hiwat;
	sb->sb_mbmax = (uint32_t)(memory < most ? memory : most);
	if (sb->sb_lowat > hiwat)
		sb->sb_lowat = hiwat;
	return 0;
}

errno_t
soreserve(struct socket *so, uint32_t snd, uint32_t rcv)
{
	errno_t error = sbreserve(&so->so_snd, snd);

	if (error == 0)
		error = sbreserve(&so->so_rcv, rcv);
	if (error != 0)
		return error;
	if (so->so_rcv.sb_lowat == 0)
		so->so_rcv.sb_lowat = 1;
	if (so->so_snd.sb_lowat == 0)
		so->so_snd.sb_lowat = MCLBYTES;
	if (so->so_snd.sb_lowat > snd)
		so->so_snd.sb_lowat = snd;
	return 0;
}

/* ---- control messages --------------------------------------------------------------------- */

struct mbuf *
sbcreatecontrol(struct nke *machine, const void *data, size_t len, int type, int level)
{
	struct cmsghdr header = {(socklen_t)CMSG_LEN(len), level, type};
	struct mbuf *m;

	if (len > MCLBYTES - CMSG_SPACE(0))
		return NULL;
	m = m_get(machine, MBUF_DONTWAIT, MBUF_TYPE_CONTROL);
	if (m == NULL)
		return NULL;
	if (CMSG_SPACE(len) > MLEN && !m_clget(machine, m, MBUF_DONTWAIT, MCLBYTES)) {
		m_free(m);
		return NULL;
	}
	m->m_len = (int32_t)CMSG_SPACE(len);
	memset(m->m_data + CMSG_LEN(len), 0, CMSG_SPACE(len) - CMSG_LEN(len));
	memcpy(m->m_data, &header, sizeof header);
	if (data != NULL)
		memcpy(m->m_data + CMSG_LEN(0), data, len);
	return m;
}
