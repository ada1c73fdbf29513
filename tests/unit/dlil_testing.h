/*
 * What the interface tests share: a journal of who was called, a driver and a protocol that write
 * into it, and packets.
 */
#ifndef NKE_TESTS_DLIL_TESTING_H
#define NKE_TESTS_DLIL_TESTING_H

#include <net/ethernet.h>
#include <net/if_types.h>
#include <netinet/in.h>
#include <net/kpi_interfacefilter.h>
#include <net/kpi_protocol.h>
#include <string.h>
#include <sys/sockio.h>

#include "dlil/dlil.h"
#include "src/kern/kern_event.h"
#include "src/kern/klog.h"
#include "src/net/ifaddr.h"
#include "tests/unit/ktest.h"

#define UNUSED	__attribute__((unused))

/* ---- the journal -------------------------------------------------------------------------- */

static char journal[2048];
static size_t journal_len;

static inline void __attribute__((format(printf, 1, 2)))
note(const char *fmt, ...)
{
	va_list args;

	if (journal_len != 0 && journal_len < sizeof journal - 1)
		journal[journal_len++] = ' ';
	va_start(args, fmt);
	journal_len += (size_t)kvsnprintf(journal + journal_len, sizeof journal - journal_len, fmt, args);
	va_end(args);
	if (journal_len >= sizeof journal)
		journal_len = sizeof journal - 1;
}

/* What was noted since the last time, words separated by blanks. */
static inline const char *
said(void)
{
	static char text[sizeof journal];

	memcpy(text, journal, journal_len + 1);
	journal_len = 0;
	journal[0] = '\0';
	return text;
}

/* Soft interrupts run, and whoever can. */
static inline void
settle(void)
{
	sched_block(NULL, machine_now(curmachine()) + 1000, false, "the test settles");
}

/* ---- packets ------------------------------------------------------------------------------ */

/* A packet as a driver brings it: `frame` with `hdrlen` bytes of header in front of the data. */
static inline struct mbuf *
packet_in(struct ifnet *ifp, const void *frame, size_t len, size_t hdrlen)
{
	struct mbuf *m = m_devget(curmachine(), frame, len, 0);

	CHECK(m != NULL);
	m->m_pkthdr.rcvif = ifp;
	m->m_pkthdr.header = m->m_data;
	m->m_data += hdrlen;
	m->m_len -= (int32_t)hdrlen;
	m->m_pkthdr.len -= (int32_t)hdrlen;
	return m;
}

static inline struct mbuf *
packet(const char *text)
{
	struct mbuf *m = m_devget(curmachine(), text, strlen(text), 32);

	CHECK(m != NULL);
	return m;
}

/* Its first byte: what the journal calls it. */
static inline char
name_of(const struct mbuf *m)
{
	return m->m_len > 0 ? *m->m_data : '-';
}

static inline struct mbuf *
list_of(struct mbuf *a, struct mbuf *b, struct mbuf *c)
{
	a->m_nextpkt = b;
	if (b != NULL)
		b->m_nextpkt = c;
	return a;
}

/* ---- a driver ----------------------------------------------------------------------------- */

/*
 * Frames start with one byte that names the family: '2' PF_INET, '3' PF_INET6, '7' family 77, 'k'
 * the driver keeps the packet, others unknown. What the callbacks answer can be set; `on_*` runs
 * first.
 */
static struct driver {
	errno_t output_error, add_error, del_error, ioctl_error, check_error, framer_error;
	unsigned long last_ioctl;
	void (*on_output)(void), (*on_demux)(void), (*on_event)(void), (*on_ioctl)(void);
	void (*on_detach)(struct ifnet *);
	bool quiet_output;
} drv;

static errno_t UNUSED
drv_output(struct ifnet *ifp, struct mbuf *m)
{
	(void)ifp;
	if (!drv.quiet_output)
		note("out:%c", name_of(m));
	if (drv.on_output != NULL)
		drv.on_output();
	m_freem(m);
	return drv.output_error;
}

