/*
 * Re-enacting the flows of a capture (`sockets` of nke/replay.h): the host's end of each flow is a socket of
 * the machine, the other end is played from the capture.
 *
 * The capture is read twice. The first pass finds the flows (reenact_index.c). The second one moves the
 * machine's clock to the time of each frame and lets the frame happen: one from the host is something that a
 * program does with its socket (reenact_tcp.c, reenact_udp.c), one to it arrives at the machine's interface
 * (reenact_peer.c). What the machine sends there is looked at, compared with the capture, and goes nowhere,
 * but into the output if there is one.
 *
 * Owned by the replay (replay.c): made by nke_replay_open, so that kexts find the interface, run once.
 */
#include "src/host/reenact.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include <nke/sysctl.h>

#include "src/host/darwin.h"
#include "src/host/reenact_fragments.h"
#include "src/host/reenact_impl.h"

/* A longer step of the capture's clock is a gap: timers see an hour pass, the calendar jumps. */
#define GAP_NS		(UINT64_C(3600) * 1000000000)
#define PROGRESS_FRAMES	8192u

static unsigned
version_index(uint8_t version)
{
	return version == 6;
}

/* ---- frames --------------------------------------------------------------------------------- */

socklen_t
reenact_sockaddr(uint8_t version, const uint8_t *addr, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof *sin6);
	if (version == 4) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		memcpy(&sin->sin_addr, addr, 4);
		return sizeof *sin;
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	memcpy(&sin6->sin6_addr, addr, 16);
	/* Addresses that are good on one link only: this one. */
	if ((addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80) || (addr[0] == 0xff && (addr[1] & 0xf) == 2))
		sin6->sin6_scope_id = INTERFACE_INDEX;
	return sizeof *sin6;
}

static void
record(struct reenact *r, const uint8_t *frame, uint32_t len)
{
	struct core_frame f = {
		.number = r->number, .data = frame, .caplen = len, .len = len,
	};

	r->stats.written++;
	r->stats.written_bytes += len;
	if (r->replay->writer == NULL)
		return;
	f.time_ns = r->started_ns + r->shift + machine_uptime(r->m->core);
	capture_write(r->replay->writer, &f, 1);
}

void
reenact_input(struct reenact *r, const uint8_t *link, uint32_t link_len, uint8_t version, uint32_t len)
{
	uint32_t header = packet_link_length(r->link);
	uint8_t *net = reenact_net(r), *frame = net - header;

	memcpy(frame, link, link_len < header ? link_len : header);
	if (r->link == CORE_LINK_ETHERNET)
		put16(frame + 12, version == 4 ? 0x0800 : 0x86dd);	/* a tag is left out */
	r->totals.injected++;
	record(r, frame, len + header);
	if (r->link == CORE_LINK_ETHERNET)
		(void)nke_iface_input(r->iface, frame, len + header);
	else
		(void)nke_iface_input(r->iface, net, len);
}

/* The link header that a frame of the host has in captures without an Ethernet's. */
static void
note_link_header(struct reenact *r, const struct packet *k)
{
	unsigned v = version_index(k->version);

	if (r->link == CORE_LINK_ETHERNET || r->link_known[v][k->outbound])
		return;
	r->link_known[v][k->outbound] = true;
	memcpy(r->link_header[v][k->outbound], k->link, packet_link_length(r->link));
}

static void
record_output(struct reenact *r, const uint8_t *frame, uint32_t len)
{
	uint32_t header = packet_link_length(r->link);
	unsigned v;

	if (r->link == CORE_LINK_ETHERNET || header == 0 || r->replay->writer == NULL) {
		record(r, frame, len);
		return;
	}
	v = version_index(frame[0] >> 4);
	if (len > NET_MAX - LINK_MAX)
		return;
	memcpy(r->out_frame, r->link_header[v][r->link_known[v][1]], header);
	if (r->link == CORE_LINK_SLL)
		put16(r->out_frame, 4);		/* sent by us, whoever's frame the header is from */
	else if (r->link == CORE_LINK_SLL2)
		r->out_frame[10] = 4;
	memcpy(r->out_frame + header, frame, len);
	record(r, r->out_frame, len + header);
}

