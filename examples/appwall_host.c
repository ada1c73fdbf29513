/*
 * The other side of appwall.kext: sets its rules, runs programs that want to talk, and prints the verdicts.
 *
 *	appwall_host appwall.kext
 *
 * A program is a name that the calling thread takes on in the machine (nke/proc.h).
 */
#include <nke/control.h>
#include <nke/proc.h>

#include "appwall.h"
#include "testbed.h"

static void
become(nke_t *m, int pid, const char *name, unsigned uid)
{
	struct nke_process p = {.pid = pid, .ppid = 1, .name = name, .uid = uid, .gid = uid};

	must(nke_proc_set(m, &p) == 0, m, name);
}

static void
add_rule(nke_t *m, int control, const char *program, uint32_t verdict)
{
	struct appwall_rule rule = {.verdict = verdict};

	snprintf(rule.program, sizeof rule.program, "%s", program);
	must(nke_setsockopt(m, control, NKE_SYSPROTO_CONTROL, APPWALL_ADD, &rule, sizeof rule) == 0, m,
	    "a rule");
}

/* A connection, then a datagram. */
static void
talk(nke_t *m, int pid, const char *name)
{
	struct sockaddr_in to = ip4(THERE, 53);
	int s;

	become(m, pid, name, 501);
	s = connected(m, THERE, 80);
	printf("%s: connect: %s\n", name, s >= 0 ? "connected" : strerror(errno));
	if (s >= 0)
		nke_close(m, s);
	s = nke_socket(m, AF_INET, SOCK_DGRAM, 0);
	printf("%s: sendto: %s\n", name, nke_sendto(m, s, "?", 1, 0, (struct sockaddr *)&to,
	    sizeof to) == 1 ? "sent" : strerror(errno));
	nke_close(m, s);
	must(nke_proc_set(m, NULL) == 0, m, "root");
}

static void
print_events(nke_t *m, int control)
{
	struct appwall_event e;
	char peer[INET6_ADDRSTRLEN];

	while (nke_recv(m, control, &e, sizeof e, MSG_DONTWAIT) == (ssize_t)sizeof e) {
		inet_ntop(e.family == 6 ? AF_INET6 : AF_INET, e.peer, peer, sizeof peer);
		printf("%s[%u] %s %s port %u: %s\n", e.program, e.pid,
		    e.protocol == IPPROTO_TCP ? "tcp" : "udp", peer, e.port,
		    e.verdict == APPWALL_DENY ? "denied" : "allowed");
	}
}

int
main(int argc, char **argv)
{
	struct appwall_counts counts;
	socklen_t len = sizeof counts;
	struct testbed t;
	int control;

	if (argc != 2) {
		fputs("usage: appwall_host appwall.kext\n", stderr);
		return 1;
	}
	t = testbed(argv[1]);
	(void)listener(t.there, 80);
	become(t.here, 300, "guest", 501);
	must(nke_ctl_connect(t.here, APPWALL_CONTROL, 0, 0) < 0 && errno == EPERM, t.here,
	    "a guest sets no rules");
	must(nke_proc_set(t.here, NULL) == 0, t.here, "root");
	control = nke_ctl_connect(t.here, APPWALL_CONTROL, 0, 0);
	must(control >= 0, t.here, "the control");
	add_rule(t.here, control, "*", APPWALL_DENY);
	add_rule(t.here, control, "safari", APPWALL_ALLOW);
	talk(t.here, 201, "safari");
	talk(t.here, 202, "curl");
	add_rule(t.here, control, "curl", APPWALL_ALLOW);
	talk(t.here, 203, "curl");
	print_events(t.here, control);
	must(nke_getsockopt(t.here, control, NKE_SYSPROTO_CONTROL, APPWALL_COUNTS, &counts, &len) == 0,
	    t.here, "the counts");
	printf("%u allowed, %u denied, %u not reported\n", counts.allowed, counts.denied, counts.unreported);
	must(nke_kext_unload(t.here, t.kext, NULL) == EBUSY, t.here, "it has a client");
	nke_close(t.here, control);
	testbed_end(&t);
	return 0;
}
