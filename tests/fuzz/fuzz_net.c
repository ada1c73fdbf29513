/*
 * Fuzz targets for everything that arrives on a link: Ethernet frames, received by a router with addresses
 * of both families on two interfaces and sockets of every kind. One source, a target for each protocol:
 * FUZZ_NET_PROTOCOL says what a record's bytes are, unless it asks for a frame as it is.
 *
 * The input: one byte for the machine (MACHINE_*), then records of a mode (MODE_*), an argument that chooses
 * destination and source, a length (16 bits) and so many bytes. Headers below the bytes, lengths, addresses
 * and checksums are made here, as a fuzzer does not find those.
 *
 * After the records the sockets are closed, an hour passes and the interfaces go: then there must be as much
 * memory in use as after a run without records.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <nke/iface.h>
#include <nke/socket.h>
#include <nke/stats.h>

#include "tests/fuzz/fuzz_machine.h"

#define FUZZ_IP4	1
#define FUZZ_IP6	2
#define FUZZ_ICMP	3
#define FUZZ_ICMP6	4
#define FUZZ_ARP	5
#define FUZZ_IGMP_MLD	6		/* IGMP, or MLD when the record's argument is odd */
#define FUZZ_UDP	7		/* over IPv4, or IPv6 when the record's argument is odd */
#define FUZZ_NET	8

#define MODE_OTHER	0x01		/* on the second interface */
#define MODE_FRAME	0x02		/* the bytes are a frame, and stay as they are */
#define MODE_ODD	0x04		/* TTL 64 and no router alert, whatever the protocol asks for */
#define MODE_TIME	0x18		/* what passes afterwards: 0, 10 ms, 2 s, 61 s */
#define MODE_FLOOD	0x20		/* FLOOD times, from as many neighbours */
#define MODE_READ	0x40		/* the sockets are read afterwards */
#define MODE_SEND	0x80		/* a datagram to the source leaves afterwards */

#define FLOOD		300u
#define RECORDS		64u
#define FRAME_MAX	2048u
#define SOCKETS		12u
/* What floods may leave in memory while it goes on: far more than the limits of all tables in sum. */
#define MEMORY_MAX	(32u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct net {
	struct fuzz_machine machine;
	nke_t *m;
	int s[SOCKETS];
	unsigned sockets;
};

struct record {
	uint8_t mode, arg;
	const uint8_t *data;
	size_t len;
};

struct packet {
	uint8_t frame[FRAME_MAX];
	size_t len;
};

/* ---- the machine -------------------------------------------------------------------------- */

static int
open_socket(struct net *n, int domain, int type, int protocol)
{
	int s = nke_socket(n->m, domain, type | SOCK_NONBLOCK, protocol);

	if (s < 0 || n->sockets == SOCKETS)
		fuzz_fail(n->m, "socket");
	n->s[n->sockets++] = s;
	return s;
}

static void
option(struct net *n, int s, int level, int name, const void *value, socklen_t len)
{
	if (nke_setsockopt(n->m, s, level, name, value, len) != 0)
		fuzz_fail(n->m, "setsockopt");
}

