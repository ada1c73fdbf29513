/*
 * Variables that scripts set: the machine's own by their names, and Linux's where the machine has one that
 * means the same. What only Linux has is passed over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <nke/sysctl.h>

#include "src/drill/engine.h"

#define NAME_MAX_LEN	128u
#define VALUE_MAX	256u
#define LINUX_SYN_LINEAR	4	/* Linux's default of tcp_syn_linear_timeouts */
#define MAXSOCKBUF_MOST	(INT32_MAX / 2)

static const struct translation {
	const char *linux_name;
	const char *name;		/* NULL: nothing that means the same */
	int field;			/* of several numbers, which */
	int factor;			/* to other units */
} translations[] = {
	{"net.ipv4.ip_default_ttl", "net.inet.ip.ttl", 0, 1},
	{"net.ipv4.ip_forward", "net.inet.ip.forwarding", 0, 1},
	{"net.ipv4.tcp_congestion_control", "net.inet.tcp.cc.algorithm", 0, 1},
	{"net.ipv4.tcp_ecn_fallback", "net.inet.tcp.ecn.fallback", 0, 1},
	{"net.ipv4.tcp_ecn_option", "net.inet.tcp.ecn.option", 0, 1},
	{"net.ipv4.tcp_ecn_option_beacon", "net.inet.tcp.ecn.option_beacon", 0, 1},
	{"net.ipv4.tcp_fin_timeout", "net.inet.tcp.finwait2_timeout", 0, 1000},
	{"net.ipv4.tcp_frto", "net.inet.tcp.frto", 0, 1},
	{"net.ipv4.tcp_keepalive_intvl", "net.inet.tcp.keepintvl", 0, 1000},
	{"net.ipv4.tcp_keepalive_probes", "net.inet.tcp.keepcnt", 0, 1},
	{"net.ipv4.tcp_keepalive_time", "net.inet.tcp.keepidle", 0, 1000},
	{"net.ipv4.tcp_mtu_probing", "net.inet.tcp.pmtud_blackhole_detection", 0, 1},
	{"net.ipv4.tcp_rmem", "kern.ipc.maxsockbuf", 2, 1},	/* the window scale follows from it */
	{"net.ipv4.tcp_rmem", "net.inet.tcp.recvspace", 1, 1},
	{"net.ipv4.tcp_rto_max_ms", "net.inet.tcp.rexmit_max", 0, 1},
	{"net.ipv4.tcp_sack", "net.inet.tcp.sack.enable", 0, 1},
	{"net.ipv4.tcp_slow_start_after_idle", "net.inet.tcp.idle_restart", 0, 1},
	{"net.ipv4.tcp_syn_linear_timeouts", "net.inet.tcp.syn_linear_timeouts", 0, 1},
	{"net.ipv4.tcp_syncookies", "net.inet.tcp.syncookies", 0, 1},
	{"net.ipv4.tcp_tw_reuse_delay", "net.inet.tcp.tw_reuse_delay", 0, 1},
	{"net.ipv4.tcp_wmem", "net.inet.tcp.sendspace", 1, 1},
};

