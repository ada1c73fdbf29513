/*
 * The kext of fuzz_ctl: two kernel controls whose callbacks do what the bytes that they are given say, two at
 * a time: what (enum act) and an argument. It is a client of controls itself.
 */
#include <IOKit/IOLib.h>
#include <kern/thread.h>
#include <mach/mach_types.h>
#include <string.h>
#include <sys/errno.h>
#include <sys/kern_control.h>
#include <sys/kern_event.h>
#include <sys/kpi_mbuf.h>
#include <sys/kpi_socket.h>

#define CONTROLS	3		/* datagrams, stream, one with a unit of its own */
#define CLIENTS		4
#define DEPTH		5		/* callbacks within callbacks */
#define ACTS		8		/* of one callback */

int fuzz_ctl_start(void *kmod, void *data);
int fuzz_ctl_stop(void *kmod, void *data);

enum act {
	PUT, PUT_PACKET, SPACE, CONNECT, SEND, RECEIVE, CLOSE, RETAIN, RELEASE, DEREGISTER, REGISTER, POST,
	LATER, SLEEP, ANSWER, LENGTH, ALL_ACTS
};

static struct {
	kern_ctl_ref controls[CONTROLS];
	socket_t clients[CLIENTS];
	unsigned retained[CLIENTS];
	bool upcall_closes;
	unsigned depth;
	u_int32_t vendor;
	errno_t answer;
	size_t length;
	struct {
		kern_ctl_ref ref;
		u_int32_t unit;
		uint8_t argument;
	} later;
} s;

static errno_t c_connect(kern_ctl_ref, struct sockaddr_ctl *, void **);
static errno_t c_disconnect(kern_ctl_ref, u_int32_t, void *);
static errno_t c_send(kern_ctl_ref, u_int32_t, void *, mbuf_t, int);
static errno_t c_setopt(kern_ctl_ref, u_int32_t, void *, int, void *, size_t);
static errno_t c_getopt(kern_ctl_ref, u_int32_t, void *, int, void *, size_t *);

static void
add_control(unsigned i)
{
	static const char *const names[CONTROLS] = {"dgram", "stream", "unit"};
	struct kern_ctl_reg reg = {
		.ctl_id = 1000, .ctl_unit = 7, .ctl_connect = c_connect, .ctl_disconnect = c_disconnect,
		.ctl_send = c_send, .ctl_setopt = c_setopt, .ctl_getopt = c_getopt,
		.ctl_flags = i == 1 ? CTL_FLAG_REG_SOCK_STREAM : i == 2 ? CTL_FLAG_REG_ID_UNIT : 0,
	};

	if (s.controls[i] != NULL)
		return;
	strlcpy(reg.ctl_name, names[i], sizeof reg.ctl_name);
	if (ctl_register(&reg, &s.controls[i]) != 0)
		s.controls[i] = NULL;
}

static void
remove_control(unsigned i)
{
	if (s.controls[i] != NULL && ctl_deregister(s.controls[i]) == 0)
		s.controls[i] = NULL;
}

/* ---- as a client -------------------------------------------------------------------------- */

static void
close_client(unsigned i)
{
	socket_t so = s.clients[i];

	if (so == NULL)
		return;
	s.clients[i] = NULL;
	sock_close(so);
	for (; s.retained[i] != 0; s.retained[i]--)
		sock_release(so);
}

static void
receive(socket_t so)
{
	mbuf_t m = NULL;
	size_t len = 1000;

	if (sock_receivembuf(so, NULL, &m, MSG_DONTWAIT, &len) == 0)
		mbuf_freem(m);
}

static void
upcall(socket_t so, void *cookie, int waitf)
{
	unsigned i = (unsigned)(uintptr_t)cookie;

	(void)waitf;
	receive(so);
	if (s.upcall_closes && s.clients[i] == so)
		close_client(i);
}

