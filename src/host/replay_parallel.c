/*
 * A replay over several machines: `nke replay -j N`.
 *
 * One thread reads, deals frames out by flow, puts what comes back in order and writes it; each machine
 * has a thread that plays its share. Frames move in rounds of REPLAY_CHUNK: while the machines play one
 * round the next is read. All frames of a flow (addresses and ports; fragments by what their first one
 * said, or by addresses alone when it comes later than another) go to the same machine, frames that are
 * not IP to the first. Addresses of the host that turn up in one machine's share are told to all.
 *
 *	reader --round k+1--> [ hand ] --> machine threads play round k --> [ yield ] --merge--> file
 */
#include "src/host/replay_impl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "src/host/darwin.h"

#define FRAGMENTS	4096u		/* datagrams in pieces that are remembered; a power of two */
#define FRAGMENT_WAYS	4u		/* places where one may be */
#define FRAGMENT_LIFE	8192u		/* frames after which a datagram is forgotten */

/* An address of the host that was seen first in frame `number`. */
struct discovery {
	uint64_t number;
	struct host_address address;
};

/* A datagram in pieces: where they go. */
struct pieces {
	uint64_t key;
	uint32_t flow;
	uint64_t number;		/* of the frame that made the entry; 0: unused */
	bool by_first;			/* which had the ports */
};

/* Frames with their bytes. */
struct share {
	struct core_frame *frames;
	size_t count, room;
	uint8_t *data;			/* one after the other; frames' `data` are set when complete */
	size_t used, size;
};

struct player {
	struct nke_replay *replay;
	struct parallel *parallel;
	unsigned index;
	pthread_t thread;
	struct share *share;		/* being played */
	size_t next;
	struct share out;		/* what left since the last merge */
	size_t out_next;
	struct share held;		/* what left but must wait for other machines */
	unsigned discoveries;		/* that it has been told */
	uint64_t low_water, low_water_time;
	bool out_of_memory;
	int error;
};

struct parallel {
	struct nke_replay *replay;
	struct player *players;
	struct share *shares[2];	/* per player, two rounds */
	pthread_mutex_t mutex;
	pthread_cond_t go, done;
	uint64_t round;			/* counts up: players play when it changes */
	unsigned playing;
	bool stop;
	uint64_t until;			/* calendar: the clock at the end of the round */
	bool last;
	struct pieces fragments[FRAGMENTS];
	uint64_t number;		/* of the frame being dealt out */
	struct host_identity known;	/* the host's addresses so far */
	struct discovery discovered[HOST_ADDRESSES];
	unsigned discovered_count;	/* by the reader */
	unsigned told;			/* of these belong to the round being played, or earlier ones */
};

/* ---- which machine ------------------------------------------------------------------------ */

static uint32_t
mix(uint32_t h)
{
	h ^= h >> 16;
	h *= 0x7feb352du;
	h ^= h >> 15;
	h *= 0x846ca68bu;
	return h ^ h >> 16;
}

static uint64_t
add_key(uint64_t key, uint32_t w)
{
	key = (key ^ w) * UINT64_C(0x9e3779b97f4a7c15);
	return key ^ key >> 29;
}

static uint32_t
word(const uint8_t *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof w);
	return w;
}

/* The same for both directions. */
static uint32_t
ports_hash(const uint8_t *transport, size_t len, uint8_t protocol)
{
	if (len < 4 || (protocol != 6 && protocol != 17))
		return 0;
	return mix((uint32_t)transport[0] << 8 | transport[1]) +
	    mix((uint32_t)transport[2] << 8 | transport[3]);
}

/* The entry for `key`, or the one to use for it. */
static struct pieces *
find_pieces(struct parallel *p, uint64_t key)
{
	struct pieces *set = &p->fragments[key >> 32 & (FRAGMENTS - 1) & ~(FRAGMENT_WAYS - 1)];
	struct pieces *oldest = set;

	for (unsigned i = 0; i < FRAGMENT_WAYS; i++) {
		if (set[i].key == key && set[i].number != 0)
			return &set[i];
		if (set[i].number < oldest->number)
			oldest = &set[i];
	}
	return oldest;
}

