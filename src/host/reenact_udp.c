/*
 * UDP: sockets of the machine for those that the captured host had. One that spoke first, to one peer only,
 * from a port that was chosen for it, is connected; others are not. Each captured datagram from the host is
 * sent, each one to it arrives and is read at once; both are compared with what was captured.
 *
 * A socket is closed after the last datagram that the capture has of it. Datagrams that a filter keeps are
 * waited for until then.
 *
 * Limits: EXPECTED_MAX datagrams of a socket that have not been read; older ones are taken for swallowed.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include <nke/replay.h>
#include <nke/socket.h>

#include "src/host/reenact_impl.h"
#include "src/kern/filecalls.h"

#define EXPECTED_MAX	256u
#define FIRST_CHOSEN	1024u		/* ports below are asked for */
#define DATAGRAM_MAX	65536u

/* ---- sockets ---------------------------------------------------------------------------------- */

static void
became_ready(void *ctx, int fd, unsigned ready)
{
	struct socket_play *s = ctx;

	(void)fd;
	if (s->queued || !(ready & (CORE_READY_READ | CORE_READY_ERROR)))
		return;
	s->queued = true;
	TAILQ_INSERT_TAIL(&s->reenact->udp_ready, s, link);
}

static bool
is_group(uint8_t version, const uint8_t *address)
{
	return version == 4 ? address[0] >= 224 && address[0] < 240 : address[0] == 0xff;
}

static bool
is_single(uint8_t version, const uint8_t *address)
{
	return !is_group(version, address) && !(version == 4 && address[3] == 255);
}

static void
join(struct reenact *r, const struct endpoint *e, int fd)
{
	if (e->version == 4) {
		struct ip_mreqn mreq = {.imr_ifindex = INTERFACE_INDEX};

		memcpy(&mreq.imr_multiaddr, e->address, 4);
		(void)nke_setsockopt(r->m, fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof mreq);
	} else {
		struct ipv6_mreq mreq = {.ipv6mr_interface = INTERFACE_INDEX};

		memcpy(&mreq.ipv6mr_multiaddr, e->address, 16);
		(void)nke_setsockopt(r->m, fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq, sizeof mreq);
	}
}