static void
connect_client(unsigned i, uint8_t argument)
{
	struct sockaddr_ctl sac = {
		.sc_len = sizeof sac, .sc_family = AF_SYSTEM, .ss_sysaddr = AF_SYS_CONTROL,
		.sc_id = argument & 0x80 ? 1000 : (argument & 3) + 1, .sc_unit = argument & 0x80 ? 7 : 0,
	};

	if (s.clients[i] == NULL && sock_socket(PF_SYSTEM, argument & 4 ? SOCK_STREAM : SOCK_DGRAM,
	    SYSPROTO_CONTROL, argument & 8 ? upcall : NULL, (void *)(uintptr_t)i, &s.clients[i]) != 0)
		return;
	sock_retain(s.clients[i]);
	s.retained[i]++;
	(void)sock_connect(s.clients[i], (struct sockaddr *)&sac, 0);
}

static void
send_as_client(unsigned i, uint8_t argument)
{
	uint8_t bytes[16];
	struct iovec iov = {bytes, argument & 15};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	memset(bytes, argument >> 4, sizeof bytes);
	if (s.clients[i] != NULL)
		(void)sock_send(s.clients[i], &msg, MSG_DONTWAIT, NULL);
}

/* What is sent. */
static char filler[256 * 37];

/* ---- acts --------------------------------------------------------------------------------- */

static void
put_packet(kern_ctl_ref ref, u_int32_t unit, uint8_t argument)
{
	mbuf_t m;

	if (mbuf_gethdr(MBUF_DONTWAIT, MBUF_TYPE_DATA, &m) != 0)
		return;
	if (mbuf_copyback(m, 0, argument * 5u + 1, filler, MBUF_DONTWAIT) != 0 ||
	    ctl_enqueuembuf(ref, unit, m, argument & 3) != 0)
		mbuf_freem(m);
}

static void
put_later(void *parameter, wait_result_t why)
{
	(void)parameter;
	(void)why;
	IOSleep(s.later.argument & 63);
	(void)ctl_enqueuedata(s.later.ref, s.later.unit, filler, s.later.argument, CTL_DATA_EOR);
}

static void
start_later(kern_ctl_ref ref, u_int32_t unit, uint8_t argument)
{
	thread_t thread;

	s.later.ref = ref;
	s.later.unit = unit;
	s.later.argument = argument;
	if (kernel_thread_start(put_later, NULL, &thread) == KERN_SUCCESS)
		thread_deallocate(thread);
}

static void
post(uint8_t argument)
{
	struct kev_msg msg = {.vendor_code = argument & 1 ? s.vendor : argument, .event_code = argument,
	    .dv = {{argument, filler}, {argument & 7, filler}}};

	(void)kev_msg_post(&msg);
}

static void
act(kern_ctl_ref ref, u_int32_t unit, uint8_t what, uint8_t argument)
{
	unsigned client = argument % CLIENTS, control = argument % CONTROLS;
	size_t space;
	u_int32_t missing;
	socket_t so;

	switch ((enum act)(what % ALL_ACTS)) {
	case PUT:
		(void)ctl_enqueuedata(ref, unit, filler, argument * 37u, argument & 3);
		break;
	case PUT_PACKET:
		put_packet(ref, unit, argument);
		break;
	case SPACE:
		(void)ctl_getenqueuespace(ref, unit + argument, &space);
		(void)ctl_getenqueuereadable(ref, unit, &missing);
		break;
	case CONNECT:
		connect_client(argument >> 4 & 3, argument);
		break;
	case SEND:
		send_as_client(client, argument);
		break;
	case RECEIVE:
		if (s.clients[client] != NULL)
			receive(s.clients[client]);
		break;
	case CLOSE:
		s.upcall_closes = argument & 0x80;
		close_client(client);
		break;
	case RETAIN:
	case RELEASE:
		so = s.clients[client];
		if (so == NULL)
			break;
		sock_retain(so);
		sock_release(so);
		break;
	case DEREGISTER:
		remove_control(control);
		break;
	case REGISTER:
		add_control(control);
		break;
	case POST:
		post(argument);
		break;
	case LATER:
		start_later(ref, unit, argument);
		break;
	case SLEEP:
		IOSleep(argument & 15);
		break;
	case ANSWER:
		s.answer = argument & 0x80 ? argument & 0x7f : 0;
		break;
	case LENGTH:
		s.length = argument;
		break;
	case ALL_ACTS:
		break;
	}
}

