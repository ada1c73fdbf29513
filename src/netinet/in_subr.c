/*
 * Rearranging a packet so that its header can be read or written: shared by IPv4 and IPv6. All of
 * these consume the packet when memory runs out, tell the replay of a capture so, and return NULL.
 */
#include <string.h>

#include "src/net/replay.h"
#include "src/netinet/in_subr.h"

#define LINK_ROOM	16u		/* before the header, for an Ethernet header, aligned */

static struct mbuf *
lost(struct nke *machine, struct pkt_origin *origin)
{
	if (origin != NULL)
		replay_verdict(machine, origin, PKT_NO_MEMORY);
	return NULL;
}

struct mbuf *
in_pullup(struct nke *machine, struct mbuf *m, size_t len)
{
	struct pkt_origin *origin = m->m_pkthdr.origin;

	m = m_pullup(m, len);
	return m != NULL ? m : lost(machine, origin);
}

struct mbuf *
in_writable(struct nke *machine, struct mbuf *m, size_t hlen)
{
	return m_writable(m) ? m : in_pullup(machine, m, hlen);
}

/* `to` stands for the packet `from` from now on: everything in the packet header but the length. */
static void
take_over(struct mbuf *to, struct mbuf *from)
{
	int32_t len = to->m_pkthdr.len;

	to->m_flags |= from->m_flags & (uint16_t)(M_TOUCHED | (M_PUBLIC & ~(M_EXT | M_PKTHDR)));
	to->m_pkthdr = from->m_pkthdr;
	to->m_pkthdr.len = len;
	from->m_pkthdr.tags = NULL;
	from->m_pkthdr.origin = NULL;
}

/* A new packet with the first `len` bytes of m, room for a link header before them. */
static struct mbuf *
copy_front(struct nke *machine, const struct mbuf *m, size_t len)
{
	struct mbuf *n = m_devget(machine, NULL, len, LINK_ROOM);
	size_t done = 0;

	for (struct mbuf *to = n; to != NULL; to = to->m_next) {
		m_copydata(m, done, (size_t)to->m_len, to->m_data);
		done += (size_t)to->m_len;
	}
	return n;
}

struct mbuf *
in_align(struct nke *machine, struct mbuf *m)
{
	struct mbuf *n = copy_front(machine, m, m_length(m));
	struct pkt_origin *origin = m->m_pkthdr.origin;

	if (n != NULL)
		take_over(n, m);
	m_freem(m);
	return n != NULL ? n : lost(machine, origin);
}

struct mbuf *
in_cut(struct nke *machine, struct mbuf *m, size_t off, size_t len)
{
	struct pkt_origin *origin = m->m_pkthdr.origin;
	struct mbuf *n;

	if ((size_t)m->m_len >= off + len && m_writable(m)) {
		memmove(m->m_data + len, m->m_data, off);
		m_adj(m, (int)len);
		return m;
	}
	n = copy_front(machine, m, off);
	if (n == NULL) {
		m_freem(m);
		return lost(machine, origin);
	}
	n->m_pkthdr.len = (int32_t)((size_t)m->m_pkthdr.len - len);
	take_over(n, m);
	m_adj(m, (int)(off + len));
	m->m_flags &= (uint16_t)~M_PKTHDR;
	m_last(n)->m_next = m;
	return n;
}

struct mbuf *
in_put_in_front(struct mbuf *front, struct mbuf *m)
{
	front->m_pkthdr.len += m->m_pkthdr.len;
	take_over(front, m);
	m->m_flags &= (uint16_t)~M_PKTHDR;
	m_last(front)->m_next = m;
	return front;
}

int
in_sysctl_struct SYSCTL_HANDLER_ARGS
{
	(void)oidp;
	return SYSCTL_OUT(req, arg1, (size_t)arg2);
}
