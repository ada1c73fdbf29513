/*
 * Random chains beside a flat model: whatever is done to a packet, its bytes are those that the same
 * operation leaves of an array. Seeded, so every run does the same.
 */
#include "src/kern/heap.h"
#include "tests/unit/mbuf_testing.h"

#define MODEL_MAX	20000

struct model {
	uint8_t bytes[MODEL_MAX];
	size_t len;
};

static uint64_t
next_random(uint64_t *state)
{
	/* xorshift64* */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

static size_t
below(uint64_t *state, size_t n)
{
	return n == 0 ? 0 : (size_t)(next_random(state) % n);
}

static void
check_same(const struct mbuf *m, const struct model *model)
{
	size_t at = 0;

	for (const struct mbuf *p = m; p != NULL; p = p->m_next) {
		CHECK(p->m_data >= m_start(p));
		CHECK(p->m_data + p->m_len <= m_start(p) + m_capacity(p));
		CHECK(at + (size_t)p->m_len <= model->len);
		CHECK_EQ(memcmp(p->m_data, model->bytes + at, (size_t)p->m_len), 0);
		CHECK_EQ((p->m_flags & M_PKTHDR) != 0, p == m);
		at += (size_t)p->m_len;
	}
	CHECK_EQ(at, model->len);
	CHECK_EQ(m->m_pkthdr.len, (int32_t)model->len);
}

/* A packet of a few mbufs of any kind and fill, data anywhere in their buffers. */
static struct mbuf *
random_packet(uint64_t *r, struct model *model)
{
	static const size_t clusters[] = {0, 0, 0, 2048, 4096, 16384};
	size_t pieces = 1 + below(r, 5);
	struct mbuf *top = NULL, **link = &top;

	model->len = 0;
	for (size_t i = 0; i < pieces; i++) {
		struct mbuf *m = piece(top == NULL, 0, 0, clusters[below(r, 6)]);
		size_t room = m_capacity(m), lead = below(r, room < 300 ? room + 1 : 300);
		size_t len = below(r, room - lead + 1);

		if (len > 700)
			len = 700;
		CHECK_EQ(mbuf_setdata(m, m_start(m) + lead, len), 0);
		for (size_t j = 0; j < len; j++)
			model->bytes[model->len + j] = (uint8_t)next_random(r);
		memcpy(m->m_data, model->bytes + model->len, len);
		model->len += len;
		*link = m;
		link = &m->m_next;
	}
	mbuf_pkthdr_setlen(top, model->len);
	return top;
}

/* ---- operations: each returns the packet, or NULL when it was freed as it should be -------- */

static struct mbuf *
do_prepend(uint64_t *r, struct mbuf *m, struct model *model)
{
	size_t len = below(r, 81);

	CHECK_EQ(mbuf_prepend(&m, len, MBUF_WAITOK), 0);
	memmove(model->bytes + len, model->bytes, model->len);
	model->len += len;
	for (size_t i = 0; i < len; i++)
		model->bytes[i] = (uint8_t)next_random(r);
	memcpy(mbuf_data(m), model->bytes, len);
	return m;
}

static struct mbuf *
do_adj(uint64_t *r, struct mbuf *m, struct model *model)
{
	size_t len = below(r, 200), cut = len < model->len ? len : model->len;

	if (below(r, 2) == 0) {
		mbuf_adj(m, (int)len);
		memmove(model->bytes, model->bytes + cut, model->len - cut);
	} else
		mbuf_adj(m, -(int)len);
	model->len -= cut;
	return m;
}

static struct mbuf *
do_pullup(uint64_t *r, struct mbuf *m, struct model *model)
{
	size_t len = below(r, 90);
	errno_t error = mbuf_pullup(&m, len);

	if (error != 0) {
		CHECK(m == NULL && (len > model->len || len > 80));
		return NULL;
	}
	CHECK(mbuf_len(m) >= len);
	return m;
}

static struct mbuf *
do_pulldown(uint64_t *r, struct mbuf *m, struct model *model)
{
	size_t off = below(r, model->len + 2), len = 1 + below(r, 300), at = off;
	struct mbuf *n;
	errno_t error = mbuf_pulldown(m, &at, len, &n);

	CHECK_EQ(error, off + len <= model->len ? 0 : ENOMEM);
	if (error != 0)
		return NULL;
	CHECK_EQ(memcmp(n->m_data + at, model->bytes + off, len), 0);
	return m;
}

static struct mbuf *
do_copyback(uint64_t *r, struct mbuf *m, struct model *model)
{
	uint8_t bytes[900];
	size_t off = below(r, model->len + 400), len = 1 + below(r, sizeof bytes);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)next_random(r);
	CHECK_EQ(mbuf_copyback(m, off, len, bytes, MBUF_WAITOK), 0);
	if (off > model->len)
		memset(model->bytes + model->len, 0, off - model->len);
	memcpy(model->bytes + off, bytes, len);
	if (off + len > model->len)
		model->len = off + len;
	return m;
}

