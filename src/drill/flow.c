/*
 * Which connection a packet belongs to. A script has one socket under test at a time: the one that was made,
 * bound, connected or listening last, or the connection that a SYN to a listening one began. Packets with
 * ports name theirs.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "src/drill/engine.h"

struct flow *
flow_new(struct run *r, enum drill_protocol protocol)
{
	struct flow *f = calloc(1, sizeof *f);

	if (f == NULL) {
		(void)fail(r, DRILL_BROKEN, r->event != NULL ? r->event->place : (struct drill_place){0},
		    "no memory");
		return NULL;
	}
	f->protocol = protocol;
	f->fd = -1;
	memcpy(f->local, r->local, sizeof f->local);
	memcpy(f->remote, r->remote, sizeof f->remote);
	f->next = r->flows;
	r->flows = f;
	r->current = f;
	return f;
}

void
flows_free(struct run *r)
{
	struct wire *w, *next_wire;
	struct flow *f, *next;

	for (f = r->flows; f != NULL; f = next) {
		next = f->next;
		for (w = f->joined; w != NULL; w = next_wire) {
			next_wire = w->next;
			free(w);
		}
		free(f);
	}
}

struct flow *
flow_of_fd(struct run *r, int fd)
{
	struct flow *f;

	for (f = r->flows; f != NULL; f = f->next)
		if (f->fd == fd)
			return f;
	return NULL;
}

static struct flow *
by_script_ports(struct run *r, enum drill_protocol protocol, uint16_t local, uint16_t remote)
{
	struct flow *f;

	for (f = r->flows; f != NULL; f = f->next)
		if (f->protocol == protocol && f->script_local_port == local &&
		    f->script_remote_port == remote)
			return f;
	return NULL;
}

static struct flow *
with_ports(struct run *r, const struct drill_packet *p)
{
	bool in = p->direction == DRILL_IN;
	uint16_t local = in ? p->destination_port : p->source_port;
	uint16_t remote = in ? p->source_port : p->destination_port;
	struct flow *f = by_script_ports(r, p->protocol, local, remote);

	if (f != NULL)
		return f;
	/* The socket under test is it, if no packet of it has had other ports. */
	f = r->current;
	if (f == NULL || f->protocol != p->protocol || f->script_local_port != 0 ||
	    f->state == FLOW_LISTENING || f->state == FLOW_OPEN) {
		f = flow_new(r, p->protocol);
		if (f == NULL)
			return NULL;
		f->local_port = local;
	} else if (f->local_port == 0 && f->state != FLOW_CONNECTING) {
		f->local_port = local;
	}
	f->remote_port = remote;
	f->script_local_port = local;
	f->script_remote_port = remote;
	return f;
}

static bool
begins_connection(const struct drill_packet *p)
{
	return p->direction == DRILL_IN && p->protocol == DRILL_TCP &&
	    (p->tcp.flags & (DRILL_SYN | DRILL_ACK)) == DRILL_SYN;
}

static struct flow *
find(struct run *r, const struct drill_packet *p)
{
	struct flow *f = r->current, *listener;

	if (p->has_ports && p->protocol != DRILL_ICMP)
		return with_ports(r, p);
	if (f != NULL && f->state == FLOW_LISTENING && begins_connection(p)) {
		listener = f;
		f = flow_new(r, DRILL_TCP);
		if (f == NULL)
			return NULL;
		memcpy(f->local, listener->local, sizeof f->local);
		f->local_port = listener->local_port;
		return f;
	}
	if (p->protocol == DRILL_ICMP && f != NULL)
		return f;
	if (f != NULL && f->protocol == p->protocol)
		return f;
	for (f = r->flows; f != NULL && f->protocol != p->protocol; f = f->next)
		continue;
	return f != NULL ? f : flow_new(r, p->protocol);
}

struct flow *
flow_of_script(struct run *r, const struct drill_packet *p)
{
	struct flow *f = find(r, p);

	if (f == NULL || p->direction == DRILL_OUT || p->protocol == DRILL_ICMP)
		return f;
	if (f->local_port == 0)
		f->local_port = r->config->bind_port;
	if (f->remote_port == 0)
		f->remote_port = r->next_port++;
	return f;
}

void
flow_saw_stamp(struct flow *f, uint32_t script, uint32_t live)
{
	if (!f->has_base) {
		f->has_base = true;
		f->base_script = script;
		f->base_live = live;
	}
	if (f->stamp_count == FLOW_STAMPS) {
		memmove(f->stamps, f->stamps + FLOW_STAMPS / 2, sizeof f->stamps / 2);
		f->stamp_count = FLOW_STAMPS / 2;
	}
	f->stamps[f->stamp_count].script = script;
	f->stamps[f->stamp_count++].live = live;
}

static enum drill_protocol
protocol_of(const struct wire *w)
{
	return w->protocol == IPPROTO_TCP ? DRILL_TCP : w->protocol == IPPROTO_UDP ? DRILL_UDP : DRILL_ICMP;
}

/* By another flow; a SYN is not of a connection whose socket is closed. */
static bool
port_is_taken(const struct run *r, const struct flow *but, const struct wire *w)
{
	bool syn = but->protocol == DRILL_TCP && (w->flags & (DRILL_SYN | DRILL_ACK)) == DRILL_SYN;
	const struct flow *f;

	for (f = r->flows; f != NULL; f = f->next)
		if (f != but && f->protocol == but->protocol && f->local_port == w->source_port &&
		    f->remote_port == w->destination_port && f->state == FLOW_OPEN && (f->fd >= 0 || !syn))
			return true;
	return false;
}

bool
flow_takes(struct run *r, struct flow *f, const struct wire *w)
{
	size_t size = address_size(r);

	if (w->v6 != r->addresses.v6 || memcmp(w->destination, f->remote, size) != 0)
		return false;
	if (protocol_of(w) == DRILL_ICMP)
		return true;
	if (protocol_of(w) != f->protocol || w->destination_port != f->remote_port)
		return false;
	if (f->local_port == 0 && !port_is_taken(r, f, w)) {
		f->local_port = w->source_port;
		memcpy(f->local, w->source, size);
	}
	return w->source_port == f->local_port && memcmp(w->source, f->local, size) == 0;
}
