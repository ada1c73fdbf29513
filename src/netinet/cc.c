/*
 * Congestion control: which algorithms there are, which one a connection has, and what all of them
 * share.
 *
 * RFC 5681 with RFC 3465 (bytes are counted, at most net.inet.tcp.abc_l_var segments per ACK in slow
 * start, one after an RTO), RFC 6928 initial window (tcp_mss.c), RFC 7661 in spirit: a window that
 * was not used is not made larger. Recovery's own window is PRR's (tcp_recovery.c).
 *
 * Way in: cc_ack_received, cc_cong_signal and their sisters, from tcp_recovery.c, tcp_ecn.c and
 * tcp_output.c. Way out: snd_cwnd, snd_ssthresh; trace point tcp_cwnd. State: t_cc, t_ccdata;
 * machine: what net.inet.tcp.cc.algorithm names. No timers.
 *
 * Limits: the window stays between a segment and what a scaled window can express. What the host
 * cache knows of a path sets the first threshold, never the first window.
 */
#include <string.h>
#include <sys/errno.h>

#include "src/kern/machine.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_bounded.h"
#include "src/netinet/tcp_private.h"

static const struct cc_algo *const algorithms[] = {&cc_cubic, &cc_newreno};

#define ALGORITHMS	(sizeof algorithms / sizeof *algorithms)

static inline const struct tcp_config *
config_of(const struct tcpcb *tp)
{
	return &tptomachine(tp)->tcp->config;
}

static inline void
trace_windows(struct tcpcb *tp)
{
	TRACE(tptomachine(tp), TCP_CWND, NULL, tp->snd_cwnd, tp->snd_ssthresh);
}

static bool
same_name(const char *a, const char *b)
{
	while (*a == *b && *a != '\0')
		a++, b++;
	return *a == *b;
}

/* ---- which ones ---------------------------------------------------------------------------- */

const struct cc_algo *
cc_find(const char *name)
{
	for (size_t i = 0; i < ALGORITHMS; i++)
		if (same_name(algorithms[i]->name, name))
			return algorithms[i];
	return NULL;
}

void
cc_assign(struct tcpcb *tp, const struct cc_algo *algo)
{
	tp->t_cc = algo;
	memset(tp->t_ccdata, 0, sizeof tp->t_ccdata);
	/* What another algorithm kept says nothing to this one. */
	if (tp->t_undo != NULL)
		memset(tp->t_undo->ccdata, 0, sizeof tp->t_undo->ccdata);
	if (algo->init != NULL)
		algo->init(tp);
}

/* ---- what algorithms share ----------------------------------------------------------------- */

void
cc_set_cwnd(struct tcpcb *tp, uint64_t bytes)
{
	uint64_t most = (uint64_t)TCP_MAXWIN << tp->snd_scale;

	if (bytes > most)
		bytes = most;
	if (bytes < tp->t_maxseg)
		bytes = tp->t_maxseg;
	tp->snd_cwnd = (uint32_t)bytes;
}

uint32_t
cc_loss_window(const struct tcpcb *tp)
{
	if (config_of(tp)->loss_from_cwnd || (tp->t_uflags & TFU_BASE))
		return tp->snd_cwnd;
	return tp->t_lossflight < tp->snd_cwnd ? tp->t_lossflight : tp->snd_cwnd;
}

uint32_t
cc_restart_window(const struct tcpcb *tp)
{
	uint32_t iw = tcp_initial_window(tp);

	return tp->snd_cwnd < iw ? tp->snd_cwnd : iw;
}

uint32_t
cc_slow_start(const struct tcpcb *tp, const struct cc_ack *ack)
{
	const struct tcp_config *c = config_of(tp);
	uint32_t most = tp->t_maxseg;

	/* RFC 3465 2.3: after an RTO a single ACK may cover much that was there before. */
	if (c->rfc3465 && !(tp->t_flags & TF_RTORECOVERY))
		most *= (uint32_t)c->abc_l_var;
	return ack->acked < most ? ack->acked : most;
}

void
cc_congestion_avoidance(struct tcpcb *tp, const struct cc_ack *ack, uint32_t *counted)
{
	uint32_t mss = tp->t_maxseg;

	if (!config_of(tp)->rfc3465) {
		/* RFC 5681, equation 3. */
		uint32_t more = (uint32_t)((uint64_t)mss * mss / tp->snd_cwnd);

		cc_set_cwnd(tp, (uint64_t)tp->snd_cwnd + (more != 0 ? more : 1));
		return;
	}
	*counted += ack->acked;
	if (*counted >= tp->snd_cwnd) {
		*counted -= tp->snd_cwnd;
		cc_set_cwnd(tp, (uint64_t)tp->snd_cwnd + mss);
	}
}

