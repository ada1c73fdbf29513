/* What the mbuf tests share: packets with known bytes, and allocations that fail on demand. */
#ifndef NKE_TESTS_MBUF_TESTING_H
#define NKE_TESTS_MBUF_TESTING_H

#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/mbuf.h"
#include "tests/unit/ktest.h"

/* The byte at place `i` of the test pattern. */
static inline uint8_t
pattern_at(size_t i)
{
	return (uint8_t)(i * 7 + i / 251 + 3);
}

/* True when the chain holds exactly `len` bytes of the pattern from place `from` on. */
static inline bool
has_pattern(const struct mbuf *m, size_t from, size_t len)
{
	size_t at = 0;

	for (; m != NULL; m = m->m_next)
		for (int32_t i = 0; i < m->m_len; i++, at++)
			if ((uint8_t)m->m_data[i] != pattern_at(from + at))
				return false;
	return at == len;
}

/* An mbuf with `len` bytes of the pattern: `cluster` bytes of cluster, 0 none. */
static inline struct mbuf *
piece(bool header, size_t from, size_t len, size_t cluster)
{
	struct mbuf *m = NULL;

	CHECK_EQ(header ? mbuf_gethdr(MBUF_WAITOK, MBUF_TYPE_DATA, &m) :
	    mbuf_get(MBUF_WAITOK, MBUF_TYPE_DATA, &m), 0);
	if (cluster != 0)
		CHECK_EQ(mbuf_getcluster(MBUF_WAITOK, MBUF_TYPE_DATA, cluster, &m), 0);
	for (size_t i = 0; i < len; i++)
		m->m_data[i] = (char)pattern_at(from + i);
	mbuf_setlen(m, len);
	if (header)
		mbuf_pkthdr_setlen(m, len);
	return m;
}

/* A packet of two mbufs, `first` and `second` bytes of the pattern, both without cluster. */
static inline struct mbuf *
two_pieces(size_t first, size_t second)
{
	struct mbuf *m = piece(true, 0, first, 0);

	CHECK_EQ(mbuf_setnext(m, piece(false, first, second, 0)), 0);
	mbuf_pkthdr_setlen(m, first + second);
	return m;
}

static inline struct core_memory
memory_now(void)
{
	struct core_memory memory;

	machine_memory(curmachine(), &memory);
	return memory;
}

/* The n-th allocation from now on fails (1: the next); 0: none any more. */
static inline void
fail_after(unsigned n)
{
	curmachine()->config.fail_alloc = n == 0 ? 0 : memory_now().allocations + n;
}

#endif