/* What FreeBSD has and scripts set, and a machine does always or never. */
static bool
is_passed_over(const char *name)
{
	static const char *const names[] = {"net.inet.tcp.newsack", "net.inet.tcp.do_lrd",
	    "net.inet.tcp.sack.lrd", "net.inet.tcp.newcwv", "net.inet.tcp.do_prr_conservative",
	    "net.inet.tcp.fastopen.psk_enable", "net.inet.tcp.hostcache.prune",
	    "net.inet.tcp.syncache.see_other", "net.inet.tcp.rexmit_drop_options_after",
	    "net.inet.tcp.per_cpu_timers",
	    "net.inet.tcp.cc.abe", "net.inet.tcp.cc.abe_frlossreduce", "net.inet.tcp.nodelay_ack",
	    "net.inet.tcp.ack_war_timewindow", "net.inet.tcp.do_tcpdrain", "net.inet.tcp.map_limit",
	    "net.inet.tcp.split_limit", "net.inet.tcp.pacing_limit", "net.inet.tcp.require_unique_port",
	    "net.inet.tcp.retries", "net.inet.tcp.sendbuf_auto_lowat", "net.inet.tcp.soreceive_stream",
	    "net.inet.tcp.tcbhashsize", "net.inet.tcp.functions_inherit_listen_socket_stack",
	    "net.inet.icmp.icmplim_jitter", "net.inet.icmp.icmplim_output", "kern.ipc.soacceptqueue"};
	static const char *const branches[] = {"debug.", "kern.eventtimer.", "kern.ipc.tls.",
	    "kern.timecounter.", "net.inet.siftr.", "net.inet.tcp.bb.", "net.inet.tcp.bbr.",
	    "net.inet.tcp.cc.cdg.",
	    "net.inet.tcp.cc.dctcp.", "net.inet.tcp.cc.hystartplusplus.", "net.inet.tcp.cc.newreno.",
	    "net.inet.tcp.hpts.", "net.inet.tcp.log", "net.inet.tcp.lro.", "net.inet.tcp.pcap_",
	    "net.inet.tcp.rack.", "net.inet.tcp.udp_tunneling_", "security.", "vfs."};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	for (size_t i = 0; i < sizeof branches / sizeof branches[0]; i++)
		if (strncmp(branches[i], name, strlen(branches[i])) == 0)
			return true;
	return false;
}

/* FreeBSD's switch, which is one of several values here. */
static const char ecn_of_all[] = "net.inet.tcp.ecn.generalized";

/* Another name of what a machine has. */
static const char *
own_name(const char *name)
{
	if (strcmp(name, "net.inet.tcp.rfc6675_pipe") == 0)
		return "net.inet.tcp.sack.revised";
	return strcmp(name, ecn_of_all) == 0 ? "net.inet.tcp.ecn.plusplus" : name;
}

/* Variables that are 0 or 1 here, and have more values there. */
static bool
is_switch(const char *name)
{
	static const char *const switches[] = {"net.inet.tcp.frto", "net.inet.tcp.sack.enable",
	    "net.inet.tcp.syncookies"};

	for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
		if (strcmp(switches[i], name) == 0)
			return true;
	return false;
}

static bool
is_linux(const char *name)
{
	static const char *const branches[] = {"net.ipv4.", "net.ipv6.", "net.core.", "net.mptcp.",
	    "net.mpls.", "fs.", "vm.", "kernel."};

	for (size_t i = 0; i < sizeof branches / sizeof branches[0]; i++)
		if (strncmp(name, branches[i], strlen(branches[i])) == 0)
			return true;
	return false;
}

/* ---- values ------------------------------------------------------------------------------------- */

static bool
is_number(const char *text, long long *n)
{
	char *end;

	errno = 0;
	*n = strtoll(text, &end, 0);
	return errno == 0 && end != text && *end == '\0';
}

static int
set_number(struct run *r, const char *name, size_t size, long long n)
{
	int64_t wide = n;
	int32_t narrow = (int32_t)n;

	if (size == sizeof wide)
		return nke_sysctl(r->machine, name, NULL, NULL, &wide, sizeof wide);
	/* FreeBSD's is an unsigned long. */
	if (n > MAXSOCKBUF_MOST && strcmp(name, "kern.ipc.maxsockbuf") == 0)
		narrow = MAXSOCKBUF_MOST;
	return nke_sysctl(r->machine, name, NULL, NULL, &narrow, sizeof narrow);
}

