/*
 * The shape of packets: growing, cutting, joining and making parts of them contiguous. Called by
 * everything that handles packets.
 *
 * Writing into a shared cluster, where a function says it is not done, is avoided with m_writable().
 * M_TOUCHED goes where the data goes. In checked mode a new mbuf in a packet belongs to whoever has
 * the packet.
 */
#include <string.h>

#include "src/kern/mbuf.h"
#include "src/kern/panic.h"
#include "src/kern/thread.h"

size_t
m_length(const struct mbuf *m)
{
	size_t n = 0;

	for (; m != NULL; m = m->m_next)
		n += (size_t)m->m_len;
	return n;
}

struct mbuf *
m_last(struct mbuf *m)
{
	while (m->m_next != NULL)
		m = m->m_next;
	return m;
}

bool
m_touched(const struct mbuf *m)
{
	for (; m != NULL; m = m->m_next)
		if ((m->m_flags & M_TOUCHED) ||
		    ((m->m_flags & M_EXT) && m->m_ext.ref->was_shared))
			return true;
	return false;
}

void
m_align(struct mbuf *m, size_t len)
{
	m->m_data = m_start(m) + ((m_capacity(m) - len) & ~(size_t)7);
}

/* A new mbuf for a packet that `like` is part of. */
static struct mbuf *
get_for(const struct mbuf *like, int how)
{
	struct mbuf *n = m_get(curmachine(), how, like->m_type);

	if (n != NULL)
		m_inherit_owner(n, like);
	return n;
}

/* ---- in front ----------------------------------------------------------------------------- */

/* Puts the empty mbuf `n` before `m`, the first of its packet. */
static void
put_first(struct mbuf *n, struct mbuf *m)
{
	if (m->m_flags & M_PKTHDR)
		m_move_pkthdr(n, m);
	n->m_next = m;
	n->m_nextpkt = m->m_nextpkt;
	m->m_nextpkt = NULL;
}

struct mbuf *
m_prepend(struct mbuf *m, size_t len, int how)
{
	if (m_leadingspace(m) >= len) {
		m->m_data -= len;
		m->m_len += (int32_t)len;
	} else {
		const size_t room = m->m_flags & M_PKTHDR ? MHLEN : MLEN;
		struct mbuf *n;

		KASSERTX(len <= room, "%zu bytes prepended to mbuf %p: a new mbuf in front of it has "
		    "room for %zu", len, (void *)m, room);
		n = get_for(m, how);
		if (n == NULL) {
			m_freem(m);
			return NULL;
		}
		put_first(n, m);
		m_align(n, len);
		n->m_len = (int32_t)len;
		m = n;
	}
	if (m->m_flags & M_PKTHDR)
		m->m_pkthdr.len += (int32_t)len;
	return m;
}

/* Appends bytes from the mbufs after `m` until it has `len`; those emptied are freed. */
static void
gather(struct mbuf *m, size_t len)
{
	struct mbuf *n = m->m_next;

	while (n != NULL && (size_t)m->m_len < len) {
		size_t part = len - (size_t)m->m_len;

		if (part > (size_t)n->m_len)
			part = (size_t)n->m_len;
		memcpy(m->m_data + m->m_len, n->m_data, part);
		m->m_len += (int32_t)part;
		m->m_flags |= n->m_flags & M_TOUCHED;
		n->m_data += part;
		n->m_len -= (int32_t)part;
		if (n->m_len != 0)
			break;
		n = m_free(n);
	}
	m->m_next = n;
}

struct mbuf *
m_pullup(struct mbuf *m, size_t len)
{
	size_t room = (size_t)(m_start(m) + m_capacity(m) - m->m_data);

	if (!(m->m_flags & M_EXT) && m->m_next != NULL && len <= room) {
		if ((size_t)m->m_len >= len)
			return m;
	} else {
		struct mbuf *n;

		/* Interface fact: not more than a packet's first mbuf holds, header or not. */
		if (len > MHLEN)
			goto bad;
		n = get_for(m, MBUF_DONTWAIT);
		if (n == NULL)
			goto bad;
		put_first(n, m);
		m = n;
	}
	gather(m, len);
	if ((size_t)m->m_len < len)
		goto bad;
	return m;
bad:
	m_freem(m);
	mbuf_count_failed_pullup(curmachine());
	return NULL;
}

/* ---- in the middle ------------------------------------------------------------------------ */

/* Takes `len` bytes off the front of the chain; its mbufs stay. How many there were to take. */
static size_t
trim_head(struct mbuf *m, size_t len)
{
	size_t done = 0;

	for (; m != NULL && done < len; m = m->m_next) {
		size_t part = (size_t)m->m_len;

		if (part > len - done)
			part = len - done;
		m->m_data += part;
		m->m_len -= (int32_t)part;
		done += part;
	}
	return done;
}

