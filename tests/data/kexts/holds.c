/* A socket filter of all UDP sockets over IPv4 that are made, which does not stop while it has any. */
#include <mach/mach_types.h>
#include <netinet/in.h>
#include <sys/kpi_socketfilter.h>
#include <sys/socket.h>

#define HANDLE	0x686f6c64

kern_return_t holds_start(kmod_info_t *ki, void *data);
kern_return_t holds_stop(kmod_info_t *ki, void *data);

static int attached;

static errno_t
holds_attach(void **cookie, socket_t so)
{
	*cookie = so;
	attached++;
	return 0;
}

static void
holds_detach(void *cookie, socket_t so)
{
	(void)cookie;
	(void)so;
	attached--;
}

kern_return_t
holds_start(kmod_info_t *ki, void *data)
{
	const struct sflt_filter filter = {
		.sf_handle = HANDLE, .sf_flags = SFLT_GLOBAL, .sf_name = "com.example.holds",
		.sf_attach = holds_attach, .sf_detach = holds_detach,
	};

	(void)ki;
	(void)data;
	return sflt_register(&filter, PF_INET, SOCK_DGRAM, IPPROTO_UDP) == 0 ? KERN_SUCCESS : KERN_FAILURE;
}

kern_return_t
holds_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	if (attached != 0)
		return KERN_FAILURE;
	return sflt_unregister(HANDLE) == 0 ? KERN_SUCCESS : KERN_FAILURE;
}