/* Numbers have 4 or 8 octets. A variable that cannot be read is an int. */
static int
set(struct run *r, const char *name, const char *value)
{
	uint8_t old[VALUE_MAX];
	size_t size = sizeof old;
	long long n;
	int error = nke_sysctl(r->machine, name, old, &size, NULL, 0);

	if (error == ENOENT || error == EFAULT)
		return error;
	if (error != 0 || size == 0)
		size = sizeof(int32_t);
	if (is_number(value, &n) && (size == sizeof(int32_t) || size == sizeof(int64_t)))
		return set_number(r, name, size, n);
	return nke_sysctl(r->machine, name, NULL, NULL, value, strlen(value) + 1);
}

static int
show(struct run *r, const char *name, bool names_only)
{
	uint8_t old[VALUE_MAX];
	size_t size = sizeof old;
	int error = nke_sysctl(r->machine, name, old, &size, NULL, 0);
	int32_t narrow;
	int64_t wide;

	if (error != 0)
		return error;
	if (!names_only)
		fprintf(r->out, "%s: ", name);
	if (size == sizeof narrow) {
		memcpy(&narrow, old, sizeof narrow);
		fprintf(r->out, "%d\n", narrow);
	} else if (size == sizeof wide) {
		memcpy(&wide, old, sizeof wide);
		fprintf(r->out, "%lld\n", (long long)wide);
	} else {
		fprintf(r->out, "%.*s\n", (int)strnlen((const char *)old, size), (const char *)old);
	}
	return 0;
}

/* ---- Linux's ------------------------------------------------------------------------------------ */

/* One of several numbers, in our units. False: there are not so many. */
static bool
field_of(const char *value, const struct translation *t, char out[VALUE_MAX])
{
	size_t len;
	long long n;

	for (int i = 0; i <= t->field; i++) {
		value += strspn(value, " \t");
		len = strcspn(value, " \t");
		if (len == 0 || len >= VALUE_MAX)
			return false;
		memcpy(out, value, len);
		out[len] = '\0';
		value += len;
	}
	if (!is_number(out, &n))
		return strcmp(t->name, "net.inet.tcp.cc.algorithm") == 0;
	if (is_switch(t->name) && n > 1)
		n = 1;
	snprintf(out, VALUE_MAX, "%lld", n * t->factor);
	return true;
}

static int
set_linux(struct run *r, const struct translation *t, const char *value)
{
	char text[VALUE_MAX];

	if (!field_of(value, t, text))
		return EINVAL;
	if (strcmp(text, "reno") == 0)
		snprintf(text, sizeof text, "newreno");
	tell(r, 1, "sysctl %s is %s=%s", t->linux_name, t->name, text);
	return set(r, t->name, text);
}

/* 4 and 5 are the other way round there. A Linux with accurate ECN does not back off from its first SYNs. */
static int
set_linux_ecn(struct run *r, long long n)
{
	if (n > 2)
		(void)set_number(r, "net.inet.tcp.syn_linear_timeouts", sizeof(int32_t), LINUX_SYN_LINEAR);
	return set_number(r, "net.inet.tcp.ecn.enable", sizeof(int32_t), n == 4 ? 5 : n == 5 ? 4 : n);
}