/* True when the chain has at least `len` bytes. */
static bool
has_bytes(const struct mbuf *m, size_t len)
{
	for (; m != NULL && len > (size_t)m->m_len; m = m->m_next)
		len -= (size_t)m->m_len;
	return m != NULL || len == 0;
}

/*
 * Makes `head` bytes at the end of `n` and `tail` bytes of what follows contiguous, the cheapest way:
 * in n, in the mbuf after it, or in a new one between them. Returns the mbuf, or NULL: no memory.
 */
static struct mbuf *
bring_together(struct mbuf *n, size_t head, size_t tail)
{
	struct mbuf *next = n->m_next, *o;
	const char *from = n->m_data + n->m_len - head;

	if (m_trailingspace(n) >= tail) {
		m_copydata(next, 0, tail, n->m_data + n->m_len);
		n->m_len += (int32_t)tail;
		trim_head(next, tail);
		return n;
	}
	if (next != NULL && m_leadingspace(next) >= head && (size_t)next->m_len >= tail) {
		next->m_data -= head;
		next->m_len += (int32_t)head;
		memcpy(next->m_data, from, head);
		n->m_len -= (int32_t)head;
		return next;
	}
	o = get_for(n, MBUF_DONTWAIT);
	if (o == NULL)
		return NULL;
	if (head + tail > MLEN && !m_clget(curmachine(), o, MBUF_DONTWAIT, MCLBYTES)) {
		m_free(o);
		return NULL;
	}
	memcpy(o->m_data, from, head);
	m_copydata(next, 0, tail, o->m_data + head);
	o->m_len = (int32_t)(head + tail);
	n->m_len -= (int32_t)head;
	trim_head(next, tail);
	o->m_next = next;
	n->m_next = o;
	return o;
}

struct mbuf *
m_pulldown(struct mbuf *m, size_t off, size_t len, size_t *new_off)
{
	struct mbuf *n = m, *at;
	size_t head;
	uint16_t touched = 0;

	if (len > MCLBYTES)
		goto bad;
	while (n != NULL && off >= (size_t)n->m_len) {
		off -= (size_t)n->m_len;
		n = n->m_next;
	}
	if (n == NULL)
		goto bad;
	head = (size_t)n->m_len - off;
	*new_off = off;
	if (len <= head)
		return n;
	if (!has_bytes(n->m_next, len - head))
		goto bad;
	for (at = n; at != NULL; at = at->m_next)
		touched |= at->m_flags & M_TOUCHED;
	at = bring_together(n, head, len - head);
	if (at == NULL)
		goto bad;
	at->m_flags |= touched;
	if (at != n)
		*new_off = 0;
	return at;
bad:
	m_freem(m);
	mbuf_count_failed_pullup(curmachine());
	return NULL;
}

/*
 * The first mbuf (or two) of the tail that m_split cuts off: what `m` has from `off` on. `header`: it
 * begins with a packet header, else there is at least one byte.
 */
static struct mbuf *
split_one(struct mbuf *m, size_t off, bool header, int how)
{
	size_t len = (size_t)m->m_len - off;
	struct mbuf *top, *n;

	top = header ? m_gethdr(curmachine(), how, m->m_type) : m_get(curmachine(), how, m->m_type);
	if (top == NULL)
		return NULL;
	m_inherit_owner(top, m);
	n = top;
	if (m->m_flags & M_EXT) {
		m_share(n, m, off);
	} else {
		if (len > m_capacity(n)) {
			n = get_for(m, how);
			if (n == NULL) {
				m_free(top);
				return NULL;
			}
			top->m_next = n;
		}
		KASSERTX(len <= m_capacity(n), "mbuf %p says it has %d bytes, its buffer has room for %zu",
		    (void *)m, m->m_len, m_capacity(m));
		m_align(n, len);
		memcpy(n->m_data, m->m_data + off, len);
	}
	n->m_len = (int32_t)len;
	top->m_flags |= m->m_flags & M_TOUCHED;
	return top;
}

struct mbuf *
m_split(struct mbuf *head, size_t off, int how)
{
	const bool header = head->m_flags & M_PKTHDR;
	struct mbuf *m = head, *tail;
	size_t left = off;

	while (m != NULL && left > (size_t)m->m_len) {
		left -= (size_t)m->m_len;
		m = m->m_next;
	}
	if (m == NULL)
		return NULL;
	if (!header && left == (size_t)m->m_len) {
		tail = m->m_next;
		m->m_next = NULL;
		return tail;
	}
	tail = split_one(m, left, header, how);
	if (tail == NULL)
		return NULL;
	m_last(tail)->m_next = m->m_next;
	m->m_next = NULL;
	m->m_len = (int32_t)left;
	if (header) {
		tail->m_pkthdr.rcvif = head->m_pkthdr.rcvif;
		tail->m_pkthdr.packet_number = head->m_pkthdr.packet_number;
		tail->m_pkthdr.len = head->m_pkthdr.len - (int32_t)off;
		head->m_pkthdr.len = (int32_t)off;
	}
	return tail;
}

