/*
 * Does one thing to the packets it sees, chosen when it is compiled:
 *
 *	-DWHERE=1	at the interface; 2: as IPv4 and IPv6 filter; 3: both
 *	-DACTION=...	what, see below
 *	-DPARAMETER=n	how much
 *
 * Compiled several times by the tests of `nke replay` (CMakeLists.txt). It leaves checksums of
 * transports alone and corrects lengths and IPv4's own checksum, so that the stack takes the result.
 */
#include <stdbool.h>
#include <sys/param.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/kpi_mbuf.h>
#include <sys/proc.h>
#include <kern/locks.h>
#include <mach/mach_types.h>
#include <net/kpi_interface.h>
#include <net/kpi_interfacefilter.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/kpi_ipfilter.h>

#define AT_INTERFACE	1
#define AT_IP		2

#define TOUCH		1		/* take a pointer, change nothing */
#define APPEND		2		/* PARAMETER bytes at the end */
#define SHORTEN		3		/* by PARAMETER bytes */
#define SWALLOW		4		/* every PARAMETER-th */
#define DROP		5		/* every PARAMETER-th */
#define DROP_LONG	6		/* IP packets of more than PARAMETER bytes */
#define SWALLOW_LONG	7
#define ANEW		8		/* the same bytes in another packet; the old one is freed first */
#define ANEW_AFTER	9		/* the old one is freed afterwards */
#define SHIFT		10		/* write before and behind the packet, then take it off again */
#define FLIP		11		/* the last byte */
#define TO_AND_FRO	12		/* change the last byte and change it back */
#define ADDRESS		13		/* the source in the link header (AT_INTERFACE) */
#define AGAIN		14		/* injected again, at once, behind this filter (AT_IP) */
#define AGAIN_RAW	15		/* given to the driver at once (AT_INTERFACE, on the way out) */
#define EXCHANGE	16		/* pass on the packet before, keep this one */
#define CRASH		17		/* at the PARAMETER-th */
#define PANIC		18
#define LOG_FLOW	19		/* name the machine and the ports (AT_IP) */
#define SPLIT		20		/* the same bytes, in a chain */
#define LEAK		21		/* PARAMETER packets, when stopping */
#define FLIP_SECOND	22		/* the last byte of fragments that are not first (AT_INTERFACE) */
#define SWALLOW_SECOND	23		/* frames of fragments that are not first (AT_INTERFACE) */
#define OVERFLOW	24		/* of the stack, at the PARAMETER-th */
#define DIVIDE		25		/* by zero, at the PARAMETER-th */
#define JUMP		26		/* to nowhere, at the PARAMETER-th */

kern_return_t mangle_start(kmod_info_t *ki, void *data);
kern_return_t mangle_stop(kmod_info_t *ki, void *data);

static interface_filter_t interface_filter;
static ipfilter_t filter4, filter6;
static int attached;
static unsigned seen;
static mbuf_t kept[3];			/* EXCHANGE: per engine */
static u_int32_t name_of_machine;

/* ---- what is done to one packet; `off`: where its IP packet starts ---------------------------- */

static u_int16_t
header_sum(mbuf_t m, size_t off, size_t len)
{
	u_int16_t words[30];
	u_int32_t sum = 0;

	mbuf_copydata(m, off, len, words);
	words[5] = 0;
	for (size_t i = 0; i < len / 2; i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u_int16_t)~sum;
}

/* The IP packet is `add` bytes longer now. */
static void
correct_length(mbuf_t m, size_t off, int add)
{
	u_int8_t first;
	u_int16_t word;

	if (mbuf_copydata(m, off, 1, &first) != 0)
		return;
	if (first >> 4 == 4) {
		mbuf_copydata(m, off + 2, 2, &word);
		word = htons((u_int16_t)(ntohs(word) + add));
		mbuf_copyback(m, off + 2, 2, &word, MBUF_DONTWAIT);
		word = header_sum(m, off, (first & 15) * 4u);
		mbuf_copyback(m, off + 10, 2, &word, MBUF_DONTWAIT);
	} else if (first >> 4 == 6) {
		mbuf_copydata(m, off + 4, 2, &word);
		word = htons((u_int16_t)(ntohs(word) + add));
		mbuf_copyback(m, off + 4, 2, &word, MBUF_DONTWAIT);
	}
}

