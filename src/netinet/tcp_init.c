/*
 * TCP as a subsystem of a machine: its state, its defaults (FreeBSD's), its sysctl variables (net.inet.tcp.*
 * by FreeBSD's names, which are BSD's; times in ms), and its registration with the socket layer and with IP
 * for both families.
 *
 * Variables that are no number between limits belong to who knows them: cc.* to cc.c, hostcache.* and
 * syncache.* beyond the settings to tcp_hostcache.c and tcp_syncache.c, pcblist to tcp_info.c.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_bounded.h"
#include "src/netinet/tcp_ecn.h"
#include "src/netinet/tcp_user.h"

#define HOUR_MS		3600000
#define DAY_MS		(24 * HOUR_MS)

/* ---- defaults ----------------------------------------------------------------------------- */

static const struct tcp_config defaults = {
	.rfc1323 = 1, .sack = 1, .sack_revised = 1,
	.rfc3042 = 1, .rfc3390 = 1, .rfc3465 = 1, .abc_l_var = 2, .do_prr = 1,
	.rack = 1, .frto = 1, .rexmit_loss_reduces = 1, .ecn_enable = 2, .ecn_maxretries = 1,
	.idle_restart = 1,
	.ecn_option = 2, .ecn_option_beacon = 3, .ecn_fallback = 1,
	.delayed_ack = 1, .delacktime = 40,
	.mssdflt = 536, .v6mssdflt = 1220, .minmss = TCP_MINMSS,
	.sendspace = 32768, .recvspace = 65536,
	.sendbuf_auto = 1, .sendbuf_inc = 8192, .sendbuf_max = 2097152,
	.recvbuf_auto = 1, .recvbuf_max = 2097152,
	.initcwnd_segments = 10,
	.rexmit_min = 30, .rexmit_max = 64000, .rexmit_slop = 200, .rexmit_initial = 1000,
	.persmin = 5000, .persmax = 60000, .maxpersistidle = 2 * HOUR_MS,
	.keepinit = 75000, .keepidle = 2 * HOUR_MS, .keepintvl = 75000, .keepcnt = 8,
	.msl = 30000, .tw_reuse_delay = 1000, .ack_unsent = 1, .finwait2_timeout = 60000, .maxtcptw = 16384,
	.icmp_may_rst = 1, .ts_offset_per_conn = 1,
	.path_mtu_discovery = 1, .pmtud_blackhole_mss = 1200, .v6pmtud_blackhole_mss = 1220,
	.tso = 1, .challenge_acks = 10,
	.reass_maxsegments = 65536, .reass_maxqueuelen = 100,
	.syncookies = 1, .syncache_cachelimit = 15375, .syncache_bucketlimit = 30, .syncache_rexmtlimit = 3,
	.syncache_rst_on_sock_fail = 1,
	.fastopen_client = 1, .fastopen_numkeys = 2,
	.hostcache_enable = 1, .hostcache_expire = 3600, .hostcache_limit = 15360,
	.cubic_fast_convergence = 1, .cubic_friendly = 1, .cubic_hystart = 1
};

/* ---- variables ---------------------------------------------------------------------------- */

#define AT(member)		offsetof(struct tcp_config, member)
#define SWITCH(name, member)	{OID_AUTO, name, AT(member), 0, 1}

