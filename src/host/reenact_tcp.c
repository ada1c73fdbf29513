/*
 * The local end of a TCP flow: a socket of the machine, used as the captured program must have used its own.
 *
 * It connects when the captured SYN left, or is accepted from a listening socket; it writes each octet when
 * the capture first has it, reads what arrives at once, shuts its side when the captured FIN left, and closes
 * when both sides are done. A captured RST is a close with SO_LINGER 0.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include <nke/replay.h>
#include <nke/socket.h>
#include <nke/sysctl.h>

#include "src/host/reenact_impl.h"
#include "src/kern/filecalls.h"
#include "src/netinet/tcp_user.h"

#define BACKLOG		1024
#define GIVES_UP_NS	UINT64_C(500000000)	/* after the last SYN: before RFC 6298 has it repeated */
#define WAITING_MAX	1024u		/* of a scan of many hosts: from one port a socket each costs time */

/* ---- sockets ---------------------------------------------------------------------------------- */

/* In the middle of the machine's code. */
static void
became_ready(void *ctx, int fd, unsigned ready)
{
	struct play *p = ctx;

	(void)fd;
	p->ready |= ready;
	reenact_is_due(p, DUE_READY);
}

static void
watch(struct play *p)
{
	unsigned ready = 0;
	const int on = 1;

	/* An urgent octet is one of the stream, where the capture has it. */
	if (p->flow->urgent)
		(void)nke_setsockopt(p->reenact->m, p->fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
	(void)file_call_watch(p->reenact->m->core, p->fd, became_ready, p, &ready);
	if (ready != 0)
		became_ready(p, p->fd, ready);
}

/* A stream socket with the local end's name; -1 with errno. */
static int
named_socket(struct reenact *r, uint8_t version, const uint8_t *address, uint16_t port)
{
	int fd = nke_socket(r->m, version == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_storage ss;
	socklen_t len = reenact_sockaddr(version, address, port, &ss);
	const int on = 1;
	int error;

	if (fd < 0)
		return -1;
	/* A port may have served several peers, and a listener. */
	(void)nke_setsockopt(r->m, fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	(void)nke_setsockopt(r->m, fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (nke_bind(r->m, fd, (struct sockaddr *)&ss, len) == 0)
		return fd;
	error = errno;
	(void)nke_close(r->m, fd);
	errno = error;
	return -1;
}

static void
close_socket(struct play *p)
{
	if (p->fd >= 0)
		(void)nke_close(p->reenact->m, p->fd);
	p->fd = -1;
	p->over = true;
}

static void
abort_socket(struct play *p)
{
	const struct linger cut_off = {1, 0};

	if (p->fd >= 0)
		(void)nke_setsockopt(p->reenact->m, p->fd, SOL_SOCKET, SO_LINGER, &cut_off, sizeof cut_off);
	close_socket(p);
}

/* What a filter's own error can be taken for when the machine gives it for one of its own reasons. */
static enum nke_replay_flow_state
refusal(int error)
{
	switch (error) {
	case EADDRINUSE:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENOBUFS:
	case ENOMEM:
	case EMFILE:
		return NKE_FLOW_FAILED;
	default:
		return NKE_FLOW_FILTERED;
	}
}

static void
failed(struct play *p, enum nke_replay_flow_state state, int error)
{
	p->flow->state = (uint8_t)state;
	p->flow->error = error;
	abort_socket(p);
}

/* ---- reading and writing ---------------------------------------------------------------------- */

static void
finish_if_done(struct play *p)
{
	if (!p->read_end || !p->shut || p->over)
		return;
	p->flow->state = NKE_FLOW_CLOSED;
	close_socket(p);
}

/* The connection ended, and not by both sides' FINs: whose doing was it? */
static void
lost(struct play *p, int error)
{
	struct flow *f = p->flow;

	f->error = error;
	if (p->peer.gone)
		f->state = p->connected ? NKE_FLOW_RESET_REMOTE : NKE_FLOW_REFUSED;
	else if (p->reset_seen)
		f->state = NKE_FLOW_FILTERED;
	else
		f->state = p->connected ? NKE_FLOW_RESET_REMOTE : NKE_FLOW_UNANSWERED;
	close_socket(p);
}

/* Writes what the captured local end has written by now. */
static void
push(struct play *p)
{
	const uint8_t *data;
	size_t n;

	if (p->fd < 0 || !p->connected || p->shut)
		return;
	while ((data = stream_at(&p->out, p->written, &n)) != NULL) {
		ssize_t done;

		p->out.hold = p->written + n;	/* the peer may have all of it before the call is back */
		done = nke_send(p->reenact->m, p->fd, data, n, 0);
		p->out.hold = p->written + (done > 0 ? (uint64_t)done : 0);
		if (done < 0) {
			/*
			 * What is wrong with the connection, a reader is told; without memory it is tried
			 * again; else it is a filter.
			 */
			if (errno != EWOULDBLOCK && errno != EPIPE && errno != ECONNRESET &&
			    refusal(errno) == NKE_FLOW_FILTERED)
				failed(p, NKE_FLOW_FILTERED, errno);
			return;
		}
		p->written += (uint64_t)done;
	}
	/* The FIN may have been written down before what is in front of it. */
	if (p->fin_due && p->written >= p->out.track->fin) {
		p->shut = true;
		(void)nke_shutdown(p->reenact->m, p->fd, SHUT_WR);
		finish_if_done(p);
	}
}

static void
pull(struct play *p)
{
	struct reenact *r = p->reenact;
	ssize_t n;

	do {
		if (p->read_end || p->fd < 0)
			return;
		n = nke_recv(r->m, p->fd, r->buffer, READ_MAX, 0);
		if (n < 0) {
			if (errno != EWOULDBLOCK)
				lost(p, errno);
			return;
		}
		if (n == 0) {
			p->read_end = true;
			finish_if_done(p);
			return;
		}
		stream_check(&p->in, p->read, r->buffer, (size_t)n);
		p->read += (uint64_t)n;
	} while ((size_t)n == READ_MAX || p->peer.sent_fin || p->peer.gone);
}

static void
connect_done(struct play *p)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (nke_getsockopt(p->reenact->m, p->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0) {
		lost(p, error);
		return;
	}
	p->connected = true;
}

void
tcp_play_ready(struct play *p)
{
	unsigned ready = p->ready;

	p->ready = 0;
	if (p->fd < 0)
		return;
	if (!p->connected && (ready & (CORE_READY_WRITE | CORE_READY_ERROR)))
		connect_done(p);
	if (!p->connected)
		return;
	pull(p);
	push(p);
}

/* ---- beginning -------------------------------------------------------------------------------- */

static void
remember_link(struct play *p, const struct packet *k)
{
	struct peer *peer = &p->peer;

	peer->link_len = packet_link_length(p->reenact->link);
	memcpy(peer->link, k->link, peer->link_len);
	if (p->reenact->link == CORE_LINK_ETHERNET && k->outbound) {
		memcpy(peer->link, k->link + 6, 6);
		memcpy(peer->link + 6, k->link, 6);
	}
}

static struct play *
new_play(struct reenact *r, struct flow *f, const struct packet *k)
{
	struct play *p = calloc(1, sizeof *p);

	f->started = true;
	f->state = NKE_FLOW_OPEN;
	if (p == NULL) {
		f->state = NKE_FLOW_FAILED;
		f->error = ENOMEM;
		f->ended = true;
		return NULL;
	}
	p->reenact = r;
	p->flow = f;
	p->fd = -1;
	stream_init(&p->out, &f->track[SIDE_LOCAL], &f->count[SIDE_LOCAL]);
	stream_init(&p->in, &f->track[SIDE_REMOTE], &f->count[SIDE_REMOTE]);
	p->out.hold = 0;
	p->peer.window = UINT16_MAX;
	remember_link(p, k);
	f->play = p;
	return p;
}

/* For a handshake that is made up: the peer's clock, as far as a segment tells it. */
static void
take_stamp(struct play *p, const struct packet *k)
{
	uint32_t value, echo;

	p->peer.stamps = p->flow->stamps;
	if (p->peer.stamps && packet_timestamps(k->transport, k->tcp_len, &value, &echo))
		p->peer.stamp = k->outbound ? echo : value;
}

/*
 * The captured host had done with waiting for old segments of the last connection between these ends, or did
 * not mind: the machine does not wait any longer either. False: that is not what is in the way.
 */
static bool
end_waiting(struct reenact *r, const struct flow_key *key)
{
	uint32_t len = packet_address_len(key->version);
	struct core_tcp_pcb x = {
		.xt_vflag = key->version == 4 ? 1 : 2,
		.xt_lport = htons(key->lport), .xt_fport = htons(key->rport),
	};

	memcpy(x.xt_laddr + sizeof x.xt_laddr - len, key->local, len);
	memcpy(x.xt_faddr + sizeof x.xt_faddr - len, key->remote, len);
	return nke_sysctl(r->m, "net.inet.tcp.drop", NULL, NULL, &x, sizeof x) == 0;
}

static void
begin_client(struct play *p)
{
	struct reenact *r = p->reenact;
	const struct flow_key *key = &p->flow->key;
	struct sockaddr_storage ss;
	socklen_t len = reenact_sockaddr(key->version, key->remote, key->rport, &ss);
	int error;

	p->fd = named_socket(r, key->version, key->local, key->lport);
	if (p->fd < 0) {
		failed(p, NKE_FLOW_FAILED, errno);
		return;
	}
	watch(p);
	error = nke_connect(r->m, p->fd, (struct sockaddr *)&ss, len) != 0 ? errno : 0;
	if (error == EADDRINUSE && p->flow->previous != NO_FLOW && end_waiting(r, key))
		error = nke_connect(r->m, p->fd, (struct sockaddr *)&ss, len) != 0 ? errno : 0;
	if (error != 0 && error != EINPROGRESS)
		failed(p, refusal(error), error);
}

static struct listener *
find_listener(struct reenact *r, const struct flow_key *key)
{
	struct listener *l;

	LIST_FOREACH(l, &r->listeners[key->lport % LISTENERS], link)
		if (l->port == key->lport && l->version == key->version &&
		    memcmp(l->address, key->local, 16) == 0)
			return l;
	return NULL;
}

static void
listener_ready(void *ctx, int fd, unsigned ready)
{
	struct listener *l = ctx;

	(void)fd;
	(void)ready;
	if (!l->ready)
		TAILQ_INSERT_TAIL(&l->reenact->accept_due, l, due);
	l->ready = true;
}

static int
begin_listening(struct reenact *r, const struct flow_key *key)
{
	struct listener *l;
	unsigned ready;

	if (find_listener(r, key) != NULL)
		return 0;
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return ENOMEM;
	l->reenact = r;
	l->version = key->version;
	memcpy(l->address, key->local, 16);
	l->port = key->lport;
	l->fd = named_socket(r, key->version, key->local, key->lport);
	if (l->fd < 0 || nke_listen(r->m, l->fd, BACKLOG) != 0) {
		int error = errno;

		if (l->fd >= 0)
			(void)nke_close(r->m, l->fd);
		free(l);
		return error;
	}
	LIST_INSERT_HEAD(&r->listeners[l->port % LISTENERS], l, link);
	(void)file_call_watch(r->m->core, l->fd, listener_ready, l, &ready);
	return 0;
}

static void
end_listening(struct reenact *r, struct listener *l)
{
	LIST_REMOVE(l, link);
	if (l->ready)
		TAILQ_REMOVE(&r->accept_due, l, due);
	(void)nke_close(r->m, l->fd);
	free(l);
}

static void
begin_server(struct play *p, const struct packet *k)
{
	struct reenact *r = p->reenact;
	struct flow *f = p->flow;
	int error;

	if (f->answer != ANSWER_OPEN) {
		/* At this moment nobody listened. */
		struct listener *l = find_listener(r, &f->key);

		if (l != NULL)
			end_listening(r, l);
		f->state = NKE_FLOW_UNANSWERED;
		p->over = true;
		return;
	}
	error = begin_listening(r, &f->key);
	if (error != 0) {
		failed(p, NKE_FLOW_FAILED, error);
		return;
	}
	if (!f->begun_before)
		return;
	take_stamp(p, k);
	peer_make(p, TCP_SYN);
	if (!(k->flags & TCP_SYN)) {
		reenact_settle(r);
		peer_make(p, TCP_ACK);
	}
}

/* ---- accepting -------------------------------------------------------------------------------- */

static void
accepted(struct reenact *r, const struct listener *l, int fd, const struct sockaddr_storage *from)
{
	struct flow_key key = {.lport = l->port, .version = l->version, .protocol = PROTO_TCP};
	struct flow *f;

	memcpy(key.local, l->address, 16);
	if (l->version == 4) {
		const struct sockaddr_in *sin = (const struct sockaddr_in *)from;

		memcpy(key.remote, &sin->sin_addr, 4);
		key.rport = ntohs(sin->sin_port);
	} else {
		const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)from;

		memcpy(key.remote, &sin6->sin6_addr, 16);
		key.rport = ntohs(sin6->sin6_port);
	}
	f = flows_at(&r->flows, &key, r->number);
	if (f == NULL || f->play == NULL || f->play->fd >= 0 || f->play->over) {
		(void)nke_close(r->m, fd);
		return;
	}
	f->play->fd = fd;
	f->play->connected = true;
	watch(f->play);
	reenact_is_due(f->play, DUE_READY);	/* it may be that everything has happened already */
}

void
tcp_play_accept(struct reenact *r)
{
	struct listener *l = TAILQ_FIRST(&r->accept_due);
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	int fd;

	TAILQ_REMOVE(&r->accept_due, l, due);
	l->ready = false;
	while ((fd = nke_accept(r->m, l->fd, (struct sockaddr *)&from, &len)) >= 0) {
		accepted(r, l, fd, &from);
		len = sizeof from;
	}
}

/* ---- ending ----------------------------------------------------------------------------------- */

void
tcp_play_over(struct play *p)
{
	struct flow *f = p->flow;

	if (f->state == NKE_FLOW_CLOSED)
		peer_end(p);
	if (p->due != 0)
		TAILQ_REMOVE(&p->reenact->due, p, link);
	if (p->waits_until != 0) {
		TAILQ_REMOVE(&p->reenact->waiting, p, waits);
		p->reenact->waiting_count--;
	}
	if (f->server && f->answer != ANSWER_OPEN && p->reset_seen)
		f->state = NKE_FLOW_REFUSED;
	f->play = NULL;
	f->ended = true;
	stream_free(&p->out);
	stream_free(&p->in);
	free(p);
}

/* The capture has no more of it, and did not say how it ended. */
static void
cut_off(struct play *p)
{
	struct flow *f = p->flow;

	if (!p->connected && !p->over) {
		/* What was accepted then and is not now, a filter refused. */
		f->state = p->peer.gone ? NKE_FLOW_RESET_REMOTE :
		    f->server && f->established ? NKE_FLOW_FILTERED : NKE_FLOW_UNANSWERED;
	}
	abort_socket(p);
	tcp_play_over(p);
}

void
tcp_play_give_up(struct reenact *r)
{
	cut_off(TAILQ_FIRST(&r->waiting));
}

/*
 * Both ends begin anew, so the last connection between them is no more, whether the capture says how it
 * ended or not.
 */
static void
end_previous(struct reenact *r, const struct flow *f)
{
	struct play *p = f->previous != NO_FLOW ? flow_at(&r->flows, f->previous)->play : NULL;

	if (p == NULL)
		return;
	r->playing = false;	/* a RST between the two was not in the capture */
	cut_off(p);
	r->playing = true;
}

/* ---- the capture's packets -------------------------------------------------------------------- */

/*
 * The captured local end acknowledged what the machine does not have, although it arrived: it was beyond the
 * machine's window, in more pieces than that keeps, or came when there was no memory. The peer will not send
 * it again.
 */
static void
repair(struct play *p, uint64_t until)
{
	const struct peer *peer = &p->peer;
	int64_t got = track_offset(p->in.track, peer->machine_ack, p->read);
	const uint8_t *data;
	size_t n;

	if (got < (int64_t)p->read || (uint64_t)got >= until || p->fd < 0)
		return;
	data = stream_at(&p->in, (uint64_t)got, &n);
	if (data == NULL)
		return;
	if (n > until - (uint64_t)got)
		n = (size_t)(until - (uint64_t)got);
	peer_make_data(p, (uint64_t)got, data, n);
}

/* The captured local end acknowledged octets that the capture does not have. */
static void
fill_received(struct play *p, uint64_t until)
{
	const struct track *t = p->in.track;

	while (p->in.end < until && p->in.hole < t->hole_count && t->holes[p->in.hole].from <= p->in.end) {
		uint64_t from = p->in.end, to = t->holes[p->in.hole].to;

		if (to <= from) {		/* it came after all, late */
			p->in.hole++;
			continue;
		}
		stream_fill(&p->in, from + 1);
		if (p->in.end == from)
			return;
		peer_make_data(p, from, NULL, to - from);
		reenact_settle(p->reenact);
	}
}

/* The host had an answer to its SYN, which was not captured: both sides go on as if. */
static void
make_answer(struct play *p, const struct packet *k)
{
	if (p->peer.answered || p->flow->server || (k->flags & (TCP_ACK | TCP_SYN | TCP_RST)) != TCP_ACK)
		return;
	take_stamp(p, k);
	peer_make(p, TCP_SYN | TCP_ACK);
	reenact_settle(p->reenact);
}

static void
local_segment(struct play *p, const struct packet *k)
{
	const struct track *own = p->out.track, *other = p->in.track;
	int64_t offset = track_offset(own, k->seq + ((k->flags & TCP_SYN) != 0), p->out.end);

	if (k->flags & TCP_RST) {
		if (p->fd >= 0) {
			p->flow->state = NKE_FLOW_RESET_LOCAL;
			abort_socket(p);
		}
		return;
	}
	if ((k->flags & TCP_ACK) && p->connected) {
		int64_t ack = track_offset(other, k->ack, p->in.end);

		if (ack > (int64_t)p->in.end)
			fill_received(p, (uint64_t)ack);
		if (ack > (int64_t)p->read)
			repair(p, (uint64_t)ack);
	}
	if (k->data_len != 0) {
		if (offset + (int64_t)k->data_len > (int64_t)p->out.end)
			peer_before_write(p);
		if (offset > (int64_t)p->out.end)
			stream_fill(&p->out, (uint64_t)offset);
		stream_add(&p->out, offset, k->data, k->data_len, k->data_captured);
	}
	if ((k->flags & TCP_FIN) && own->fin != NO_OFFSET) {
		peer_before_write(p);
		stream_fill(&p->out, own->fin);
		p->fin_due = true;
	}
	push(p);
	peer_note_stamp(p, k);
}

static void
remote_segment(struct play *p, const struct packet *k)
{
	const struct track *own = p->in.track, *other = p->out.track;
	enum packet_sum sum = packet_check(k);

	if ((k->flags & TCP_ACK) && other->hole_count > p->out.hole) {
		int64_t ack = track_offset(other, k->ack, p->out.end);

		if (ack > (int64_t)p->out.end) {
			stream_fill(&p->out, (uint64_t)ack);
			push(p);
		}
	}
	/* What comes after the host's RST, its program did not get either. */
	if (k->data_len != 0 && !(k->flags & TCP_RST) && sum != PACKET_DAMAGED &&
	    p->flow->state != NKE_FLOW_RESET_LOCAL)
		stream_add(&p->in, track_offset(own, k->seq + ((k->flags & TCP_SYN) != 0), p->in.end),
		    k->data, k->data_len, k->data_captured);
	/* After a RST of the machine's, or a connection that never was, nobody would send that. */
	if (p->flow->state == NKE_FLOW_FILTERED || p->flow->state == NKE_FLOW_FAILED)
		return;
	peer_segment(p, k, sum);
}

/* The capture has no more of the flow: what the host had acknowledged, the machine is to have, too. */
static void
last_repair(struct play *p)
{
	const struct track *t = p->in.track;

	if (!p->connected || p->peer.gone)
		return;
	if (p->read < t->acked) {
		repair(p, t->acked);
		reenact_settle(p->reenact);
	}
	if (t->fin != NO_OFFSET && t->acked > t->fin && p->read == t->fin && !p->read_end) {
		peer_make(p, TCP_FIN | TCP_ACK);
		reenact_settle(p->reenact);
	}
}

void
tcp_play_packet(struct reenact *r, struct flow *f, const struct packet *k)
{
	struct play *p = f->play;

	if (f->ended || (!f->started && (k->flags & TCP_RST))) {
		r->totals.other++;
		return;
	}
	if (p == NULL) {
		end_previous(r, f);
		p = new_play(r, f, k);
		if (p == NULL)
			return;
		p->busy = true;
		if (f->server)
			begin_server(p, k);
		else
			begin_client(p);
		reenact_settle(r);
	}
	p->busy = true;
	make_answer(p, k);
	if (k->outbound)
		local_segment(p, k);
	else
		remote_segment(p, k);
	reenact_settle(r);
	if (r->number >= f->last_frame && !p->over)
		last_repair(p);
	if ((p->in.no_memory || p->out.no_memory) && !p->over)
		failed(p, NKE_FLOW_FAILED, ENOMEM);
	p->busy = false;
	if (p->over && r->number >= f->last_frame) {
		tcp_play_over(p);
	} else if (r->number >= f->last_frame && f->answer == ANSWER_NONE && p->waits_until == 0) {
		/* The captured program did not try again: it gave up before that was due. */
		p->waits_until = machine_uptime(r->m->core) + GIVES_UP_NS;
		TAILQ_INSERT_TAIL(&r->waiting, p, waits);
		if (++r->waiting_count > WAITING_MAX)
			tcp_play_give_up(r);
	}
}

void
tcp_play_finish(struct reenact *r)
{
	struct listener *l, *next;

	for (uint32_t i = 0; i < r->flows.count; i++) {
		struct flow *f = flow_at(&r->flows, i);

		if (f->play != NULL)
			cut_off(f->play);
	}
	for (unsigned i = 0; i < LISTENERS; i++)
		for (l = LIST_FIRST(&r->listeners[i]); l != NULL; l = next) {
			next = LIST_NEXT(l, link);
			end_listening(r, l);
		}
}
