/*
 * cxxcount: a kext in C++, without IOKit. It counts packets and bytes of each direction.
 *
 * The kernel runs the constructors of global objects before the start routine and the destructors after
 * the stop routine. There are no exceptions, no run-time type information and no standard library; new
 * and delete are the kernel's.
 */
#include <sys/param.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/kpi_mbuf.h>
#include <sys/proc.h>
#include <kern/locks.h>
#include <libkern/OSAtomic.h>
#include <mach/mach_types.h>
#include <netinet/in.h>
#include <netinet/kpi_ipfilter.h>

extern "C" {
kern_return_t cxxcount_start(kmod_info_t *ki, void *data);
kern_return_t cxxcount_stop(kmod_info_t *ki, void *data);
}

namespace {

/* A mutex for the time of a block. */
class Hold {
public:
	explicit Hold(lck_mtx_t *mutex) : mutex(mutex) { lck_mtx_lock(mutex); }
	~Hold() { lck_mtx_unlock(mutex); }
	Hold(const Hold &) = delete;
	Hold &operator=(const Hold &) = delete;

private:
	lck_mtx_t *mutex;
};

class Counter {
public:
	explicit Counter(const char *name) : name(name), packets(0), bytes(0) {}

	void
	count(mbuf_t packet)
	{
		OSIncrementAtomic64(&packets);
		OSAddAtomic64((SInt64)mbuf_pkthdr_len(packet), &bytes);
	}
	void log() const { printf("%s: %lld packets, %lld bytes\n", name, packets, bytes); }

private:
	const char *name;
	SInt64 packets, bytes;
};

/* An IP filter as an object. The stack calls functions with a cookie: the cookie is the object. */
class Filter {
public:
	Filter() : filter(nullptr), attached(false) {}

	bool
	start()
	{
		ipf_filter description = {this, "cxxcount", input, output, detached};

		group = lck_grp_alloc_init("cxxcount", LCK_GRP_ATTR_NULL);
		if (group == nullptr)
			return false;
		mutex = lck_mtx_alloc_init(group, LCK_ATTR_NULL);
		attached = mutex != nullptr;
		if (attached && ipf_addv4(&description, &filter) != 0)
			attached = false;
		if (!attached)
			free_lock();
		return attached;
	}

	void
	stop()
	{
		ipf_remove(filter);
		{
			Hold hold(mutex);

			while (attached)
				msleep(&attached, mutex, PWAIT, "cxxcount", nullptr);
		}
		free_lock();
	}

private:
	static errno_t input(void *cookie, mbuf_t *data, int offset, u_int8_t protocol);
	static errno_t output(void *cookie, mbuf_t *data, ipf_pktopts_t options);

	/* The last call; the object may go when it has returned. */
	static void
	detached(void *cookie)
	{
		Filter *self = static_cast<Filter *>(cookie);
		Hold hold(self->mutex);

		self->attached = false;
		wakeup(&self->attached);
	}

	void
	free_lock()
	{
		if (mutex != nullptr)
			lck_mtx_free(mutex, group);
		lck_grp_free(group);
	}

	ipfilter_t filter;
	lck_grp_t *group;
	lck_mtx_t *mutex;
	bool attached;			/* under `mutex` */
};

/* Global objects: constructed in this order, destroyed in the reverse. */
Counter in("in");
Counter out("out");
Filter filter;

errno_t
Filter::input(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	in.count(*data);
	return 0;
}

errno_t
Filter::output(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	out.count(*data);
	return 0;
}

}

kern_return_t
cxxcount_start(kmod_info_t *ki, void *data)
{
	return filter.start() ? KERN_SUCCESS : KERN_FAILURE;
}

kern_return_t
cxxcount_stop(kmod_info_t *ki, void *data)
{
	filter.stop();
	in.log();
	out.log();
	return KERN_SUCCESS;
}
