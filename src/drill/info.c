/*
 * What code of a script is told of the connection under test: the members of TCP_INFO by both systems'
 * names, in the units of the system that the script is for: Linux counts its window in segments, BSD in
 * octets.
 */
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "src/drill/engine.h"
#include "src/netinet/tcp_user.h"

#define SSTHRESH_NONE	(65535u << 14)	/* no loss yet: the largest window that there can be */
#define US_PER_MS	1000
#define DEFAULT_MSS	536
#define LINUX_OPT_SYN_DATA	32	/* the same bit as BSD's for Fast Open */

struct info {
	struct core_tcp_info tcp;
};

#define MEMBER(name)		{#name, offsetof(struct core_tcp_info, name), \
	sizeof(((struct core_tcp_info *)0)->name)}
#define ALSO(other, name)	{#other, offsetof(struct core_tcp_info, name), \
	sizeof(((struct core_tcp_info *)0)->name)}

static const struct member {
	const char *name;
	size_t offset, size;
} members[] = {
	MEMBER(tcpi_state), MEMBER(tcpi_ca_state), MEMBER(tcpi_retransmits), MEMBER(tcpi_probes),
	MEMBER(tcpi_backoff), MEMBER(tcpi_options), MEMBER(tcpi_snd_wscale), MEMBER(tcpi_rcv_wscale),
	MEMBER(tcpi_rto), MEMBER(tcpi_snd_mss), MEMBER(tcpi_rcv_mss), MEMBER(tcpi_unacked),
	MEMBER(tcpi_sacked), MEMBER(tcpi_lost), MEMBER(tcpi_retrans), MEMBER(tcpi_last_data_sent),
	MEMBER(tcpi_last_data_recv), MEMBER(tcpi_pmtu), MEMBER(tcpi_rcv_ssthresh), MEMBER(tcpi_rtt),
	MEMBER(tcpi_rttvar), MEMBER(tcpi_rttmin), MEMBER(tcpi_snd_ssthresh), MEMBER(tcpi_snd_cwnd),
	MEMBER(tcpi_advmss), MEMBER(tcpi_reordering), MEMBER(tcpi_rcv_space), MEMBER(tcpi_snd_wnd),
	MEMBER(tcpi_snd_nxt), MEMBER(tcpi_snd_una), MEMBER(tcpi_rcv_nxt), MEMBER(tcpi_snd_rexmitpack),
	MEMBER(tcpi_rcv_ooopack), MEMBER(tcpi_snd_sbbytes), MEMBER(tcpi_notsent), MEMBER(tcpi_rcv_sbbytes),
	MEMBER(tcpi_rcv_numsacks), MEMBER(tcpi_received_ce), MEMBER(tcpi_received_ece),
	MEMBER(tcpi_txpackets), MEMBER(tcpi_rxpackets), MEMBER(tcpi_txbytes), MEMBER(tcpi_rxbytes),
	MEMBER(tcpi_txretransmitbytes), MEMBER(tcpi_delivered), MEMBER(tcpi_pacing_rate),
	MEMBER(tcpi_delivered_ce), MEMBER(tcpi_delivered_e1_bytes), MEMBER(tcpi_delivered_e0_bytes),
	MEMBER(tcpi_delivered_ce_bytes), MEMBER(tcpi_received_e1_bytes), MEMBER(tcpi_received_e0_bytes),
	MEMBER(tcpi_received_ce_bytes),
	ALSO(tcpi_min_rtt, tcpi_rttmin), ALSO(tcpi_total_retrans, tcpi_snd_rexmitpack),
	ALSO(tcpi_notsent_bytes, tcpi_notsent), ALSO(tcpi_bytes_sent, tcpi_txbytes),
	ALSO(tcpi_bytes_received, tcpi_rxbytes), ALSO(tcpi_bytes_retrans, tcpi_txretransmitbytes),
	ALSO(tcpi_segs_out, tcpi_txpackets), ALSO(tcpi_segs_in, tcpi_rxpackets),
};

void
info_forget(struct run *r)
{
	free(r->info);
	r->info = NULL;
}