static errno_t UNUSED
drv_demux(struct ifnet *ifp, struct mbuf *m, char *frame, protocol_family_t *family)
{
	(void)ifp;
	if (drv.on_demux != NULL)
		drv.on_demux();
	switch (*frame) {
	case '2':
		*family = PF_INET;
		return 0;
	case '3':
		*family = PF_INET6;
		return 0;
	case '7':
		*family = 77;
		return 0;
	case 'p':
		m->m_flags |= MBUF_PROMISC;
		*family = PF_INET;
		return 0;
	case 'k':
		note("demux-keeps");
		m_freem(m);
		return EJUSTRETURN;
	default:
		return ENOENT;
	}
}

static errno_t UNUSED
drv_add_proto(struct ifnet *ifp, protocol_family_t family, const struct ifnet_demux_desc *d,
    u_int32_t count)
{
	(void)ifp;
	(void)d;
	note("add:%u/%u", family, count);
	return drv.add_error;
}

static errno_t UNUSED
drv_del_proto(struct ifnet *ifp, protocol_family_t family)
{
	(void)ifp;
	note("del:%u", family);
	return drv.del_error;
}

static errno_t UNUSED
drv_framer(struct ifnet *ifp, struct mbuf **m, const struct sockaddr *dst, const char *dest,
    const char *type)
{
	(void)ifp;
	(void)dst;
	note("frame:%c%c%c", name_of(*m), dest[0] != '\0' ? dest[0] : '0',
	    type[0] != '\0' ? type[0] : '0');
	if (drv.framer_error == EJUSTRETURN)
		m_freem(*m);
	return drv.framer_error;
}

static errno_t UNUSED
drv_ioctl(struct ifnet *ifp, unsigned long command, void *argument)
{
	(void)ifp;
	drv.last_ioctl = command;
	note("ioctl:%u%s", (unsigned)(command & 0xff), argument != NULL ? "+" : "");
	if (drv.on_ioctl != NULL)
		drv.on_ioctl();
	return drv.ioctl_error;
}

static errno_t UNUSED
drv_check_multi(struct ifnet *ifp, const struct sockaddr *sa)
{
	(void)ifp;
	note("check:%u", sa->sa_family);
	return drv.check_error;
}

static void UNUSED
drv_detached(struct ifnet *ifp)
{
	note("detached");
	if (drv.on_detach != NULL)
		drv.on_detach(ifp);
}

static void UNUSED
drv_event(struct ifnet *ifp, const struct kev_msg *msg)
{
	(void)ifp;
	note("drv-event:%u", msg->event_code);
	if (drv.on_event != NULL)
		drv.on_event();
}

static inline struct ifnet_init_params
driver_params(const char *name, u_int32_t unit)
{
	return (struct ifnet_init_params){
		.name = name, .unit = unit, .family = 1234, .type = IFT_OTHER,
		.output = drv_output, .demux = drv_demux, .add_proto = drv_add_proto,
		.del_proto = drv_del_proto, .ioctl = drv_ioctl, .detach = drv_detached,
		.event = drv_event, .framer = drv_framer, .check_multi = drv_check_multi,
	};
}

/* An attached interface of the recording driver; the journal is empty afterwards. */
static inline struct ifnet *
attached_interface(const char *name, u_int32_t unit)
{
	struct ifnet_init_params params = driver_params(name, unit);
	struct ifnet *ifp;

	memset(&drv, 0, sizeof drv);
	CHECK_EQ(ifnet_allocate(&params, &ifp), 0);
	CHECK_EQ(ifnet_attach(ifp, NULL), 0);
	(void)said();
	return ifp;
}

/* ---- a protocol --------------------------------------------------------------------------- */

static struct protocol {
	errno_t input_error, pre_output_error, ioctl_error, resolve_error;
	void (*on_input)(void), (*on_event)(void);
} prt;

static errno_t UNUSED
prt_input(struct ifnet *ifp, protocol_family_t family, struct mbuf *m, char *frame)
{
	(void)ifp;
	note("in:%u:%c%c", family, frame != NULL ? *frame : '-', name_of(m));
	if (prt.on_input != NULL)
		prt.on_input();
	if (prt.input_error == 0 || prt.input_error == EJUSTRETURN)
		m_freem(m);
	return prt.input_error;
}

