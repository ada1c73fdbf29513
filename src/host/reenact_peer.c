/*
 * The remote end of a TCP flow, played from the capture.
 *
 * Its segments arrive as they were captured, but for what refers to the machine: acknowledgements and SACK
 * blocks count from the machine's initial sequence number, echoed time stamps are the machine's. What it
 * acknowledged in the capture and the machine has not sent yet (its window may be smaller) is acknowledged
 * as soon as the machine has. It takes what the machine sends in order and nothing else, and compares it
 * with what the local end had sent.
 *
 * Checksums: a segment that was damaged arrives damaged; those that a device was to complete, that are longer
 * than a link carries (put together by the capturing host) or were captured short get a right one.
 */
#include <nke/socket.h>

#include "src/host/reenact_impl.h"

#define PIECE_MAX	(32u << 10)	/* octets of data put in at a time when a segment has to be made */
#define MADE_UP_SCALE	8u		/* of windows whose real scale was not captured: rather too much */
#define LAST_WORDS	3u

static struct track *
local_track(struct play *p)
{
	return &p->flow->track[SIDE_LOCAL];
}

static struct track *
remote_track(struct play *p)
{
	return &p->flow->track[SIDE_REMOTE];
}

/* All that the machine has sent and the peer has got, a FIN counted. */
static uint64_t
limit(const struct peer *peer)
{
	return peer->got + peer->got_fin;
}

/* ---- mapping ------------------------------------------------------------------------------- */

/* What may be acknowledged now of what the capture does. */
static uint64_t
acknowledged(const struct peer *peer)
{
	int64_t offset = (int64_t)peer->wanted + peer->skew;

	if (peer->all || offset > (int64_t)limit(peer))
		return limit(peer);
	return offset > (int64_t)peer->acked ? (uint64_t)offset : peer->acked;
}

/* The machine's sequence number for one of the captured local end; at most what it has sent. */
static uint32_t
map_local(struct play *p, uint32_t captured, bool *beyond)
{
	struct peer *peer = &p->peer;
	int64_t offset = track_offset(local_track(p), captured, peer->wanted) + peer->skew;

	*beyond = offset > (int64_t)limit(peer);
	return peer->iss + 1 + (uint32_t)(*beyond ? limit(peer) : (uint64_t)offset);
}

static uint32_t
map_ack(struct play *p, uint32_t captured)
{
	struct peer *peer = &p->peer;
	int64_t offset = track_offset(local_track(p), captured, peer->wanted);

	/* Older ones, in another order or of keep-alives, stay older. */
	if (offset < (int64_t)peer->wanted)
		return peer->iss + 1 + (uint32_t)(offset + peer->skew);
	peer->wanted = (uint64_t)offset;
	peer->all = (uint64_t)offset >= p->out.end + p->fin_due;
	peer->acked = acknowledged(peer);
	return peer->iss + 1 + (uint32_t)peer->acked;
}

/*
 * When all had been acknowledged, and the machine has nothing left to send, what it sent is more or less than
 * what was captured because of filters. From here on offsets are compared and mapped with that in mind.
 */
void
peer_before_write(struct play *p)
{
	struct peer *peer = &p->peer;
	const int sol_socket = 0xffff, so_nwrite = 0x1024;
	socklen_t len = sizeof(int);
	int unsent = 0;

	if (!peer->all)
		return;
	peer->all = false;
	if (p->fd < 0 || (int64_t)peer->got == (int64_t)p->out.end + peer->skew || peer->got < peer->acked ||
	    nke_darwin_getsockopt(p->reenact->m, p->fd, sol_socket, so_nwrite, &unsent, &len) != 0 ||
	    unsent != 0)
		return;
	peer->skew = (int64_t)peer->got - (int64_t)p->out.end;
	stream_drop(&p->out, p->out.end);
}

static uint32_t
map_stamp(const struct peer *peer, uint32_t captured)
{
	for (unsigned i = 0; i < STAMPS_KEPT; i++)
		if (peer->stamp_map[i].machine != 0 && peer->stamp_map[i].captured == captured)
			return peer->stamp_map[i].machine;
	return peer->machine_stamp;
}

void
peer_note_stamp(struct play *p, const struct packet *k)
{
	struct peer *peer = &p->peer;
	uint32_t value, echo;

	if (!peer->stamps || !packet_timestamps(k->transport, k->tcp_len, &value, &echo))
		return;
	if (peer->stamp_map[(peer->stamp_next - 1) % STAMPS_KEPT].captured == value)
		return;
	peer->stamp_map[peer->stamp_next % STAMPS_KEPT].captured = value;
	peer->stamp_map[peer->stamp_next++ % STAMPS_KEPT].machine = peer->machine_stamp;
}