/* Both of these are several of ours. */
static int
set_linux_several(struct run *r, const char *name, const char *value)
{
	long long n;

	if (!is_number(value, &n))
		return EINVAL;
	if (strcmp(name, "net.ipv4.tcp_timestamps") == 0)	/* rfc1323: 2 is scaling alone */
		return set_number(r, "net.inet.tcp.rfc1323", sizeof(int32_t), n != 0 ? 1 : 2);
	if (strcmp(name, "net.ipv4.tcp_window_scaling") == 0)
		return set_number(r, "net.inet.tcp.rfc1323", sizeof(int32_t), n != 0 ? 1 : 3);
	/* How often a SYN is repeated says how long connecting takes: 1 s, doubled each time. */
	if (strcmp(name, "net.ipv4.tcp_syn_retries") == 0)
		return set_number(r, "net.inet.tcp.keepinit", sizeof(int32_t), n < 0 || n > 15 ? 75000 :
		    ((2LL << n) - 1) * 1000);
	if (strcmp(name, "net.ipv4.tcp_notsent_lowat") == 0) {
		r->notsent_lowat = n > 0 && n < UINT32_MAX ? (uint32_t)n : 0;
		return 0;
	}
	if (strcmp(name, "net.ipv4.tcp_recovery") == 0)
		return set_number(r, "net.inet.tcp.rack", sizeof(int32_t), n != 0);
	if (strcmp(name, "net.ipv4.tcp_ecn") == 0)
		return set_linux_ecn(r, n);
	if (strcmp(name, "net.ipv4.tcp_fastopen") != 0)
		return ENOENT;
	r->listeners_fastopen = (n & 0x402) == 0x402;
	(void)set_number(r, "net.inet.tcp.fastopen.client_enable", sizeof(int32_t), (n & 1) != 0);
	/* Linux asks a server again that had no cookie. */
	(void)set_number(r, "net.inet.tcp.fastopen.path_disable_time", sizeof(int32_t), 0);
	(void)set_number(r, "net.inet.tcp.fastopen.nocookie", sizeof(int32_t), (n & 0x200) != 0);
	/* Cookies in scripts are what Linux makes of its key; a machine makes others. */
	(void)set_number(r, "net.inet.tcp.fastopen.acceptany", sizeof(int32_t), (n & 2) != 0);
	return set_number(r, "net.inet.tcp.fastopen.server_enable", sizeof(int32_t), (n & 2) != 0);
}

static int
linux_word(struct run *r, const char *name, const char *value, struct drill_place place)
{
	int error = ENOENT;

	r->linux_dialect = true;
	if (value == NULL)
		return 0;
	for (size_t i = 0; i < sizeof translations / sizeof translations[0]; i++)
		if (strcmp(translations[i].linux_name, name) == 0)
			error = set_linux(r, &translations[i], value);
	if (error == ENOENT)
		error = set_linux_several(r, name, value);
	if (error == 0)
		return 0;
	if (nke_panicked(r->machine))
		return fail(r, DRILL_PANICKED, place, "the machine has panicked\n%s",
		    nke_panic_report(r->machine));
	tell(r, 1, "sysctl %s=%s means nothing here", name, value);
	return 0;
}

/* ---- any ---------------------------------------------------------------------------------------- */

int
sysctl_word(struct run *r, const char *word, bool quiet, bool names_only, struct drill_place place)
{
	const char *equals = strchr(word, '='), *value = NULL;
	size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
	char name[NAME_MAX_LEN];
	int error;

	if (len == 0 || len >= sizeof name)
		return fail(r, DRILL_BROKEN, place, "sysctl: '%s' is no variable", word);
	memcpy(name, word, len);
	name[len] = '\0';
	/* Linux's takes the path as well: net/ipv4/tcp_ecn. */
	if (strchr(name, '.') == NULL)
		for (char *p = name; (p = strchr(p, '/')) != NULL;)
			*p = '.';
	if (is_linux(name))
		return linux_word(r, name, equals != NULL ? equals + 1 : NULL, place);
	if (equals == NULL && (quiet || r->config->verbose == 0) && !names_only)
		return 0;
	if (equals != NULL)
		value = strcmp(name, ecn_of_all) == 0 && strcmp(equals, "=1") == 0 ? "2" : equals + 1;
	error = equals != NULL ? set(r, own_name(name), value) : show(r, own_name(name), names_only);
	if (error == 0)
		return 0;
	if (error == ENOENT && is_passed_over(name))
		return tell(r, 1, "sysctl %s means nothing here", word), 0;
	return fail(r, nke_panicked(r->machine) ? DRILL_PANICKED : DRILL_BROKEN, place, "%s",
	    nke_panicked(r->machine) ? nke_panic_report(r->machine) : nke_error_text(r->machine));
}
