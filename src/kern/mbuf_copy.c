/*
 * Copies of packets: sharing clusters or not, from flat memory, and what becomes of packet headers.
 *
 * The source of a copy stays as it is; the copy belongs to the caller. A copy has no origin (what a
 * captured frame turns into is told by the packet that carried it) but keeps the frame's number.
 */
#include <string.h>

#include "src/kern/mbuf.h"
#include "src/kern/panic.h"
#include "src/kern/thread.h"

/* Flags that go with a packet header. */
#define M_COPYFLAGS	(M_PUBLIC & ~M_EXT)

/* ---- packet headers ----------------------------------------------------------------------- */

/* Flags and fields of the header, all but tags and origin, which `dst` has none of then. */
static void
copy_fields(struct mbuf *dst, const struct mbuf *src)
{
	dst->m_flags = (uint16_t)((src->m_flags & M_COPYFLAGS) | (dst->m_flags & (M_EXT | M_TOUCHED)));
	dst->m_pkthdr = src->m_pkthdr;
	dst->m_pkthdr.tags = NULL;
	dst->m_pkthdr.origin = NULL;
	if (!(dst->m_flags & M_EXT))
		dst->m_data = dst->m_pktdat;
}

void
m_transfer_pkthdr(struct mbuf *dst, struct mbuf *src)
{
	if (dst->m_flags & M_PKTHDR)
		m_tag_delete_chain(curmachine(), dst);
	copy_fields(dst, src);
	dst->m_flags |= src->m_flags & M_TOUCHED;
	dst->m_pkthdr.tags = src->m_pkthdr.tags;
	dst->m_pkthdr.origin = src->m_pkthdr.origin;
	src->m_pkthdr.tags = NULL;
	src->m_pkthdr.origin = NULL;
}

void
m_move_pkthdr(struct mbuf *dst, struct mbuf *src)
{
	m_transfer_pkthdr(dst, src);
	src->m_flags &= (uint16_t)~M_PKTHDR;
}

bool
m_dup_pkthdr(struct mbuf *dst, const struct mbuf *src, int how)
{
	(void)how;
	if (dst->m_flags & M_PKTHDR)
		m_tag_delete_chain(curmachine(), dst);
	copy_fields(dst, src);
	return m_tag_copy_chain(curmachine(), dst, src);
}

/* ---- sharing ------------------------------------------------------------------------------ */

void
m_share(struct mbuf *to, const struct mbuf *from, size_t off)
{
	from->m_ext.ref->refs++;
	from->m_ext.ref->was_shared = true;
	to->m_ext = from->m_ext;
	to->m_flags |= M_EXT;
	to->m_data = from->m_data + off;
}

/* An mbuf like `src`, with its header if it has one and `header` says so, without data. */
static struct mbuf *
get_like(const struct mbuf *src, bool header, int how)
{
	struct nke *machine = curmachine();
	struct mbuf *n;

	if (!header || !(src->m_flags & M_PKTHDR)) {
		n = m_get(machine, how, src->m_type);
		if (n != NULL)
			n->m_flags |= src->m_flags & MBUF_EOR;
		return n;
	}
	n = m_gethdr(machine, how, src->m_type);
	if (n != NULL && !m_dup_pkthdr(n, src, how)) {
		m_free(n);
		return NULL;
	}
	return n;
}

/* Copies into the buffer that `n` has; a kext may have set a length that no buffer has. */
static void
fill_from(struct mbuf *n, const struct mbuf *src, size_t off, size_t len)
{
	size_t room = (size_t)(m_start(n) + m_capacity(n) - n->m_data);

	KASSERTX(len <= room, "mbuf %p says it has %d bytes, its buffer has room for %zu",
	    (const void *)src, src->m_len, m_capacity(src));
	memcpy(n->m_data, src->m_data + off, len);
	n->m_len = (int32_t)len;
}

static struct mbuf *
copy_part(const struct mbuf *src, size_t off, size_t len, bool header, int how)
{
	struct mbuf *n = get_like(src, header, how);

	if (n == NULL)
		return NULL;
	if (src->m_flags & M_EXT) {
		m_share(n, src, off);
		n->m_len = (int32_t)len;
	} else
		fill_from(n, src, off, len);
	return n;
}