static void
erase(uint8_t *option, uint32_t len)
{
	memset(option, 1, len);
}

/* Edges of blocks. One of octets that the machine has not sent goes: it would say that something was lost. */
static void
map_sack(struct play *p, uint8_t *option)
{
	uint8_t *to = option + 2, *end = option + option[1];

	for (const uint8_t *at = to; at + 8 <= end; at += 8) {
		bool left_beyond, right_beyond;
		uint32_t left = map_local(p, get32(at), &left_beyond);
		uint32_t right = map_local(p, get32(at + 4), &right_beyond);

		if (left_beyond || left == right)
			continue;
		put32(to, left);
		put32(to + 4, right);
		to += 8;
	}
	if (to == option + 2)
		to = option;
	else
		option[1] = (uint8_t)(to - option);
	erase(to, (uint32_t)(end - to));
}

/* The options of a segment, in place. `agreed`: of a SYN, what the captured answer to it took up. */
static void
map_options(struct play *p, uint8_t *tcp, uint32_t tcp_len, bool syn, uint8_t agreed)
{
	struct peer *peer = &p->peer;

	for (uint32_t at = 20; at < tcp_len && tcp[at] != 0;) {
		uint32_t len;

		if (tcp[at] == 1) {
			at++;
			continue;
		}
		if (at + 2 > tcp_len || (len = tcp[at + 1]) < 2 || at + len > tcp_len)
			return;
		if (tcp[at] == 5 && !syn) {
			map_sack(p, tcp + at);
		} else if (tcp[at] == 8 && len == 10) {
			if (syn && !(agreed & AGREED_STAMPS)) {
				erase(tcp + at, len);
			} else {
				peer->stamps = true;
				peer->stamp = get32(tcp + at + 2);
				if (get32(tcp + at + 6) != 0)
					put32(tcp + at + 6, map_stamp(peer, get32(tcp + at + 6)));
			}
		} else if (syn && ((tcp[at] == 3 && !(agreed & AGREED_SCALE)) ||
		    (tcp[at] == 4 && !(agreed & AGREED_SACK)))) {
			erase(tcp + at, len);
		}
		at += len;
	}
}

/* ---- putting in ----------------------------------------------------------------------------- */

/* The checksum of a whole segment in `net`. */
static void
sum_segment(uint8_t version, uint8_t *net, uint32_t header_len, uint32_t net_len)
{
	uint8_t *tcp = net + header_len;
	const uint8_t *src = net + (version == 4 ? 12 : 8), *dst = src + packet_address_len(version);
	uint32_t len = net_len - header_len;
	uint16_t sum;

	memset(tcp + 16, 0, 2);
	sum = packet_sum_fold(packet_sum(tcp, len,
	    packet_pseudo_sum(version, src, dst, PROTO_TCP, len)));
	memcpy(tcp + 16, &sum, 2);
}

static void
set_length(uint8_t version, uint8_t *net, uint32_t net_len)
{
	uint16_t sum;

	if (version == 6) {
		put16(net + 4, net_len - 40);
		return;
	}
	put16(net + 2, net_len);
	memset(net + 10, 0, 2);
	sum = packet_sum_fold(packet_sum(net, (net[0] & 0xfu) * 4, 0));
	memcpy(net + 10, &sum, 2);
}

/*
 * The header has been changed from what was captured: the checksum is as right, or wrong, as before. RFC 1624
 * equation 3 over the whole header; the field is the same in both and cancels out.
 */
static void
adjust_sum(const struct packet *k, uint8_t *tcp)
{
	uint64_t sum;
	uint16_t field;

	memcpy(&field, k->transport + 16, 2);
	memcpy(tcp + 16, &field, 2);
	sum = (uint16_t)~field;
	sum += packet_sum_fold(packet_sum(k->transport, k->tcp_len, 0));
	field = packet_sum_fold(packet_sum(tcp, k->tcp_len, sum));
	memcpy(tcp + 16, &field, 2);
}