static void
set_options(struct reenact *r, const struct endpoint *e, int fd)
{
	const int on = 1, room = DATAGRAM_MAX;
	const unsigned char off = 0;
	const unsigned none = 0;

	(void)nke_setsockopt(r->m, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	(void)nke_setsockopt(r->m, fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	(void)nke_setsockopt(r->m, fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
	(void)nke_setsockopt(r->m, fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	/* What the host sent to a group is in the capture once. */
	if (e->version == 4)
		(void)nke_setsockopt(r->m, fd, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof off);
	else
		(void)nke_setsockopt(r->m, fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &none, sizeof none);
}

/* Binds to the captured address; what was for everybody on a network arrives at a socket of all addresses. */
static int
bind_socket(struct reenact *r, const struct endpoint *e, int fd)
{
	static const uint8_t any[16];
	struct sockaddr_storage ss;
	socklen_t len = reenact_sockaddr(e->version, e->address, e->port, &ss);

	if (nke_bind(r->m, fd, (struct sockaddr *)&ss, len) == 0)
		return 0;
	if (errno != EADDRNOTAVAIL || e->version != 4 || e->address[3] != 255)
		return errno;
	len = reenact_sockaddr(e->version, any, e->port, &ss);
	return nke_bind(r->m, fd, (struct sockaddr *)&ss, len) == 0 ? 0 : errno;
}

static int
open_socket(struct socket_play *s)
{
	struct reenact *r = s->reenact;
	const struct endpoint *e = s->endpoint;
	struct sockaddr_storage ss;
	unsigned ready = 0;
	socklen_t len;
	int error;

	s->fd = nke_socket(r->m, e->version == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return errno;
	set_options(r, e, s->fd);
	error = bind_socket(r, e, s->fd);
	if (error != 0)
		return error;
	if (is_group(e->version, e->address))
		join(r, e, s->fd);
	if (e->began && !e->many && e->port >= FIRST_CHOSEN && is_single(e->version, e->peer)) {
		len = reenact_sockaddr(e->version, e->peer, e->peer_port, &ss);
		if (nke_connect(r->m, s->fd, (struct sockaddr *)&ss, len) != 0)
			return errno;
		s->connected = true;
	}
	(void)file_call_watch(r->m->core, s->fd, became_ready, s, &ready);
	return 0;
}

static void
close_socket(struct socket_play *s)
{
	struct expected *e;

	if (s->queued)
		TAILQ_REMOVE(&s->reenact->udp_ready, s, link);
	if (s->fd >= 0)
		(void)nke_close(s->reenact->m, s->fd);
	while ((e = TAILQ_FIRST(&s->expected)) != NULL) {
		TAILQ_REMOVE(&s->expected, e, link);
		free(e);
	}
	s->endpoint->play = NULL;
	free(s);
}

/* Which of the machine's errors is a filter's? Those that it gives for nothing of its own. */
static void
not_sent(struct flow *f, int error)
{
	f->state = error == EPERM || error == EACCES ? NKE_FLOW_FILTERED : NKE_FLOW_FAILED;
	f->error = error;
}

static struct socket_play *
socket_of(struct reenact *r, struct flow *f)
{
	struct endpoint *e = &r->flows.endpoints[f->endpoint];
	struct socket_play *s = e->play;
	int error;

	if (s != NULL)
		return s;
	s = calloc(1, sizeof *s);
	if (s == NULL) {
		f->state = NKE_FLOW_FAILED;
		f->error = ENOMEM;
		return NULL;
	}
	s->reenact = r;
	s->endpoint = e;
	s->fd = -1;
	TAILQ_INIT(&s->expected);
	e->play = s;
	error = open_socket(s);
	if (error == 0)
		return s;
	not_sent(f, error);
	close_socket(s);
	return NULL;
}

/* ---- to the reader ------------------------------------------------------------------------------ */

static void
forget(struct socket_play *s, struct expected *e)
{
	TAILQ_REMOVE(&s->expected, e, link);
	s->expected_count--;
	free(e);
}

static void
expect(struct socket_play *s, struct flow *f, const struct packet *k)
{
	struct flow_count *c = &f->count[SIDE_REMOTE];
	struct expected *e = malloc(sizeof *e + k->data_len);

	c->datagrams++;
	if (e != NULL) {
		e->flow = f;
		e->offset = c->captured;
		e->len = k->data_len;
		memcpy(e->data, k->data, k->data_captured);
		memset(e->data + k->data_captured, 0, k->data_len - k->data_captured);
		TAILQ_INSERT_TAIL(&s->expected, e, link);
		s->expected_count++;
	}
	c->captured += k->data_len;
	c->zeros += k->data_len - k->data_captured;
	if (s->expected_count > EXPECTED_MAX)
		forget(s, TAILQ_FIRST(&s->expected));
}

static void
compare(struct flow_count *c, uint64_t offset, const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	size_t n = a_len < b_len ? a_len : b_len, differ = a_len > b_len ? a_len - b_len : b_len - a_len;
	size_t first = n, i = memcmp(a, b, n) == 0 ? 0 : n;

	while (i-- > 0)
		if (a[i] != b[i]) {
			differ++;
			first = i;
		}
	if (differ != 0 && c->differences == 0)
		c->first_difference = offset + first;
	c->differences += differ;
}

/* Which of those that are expected is it? The same octets; else the oldest of that peer. */
static struct expected *
find_expected(struct socket_play *s, const uint8_t *data, size_t len)
{
	struct expected *e;

	TAILQ_FOREACH(e, &s->expected, link)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what forget() freed is not in the list */
		if (e->len == len && memcmp(e->data, data, len) == 0)
			return e;
	return TAILQ_FIRST(&s->expected);
}

void
udp_play_ready(struct socket_play *s)
{
	struct reenact *r = s->reenact;
	struct expected *e;
	ssize_t n;

	while ((n = nke_recv(r->m, s->fd, r->buffer, READ_MAX, 0)) >= 0) {
		struct flow_count *c;

		e = find_expected(s, r->buffer, (size_t)n);
		if (e == NULL)
			continue;	/* a filter's own */
		c = &e->flow->count[SIDE_REMOTE];
		c->datagrams_delivered++;
		c->delivered += (uint64_t)n;
		compare(c, e->offset, r->buffer, (size_t)n, e->data, e->len);
		forget(s, e);
	}
}

static void
arrive(struct reenact *r, struct flow *f, const struct packet *k)
{
	struct endpoint *e = &r->flows.endpoints[f->endpoint];
	struct socket_play *s = e->refused && !e->sent ? NULL : socket_of(r, f);
	uint8_t *net = reenact_net(r), *udp = net + k->header_len;
	uint32_t len = k->data_len + 8;
	enum packet_sum sum = packet_check(k);
	uint16_t field;

	if (s != NULL && sum != PACKET_DAMAGED)
		expect(s, f, k);
	else if (s == NULL && !(e->refused && !e->sent))
		return;
	memcpy(net, k->net, k->net_captured);
	memset(net + k->net_captured, 0, k->net_len - k->net_captured);
	if (sum == PACKET_UNSUMMED) {
		memset(udp + 6, 0, 2);
		field = packet_sum_fold(packet_sum(udp, len,
		    packet_pseudo_sum(k->version, k->src, k->dst, PROTO_UDP, len)));
		field = field != 0 ? field : UINT16_MAX;
		memcpy(udp + 6, &field, 2);
	}
	reenact_input(r, k->link, k->link_len, k->version, k->net_len);
}

/* ---- from the writer ---------------------------------------------------------------------------- */

static void
leave(struct reenact *r, struct flow *f, const struct packet *k)
{
	struct socket_play *s = socket_of(r, f);
	struct flow_count *c = &f->count[SIDE_LOCAL];
	const uint8_t *data = k->data;
	struct sockaddr_storage ss;
	socklen_t len;
	ssize_t n = 0;

	c->datagrams++;
	c->captured += k->data_len;
	c->zeros += k->data_len - k->data_captured;
	if (s == NULL)
		return;
	if (k->data_captured < k->data_len) {
		memcpy(r->buffer, k->data, k->data_captured);
		memset(r->buffer + k->data_captured, 0, k->data_len - k->data_captured);
		data = r->buffer;
	}
	r->udp_sending = f;
	r->udp_data = data;
	r->udp_len = k->data_len;
	len = reenact_sockaddr(f->key.version, f->key.remote, f->key.rport, &ss);
	/* An error that an earlier datagram met is told once; the captured program went on. */
	for (int attempt = 0; attempt < 2; attempt++) {
		n = s->connected ? nke_send(r->m, s->fd, data, k->data_len, 0) :
		    nke_sendto(r->m, s->fd, data, k->data_len, 0, (struct sockaddr *)&ss, len);
		if (n >= 0 || errno != ECONNREFUSED)
			break;
	}
	r->udp_sending = NULL;
	if (n < 0)
		not_sent(f, errno);
}

void
udp_play_output(struct reenact *r, struct flow *f, const struct packet *k)
{
	struct flow_count *c = &f->count[SIDE_LOCAL];

	c->datagrams_delivered++;
	c->delivered += k->data_len;
	if (f != r->udp_sending) {
		c->unchecked += k->data_len;	/* a filter held it back, or made it */
		return;
	}
	compare(c, c->captured - r->udp_len, k->data, k->data_len, r->udp_data, r->udp_len);
}

void
udp_play_packet(struct reenact *r, struct flow *f, const struct packet *k)
{
	struct endpoint *e = &r->flows.endpoints[f->endpoint];

	f->started = true;
	/* Without a socket there is nothing to be done; one that may not send may receive. */
	if ((f->state != NKE_FLOW_FAILED && f->state != NKE_FLOW_FILTERED) || e->play != NULL) {
		if (k->outbound)
			leave(r, f, k);
		else
			arrive(r, f, k);
		reenact_settle(r);
	}
	if (e->play != NULL && r->number >= e->last_frame)
		close_socket(e->play);
}

void
udp_play_finish(struct reenact *r)
{
	for (uint32_t i = 0; i < r->flows.endpoint_count; i++)
		if (r->flows.endpoints[i].play != NULL)
			close_socket(r->flows.endpoints[i].play);
}