static void
output_whole(struct reenact *r, const struct packet *k)
{
	struct flow_key key;
	struct flow *f;

	if ((k->kind != PACKET_TCP && k->kind != PACKET_UDP) || !k->outbound)
		return;
	flow_key_of(k, &key);
	f = r->current;
	if (f == NULL || memcmp(&f->key, &key, sizeof key) != 0)
		f = flows_at(&r->flows, &key, r->number);
	if (f == NULL)
		return;
	if (k->kind == PACKET_UDP)
		udp_play_output(r, f, k);
	else if (f->play != NULL)
		peer_output(f->play, k);
}

/* A frame leaves the machine. On its CPU: nothing here may call the machine. */
static void
output(void *ctx, const void *frame, size_t len)
{
	struct reenact *r = ctx;
	struct core_frame f = {.data = frame, .caplen = (uint32_t)len, .len = (uint32_t)len};
	struct packet k, whole;

	if (!r->playing)
		return;
	packet_parse(r->link == CORE_LINK_ETHERNET ? CORE_LINK_ETHERNET : CORE_LINK_RAW, &f, &r->host, &k);
	/* What an interface says about itself and its neighbours is no flow's. */
	if (k.kind == PACKET_OTHER || k.protocol == PROTO_ICMP6)
		return;
	r->totals.sent++;
	record_output(r, frame, (uint32_t)len);
	if (k.kind != PACKET_FRAGMENT) {
		output_whole(r, &k);
		return;
	}
	k.number = r->totals.sent;
	if (fragments_add(r->sent_fragments, &k, &whole) != 0) {
		whole.number = r->number;
		output_whole(r, &whole);
	}
}

/*
 * Makes sure that the machine needs not ask for the remote end's link address. The one that was told it
 * longest ago makes room: a busy server has more peers than an interface has neighbours.
 */
static void
know_neighbor(struct reenact *r, const struct packet *k)
{
	const uint8_t *addr = k->outbound ? k->dst : k->src, *lladdr = k->outbound ? k->link : k->link + 6;
	uint32_t len = packet_address_len(k->version), h = k->version;
	struct sockaddr_storage ss;
	struct neighbor *set, *last;

	if (r->link != CORE_LINK_ETHERNET || (lladdr[0] & 1))
		return;
	for (uint32_t i = 0; i < len; i++)
		h = h * 31 + addr[i];
	set = r->neighbors[(h ^ h >> 12) & (NEIGHBOR_SETS - 1)];
	for (unsigned i = 0; i < NEIGHBOR_WAYS; i++)
		if (set[i].version == k->version && memcmp(set[i].addr, addr, len) == 0 &&
		    memcmp(set[i].lladdr, lladdr, 6) == 0)
			return;
	last = &set[NEIGHBOR_WAYS - 1];
	if (last->version != 0)
		(void)iface_remove_neighbor(r->m->core, nke_iface_core(r->iface),
		    darwin_family_from_host(last->version == 4 ? AF_INET : AF_INET6), last->addr);
	memmove(set + 1, set, sizeof *set * (NEIGHBOR_WAYS - 1));
	set->version = k->version;
	memcpy(set->addr, addr, len);
	memcpy(set->lladdr, lladdr, 6);
	(void)nke_iface_add_neighbor(r->iface, (struct sockaddr *)&ss,
	    reenact_sockaddr(k->version, addr, 0, &ss), lladdr);
}

/* ---- what is to be done --------------------------------------------------------------------- */

void
reenact_is_due(struct play *p, unsigned due)
{
	if (p->due == 0)
		TAILQ_INSERT_TAIL(&p->reenact->due, p, link);
	p->due |= due;
}

static void
do_due(struct reenact *r)
{
	struct play *p = TAILQ_FIRST(&r->due);
	unsigned due = p->due;

	TAILQ_REMOVE(&r->due, p, link);
	p->due = 0;
	if (due & (DUE_ACK | DUE_RESET))
		peer_due(p, due);
	if (due & DUE_READY)
		tcp_play_ready(p);
	if (p->due == 0 && p->over && r->number >= p->flow->last_frame && !p->busy)
		tcp_play_over(p);
}