static void
flip_last(mbuf_t m)
{
	size_t at = mbuf_pkthdr_len(m) - 1;
	u_int8_t byte;

	if (mbuf_pkthdr_len(m) == 0 || mbuf_copydata(m, at, 1, &byte) != 0)
		return;
	byte = (u_int8_t)~byte;
	mbuf_copyback(m, at, 1, &byte, MBUF_DONTWAIT);
}

/* A chain of `piece` bytes each, 0: one mbuf if they fit in one. */
static mbuf_t
make_packet(const u_int8_t *bytes, size_t len, size_t piece)
{
	mbuf_t first = NULL, last = NULL, m;
	size_t n;

	if (piece == 0 && len <= 2048) {
		if (mbuf_getpacket(MBUF_DONTWAIT, &m) != 0)
			panic("mangle: no memory");
		memcpy(mbuf_data(m), bytes, len);
		mbuf_setlen(m, len);
		mbuf_pkthdr_setlen(m, len);
		return m;
	}
	if (piece == 0)
		piece = 80;
	for (size_t at = 0; at < len || first == NULL; at += n) {
		n = MIN(piece, len - at);
		if ((first == NULL ? mbuf_gethdr : mbuf_get)(MBUF_DONTWAIT, MBUF_TYPE_DATA, &m) != 0)
			panic("mangle: no memory");
		memcpy(mbuf_data(m), bytes + at, n);
		mbuf_setlen(m, n);
		if (first == NULL)
			first = m;
		else
			mbuf_setnext(last, m);
		last = m;
	}
	mbuf_pkthdr_setlen(first, len);
	return first;
}

/*
 * A packet of the same bytes. On the way in at an interface the link header lies in front of the data in
 * the same mbuf, so it moves too: `frame` is then what the filter was shown.
 */
static mbuf_t
copy_of(mbuf_t m, size_t piece, bool free_first, char **frame, size_t header)
{
	static u_int8_t flat[70000];
	size_t len = mbuf_pkthdr_len(m);
	ifnet_t rcvif = mbuf_pkthdr_rcvif(m);
	mbuf_t n;

	header = frame != NULL ? header : 0;
	if (header + len > sizeof flat)
		return m;
	if (header != 0)
		memcpy(flat, *frame, header);
	mbuf_copydata(m, 0, len, flat + header);
	if (free_first)
		mbuf_freem(m);
	n = make_packet(flat, header + len, piece);
	if (header != 0) {
		*frame = mbuf_data(n);
		mbuf_adj(n, (int)header);
	}
	mbuf_pkthdr_setrcvif(n, rcvif);
	if (!free_first)
		mbuf_freem(m);
	return n;
}

static void
log_flow(mbuf_t m, size_t off)
{
	u_int8_t head[44];
	u_int16_t ports[2];
	size_t transport;

	if (mbuf_copydata(m, off, 20, head) != 0)
		return;
	transport = off + (head[0] >> 4 == 4 ? (head[0] & 15) * 4u : 40);
	if (mbuf_copydata(m, transport, 4, ports) == 0)
		printf("%08x %u %u %u\n", name_of_machine,
		    MIN(ntohs(ports[0]), ntohs(ports[1])), MAX(ntohs(ports[0]), ntohs(ports[1])),
		    (unsigned)mbuf_pkthdr_len(m));
}

/* Calls itself until the stack is full. */
static int
recurse(volatile int *outer)
{
	volatile int here[64];

	here[0] = *outer + 1;
	return here[0] != 0 ? recurse(here) + here[0] : 0;
}

