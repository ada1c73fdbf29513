/*
 * The door between the core and the operating system (src/kern/hostcalls.h), for POSIX systems.
 *
 * Called by the core alone, on whatever host thread runs it; nothing here knows a machine. The
 * objects handed out (mutexes, parkers, threads, blocks) belong to the core until it gives them back.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "src/host/kext_symbols.h"
#include "src/kern/hostcalls.h"

#define NS_PER_S	UINT64_C(1000000000)

/* ---- memory ------------------------------------------------------------------------------- */

void *
hc_alloc(size_t size)
{
	return malloc(size != 0 ? size : 1);
}

void *
hc_alloc_aligned(size_t align, size_t size)
{
	void *p;

	return posix_memalign(&p, align, size) == 0 ? p : NULL;
}

void
hc_free(void *p)
{
	free(p);
}

/* ---- time and randomness ------------------------------------------------------------------ */

static uint64_t
read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t
hc_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t
hc_calendar_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

void
hc_random(void *buf, size_t len)
{
	unsigned char *p = buf;

	while (len != 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			hc_abort("the host has no random numbers");
		p += n;
		len -= (size_t)n;
	}
}

#if !defined(__x86_64__)
uint64_t
hc_ticks(void)
{
	return hc_monotonic_ns();
}
#endif

static pthread_once_t tick_once = PTHREAD_ONCE_INIT;
static double tick_ns = 1.0;

/* Ticks and nanoseconds over two milliseconds: good to about a part in ten thousand. */
static void
measure_tick(void)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	uint64_t ns = hc_monotonic_ns(), ticks = hc_ticks();

	nanosleep(&pause, NULL);
	ticks = hc_ticks() - ticks;
	ns = hc_monotonic_ns() - ns;
	if (ticks != 0)
		tick_ns = (double)ns / (double)ticks;
}

double
hc_ns_per_tick(void)
{
	pthread_once(&tick_once, measure_tick);
	return tick_ns;
}

/* ---- mutexes and parkers ------------------------------------------------------------------ */

struct hc_mutex {
	pthread_mutex_t mutex;
};

hc_mutex_t *
hc_mutex_create(void)
{
	hc_mutex_t *m = malloc(sizeof *m);

	if (m != NULL && pthread_mutex_init(&m->mutex, NULL) != 0) {
		free(m);
		return NULL;
	}
	return m;
}

void
hc_mutex_destroy(hc_mutex_t *m)
{
	if (m == NULL)
		return;
	pthread_mutex_destroy(&m->mutex);
	free(m);
}

void
hc_mutex_lock(hc_mutex_t *m)
{
	pthread_mutex_lock(&m->mutex);
}

void
hc_mutex_unlock(hc_mutex_t *m)
{
	pthread_mutex_unlock(&m->mutex);
}

/*
 * glibc's semaphores wake without holding a lock, which the woken thread would run into, and may be destroyed
 * as soon as the wait for them has returned. Elsewhere: a condition.
 */
#ifdef __GLIBC__

struct hc_parker {
	sem_t tokens;			/* unparks not yet taken */
};

static void
parker_init(hc_parker_t *p)
{
	sem_init(&p->tokens, 0, 0);
}

static void
parker_fini(hc_parker_t *p)
{
	sem_destroy(&p->tokens);
}

bool
hc_park(hc_parker_t *p, uint64_t deadline_ns)
{
	struct timespec deadline = {
		.tv_sec = (time_t)(deadline_ns / NS_PER_S), .tv_nsec = (long)(deadline_ns % NS_PER_S)};
	int error;

	do
		error = deadline_ns == 0 ? sem_wait(&p->tokens) :
		    sem_clockwait(&p->tokens, CLOCK_MONOTONIC, &deadline);
	while (error != 0 && errno == EINTR);
	return error == 0;
}

void
hc_unpark(hc_parker_t *p)
{
	sem_post(&p->tokens);
}

#else

struct hc_parker {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	unsigned tokens;		/* unparks not yet taken */
};

static void
parker_init(hc_parker_t *p)
{
	pthread_condattr_t attr;

	p->tokens = 0;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->cond, &attr);
	pthread_condattr_destroy(&attr);
}

static void
parker_fini(hc_parker_t *p)
{
	pthread_cond_destroy(&p->cond);
	pthread_mutex_destroy(&p->mutex);
}