/* All pieces of a datagram must meet, in whatever order they come. */
static uint32_t
fragment_flow(struct parallel *p, uint64_t key, uint32_t addresses, bool first, uint32_t ports)
{
	struct pieces *e = find_pieces(p, key);
	bool known = e->key == key && e->number != 0 && p->number - e->number < FRAGMENT_LIFE;

	/* A second first fragment begins a datagram that happens to have the same identification. */
	if (!known || (first && e->by_first)) {
		e->key = key;
		e->flow = first ? addresses + ports : addresses;
		e->number = p->number;
	}
	e->by_first |= first;
	if (!known)
		e->by_first = first;
	return e->flow;
}

static uint32_t
flow4(struct parallel *p, const uint8_t *net, size_t len)
{
	size_t hl = (size_t)(net[0] & 0xf) * 4;
	uint32_t addresses = mix(word(net + 12)) + mix(word(net + 16));
	unsigned off = (unsigned)(net[6] & 0x1f) << 8 | net[7];
	uint32_t ports = off == 0 && hl < len ? ports_hash(net + hl, len - hl, net[9]) : 0;
	uint64_t key;

	if (off == 0 && !(net[6] & 0x20))
		return addresses + ports;
	key = add_key(add_key(net[9], word(net + 12)), word(net + 16));
	return fragment_flow(p, add_key(key, (uint32_t)net[4] << 8 | net[5]), addresses, off == 0, ports);
}

static uint32_t
flow6(struct parallel *p, const uint8_t *net, size_t len)
{
	uint32_t addresses = 0, ports;
	uint64_t key = 0;
	size_t off = 40;
	uint8_t next = net[6];

	for (int i = 0; i < 16; i += 4) {
		addresses += mix(word(net + 8 + i) + (uint32_t)i) + mix(word(net + 24 + i) + (uint32_t)i);
		key = add_key(add_key(key, word(net + 8 + i)), word(net + 24 + i));
	}
	while ((next == 0 || next == 43 || next == 60) && off + 8 <= len) {
		next = net[off];
		off += ((size_t)net[off + 1] + 1) * 8;
	}
	if (next != 44 || off + 8 > len)
		return addresses + (off < len ? ports_hash(net + off, len - off, next) : 0);
	ports = ports_hash(net + off + 8, len - off - 8, net[off]);
	return fragment_flow(p, add_key(key, word(net + off + 4)), addresses,
	    ((unsigned)net[off + 2] << 8 | (net[off + 3] & 0xf8)) == 0, ports);
}

static unsigned
machine_for(struct parallel *p, const struct core_frame *f)
{
	static const uint8_t header[] = {[CORE_LINK_ETHERNET] = 14, [CORE_LINK_RAW] = 0,
	    [CORE_LINK_NULL] = 4, [CORE_LINK_LOOP] = 4, [CORE_LINK_SLL] = 16, [CORE_LINK_SLL2] = 20};
	enum core_link link = capture_link(p->replay->reader);
	const uint8_t *net = f->data + header[link];
	size_t len;

	if (f->caplen < (size_t)header[link] + 20)
		return 0;
	len = f->caplen - header[link];
	if (link == CORE_LINK_ETHERNET && f->data[12] != 0x08 && f->data[12] != 0x86)
		return 0;
	if (net[0] >> 4 == 4)
		return mix(flow4(p, net, len)) % p->replay->count;
	if (net[0] >> 4 == 6 && len >= 40)
		return mix(flow6(p, net, len)) % p->replay->count;
	return 0;
}

/* ---- shares ------------------------------------------------------------------------------- */