void
reenact_settle(struct reenact *r)
{
	struct socket_play *s;

	for (;;) {
		if (!TAILQ_EMPTY(&r->due)) {
			do_due(r);
		} else if ((s = TAILQ_FIRST(&r->udp_ready)) != NULL) {
			TAILQ_REMOVE(&r->udp_ready, s, link);
			s->queued = false;
			udp_play_ready(s);
		} else if (!TAILQ_EMPTY(&r->accept_due)) {
			tcp_play_accept(r);
		} else {
			return;
		}
	}
}

/* ---- the clock ------------------------------------------------------------------------------ */

/* One thing after the other, so that the remote ends can answer what timers made the machine send. */
static int
run_until(struct reenact *r, uint64_t until)
{
	const struct play *waiting;
	uint64_t next;
	int error = 0;

	while (error == 0) {
		next = machine_next_event(r->m->core);
		waiting = TAILQ_FIRST(&r->waiting);
		if (waiting != NULL && waiting->waits_until < next)
			next = waiting->waits_until;
		if (next > until)
			break;
		error = machine_run_until(r->m->core, next);
		if (waiting != NULL && waiting->waits_until == next)
			tcp_play_give_up(r);
		reenact_settle(r);
	}
	return error != 0 ? error : machine_run_until(r->m->core, until);
}

static int
advance(struct reenact *r, uint64_t time_ns)
{
	uint64_t until = time_ns - r->started_ns - r->shift, now = machine_uptime(r->m->core);
	int error;

	if ((int64_t)(until - now) <= 0)
		return 0;
	if (until - now <= GAP_NS)
		return run_until(r, until);
	error = run_until(r, now + GAP_NS);
	r->shift += until - now - GAP_NS;
	return error != 0 ? error : machine_set_calendar(r->m->core, time_ns);
}

/* ---- playing -------------------------------------------------------------------------------- */

static void
play_fragment(struct reenact *r, const struct packet *k)
{
	unsigned pieces;
	struct packet whole;
	struct flow_key key;
	struct flow *f;

	r->totals.broken++;
	pieces = fragments_add(r->fragments, k, &whole);
	r->totals.broken -= pieces;
	if (pieces == 0) {
		/* The machine puts datagrams together itself. */
		if (k->protocol == PROTO_UDP && !k->outbound) {
			memcpy(reenact_net(r), k->net, k->net_captured);
			memset(reenact_net(r) + k->net_captured, 0, k->net_len - k->net_captured);
			reenact_input(r, k->link, k->link_len, k->version, k->net_len);
		}
		return;
	}
	if (whole.kind != PACKET_TCP && whole.kind != PACKET_UDP)
		return;
	flow_key_of(&whole, &key);
	f = flows_at(&r->flows, &key, whole.number);
	if (f == NULL)
		return;
	if (whole.kind == PACKET_TCP)
		tcp_play_packet(r, f, &whole);
	else
		udp_play_packet(r, f, &whole);
}

static void
play_packet(struct reenact *r, const struct packet *k)
{
	struct flow_key key;
	struct flow *f;

	note_link_header(r, k);
	know_neighbor(r, k);
	if (k->kind == PACKET_FRAGMENT) {
		play_fragment(r, k);
		return;
	}
	if (k->kind == PACKET_ICMP) {
		if (!peer_icmp(r, k))
			r->totals.other++;
		reenact_settle(r);
		return;
	}
	flow_key_of(k, &key);
	f = flows_at(&r->flows, &key, k->number);
	r->current = f;
	if (f == NULL)
		r->totals.other++;
	else if (k->kind == PACKET_TCP)
		tcp_play_packet(r, f, k);
	else
		udp_play_packet(r, f, k);
}

static int
play_frame(struct reenact *r, const struct core_frame *frame)
{
	struct packet k;
	int error;

	packet_parse(r->link, frame, &r->host, &k);
	r->stats.frames++;
	r->stats.bytes += frame->caplen;
	r->stats.snapped += frame->caplen < frame->len;
	if (k.outbound && k.kind != PACKET_OTHER)
		r->stats.frames_out++;
	error = advance(r, frame->time_ns);
	r->number = frame->number;
	if (error != 0)
		return error;
	if (k.kind == PACKET_OTHER) {
		r->totals.other++;
		r->totals.within += k.within;
	} else {
		play_packet(r, &k);
	}
	return machine_panicked(r->m->core) ? EFAULT : 0;
}

/* ---- the two passes ------------------------------------------------------------------------- */

