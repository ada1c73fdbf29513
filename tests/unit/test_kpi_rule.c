/* Where functions of the interface may be called from: each rule is broken once, and named. */
#include <IOKit/IOLib.h>
#include <kern/locks.h>
#include <libkern/OSMalloc.h>
#include <net/bpf.h>
#include <net/kpi_interface.h>
#include <net/kpi_interfacefilter.h>
#include <net/kpi_protocol.h>
#include <netinet/kpi_ipfilter.h>
#include <string.h>
#include <sys/kern_control.h>
#include <sys/kern_event.h>
#include <sys/kpi_mbuf.h>
#include <sys/kpi_socket.h>
#include <sys/malloc.h>

#include "dlil/dlil.h"
#include "tests/unit/dlil_testing.h"
#include "tests/unit/ktest.h"

/* ---- may sleep ---------------------------------------------------------------------------- */

static void
hold_spin(void)
{
	lck_spin_lock(lck_spin_alloc_init(lck_grp_alloc_init("group", NULL), NULL));
}

/* Every one is called with a spin lock held; none gets as far as its arguments. */
#define SLEEPERS(X)								\
	X(bpf_attach, bpf_attach(NULL, 0, 0, NULL, NULL))			\
	X(ctl_deregister, ctl_deregister(NULL))					\
	X(ctl_enqueuedata, ctl_enqueuedata(NULL, 1, NULL, 0, 0))			\
	X(ctl_enqueuembuf, ctl_enqueuembuf(NULL, 1, one_mbuf(), 0))		\
	X(ctl_getenqueuereadable, ctl_getenqueuereadable(NULL, 1, NULL))		\
	X(ctl_getenqueuespace, ctl_getenqueuespace(NULL, 1, NULL))		\
	X(ctl_register, ctl_register(NULL, NULL))				\
	X(ifaddr_findbestforaddr, ifaddr_findbestforaddr(NULL, NULL))		\
	X(ifaddr_withaddr, ifaddr_withaddr(NULL))				\
	X(ifaddr_withdstaddr, ifaddr_withdstaddr(NULL))				\
	X(ifaddr_withnet, ifaddr_withnet(NULL))					\
	X(ifaddr_withroute, ifaddr_withroute(0, NULL, NULL))			\
	X(iflt_attach, iflt_attach(NULL, NULL, NULL))				\
	X(iflt_detach, iflt_detach(NULL))					\
	X(ifnet_add_multicast, ifnet_add_multicast(NULL, NULL, NULL))		\
	X(ifnet_allocate, ifnet_allocate(NULL, NULL))				\
	X(ifnet_attach, ifnet_attach(NULL, NULL))				\
	X(ifnet_attach_protocol, ifnet_attach_protocol(NULL, 0, NULL))		\
	X(ifnet_attach_protocol_v2, ifnet_attach_protocol_v2(NULL, 0, NULL))	\
	X(ifnet_detach, ifnet_detach(NULL))					\
	X(ifnet_detach_protocol, ifnet_detach_protocol(NULL, 0))		\
	X(ifnet_event, ifnet_event(NULL, NULL))					\
	X(ifnet_find_by_name, ifnet_find_by_name(NULL, NULL))			\
	X(ifnet_free_address_list, ifnet_free_address_list(NULL))		\
	X(ifnet_free_multicast_list, ifnet_free_multicast_list(NULL))		\
	X(ifnet_get_address_list, ifnet_get_address_list(NULL, NULL))		\
	X(ifnet_get_address_list_family, ifnet_get_address_list_family(NULL, NULL, 0))	\
	X(ifnet_get_link_mib_data, ifnet_get_link_mib_data(NULL, NULL, NULL))	\
	X(ifnet_get_multicast_list, ifnet_get_multicast_list(NULL, NULL))	\
	X(ifnet_interface_family_find, ifnet_interface_family_find(NULL, NULL))	\
	X(ifnet_ioctl, ifnet_ioctl(NULL, 0, 0, NULL))				\
	X(ifnet_list_free, ifnet_list_free(NULL))				\
	X(ifnet_list_get, ifnet_list_get(0, NULL, NULL))			\
	X(ifnet_lladdr_copy_bytes, ifnet_lladdr_copy_bytes(NULL, NULL, 0))	\
	X(ifnet_output, ifnet_output(NULL, 0, NULL, NULL, NULL))		\
	X(ifnet_output_raw, ifnet_output_raw(NULL, 0, NULL))			\
	X(ifnet_remove_multicast, ifnet_remove_multicast(NULL))			\
	X(ifnet_resolve_multicast, ifnet_resolve_multicast(NULL, NULL, NULL, 0))	\
	X(ifnet_set_capabilities_enabled, ifnet_set_capabilities_enabled(NULL, 0, 0))	\
	X(ifnet_set_capabilities_supported, ifnet_set_capabilities_supported(NULL, 0, 0))	\
	X(ifnet_set_flags, ifnet_set_flags(NULL, 0, 0))				\
	X(ifnet_set_link_mib_data, ifnet_set_link_mib_data(NULL, NULL, 0))	\
	X(ifnet_set_lladdr, ifnet_set_lladdr(NULL, NULL, 0))			\
	X(ifnet_set_offload, ifnet_set_offload(NULL, 0))			\
	X(ifnet_set_promiscuous, ifnet_set_promiscuous(NULL, 0))		\
	X(ifnet_set_wake_flags, ifnet_set_wake_flags(NULL, 0, 0))		\
	X(IOMalloc, IOMalloc(1))						\
	X(IOMallocAligned, IOMallocAligned(1, 1))				\
	X(ipf_addv4, ipf_addv4(NULL, NULL))					\
	X(ipf_addv6, ipf_addv6(NULL, NULL))					\
	X(ipf_inject_input, ipf_inject_input(NULL, NULL))			\
	X(ipf_inject_output, ipf_inject_output(NULL, NULL, NULL))		\
	X(ipf_remove, ipf_remove(NULL))						\
	X(kev_msg_post, kev_msg_post(NULL))					\
	X(kev_vendor_code_find, kev_vendor_code_find(NULL, NULL))		\
	X(lck_mtx_lock, lck_mtx_lock(NULL))					\
	X(lck_rw_lock_shared, lck_rw_lock_shared(NULL))				\
	X(lck_rw_lock_exclusive, lck_rw_lock_exclusive(NULL))			\
	X(mbuf_alloccluster, mbuf_alloccluster(MBUF_WAITOK, NULL, NULL))	\
	X(mbuf_allocpacket, mbuf_allocpacket(MBUF_WAITOK, 1, NULL, NULL))	\
	X(mbuf_allocpacket_list, mbuf_allocpacket_list(1, MBUF_WAITOK, 1, NULL, NULL))	\
	X(mbuf_copym, mbuf_copym(one_mbuf(), 0, 1, MBUF_WAITOK, NULL))		\
	X(mbuf_dup, mbuf_dup(one_mbuf(), MBUF_WAITOK, NULL))			\
	X(mbuf_get, mbuf_get(MBUF_WAITOK, MBUF_TYPE_DATA, NULL))		\
	X(mbuf_gethdr, mbuf_gethdr(MBUF_WAITOK, MBUF_TYPE_DATA, NULL))		\
	X(mbuf_getpacket, mbuf_getpacket(MBUF_WAITOK, NULL))			\
	X(mbuf_tag_id_find, mbuf_tag_id_find(NULL, NULL))			\
	X(OSMalloc, OSMalloc(1, NULL))						\
	X(proto_inject, proto_inject(0, NULL))					\
	X(proto_input, proto_input(0, NULL))					\
	X(proto_register_plumber, proto_register_plumber(0, 0, NULL, NULL))	\
	X(proto_unregister_plumber, proto_unregister_plumber(0, 0))		\
	X(sock_accept, sock_accept(NULL, NULL, 0, 0, NULL, NULL, NULL))		\
	X(sock_bind, sock_bind(NULL, NULL))					\
	X(sock_close, sock_close(NULL))						\
	X(sock_connect, sock_connect(NULL, NULL, 0))				\
	X(sock_getpeername, sock_getpeername(NULL, NULL, 0))			\
	X(sock_getsockname, sock_getsockname(NULL, NULL, 0))			\
	X(sock_getsockopt, sock_getsockopt(NULL, 0, 0, NULL, NULL))		\
	X(sock_gettype, sock_gettype(NULL, NULL, NULL, NULL))			\
	X(sock_ioctl, sock_ioctl(NULL, 0, NULL))				\
	X(sock_isconnected, sock_isconnected(NULL))				\
	X(sock_isnonblocking, sock_isnonblocking(NULL))				\
	X(sock_listen, sock_listen(NULL, 0))					\
	X(sock_receive, sock_receive(NULL, NULL, 0, NULL))			\
	X(sock_receivembuf, sock_receivembuf(NULL, NULL, NULL, 0, NULL))	\
	X(sock_release, sock_release(NULL))					\
	X(sock_retain, sock_retain(NULL))					\
	X(sock_send, sock_send(NULL, NULL, 0, NULL))				\
	X(sock_sendmbuf, sock_sendmbuf(NULL, NULL, NULL, 0, NULL))		\
	X(sock_setpriv, sock_setpriv(NULL, 0))					\
	X(sock_setsockopt, sock_setsockopt(NULL, 0, 0, NULL, 0))		\
	X(sock_shutdown, sock_shutdown(NULL, 0))				\
	X(sock_socket, sock_socket(0, 0, 0, NULL, NULL, NULL))			\
	X(_MALLOC, _MALLOC(1, M_TEMP, M_WAITOK))

