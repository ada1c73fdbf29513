/*
 * Which system a script was written for, where that makes a difference that its author took for granted:
 * what happens after a loss, how fast slow start is, units, and how large buffers may get, from which the
 * window scale follows. Called by run.c before the first event.
 *
 * Told by commands that only one system has; without any, by the order of options in the first SYN that is
 * expected of the machine: BSD has the window scale before SACK permitted and timestamps, Linux behind
 * them. (The order itself is not compared.) A script that shows neither gets what a machine has anyway.
 */
#include <string.h>

#include <nke/sysctl.h>

#include "src/drill/engine.h"

#define MAX_WINDOW	65535u
#define MAX_SCALE	14u
#define FREEBSD_MAXSOCKBUF	(2 * 1024 * 1024)

enum dialect { ANY, FREEBSD, LINUX };

static bool
has_one_of(const char *text, const char *const *signs)
{
	for (; *signs != NULL; signs++)
		if (strstr(text, *signs) != NULL)
			return true;
	return false;
}

static enum dialect
by_commands(const struct drill_script *script)
{
	static const char *const freebsd[] = {"kldload", "hostcache.purgenow", "kern.timecounter.",
	    "functions_default", "rfc6675_pipe", "sack.revised", "do_prr_conservative", "sockstat", "tcpdrop",
	    "tcp.insecure_", "psk_enable", "rexmit_drop_options", "udp_tunneling_", NULL};
	static const char *const linux_signs[] = {"net.ipv4.", "net/ipv4/", "defaults.sh", "tcp_metrics",
	    NULL};

	for (size_t i = 0; i < script->event_count; i++) {
		if (script->events[i].kind != DRILL_COMMAND)
			continue;
		if (has_one_of(script->events[i].text, freebsd))
			return FREEBSD;
		if (has_one_of(script->events[i].text, linux_signs))
			return LINUX;
	}
	return ANY;
}

static bool
has_command(const struct drill_script *script, const char *text)
{
	for (size_t i = 0; i < script->event_count; i++)
		if (script->events[i].kind == DRILL_COMMAND && strstr(script->events[i].text, text) != NULL)
			return true;
	return false;
}

/* Where does the window scale stand, before SACK permitted and timestamps, or behind? */
static enum dialect
by_order(const struct drill_tcp *tcp, uint8_t *scale)
{
	bool others = false, behind = false, found = false;

	for (unsigned i = 0; i < tcp->option_count; i++) {
		const struct drill_tcp_option *o = &tcp->options[i];

		others |= o->kind == DRILL_OPT_SACKOK || o->kind == DRILL_OPT_TS;
		if (o->kind == DRILL_OPT_WSCALE && !found && o->wscale <= MAX_SCALE) {
			found = true;
			behind = others;
			*scale = o->wscale;
		}
	}
	return !found || !others ? ANY : behind ? LINUX : FREEBSD;
}

/* The first SYN that is expected of the machine. */
static enum dialect
by_syn(const struct drill_script *script, uint8_t *scale)
{
	for (size_t i = 0; i < script->event_count; i++) {
		const struct drill_packet *p = script->events[i].packet;

		if (script->events[i].kind == DRILL_PACKET && p->direction == DRILL_OUT &&
		    p->protocol == DRILL_TCP && (p->tcp.flags & DRILL_SYN))
			return by_order(&p->tcp, scale);
	}
	return ANY;
}

static int
set(struct run *r, const char *name, int value)
{
	const struct drill_place nowhere = {0};

	tell(r, 2, "for whom the script is: %s=%d", name, value);
	return nke_sysctl_set_int(r->machine, name, value) == 0 ? 0 :
	    fail(r, DRILL_BROKEN, nowhere, "%s: %s", name, nke_error_text(r->machine));
}

static int
set_text(struct run *r, const char *name, const char *value)
{
	const struct drill_place nowhere = {0};

	tell(r, 1, "a script for FreeBSD: %s=%s", name, value);
	return nke_sysctl(r->machine, name, NULL, NULL, value, strlen(value) + 1) == 0 ? 0 :
	    fail(r, DRILL_BROKEN, nowhere, "%s: %s", name, nke_error_text(r->machine));
}

/*
 * Its accurate ECN has no option, and does not look whether the path changes what it should not. sack.revised
 * had another name while FreeBSD had no PRR, and NewReno by default.
 */
static int
be_like_freebsd(struct run *r)
{
	if (set_text(r, "net.inet.tcp.functions_default", "freebsd") != 0 ||
	    set(r, "net.inet.tcp.ecn.option", 0) != 0 || set(r, "net.inet.tcp.ecn.fallback", 0) != 0)
		return -1;
	if (!has_command(r->script, "rfc6675_pipe"))
		return 0;
	return set(r, "net.inet.tcp.do_prr", 0) != 0 ? -1 :
	    set_text(r, "net.inet.tcp.cc.algorithm", "newreno");
}

/* Slow start counts all that is acknowledged; timers are Linux's, as far as they can be. */
static int
be_like_linux(struct run *r)
{
	static const struct {
		const char *name;
		int value;
	} settings[] = {
		{"net.inet.tcp.abc_l_var", 100}, {"net.inet.tcp.abc_delivered", 1},
		{"net.inet.tcp.unread_rst", 1}, {"net.inet.tcp.ack_unsent", 0},
		{"net.inet.tcp.delayed_ack", 0},
		{"net.inet.tcp.persmin", 0}, {"net.inet.tcp.persist_empty", 1},
		{"net.inet.tcp.rexmit_slop", 0}, {"net.inet.tcp.rexmit_min", 1},
		{"net.inet.tcp.rexmit_granularity", 200},
		{"net.inet.tcp.cc.cubic.hystart", 2},
		{"net.inet.tcp.prr_ecn", 1}, {"net.inet.tcp.recovery_burst", 1},
		{"net.inet.tcp.loss_from_cwnd", 1}, {"net.inet.tcp.nagle_minshall", 1},
		{"net.inet.tcp.rexmit_loss_reduces", 0}, {"net.inet.tcp.tolerate_missing_ts", 1},
		{"net.inet.tcp.ecn.plusplus", 3}, {"net.inet.tcp.msg_eor", 1}, {"net.inet.tcp.delack_fin", 1}
	};

	tell(r, 1, "a script for Linux");
	r->linux_dialect = true;
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
		if (set(r, settings[i].name, settings[i].value) != 0)
			return -1;
	return 0;
}

int
dialect_apply(struct run *r)
{
	enum dialect commands = by_commands(r->script), syn;
	uint8_t scale = 0;

	if (commands == FREEBSD && be_like_freebsd(r) != 0)
		return -1;
	if (commands == LINUX)
		return be_like_linux(r);
	syn = by_syn(r->script, &scale);
	r->freebsd_dialect = commands == FREEBSD || syn == FREEBSD;
	if (r->freebsd_dialect)
		return set(r, "kern.ipc.maxsockbuf", FREEBSD_MAXSOCKBUF);
	if (syn == ANY)
		return 0;
	/* Of its author's tcp_rmem only this is known. */
	return set(r, "kern.ipc.maxsockbuf", (int)(MAX_WINDOW << scale)) != 0 ? -1 : be_like_linux(r);
}