static errno_t
do_acts(kern_ctl_ref ref, u_int32_t unit, const uint8_t *bytes, size_t len)
{
	if (s.depth >= DEPTH)
		return EAGAIN;
	s.depth++;
	for (size_t i = 0; i + 1 < len && i < 2 * ACTS; i += 2)
		act(ref, unit, bytes[i], bytes[i + 1]);
	s.depth--;
	return s.answer;
}

/* ---- callbacks ---------------------------------------------------------------------------- */

static errno_t
c_connect(kern_ctl_ref ref, struct sockaddr_ctl *sac, void **unitinfo)
{
	*unitinfo = (void *)(uintptr_t)sac->sc_unit;
	return do_acts(ref, sac->sc_unit, (const uint8_t *)sac + 12, 4);
}

static errno_t
c_disconnect(kern_ctl_ref ref, u_int32_t unit, void *unitinfo)
{
	static const uint8_t acts[] = {PUT, 1, DEREGISTER, 0, SLEEP, 1};

	if ((uintptr_t)unitinfo != unit)
		panic("unit %u has the info of %p", unit, unitinfo);
	return do_acts(ref, unit, acts, sizeof acts);
}

static errno_t
c_send(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, mbuf_t m, int flags)
{
	uint8_t bytes[2 * ACTS];
	size_t len = mbuf_pkthdr_len(m) < sizeof bytes ? mbuf_pkthdr_len(m) : sizeof bytes;

	(void)flags;
	if ((uintptr_t)unitinfo != unit)
		panic("unit %u has the info of %p", unit, unitinfo);
	if (mbuf_copydata(m, 0, len, bytes) != 0)
		panic("a message is shorter than it says");
	mbuf_freem(m);
	return do_acts(ref, unit, bytes, len);
}

static errno_t
c_setopt(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, int opt, void *data, size_t len)
{
	(void)unitinfo;
	(void)opt;
	if ((data == NULL) != (len == 0))
		panic("an option of %u bytes is at %p", (unsigned)len, data);
	return do_acts(ref, unit, data, len);
}

static errno_t
c_getopt(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, int opt, void *data, size_t *len)
{
	errno_t error = do_acts(ref, unit, data, data != NULL ? *len : 0);

	(void)unitinfo;
	(void)opt;
	if (data != NULL) {
		memset(data, 'x', *len);
		*len = *len < s.length ? *len : s.length;
	} else {
		*len = s.length;
	}
	return error;
}

/* ---- life --------------------------------------------------------------------------------- */

int
fuzz_ctl_start(void *kmod, void *data)
{
	(void)kmod;
	(void)data;
	memset(&s, 0, sizeof s);
	if (kev_vendor_code_find("org.example.fuzz", &s.vendor) != 0)
		return KERN_FAILURE;
	for (unsigned i = 0; i < CONTROLS; i++)
		add_control(i);
	return KERN_SUCCESS;
}

int
fuzz_ctl_stop(void *kmod, void *data)
{
	int result = KERN_SUCCESS;

	(void)kmod;
	(void)data;
	s.depth = DEPTH;
	for (unsigned i = 0; i < CLIENTS; i++)
		close_client(i);
	s.depth = 0;
	for (unsigned i = 0; i < CONTROLS; i++) {
		remove_control(i);
		if (s.controls[i] != NULL)
			result = KERN_FAILURE;
	}
	return result;
}
