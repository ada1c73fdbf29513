/* What `nke run` says: what happens meanwhile, read from a routing socket of the machine, and the summary. */
#include <arpa/inet.h>
#include <errno.h>
#include <nke/kext.h>
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

void
run_watch_start(struct run *r)
{
	(void)r;
}

void
run_watch_stop(struct run *r)
{
	(void)r;
}

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

void
run_summary(const struct run *r)
{
	for (unsigned i = 0; i < r->interface_count; i++)
		summarize_interface(&r->interfaces[i]);
	if (r->echo_port != 0)
		fprintf(stderr, "echo: %llu datagrams\n", (unsigned long long)r->echoed);
}