static void
progress(struct reenact *r, const struct capture_reader *reader, bool second)
{
	const struct nke_replay_config *c = &r->replay->config;
	uint64_t total = capture_bytes_total(reader);

	if (c->progress != NULL)
		c->progress(c->progress_ctx, (capture_bytes_read(reader) + (second ? total : 0)) / 2,
		    total);
}

/* What it sends from is the host's, as in any replay. */
static void
learn(struct reenact *r, const struct core_frame *f)
{
	struct host_address address;

	if (r->replay->learn)
		(void)new_source(r->link, f, &r->host, &address);
}

static int
first_pass(struct reenact *r)
{
	struct packet k, whole;
	struct core_frame f;

	while (replay_next_frame(r->replay, &f) && !r->flows.no_memory && !r->flows.full) {
		learn(r, &f);
		packet_parse(r->link, &f, &r->host, &k);
		r->frames = f.number;
		if (k.kind == PACKET_FRAGMENT) {
			if (fragments_add(r->fragments, &k, &whole) != 0)
				flows_index(&r->flows, &whole);
		} else {
			flows_index(&r->flows, &k);
		}
		if (f.number % PROGRESS_FRAMES == 0)
			progress(r, r->replay->reader, false);
	}
	if (r->flows.full)
		return replay_failed(r->replay, E2BIG, "%s: packet %llu begins flow %u, and %u are the "
		    "most in one run: split the capture", r->replay->config.input,
		    (unsigned long long)f.number, FLOWS_MAX + 1, FLOWS_MAX);
	if (r->flows.no_memory)
		return replay_failed(r->replay, ENOMEM, "%s: packet %llu: out of memory for its flows",
		    r->replay->config.input, (unsigned long long)f.number);
	flows_index_done(&r->flows);
	fragments_destroy(r->fragments);
	r->fragments = fragments_create();
	return r->fragments != NULL ? 0 : replay_failed(r->replay, ENOMEM, "out of memory");
}

static int
add_addresses(struct reenact *r)
{
	for (; r->added < r->host.address_count; r->added++) {
		const struct host_address *a = &r->host.addresses[r->added];
		struct sockaddr_storage ss;
		uint8_t version = a->family == AF_INET ? 4 : 6;
		socklen_t len = reenact_sockaddr(version, a->addr, 0, &ss);
		int error = nke_iface_add_address(r->iface, (struct sockaddr *)&ss, len,
		    version == 4 ? 24 : 64);

		if (error != 0 && error != EEXIST)
			return error;
	}
	return 0;
}

static int
second_pass(struct reenact *r, struct capture_reader *reader)
{
	struct core_frame f;
	int error = 0;

	r->playing = true;
	while (error == 0 && r->stats.frames < r->frames && capture_next(reader, &f)) {
		error = play_frame(r, &f);
		if (f.number % PROGRESS_FRAMES == 0)
			progress(r, reader, true);
	}
	reenact_settle(r);
	r->playing = false;	/* what is cut off at the end was not in the capture */
	tcp_play_finish(r);
	udp_play_finish(r);
	r->stats.frames_in = r->stats.frames - r->stats.frames_out;
	if (error == 0 && !machine_panicked(r->m->core))
		error = advance(r, r->replay->last_time + REPLAY_LINGER_NS);
	if (error != 0 || machine_panicked(r->m->core))
		return replay_failed(r->replay, EFAULT, "%s", machine_panic_report(r->m->core));
	return 0;
}

int
reenact_run(struct nke_replay *replay)
{
	struct reenact *r = replay->reenact;
	struct capture_reader *reader;
	char text[1024] = "";
	int error = first_pass(r);

	if (error != 0)
		return error;
	error = add_addresses(r);
	if (error != 0)
		return replay_failed(replay, error, "%s", nke_error_text(r->m));
	reader = capture_open(replay->config.input, &error, text, sizeof text);
	if (reader == NULL)
		return replay_failed(replay, error, "%s", text);
	error = second_pass(r, reader);
	capture_close(reader);
	return error;
}

/* ---- making and ending ---------------------------------------------------------------------- */