/* Takes `len` bytes off the end of the chain; its mbufs stay. How many there were to take. */
static size_t
trim_tail(struct mbuf *m, size_t len)
{
	size_t total = m_length(m), keep;

	if (len > total)
		len = total;
	for (keep = total - len; m != NULL; m = m->m_next) {
		if ((size_t)m->m_len > keep)
			m->m_len = (int32_t)keep;
		keep -= (size_t)m->m_len;
	}
	return len;
}

void
m_adj(struct mbuf *m, int len)
{
	size_t done;

	if (m == NULL)
		return;
	done = len >= 0 ? trim_head(m, (size_t)len) : trim_tail(m, (size_t)-(int64_t)len);
	if (m->m_flags & M_PKTHDR)
		m->m_pkthdr.len -= (int32_t)done;
}

/* ---- behind ------------------------------------------------------------------------------- */

struct mbuf *
m_concatenate(struct mbuf *dst, struct mbuf *src)
{
	struct mbuf *last;

	if (dst == NULL)
		return NULL;
	last = m_last(dst);
	while (src != NULL) {
		if ((last->m_flags & M_EXT) || m_trailingspace(last) < (size_t)src->m_len) {
			last->m_next = src;
			break;
		}
		memcpy(last->m_data + last->m_len, src->m_data, (size_t)src->m_len);
		last->m_len += src->m_len;
		last->m_flags |= src->m_flags & M_TOUCHED;
		src = m_free(src);
	}
	for (; src != NULL; src = src->m_next)
		m_inherit_owner(src, dst);
	return dst;
}

/*
 * Makes a chain that ends with `last` `len` bytes longer, `zero` ones or undefined. False when there is
 * no memory for all of them; those that were added stay.
 */
static bool
grow(struct mbuf *last, size_t len, bool zero, int how)
{
	size_t room = m_trailingspace(last), part;

	for (;;) {
		part = len < room ? len : room;
		if (zero)
			memset(last->m_data + last->m_len, 0, part);
		last->m_len += (int32_t)part;
		len -= part;
		if (len == 0)
			return true;
		last->m_next = get_for(last, how);
		if (last->m_next == NULL)
			return false;
		last = last->m_next;
		if (len > MINCLSIZE)
			(void)m_clget(curmachine(), last, how, MCLBYTES);
		room = m_capacity(last);
	}
}

/* ---- in and out of flat memory ------------------------------------------------------------ */

errno_t
m_copydata(const struct mbuf *m, size_t off, size_t len, void *dst)
{
	char *to = dst;

	if (off >= INT32_MAX || len >= INT32_MAX)
		return EINVAL;
	while (m != NULL && off >= (size_t)m->m_len) {
		off -= (size_t)m->m_len;
		m = m->m_next;
	}
	if (m == NULL && off != 0)
		return EINVAL;
	for (; m != NULL && len != 0; m = m->m_next) {
		size_t part = (size_t)m->m_len - off;

		if (part > len)
			part = len;
		memcpy(to, m->m_data + off, part);
		to += part;
		len -= part;
		off = 0;
	}
	return len == 0 ? 0 : EINVAL;
}

/* Overwrites bytes of the chain as far as it goes. */
static void
overwrite(struct mbuf *m, size_t off, size_t len, const char *from)
{
	for (; m != NULL && len != 0; m = m->m_next) {
		size_t part;

		if (off >= (size_t)m->m_len) {
			off -= (size_t)m->m_len;
			continue;
		}
		part = (size_t)m->m_len - off;
		if (part > len)
			part = len;
		memcpy(m->m_data + off, from, part);
		from += part;
		len -= part;
		off = 0;
	}
}

errno_t
m_copyback(struct mbuf *m, size_t off, size_t len, const void *src, int how)
{
	errno_t error = 0;
	size_t total, end;

	if (m == NULL || len == 0 || src == NULL || off > INT32_MAX || len > INT32_MAX - off)
		return EINVAL;
	end = off + len;
	if (!has_bytes(m, end)) {
		total = m_length(m);
		if (!grow(m_last(m), end - total, off > total, how))
			error = ENOBUFS;
	}
	overwrite(m, off, len, src);
	if (error != 0)
		end = m_length(m);
	if ((m->m_flags & M_PKTHDR) && m->m_pkthdr.len < (int32_t)end)
		m->m_pkthdr.len = (int32_t)end;
	return error;
}