static mbuf_t
one_mbuf(void)
{
	mbuf_t m = NULL;

	CHECK_EQ(mbuf_gethdr(MBUF_DONTWAIT, MBUF_TYPE_DATA, &m), 0);
	return m;
}

#define SLEEPS(name, call)								\
KTEST_PANICS(sleeps_##name, #name " was called with 1 spin lock held: it may sleep")	\
{											\
	hold_spin();									\
	(void)call;									\
}
#define SLEEPS_ENTRY(name, call) T(sleeps_##name),

SLEEPERS(SLEEPS)

/* What never sleeps may be called. */
KTEST(without_waiting_a_spin_lock_may_be_held)
{
	lck_grp_t *group = lck_grp_alloc_init("group", NULL);
	lck_spin_t *spin = lck_spin_alloc_init(group, NULL);
	mbuf_t m = NULL;
	void *block;

	lck_spin_lock(spin);
	CHECK_EQ(mbuf_gethdr(MBUF_DONTWAIT, MBUF_TYPE_DATA, &m), 0);
	block = _MALLOC(8, M_TEMP, M_NOWAIT);
	CHECK(block != NULL);
	_FREE(block, M_TEMP);
	mbuf_freem(m);
	lck_spin_unlock(spin);
	lck_spin_free(spin, group);
	lck_grp_free(group);
}

/* ---- locks that are held during callbacks ------------------------------------------------- */

static struct ifnet *the, *other;
static interface_filter_t its_filter, others_filter;

static errno_t
see(void *cookie, ifnet_t ifp, protocol_family_t family, mbuf_t *m, char **frame)
{
	void (*fn)(void) = cookie;

	(void)ifp, (void)family, (void)m, (void)frame;
	if (fn != NULL)
		fn();
	return 0;
}

static interface_filter_t
watch(struct ifnet *ifp, void (*fn)(void))
{
	struct iff_filter f = {.iff_cookie = fn, .iff_name = "see", .iff_input = see};
	interface_filter_t ref;

	CHECK_EQ(iflt_attach(ifp, &f, &ref), 0);
	return ref;
}

/* An interface that gets a packet; `demux` and `filter` (NULL: none) run for it. */
static void
packet_comes(void (*demux)(void), void (*filter)(void))
{
	the = attached_interface("x", 0);
	other = attached_interface("x", 1);
	its_filter = watch(the, filter);
	others_filter = watch(other, NULL);
	drv.on_demux = demux;
	CHECK_EQ(ifnet_input(the, packet_in(the, "7a", 2, 1), NULL), 0);
	settle();
}

static void
ask_for_flags(void)
{
	(void)ifnet_set_flags(the, 0, 0);
}

static void
detach_its_filter(void)
{
	iflt_detach(its_filter);
}

static void
attach_once_more(void)
{
	(void)ifnet_attach(the, NULL);
}

static void
touch_the_other(void)
{
	(void)ifnet_set_flags(other, 0, 0);
	iflt_detach(others_filter);
}

static errno_t
plumb_and_register(struct ifnet *ifp, protocol_family_t family)
{
	(void)ifp;
	return proto_register_plumber(family, 4321, NULL, NULL);
}

KTEST_PANICS(in_demux_the_interface_is_locked,
    "ifnet_set_flags was called from if_demux of kernel: it takes the interface's lock")
{
	packet_comes(ask_for_flags, NULL);
}

KTEST_PANICS(in_a_filter_the_filters_are_locked,
    "iflt_detach was called from iff_input of kernel: it waits until none of the interface's filters")
{
	packet_comes(NULL, detach_its_filter);
}

KTEST_PANICS(an_interface_is_not_attached_by_itself,
    "ifnet_attach was called from if_demux of kernel: it must not be called from the interface's own")
{
	packet_comes(attach_once_more, NULL);
}

KTEST_PANICS(in_a_plumber_the_plumbers_are_locked,
    "proto_register_plumber was called from proto_plumb of kernel: it takes the plumbers' mutex")
{
	the = attached_interface("x", 0);
	CHECK_EQ(proto_register_plumber(PF_INET, 1234, plumb_and_register, NULL), 0);
	(void)dlil_plumb(the, PF_INET);
}

/* What another interface has is free. */
KTEST(other_interfaces_are_not_locked)
{
	packet_comes(touch_the_other, touch_the_other);
	iflt_detach(its_filter);
}

KTEST_SUITE(kpi_rule, SLEEPERS(SLEEPS_ENTRY) T(without_waiting_a_spin_lock_may_be_held),
    T(in_demux_the_interface_is_locked), T(in_a_filter_the_filters_are_locked),
    T(an_interface_is_not_attached_by_itself), T(in_a_plumber_the_plumbers_are_locked),
    T(other_interfaces_are_not_locked));
