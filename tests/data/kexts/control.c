/*
 * Two kernel controls that send back what they are sent: com.example.echo (datagrams) and
 * com.example.echo.stream, which is for the superuser. Option 1 keeps a value; option 2 is how many
 * clients have gone; setting option 3 posts an event of vendor "com.example.echo" with the value as its
 * data; setting option 4 to n sends n messages, of a number each, from a thread of the kext's.
 */
#include <kern/thread.h>
#include <mach/mach_types.h>
#include <libkern/libkern.h>
#include <string.h>
#include <sys/errno.h>
#include <sys/kern_control.h>
#include <sys/kern_event.h>

#define VALUE_MOST	100

static kern_ctl_ref controls[2];
static char value[VALUE_MOST];
static size_t value_len;
static int gone;
static u_int32_t vendor;

static errno_t
echo_connect(kern_ctl_ref ref, struct sockaddr_ctl *sac, void **unitinfo)
{
	*unitinfo = ref;
	return sac->sc_unit == 13 ? EACCES : 0;
}

static errno_t
echo_disconnect(kern_ctl_ref ref, u_int32_t unit, void *unitinfo)
{
	(void)ref;
	(void)unit;
	(void)unitinfo;
	gone++;
	return 0;
}

static errno_t
echo_send(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, mbuf_t m, int flags)
{
	errno_t error;

	(void)unitinfo;
	(void)flags;
	error = ctl_enqueuembuf(ref, unit, m, CTL_DATA_EOR);
	if (error != 0)
		mbuf_freem(m);
	return error;
}

struct counting {
	kern_ctl_ref ref;
	u_int32_t unit;
	int count;
};
static struct counting counting;

static void
count(void *parameter, wait_result_t why)
{
	struct counting c = counting;

	(void)parameter;
	(void)why;
	for (int i = 0; i < c.count; i++)
		(void)ctl_enqueuedata(c.ref, c.unit, &i, sizeof i, CTL_DATA_EOR);
}

static errno_t
echo_setopt(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, int opt, void *data, size_t len)
{
	struct kev_msg event = {.vendor_code = vendor, .kev_class = 1, .kev_subclass = 2, .event_code = 3};
	thread_t thread;

	(void)unitinfo;
	if (len > VALUE_MOST)
		return EMSGSIZE;
	switch (opt) {
	case 1:
		memcpy(value, data, len);
		value_len = len;
		return 0;
	case 3:
		event.dv[0].data_ptr = data;
		event.dv[0].data_length = (u_int32_t)len;
		return kev_msg_post(&event);
	case 4:
		counting = (struct counting){ref, unit, 0};
		memcpy(&counting.count, data, sizeof counting.count);
		if (kernel_thread_start(count, NULL, &thread) != KERN_SUCCESS)
			return ENOMEM;
		thread_deallocate(thread);
		return 0;
	default:
		return ENOPROTOOPT;
	}
}

static errno_t
echo_getopt(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, int opt, void *data, size_t *len)
{
	const void *from = opt == 1 ? (void *)value : &gone;
	size_t size = opt == 1 ? value_len : sizeof gone;

	(void)ref;
	(void)unit;
	(void)unitinfo;
	if (opt != 1 && opt != 2)
		return ENOPROTOOPT;
	if (data != NULL && *len < size)
		return ENOBUFS;
	if (data != NULL)
		memcpy(data, from, size);
	*len = size;
	return 0;
}

kern_return_t
control_stop(kmod_info_t *ki, void *d)
{
	(void)ki;
	(void)d;
	for (int i = 0; i < 2; i++) {
		if (controls[i] != NULL && ctl_deregister(controls[i]) != 0)
			return KERN_FAILURE;
		controls[i] = NULL;
	}
	return KERN_SUCCESS;
}

kern_return_t
control_start(kmod_info_t *ki, void *d)
{
	struct kern_ctl_reg reg = {
		.ctl_name = "com.example.echo", .ctl_recvsize = 65536, .ctl_connect = echo_connect,
		.ctl_disconnect = echo_disconnect, .ctl_send = echo_send, .ctl_setopt = echo_setopt,
		.ctl_getopt = echo_getopt,
	};

	if (kev_vendor_code_find("com.example.echo", &vendor) != 0 || ctl_register(&reg, &controls[0]) != 0)
		return KERN_FAILURE;
	strlcpy(reg.ctl_name, "com.example.echo.stream", sizeof reg.ctl_name);
	reg.ctl_flags = CTL_FLAG_REG_SOCK_STREAM | CTL_FLAG_PRIVILEGED;
	if (ctl_register(&reg, &controls[1]) != 0) {
		(void)control_stop(ki, d);
		return KERN_FAILURE;
	}
	return KERN_SUCCESS;
}