static bool
share_add(struct share *s, const struct core_frame *f)
{
	if (s->count == s->room) {
		size_t room = s->room != 0 ? s->room * 2 : 1024;
		struct core_frame *frames = realloc(s->frames, room * sizeof *frames);

		if (frames == NULL)
			return false;
		s->frames = frames;
		s->room = room;
	}
	if (s->used + f->caplen > s->size) {
		size_t size = s->size != 0 ? s->size * 2 : 1u << 20;
		uint8_t *data;

		while (size < s->used + f->caplen)
			size *= 2;
		data = realloc(s->data, size);
		if (data == NULL)
			return false;
		s->data = data;
		s->size = size;
	}
	s->frames[s->count] = *f;
	if (f->caplen != 0)
		memcpy(s->data + s->used, f->data, f->caplen);
	s->count++;
	s->used += f->caplen;
	return true;
}

/* The data may have moved while it grew: now it stays. */
static void
share_complete(struct share *s)
{
	const uint8_t *at = s->data;

	for (size_t i = 0; i < s->count; i++) {
		s->frames[i].data = at;
		at += s->frames[i].caplen;
	}
}

static void
share_clear(struct share *s)
{
	s->count = 0;
	s->used = 0;
}

static void
share_free(struct share *s)
{
	free(s->frames);
	free(s->data);
}

/* ---- playing ------------------------------------------------------------------------------ */

/* Runs inside the machine: it may have the addresses that others' frames have shown by now. */
static void
tell_discoveries(struct player *p, uint64_t number)
{
	const struct parallel *g = p->parallel;

	for (; p->discoveries < g->told && g->discovered[p->discoveries].number <= number;
	    p->discoveries++) {
		const struct host_address *a = &g->discovered[p->discoveries].address;

		(void)replay_add_address(replay_core(p->replay, p->index),
		    darwin_family_from_host(a->family), a->addr, a->family == AF_INET ? 24 : 64);
	}
}

static bool
player_next(void *ctx, struct core_frame *f)
{
	struct player *p = ctx;

	if (p->next == p->share->count)
		return false;
	*f = p->share->frames[p->next++];
	if (p->discoveries != p->parallel->told)
		tell_discoveries(p, f->number);
	return true;
}

static void
player_sink(void *ctx, const struct core_frame *f, size_t count)
{
	struct player *p = ctx;

	for (size_t i = 0; i < count; i++)
		if (!share_add(&p->out, &f[i]))
			p->out_of_memory = true;
}

static void
play_round(struct player *p, uint64_t until, bool last)
{
	struct nke *core = replay_core(p->replay, p->index);
	bool more;

	p->next = 0;
	if (p->error == 0)
		p->error = replay_run(core, UINT32_MAX, &more);
	if (p->error == 0)
		p->error = replay_advance(core, until);
	if (last || p->error != 0)
		replay_finish(core);
	p->low_water = p->error == 0 ? replay_low_water(core, &p->low_water_time) : UINT64_MAX;
}

struct player_start {
	struct parallel *parallel;
	struct player *player;
};

static void *
player_main(void *arg)
{
	struct player_start start = *(struct player_start *)arg;
	struct parallel *g = start.parallel;
	uint64_t seen = 0;

	free(arg);
	pthread_mutex_lock(&g->mutex);
	for (;;) {
		uint64_t until;
		bool last;

		while (g->round == seen && !g->stop)
			pthread_cond_wait(&g->go, &g->mutex);
		if (g->stop)
			break;
		seen = g->round;
		until = g->until;
		last = g->last;
		pthread_mutex_unlock(&g->mutex);
		play_round(start.player, until, last);
		pthread_mutex_lock(&g->mutex);
		if (--g->playing == 0)
			pthread_cond_signal(&g->done);
	}
	pthread_mutex_unlock(&g->mutex);
	return NULL;
}

static void
start_round(struct parallel *g, unsigned set, uint64_t until, bool last)
{
	pthread_mutex_lock(&g->mutex);
	for (unsigned i = 0; i < g->replay->count; i++)
		g->players[i].share = &g->shares[set][i];
	g->playing = g->replay->count;
	g->until = until;
	g->last = last;
	g->told = g->discovered_count;
	g->round++;
	pthread_cond_broadcast(&g->go);
	pthread_mutex_unlock(&g->mutex);
}