static errno_t UNUSED
prt_input_v2(struct ifnet *ifp, protocol_family_t family, struct mbuf *list)
{
	struct mbuf *m;

	(void)ifp;
	note("list:%u", family);
	for (m = list; m != NULL; m = m->m_nextpkt)
		note("%c", name_of(m));
	if (prt.on_input != NULL)
		prt.on_input();
	if (prt.input_error == 0 || prt.input_error == EJUSTRETURN)
		m_freem_list(list);
	return prt.input_error;
}

static errno_t UNUSED
prt_pre_output(struct ifnet *ifp, protocol_family_t family, struct mbuf **m,
    const struct sockaddr *dst, void *route, char *type, char *dest)
{
	(void)ifp;
	(void)dst;
	(void)route;
	note("pre:%u:%c", family, name_of(*m));
	*type = 'T';
	*dest = 'D';
	if (prt.pre_output_error == EJUSTRETURN) {
		m_freem(*m);
		/* Only the first. */
		prt.pre_output_error = 0;
		return EJUSTRETURN;
	}
	return prt.pre_output_error;
}

static void UNUSED
prt_event(struct ifnet *ifp, protocol_family_t family, const struct kev_msg *msg)
{
	(void)ifp;
	note("prt-event:%u/%u", family, msg->event_code);
	if (prt.on_event != NULL)
		prt.on_event();
}

static errno_t UNUSED
prt_ioctl(struct ifnet *ifp, protocol_family_t family, unsigned long command, void *argument)
{
	(void)ifp;
	(void)argument;
	note("prt-ioctl:%u/%u", family, (unsigned)(command & 0xff));
	return prt.ioctl_error;
}

static errno_t UNUSED
prt_detached(struct ifnet *ifp, protocol_family_t family)
{
	(void)ifp;
	note("prt-detached:%u", family);
	return 0;
}

/* Attaches the recording protocol, one packet at a time; the journal is not touched. */
static inline errno_t
attach_recorder(struct ifnet *ifp, protocol_family_t family)
{
	struct ifnet_attach_proto_param params = {
		.input = prt_input, .pre_output = prt_pre_output, .event = prt_event,
		.ioctl = prt_ioctl, .detached = prt_detached,
	};

	memset(&prt, 0, sizeof prt);
	return ifnet_attach_protocol(ifp, family, &params);
}

static inline errno_t
attach_list_recorder(struct ifnet *ifp, protocol_family_t family)
{
	struct ifnet_attach_proto_param_v2 params = {
		.input = prt_input_v2, .pre_output = prt_pre_output, .detached = prt_detached,
	};

	memset(&prt, 0, sizeof prt);
	return ifnet_attach_protocol_v2(ifp, family, &params);
}

/* ---- a kernel event listener -------------------------------------------------------------- */

static errno_t UNUSED
hear_event(void *arg, const struct kern_event_msg *msg)
{
	(void)arg;
	note("K%s%u", msg->kev_subclass == KEV_DL_SUBCLASS ? "" :
	    msg->kev_subclass == KEV_INET_SUBCLASS ? "in" : "in6", msg->event_code);
	return 0;
}

static struct kev_listener ear;

static inline void
listen_to_events(void)
{
	memset(&ear, 0, sizeof ear);
	ear.event = hear_event;
	kev_listen(curmachine(), &ear);
}

/* ---- addresses ---------------------------------------------------------------------------- */

static inline struct sockaddr_in
ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET};
	uint8_t bytes[4] = {a, b, c, d};

	memcpy(&sin.sin_addr, bytes, 4);
	return sin;
}

/* Two bytes in front, one behind: enough for tests. */
static inline struct sockaddr_in6
ipv6(uint8_t first, uint8_t second, uint8_t last)
{
	struct sockaddr_in6 sin6 = {.sin6_len = sizeof sin6, .sin6_family = AF_INET6};

	sin6.sin6_addr.s6_addr[0] = first;
	sin6.sin6_addr.s6_addr[1] = second;
	sin6.sin6_addr.s6_addr[15] = last;
	return sin6;
}

#define SA(address)	((struct sockaddr *)(void *)&(address))

#endif
