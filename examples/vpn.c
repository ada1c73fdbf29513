/*
 * vpn: takes IPv4 packets for one network out of the stack and gives them to a daemon in user space, which
 * sends them to the other end in whatever way it likes; what the daemon brings from there goes in.
 *
 * Three interfaces work together. The IP filter takes the packets. The kernel control carries them to and
 * from the daemon, which says by an option which network it is about. The socket filter knows the daemon's
 * own sockets, by who makes them, and marks what they send: so the tunnel does not go through itself, even
 * if its other end lies in that network. While no daemon is connected programs get ENETUNREACH at once
 * instead of sending in clear what should not be.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/errno.h>
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kern_control.h>
#include <sys/kpi_mbuf.h>
#include <sys/kpi_socketfilter.h>
#include <sys/proc.h>
#include <kern/locks.h>
#include <mach/mach_types.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/kpi_ipfilter.h>

#include "vpn.h"

#define HANDLE	0x76706e00u		/* "vpn" */

kern_return_t vpn_start(kmod_info_t *ki, void *data);
kern_return_t vpn_stop(kmod_info_t *ki, void *data);

/* All of it under `lock`. */
static struct vpn_network network;	/* all 0: not told yet */
static struct vpn_counts counts;
static uint32_t daemon_unit;		/* of the one client, 0 none */
static int daemon_pid;
static bool sockets_filtered, packets_filtered;	/* these filters can still be called */

static mbuf_tag_id_t tag_id;
static kern_ctl_ref control;
static ipfilter_t packet_filter;
static lck_grp_t *lock_group;
static lck_mtx_t *lock;

/* ---- the daemon's own sockets ------------------------------------------------------------- */

/* The cookie is not NULL for a socket of the daemon. */
static errno_t
attach(void **cookie, socket_t so)
{
	(void)so;
	lck_mtx_lock(lock);
	*cookie = daemon_unit != 0 && proc_selfpid() == daemon_pid ? &daemon_pid : NULL;
	lck_mtx_unlock(lock);
	return 0;
}

static void
detach(void *cookie, socket_t so)
{
	(void)cookie;
	(void)so;
}

/* The mark stays on the packet on its way down. */
static errno_t
data_out(void *cookie, socket_t so, const struct sockaddr *to, mbuf_t *data, mbuf_t *control_data,
    sflt_data_flag_t flags)
{
	void *mark;

	(void)so;
	(void)to;
	(void)control_data;
	(void)flags;
	return cookie != NULL ? mbuf_tag_allocate(*data, tag_id, 1, 1, MBUF_WAITOK, &mark) : 0;
}

static void
filter_gone(bool *filtered)
{
	lck_mtx_lock(lock);
	*filtered = false;
	wakeup(filtered);
	lck_mtx_unlock(lock);
}

static void
unregistered(sflt_handle handle)
{
	(void)handle;
	filter_gone(&sockets_filtered);
}

/* ---- packets ------------------------------------------------------------------------------ */

static bool
in_network(struct in_addr a)
{
	uint8_t bytes[4];

	memcpy(bytes, &a, sizeof bytes);
	for (unsigned i = 0; i < 4; i++)
		if ((bytes[i] & network.mask[i]) != network.address[i])
			return false;
	return network.mask[0] != 0;
}

static bool
marked(mbuf_t m)
{
	size_t len;
	void *mark;

	return mbuf_tag_find(m, tag_id, 1, &len, &mark) == 0;
}

static errno_t
give_to_daemon(mbuf_t *data, uint32_t unit)
{
	errno_t error;

	mbuf_outbound_finalize(*data, PF_INET, 0);	/* checksums that hardware would have made */
	error = ctl_enqueuembuf(control, unit, *data, CTL_DATA_EOR);
	lck_mtx_lock(lock);
	if (error == 0)
		counts.out++;
	else
		counts.lost++;
	lck_mtx_unlock(lock);
	return error == 0 ? EJUSTRETURN : error;
}

static errno_t
packet_out(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	struct in_addr to;
	uint32_t unit;
	bool ours;

	(void)cookie;
	(void)options;
	if (mbuf_copydata(*data, offsetof(struct ip, ip_dst), sizeof to, &to) != 0 || marked(*data))
		return 0;
	lck_mtx_lock(lock);
	ours = in_network(to);
	unit = daemon_unit;
	if (ours && unit == 0)
		counts.refused++;
	lck_mtx_unlock(lock);
	if (!ours)
		return 0;
	return unit != 0 ? give_to_daemon(data, unit) : ENETUNREACH;
}

static void
packet_filter_gone(void *cookie)
{
	(void)cookie;
	filter_gone(&packets_filtered);
}

/* ---- the control -------------------------------------------------------------------------- */

static errno_t
daemon_connects(kern_ctl_ref ref, struct sockaddr_ctl *sac, void **unitinfo)
{
	errno_t error = 0;

	(void)ref;
	*unitinfo = NULL;
	lck_mtx_lock(lock);
	if (daemon_unit != 0) {
		error = EBUSY;
	} else {
		daemon_unit = sac->sc_unit;
		daemon_pid = proc_selfpid();
	}
	lck_mtx_unlock(lock);
	return error;
}

