/* A controller that notes what it is told, and clients of it: for tests of kernel control. */
#ifndef NKE_TESTS_KCTL_TESTING_H
#define NKE_TESTS_KCTL_TESTING_H

#include <sys/ioctl.h>
#include <sys/kern_control.h>
#include <sys/kern_event.h>

#include "src/kern/kern_control_private.h"
#include "tests/unit/mbuf_testing.h"
#include "tests/unit/sock_testing.h"
#include "tests/unit/trail.h"

/* What the controller does and has seen. Callbacks leave a letter in the trail: c d s o g. */
static struct {
	kern_ctl_ref ref;
	errno_t connect_error, send_error, option_error;
	bool sleeps;			/* in ctl_send */
	struct socket *closes;		/* in ctl_send and ctl_connect; NULL none */
	unsigned inside;
	struct sockaddr_ctl sac;
	uint32_t unit;
	void *unitinfo;
	int flags, opt;
	char data[4096];
	size_t len;
	bool no_data;
	size_t answer_len;
	errno_t deregister;		/* what ctl_deregister said in ctl_disconnect */
	errno_t enqueue;		/* what ctl_enqueuedata said in ctl_connect or ctl_disconnect */
} k;

static inline void
close_client(void)
{
	struct socket *so = k.closes;

	k.closes = NULL;
	if (so != NULL)
		(void)soclose(so);
}

static inline errno_t
k_connect(kern_ctl_ref ref, struct sockaddr_ctl *sac, void **unitinfo)
{
	mark('c');
	CHECK(ref == k.ref);
	k.sac = *sac;
	*unitinfo = (void *)(uintptr_t)(0x1000 + sac->sc_unit);
	k.enqueue = ctl_enqueuedata(ref, sac->sc_unit, (void *)(uintptr_t)"hello", 5, CTL_DATA_EOR);
	close_client();
	return k.connect_error;
}

static inline errno_t
k_disconnect(kern_ctl_ref ref, u_int32_t unit, void *unitinfo)
{
	mark('d');
	CHECK_EQ(k.inside, 0);
	k.unit = unit;
	k.unitinfo = unitinfo;
	k.deregister = ctl_deregister(ref);
	k.enqueue = ctl_enqueuedata(ref, unit, (void *)(uintptr_t)"bye", 3, 0);
	return EIO;
}

static inline errno_t
k_send(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, mbuf_t m, int flags)
{
	mark('s');
	CHECK(ref == k.ref);
	k.unit = unit;
	k.unitinfo = unitinfo;
	k.flags = flags;
	k.len = mbuf_pkthdr_len(m);
	if (k.len <= sizeof k.data)
		CHECK_EQ(mbuf_copydata(m, 0, k.len, k.data), 0);
	mbuf_freem(m);
	k.inside++;
	if (k.sleeps)
		sleep_for(50 * MS);
	close_client();
	k.inside--;
	return k.send_error;
}

static inline errno_t
k_setopt(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, int opt, void *data, size_t len)
{
	mark('o');
	CHECK(ref == k.ref && unitinfo == (void *)(uintptr_t)(0x1000 + unit));
	k.opt = opt;
	k.len = len;
	k.no_data = data == NULL;
	if (len != 0)
		memcpy(k.data, data, len < sizeof k.data ? len : sizeof k.data);
	return k.option_error;
}

static inline errno_t
k_getopt(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, int opt, void *data, size_t *len)
{
	mark('g');
	CHECK(ref == k.ref && unitinfo == (void *)(uintptr_t)(0x1000 + unit));
	k.opt = opt;
	k.len = *len;
	k.no_data = data == NULL;
	if (data != NULL) {
		memcpy(k.data, data, *len);
		memset(data, 'A', *len < k.answer_len ? *len : k.answer_len);
	}
	*len = k.answer_len;
	return k.option_error;
}

static inline struct kern_ctl_reg
k_reg(const char *name, u_int32_t flags)
{
	struct kern_ctl_reg reg = {
		.ctl_flags = flags, .ctl_connect = k_connect, .ctl_disconnect = k_disconnect,
		.ctl_send = k_send, .ctl_setopt = k_setopt, .ctl_getopt = k_getopt,
	};

	memcpy(reg.ctl_name, name, strnlen(name, sizeof reg.ctl_name));
	return reg;
}

/* Registers the controller that the callbacks are for; its id. */
static inline u_int32_t
k_register_flags(u_int32_t flags)
{
	struct kern_ctl_reg reg = k_reg("org.example.control", flags);

	memset(&k, 0, sizeof k);
	fresh_trail();
	CHECK_EQ(ctl_register(&reg, &k.ref), 0);
	return reg.ctl_id;
}

static inline u_int32_t
k_register(void)
{
	return k_register_flags(0);
}

static inline struct sockaddr_ctl
ctl_name(u_int32_t id, u_int32_t unit)
{
	struct sockaddr_ctl sac = {
		.sc_len = sizeof sac, .sc_family = AF_SYSTEM, .ss_sysaddr = AF_SYS_CONTROL, .sc_id = id,
		.sc_unit = unit,
	};

	return sac;
}

static inline struct socket *
control_socket(int type)
{
	struct socket *so = NULL;

	CHECK_EQ(socreate(curmachine(), PF_SYSTEM, type, SYSPROTO_CONTROL, &so), 0);
	return so;
}

static inline errno_t
connect_to(struct socket *so, u_int32_t id, u_int32_t unit)
{
	struct sockaddr_ctl sac = ctl_name(id, unit);

	return soconnect(so, (const struct sockaddr *)(const void *)&sac, 0);
}

/* A datagram client with its greeting read. */
static inline struct socket *
k_client(u_int32_t id)
{
	struct socket *so = control_socket(SOCK_DGRAM);

	CHECK_EQ(connect_to(so, id, 0), 0);
	CHECK_STR(receive_text(so), "hello");
	fresh_trail();
	return so;
}

static inline u_int32_t
unit_of(struct socket *so)
{
	struct sockaddr_storage ss;
	struct sockaddr_ctl sac;

	CHECK_EQ(sogetpeername(so, &ss), 0);
	memcpy(&sac, &ss, sizeof sac);
	return sac.sc_unit;
}

static inline errno_t
put(u_int32_t unit, const char *text, u_int32_t flags)
{
	return ctl_enqueuedata(k.ref, unit, (void *)(uintptr_t)text, strlen(text), flags);
}

#endif
