/*
 * A replay over several machines: `nke replay -j N`.
 *
 * The capture is read in chunks. The frames of a chunk are dealt out to the machines by flow
 * (replay_deal.c); every machine plays its part of every chunk, in order, and what the machines give
 * back is put in order and written chunk by chunk (replay_order.c). Addresses of the host that turn up in
 * one machine's part are told to all.
 *
 *	read + deal --> [ chunk | chunk | chunk ] --> each machine plays its part --> merge --> file
 *	  g->read ------^                   ^-- oldest: g->merged
 *
 * There is a thread for each machine, and none for anything else: whoever comes to the end of what has
 * been read reads the next chunk, and whoever is not behind merges. So all threads are busy for as long as
 * there is work. A thread plays its own machine first and helps others that have fallen behind. At most
 * CHUNKS chunks are there at a time.
 *
 * What a machine sees of a chunk, and when its clock moves, depends on the capture only, and chunks are
 * merged whole: so the output does not depend on how threads run. When a machine panics all others play
 * the chunk in which it did to its end, and the output ends there, however far some had come. Frames that
 * were still held back then are lost, as those of the machine that panicked are.
 */
#include "src/host/replay_impl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "src/host/darwin.h"
#include "src/host/replay_chunk.h"
#include "src/host/replay_deal.h"
#include "src/host/replay_order.h"

#define CHUNKS		32u
#define BEHIND		2u			/* chunks: less is no reason to act */

/* An address of the host that was seen first in frame `number`. */
struct discovery {
	uint64_t number;
	struct host_address address;
};

struct player {
	struct parallel *parallel;
	struct nke *core;
	uint64_t next;			/* chunk to play */
	bool busy;
	int error;			/* of the machine; it played `next` - 1 last */
	bool out_of_memory;

	/* of whoever plays it */
	struct chunk *chunk;
	struct part *part;
	uint32_t frame;
	unsigned discoveries;		/* that it has been told */
};

struct parallel {
	struct nke_replay *replay;
	struct player *players;
	unsigned count;
	struct core_replay_stats *stats;	/* of the machines, at the end of the last merged chunk */

	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned waiting;
	struct chunk *chunks[CHUNKS];	/* number n is at n % CHUNKS */
	struct chunk *spares[CHUNKS];	/* the last one used first: it is in the cache */
	unsigned spare_count;
	uint64_t read, merged;		/* chunks so far */
	uint64_t end;			/* chunks there will be; UINT64_MAX: not known yet */
	uint64_t front;			/* what the fastest machine plays next */
	bool reading, merging;
	bool read_failed;
	uint64_t bytes_read;

	/* of whoever reads */
	struct dealer *dealer;
	struct core_frame pending;	/* read but not in a chunk yet */
	bool has_pending;
	struct host_identity known;	/* the host's addresses so far */
	struct discovery discovered[HOST_ADDRESSES];
	unsigned discovered_count;

	/* of whoever merges */
	struct order *order;
};

/* ---- reading ------------------------------------------------------------------------------ */

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

/* False when memory ran out. */
static bool
fill_chunk(struct parallel *g, struct chunk *c)
{
	struct nke_replay *r = g->replay;

	chunk_clear(c);
	for (;;) {
		if (!g->has_pending && !replay_next_frame(r, &g->pending)) {
			c->last = true;
			break;
		}
		g->has_pending = true;
		if (!chunk_has_room(c, &g->pending))
			break;
		if (r->learn)
			discover(g, &g->pending);
		if (!chunk_add(c, &g->pending, dealer_machine(g->dealer, &g->pending)))
			return false;
		g->has_pending = false;
	}
	c->told = g->discovered_count;
	c->until = r->last_time + (c->last ? REPLAY_LINGER_NS : 0);
	return true;
}

/* Called and left with the mutex held, as what follows in this section. */
static void
announce(struct parallel *g)
{
	if (g->waiting != 0)
		pthread_cond_broadcast(&g->changed);
}

/* Chunks from `end` on are not played any more, or their parts are forgotten. */
static void
end_at(struct parallel *g, uint64_t end)
{
	if (end < g->end)
		g->end = end;
}

static void
read_chunk(struct parallel *g)
{
	struct chunk *c = g->spare_count != 0 ? g->spares[--g->spare_count] : chunk_create(g->count);
	uint64_t bytes = 0;
	bool good;

	g->reading = true;
	pthread_mutex_unlock(&g->mutex);
	good = c != NULL && fill_chunk(g, c);
	if (g->replay->config.progress != NULL)
		bytes = capture_bytes_read(g->replay->reader);
	pthread_mutex_lock(&g->mutex);
	g->reading = false;
	g->bytes_read = bytes;
	if (good && g->read < g->end) {
		g->chunks[g->read++ % CHUNKS] = c;
		if (c->last)
			end_at(g, g->read);
	} else {
		chunk_destroy(c);
		g->read_failed |= !good;
		end_at(g, g->read);
	}
	announce(g);
}