/* The common part of all filters. 0, EJUSTRETURN, or an error for a packet to be dropped. */
static errno_t
mangle(mbuf_t *data, size_t off, int engine, char **frame, size_t header)
{
	static const u_int8_t extra[64] = "more and more and more and more and more and more and more ...";
	size_t len = mbuf_pkthdr_len(*data);
	mbuf_t before;

	seen++;
	switch (ACTION) {
	case TOUCH:
		(void)mbuf_data(*data);
		return 0;
	case APPEND:
		mbuf_copyback(*data, len, PARAMETER, extra, MBUF_DONTWAIT);
		correct_length(*data, off, PARAMETER);
		return 0;
	case SHORTEN:
		if (len > off + 40 + PARAMETER) {
			mbuf_adj(*data, -PARAMETER);
			correct_length(*data, off, -PARAMETER);
		}
		return 0;
	case SWALLOW:
		if (seen % PARAMETER == 0) {
			mbuf_freem(*data);
			return EJUSTRETURN;
		}
		return 0;
	case DROP:
		return seen % PARAMETER == 0 ? EPERM : 0;
	case DROP_LONG:
		return len - off > PARAMETER ? EPERM : 0;
	case SWALLOW_LONG:
		if (len - off <= PARAMETER)
			return 0;
		mbuf_freem(*data);
		return EJUSTRETURN;
	case ANEW:
		*data = copy_of(*data, 0, true, frame, header);
		return 0;
	case ANEW_AFTER:
		*data = copy_of(*data, 0, false, frame, header);
		return 0;
	case SPLIT:
		*data = copy_of(*data, 60, false, frame, header);
		return 0;
	case SHIFT:
		if (mbuf_prepend(data, 30, MBUF_DONTWAIT) != 0)
			return EJUSTRETURN;	/* it has been freed */
		mbuf_copyback(*data, 0, 30, extra, MBUF_DONTWAIT);
		mbuf_copyback(*data, len + 30, 30, extra, MBUF_DONTWAIT);
		mbuf_adj(*data, 30);
		mbuf_adj(*data, -30);
		return 0;
	case FLIP:
		flip_last(*data);
		return 0;
	case TO_AND_FRO:
		flip_last(*data);
		flip_last(*data);
		return 0;
	case EXCHANGE:
		before = kept[engine];
		kept[engine] = *data;
		*data = before;
		return before != NULL ? 0 : EJUSTRETURN;
	case CRASH:
		if (seen == PARAMETER)
			*(volatile int *)8 = 1;
		return 0;
	case OVERFLOW:
		if (seen == PARAMETER)
			seen += (unsigned)recurse((int *)&seen);
		return 0;
	case DIVIDE:
		if (seen == PARAMETER)
			seen /= *(volatile int *)&attached - *(volatile int *)&attached;
		return 0;
	case JUMP:
		if (seen == PARAMETER)
			((void (*volatile)(void))16)();
		return 0;
	case PANIC:
		if (seen == PARAMETER)
			panic("mangle: enough after %d packets", PARAMETER);
		return 0;
	case LOG_FLOW:
		log_flow(*data, off);
		return 0;
	default:
		return 0;
	}
}

/* A fragment that is not the first of its datagram: the IP packet starts at `off`. */
static bool
is_second(mbuf_t m, size_t off)
{
	u_int8_t head[44];
	u_int16_t place;

	if (mbuf_copydata(m, off, sizeof head, head) != 0)
		return false;
	if (head[0] >> 4 == 4) {
		memcpy(&place, head + 6, sizeof place);
		return (ntohs(place) & 0x1fff) != 0;
	}
	memcpy(&place, head + 42, sizeof place);
	return head[0] >> 4 == 6 && head[6] == IPPROTO_FRAGMENT && (ntohs(place) & 0xfff8) != 0;
}

static errno_t
second(mbuf_t m)
{
	if (ACTION == FLIP_SECOND) {
		flip_last(m);
		return 0;
	}
	mbuf_freem(m);
	return EJUSTRETURN;
}

/* ---- the filters ------------------------------------------------------------------------------ */

static errno_t
frame_in(void *cookie, ifnet_t ifp, protocol_family_t protocol, mbuf_t *data, char **frame)
{
	if (ACTION == ADDRESS) {
		(*frame)[11] = (char)~(*frame)[11];
		return 0;
	}
	if (ACTION == SWALLOW_SECOND || ACTION == FLIP_SECOND)
		return is_second(*data, 0) ? second(*data) : 0;
	return mangle(data, 0, 0, frame, ifnet_hdrlen(ifp));
}

