/*
 * Waiting for one of many: see poll.h. Sockets are watched, and devices' selinfos recorded, while the thread
 * sleeps; whatever is told wakes it, and it looks at all of them again. Asking a device is a call into a kext
 * and may sleep, so everything is held from the beginning.
 */
#include "src/kern/device_file.h"
#include "src/kern/heap.h"
#include "src/kern/poll.h"

#define POLL_INLINE	16u		/* so many are polled without allocating */
#define ROUNDS_MOST	1000u		/* at one moment: then something wakes whenever it is asked */

struct poll {
	bool told;
	bool waiting;
};

struct polled {
	struct so_watcher watcher;	/* a socket's */
	struct select_wait wait;	/* a device's */
	struct poll *poll;
};

/* ---- being told --------------------------------------------------------------------------- */

static void
tell(struct poll *p)
{
	p->told = true;
	if (p->waiting)
		sched_wakeup(p, false, THREAD_AWAKENED);
}

static void
socket_told(struct so_watcher *w, unsigned ready)
{
	(void)ready;
	tell(CONTAINER_OF(w, struct polled, watcher)->poll);
}

static void
device_told(struct select_wait *w)
{
	tell(CONTAINER_OF(w, struct polled, wait)->poll);
}

/* ---- holding ------------------------------------------------------------------------------ */

static void
hold(const struct poll_item *item)
{
	if (item->so != NULL)
		so_retain(item->so);
	else if (item->file != NULL)
		item->file->references++;
}

static void
let_go(struct nke *m, const struct poll_item *item)
{
	if (item->so != NULL)
		so_release(item->so);
	else if (item->file != NULL)
		(void)device_file_release(m, item->file);
}

static void
watch(struct nke *m, const struct poll_item *item, struct polled *p, struct poll *poll)
{
	*p = (struct polled){.poll = poll};
	if (item->so != NULL)
		so_watch(item->so, &p->watcher, socket_told);
	else if (item->file != NULL)
		select_begin(m, &p->wait, device_told);
}

static void
unwatch(struct nke *m, const struct poll_item *item, struct polled *p)
{
	if (item->so != NULL)
		so_unwatch(&p->watcher);
	else if (item->file != NULL)
		select_end(m, &p->wait);
}

/* ---- waiting ------------------------------------------------------------------------------ */

/* `all` NULL: nothing is recorded. */
static unsigned
scan(struct nke *m, struct poll_item *items, struct polled *all, unsigned count)
{
	unsigned found = 0;

	for (unsigned i = 0; i < count; i++) {
		struct poll_item *item = &items[i];
		struct select_wait *wait = all != NULL ? &all[i].wait : NULL;

		item->ready = 0;
		if (item->so != NULL) {
			item->ready = soready(item->so);
		} else if (item->file != NULL) {
			if (wait != NULL)
				select_forget(wait);
			item->ready = device_ready(m, item->file, item->want, wait);
		}
		item->ready &= item->want | SO_HASERROR | SO_HANGUP;
		found += item->ready != 0;
	}
	return found;
}

/* Until something is ready, or it is too late. */
static errno_t
wait_until_ready(struct nke *m, struct poll *p, struct poll_item *items, struct polled *all, unsigned count,
    uint64_t deadline, unsigned *found)
{
	uint64_t moment = machine_now(m);

	for (unsigned rounds = 0;; rounds++) {
		wait_result_t result = THREAD_AWAKENED;

		p->told = false;
		*found = scan(m, items, all, count);
		if (*found != 0)
			return 0;
		if (moment != machine_now(m)) {
			moment = machine_now(m);
			rounds = 0;
		}
		if (rounds >= ROUNDS_MOST)
			p->told = false;
		p->waiting = true;
		while (!p->told && result == THREAD_AWAKENED)
			result = sched_block(p, deadline == UINT64_MAX ? 0 : deadline, false,
			    "a socket or device to become ready");
		p->waiting = false;
		if (p->told)
			continue;
		return result == THREAD_RESTART ? EDEADLK : 0;
	}
}

static errno_t
wait_for_items(struct nke *m, struct poll_item *items, unsigned count, uint64_t deadline, unsigned *found)
{
	struct polled few[POLL_INLINE], *all = few;
	struct poll p = {false, false};
	errno_t error;

	if (count > POLL_INLINE) {
		all = kalloc(m, count * sizeof *all);
		if (all == NULL)
			return ENOMEM;
	}
	for (unsigned i = 0; i < count; i++)
		watch(m, &items[i], &all[i], &p);
	error = wait_until_ready(m, &p, items, all, count, deadline, found);
	for (unsigned i = 0; i < count; i++)
		unwatch(m, &items[i], &all[i]);
	if (all != few)
		kfree(m, all);
	return error;
}

errno_t
poll_items(struct nke *m, struct poll_item *items, unsigned count, uint64_t deadline, unsigned *found)
{
	errno_t error = 0;

	for (unsigned i = 0; i < count; i++)
		hold(&items[i]);
	*found = scan(m, items, NULL, count);
	if (*found == 0 && deadline != 0 && (deadline == UINT64_MAX || deadline > machine_now(m)))
		error = wait_for_items(m, items, count, deadline, found);
	for (unsigned i = 0; i < count; i++)
		let_go(m, &items[i]);
	return error;
}
