/*
 * The calling host thread as an object (hostcalls.h): one per thread, made when it is first wanted, ended by
 * the thread library when the thread is, freed when nobody holds it any more.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "src/kern/hostcalls.h"

struct hc_self {
	unsigned references;		/* the thread's own and the machines' */
	bool ended;
};

static _Thread_local struct hc_self *self;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool have_key;

static void
end(void *arg)
{
	struct hc_self *s = arg;

	__atomic_store_n(&s->ended, true, __ATOMIC_RELEASE);
	self = NULL;
	hc_self_release(s);
}

static void
make_key(void)
{
	have_key = pthread_key_create(&key, end) == 0;
}

hc_self_t *
hc_self(bool make)
{
	struct hc_self *s;

	if (self != NULL || !make)
		return self;
	pthread_once(&once, make_key);
	s = have_key ? calloc(1, sizeof *s) : NULL;
	if (s == NULL)
		return NULL;
	s->references = 1;
	if (pthread_setspecific(key, s) != 0) {
		free(s);
		return NULL;
	}
	self = s;
	return s;
}

void
hc_self_retain(hc_self_t *s)
{
	__atomic_fetch_add(&s->references, 1, __ATOMIC_RELAXED);
}

void
hc_self_release(hc_self_t *s)
{
	if (__atomic_sub_fetch(&s->references, 1, __ATOMIC_ACQ_REL) == 0)
		free(s);
}

bool
hc_self_ended(const hc_self_t *s)
{
	return __atomic_load_n(&s->ended, __ATOMIC_ACQUIRE);
}