/* `len` octets of the data of `k` from `at` on, in a segment like it. */
static void
put_in(struct play *p, const struct packet *k, enum packet_sum sum, uint32_t at, uint32_t len)
{
	struct reenact *r = p->reenact;
	uint32_t headers = k->header_len + k->tcp_len;
	uint32_t there = k->data_captured > at ? k->data_captured - at : 0;
	uint8_t *net = reenact_net(r), *tcp = net + k->header_len;
	bool whole = at == 0 && len == k->data_len, last = at + len == k->data_len;
	bool syn = k->flags & TCP_SYN;
	uint8_t agreed = syn && !(k->flags & TCP_ACK) ? p->flow->agreed :
	    AGREED_SCALE | AGREED_SACK | AGREED_STAMPS;

	if (there > len)
		there = len;
	memcpy(net, k->net, headers);
	memcpy(net + headers, k->data + at, there);
	memset(net + headers + there, 0, len - there);
	if (syn && p->flow->answer != ANSWER_OPEN)
		agreed = AGREED_SCALE | AGREED_SACK | AGREED_STAMPS;
	put32(tcp + 4, k->seq + at);
	if (k->flags & TCP_ACK)
		put32(tcp + 8, map_ack(p, k->ack));
	if (!last && !syn)
		tcp[13] &= (uint8_t)~(TCP_FIN | TCP_PSH);
	if (k->tcp_len > 20)
		map_options(p, tcp, k->tcp_len, syn, agreed);
	if (!whole || get16(net + (k->version == 4 ? 2 : 4)) == 0)
		set_length(k->version, net, headers + len);
	if (!whole || sum == PACKET_UNSUMMED)
		sum_segment(k->version, net, k->header_len, headers + len);
	else
		adjust_sum(k, tcp);
	reenact_input(r, k->link, k->link_len, k->version, headers + len);
}

static void
note_sent(struct peer *peer, uint32_t seq_end, uint16_t window)
{
	if ((int32_t)(seq_end - peer->next_seq) > 0)
		peer->next_seq = seq_end;
	peer->window = window;
}

static void
make_syn_data(struct play *p)
{
	size_t n;
	const uint8_t *data = stream_at(&p->in, 0, &n);
	uint32_t len = p->peer.syn_data < n ? p->peer.syn_data : (uint32_t)n;

	p->peer.syn_data = 0;
	if (data != NULL)
		peer_make_data(p, 0, data, len);
}