/* Comes for a client that was refused, too. The network stays: what is for it is not sent in clear. */
static errno_t
daemon_goes(kern_ctl_ref ref, u_int32_t unit, void *unitinfo)
{
	(void)ref;
	(void)unitinfo;
	lck_mtx_lock(lock);
	if (daemon_unit == unit)
		daemon_unit = 0;
	lck_mtx_unlock(lock);
	return 0;
}

/* A packet from the other end: as if it had come in. */
static errno_t
daemon_sends(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, mbuf_t m, int flags)
{
	errno_t error;

	(void)ref;
	(void)unit;
	(void)unitinfo;
	(void)flags;
	error = ipf_inject_input(m, NULL);
	if (error != 0) {
		mbuf_freem(m);
		return error;
	}
	lck_mtx_lock(lock);
	counts.in++;
	lck_mtx_unlock(lock);
	return 0;
}

static errno_t
set_option(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, int option, void *data, size_t len)
{
	struct vpn_network n;

	(void)ref;
	(void)unit;
	(void)unitinfo;
	if (option != VPN_NETWORK)
		return ENOPROTOOPT;
	if (len != sizeof n)
		return EINVAL;
	memcpy(&n, data, sizeof n);
	for (unsigned i = 0; i < 4; i++)
		n.address[i] &= n.mask[i];
	lck_mtx_lock(lock);
	network = n;
	lck_mtx_unlock(lock);
	return 0;
}

static errno_t
get_option(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, int option, void *data, size_t *len)
{
	(void)ref;
	(void)unit;
	(void)unitinfo;
	if (option != VPN_COUNTS)
		return ENOPROTOOPT;
	if (data != NULL) {
		if (*len < sizeof counts)
			return EINVAL;
		lck_mtx_lock(lock);
		memcpy(data, &counts, sizeof counts);
		lck_mtx_unlock(lock);
	}
	*len = sizeof counts;
	return 0;
}

/* ---- start and stop ----------------------------------------------------------------------- */

static void
wait_until_gone(const bool *filtered)
{
	lck_mtx_lock(lock);
	while (*filtered)
		msleep((void *)(uintptr_t)filtered, lock, PWAIT, "vpn", NULL);
	lck_mtx_unlock(lock);
}

static void
remove_filters(void)
{
	if (packets_filtered)
		ipf_remove(packet_filter);
	sflt_unregister(HANDLE);
	wait_until_gone(&packets_filtered);
	wait_until_gone(&sockets_filtered);
}

static errno_t
add_filters(void)
{
	struct sflt_filter s = {
		.sf_handle = HANDLE, .sf_flags = SFLT_GLOBAL, .sf_name = "vpn",
		.sf_unregistered = unregistered, .sf_attach = attach, .sf_detach = detach,
		.sf_data_out = data_out,
	};
	struct ipf_filter p = {
		.name = "vpn", .ipf_output = packet_out, .ipf_detach = packet_filter_gone,
	};
	errno_t error = sflt_register(&s, PF_INET, SOCK_DGRAM, IPPROTO_UDP);

	if (error != 0)
		return error;
	sockets_filtered = true;
	error = ipf_addv4(&p, &packet_filter);
	packets_filtered = error == 0;
	return error;
}

static void
free_lock(void)
{
	lck_mtx_free(lock, lock_group);
	lck_grp_free(lock_group);
}

kern_return_t
vpn_start(kmod_info_t *ki, void *data)
{
	struct kern_ctl_reg reg = {
		.ctl_name = VPN_CONTROL, .ctl_flags = CTL_FLAG_PRIVILEGED, .ctl_sendsize = 64 * 1024,
		.ctl_recvsize = 256 * 1024, .ctl_connect = daemon_connects,
		.ctl_disconnect = daemon_goes, .ctl_send = daemon_sends,
		.ctl_setopt = set_option, .ctl_getopt = get_option,
	};

	(void)ki;
	(void)data;
	if (mbuf_tag_id_find("org.libnke.vpn", &tag_id) != 0)
		return KERN_FAILURE;
	lock_group = lck_grp_alloc_init("vpn", LCK_GRP_ATTR_NULL);
	lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	if (ctl_register(&reg, &control) != 0) {
		free_lock();
		return KERN_FAILURE;
	}
	if (add_filters() == 0)
		return KERN_SUCCESS;
	remove_filters();
	ctl_deregister(control);
	free_lock();
	return KERN_FAILURE;
}

kern_return_t
vpn_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	if (ctl_deregister(control) != 0)
		return KERN_FAILURE;		/* the daemon is connected: the kext stays */
	remove_filters();
	printf("%u packets out, %u in, %u lost\n", counts.out, counts.in, counts.lost);
	free_lock();
	return KERN_SUCCESS;
}