/* As large as any host's, so that nothing that was sent in the capture is refused now. */
static int
prepare_machine(struct reenact *r)
{
	static const struct {
		const char *name;
		int value;
	} settings[] = {
		{"kern.ipc.maxsockbuf", 64 << 20}, {"kern.ipc.somaxconn", 4096},
		{"net.inet.tcp.sendspace", 1 << 20}, {"net.inet.tcp.recvspace", 4 << 20},
		/* Other systems try for longer to connect. */
		{"net.inet.tcp.keepinit", 150000},
		/* Whoever was scanned answered as often as the capture says. */
		{"net.inet.icmp.icmplim", 0},
		/* The host had its addresses already. */
		{"net.inet6.ip6.dad_count", 0},
	};
	int error = 0;

	for (size_t i = 0; error == 0 && i < sizeof settings / sizeof *settings; i++)
		error = nke_sysctl_set_int(r->m, settings[i].name, settings[i].value);
	return error;
}

static const char *
interface_name(const struct reenact *r)
{
	const char *name = r->replay->config.interface;

	return name != NULL ? name : "en0";
}

static int
make_interface(struct reenact *r)
{
	struct nke_iface_config config = {
		.name = interface_name(r), .output = output, .ctx = r,
		.media = r->link == CORE_LINK_ETHERNET ? NKE_MEDIA_ETHERNET : NKE_MEDIA_RAW,
	};
	int error;

	memcpy(config.lladdr, r->host.lladdr, 6);
	error = nke_iface_create(r->m, &config, &r->iface);
	if (error == 0)
		error = add_addresses(r);
	/* Everybody is on the link, and known. */
	if (error == 0)
		error = darwin_errno_to_host(iface_set_default(r->m->core, nke_iface_core(r->iface),
		    darwin_family_from_host(AF_INET), NULL));
	if (error == 0)
		error = darwin_errno_to_host(iface_set_default(r->m->core, nke_iface_core(r->iface),
		    darwin_family_from_host(AF_INET6), NULL));
	return error;
}

int
reenact_open(struct nke_replay *replay, char *text, size_t size)
{
	struct reenact *r = calloc(1, sizeof *r);
	int error;

	replay->reenact = r;
	if (r == NULL)
		return ENOMEM;
	if (replay->count != 1) {
		snprintf(text, size, "flows are re-enacted on one machine, not %u", replay->count);
		return EINVAL;
	}
	if (capture_bytes_total(replay->reader) == 0) {
		snprintf(text, size, "%s: is read twice to re-enact its flows: expected a file, not a pipe; "
		    "save it first", replay->config.input);
		return EINVAL;
	}
	r->replay = replay;
	r->m = replay->machines[0];
	r->link = capture_link(replay->reader);
	r->host = replay->host;
	r->started_ns = replay->ahead_count > 0 ? replay->ahead[0].time_ns : 0;
	TAILQ_INIT(&r->due);
	TAILQ_INIT(&r->waiting);
	TAILQ_INIT(&r->udp_ready);
	TAILQ_INIT(&r->accept_due);
	flows_init(&r->flows);
	r->frame = malloc(FRAME_MAX);
	r->out_frame = malloc(FRAME_MAX);
	r->buffer = malloc(READ_MAX);
	r->neighbors = calloc(NEIGHBOR_SETS, sizeof *r->neighbors);
	r->fragments = fragments_create();
	r->sent_fragments = fragments_create();
	if (r->frame == NULL || r->out_frame == NULL || r->buffer == NULL || r->neighbors == NULL ||
	    r->fragments == NULL || r->sent_fragments == NULL)
		return ENOMEM;
	error = prepare_machine(r);
	if (error == 0)
		error = make_interface(r);
	if (error != 0)
		snprintf(text, size, "interface '%s' could not be made: %s", interface_name(r),
		    strerror(error));
	return error;
}

void
reenact_close(struct nke_replay *replay)
{
	struct reenact *r = replay->reenact;

	if (r == NULL)
		return;
	flows_free(&r->flows);
	fragments_destroy(r->fragments);
	fragments_destroy(r->sent_fragments);
	free(r->frame);
	free(r->out_frame);
	free(r->buffer);
	free(r->neighbors);
	free(r);
	replay->reenact = NULL;
}

void
reenact_statistics(const struct nke_replay *replay, struct nke_replay_stats *stats)
{
	*stats = replay->reenact->stats;
}

const struct host_identity *
reenact_host(const struct nke_replay *replay)
{
	return &replay->reenact->host;
}