/* The descriptor of the connection under test; -1: none. */
static int
fd_under_test(const struct run *r)
{
	const struct flow *f = r->current;

	if (f != NULL && f->fd >= 0)
		return f->fd;
	for (f = r->flows; f != NULL; f = f->next)
		if (f->fd >= 0 && f->protocol == DRILL_TCP && f->state != FLOW_LISTENING)
			return f->fd;
	return -1;
}

static bool
ask(struct run *r)
{
	int fd = fd_under_test(r);
	socklen_t len;

	if (r->info != NULL)
		return true;
	r->info = calloc(1, sizeof *r->info);
	if (r->info == NULL || fd < 0)
		return r->info != NULL;
	len = sizeof r->info->tcp;
	(void)nke_darwin_getsockopt(r->machine, fd, IPPROTO_TCP, CORE_TCP_INFO, &r->info->tcp, &len);
	return true;
}

/* BSD's numbers of states, in order, as Linux's. */
static int64_t
linux_state(int64_t state)
{
	static const uint8_t states[] = {7, 10, 2, 3, 1, 8, 4, 11, 9, 5, 6};

	return state >= 0 && state < (int64_t)sizeof states ? states[state] : state;
}

/* There SYN_DATA is more than being allowed to, and either kind of ECN is one. */
static int64_t
linux_options(const struct run *r, int64_t value)
{
	if (value & CORE_TCPI_ACE)
		value |= CORE_TCPI_ECN;
	value &= ~(LINUX_OPT_SYN_DATA | CORE_TCPI_ACE);
	return value | (r->current != NULL && r->current->syn_data ? LINUX_OPT_SYN_DATA : 0);
}

/*
 * Linux's is the largest segment that has come, or RFC 9293's default to begin with. What --mss cuts is one
 * segment to the machine, as it is to a host whose interface joins segments.
 */
static int64_t
linux_rcv_mss(const struct run *r, int64_t maxseg)
{
	int64_t largest = r->current != NULL ? r->current->largest_in : 0;

	if (r->config->mss != 0 && largest > r->config->mss)
		largest = r->config->mss;
	if (largest < DEFAULT_MSS)
		largest = DEFAULT_MSS;
	return largest < maxseg ? largest : maxseg;
}

static int64_t
in_units(const struct run *r, const char *name, int64_t value)
{
	uint32_t mss = r->info->tcp.tcpi_snd_mss;

	if (!r->linux_dialect)
		return value;
	if (strcmp(name, "tcpi_rcv_mss") == 0)
		return linux_rcv_mss(r, value);
	if (strcmp(name, "tcpi_state") == 0)
		return linux_state(value);
	if (strcmp(name, "tcpi_options") == 0)
		return linux_options(r, value);
	if (strncmp(name, "tcpi_last_data_", 15) == 0)
		return value / US_PER_MS;
	if (strcmp(name, "tcpi_snd_ssthresh") == 0 && value >= SSTHRESH_NONE)
		return INT32_MAX;
	if ((strcmp(name, "tcpi_snd_cwnd") == 0 || strcmp(name, "tcpi_snd_ssthresh") == 0) && mss != 0)
		return value / mss;
	return value;
}

static int64_t
value_at(const struct run *r, const struct member *m)
{
	const uint8_t *p = (const uint8_t *)&r->info->tcp + m->offset;
	uint64_t long_value;
	uint32_t value;

	if (m->size == 1)
		return p[0];
	if (m->size == sizeof value) {
		memcpy(&value, p, sizeof value);
		return value;
	}
	memcpy(&long_value, p, sizeof long_value);
	return (int64_t)long_value;
}

bool
info_lookup(void *ctx, const char *name, int64_t *value)
{
	const struct drill_constant *c;
	struct run *r = ctx;

	if (strncmp(name, "__", 2) == 0)	/* how FreeBSD names those that it has not filled in */
		name += 2;
	if (chrono_lookup(r, fd_under_test(r), name, value))
		return true;
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		if (strcmp(members[i].name, name) != 0)
			continue;
		if (!ask(r))
			return false;
		*value = in_units(r, name, value_at(r, &members[i]));
		return true;
	}
	c = drill_constant(name);
	if (c == NULL)
		return false;
	/* States and such are told as in the script's dialect, and so their names are. */
	*value = c->has_host && (r->linux_dialect || !c->has_darwin) ? c->host : c->darwin;
	return true;
}