static void
await_round(struct parallel *g)
{
	pthread_mutex_lock(&g->mutex);
	while (g->playing != 0)
		pthread_cond_wait(&g->done, &g->mutex);
	pthread_mutex_unlock(&g->mutex);
}

/* ---- reading and writing ------------------------------------------------------------------ */

static void
discover(struct parallel *g, const struct core_frame *f)
{
	struct discovery *d = &g->discovered[g->discovered_count];

	if (g->discovered_count == HOST_ADDRESSES ||
	    !new_source(capture_link(g->replay->reader), f, &g->known, &d->address))
		return;
	d->number = f->number;
	g->discovered_count++;
}

/* Reads one round. False when memory ran out; *more tells whether the capture goes on. */
static bool
read_round(struct parallel *g, unsigned set, bool *more)
{
	struct nke_replay *r = g->replay;
	struct core_frame f;
	bool good = true;

	for (unsigned i = 0; i < r->count; i++)
		share_clear(&g->shares[set][i]);
	*more = true;
	for (unsigned n = 0; n < REPLAY_CHUNK && good; n++) {
		if (!replay_next_frame(r, &f)) {
			*more = false;
			break;
		}
		g->number = f.number;
		if (r->learn)
			discover(g, &f);
		good = share_add(&g->shares[set][machine_for(g, &f)], &f);
	}
	for (unsigned i = 0; i < r->count; i++)
		share_complete(&g->shares[set][i]);
	return good;
}

/* What a player has to give next: held frames first. */
static const struct core_frame *
player_first(struct player *p)
{
	if (p->out_next < p->held.count)
		return &p->held.frames[p->out_next];
	if (p->out_next - p->held.count < p->out.count)
		return &p->out.frames[p->out_next - p->held.count];
	return NULL;
}

static void
keep_rest(struct player *p)
{
	struct share rest = {0};
	const struct core_frame *f;

	while ((f = player_first(p)) != NULL) {
		if (!share_add(&rest, f))
			p->out_of_memory = true;
		p->out_next++;
	}
	share_complete(&rest);
	share_free(&p->held);
	p->held = rest;
	share_clear(&p->out);
	p->out_next = 0;
}

/*
 * Which of the players' first frames leaves next: captured ones in their order; between them, by time,
 * those that kexts made (`number` is then the frame that they follow at least).
 */
static struct player *
next_to_leave(struct parallel *g)
{
	const struct core_frame *captured = NULL, *made = NULL, *f;
	struct player *from = NULL, *maker = NULL;

	for (unsigned i = 0; i < g->replay->count; i++) {
		f = player_first(&g->players[i]);
		if (f == NULL)
			continue;
		if (!(f->flags & CORE_FRAME_NEW)) {
			if (captured == NULL || f->number < captured->number) {
				captured = f;
				from = &g->players[i];
			}
		} else if (made == NULL || f->time_ns < made->time_ns) {
			made = f;
			maker = &g->players[i];
		}
	}
	if (made == NULL || (captured != NULL && (captured->number <= made->number ||
	    captured->time_ns < made->time_ns)))
		return from;
	return maker;
}

/* Writes what can no longer be preceded by anything: all below every machine's low-water mark. */
static void
merge(struct parallel *g)
{
	struct nke_replay *r = g->replay;
	uint64_t limit = UINT64_MAX, limit_time = UINT64_MAX;
	struct player *from;

	for (unsigned i = 0; i < r->count; i++) {
		struct player *p = &g->players[i];

		share_complete(&p->out);
		if (p->low_water < limit) {
			limit = p->low_water;
			limit_time = p->low_water_time;
		}
	}
	while ((from = next_to_leave(g)) != NULL) {
		const struct core_frame *f = player_first(from);

		if (f->number >= limit || ((f->flags & CORE_FRAME_NEW) && f->time_ns > limit_time))
			break;
		from->out_next++;
		if (r->writer != NULL)
			capture_write(r->writer, f, 1);
	}
	for (unsigned i = 0; i < r->count; i++)
		keep_rest(&g->players[i]);
}