static const struct sysctl_bounded variables[] = {
	{TCPCTL_DO_RFC1323, "rfc1323", AT(rfc1323), 0, 3},
	{TCPCTL_MSSDFLT, "mssdflt", AT(mssdflt), TCP_MINMSS, IP_MAXPACKET},
	{TCPCTL_V6MSSDFLT, "v6mssdflt", AT(v6mssdflt), TCP_MINMSS, IP_MAXPACKET},
	{OID_AUTO, "minmss", AT(minmss), 1, IP_MAXPACKET},
	{TCPCTL_SENDSPACE, "sendspace", AT(sendspace), 1, INT32_MAX},
	{TCPCTL_RECVSPACE, "recvspace", AT(recvspace), 1, INT32_MAX},
	{TCPCTL_DELACKTIME, "delacktime", AT(delacktime), 1, 500},	/* RFC 9293 3.8.6.3 */
	{TCPCTL_KEEPINIT, "keepinit", AT(keepinit), 1, DAY_MS},
	{TCPCTL_KEEPIDLE, "keepidle", AT(keepidle), 1, INT32_MAX},
	{TCPCTL_KEEPINTVL, "keepintvl", AT(keepintvl), 1, INT32_MAX},
	{OID_AUTO, "keepcnt", AT(keepcnt), 1, UINT16_MAX},
	SWITCH("always_keepalive", always_keepalive),
	SWITCH("rfc3042", rfc3042),
	SWITCH("rfc3390", rfc3390),
	SWITCH("rfc3465", rfc3465),
	{OID_AUTO, "abc_l_var", AT(abc_l_var), 1, 100},
	SWITCH("abc_delivered", abc_delivered),
	SWITCH("do_prr", do_prr),
	SWITCH("prr_ecn", prr_ecn),
	SWITCH("msg_eor", msg_eor),
	SWITCH("nagle_minshall", nagle_minshall),
	SWITCH("loss_from_cwnd", loss_from_cwnd),
	SWITCH("recovery_burst", recovery_burst),
	SWITCH("rexmit_loss_reduces", rexmit_loss_reduces),
	SWITCH("rack", rack),
	SWITCH("frto", frto),
	SWITCH("idle_restart", idle_restart),
	SWITCH("delayed_ack", delayed_ack),
	SWITCH("delack_fin", delack_fin),
	SWITCH("sendbuf_auto", sendbuf_auto),
	{OID_AUTO, "sendbuf_inc", AT(sendbuf_inc), 1, INT32_MAX},
	{OID_AUTO, "sendbuf_max", AT(sendbuf_max), 1, INT32_MAX},
	SWITCH("recvbuf_auto", recvbuf_auto),
	{OID_AUTO, "recvbuf_max", AT(recvbuf_max), 1, INT32_MAX},
	{OID_AUTO, "initcwnd_segments", AT(initcwnd_segments), 1, 10000},
	{OID_AUTO, "rexmit_min", AT(rexmit_min), 1, HOUR_MS},
	{OID_AUTO, "rexmit_max", AT(rexmit_max), 1000, HOUR_MS},	/* RFC 6298 2.4: a minute, or more */
	{OID_AUTO, "rexmit_slop", AT(rexmit_slop), 0, HOUR_MS},
	{OID_AUTO, "rexmit_granularity", AT(rexmit_granularity), 0, HOUR_MS},
	{OID_AUTO, "syn_linear_timeouts", AT(syn_linear_timeouts), 0, TCP_MAXRXTSHIFT},
	{OID_AUTO, "rexmit_initial", AT(rexmit_initial), 1, HOUR_MS},
	SWITCH("rexmit_drop_options", rexmit_drop_options),
	{OID_AUTO, "persmin", AT(persmin), 0, HOUR_MS},
	SWITCH("persist_empty", persist_empty),
	{OID_AUTO, "persmax", AT(persmax), 1, HOUR_MS},
	{OID_AUTO, "maxpersistidle", AT(maxpersistidle), 1, INT32_MAX},
	{OID_AUTO, "msl", AT(msl), 1, HOUR_MS},
	{OID_AUTO, "finwait2_timeout", AT(finwait2_timeout), 1, HOUR_MS},
	SWITCH("fast_finwait2_recycle", fast_finwait2_recycle),
	{OID_AUTO, "maxtcptw", AT(maxtcptw), 0, 10000000},
	SWITCH("unread_rst", unread_rst),
	{OID_AUTO, "tw_reuse_delay", AT(tw_reuse_delay), 0, HOUR_MS},
	SWITCH("nolocaltimewait", nolocaltimewait),
	SWITCH("drop_synfin", drop_synfin),
	SWITCH("icmp_may_rst", icmp_may_rst),
	SWITCH("insecure_rst", insecure_rst),
	SWITCH("insecure_syn", insecure_syn),
	SWITCH("insecure_ack", insecure_ack),
	SWITCH("ack_unsent", ack_unsent),
	{OID_AUTO, "blackhole", AT(blackhole), 0, 3},
	{OID_AUTO, "log_in_vain", AT(log_in_vain), 0, 2},
	SWITCH("tolerate_missing_ts", tolerate_missing_ts),
	SWITCH("ts_offset_per_conn", ts_offset_per_conn),
	SWITCH("path_mtu_discovery", path_mtu_discovery),
	{OID_AUTO, "pmtud_blackhole_detection", AT(pmtud_blackhole_detection), 0, 3},
	{OID_AUTO, "pmtud_blackhole_mss", AT(pmtud_blackhole_mss), TCP_MINMSS, IP_MAXPACKET},
	{OID_AUTO, "v6pmtud_blackhole_mss", AT(v6pmtud_blackhole_mss), TCP_MINMSS, IP_MAXPACKET},
	SWITCH("tso", tso),
	{OID_AUTO, "isn_reseed_interval", AT(isn_reseed_interval), 0, INT32_MAX},
	{OID_AUTO, "ack_war_cnt", AT(challenge_acks), 0, INT32_MAX},
	SWITCH("syncookies", syncookies),
	SWITCH("syncookies_only", syncookiesonly),
	{.name = NULL}
};

