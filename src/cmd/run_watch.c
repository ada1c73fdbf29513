/* What `nke run` says: what happens meanwhile, read from a routing socket of the machine, and the summary. */
#include <arpa/inet.h>
#include <errno.h>
#include <nke/socket.h>
#include <nke/stats.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/cmd/run.h"

void
run_say(const struct run *r, const char *fmt, ...)
{
	va_list ap;

	if (!r->verbose)
		return;
	flockfile(stderr);
	fprintf(stderr, "%12.6f run: ", (double)nke_uptime(r->machine) / 1e9);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	funlockfile(stderr);
}

/* ---- what the machine tells --------------------------------------------------------------- */

/* Of Darwin's struct if_msghdr: net/if.h of its kernel. */
#define RTM_IFINFO	0x0e
#define MESSAGE_TYPE	3
#define IFINFO_FLAGS	8
#define IFINFO_INDEX	12
#define RUNNING		0x40
#define FIRST_INDEX	2u		/* en0's: lo0 is 1, and interfaces were made in order */

/* An interface's flags are different now: its link may be. */
static void
tell_link(struct run *r, const uint8_t *m, size_t len)
{
	bool up = m[IFINFO_FLAGS] & RUNNING;
	uint16_t index;

	if (len < IFINFO_INDEX + sizeof index)
		return;
	memcpy(&index, m + IFINFO_INDEX, sizeof index);
	index = (uint16_t)(index - FIRST_INDEX);
	if (index >= r->interface_count || r->interfaces[index].link_up == up)
		return;
	r->interfaces[index].link_up = up;
	run_say(r, "%s: the link is %s", r->interfaces[index].name, up ? "there" : "gone");
}

static bool
same_address(const struct nke_address *a, const struct nke_address *b)
{
	return strcmp(a->interface, b->interface) == 0 && a->prefix == b->prefix &&
	    memcmp(&a->address, &b->address, sizeof a->address) == 0;
}

static void
tell_address(const struct run *r, const struct nke_address *a, const char *what)
{
	char text[INET6_ADDRSTRLEN] = "?";
	const void *bytes = a->address.ss_family == AF_INET ?
	    (const void *)&((const struct sockaddr_in *)(const void *)&a->address)->sin_addr :
	    (const void *)&((const struct sockaddr_in6 *)(const void *)&a->address)->sin6_addr;

	inet_ntop(a->address.ss_family, bytes, text, sizeof text);
	run_say(r, "%s: address %s/%u %s", a->interface, text, a->prefix, what);
}

/* What has come, gone, or turned out to be good or somebody else's. */
static void
compare_addresses(struct run *r)
{
	static struct nke_address now[RUN_KNOWN];
	size_t count = nke_address_list(r->machine, now, RUN_KNOWN);

	count = count < RUN_KNOWN ? count : RUN_KNOWN;
	for (size_t i = 0; i < count; i++) {
		const struct nke_address *before = NULL;

		for (size_t k = 0; k < r->known_count; k++)
			if (same_address(&now[i], &r->known[k]))
				before = &r->known[k];
		if (before == NULL)
			tell_address(r, &now[i], now[i].flags & NKE_ADDRESS_TENTATIVE ?
			    "added, being tried" : "added");
		else if (now[i].flags & ~before->flags & NKE_ADDRESS_DUPLICATED)
			tell_address(r, &now[i], "is another station's, too: not used");
		else if ((before->flags & ~now[i].flags & NKE_ADDRESS_TENTATIVE) &&
		    !(now[i].flags & NKE_ADDRESS_DUPLICATED))
			tell_address(r, &now[i], "is ours");
	}
	for (size_t k = 0; k < r->known_count; k++) {
		bool still = false;

		for (size_t i = 0; i < count; i++)
			still |= same_address(&now[i], &r->known[k]);
		if (!still)
			tell_address(r, &r->known[k], "removed");
	}
	memcpy(r->known, now, count * sizeof *now);
	r->known_count = count;
}

static void
messages_wait(nke_event_t *e, int s, short what, void *arg)
{
	_Alignas(8) uint8_t message[4096];
	struct run *r = arg;
	ssize_t n;

	(void)e;
	(void)what;
	while ((n = nke_recv(r->machine, s, message, sizeof message, MSG_DONTWAIT)) > MESSAGE_TYPE)
		if (message[MESSAGE_TYPE] == RTM_IFINFO)
			tell_link(r, message, (size_t)n);
	compare_addresses(r);
}

void
run_watch_start(struct run *r)
{
	r->watch_socket = nke_socket(r->machine, NKE_AF_ROUTE, SOCK_RAW | SOCK_NONBLOCK, 0);
	if (r->watch_socket < 0 ||
	    nke_event_new(r->loop, r->watch_socket, POLLIN, messages_wait, r, &r->watch_event) != 0)
		run_say(r, "what becomes of addresses is not told: %s", strerror(errno));
}

void
run_watch_stop(struct run *r)
{
	if (r->watch_event == NULL)
		return;
	nke_event_free(r->watch_event);
	(void)nke_close(r->machine, r->watch_socket);
}

/* ---- what came of it ---------------------------------------------------------------------- */

static void
summarize_interface(const struct run_interface *i)
{
	struct nke_live_stats s = {0};

	if (i->tap != NULL)
		nke_tap_stats(i->tap, &s);
	else if (i->shared != NULL)
		nke_device_stats(i->shared, &s);
	fprintf(stderr, "%s on %s: in %llu frames, %llu bytes, %llu dropped; out %llu frames, %llu bytes, "
	    "%llu dropped\n", i->name, i->device, (unsigned long long)s.frames_in,
	    (unsigned long long)s.bytes_in, (unsigned long long)s.dropped_in,
	    (unsigned long long)s.frames_out, (unsigned long long)s.bytes_out,
	    (unsigned long long)s.dropped_out);
}

static unsigned long long
counter(const struct nke_counter *counters, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(counters[i].name, name) == 0)
			return counters[i].value;
	return 0;
}

static void
summarize_tcp(const struct run *r)
{
	struct nke_counter c[256];
	size_t n = nke_stats_protocol(r->machine, "tcp", c, sizeof c / sizeof *c);

	if (counter(c, n, "packets received") == 0 && counter(c, n, "packets sent") == 0)
		return;
	fprintf(stderr, "tcp: %llu connections; in %llu segments, %llu bytes; out %llu segments, %llu bytes, "
	    "%llu segments again\n", counter(c, n, "connections established (including accepts)"),
	    counter(c, n, "packets received"), counter(c, n, "bytes received in-sequence"),
	    counter(c, n, "packets sent"), counter(c, n, "data bytes"),
	    counter(c, n, "data packets retransmitted"));
}

void
run_summary(const struct run *r)
{
	for (unsigned i = 0; i < r->interface_count; i++)
		summarize_interface(&r->interfaces[i]);
	if (r->echo_port != 0)
		fprintf(stderr, "echo: %llu datagrams; %llu connections, %llu bytes\n",
		    (unsigned long long)r->echoed, (unsigned long long)r->echoed_streams,
		    (unsigned long long)r->echoed_bytes);
	summarize_tcp(r);
}
