/*
 * What the mbuf zone counts: for the host (machine_memory, through heap.c), for kexts (mbuf_stats), and
 * the two counters that are kept by those who fail.
 */
#include "src/kern/mbuf_zone.h"

void
mbuf_statistics(const struct nke *machine, struct core_memory *memory)
{
	const struct mbuf_zone *z = machine->mbufs;

	if (z == NULL)
		return;
	memory->mbufs = zone_mbufs_in_use(z);
	memory->clusters = z->classes[ZONE_2K].in_use + z->classes[ZONE_4K].in_use +
	    z->classes[ZONE_16K].in_use;
	memory->mbuf_bytes = z->bytes;
	memory->mbuf_peak_bytes = z->peak;
	memory->mbuf_denied = z->denied;
}

void
mbuf_zone_stat(const struct nke *machine, struct mbuf_stat *stat)
{
	const struct mbuf_zone *z = machine->mbufs;
	const struct zone_class *small = &z->classes[ZONE_2K], *big = &z->classes[ZONE_4K];

	*stat = (struct mbuf_stat){
		.mbufs = z->classes[ZONE_MBUF].total,
		.clusters = small->total, .clfree = small->total - small->in_use,
		.drops = (u_int32_t)z->denied,
		.mcfail = z->failed_copies, .mpfail = z->failed_pullups,
		.msize = MSIZE, .mclbytes = MCLBYTES, .minclsize = MINCLSIZE,
		.mlen = MLEN, .mhlen = MHLEN,
		.bigclusters = big->total, .bigclfree = big->total - big->in_use,
		.bigmclbytes = MBIGCLBYTES,
	};
	for (unsigned i = 0; i < ZONE_TYPES; i++) {
		uint32_t n = i == MBUF_TYPE_FREE ? stat->mbufs - zone_mbufs_in_use(z) : z->types[i];

		stat->mtypes[i] = (u_short)(n < UINT16_MAX ? n : UINT16_MAX);
	}
}

void
mbuf_count_failed_copy(struct nke *machine)
{
	machine->mbufs->failed_copies++;
}

void
mbuf_count_failed_pullup(struct nke *machine)
{
	machine->mbufs->failed_pullups++;
}
