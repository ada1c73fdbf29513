/*
 * Cost of getting and freeing packets, through the KPI's functions. In-machine: called by mbuf_main.c
 * with machine_call(). Each loop frees what it got, so every pop finds the one just pushed.
 */
#include <string.h>

#include "src/kern/mbuf.h"
#include "src/kern/thread.h"
#include "src/netinet/ip_private.h"
#include "tests/bench/bench_mbuf.h"

static void
packets(unsigned n)
{
	mbuf_t m;

	for (unsigned i = 0; i < n; i++) {
		if (mbuf_getpacket(MBUF_DONTWAIT, &m) != 0)
			return;
		mbuf_freem(m);
	}
}

static void
headers(unsigned n)
{
	mbuf_t m;

	for (unsigned i = 0; i < n; i++) {
		if (mbuf_gethdr(MBUF_DONTWAIT, MBUF_TYPE_DATA, &m) != 0)
			return;
		mbuf_free(m);
	}
}

static void
plain(unsigned n)
{
	mbuf_t m;

	for (unsigned i = 0; i < n; i++) {
		if (mbuf_get(MBUF_DONTWAIT, MBUF_TYPE_DATA, &m) != 0)
			return;
		mbuf_free(m);
	}
}

/* Bursts of 64: what a driver or a replay does. */
static void
bursts(unsigned n)
{
	struct mbuf *held[64];

	for (unsigned i = 0; i < n; i += 64) {
		for (unsigned j = 0; j < 64; j++)
			if (mbuf_getpacket(MBUF_DONTWAIT, &held[j]) != 0)
				return;
		for (unsigned j = 0; j < 64; j++)
			mbuf_freem(held[j]);
	}
}

static void
checksums(unsigned n)
{
	struct mbuf *m = m_getpacket(curmachine(), MBUF_DONTWAIT);
	uint16_t sum = 0;

	if (m == NULL)
		return;
	memset(m->m_data, 0x5a, 1500);
	m->m_len = 1500;
	for (unsigned i = 0; i < n; i++) {
		m->m_data[0] = (char)sum;
		sum = in_cksum_part(m, 0, 1500);
	}
	m_freem(m);
}

static const struct {
	const char *name;
	void (*loop)(unsigned n);
} loops[] = {
	{"mbuf_getpacket + mbuf_freem", packets},
	{"the same in bursts of 64", bursts},
	{"mbuf_gethdr + mbuf_free", headers},
	{"mbuf_get + mbuf_free", plain},
	{"in_cksum of 1500 bytes", checksums},
};

void
bench_mbuf(void *arg)
{
	struct bench_mbuf *b = arg;

	b->count = 0;
	for (unsigned i = 0; i < sizeof loops / sizeof loops[0] && b->count < BENCH_MBUF_MAX; i++) {
		double best = 0;

		/* The best of several runs: the others were interrupted. */
		for (unsigned run = 0; run < 7; run++) {
			uint64_t start = hc_monotonic_ns();
			double ns;

			loops[i].loop(b->rounds);
			ns = (double)(hc_monotonic_ns() - start) / b->rounds;
			if (run == 0 || ns < best)
				best = ns;
		}
		b->results[b->count].name = loops[i].name;
		b->results[b->count].ns = best;
		b->count++;
	}
}
