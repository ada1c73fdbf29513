/*
 * A kernel control, com.example.opener, that opens sockets, for others to filter: option 1 is how many of UDP
 * over IPv4 the kext has. Setting option 2 panics. Option 3 is who asks for it: "pid name". Setting option 4
 * makes so many more controls, com.example.opener.1 and so on. Option 5 is as long as whoever asks likes.
 */
#include <kern/debug.h>
#include <mach/mach_types.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/errno.h>
#include <sys/kern_control.h>
#include <sys/kpi_socket.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/systm.h>

#define SOCKETS_MOST	8
#define CONTROLS_MOST	1000

kern_return_t opener_start(kmod_info_t *ki, void *data);
kern_return_t opener_stop(kmod_info_t *ki, void *data);

static kern_ctl_ref control;
static socket_t sockets[SOCKETS_MOST];
static int count;
static kern_ctl_ref more[CONTROLS_MOST];
static int more_count;

static errno_t
become(int wanted)
{
	errno_t error = 0;

	if (wanted < 0 || wanted > SOCKETS_MOST)
		return EINVAL;
	while (error == 0 && count < wanted) {
		error = sock_socket(PF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, NULL, &sockets[count]);
		count += error == 0;
	}
	while (count > wanted)
		sock_close(sockets[--count]);
	return error;
}

static errno_t
opener_connect(kern_ctl_ref ref, struct sockaddr_ctl *sac, void **unitinfo)
{
	(void)ref;
	(void)sac;
	*unitinfo = NULL;
	return 0;
}

static errno_t
make_controls(int wanted)
{
	struct kern_ctl_reg reg = {.ctl_connect = opener_connect};
	errno_t error = 0;

	if (wanted < 0 || wanted > CONTROLS_MOST)
		return EINVAL;
	while (error == 0 && more_count < wanted) {
		snprintf(reg.ctl_name, sizeof reg.ctl_name, "com.example.opener.%d", more_count + 1);
		error = ctl_register(&reg, &more[more_count]);
		more_count += error == 0;
	}
	return error;
}

static errno_t
opener_setopt(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, int opt, void *data, size_t len)
{
	int wanted;

	(void)ref;
	(void)unit;
	(void)unitinfo;
	if (opt == 2)
		panic("opener: a panic that was asked for");
	if (opt != 1 && opt != 4)
		return ENOPROTOOPT;
	if (len != sizeof wanted)
		return EINVAL;
	memcpy(&wanted, data, sizeof wanted);
	return opt == 1 ? become(wanted) : make_controls(wanted);
}

static errno_t
opener_getopt(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, int opt, void *data, size_t *len)
{
	char name[MAXCOMLEN + 1];

	(void)ref;
	(void)unit;
	(void)unitinfo;
	if (opt == 3 && data != NULL) {
		proc_selfname(name, sizeof name);
		*len = (size_t)snprintf(data, *len, "%d %s", proc_selfpid(), name);
		return 0;
	}
	if (opt == 5 && data != NULL) {
		memset(data, 0x5a, *len);
		return 0;
	}
	if (opt != 1)
		return ENOPROTOOPT;
	if (data != NULL && *len < sizeof count)
		return EINVAL;
	if (data != NULL)
		memcpy(data, &count, sizeof count);
	*len = sizeof count;
	return 0;
}

kern_return_t
opener_start(kmod_info_t *ki, void *data)
{
	struct kern_ctl_reg reg = {
		.ctl_name = "com.example.opener", .ctl_connect = opener_connect,
		.ctl_setopt = opener_setopt, .ctl_getopt = opener_getopt,
	};

	(void)ki;
	(void)data;
	return ctl_register(&reg, &control) == 0 ? KERN_SUCCESS : KERN_FAILURE;
}

kern_return_t
opener_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	if (control != NULL && ctl_deregister(control) != 0)
		return KERN_FAILURE;
	control = NULL;
	for (; more_count > 0; more_count--)
		if (ctl_deregister(more[more_count - 1]) != 0)
			return KERN_FAILURE;
	return become(0) == 0 ? KERN_SUCCESS : KERN_FAILURE;
}
