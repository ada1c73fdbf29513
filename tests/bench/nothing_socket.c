/*
 * A socket filter for TCP and UDP over both versions of IP, at every socket, that has every callback and
 * does nothing in any: what a filter costs by being there, and that it changes nothing.
 */
#include <libkern/libkern.h>
#include <mach/mach_types.h>
#include <netinet/in.h>
#include <sys/kpi_socketfilter.h>
#include <sys/socket.h>
#include <IOKit/IOLib.h>

#define FIRST_HANDLE	0x6e6f7430u	/* "not0" */
#define KINDS		4u

static const struct {
	int domain, type, protocol;
} kinds[KINDS] = {
	{PF_INET, SOCK_STREAM, IPPROTO_TCP}, {PF_INET6, SOCK_STREAM, IPPROTO_TCP},
	{PF_INET, SOCK_DGRAM, IPPROTO_UDP}, {PF_INET6, SOCK_DGRAM, IPPROTO_UDP},
};
static volatile unsigned registered, attached;

static void
unregistered(sflt_handle handle)
{
	(void)handle;
	registered--;
}

static errno_t
attach(void **cookie, socket_t so)
{
	(void)so;
	*cookie = NULL;
	attached++;
	return 0;
}

static void
detach(void *cookie, socket_t so)
{
	(void)cookie; (void)so;
	attached--;
}

static void
notify(void *cookie, socket_t so, sflt_event_t event, void *param)
{
	(void)cookie; (void)so; (void)event; (void)param;
}

static int
get_name(void *cookie, socket_t so, struct sockaddr **sa)
{
	(void)cookie; (void)so; (void)sa;
	return 0;
}

static errno_t
data(void *cookie, socket_t so, const struct sockaddr *peer, mbuf_t *m, mbuf_t *control,
    sflt_data_flag_t flags)
{
	(void)cookie; (void)so; (void)peer; (void)m; (void)control; (void)flags;
	return 0;
}

static errno_t
address(void *cookie, socket_t so, const struct sockaddr *sa)
{
	(void)cookie; (void)so; (void)sa;
	return 0;
}

static errno_t
option(void *cookie, socket_t so, sockopt_t opt)
{
	(void)cookie; (void)so; (void)opt;
	return 0;
}

static errno_t
listen_(void *cookie, socket_t so)
{
	(void)cookie; (void)so;
	return 0;
}

static errno_t
ioctl_(void *cookie, socket_t so, unsigned long request, const char *argp)
{
	(void)cookie; (void)so; (void)request; (void)argp;
	return 0;
}

static errno_t
accept_(void *cookie, socket_t listener, socket_t so, const struct sockaddr *local,
    const struct sockaddr *remote)
{
	(void)cookie; (void)listener; (void)so; (void)local; (void)remote;
	return 0;
}

/* All go at once; their sockets may stay, which takes until the last callback has returned. */
static void
unregister(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		(void)sflt_unregister(FIRST_HANDLE + i);
	for (int i = 0; i < 1000 && registered != 0; i++)
		IOSleep(1);
}

kern_return_t nothing_socket_start(kmod_info_t *, void *);
kern_return_t nothing_socket_stop(kmod_info_t *, void *);

kern_return_t
nothing_socket_start(kmod_info_t *ki, void *d)
{
	struct sflt_filter f = {
		.sf_flags = SFLT_GLOBAL | SFLT_EXTENDED, .sf_name = "nothing_socket",
		.sf_unregistered = unregistered, .sf_attach = attach, .sf_detach = detach,
		.sf_notify = notify, .sf_getpeername = get_name, .sf_getsockname = get_name,
		.sf_data_in = data, .sf_data_out = data, .sf_connect_in = address,
		.sf_connect_out = address, .sf_bind = address, .sf_setoption = option,
		.sf_getoption = option, .sf_listen = listen_, .sf_ioctl = ioctl_,
		.sf_len = sizeof f.sf_ext, .sf_accept = accept_,
	};

	(void)ki; (void)d;
	for (unsigned i = 0; i < KINDS; i++) {
		f.sf_handle = FIRST_HANDLE + i;
		if (sflt_register(&f, kinds[i].domain, kinds[i].type, kinds[i].protocol) != 0) {
			unregister(i);
			return KERN_FAILURE;
		}
		registered++;
	}
	return KERN_SUCCESS;
}

kern_return_t
nothing_socket_stop(kmod_info_t *ki, void *d)
{
	(void)ki; (void)d;
	unregister(KINDS);
	return registered == 0 && attached == 0 ? KERN_SUCCESS : KERN_FAILURE;
}
