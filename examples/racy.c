/*
 * racy: a kext with a lock missing, to see how such a thing is found.
 *
 * The filter writes down where a packet came from and leaves the record to a thread, which prints and frees
 * it. It goes on using the record after it has told the thread: nearly always that is fine, because the
 * thread has yet to get the CPU. With another schedule it is a use after free:
 *
 *	nke replay --check --sched random:1 --kext racy.kext CAPTURE
 *
 * One seed finds it, another may not; the same one always gives the same. Built with -DRACY_LOCKED=1 the
 * filter holds the lock until it is done with the record, and no seed finds anything.
 */
#include <stdbool.h>
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kpi_mbuf.h>
#include <sys/proc.h>
#include <kern/locks.h>
#include <kern/thread.h>
#include <libkern/OSMalloc.h>
#include <mach/mach_types.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/kpi_ipfilter.h>

#ifndef RACY_LOCKED
#define RACY_LOCKED	0
#endif

kern_return_t racy_start(kmod_info_t *ki, void *data);
kern_return_t racy_stop(kmod_info_t *ki, void *data);

struct record {
	struct in_addr source;
	size_t bytes;
};

static struct record *newest;		/* to be printed; under `lock` */
static bool ending, ended, detached;	/* under `lock` */
static unsigned printed;
static ipfilter_t filter;
static OSMallocTag tag;
static lck_grp_t *lock_group;
static lck_mtx_t *lock;

/* ---- the thread --------------------------------------------------------------------------- */

static void
print_records(void *parameter, wait_result_t result)
{
	(void)parameter;
	(void)result;
	lck_mtx_lock(lock);
	while (!ending) {
		if (newest != NULL) {
			OSFree(newest, sizeof *newest, tag);
			newest = NULL;
			printed++;
		}
		msleep(&newest, lock, PWAIT, "racy", NULL);
	}
	ended = true;
	wakeup(&ended);
	lck_mtx_unlock(lock);
}

/* ---- the filter --------------------------------------------------------------------------- */

static errno_t
input(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	struct record *r;

	(void)cookie;
	(void)offset;
	(void)protocol;
	lck_mtx_lock(lock);
	if (newest != NULL || ending || (r = OSMalloc_noblock(sizeof *r, tag)) == NULL) {
		lck_mtx_unlock(lock);
		return 0;
	}
	newest = r;
#if !RACY_LOCKED
	lck_mtx_unlock(lock);		/* too early: r is the thread's now */
#endif
	wakeup(&newest);
	mbuf_copydata(*data, offsetof(struct ip, ip_src), sizeof r->source, &r->source);
	r->bytes = mbuf_pkthdr_len(*data);
#if RACY_LOCKED
	lck_mtx_unlock(lock);
#endif
	return 0;
}

static void
filter_detached(void *cookie)
{
	(void)cookie;
	lck_mtx_lock(lock);
	detached = true;
	wakeup(&detached);
	lck_mtx_unlock(lock);
}

/* ---- start and stop ----------------------------------------------------------------------- */

static void
tear_down(void)
{
	if (newest != NULL)
		OSFree(newest, sizeof *newest, tag);
	lck_mtx_free(lock, lock_group);
	lck_grp_free(lock_group);
	OSMalloc_Tagfree(tag);
}

static void
end_thread(void)
{
	lck_mtx_lock(lock);
	ending = true;
	wakeup(&newest);
	while (!ended)
		msleep(&ended, lock, PWAIT, "racy", NULL);
	lck_mtx_unlock(lock);
}

kern_return_t
racy_start(kmod_info_t *ki, void *data)
{
	struct ipf_filter f = {.name = "racy", .ipf_input = input, .ipf_detach = filter_detached};
	thread_t thread;

	(void)ki;
	(void)data;
	tag = OSMalloc_Tagalloc("racy", OSMT_DEFAULT);
	lock_group = lck_grp_alloc_init("racy", LCK_GRP_ATTR_NULL);
	lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	if (kernel_thread_start(print_records, NULL, &thread) != KERN_SUCCESS) {
		tear_down();
		return KERN_FAILURE;
	}
	thread_deallocate(thread);
	if (ipf_addv4(&f, &filter) == 0)
		return KERN_SUCCESS;
	end_thread();
	tear_down();
	return KERN_FAILURE;
}

kern_return_t
racy_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	ipf_remove(filter);
	lck_mtx_lock(lock);
	while (!detached)
		msleep(&detached, lock, PWAIT, "racy", NULL);
	lck_mtx_unlock(lock);
	end_thread();
	printf("%u records\n", printed);
	tear_down();
	return KERN_SUCCESS;
}
