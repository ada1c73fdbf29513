/*
 * SYN cookies (RFC 4987 section 3.6): when the SYN cache is full, what has to be remembered of a SYN goes
 * into the initial sequence number of its answer, and comes back with the peer's ACK. A flood of SYNs then
 * costs answers, but neither memory nor service.
 *
 * The number, from its top: 24 bits of a keyed hash of both ends, the peer's sequence number, the octet
 * below and the secret's turn; then that octet, XORed with the first eight of the hash: 3 bits of MSS, 3
 * of window scale, SACK permitted, and which of two secrets. A secret is made every 15 s and is good for
 * its turn and the next.
 *
 * State: struct syncookies, in the SYN cache. No timers: secrets are made when they are needed.
 *
 * Limits: cookies are only accepted while some were sent lately, or when nothing else is
 * (net.inet.tcp.syncookies_only), so that a flood of ACKs finds no door. A guess is right once in 2^23.
 *
 * Left out: timestamps and ECN, for which there is no room: such a connection does without. The MSS and the
 * scale are rounded down to the next in a table.
 */
#include <string.h>

#include "src/kern/prng.h"
#include "src/kern/sched.h"
#include "src/netinet/in_siphash.h"
#include "src/netinet/tcp_syncache.h"

#define TURN_NS		(15 * TCP_NS_PER_S)

/* What peers offer most: defaults, tunnels, Ethernet with and without options, for both families. */
static const uint16_t segment_sizes[8] = {216, 536, 1220, 1360, 1400, 1440, 1452, 1460};
/* 0: windows are not scaled. */
static const uint8_t scales[8] = {0, 0, 1, 2, 4, 6, 7, 8};

#define COOKIE_TURN	0x01
#define COOKIE_SACK	0x02
#define COOKIE_SCALE	2		/* shift */
#define COOKIE_MSS	5		/* shift */

static uint64_t
turn_now(const struct nke *machine)
{
	return machine_now(machine) / TURN_NS + 1;
}

/* The upper 24 bits of the cookie, the others 0. */
static tcp_seq
mac(const uint64_t secret[2], const struct in_ends *e, tcp_seq irs, uint8_t octet)
{
	struct in_siphash h;

	in_siphash_ends(&h, secret, e);
	in_siphash_word(&h, (uint64_t)irs << 8 | octet);
	return (tcp_seq)in_siphash_end(&h) & ~(tcp_seq)0xff;
}

static uint8_t
encode_mss(uint16_t mss)
{
	uint8_t i = 0;

	if (mss == 0)
		mss = 536;
	while (i < 7 && segment_sizes[i + 1] <= mss)
		i++;
	return i;
}

static uint8_t
encode_scale(uint8_t scale)
{
	uint8_t i = 1;

	while (i < 7 && scales[i + 1] <= scale)
		i++;
	return i;
}

tcp_seq
syncookie_make(struct nke *machine, struct syncookies *c, struct half_open *h)
{
	struct in_ends e = {
		.faddr = h->faddr, .laddr = h->laddr, .fport = h->fport, .lport = h->lport, .vflag = h->vflag
	};
	uint64_t turn = turn_now(machine);
	unsigned slot = turn & 1, octet;
	tcp_seq iss;

	if (c->turn[slot] != turn) {
		prng_bytes(machine, c->secret[slot], sizeof c->secret[slot]);
		c->turn[slot] = turn;
	}
	c->last = machine_now(machine);
	h->flags &= (uint16_t)~(HO_TSTMP | HO_ECN);
	octet = slot | (unsigned)encode_mss(h->peer_mss) << COOKIE_MSS;
	if (h->flags & HO_SACK)
		octet |= COOKIE_SACK;
	if (h->flags & HO_SCALE)
		octet |= (unsigned)encode_scale(h->snd_scale) << COOKIE_SCALE;
	iss = mac(c->secret[slot], &e, h->irs, (uint8_t)octet);
	return iss | ((octet ^ iss >> 24) & 0xff);
}

static bool
expected(const struct nke *machine, const struct syncookies *c)
{
	const struct tcp_config *config = &machine->tcp->config;

	if (!config->syncookies)
		return false;
	return config->syncookiesonly ||
	    (c->last != 0 && machine_now(machine) - c->last < 2 * TURN_NS);
}

bool
syncookie_check(struct nke *machine, struct syncookies *c, struct inpcb *listener,
    const struct tcp_segment *seg, struct half_open *h)
{
	tcp_seq iss = seg->ack - 1, irs = seg->seq - 1;
	uint8_t octet = (uint8_t)(iss ^ iss >> 24);
	unsigned slot = octet & COOKIE_TURN, scale = octet >> COOKIE_SCALE & 7;
	uint64_t turn = turn_now(machine);

	if (!expected(machine, c))
		return false;
	if ((turn & 1) != slot)
		turn--;
	if (c->turn[slot] != turn || turn == 0 ||
	    mac(c->secret[slot], &seg->ends, irs, octet) != (iss & ~(tcp_seq)0xff))
		return false;
	half_open_begin(h, listener, seg);
	h->irs = irs;
	h->iss = iss;
	h->flags = HO_UNTIMED;
	h->peer_mss = segment_sizes[octet >> COOKIE_MSS];
	if (octet & COOKIE_SACK)
		h->flags |= HO_SACK;
	if (scale != 0) {
		h->flags |= HO_SCALE;
		h->snd_scale = scales[scale];
		h->rcv_scale = tcp_scale_for(machine);
	}
	return true;
}