/* In two and together again; the tail's header goes. */
static struct mbuf *
do_split(uint64_t *r, struct mbuf *m, struct model *model)
{
	size_t off = below(r, model->len + 1);
	struct mbuf *tail;

	CHECK_EQ(mbuf_split(m, off, MBUF_DONTWAIT, &tail), 0);
	CHECK_EQ(mbuf_pkthdr_len(m), off);
	CHECK_EQ(mbuf_pkthdr_len(tail), model->len - off);
	CHECK_EQ(m_length(m), off);
	CHECK_EQ(mbuf_setflags_mask(tail, 0, MBUF_PKTHDR), 0);
	(void)mbuf_concatenate(m, tail);
	mbuf_pkthdr_setlen(m, model->len);
	return m;
}

/* A copy that shares what it can: the original is freed, or kept for a while. */
static struct mbuf *
do_copym(uint64_t *r, struct mbuf *m, struct model *model)
{
	size_t len = 1 + below(r, model->len);
	struct mbuf *copy;

	if (model->len == 0)
		return m;
	CHECK_EQ(mbuf_copym(m, 0, len, MBUF_DONTWAIT, &copy), 0);
	mbuf_freem(m);
	model->len = len;
	return copy;
}

static struct mbuf *
do_dup(uint64_t *r, struct mbuf *m, struct model *model)
{
	struct mbuf *copy;

	(void)r;
	CHECK_EQ(mbuf_dup(m, MBUF_DONTWAIT, &copy), 0);
	check_same(copy, model);
	for (struct mbuf *p = m; p != NULL; p = p->m_next)
		if (m_writable(p))
			memset(p->m_data, 0, (size_t)p->m_len);
	mbuf_freem(m);
	return copy;
}

static struct mbuf *(*const operations[])(uint64_t *, struct mbuf *, struct model *) = {
	do_prepend, do_adj, do_pullup, do_pulldown, do_copyback, do_split, do_copym, do_dup,
};

static void
run_random(uint64_t seed, unsigned rounds)
{
	struct model *model = kalloc(curmachine(), sizeof *model);
	uint64_t r = seed;

	for (unsigned round = 0; round < rounds; round++) {
		struct mbuf *m = random_packet(&r, model);

		check_same(m, model);
		for (unsigned i = 0; m != NULL && i < 20 && model->len < MODEL_MAX - 2000; i++) {
			m = operations[below(&r, sizeof operations / sizeof operations[0])](&r, m, model);
			if (m != NULL)
				check_same(m, model);
		}
		mbuf_freem(m);
		CHECK_EQ(memory_now().mbuf_bytes, 0);
	}
	kfree(curmachine(), model);
}

KTEST(random_operations)
{
	run_random(0x5eed, 2000);
}

/* A sharing copy never changes while its original is worked on by functions that respect sharing. */
KTEST(shared_bytes_stay)
{
	struct model *model = kalloc(curmachine(), sizeof *model), *first = kalloc(curmachine(),
	    sizeof *first);
	uint64_t r = 0xfeed;

	for (unsigned round = 0; round < 1000; round++) {
		struct mbuf *m = random_packet(&r, model), *copy;

		*first = *model;
		if (model->len == 0) {
			mbuf_freem(m);
			continue;
		}
		CHECK_EQ(mbuf_copym(m, 0, MBUF_COPYALL, MBUF_WAITOK, &copy), 0);
		for (unsigned i = 0; m != NULL && i < 6; i++) {
			static const unsigned respectful[] = {0, 1, 2, 3, 5};

			m = operations[respectful[below(&r, 5)]](&r, m, model);
			check_same(copy, first);
		}
		mbuf_freem(m);
		mbuf_freem(copy);
	}
	kfree(curmachine(), first);
	kfree(curmachine(), model);
}

/* Each allocation of each operation fails once: an error, no leak, and the rest as documented. */
KTEST(failing_allocations)
{
	struct model *model = kalloc(curmachine(), sizeof *model);

	for (uint64_t seed = 1; seed < 200; seed++) {
		uint64_t r = seed * 7919;
		struct mbuf *m = random_packet(&r, model), *out = NULL;
		size_t off = below(&r, model->len + 1), at = off;

		fail_after(1 + (unsigned)(seed / 6 % 4));
		switch (seed % 6) {
		case 0:
			if (mbuf_copym(m, 0, MBUF_COPYALL, MBUF_WAITOK, &out) == 0)
				mbuf_freem(out);
			break;
		case 1:
			if (mbuf_dup(m, MBUF_WAITOK, &out) == 0)
				mbuf_freem(out);
			break;
		case 2:
			if (mbuf_split(m, off, MBUF_WAITOK, &out) == 0) {
				mbuf_freem(out);
				model->len = off;
			}
			break;
		case 3:
			if (mbuf_pullup(&m, 30) != 0)
				CHECK(m == NULL);
			break;
		case 4:
			if (mbuf_pulldown(m, &at, 100, &out) != 0)
				m = NULL;
			break;
		default:
			if (mbuf_prepend(&m, 40, MBUF_WAITOK) != 0)
				CHECK(m == NULL);
			else
				mbuf_adj(m, 40);
			break;
		}
		fail_after(0);
		if (m != NULL)
			check_same(m, model);
		mbuf_freem(m);
		CHECK_EQ(memory_now().mbuf_bytes, 0);
	}
	kfree(curmachine(), model);
}

KTEST_SUITE(mbuf_random, T(random_operations), T(shared_bytes_stay), T(failing_allocations));