static errno_t
frame_out(void *cookie, ifnet_t ifp, protocol_family_t protocol, mbuf_t *data)
{
	u_int8_t byte;

	if (ACTION == ADDRESS) {
		mbuf_copydata(*data, 11, 1, &byte);
		byte = (u_int8_t)~byte;
		mbuf_copyback(*data, 11, 1, &byte, MBUF_DONTWAIT);
		return 0;
	}
	if (ACTION == AGAIN_RAW) {
		/* comes back here: the second time it passes */
		static bool again;
		mbuf_t m = *data;

		if (again)
			return 0;
		again = true;
		ifnet_output_raw(ifp, protocol, m);
		again = false;
		return EJUSTRETURN;
	}
	if (ACTION == SWALLOW_SECOND || ACTION == FLIP_SECOND)
		return is_second(*data, ifnet_hdrlen(ifp)) ? second(*data) : 0;
	return mangle(data, ifnet_hdrlen(ifp), 0, NULL, 0);
}

static errno_t
packet_in(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	if (ACTION == AGAIN)
		return ipf_inject_input(*data, *(ipfilter_t *)cookie) == 0 ? EJUSTRETURN : 0;
	/* IPv6 shows a packet at every extension header, fragments before they are put together. */
	if (protocol == IPPROTO_ROUTING || protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_DSTOPTS)
		return 0;
	return mangle(data, 0, cookie == &filter4 ? 1 : 2, NULL, 0);
}

static errno_t
packet_out(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	if (ACTION == AGAIN) {
		ipf_inject_output(*data, *(ipfilter_t *)cookie, options);
		return EJUSTRETURN;
	}
	return mangle(data, 0, cookie == &filter4 ? 1 : 2, NULL, 0);
}

/* ---- coming and going ------------------------------------------------------------------------- */

static void
gone(void *cookie)
{
	attached--;
	wakeup(&attached);
}

static void
interface_gone(void *cookie, ifnet_t ifp)
{
	interface_filter = NULL;
	gone(cookie);
}

static void
leave(void)
{
	for (int i = 0; i < 3; i++)
		if (kept[i] != NULL)
			mbuf_freem(kept[i]);
	if (filter4 != NULL)
		ipf_remove(filter4);
	if (filter6 != NULL)
		ipf_remove(filter6);
	if (interface_filter != NULL)
		iflt_detach(interface_filter);
	while (attached > 0)
		tsleep(&attached, PWAIT, "mangle", 1);
}

static errno_t
attach_interface(void)
{
	static const struct iff_filter f = {
		.iff_name = "mangle", .iff_input = frame_in, .iff_output = frame_out,
		.iff_detached = interface_gone,
	};
	ifnet_t en0;
	errno_t error = ifnet_find_by_name("en0", &en0);

	if (error != 0)
		return error;
	error = iflt_attach(en0, &f, &interface_filter);
	ifnet_release(en0);
	attached += error == 0;
	return error;
}

static errno_t
attach_ip(void)
{
	struct ipf_filter f = {
		.cookie = &filter4, .name = "mangle", .ipf_input = packet_in, .ipf_output = packet_out,
		.ipf_detach = gone,
	};
	errno_t error = ipf_addv4(&f, &filter4);

	attached += error == 0;
	f.cookie = &filter6;
	if (error == 0)
		error = ipf_addv6(&f, &filter6);
	attached += error == 0 && filter6 != NULL;
	return error;
}

kern_return_t
mangle_start(kmod_info_t *ki, void *data)
{
	errno_t error = 0;

	name_of_machine = random();
	if (WHERE & AT_INTERFACE)
		error = attach_interface();
	if (error == 0 && (WHERE & AT_IP) != 0)
		error = attach_ip();
	if (error == 0)
		return KERN_SUCCESS;
	leave();
	return KERN_FAILURE;
}

kern_return_t
mangle_stop(kmod_info_t *ki, void *data)
{
	mbuf_t m;

	leave();
	for (int i = 0; ACTION == LEAK && i < PARAMETER; i++)
		(void)mbuf_allocpacket(MBUF_WAITOK, 100, NULL, &m);
	return KERN_SUCCESS;
}