static int
bound(struct net *n, const char *text, uint16_t port, bool dual)
{
	struct sockaddr_storage ss;
	socklen_t len = fuzz_address(text, port, &ss);
	const int on = 1, off = 0;
	int s = open_socket(n, ss.ss_family, SOCK_DGRAM, 0);

	if (ss.ss_family == AF_INET6) {
		option(n, s, IPPROTO_IPV6, IPV6_V6ONLY, dual ? &off : &on, sizeof on);
		option(n, s, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
		option(n, s, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
		option(n, s, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on);
		option(n, s, IPPROTO_IPV6, IPV6_RECVHOPOPTS, &on, sizeof on);
		option(n, s, IPPROTO_IPV6, IPV6_RECVDSTOPTS, &on, sizeof on);
		option(n, s, IPPROTO_IPV6, IPV6_RECVRTHDR, &on, sizeof on);
		option(n, s, IPPROTO_IPV6, IPV6_RECVPATHMTU, &on, sizeof on);
	} else {
		option(n, s, IPPROTO_IP, IP_RECVOPTS, &on, sizeof on);
		option(n, s, IPPROTO_IP, IP_RECVTTL, &on, sizeof on);
		option(n, s, IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
		option(n, s, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	}
	option(n, s, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on);
	option(n, s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (nke_bind(n->m, s, (struct sockaddr *)&ss, len) != 0)
		fuzz_fail(n->m, "bind");
	return s;
}

static void
join(struct net *n, int s, const char *group, const char *source)
{
	struct group_source_req req = {.gsr_interface = 0};
	int level;

	(void)fuzz_address(group, 0, &req.gsr_group);
	level = req.gsr_group.ss_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	for (req.gsr_interface = 2; req.gsr_interface <= 3; req.gsr_interface++) {
		if (source != NULL) {
			(void)fuzz_address(source, 0, &req.gsr_source);
			option(n, s, level, MCAST_JOIN_SOURCE_GROUP, &req, sizeof req);
		} else {
			struct group_req any = {.gr_interface = req.gsr_interface, .gr_group = req.gsr_group};

			option(n, s, level, MCAST_JOIN_GROUP, &any, sizeof any);
		}
	}
}

/* From port 1002 to port 53 there: what errors about its datagrams quote. */
static void
connected(struct net *n, const char *here, const char *there)
{
	struct sockaddr_storage ss;
	socklen_t len = fuzz_address(here, 1002, &ss);
	int s = open_socket(n, ss.ss_family, SOCK_DGRAM, 0);

	if (nke_bind(n->m, s, (struct sockaddr *)&ss, len) != 0)
		fuzz_fail(n->m, "bind");
	len = fuzz_address(there, 53, &ss);
	if (nke_connect(n->m, s, (struct sockaddr *)&ss, len) != 0)
		fuzz_fail(n->m, "connect");
}

static void
add_sockets(struct net *n)
{
	int s = bound(n, "0.0.0.0", 1000, false);

	join(n, s, "239.1.2.3", NULL);
	join(n, s, "232.1.2.3", "10.0.0.9");
	s = bound(n, "::", 1000, false);
	join(n, s, "ff02::1234", NULL);
	join(n, s, "ff35::1234", "2001:db8::9");
	(void)bound(n, "::", 1001, true);
	(void)bound(n, "10.0.0.1", 1000, false);
	connected(n, "10.0.0.1", "10.9.9.9");
	connected(n, "2001:db8::1", "2001:db8:9::9");
	(void)open_socket(n, AF_INET, SOCK_RAW, IPPROTO_ICMP);
	(void)open_socket(n, AF_INET, SOCK_RAW, 253);
	(void)open_socket(n, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	(void)open_socket(n, AF_INET6, SOCK_RAW, 253);
	(void)open_socket(n, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	(void)open_socket(n, NKE_AF_ROUTE, SOCK_RAW, 0);
}

static void
build(struct net *n, uint8_t how)
{
	memset(n, 0, sizeof *n);
	fuzz_build(&n->machine, how);
	n->m = n->machine.m;
	add_sockets(n);
}

/* ---- packets ------------------------------------------------------------------------------ */

static void
put(struct packet *p, const void *bytes, size_t len)
{
	if (len > FRAME_MAX - p->len)
		len = FRAME_MAX - p->len;
	if (len != 0)
		memcpy(p->frame + p->len, bytes, len);
	p->len += len;
}

static void
set16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t
sum(uint32_t so_far, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		so_far += i & 1 ? data[i] : (uint32_t)data[i] << 8;
	return so_far;
}

static uint16_t
folded(uint32_t value)
{
	while (value >> 16)
		value = (value & 0xffff) + (value >> 16);
	return (uint16_t)~value;
}

static size_t
checksum_at(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_UDP:
		return 6;
	case IPPROTO_ICMP:
	case IPPROTO_IGMP:
	case IPPROTO_ICMPV6:
		return 2;
	case IPPROTO_TCP:
		return 16;
	}
	return SIZE_MAX;
}

/* `data`: what is behind the IP header, whose pseudo header sums up to `pseudo`. */
static void
fit_transport(uint8_t *data, size_t len, uint8_t protocol, uint32_t pseudo)
{
	size_t at = checksum_at(protocol);

	if (at > len || len - at < 2)
		return;
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_IGMP)
		pseudo = 0;
	else
		pseudo += protocol + (uint32_t)len;
	set16(data + at, 0);
	set16(data + at, folded(sum(pseudo, data, len)));
}

/* From `ip` on: lengths and checksums. */
static void
fit4(uint8_t *ip, size_t len)
{
	size_t header;

	if (len < 20)
		return;
	header = (size_t)(ip[0] & 0xf) << 2;
	if (header < 20 || header > len)
		header = 20;
	ip[0] = (uint8_t)(0x40 | header >> 2);
	set16(ip + 2, len);
	if (((ip[6] & 0x3f) | ip[7]) == 0)
		fit_transport(ip + header, len - header, ip[9], sum(0, ip + 12, 8));
	set16(ip + 10, 0);
	set16(ip + 10, folded(sum(0, ip, header)));
}

static void
fit6(uint8_t *ip, size_t len)
{
	size_t at = 40;
	uint8_t next;

	if (len < 40)
		return;
	ip[0] = (uint8_t)(0x60 | (ip[0] & 0xf));
	set16(ip + 4, len - 40);
	next = ip[6];
	while ((next == IPPROTO_HOPOPTS || next == IPPROTO_DSTOPTS || next == IPPROTO_ROUTING) &&
	    len - at >= 8 && len - at >= 8u + ip[at + 1] * 8u) {
		next = ip[at];
		at += 8u + ip[at + 1] * 8u;
	}
	fit_transport(ip + at, len - at, next, sum(0, ip + 8, 32));
}

static void
ethernet(struct packet *p, const struct record *r, uint16_t type, bool group)
{
	uint8_t header[14] = {2, 0, 0, 0, 0, (uint8_t)((r->mode & MODE_OTHER) + 1),
	    2, 0, 0, 1, 0, (uint8_t)(r->arg >> 4)};

	if (group)
		memset(header, 0xff, 6);
	set16(header + 12, type);
	put(p, header, sizeof header);
}

static void
address(const char *text, uint8_t *out)
{
	if (inet_pton(strchr(text, ':') != NULL ? AF_INET6 : AF_INET, text, out) != 1)
		abort();
}

/* The argument's low half: where to; its high half: from where. */
static const char *const to4[16] = {"10.0.0.1", "10.0.1.1", "10.0.0.255", "255.255.255.255", "224.0.0.1",
    "239.1.2.3", "232.1.2.3", "10.0.1.9", "10.0.0.9", "10.9.9.9", "127.0.0.1", "0.0.0.0", "224.0.0.22",
    "240.0.0.1", "10.0.0.1", "10.0.0.1"};
static const char *const from4[16] = {"10.0.0.9", "10.0.1.9", "10.0.0.10", "10.0.0.1", "0.0.0.0", "10.9.9.9",
    "127.0.0.1", "224.0.0.1", "10.0.0.255", "255.255.255.255", "10.0.0.254", "10.0.0.253", "192.168.7.7",
    "10.0.0.9", "10.0.0.9", "10.0.0.9"};
static const char *const to6[16] = {"2001:db8::1", "fe80::1", "ff02::1", "ff02::2", "ff02::1:ff00:1",
    "ff02::1234", "ff35::1234", "2001:db8:0:1::9", "2001:db8::9", "2001:db8:9::9", "::1", "::", "ff02::16",
    "fe80::2", "ff01::1", "ff05::1:3"};
static const char *const from6[16] = {"2001:db8::9", "fe80::9", "2001:db8:0:1::9", "2001:db8::1", "::",
    "2001:db8:9::9", "::1", "ff02::1", "fe80::1", "::ffff:10.0.0.9", "2001:db8::a", "fe80::a",
    "2002:a00:9::1", "2001:db8::9", "fe80::fe", "fe80::fe"};

static void
packet4(struct packet *p, const struct record *r, uint8_t protocol)
{
	static const uint8_t alert[4] = {0x94, 4, 0, 0};
	uint8_t header[20] = {[0] = 0x45, [8] = 64, [9] = protocol};
	bool group = protocol == IPPROTO_IGMP && !(r->mode & MODE_ODD);

	address(from4[r->arg >> 4], header + 12);
	address(to4[r->arg & 15], header + 16);
	if (group) {
		header[0] = 0x46;
		header[8] = 1;
	}
	ethernet(p, r, 0x0800, false);
	put(p, header, sizeof header);
	if (group)
		put(p, alert, sizeof alert);
	put(p, r->data, r->len);
	fit4(p->frame + 14, p->len - 14);
}

static void
packet6(struct packet *p, const struct record *r, uint8_t protocol)
{
	static const uint8_t alert[8] = {IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0};
	uint8_t header[40] = {[0] = 0x60, [6] = protocol, [7] = r->mode & MODE_ODD ? 64 : 255};
	uint8_t type = r->len != 0 ? r->data[0] : 0;
	bool group = protocol == IPPROTO_ICMPV6 && !(r->mode & MODE_ODD) &&
	    ((type >= 130 && type <= 132) || type == 143);

	address(from6[r->arg >> 4], header + 8);
	address(to6[r->arg & 15], header + 24);
	if (group) {
		header[6] = IPPROTO_HOPOPTS;
		header[7] = 1;
	}
	ethernet(p, r, 0x86dd, false);
	put(p, header, sizeof header);
	if (group)
		put(p, alert, sizeof alert);
	put(p, r->data, r->len);
	fit6(p->frame + 14, p->len - 14);
}

/* The bytes are a packet with its header; where it goes is changed unless MODE_ODD. */
static void
whole_packet(struct packet *p, const struct record *r, bool v6)
{
	uint8_t *ip = p->frame + 14;

	ethernet(p, r, v6 ? 0x86dd : 0x0800, false);
	put(p, r->data, r->len);
	if (p->len - 14 >= (v6 ? 40 : 20) && !(r->mode & MODE_ODD)) {
		address((v6 ? from6 : from4)[r->arg >> 4], ip + (v6 ? 8 : 12));
		address((v6 ? to6 : to4)[r->arg & 15], ip + (v6 ? 24 : 16));
	}
	if (v6)
		fit6(ip, p->len - 14);
	else
		fit4(ip, p->len - 14);
}

static void
arp(struct packet *p, const struct record *r)
{
	uint8_t *ar = p->frame + 14;

	ethernet(p, r, 0x0806, r->arg & 1);
	put(p, r->data, r->len);
	if (r->len >= 28 && !(r->mode & MODE_ODD)) {
		memcpy(ar, "\0\1\x08\0\6\4", 6);
		memcpy(ar + 8, p->frame + 6, 6);
		address(from4[r->arg >> 4], ar + 14);
		address(to4[r->arg & 15], ar + 24);
	}
}

static void
udp(struct packet *p, const struct record *r)
{
	bool v6 = r->arg & 1;
	size_t at = v6 ? 54 : 34;

	if (v6)
		packet6(p, r, IPPROTO_UDP);
	else
		packet4(p, r, IPPROTO_UDP);
	if (p->len - at >= 8 && !(r->mode & MODE_ODD)) {
		set16(p->frame + at + 2, 1000u + (p->frame[at + 3] & 1));
		set16(p->frame + at + 4, p->len - at);
		if (v6)
			fit6(p->frame + 14, p->len - 14);
		else
			fit4(p->frame + 14, p->len - 14);
	}
}

static void
make(struct packet *p, const struct record *r)
{
	p->len = 0;
	if ((r->mode & MODE_FRAME) || FUZZ_NET_PROTOCOL == FUZZ_NET) {
		put(p, r->data, r->len);
		return;
	}
	switch (FUZZ_NET_PROTOCOL) {
	case FUZZ_IP4:
		whole_packet(p, r, false);
		break;
	case FUZZ_IP6:
		whole_packet(p, r, true);
		break;
	case FUZZ_ICMP:
		packet4(p, r, IPPROTO_ICMP);
		break;
	case FUZZ_ICMP6:
		packet6(p, r, IPPROTO_ICMPV6);
		break;
	case FUZZ_ARP:
		arp(p, r);
		break;
	case FUZZ_IGMP_MLD:
		if (r->arg & 1)
			packet6(p, r, IPPROTO_ICMPV6);
		else
			packet4(p, r, IPPROTO_IGMP);
		break;
	default:
		udp(p, r);
	}
}

/* The same from another neighbour: the source's last bytes, those of its link address, and ARP's. */
static void
disguise(struct packet *p, unsigned n)
{
	uint8_t *ip = p->frame + 14;

	if (p->len < 14 + 28)
		return;
	set16(p->frame + 10, n);
	if (p->frame[12] == 8 && p->frame[13] == 6) {
		set16(ip + 12, n);
		ip[17] = (uint8_t)n;
	} else if (p->frame[12] == 8 && p->frame[13] == 0) {
		set16(ip + 4, n);	/* identifies a datagram */
		set16(ip + 14, n);
		fit4(ip, p->len - 14);
	} else if (p->frame[12] == 0x86 && p->len >= 14 + 40) {
		set16(ip + 22, n);
		fit6(ip, p->len - 14);
	}
}

/* ---- a run -------------------------------------------------------------------------------- */

static void
read_sockets(struct net *n)
{
	static uint8_t bytes[70000], control[1024];
	struct sockaddr_storage from;

	for (unsigned i = 0; i < n->sockets; i++) {
		struct iovec iov = {.iov_base = bytes, .iov_len = sizeof bytes};
		struct msghdr msg = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov,
		    .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};

		for (unsigned k = 0; k < 8 && nke_recvmsg(n->m, n->s[i], &msg, 0) >= 0; k++) {
			msg.msg_namelen = sizeof from;
			msg.msg_controllen = sizeof control;
		}
	}
}

static void
send_back(struct net *n, const struct record *r)
{
	struct sockaddr_storage ss;
	socklen_t len = fuzz_address(from4[r->arg >> 4], 7, &ss);

	(void)nke_sendto(n->m, n->s[0], r->data, r->len, 0, (struct sockaddr *)&ss, len);
	len = fuzz_address(from6[r->arg >> 4], 7, &ss);
	((struct sockaddr_in6 *)&ss)->sin6_scope_id = 2;
	(void)nke_sendto(n->m, n->s[1], r->data, r->len, 0, (struct sockaddr *)&ss, len);
	(void)nke_send(n->m, n->s[4], r->data, r->len, 0);
	(void)nke_send(n->m, n->s[5], r->data, r->len, 0);
}

static void
run(struct net *n, const struct record *r)
{
	static const uint64_t pass[4] = {0, FUZZ_SECOND / 100, 2 * FUZZ_SECOND, 61 * FUZZ_SECOND};
	unsigned times = r->mode & MODE_FLOOD ? FLOOD : 1;
	struct nke_memory memory;
	struct packet p;

	make(&p, r);
	for (unsigned i = 0; i < times; i++) {
		if (i != 0)
			disguise(&p, i);
		if (nke_iface_input(n->machine.en[r->mode & MODE_OTHER], p.frame, p.len) == EFAULT)
			fuzz_fail(n->m, "panic on input");
	}
	if (r->mode & MODE_SEND)
		send_back(n, r);
	fuzz_wait(&n->machine, pass[(r->mode & MODE_TIME) >> 3]);
	if (r->mode & MODE_READ)
		read_sockets(n);
	nke_stats_memory(n->m, &memory);
	if (memory.heap_bytes > MEMORY_MAX)
		fuzz_fail(n->m, "too much memory is held");
}

static uint64_t
blocks_without_packets(uint8_t how)
{
	struct net n;

	build(&n, how);
	return fuzz_take_down(&n.machine);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t blocks[MACHINE_KINDS];
	struct net n;
	uint8_t how;

	if (size < 1)
		return 0;
	how = data[0] % MACHINE_KINDS;
	data++;
	size--;
	if (blocks[how] == 0)
		blocks[how] = blocks_without_packets(how);
	build(&n, how);
	for (unsigned i = 0; size >= 4 && i < RECORDS; i++) {
		size_t len = data[2] | (size_t)data[3] << 8;
		struct record r = {data[0], data[1], data + 4, len < size - 4 ? len : size - 4};

		run(&n, &r);
		data += 4 + r.len;
		size -= 4 + r.len;
	}
	fuzz_compare(fuzz_take_down(&n.machine), blocks[how]);
	return 0;
}