struct mbuf *
m_copym(struct mbuf *src, size_t off, size_t len, int how)
{
	const bool all = len == M_COPYALL, header = off == 0 && (src->m_flags & M_PKTHDR);
	struct mbuf *top = NULL, **link = &top;
	const size_t want = len, from = off;
	struct mbuf *m = src;

	if (len == 0)
		return NULL;
	while (!header && m != NULL && off >= (size_t)m->m_len) {
		off -= (size_t)m->m_len;
		m = m->m_next;
	}
	KASSERTX(m != NULL || off == 0, "copy of mbuf %p from offset %zu: it has %zu bytes",
	    (void *)src, from, m_length(src));
	for (; m != NULL && len != 0; m = m->m_next, off = 0) {
		size_t part = (size_t)m->m_len - off;

		if (!all && part > len)
			part = len;
		if (part == 0 && top == NULL && !header)
			continue;
		*link = copy_part(m, off, part, header && top == NULL, how);
		if (*link == NULL) {
			m_freem(top);
			mbuf_count_failed_copy(curmachine());
			return NULL;
		}
		link = &(*link)->m_next;
		if (!all)
			len -= part;
	}
	KASSERTX(all || len == 0, "copy of %zu bytes from offset %zu of mbuf %p: it has %zu bytes",
	    want, from, (void *)src, m_length(src));
	if (header && !all)
		top->m_pkthdr.len = (int32_t)want;
	return top;
}

/* ---- deep copies -------------------------------------------------------------------------- */

/* The smallest buffer for `len` bytes: 0 for the mbuf's own, or a cluster's size. */
static size_t
buffer_for(size_t len, size_t inside)
{
	if (len <= inside)
		return 0;
	return len <= MCLBYTES ? MCLBYTES : len <= MBIGCLBYTES ? MBIGCLBYTES : M16KCLBYTES;
}

/* One mbuf, with the layout it has; foreign storage becomes as many clusters as it takes. */
static struct mbuf *
dup_one(const struct mbuf *src, int how)
{
	const bool foreign = (src->m_flags & M_EXT) && src->m_ext.ref->kind == EXT_FOREIGN;
	size_t lead = foreign ? 0 : (size_t)(src->m_data - m_start(src));
	size_t off = 0, len = (size_t)src->m_len;
	struct mbuf *top = NULL, **link = &top;

	do {
		struct mbuf *n = get_like(src, top == NULL, how);
		size_t size, part = len - off;

		if (n == NULL)
			goto nomem;
		*link = n;
		link = &n->m_next;
		size = src->m_flags & M_EXT ? src->m_ext.size : 0;
		if (foreign)
			size = buffer_for(part, m_capacity(n));
		if (size != 0 && !m_clget(curmachine(), n, how, size))
			goto nomem;
		n->m_data += lead;
		if (foreign && part > m_capacity(n))
			part = m_capacity(n);
		fill_from(n, src, off, part);
		off += part;
	} while (off < len);
	return top;
nomem:
	m_freem(top);
	return NULL;
}

struct mbuf *
m_dup(struct mbuf *src, int how)
{
	struct mbuf *top = NULL, **link = &top;

	for (const struct mbuf *m = src; m != NULL; m = m->m_next) {
		*link = dup_one(m, how);
		if (*link == NULL) {
			m_freem(top);
			mbuf_count_failed_copy(curmachine());
			return NULL;
		}
		while (*link != NULL)
			link = &(*link)->m_next;
	}
	return top;
}

/* ---- from flat memory --------------------------------------------------------------------- */

struct mbuf *
m_devget(struct nke *machine, const void *src, size_t len, size_t leading)
{
	const char *from = src;
	struct mbuf *top = NULL, **link = &top;
	size_t left = len;

	if (leading > MCLBYTES || len > INT32_MAX)
		return NULL;
	do {
		struct mbuf *n = top == NULL ? m_gethdr(machine, MBUF_DONTWAIT, MBUF_TYPE_DATA) :
		    m_get(machine, MBUF_DONTWAIT, MBUF_TYPE_DATA);
		size_t size, room;

		if (n == NULL)
			goto nomem;
		*link = n;
		link = &n->m_next;
		size = buffer_for(left + leading, m_capacity(n));
		if (size != 0 && !m_clget(machine, n, MBUF_DONTWAIT, size))
			goto nomem;
		room = m_capacity(n) - leading;
		n->m_data += leading;
		n->m_len = (int32_t)(left < room ? left : room);
		if (from != NULL) {
			memcpy(n->m_data, from, (size_t)n->m_len);
			from += n->m_len;
		}
		left -= (size_t)n->m_len;
		leading = 0;
	} while (left != 0);
	top->m_pkthdr.len = (int32_t)len;
	return top;
nomem:
	m_freem(top);
	return NULL;
}
