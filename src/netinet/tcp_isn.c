/*
 * Numbers that strangers must not guess: initial sequence numbers (RFC 6528, RFC 9293 section 3.4.1) and
 * where our timestamp clock stands towards each peer (RFC 7323 section 5.4).
 *
 * Both are a clock plus a keyed hash of the connection's ends. For one pair of ends they only go forward,
 * so that a connection that follows another on the same pair is told apart from it (RFC 9293 section
 * 3.4.2, RFC 6191); between pairs nobody can tell.
 *
 * State: the two keys in machine->tcp; the first is replaced, when a number is asked for, if it is older than
 * net.inet.tcp.isn_reseed_interval seconds (0: never), and then numbers of one pair may go back, too. Called
 * for every SYN, in either direction. No timers.
 */
#include "src/kern/prng.h"
#include "src/kern/sched.h"
#include "src/netinet/in_siphash.h"
#include "src/netinet/tcp_private.h"

#define ISN_TICK_NS	4000u		/* RFC 9293 section 3.4.1: once round in about 4.77 hours */

static void
reseed_if_old(struct nke *machine)
{
	struct tcp_state *s = machine->tcp;
	uint64_t limit = (uint64_t)s->config.isn_reseed_interval * TCP_NS_PER_S;

	if (limit == 0 || machine_now(machine) - s->isn_seeded < limit)
		return;
	prng_bytes(machine, s->isn_key, sizeof s->isn_key);
	s->isn_seeded = machine_now(machine);
}

tcp_seq
tcp_new_isn(struct nke *machine, const struct in_ends *ends)
{
	struct in_siphash h;

	reseed_if_old(machine);
	in_siphash_ends(&h, machine->tcp->isn_key, ends);
	return (tcp_seq)in_siphash_end(&h) + (tcp_seq)(machine_now(machine) / ISN_TICK_NS);
}

uint32_t
tcp_new_ts_offset(struct nke *machine, const struct in_ends *ends)
{
	struct in_ends e = *ends;
	struct in_siphash h;

	/* net.inet.tcp.ts_offset_per_conn 0: one clock for all connections with a peer. */
	if (!machine->tcp->config.ts_offset_per_conn)
		e.fport = e.lport = 0;
	in_siphash_ends(&h, machine->tcp->ts_key, &e);
	return (uint32_t)in_siphash_end(&h);
}

uint32_t
tcp_ts_now(struct nke *machine)
{
	return (uint32_t)(machine_now(machine) / TCP_NS_PER_MS);
}