bool
hc_park(hc_parker_t *p, uint64_t deadline_ns)
{
	struct timespec deadline = {
		.tv_sec = (time_t)(deadline_ns / NS_PER_S), .tv_nsec = (long)(deadline_ns % NS_PER_S)};
	bool unparked;

	pthread_mutex_lock(&p->mutex);
	while (p->tokens == 0) {
		if (deadline_ns == 0)
			pthread_cond_wait(&p->cond, &p->mutex);
		else if (pthread_cond_timedwait(&p->cond, &p->mutex, &deadline) == ETIMEDOUT)
			break;
	}
	unparked = p->tokens != 0;
	if (unparked)
		p->tokens--;
	pthread_mutex_unlock(&p->mutex);
	return unparked;
}

void
hc_unpark(hc_parker_t *p)
{
	pthread_mutex_lock(&p->mutex);
	p->tokens++;
	pthread_cond_signal(&p->cond);
	pthread_mutex_unlock(&p->mutex);
}

#endif

hc_parker_t *
hc_parker_create(void)
{
	hc_parker_t *p = malloc(sizeof *p);

	if (p != NULL)
		parker_init(p);
	return p;
}

void
hc_parker_destroy(hc_parker_t *p)
{
	if (p == NULL)
		return;
	parker_fini(p);
	free(p);
}

/* ---- threads ------------------------------------------------------------------------------ */

struct hc_thread {
	pthread_t thread;
	void (*fn)(void *);
	void *arg;
};

static void *
thread_main(void *arg)
{
	hc_thread_t *t = arg;

	t->fn(t->arg);
	return NULL;
}

/* The process's signals are for its own threads; ours take only those that they cause themselves. */
static void
own_signals(sigset_t *set)
{
	sigfillset(set);
	sigdelset(set, SIGSEGV);
	sigdelset(set, SIGBUS);
	sigdelset(set, SIGFPE);
	sigdelset(set, SIGILL);
	sigdelset(set, SIGTRAP);
	sigdelset(set, SIGABRT);
}

hc_thread_t *
hc_thread_create(void (*fn)(void *), void *arg)
{
	hc_thread_t *t = malloc(sizeof *t);
	sigset_t blocked, outer;
	int error;

	if (t == NULL)
		return NULL;
	t->fn = fn;
	t->arg = arg;
	own_signals(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, &outer);
	error = pthread_create(&t->thread, NULL, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &outer, NULL);
	if (error != 0) {
		free(t);
		return NULL;
	}
	return t;
}

void
hc_thread_join(hc_thread_t *t)
{
	pthread_join(t->thread, NULL);
	free(t);
}

/* ---- leaving the core in a hurry ---------------------------------------------------------- */

struct catcher {
	sigjmp_buf env;
};

/*
 * The signal mask is not saved (that is a system call): who throws from a signal handler has
 * installed it with SA_NODEFER.
 */
bool
hc_catch(void **slot, void (*fn)(void *), void *arg)
{
	struct catcher here;
	void *volatile outer = *slot;
	bool returned;

	if (sigsetjmp(here.env, 0) == 0) {
		*slot = &here;
		fn(arg);
		returned = true;
	} else {
		returned = false;
	}
	*slot = outer;
	return returned;
}

void
hc_throw(void *catcher)
{
	struct catcher *c = catcher;

	siglongjmp(c->env, 1);
}

void
hc_abort(const char *why)
{
	fprintf(stderr, "nke: %s\n", why);
	abort();
}

/* ---- debugging ---------------------------------------------------------------------------- */

unsigned
hc_backtrace(void **pcs, unsigned max)
{
	void *all[64];
	int n = backtrace(all, (int)(sizeof all / sizeof all[0]));
	unsigned count = 0;

	/* the first frame is this function */
	for (int i = 1; i < n && count < max; i++)
		pcs[count++] = all[i];
	return count;
}

void
hc_symbolize(const void *pc, char *buf, size_t size)
{
	Dl_info info;
	const char *image;
	char name[128];
	size_t offset;

	if (size == 0)
		return;
	if (dladdr(pc, &info) == 0 || info.dli_fname == NULL) {
		snprintf(buf, size, "%p", pc);
		return;
	}
	image = strrchr(info.dli_fname, '/');
	image = image != NULL ? image + 1 : info.dli_fname;
	if (info.dli_sname != NULL && info.dli_saddr != NULL)
		snprintf(buf, size, "%s`%s+0x%zx", image, info.dli_sname,
		    (size_t)((const char *)pc - (const char *)info.dli_saddr));
	else if (symbols_find(pc, name, sizeof name, &offset))
		snprintf(buf, size, "%s`%s+0x%zx", image, name, offset);
	else
		snprintf(buf, size, "%s+0x%zx", image,
		    (size_t)((const char *)pc - (const char *)info.dli_fbase));
}