void
peer_segment(struct play *p, const struct packet *k, enum packet_sum sum)
{
	struct peer *peer = &p->peer;
	uint32_t at = 0;

	/* Nothing that it says about the machine's segments can be said as long as there are none. */
	if ((k->flags & TCP_ACK) && !peer->iss_known)
		return;
	if (k->flags & TCP_SYN) {
		peer->next_seq = k->seq;
		peer->answered |= k->flags & TCP_ACK;
	}
	note_sent(peer, k->seq + k->data_len + ((k->flags & TCP_SYN) != 0) + ((k->flags & TCP_FIN) != 0),
	    k->window);
	if (k->flags & TCP_FIN)
		peer->sent_fin = true;
	if (k->flags & TCP_RST)
		peer->gone = true;
	if ((k->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && k->data_len != 0) {
		/* The machine's listener does not take data with a SYN: they follow the handshake. */
		peer->syn_data = k->data_len;
		put_in(p, k, sum, 0, 0);
		return;
	}
	/* More than IP can carry in one packet was put together by the capturing host. */
	while (k->header_len + k->tcp_len + k->data_len - at > UINT16_MAX) {
		put_in(p, k, sum, at, PIECE_MAX);
		at += PIECE_MAX;
	}
	put_in(p, k, sum, at, k->data_len - at);
	if (peer->syn_data != 0 && !(k->flags & TCP_SYN))
		make_syn_data(p);
}

/* ---- made up --------------------------------------------------------------------------------- */

static uint32_t
make_ip(struct play *p, uint8_t *net)
{
	const struct flow_key *key = &p->flow->key;

	if (key->version == 4) {
		memset(net, 0, 20);
		net[0] = 0x45;
		put16(net + 6, 0x4000);
		net[8] = 64;
		net[9] = PROTO_TCP;
		memcpy(net + 12, key->remote, 4);
		memcpy(net + 16, key->local, 4);
		return 20;
	}
	memset(net, 0, 40);
	net[0] = 0x60;
	net[6] = PROTO_TCP;
	net[7] = 64;
	memcpy(net + 8, key->remote, 16);
	memcpy(net + 24, key->local, 16);
	return 40;
}

static uint32_t
make_options(const struct play *p, uint8_t *option, bool syn)
{
	const struct peer *peer = &p->peer;
	uint32_t n = 0;

	if (syn) {
		static const uint8_t offer[] = {2, 4, 0, 0, 1, 3, 3, MADE_UP_SCALE, 1, 1, 4, 2};

		memcpy(option, offer, sizeof offer);
		put16(option + 2, p->flow->key.version == 4 ? 1460 : 1440);
		n = sizeof offer;
	}
	if (peer->stamps) {
		option[n] = option[n + 1] = 1;
		option[n + 2] = 8;
		option[n + 3] = 10;
		put32(option + n + 4, peer->stamp);
		put32(option + n + 8, peer->machine_stamp);
		n += 12;
	}
	return n;
}

/* A segment that was not captured; its data (NULL: zeros). */
static void
make(struct play *p, uint8_t flags, uint32_t seq, const uint8_t *data, uint32_t len)
{
	struct reenact *r = p->reenact;
	struct peer *peer = &p->peer;
	uint8_t *net = reenact_net(r), *tcp;
	uint32_t ip_len = make_ip(p, net), tcp_len;

	tcp = net + ip_len;
	memset(tcp, 0, 20);
	put16(tcp, p->flow->key.rport);
	put16(tcp + 2, p->flow->key.lport);
	put32(tcp + 4, seq);
	if (flags & TCP_ACK)
		put32(tcp + 8, peer->iss + 1 + (uint32_t)peer->acked);
	tcp_len = 20 + make_options(p, tcp + 20, flags & TCP_SYN);
	tcp[12] = (uint8_t)(tcp_len << 2);
	tcp[13] = flags;
	put16(tcp + 14, flags & TCP_SYN ? UINT16_MAX : peer->window);
	if (data != NULL)
		memcpy(tcp + tcp_len, data, len);
	else
		memset(tcp + tcp_len, 0, len);
	len += ip_len + tcp_len;
	set_length(p->flow->key.version, net, len);
	sum_segment(p->flow->key.version, net, ip_len, len);
	reenact_input(r, peer->link, peer->link_len, p->flow->key.version, len);
}

void
peer_make(struct play *p, uint8_t flags)
{
	struct peer *peer = &p->peer;

	if ((flags & TCP_ACK) && !peer->iss_known)
		return;
	if (flags & TCP_SYN) {
		peer->next_seq = remote_track(p)->base - 1;
		peer->answered |= flags & TCP_ACK;
		make(p, flags, peer->next_seq, NULL, 0);
		peer->next_seq++;
		return;
	}
	if (flags & TCP_FIN) {
		peer->sent_fin = true;
		make(p, flags, remote_track(p)->base + (uint32_t)remote_track(p)->fin, NULL, 0);
		return;
	}
	make(p, flags, peer->next_seq, NULL, 0);
}

void
peer_make_data(struct play *p, uint64_t from, const uint8_t *data, uint64_t len)
{
	struct peer *peer = &p->peer;
	const struct track *t = remote_track(p);

	if (!peer->iss_known)
		return;
	while (len != 0) {
		uint32_t n = len < PIECE_MAX ? (uint32_t)len : PIECE_MAX;

		make(p, TCP_ACK, t->base + (uint32_t)from, data, n);
		from += n;
		len -= n;
		data = data != NULL ? data + n : NULL;
		note_sent(peer, t->base + (uint32_t)from, peer->window);
	}
}

/* ---- what is due ------------------------------------------------------------------------------ */

void
peer_due(struct play *p, unsigned due)
{
	struct peer *peer = &p->peer;

	if ((due & DUE_ACK) && acknowledged(peer) > peer->acked && !peer->gone) {
		peer->acked = acknowledged(peer);
		peer_make(p, TCP_ACK);
	}
	/* RFC 9293 3.10.7.1: what belongs to no connection is answered by a RST. */
	if ((due & DUE_RESET) && peer->last_words < LAST_WORDS) {
		peer->last_words++;
		make(p, TCP_RST, peer->machine_ack, NULL, 0);
	}
}

void
peer_end(struct play *p)
{
	struct peer *peer = &p->peer;

	if (limit(peer) <= peer->acked || peer->gone || p->reset_seen)
		return;
	peer->acked = limit(peer);
	peer_make(p, TCP_ACK);
}

/* ---- what the machine sends ------------------------------------------------------------------- */

static void
take_data(struct play *p, const struct packet *k)
{
	struct peer *peer = &p->peer;
	int64_t offset = (int64_t)peer->got + (int32_t)(k->seq - (peer->iss + 1 + (uint32_t)peer->got));
	int64_t end = offset + k->data_len;
	uint32_t old;

	if (k->flags & TCP_SYN)
		return;
	if (k->data_len != 0 && end <= (int64_t)peer->got) {
		p->flow->retransmitted++;
		return;
	}
	if (offset > (int64_t)peer->got)
		return;		/* an interface filter took what was before: it comes again */
	old = (uint32_t)((int64_t)peer->got - offset);
	if (old < k->data_len) {
		stream_check(&p->out, (uint64_t)((int64_t)peer->got - peer->skew), k->data + old,
		    k->data_len - old);
		peer->got = (uint64_t)end;
	}
	if (k->flags & TCP_FIN) {
		p->flow->retransmitted += peer->got_fin && k->data_len == 0;
		peer->got_fin = true;
	}
}

void
peer_output(struct play *p, const struct packet *k)
{
	struct peer *peer = &p->peer;
	uint32_t value, echo;

	if (k->flags & TCP_RST) {
		p->reset_seen = true;
		return;
	}
	if (k->flags & TCP_SYN) {
		p->flow->retransmitted += peer->iss_known;
		peer->iss = k->seq;
		peer->iss_known = true;
	}
	if (k->tcp_len > 20 && packet_timestamps(k->transport, k->tcp_len, &value, &echo))
		peer->machine_stamp = value;
	if (k->flags & TCP_ACK)
		peer->machine_ack = k->ack;
	if (peer->gone) {
		reenact_is_due(p, DUE_RESET);
		return;
	}
	take_data(p, k);
	if (acknowledged(peer) > peer->acked)
		reenact_is_due(p, DUE_ACK);
}

/* ---- ICMP -------------------------------------------------------------------------------------- */

/* The captured packet that an error has in it: its ends, as the host's packet. False: not one of ours. */
static bool
quoted_key(const struct packet *k, const uint8_t *ip, uint32_t left, uint32_t *transport,
    struct flow_key *key)
{
	uint32_t hlen = k->version == 4 && left >= 20 ? (ip[0] & 0xfu) * 4 : 40;

	if (left < hlen + 8 || hlen < 20 || ip[0] >> 4 != k->version)
		return false;
	memset(key, 0, sizeof *key);
	key->version = k->version;
	key->protocol = k->version == 4 ? ip[9] : ip[6];
	memcpy(key->local, ip + (k->version == 4 ? 12 : 8), packet_address_len(k->version));
	memcpy(key->remote, ip + (k->version == 4 ? 16 : 24), packet_address_len(k->version));
	key->lport = get16(ip + hlen);
	key->rport = get16(ip + hlen + 2);
	*transport = hlen;
	return key->protocol == PROTO_TCP || key->protocol == PROTO_UDP;
}

bool
peer_icmp(struct reenact *r, const struct packet *k)
{
	uint8_t *net = reenact_net(r), *icmp = net + k->header_len;
	uint32_t len = k->net_captured - k->header_len, at, sequence;
	const uint8_t *quoted = k->transport + 8;
	bool beyond, error;
	struct flow_key key;
	struct flow *f;
	uint64_t sum = 0;
	uint16_t field;

	error = k->version == 4 ? k->transport[0] == 3 || k->transport[0] == 11 || k->transport[0] == 12 :
	    k->transport[0] >= 1 && k->transport[0] <= 4;
	if (!error || k->outbound || !quoted_key(k, quoted, len - 8, &at, &key) ||
	    (f = flows_at(&r->flows, &key, k->number)) == NULL)
		return false;
	if (key.protocol == PROTO_TCP && (f->play == NULL || !f->play->peer.iss_known))
		return false;
	memcpy(net, k->net, k->net_captured);
	if (key.protocol == PROTO_TCP) {
		sequence = get32(icmp + 8 + at + 4);
		/* Of a SYN it is the number before the first octet's. */
		put32(icmp + 8 + at + 4, map_local(f->play, sequence, &beyond));
	}
	set_length(k->version, net, k->net_captured);
	memset(icmp + 2, 0, 2);
	if (k->version == 6)
		sum = packet_pseudo_sum(6, k->src, k->dst, PROTO_ICMP6, len);
	field = packet_sum_fold(packet_sum(icmp, len, sum));
	memcpy(icmp + 2, &field, 2);
	reenact_input(r, k->link, k->link_len, k->version, k->net_captured);
	return true;
}