/* ---- playing ------------------------------------------------------------------------------ */

/* Runs inside the machine: it may have the addresses that others' frames have shown by now. */
static void
tell_discoveries(struct player *p, uint64_t number)
{
	const struct discovery *d = p->parallel->discovered;

	for (; p->discoveries < p->chunk->told && d[p->discoveries].number <= number; p->discoveries++) {
		const struct host_address *a = &d[p->discoveries].address;

		(void)replay_add_address(p->core, darwin_family_from_host(a->family), a->addr,
		    a->family == AF_INET ? 24 : 64);
	}
}

static bool
player_next(void *ctx, struct core_frame *f)
{
	struct player *p = ctx;
	const struct dealt *d;

	if (p->frame == NO_FRAME)
		return false;
	d = &p->chunk->frames[p->frame];
	p->frame = d->next;
	*f = d->frame;
	if (p->discoveries != p->chunk->told)
		tell_discoveries(p, f->number);
	return true;
}

static void
player_sink(void *ctx, const struct core_frame *f, size_t count)
{
	struct player *p = ctx;

	if (p->part->out == NULL && (p->part->out = share_create()) == NULL)
		p->out_of_memory = true;
	for (size_t i = 0; i < count && !p->out_of_memory; i++)
		if (!share_add(p->part->out, &f[i]))
			p->out_of_memory = true;
}

static void
play_part(struct player *p)
{
	struct part *part = p->part;
	bool more;

	p->frame = part->first;
	p->error = replay_run(p->core, UINT32_MAX, &more);
	if (p->error == 0)
		p->error = replay_advance(p->core, p->chunk->until);
	if (p->chunk->last || p->error != 0)
		replay_finish(p->core);
	part->low.number = replay_low_water(p->core, &part->low.time_ns);
	if (p->error != 0)
		part->low.number = part->low.time_ns = UINT64_MAX;
	replay_stats(p->core, &part->stats);
}

static void
play(struct parallel *g, struct player *p)
{
	p->busy = true;
	p->chunk = g->chunks[p->next % CHUNKS];
	p->part = &p->chunk->parts[p - g->players];
	pthread_mutex_unlock(&g->mutex);
	play_part(p);
	pthread_mutex_lock(&g->mutex);
	p->busy = false;
	p->next++;
	if (p->next > g->front)
		g->front = p->next;
	if (p->error != 0 || p->out_of_memory)
		end_at(g, p->next);
	p->chunk->left--;
	announce(g);
}

/* ---- merging ------------------------------------------------------------------------------ */

static bool
merge_is_due(const struct parallel *g)
{
	return !g->merging && g->merged < g->read && g->merged < g->end &&
	    g->chunks[g->merged % CHUNKS]->left == 0;
}

static void
merge_chunk(struct parallel *g)
{
	struct chunk *c = g->chunks[g->merged % CHUNKS];

	g->merging = true;
	pthread_mutex_unlock(&g->mutex);
	for (unsigned i = 0; i < g->count; i++) {
		order_put(g->order, i, c->parts[i].out, &c->parts[i].low);
		g->stats[i] = c->parts[i].stats;
	}
	order_write(g->order);
	for (unsigned i = 0; i < g->count; i++)
		c->parts[i].out = order_spare(g->order);
	pthread_mutex_lock(&g->mutex);
	g->merging = false;
	g->merged++;
	g->spares[g->spare_count++] = c;
	announce(g);
}

/* ---- threads ------------------------------------------------------------------------------ */

/* Chunks below it are there to be played. */
static uint64_t
playable(const struct parallel *g)
{
	return g->read < g->end ? g->read : g->end;
}

/* What to play: one's own machine, unless another is far behind it. NULL: nothing. */
static struct player *
pick(struct parallel *g, struct player *own)
{
	uint64_t end = playable(g);
	struct player *who = own;

	for (unsigned i = 0; i < g->count; i++) {
		struct player *p = &g->players[i];

		if (!p->busy && p->next < end && p->next < who->next && p->next + BEHIND < own->next)
			who = p;
	}
	return !who->busy && who->next < end ? who : NULL;
}

/* Whoever is behind leaves what others can do to them. */
static bool
should_merge(const struct parallel *g, const struct player *own)
{
	return merge_is_due(g) && (g->front < own->next + BEHIND || own->next >= playable(g) ||
	    g->read - g->merged == CHUNKS);
}

/* There is to be a chunk more than one needs oneself: others may need it before. */
static bool
should_read(const struct parallel *g, const struct player *own)
{
	return !g->reading && g->read < g->end && g->read - g->merged < CHUNKS &&
	    g->read <= own->next + 1;
}