/* After an error: what the other machines hold back leaves. */
static void
finish_all(struct parallel *g)
{
	for (unsigned i = 0; i < g->replay->count; i++) {
		replay_finish(replay_core(g->replay, i));
		g->players[i].low_water = UINT64_MAX;
	}
	merge(g);
}

static int
check_players(struct parallel *g)
{
	struct nke_replay *r = g->replay;

	for (unsigned i = 0; i < r->count; i++) {
		if (g->players[i].error != 0)
			replay_failed(r, EFAULT, "%s", machine_panic_report(replay_core(r, i)));
		else if (g->players[i].out_of_memory)
			replay_failed(r, ENOMEM, "out of memory while putting packets in order");
	}
	return r->error_code;
}

static int
play_all(struct parallel *g)
{
	struct nke_replay *r = g->replay;
	uint64_t time;
	bool more = true;
	unsigned set = 0;

	if (!read_round(g, set, &more))
		return replay_failed(r, ENOMEM, "out of memory while reading ahead");
	for (;;) {
		bool last = !more, good = true;

		time = r->last_time + (last ? REPLAY_LINGER_NS : 0);
		start_round(g, set, time, last);
		set ^= 1;
		if (!last)
			good = read_round(g, set, &more);
		await_round(g);
		merge(g);
		replay_report_progress(r);
		if (check_players(g) == 0 && !good)
			replay_failed(r, ENOMEM, "out of memory while reading ahead");
		if (r->error_code != 0) {
			finish_all(g);
			return r->error_code;
		}
		if (last)
			return 0;
	}
}

/* ---- setting up --------------------------------------------------------------------------- */

static bool
start_player(struct parallel *g, unsigned i)
{
	struct player_start *start = malloc(sizeof *start);

	if (start == NULL)
		return false;
	start->parallel = g;
	start->player = &g->players[i];
	replay_redirect(replay_core(g->replay, i), player_next,
	    g->replay->writer != NULL ? player_sink : NULL, &g->players[i]);
	if (pthread_create(&g->players[i].thread, NULL, player_main, start) == 0)
		return true;
	free(start);
	return false;
}

int
replay_run_parallel(struct nke_replay *r)
{
	struct parallel *g = calloc(1, sizeof *g);
	unsigned started = 0;
	int error = ENOMEM;

	if (g == NULL)
		return replay_failed(r, ENOMEM, "out of memory");
	g->replay = r;
	g->known = r->host;
	pthread_mutex_init(&g->mutex, NULL);
	pthread_cond_init(&g->go, NULL);
	pthread_cond_init(&g->done, NULL);
	g->players = calloc(r->count, sizeof *g->players);
	g->shares[0] = calloc(r->count, sizeof *g->shares[0]);
	g->shares[1] = calloc(r->count, sizeof *g->shares[1]);
	if (g->players != NULL && g->shares[0] != NULL && g->shares[1] != NULL) {
		for (; started < r->count; started++) {
			g->players[started].replay = r;
			g->players[started].parallel = g;
			g->players[started].index = started;
			if (!start_player(g, started))
				break;
		}
	}
	if (started == r->count)
		error = play_all(g);
	else
		replay_failed(r, error, "only %u of %u threads could be started", started, r->count);

	pthread_mutex_lock(&g->mutex);
	g->stop = true;
	pthread_cond_broadcast(&g->go);
	pthread_mutex_unlock(&g->mutex);
	for (unsigned i = 0; i < started; i++)
		pthread_join(g->players[i].thread, NULL);
	for (unsigned i = 0; g->players != NULL && i < r->count; i++) {
		share_free(&g->players[i].out);
		share_free(&g->players[i].held);
	}
	for (unsigned s = 0; s < 2; s++) {
		for (unsigned i = 0; g->shares[s] != NULL && i < r->count; i++)
			share_free(&g->shares[s][i]);
		free(g->shares[s]);
	}
	free(g->players);
	pthread_mutex_destroy(&g->mutex);
	pthread_cond_destroy(&g->go);
	pthread_cond_destroy(&g->done);
	free(g);
	return error;
}
