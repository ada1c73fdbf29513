/* Between the two halves of the mbuf benchmark; plain C types only. */
#ifndef NKE_BENCH_MBUF_H
#define NKE_BENCH_MBUF_H

#define BENCH_MBUF_MAX	8

struct bench_mbuf {
	unsigned rounds;		/* in */
	unsigned count;			/* out */
	struct {
		const char *name;
		double ns;		/* per round */
	} results[BENCH_MBUF_MAX];
};

/* Runs in a machine; arg is a struct bench_mbuf. */
void bench_mbuf(void *arg);

#endif