static const struct sysctl_bounded sack_variables[] = {
	SWITCH("enable", sack),
	SWITCH("revised", sack_revised),
	{.name = NULL}
};

static const struct sysctl_bounded ecn_variables[] = {
	{OID_AUTO, "enable", AT(ecn_enable), 0, 5},
	{OID_AUTO, "maxretries", AT(ecn_maxretries), 0, TCP_MAXRXTSHIFT},
	{OID_AUTO, "plusplus", AT(ecn_plusplus), ECN_PLUS_NONE, ECN_PLUS_ACCURATE},
	{OID_AUTO, "option", AT(ecn_option), 0, 3},
	{OID_AUTO, "option_beacon", AT(ecn_option_beacon), 0, 63},
	SWITCH("fallback", ecn_fallback),
	{.name = NULL}
};

static const struct sysctl_bounded syncache_variables[] = {
	{OID_AUTO, "cachelimit", AT(syncache_cachelimit), 0, INT32_MAX},
	{OID_AUTO, "bucketlimit", AT(syncache_bucketlimit), 1, INT32_MAX},
	{OID_AUTO, "rexmtlimit", AT(syncache_rexmtlimit), 0, TCP_MAXRXTSHIFT},
	SWITCH("rst_on_sock_fail", syncache_rst_on_sock_fail),
	{.name = NULL}
};

static const struct sysctl_bounded reass_variables[] = {
	{OID_AUTO, "maxsegments", AT(reass_maxsegments), 0, INT32_MAX},
	{OID_AUTO, "maxqueuelen", AT(reass_maxqueuelen), 1, UINT16_MAX},
	{.name = NULL}
};

static const struct sysctl_bounded fastopen_variables[] = {
	SWITCH("client_enable", fastopen_client),
	SWITCH("server_enable", fastopen_server),
	SWITCH("acceptany", fastopen_acceptany),
	SWITCH("nocookie", fastopen_nocookie),
	{OID_AUTO, "numkeys", AT(fastopen_numkeys), 1, 2},
	{.name = NULL}
};

static const struct sysctl_bounded hostcache_variables[] = {
	SWITCH("enable", hostcache_enable),
	{OID_AUTO, "expire", AT(hostcache_expire), 1, INT32_MAX},
	{OID_AUTO, "cachelimit", AT(hostcache_limit), 0, 1000000},
	{.name = NULL}
};

static const struct branch {
	enum tcp_branch branch;
	const char *name;
	const struct sysctl_bounded *variables;
} branches[] = {
	{TCP_BRANCH_SACK, "sack", sack_variables},
	{TCP_BRANCH_ECN, "ecn", ecn_variables},
	{TCP_BRANCH_SYNCACHE, "syncache", syncache_variables},
	{TCP_BRANCH_REASS, "reass", reass_variables},
	{TCP_BRANCH_FASTOPEN, "fastopen", fastopen_variables},
	{TCP_BRANCH_HOSTCACHE, "hostcache", hostcache_variables}
};

/* ---- which stack --------------------------------------------------------------------------- */

/* arg1: the machine. What new connections get: the option TCP_FUNCTION_BLK's names. */
static int
handle_functions SYSCTL_HANDLER_ARGS
{
	struct tcp_config *c = &((struct nke *)arg1)->tcp->config;
	char name[CORE_TCP_FUNCTION_NAME_MAX] = "";
	bool base = c->base_stack != 0;
	const char *now = tcp_function_name(base);
	int error = SYSCTL_OUT(req, now, strlen(now) + 1);

	(void)oidp;
	(void)arg2;
	if (error != 0 || req->newptr == 0)
		return error;
	if (req->newlen >= sizeof name)
		return EINVAL;
	error = SYSCTL_IN(req, name, req->newlen);
	if (error != 0)
		return error;
	if (!tcp_function_of(name, &base))
		return ENOENT;
	c->base_stack = base;
	return 0;
}

/* ---- what can only be read ---------------------------------------------------------------- */