static void
work(struct parallel *g, struct player *own, bool report)
{
	struct nke_replay *r = g->replay;
	struct player *p;

	pthread_mutex_lock(&g->mutex);
	while (g->merged < g->end) {
		if (should_merge(g, own)) {
			merge_chunk(g);
		} else if (should_read(g, own)) {
			read_chunk(g);
		} else if ((p = pick(g, own)) != NULL) {
			play(g, p);
		} else {
			g->waiting++;
			pthread_cond_wait(&g->changed, &g->mutex);
			g->waiting--;
		}
		if (report && r->config.progress != NULL) {
			uint64_t bytes = g->bytes_read;

			pthread_mutex_unlock(&g->mutex);
			r->config.progress(r->config.progress_ctx, bytes,
			    capture_bytes_total(r->reader));
			pthread_mutex_lock(&g->mutex);
		}
	}
	announce(g);
	pthread_mutex_unlock(&g->mutex);
}

struct helper {
	pthread_t thread;
	struct player *player;
};

static void *
helper_main(void *arg)
{
	struct helper *h = arg;

	work(h->player->parallel, h->player, false);
	return NULL;
}

/* All machines have played up to the end by now: some may have gone on further. */
static int
outcome(struct parallel *g)
{
	struct nke_replay *r = g->replay;

	for (unsigned i = 0; i < g->count; i++) {
		const struct player *p = &g->players[i];

		if (p->next != g->end)
			continue;
		if (p->error != 0)
			replay_failed(r, EFAULT, "%s", machine_panic_report(p->core));
		else if (p->out_of_memory)
			replay_failed(r, ENOMEM, "out of memory while putting packets in order");
	}
	if (g->read_failed && g->read == g->end)
		replay_failed(r, ENOMEM, "out of memory while reading ahead");
	return r->error_code;
}

/* Some threads run already. */
static void
call_off(struct parallel *g, unsigned started)
{
	replay_failed(g->replay, ENOMEM, "only %u of %u threads could be started", started, g->count);
	pthread_mutex_lock(&g->mutex);
	end_at(g, g->merged);
	announce(g);
	pthread_mutex_unlock(&g->mutex);
}

/* This thread works as well. */
static int
play_all(struct parallel *g)
{
	struct helper *helpers = calloc(g->count, sizeof *helpers);
	unsigned started = 1;
	int error;

	if (helpers == NULL)
		return replay_failed(g->replay, ENOMEM, "out of memory");
	for (; started < g->count; started++) {
		helpers[started].player = &g->players[started];
		if (pthread_create(&helpers[started].thread, NULL, helper_main, &helpers[started]) != 0)
			break;
	}
	if (started < g->count)
		call_off(g, started);
	work(g, &g->players[0], true);
	for (unsigned i = 1; i < started; i++)
		pthread_join(helpers[i].thread, NULL);
	free(helpers);
	error = outcome(g);
	order_write_rest(g->order);
	if (error != 0) {
		g->replay->stopped_at = g->stats;
		g->stats = NULL;
	}
	return error;
}

/* ---- setting up --------------------------------------------------------------------------- */

static bool
no_frame(void *ctx, struct core_frame *f)
{
	(void)ctx;
	(void)f;
	return false;
}

static bool
set_up(struct parallel *g)
{
	struct nke_replay *r = g->replay;

	g->players = calloc(r->count, sizeof *g->players);
	g->stats = calloc(r->count, sizeof *g->stats);
	g->dealer = dealer_create(capture_link(r->reader), r->count);
	g->order = order_create(r->count, r->writer);
	if (g->players == NULL || g->stats == NULL || g->dealer == NULL || g->order == NULL)
		return false;
	for (unsigned i = 0; i < r->count; i++) {
		g->players[i].parallel = g;
		g->players[i].core = replay_core(r, i);
		replay_redirect(g->players[i].core, player_next, r->writer != NULL ? player_sink : NULL,
		    &g->players[i]);
	}
	return true;
}

/* Kexts that go may still send something: the players are not there any more. */
static void
tear_down(struct parallel *g)
{
	struct nke_replay *r = g->replay;

	for (unsigned i = 0; i < r->count; i++)
		replay_redirect(replay_core(r, i), no_frame, NULL, NULL);
	for (uint64_t n = g->merged; n < g->read; n++)
		chunk_destroy(g->chunks[n % CHUNKS]);
	while (g->spare_count != 0)
		chunk_destroy(g->spares[--g->spare_count]);
	order_destroy(g->order);
	dealer_destroy(g->dealer);
	free(g->stats);
	free(g->players);
}

int
replay_run_parallel(struct nke_replay *r)
{
	struct parallel *g = calloc(1, sizeof *g);
	int error;

	if (g == NULL)
		return replay_failed(r, ENOMEM, "out of memory");
	g->replay = r;
	g->count = r->count;
	g->end = UINT64_MAX;
	g->known = r->host;
	pthread_mutex_init(&g->mutex, NULL);
	pthread_cond_init(&g->changed, NULL);
	error = set_up(g) ? play_all(g) : replay_failed(r, ENOMEM, "out of memory");
	tear_down(g);
	pthread_mutex_destroy(&g->mutex);
	pthread_cond_destroy(&g->changed);
	free(g);
	return error;
}