void
cc_restore(struct tcpcb *tp)
{
	const struct tcp_undo *u = tp->t_undo;

	if (tp->snd_cwnd < u->cwnd)
		cc_set_cwnd(tp, u->cwnd);
	if (tp->snd_ssthresh < u->ssthresh)
		tp->snd_ssthresh = u->ssthresh;
}

/* ---- what TCP says -------------------------------------------------------------------------- */

/* What was out when the newest octets went, at the height of a burst that gets acknowledged; 0 unknown. */
static uint64_t
newest_flight(const struct tcpcb *tp)
{
	const struct tcp_sent *e = TAILQ_LAST(&tp->t_sent, tcp_sent_list);

	return e == NULL || (e->flags & SENT_REXMIT) ? 0 : tp->snd_nxt - tp->iss - (uint32_t)e->delivered;
}

bool
cc_in_slow_start(const struct tcpcb *tp)
{
	return tp->snd_cwnd < tp->snd_ssthresh ||
	    (tp->snd_cwnd == tp->snd_ssthresh && (tp->t_uflags & TFU_BASE));
}

/*
 * Did the window limit what was out before this ACK? In slow start it may be twice what is out: with ACKs
 * that stretch, it runs ahead (RFC 7661 is stricter after idle times, which cc_after_idle sees to).
 */
static bool
was_limited(const struct tcpcb *tp, const struct tcp_segment *seg)
{
	uint64_t out = (uint64_t)tcp_pipe(tp) + seg->delivered + tp->t_lost;

	if (cc_in_slow_start(tp))
		return 2 * out > tp->snd_cwnd || 2 * newest_flight(tp) > tp->snd_cwnd;
	return out + tp->t_maxseg > tp->snd_cwnd;
}

void
cc_ack_received(struct tcpcb *tp, const struct tcp_segment *seg, uint32_t acked)
{
	struct cc_ack ack = {
		.acked = acked, .rtt = seg->rtt,
		.in_recovery = (tp->t_flags & (TF_FASTRECOVERY | TF_CONGRECOVERY)) != 0,
		.cwnd_limited = was_limited(tp, seg)
	};

	/* F-RTO has lent out two segments, to see what comes back. */
	if (tp->t_flags & TF_FRTO)
		return;
	tp->t_cc->ack_received(tp, &ack);
	trace_windows(tp);
}

void
cc_cong_signal(struct tcpcb *tp, enum cc_signal what)
{
	tp->t_cc->cong_signal(tp, what);
	/* RFC 3168 6.1.2: whatever reduced the window, the peer is told with the next new data. */
	if ((tp->t_flags & TF_ECN_PERMIT) && (what == CC_NDUPACK || what == CC_RTO))
		tp->t_flags |= TF_ECN_SND_CWR;
	if (what == CC_RTO)
		tp->snd_cwnd = tp->t_maxseg;
	else if (what == CC_ECN)
		cc_set_cwnd(tp, tp->snd_ssthresh);
	trace_windows(tp);
}

/*
 * RFC 6582 3.2, step 3: no burst when little is in flight; slow start makes up for it (1), unless
 * net.inet.tcp.recovery_burst says that the window is ssthresh in any case (2).
 */
void
cc_post_recovery(struct tcpcb *tp)
{
	uint32_t pipe = tcp_pipe(tp);

	if (tp->t_cc->post_recovery != NULL)
		tp->t_cc->post_recovery(tp);
	else if (pipe < tp->snd_ssthresh && tp->snd_ssthresh - pipe > tp->t_maxseg &&
	    !config_of(tp)->recovery_burst)
		cc_set_cwnd(tp, (uint64_t)(pipe > tp->t_maxseg ? pipe : tp->t_maxseg) + tp->t_maxseg);
	else
		cc_set_cwnd(tp, tp->snd_ssthresh);
	trace_windows(tp);
}

/*
 * RFC 5681 4.1, unless net.inet.tcp.idle_restart says no; the threshold remembers most of what the path could
 * do, as RFC 7661 4.3 suggests.
 */