/* Writing starts the counters anew. */
static int
handle_stats SYSCTL_HANDLER_ARGS
{
	struct tcpstat *st = tcp_statistics(arg1);
	int error = SYSCTL_OUT(req, st, sizeof *st);

	(void)oidp;
	(void)arg2;
	return error != 0 || req->newptr == 0 ? error : SYSCTL_IN(req, st, sizeof *st);
}

static int
handle_ecn_stats SYSCTL_HANDLER_ARGS
{
	struct core_tcp_ecnstat *st = &((struct nke *)arg1)->tcp->ecnstat;
	int error = SYSCTL_OUT(req, st, sizeof *st);

	(void)oidp;
	(void)arg2;
	return error != 0 || req->newptr == 0 ? error : SYSCTL_IN(req, st, sizeof *st);
}

enum count { COUNT_PCBS, COUNT_TIMEWAIT, COUNT_SYNCACHE, COUNT_REASS, COUNT_RESETS };

/* arg2: which. */
static int
handle_count SYSCTL_HANDLER_ARGS
{
	const struct nke *machine = arg1;
	uint32_t count = 0;

	(void)oidp;
	switch ((enum count)arg2) {
	case COUNT_PCBS:
		count = machine->tcp->pcbs.count;
		break;
	case COUNT_TIMEWAIT:
		count = tcp_timewait_count(machine);
		break;
	case COUNT_SYNCACHE:
		count = syncache_count(machine);
		break;
	case COUNT_REASS:
		count = machine->tcp->reass_segments;
		break;
	case COUNT_RESETS:
		count = machine->tcp->resets_suppressed;
		break;
	}
	return SYSCTL_OUT(req, &count, sizeof count);
}

/* Connections in each state: a number of 8 octets for every TCPS_*. */
static int
handle_states SYSCTL_HANDLER_ARGS
{
	const struct nke *machine = arg1;
	uint64_t states[TCP_NSTATES];

	(void)oidp;
	(void)arg2;
	for (int i = 0; i < TCP_NSTATES; i++)
		states[i] = machine->tcp->states[i];
	states[TCPS_SYN_RECEIVED] += syncache_count(machine);
	states[TCPS_TIME_WAIT] = tcp_timewait_count(machine);	/* also of those that have a socket */
	return SYSCTL_OUT(req, states, sizeof states);
}

static errno_t
add_counts(struct nke *machine, struct tcp_state *s)
{
	const struct {
		struct sysctl_oid_list *parent;
		const char *name;
		enum count count;
	} counts[] = {
		{&sysctl__net_inet_tcp_children, "pcbcount", COUNT_PCBS},
		{&sysctl__net_inet_tcp_children, "tw_pcbcount", COUNT_TIMEWAIT},
		{&sysctl__net_inet_tcp_children, "rst_suppressed", COUNT_RESETS},
		{&s->branches[TCP_BRANCH_SYNCACHE], "count", COUNT_SYNCACHE},
		{&s->branches[TCP_BRANCH_REASS], "cursegments", COUNT_REASS}
	};
	errno_t error = 0;

	for (size_t i = 0; i < sizeof counts / sizeof *counts && error == 0; i++)
		error = sysctl_add(machine, counts[i].parent, OID_AUTO, counts[i].name,
		    CTLTYPE_INT | CTLFLAG_RD, machine, (int)counts[i].count, handle_count, "IU");
	return error;
}

static errno_t
add_variables(struct nke *machine, struct tcp_state *s)
{
	struct sysctl_oid_list *parent = &sysctl__net_inet_tcp_children;
	errno_t error = sysctl_add_bounded(machine, parent, variables, &s->config);

	for (size_t i = 0; i < sizeof branches / sizeof *branches && error == 0; i++) {
		struct sysctl_oid_list *list = &s->branches[branches[i].branch];

		error = sysctl_add(machine, parent, OID_AUTO, branches[i].name,
		    CTLTYPE_NODE | CTLFLAG_RW, list, 0, NULL, "N");
		if (error == 0)
			error = sysctl_add_bounded(machine, list, branches[i].variables, &s->config);
	}
	if (error == 0)
		error = add_counts(machine, s);
	if (error == 0)
		error = sysctl_add(machine, parent, TCPCTL_STATS, "stats", CTLTYPE_STRUCT | CTLFLAG_RW,
		    machine, 0, handle_stats, "S,tcpstat");
	if (error == 0)
		error = sysctl_add(machine, &s->branches[TCP_BRANCH_ECN], OID_AUTO, "stats",
		    CTLTYPE_STRUCT | CTLFLAG_RW, machine, 0, handle_ecn_stats, "S,core_tcp_ecnstat");
	if (error == 0)
		error = sysctl_add(machine, parent, OID_AUTO, "functions_default",
		    CTLTYPE_STRING | CTLFLAG_RW, machine, 0, handle_functions, "A");
	if (error == 0)
		error = sysctl_add(machine, parent, OID_AUTO, "states", CTLTYPE_OPAQUE | CTLFLAG_RD,
		    machine, 0, handle_states, "QU");
	return error;
}

