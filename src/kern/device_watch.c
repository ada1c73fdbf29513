/*
 * Event loops and devices: who is told when a descriptor of a device becomes ready (fd_watch).
 *
 * A device says so by selwakeup, in the middle of its own code; what is ready is only known by asking
 * d_select, which must not happen there: a soft interrupt asks, tells, and has the device record the next
 * selinfo. What was ready is not recorded, so it is asked again after the program has read or written.
 */
#include "src/kern/device_file.h"
#include "src/kern/heap.h"
#include "src/kern/socketvar.h"

struct device_watch {
	TAILQ_ENTRY(device_watch) link;	/* of the file */
	struct device_file *file;	/* lives longer: see device_unwatch */
	struct nke *machine;
	int fd;
	void (*fn)(void *ctx, int fd, unsigned ready);
	void *ctx;
	struct select_wait wait;
	struct softintr check;
	bool ready;			/* it was when last asked */
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

/* May sleep. 0 as well when the watch has gone meanwhile. */
static unsigned
ask(struct device_watch *w)
{
	struct device_file *f = w->file;
	int fd = w->fd;
	unsigned ready;

	select_forget(&w->wait);
	ready = device_ready(w->machine, f, SO_READABLE | SO_WRITABLE, &w->wait);
	if (find(f, fd) != w)
		return 0;
	w->ready = ready != 0;
	return ready;
}

static void
check(void *arg)
{
	struct device_watch *w = arg;
	unsigned ready = ask(w);

	if (ready != 0)
		w->fn(w->ctx, w->fd, ready);
}

static void
woken(struct select_wait *wait)
{
	softintr_schedule(&CONTAINER_OF(wait, struct device_watch, wait)->check);
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
	*ready = ask(w);
	return 0;
}

void
device_unwatch(struct nke *m, struct device_file *f, int fd)
{
	struct device_watch *w = find(f, fd);

	if (w == NULL)
		return;
	TAILQ_REMOVE(&f->watches, w, link);
	select_end(m, &w->wait);
	softintr_cancel(&w->check);
	kfree(m, w);
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