void
cc_after_idle(struct tcpcb *tp)
{
	uint32_t most = tp->snd_cwnd - tp->snd_cwnd / 4;

	if (tp->t_cc->after_idle != NULL)
		tp->t_cc->after_idle(tp);
	if (!config_of(tp)->idle_restart)
		return;
	if (tp->snd_ssthresh < most)
		tp->snd_ssthresh = most;
	cc_set_cwnd(tp, cc_restart_window(tp));
	trace_windows(tp);
}

void
cc_conn_init(struct tcpcb *tp)
{
	struct nke *machine = tptomachine(tp);
	struct tcpstat *st = tcp_statistics(machine);
	struct in_ends ends = tcp_ends(tp);
	struct tcp_hostinfo info;

	tp->snd_cwnd = tcp_initial_window(tp);
	tp->t_recover = tp->iss;
	tp->t_rack_fack = tp->snd_una;
	if (tcp_hostcache_get(machine, &ends.faddr, ends.vflag, &info)) {
		if (info.rtt_us != 0 && tp->t_srtt == 0) {
			tcp_rtt_update(tp, info.rtt_us);
			if (info.rttvar_us != 0)
				tp->t_rttvar = info.rttvar_us << 2;
			tp->t_rxtcur = tcp_rto(tp);
			st->tcps_usedrtt++;
		}
		if (info.ssthresh != 0) {
			tp->snd_ssthresh = info.ssthresh > 2 * tp->t_maxseg ? info.ssthresh :
			    2 * tp->t_maxseg;
			st->tcps_usedssthresh++;
		}
	}
	trace_windows(tp);
}

/* ---- net.inet.tcp.cc ------------------------------------------------------------------------ */

/* arg1: the machine. What new connections get. */
static int
handle_algorithm SYSCTL_HANDLER_ARGS
{
	struct nke *machine = arg1;
	const struct cc_algo *algo = machine->tcp->cc;
	char name[TCP_CA_NAME_MAX];
	int error = SYSCTL_OUT(req, algo->name, sizeof algo->name);

	(void)oidp;
	(void)arg2;
	if (error != 0 || req->newptr == 0)
		return error;
	if (req->newlen >= sizeof name)
		return EINVAL;
	memset(name, 0, sizeof name);
	error = SYSCTL_IN(req, name, req->newlen);
	if (error != 0)
		return error;
	algo = cc_find(name);
	if (algo == NULL)
		return ENOENT;
	machine->tcp->cc = algo;
	return 0;
}

/* Their names, with commas between. */
static int
handle_available SYSCTL_HANDLER_ARGS
{
	char text[ALGORITHMS * (TCP_CA_NAME_MAX + 1)];
	size_t len = 0;

	(void)oidp;
	(void)arg1;
	(void)arg2;
	for (size_t i = 0; i < ALGORITHMS; i++) {
		if (i != 0)
			text[len++] = ',';
		for (const char *p = algorithms[i]->name; *p != '\0'; p++)
			text[len++] = *p;
	}
	text[len++] = '\0';
	return SYSCTL_OUT(req, text, len);
}

static const struct sysctl_bounded cubic_variables[] = {
	{OID_AUTO, "fast_convergence", offsetof(struct tcp_config, cubic_fast_convergence), 0, 1},
	{OID_AUTO, "friendly", offsetof(struct tcp_config, cubic_friendly), 0, 1},
	{OID_AUTO, "hystart", offsetof(struct tcp_config, cubic_hystart), 0, 2},
	{.name = NULL}
};

errno_t
cc_init(struct nke *machine)
{
	struct tcp_state *s = machine->tcp;
	errno_t error;

	error = sysctl_add(machine, &sysctl__net_inet_tcp_children, OID_AUTO, "cc",
	    CTLTYPE_NODE | CTLFLAG_RW, &s->cc_branch, 0, NULL, "N");
	if (error == 0)
		error = sysctl_add(machine, &s->cc_branch, OID_AUTO, "algorithm",
		    CTLTYPE_STRING | CTLFLAG_RW, machine, 0, handle_algorithm, "A");
	if (error == 0)
		error = sysctl_add(machine, &s->cc_branch, OID_AUTO, "available",
		    CTLTYPE_STRING | CTLFLAG_RD, machine, 0, handle_available, "A");
	if (error == 0)
		error = sysctl_add(machine, &s->cc_branch, OID_AUTO, "cubic",
		    CTLTYPE_NODE | CTLFLAG_RW, &s->cubic_branch, 0, NULL, "N");
	if (error == 0)
		error = sysctl_add_bounded(machine, &s->cubic_branch, cubic_variables, &s->config);
	return error;
}