/* ---- life --------------------------------------------------------------------------------- */

static const struct protosw tcp_proto = {
	.pr_type = SOCK_STREAM,
	.pr_protocol = IPPROTO_TCP,
	.pr_flags = PR_CONNREQUIRED | PR_WANTRCVD | PR_IMPLOPCL,
	.pr_usrreqs = &tcp_usrreqs,
	.pr_ctloutput = tcp_ctloutput
};

/* In order; what has been brought up is taken down the other way round. */
static const struct part {
	errno_t (*init)(struct nke *);
	void (*fini)(struct nke *);
} parts[] = {
	{tcp_hostcache_init, tcp_hostcache_fini},
	{tcp_timewait_init, tcp_timewait_fini},
	{tcp_syncache_init, tcp_syncache_fini},
	{tcp_fastopen_init, tcp_fastopen_fini},
	{cc_init, NULL},
	{tcp_pcblist_init, NULL}
};

#define PARTS	(sizeof parts / sizeof *parts)

static void
end_parts(struct nke *machine, size_t count)
{
	while (count != 0)
		if (parts[--count].fini != NULL)
			parts[count].fini(machine);
}

static void
free_state(struct nke *machine)
{
	struct tcp_state *s = machine->tcp;

	tcp_sent_drain(machine);
	route_clear(&s->reply_route);
	in_pcbinfo_fini(&s->pcbs);
	zone_fini(&s->connections);
	machine->tcp = NULL;
	kfree(machine, s);
}

static errno_t
begin_parts(struct nke *machine)
{
	size_t done = 0;
	errno_t error = add_variables(machine, machine->tcp);

	while (error == 0 && done < PARTS) {
		error = parts[done].init(machine);
		done += error == 0;
	}
	if (error == 0)
		error = net_add_proto(machine, PF_INET, &tcp_proto);
	if (error == 0)
		error = net_add_proto(machine, PF_INET6, &tcp_proto);
	if (error != 0)
		end_parts(machine, done);
	return error;
}

static errno_t
tcp_init(struct nke *machine)
{
	struct tcp_state *s = kalloc(machine, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	s->config = defaults;
	zone_init(&s->connections, machine, "TCP connection", sizeof(struct tcpcb));
	s->cc = &cc_cubic;
	s->reply_route.ro_noclone = true;
	error = in_pcbinfo_init(machine, &s->pcbs, IPPROTO_TCP);
	if (error != 0) {
		kfree(machine, s);
		return error;
	}
	prng_bytes(machine, s->isn_key, sizeof s->isn_key);
	s->isn_seeded = machine_now(machine);
	prng_bytes(machine, s->ts_key, sizeof s->ts_key);
	machine->tcp = s;
	error = begin_parts(machine);
	if (error != 0) {
		free_state(machine);
		return error;
	}
	ip_set_transport(machine, AF_INET, IPPROTO_TCP, &tcp_transport);
	ip_set_transport(machine, AF_INET6, IPPROTO_TCP, &tcp6_transport);
	return 0;
}

/* The connections that are left end without a word: what they would say it with belongs to others. */
static void
tcp_quiesce(struct nke *machine)
{
	struct inpcbinfo *info = &machine->tcp->pcbs;
	struct inpcb *inp;

	ip_set_transport(machine, AF_INET, IPPROTO_TCP, NULL);
	ip_set_transport(machine, AF_INET6, IPPROTO_TCP, NULL);
	while ((inp = TAILQ_FIRST(&info->list)) != NULL) {
		if (intotcpcb(inp) != NULL)
			tcp_close(intotcpcb(inp));
		else
			in_pcbdetach(inp);
	}
}

static void
tcp_fini(struct nke *machine)
{
	end_parts(machine, PARTS);
	free_state(machine);
}

extern const struct subsystem tcp_subsystem;
const struct subsystem tcp_subsystem = {
	.name = "tcp", .init = tcp_init, .quiesce = tcp_quiesce, .fini = tcp_fini
};
