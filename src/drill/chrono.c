/*
 * What Linux's TCP_INFO tells beyond a machine's: for how long a connection had something to send
 * (tcpi_busy_time), and for how long all that held it back was the peer's window (tcpi_rwnd_limited) or the
 * send buffer, which a call waited for (tcpi_sndbuf_limited); us. Found out as packetdrill's scripts see it:
 * what is true after an event stays so until something happens.
 *
 * Way in: chrono_look(), after every event and whenever time has passed; way out: chrono_lookup(). A script
 * whose code has none of these names has no clocks.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "src/drill/engine.h"
#include "src/netinet/tcp_user.h"

#define STATE_LISTEN	1

struct chrono {
	struct chrono *next;
	int fd;				/* of the machine's */
	int64_t since_us;		/* what is true now has been since then */
	bool is[3];
	int64_t us[3];
};

enum { BUSY, WINDOW, BUFFER };

static const char *const names[] = {
	[BUSY] = "tcpi_busy_time", [WINDOW] = "tcpi_rwnd_limited", [BUFFER] = "tcpi_sndbuf_limited"
};

void
chrono_begin(struct run *r)
{
	for (size_t i = 0; i < r->script->event_count; i++) {
		const struct drill_event *e = &r->script->events[i];

		for (unsigned k = BUSY; e->kind == DRILL_CODE && k <= BUFFER; k++)
			r->wants_chronos |= strstr(e->text, names[k]) != NULL;
	}
}

static struct chrono *
get(struct run *r, int fd)
{
	struct chrono *c = r->chronos;

	while (c != NULL && c->fd != fd)
		c = c->next;
	if (c != NULL || (c = calloc(1, sizeof *c)) == NULL)
		return c;
	c->fd = fd;
	c->next = r->chronos;
	r->chronos = c;
	return c;
}

void
chrono_forget(struct run *r, int fd)
{
	for (struct chrono **link = &r->chronos; *link != NULL; link = &(*link)->next) {
		struct chrono *c = *link;

		if (c->fd != fd)
			continue;
		*link = c->next;
		free(c);
		return;
	}
}

void
chronos_free(struct run *r)
{
	while (r->chronos != NULL)
		chrono_forget(r, r->chronos->fd);
}

static void
look(struct chrono *c, const struct core_tcp_info *info, int64_t now, bool call_waits_for_room)
{
	uint32_t out = info->tcpi_snd_sbbytes - info->tcpi_notsent;
	uint32_t room = info->tcpi_snd_wnd > out ? info->tcpi_snd_wnd - out : 0;
	uint32_t least = info->tcpi_notsent < info->tcpi_snd_mss ? info->tcpi_notsent : info->tcpi_snd_mss;

	for (unsigned k = BUSY; k <= BUFFER; k++)
		c->us[k] += c->is[k] ? now - c->since_us : 0;
	c->since_us = now;
	c->is[BUSY] = info->tcpi_snd_sbbytes != 0;
	c->is[WINDOW] = info->tcpi_notsent != 0 && room < least && info->tcpi_snd_cwnd > out;
	c->is[BUFFER] = info->tcpi_notsent == 0 && call_waits_for_room && info->tcpi_snd_cwnd > out;
}

void
chrono_look(struct run *r)
{
	for (unsigned i = 0; r->wants_chronos && i < SCRIPT_FDS; i++) {
		struct core_tcp_info info;
		socklen_t len = sizeof info;
		struct chrono *c;

		if (r->fds[i].kind != FD_SOCKET || r->fds[i].type != SOCK_STREAM ||
		    nke_darwin_getsockopt(r->machine, r->fds[i].live, IPPROTO_TCP, CORE_TCP_INFO, &info,
		    &len) != 0 || info.tcpi_state <= STATE_LISTEN || (c = get(r, r->fds[i].live)) == NULL)
			continue;
		look(c, &info, now_us(r), send_waits(r, c->fd));
	}
}

bool
chrono_lookup(struct run *r, int fd, const char *name, int64_t *value)
{
	const struct chrono *c = r->chronos;

	while (c != NULL && c->fd != fd)
		c = c->next;
	for (unsigned k = BUSY; k <= BUFFER; k++) {
		if (strcmp(name, names[k]) != 0)
			continue;
		*value = c != NULL ? c->us[k] : 0;
		return true;
	}
	return false;
}
