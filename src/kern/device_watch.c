/*
 * Event loops and devices: who is told when a descriptor of a device becomes ready (fd_watch).
 *
 * A device says so by selwakeup, in the middle of its own code; what is ready is only known by asking
 * d_select, which must not happen there: a soft interrupt asks, tells, and has the device record the next
 * selinfo. What was ready is not recorded, so it is asked again after the program has read or written.
 *
 * d_select may sleep: a watch that is taken away while it is being asked goes when the answer has come.
 */
#include "src/kern/device_file.h"
#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/kern/socketvar.h"

#define WAKES_MOST	1000u		/* at one moment: then d_select itself wakes, and would for ever */

struct device_watch {
	TAILQ_ENTRY(device_watch) link;	/* of the file */
	struct device_file *file;	/* held while it is asked; otherwise it lives longer */
	struct nke *machine;
	int fd;
	void (*fn)(void *ctx, int fd, unsigned ready);
	void *ctx;
	struct select_wait wait;
	struct softintr check;
	bool ready;			/* it was when last asked */
	bool ended;			/* taken away */
	unsigned asking;		/* calls of ask() */
	uint64_t woken_at;		/* uptime of the last wakeup, */
	unsigned wakes;			/* and how many there were at that moment */
};

static struct device_watch *
find(struct device_file *f, int fd)
{
	struct device_watch *w;

	TAILQ_FOREACH(w, &f->watches, link) {
		if (w->fd == fd)
			return w;
	}
	return NULL;
}

/* Nobody asks for it any more, or will. */
static void
free_watch(struct device_watch *w)
{
	softintr_cancel(&w->check);
	kfree(w->machine, w);
}

/* May sleep. False: the watch has gone meanwhile. */
static bool
ask(struct device_watch *w, unsigned *ready)
{
	struct device_file *f = w->file;
	struct nke *m = w->machine;
	bool ended;

	f->references++;
	w->asking++;
	select_forget(&w->wait);
	*ready = device_ready(m, f, SO_READABLE | SO_WRITABLE, &w->wait);
	w->ready = *ready != 0;
	ended = w->ended;
	if (--w->asking == 0 && ended)
		free_watch(w);
	(void)device_file_release(m, f);
	return !ended;
}

static void
check(void *arg)
{
	struct device_watch *w = arg;
	unsigned ready;

	if (ask(w, &ready) && ready != 0)
		w->fn(w->ctx, w->fd, ready);
}

static void
woken(struct select_wait *wait)
{
	struct device_watch *w = CONTAINER_OF(wait, struct device_watch, wait);
	uint64_t now = machine_now(w->machine);

	if (now != w->woken_at) {
		w->woken_at = now;
		w->wakes = 0;
	}
	if (++w->wakes <= WAKES_MOST)
		softintr_schedule(&w->check);
	else if (w->wakes == WAKES_MOST + 1)
		klog(w->machine, 4, "descriptor %d: its device calls selwakeup whenever it is asked what is "
		    "ready; it is not asked again before time goes on", w->fd);
}

errno_t
device_watch(struct nke *m, struct device_file *f, int fd, void (*fn)(void *, int, unsigned), void *ctx,
    unsigned *ready)
{
	struct device_watch *w = find(f, fd);

	if (w == NULL) {
		w = kalloc(m, sizeof *w);
		if (w == NULL)
			return ENOMEM;
		w->machine = m;
		w->file = f;
		w->fd = fd;
		softintr_init(&w->check, m, check, w);
		select_begin(m, &w->wait, woken);
		TAILQ_INSERT_TAIL(&f->watches, w, link);
	}
	w->fn = fn;
	w->ctx = ctx;
	return ask(w, ready) ? 0 : EBADF;
}

void
device_unwatch(struct nke *m, struct device_file *f, int fd)
{
	struct device_watch *w = find(f, fd);

	if (w == NULL)
		return;
	TAILQ_REMOVE(&f->watches, w, link);
	select_end(m, &w->wait);
	w->ended = true;
	if (w->asking == 0)
		free_watch(w);
}

void
device_watch_moved(struct device_file *f)
{
	struct device_watch *w;

	TAILQ_FOREACH(w, &f->watches, link) {
		if (w->ready)
			softintr_schedule(&w->check);
	}
}
