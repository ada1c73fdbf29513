/*
 * One filter of each kind, for being loaded and unloaded many times: a socket filter to be attached by its
 * handle, an IP filter, and an interface filter on lo0. Stops with success when all are gone.
 */
#include <kern/locks.h>
#include <libkern/OSMalloc.h>
#include <mach/mach_types.h>
#include <net/kpi_interface.h>
#include <net/kpi_interfacefilter.h>
#include <netinet/in.h>
#include <netinet/kpi_ipfilter.h>
#include <sys/errno.h>
#include <sys/kpi_socketfilter.h>
#include <sys/param.h>
#include <sys/proc.h>

#define HANDLE	0x726f756eu		/* "roun" */

kern_return_t rounds_start(kmod_info_t *ki, void *data);
kern_return_t rounds_stop(kmod_info_t *ki, void *data);

static lck_grp_t *group;
static lck_mtx_t *lock;
static OSMallocTag tag;
static ipfilter_t ip_filter;
static interface_filter_t lo_filter;
static int present;			/* filters; under `lock` */

static void
gone(void)
{
	lck_mtx_lock(lock);
	present--;
	wakeup(&present);
	lck_mtx_unlock(lock);
}

static errno_t
attach(void **cookie, socket_t so)
{
	(void)so;
	*cookie = OSMalloc(64, tag);
	return *cookie != NULL ? 0 : ENOMEM;
}

static void
detach(void *cookie, socket_t so)
{
	(void)so;
	OSFree(cookie, 64, tag);
}

static errno_t
data_in(void *cookie, socket_t so, const struct sockaddr *from, mbuf_t *data, mbuf_t *control,
    sflt_data_flag_t flags)
{
	(void)so, (void)from, (void)data, (void)control, (void)flags;
	++*(int *)cookie;
	return 0;
}

static void
unregistered(sflt_handle handle)
{
	(void)handle;
	gone();
}

static errno_t
ip_input(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	(void)cookie, (void)data, (void)offset, (void)protocol;
	return 0;
}

static void
ip_detached(void *cookie)
{
	(void)cookie;
	gone();
}

static errno_t
lo_input(void *cookie, ifnet_t ifp, protocol_family_t family, mbuf_t *data, char **frame)
{
	(void)cookie, (void)ifp, (void)family, (void)data, (void)frame;
	return 0;
}

static void
lo_detached(void *cookie, ifnet_t ifp)
{
	(void)cookie, (void)ifp;
	gone();
}

static void
remove_all(void)
{
	if (lo_filter != NULL)
		iflt_detach(lo_filter);
	if (ip_filter != NULL)
		ipf_remove(ip_filter);
	sflt_unregister(HANDLE);
	lck_mtx_lock(lock);
	while (present != 0)
		msleep(&present, lock, PWAIT, "rounds", NULL);
	lck_mtx_unlock(lock);
	lck_mtx_free(lock, group);
	lck_grp_free(group);
	OSMalloc_Tagfree(tag);
}

kern_return_t
rounds_start(kmod_info_t *ki, void *data)
{
	struct sflt_filter s = {.sf_handle = HANDLE, .sf_flags = SFLT_PROG, .sf_name = "rounds",
	    .sf_unregistered = unregistered, .sf_attach = attach, .sf_detach = detach,
	    .sf_data_in = data_in};
	struct ipf_filter p = {.name = "rounds", .ipf_input = ip_input, .ipf_detach = ip_detached};
	struct iff_filter l = {.iff_name = "rounds", .iff_input = lo_input, .iff_detached = lo_detached};
	ifnet_t lo0;

	(void)ki, (void)data;
	tag = OSMalloc_Tagalloc("rounds", OSMT_DEFAULT);
	group = lck_grp_alloc_init("rounds", LCK_GRP_ATTR_NULL);
	lock = lck_mtx_alloc_init(group, LCK_ATTR_NULL);
	if (sflt_register(&s, PF_INET, SOCK_DGRAM, IPPROTO_UDP) == 0)
		present++;
	if (ipf_addv4(&p, &ip_filter) == 0)
		present++;
	if (ifnet_find_by_name("lo0", &lo0) == 0) {
		if (iflt_attach(lo0, &l, &lo_filter) == 0)
			present++;
		ifnet_release(lo0);
	}
	if (present == 3)
		return KERN_SUCCESS;
	remove_all();
	return KERN_FAILURE;
}

kern_return_t
rounds_stop(kmod_info_t *ki, void *data)
{
	(void)ki, (void)data;
	remove_all();
	return KERN_SUCCESS;
}
