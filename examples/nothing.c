/*
 * nothing: an interface filter and two IP filters that look at nothing and pass everything.
 *
 * It is the smallest complete filter kext: what has to be said to attach, and what has to be waited
 * for before the code may go away. The benchmark uses it as well: what it costs is the cost of being
 * called.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/proc.h>
#include <mach/mach_types.h>
#include <kern/locks.h>
#include <net/kpi_interface.h>
#include <net/kpi_interfacefilter.h>
#include <netinet/kpi_ipfilter.h>

kern_return_t nothing_start(kmod_info_t *ki, void *data);
kern_return_t nothing_stop(kmod_info_t *ki, void *data);

static lck_grp_t *lock_group;
static lck_mtx_t *lock;
static int attached;			/* filters that can still be called; under `lock` */
static interface_filter_t interface_filter;
static ipfilter_t ip_filter, ip6_filter;

/* ---- the filters -------------------------------------------------------------------------- */

static errno_t
frame_in(void *cookie, ifnet_t ifp, protocol_family_t protocol, mbuf_t *data, char **frame)
{
	return 0;
}

static errno_t
frame_out(void *cookie, ifnet_t ifp, protocol_family_t protocol, mbuf_t *data)
{
	return 0;
}

static errno_t
packet_in(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	return 0;
}

static errno_t
packet_out(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	return 0;
}

/* ---- coming and going --------------------------------------------------------------------- */

static void
came(void)
{
	lck_mtx_lock(lock);
	attached++;
	lck_mtx_unlock(lock);
}

/*
 * A detach callback is the last call into its filter. It may come inside ipf_remove or, when a packet
 * is in some IP filter just then, later and on another thread. So the lock must not be held when
 * removing, and stop has to wait.
 */
static void
gone(void *cookie)
{
	lck_mtx_lock(lock);
	attached--;
	wakeup(&attached);
	lck_mtx_unlock(lock);
}

static void
interface_gone(void *cookie, ifnet_t ifp)
{
	/* Also when the interface goes by itself: then there is nothing left to detach. */
	lck_mtx_lock(lock);
	interface_filter = NULL;
	lck_mtx_unlock(lock);
	gone(cookie);
}

/* Takes out what is there, and returns when none of it can be called any more. */
static void
detach_all(void)
{
	if (ip_filter != NULL)
		ipf_remove(ip_filter);
	if (ip6_filter != NULL)
		ipf_remove(ip6_filter);
	if (interface_filter != NULL)
		iflt_detach(interface_filter);	/* interface_gone has run when this returns */

	lck_mtx_lock(lock);
	while (attached != 0)
		msleep(&attached, lock, PWAIT, "nothing_detach", NULL);
	lck_mtx_unlock(lock);
}

static errno_t
attach_all(void)
{
	static const struct iff_filter iff = {
		.iff_name = "nothing",		/* kept by pointer: must live as long as the filter */
		.iff_protocol = 0,		/* frames of every protocol */
		.iff_input = frame_in,
		.iff_output = frame_out,
		.iff_detached = interface_gone,
	};
	static const struct ipf_filter ipf = {
		.name = "nothing",
		.ipf_input = packet_in,
		.ipf_output = packet_out,
		.ipf_detach = gone,
	};
	ifnet_t en0;
	errno_t error;

	error = ifnet_find_by_name("en0", &en0);	/* with a reference, which is ours to drop */
	if (error != 0) {
		printf("there is no en0 (error %d)\n", error);
		return error;
	}
	error = iflt_attach(en0, &iff, &interface_filter);
	ifnet_release(en0);
	if (error != 0)
		return error;
	came();
	error = ipf_addv4(&ipf, &ip_filter);
	if (error != 0)
		return error;
	came();
	error = ipf_addv6(&ipf, &ip6_filter);
	if (error == 0)
		came();
	return error;
}

static void
free_lock(void)
{
	if (lock != NULL)
		lck_mtx_free(lock, lock_group);
	if (lock_group != NULL)
		lck_grp_free(lock_group);
	lock = NULL;
	lock_group = NULL;
}

kern_return_t
nothing_start(kmod_info_t *ki, void *data)
{
	lock_group = lck_grp_alloc_init("nothing", LCK_GRP_ATTR_NULL);
	if (lock_group == NULL)
		return KERN_FAILURE;
	lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	if (lock != NULL && attach_all() == 0)
		return KERN_SUCCESS;

	/* A start that fails leaves nothing behind: stop will not be called. */
	if (lock != NULL)
		detach_all();
	free_lock();
	return KERN_FAILURE;
}

kern_return_t
nothing_stop(kmod_info_t *ki, void *data)
{
	detach_all();
	free_lock();
	return KERN_SUCCESS;
}
