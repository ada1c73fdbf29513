/*
 * src/kern/kern_event_socket.c: sockets that hear kernel events; and, read from one, what the network posts:
 * numbers and payloads.
 */
#include <net/kpi_interface.h>
#include <netinet/in_var.h>
#include <sys/kern_control.h>
#include <sys/kpi_socket.h>
#include <sys/sockio.h>

#include "src/kern/kern_event.h"
#include "src/kern/klog.h"
#include "src/kern/string_id.h"
#include "tests/unit/inet_testing.h"

/* ---- in short ----------------------------------------------------------------------------- */

static errno_t
set_filter(struct socket *so, u_int32_t vendor, u_int32_t class, u_int32_t subclass)
{
	struct kev_request r = {vendor, class, subclass};

	return soioctl(so, SIOCSKEVFILT, &r);
}

static struct socket *
event_socket(u_int32_t vendor, u_int32_t class, u_int32_t subclass)
{
	struct socket *so = make_socket(PF_SYSTEM, SOCK_RAW, SYSPROTO_EVENT);

	CHECK_EQ(set_filter(so, vendor, class, subclass), 0);
	return so;
}

static union {
	struct kern_event_msg msg;
	char bytes[256];
} ev;

/* The next event; false: there is none. */
static bool
next_event(struct socket *so)
{
	struct so_received r;
	errno_t error;

	memset(&ev, 0, sizeof ev);
	error = soreceive(so, &ev, sizeof ev, MSG_DONTWAIT, &r);
	if (error == EWOULDBLOCK)
		return false;
	CHECK_EQ(error, 0);
	CHECK_EQ(r.len, ev.msg.total_size);
	CHECK_EQ(r.flags, 0);
	return true;
}

static errno_t
post(u_int32_t vendor, u_int32_t class, u_int32_t subclass, u_int32_t code, const char *text)
{
	struct kev_msg msg = {vendor, class, subclass, code,
	    {{(uint32_t)strlen(text), (void *)(uintptr_t)text}}};

	return kev_post(curmachine(), &msg);
}

static u_int32_t
last_id(struct socket *so)
{
	u_int32_t id = 0;

	CHECK_EQ(soioctl(so, SIOCGKEVID, &id), 0);
	return id;
}

/* ---- the socket --------------------------------------------------------------------------- */

KTEST(nothing_is_heard_without_a_filter)
{
	struct socket *so = make_socket(PF_SYSTEM, SOCK_RAW, SYSPROTO_EVENT);
	struct kev_request r;
	u_int32_t before = last_id(so);

	CHECK_EQ(so->so_rcv.sb_hiwat, 32768);
	CHECK_EQ(so->so_snd.sb_hiwat, 4096);
	CHECK_EQ(soioctl(so, SIOCGKEVFILT, &r), 0);
	CHECK_EQ(r.vendor_code, 0xffffffff);
	CHECK_EQ(post(1, 1, 2, 3, "silent"), 0);
	CHECK(!next_event(so));
	/* It has its number all the same. */
	CHECK_EQ(last_id(so), before + 1);
	CHECK_EQ(set_filter(so, 1, 1, 2), 0);
	CHECK_EQ(soioctl(so, SIOCGKEVFILT, &r), 0);
	CHECK(r.vendor_code == 1 && r.kev_class == 1 && r.kev_subclass == 2);
	CHECK_EQ(post(1, 1, 2, 3, "heard"), 0);
	CHECK(next_event(so));
	CHECK_EQ(ev.msg.total_size, 29);
	CHECK_EQ(ev.msg.vendor_code, 1);
	CHECK_EQ(ev.msg.kev_class, 1);
	CHECK_EQ(ev.msg.kev_subclass, 2);
	CHECK_EQ(ev.msg.id, before + 2);
	CHECK_EQ(ev.msg.event_code, 3);
	CHECK_EQ(memcmp(ev.bytes + 24, "heard", 5), 0);
	CHECK(!next_event(so));
	CHECK_EQ(soclose(so), 0);
}

KTEST(filters_go_from_vendor_to_subclass)
{
	static const struct {
		u_int32_t filter[3];
		bool heard;
	} cases[] = {
		{{0, 0, 0}, true}, {{0, 9, 9}, true}, {{1, 0, 9}, true}, {{1, 2, 0}, true}, {{1, 2, 3}, true},
		{{2, 0, 0}, false}, {{1, 3, 0}, false}, {{1, 2, 4}, false}, {{0xffffffff, 0, 0}, false},
	};
	struct socket *so = event_socket(0, 0, 0);

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CHECK_EQ(set_filter(so, cases[i].filter[0], cases[i].filter[1], cases[i].filter[2]), 0);
		CHECK_EQ(post(1, 2, 3, 4, ""), 0);
		CHECK_EQ(next_event(so), cases[i].heard);
	}
	CHECK_EQ(soclose(so), 0);
}

KTEST(event_sockets_only_receive)
{
	struct socket *so = event_socket(0, 0, 0);
	struct sockaddr_storage ss = {.ss_len = 16};

	CHECK_EQ(sosend(so, SA(ss), "x", 1, NULL, NULL, 0, NULL), EOPNOTSUPP);
	CHECK_EQ(soconnect(so, SA(ss), 0), EOPNOTSUPP);
	CHECK_EQ(sobind(so, SA(ss)), EOPNOTSUPP);
	CHECK_EQ(solisten(so, 1), EOPNOTSUPP);
	CHECK_EQ(soioctl(so, _IO('e', 99), NULL), ENOTSUP);
	CHECK_EQ(set_int(so, SYSPROTO_EVENT, 1, 1), ENOPROTOOPT);
	CHECK_EQ(soclose(so), 0);
}

KTEST(a_short_read_loses_the_rest)
{
	struct socket *so = event_socket(0, 0, 0);
	struct so_received r;
	char head[24];

	CHECK_EQ(post(1, 1, 1, 1, "lost"), 0);
	CHECK_EQ(post(1, 1, 1, 2, ""), 0);
	CHECK_EQ(soreceive(so, head, sizeof head, 0, &r), 0);
	CHECK_EQ(r.len, 24);
	CHECK_EQ(r.flags, MSG_TRUNC);
	CHECK(next_event(so));
	CHECK_EQ(ev.msg.event_code, 2);
	CHECK_EQ(soclose(so), 0);
}

/* 200 bytes with a header of 24: 146 of them fit. */
KTEST(who_does_not_read_misses_events_alone)
{
	static const char text[201] = {[0 ... 199] = 'x'};
	struct socket *slow = event_socket(0, 0, 0), *other = event_socket(0, 0, 0);
	unsigned heard = 0;

	for (unsigned i = 0; i < 200; i++) {
		CHECK_EQ(post(1, 1, 1, i, text), 0);
		CHECK(next_event(other));
	}
	while (next_event(slow))
		CHECK_EQ(ev.msg.event_code, heard++);
	CHECK_EQ(heard, 32768 / 224);
	CHECK_EQ(post(1, 1, 1, 7, ""), 0);
	CHECK(next_event(slow));
	/* Who has shut its side hears nothing either. */
	socantrcvmore(slow);
	CHECK_EQ(post(1, 1, 1, 8, ""), 0);
	CHECK_EQ(slow->so_rcv.sb_cc, 0);
	CHECK(next_event(other) && next_event(other));
	CHECK_EQ(soclose(slow) + soclose(other), 0);
}

KTEST(without_memory_older_sockets_miss_it)
{
	struct socket *old = event_socket(0, 0, 0), *new = event_socket(0, 0, 0);

	fail_after(2);
	CHECK_EQ(post(1, 1, 1, 1, ""), ENOMEM);
	fail_after(0);
	CHECK(next_event(new));
	CHECK(!next_event(old));
	CHECK_EQ(soclose(old) + soclose(new), 0);
}

KTEST(vendors_are_found_by_name)
{
	struct socket *so = make_socket(PF_SYSTEM, SOCK_RAW, SYSPROTO_EVENT);
	struct kev_vendor_code v = {.vendor_string = "org.example.vendor"};
	u_int32_t code, tag;

	CHECK_EQ(soioctl(so, SIOCGKEVVENDOR, &v), ENOENT);
	/* As a tag it has a number, but is no vendor yet. */
	CHECK_EQ(string_id_find(curmachine(), v.vendor_string, STRING_ID_MBUF_TAG, &tag), 0);
	CHECK_EQ(soioctl(so, SIOCGKEVVENDOR, &v), ENOENT);
	CHECK_EQ(kev_vendor_code_find(v.vendor_string, &code), 0);
	CHECK_EQ(soioctl(so, SIOCGKEVVENDOR, &v), 0);
	CHECK_EQ(v.vendor_code, code);
	memset(v.vendor_string, 'x', sizeof v.vendor_string);
	CHECK_EQ(soioctl(so, SIOCGKEVVENDOR, &v), EINVAL);
	CHECK_EQ(soclose(so), 0);
}

/* What a kext posts, heard by another kext whose upcall closes the socket in the middle of it. */
static void
close_at_once(socket_t so, void *cookie, int waitf)
{
	(void)waitf;
	++*(unsigned *)cookie;
	sock_close(so);
}

KTEST(a_kext_hears_events_by_upcall)
{
	struct kev_request all = {0, 0, 0};
	struct socket *older = event_socket(0, 0, 0);
	struct kev_msg msg = {.kev_class = 5, .kev_subclass = 6, .event_code = 7};
	unsigned called = 0;
	socket_t so;

	CHECK_EQ(kev_vendor_code_find("org.example.vendor", &msg.vendor_code), 0);
	CHECK_EQ(sock_socket(PF_SYSTEM, SOCK_RAW, SYSPROTO_EVENT, close_at_once, &called, &so), 0);
	CHECK_EQ(sock_ioctl(so, SIOCSKEVFILT, &all), 0);
	CHECK_EQ(kev_msg_post(&msg), 0);
	CHECK_EQ(called, 1);
	CHECK(next_event(older));
	CHECK_EQ(ev.msg.vendor_code, msg.vendor_code);
	CHECK_EQ(soclose(older), 0);
}

/* ---- what the system posts ---------------------------------------------------------------- */

static errno_t
let_connect(kern_ctl_ref ref, struct sockaddr_ctl *sac, void **unitinfo)
{
	(void)ref;
	(void)sac;
	(void)unitinfo;
	return 0;
}

KTEST(controllers_come_and_go)
{
	struct kern_ctl_reg reg = {.ctl_name = "org.example", .ctl_connect = let_connect};
	struct socket *so = event_socket(KEV_VENDOR_APPLE, KEV_SYSTEM_CLASS, KEV_CTL_SUBCLASS);
	struct ctl_event_data data;
	kern_ctl_ref ref;

	CHECK_EQ(ctl_register(&reg, &ref), 0);
	CHECK(next_event(so));
	CHECK_EQ(ev.msg.event_code, KEV_CTL_REGISTERED);
	CHECK_EQ(ev.msg.total_size, 32);
	memcpy(&data, ev.msg.event_data, sizeof data);
	CHECK_EQ(data.ctl_id, reg.ctl_id);
	CHECK_EQ(data.ctl_unit, 0);
	CHECK_EQ(ctl_deregister(ref), 0);
	CHECK(next_event(so));
	CHECK_EQ(ev.msg.event_code, KEV_CTL_DEREGISTERED);
	memcpy(&data, ev.msg.event_data, sizeof data);
	CHECK_EQ(data.ctl_id, reg.ctl_id);
	CHECK_EQ(soclose(so), 0);
}

/* ---- what the network posts --------------------------------------------------------------- */

/*
 * The events since the last time as words: a letter for the subclass (d link, i IPv4, v IPv6) and the code;
 * all about the interface. Payloads of the last one stay in `ev`.
 */
static const char *
heard(struct socket *so, const char *name)
{
	static char text[256];
	char last[sizeof ev];
	size_t len = 0;

	text[0] = '\0';
	while (next_event(so)) {
		struct net_event_data data;

		memcpy(&data, ev.msg.event_data, sizeof data);
		CHECK_EQ(ev.msg.vendor_code, KEV_VENDOR_APPLE);
		CHECK_EQ(ev.msg.kev_class, KEV_NETWORK_CLASS);
		if (name != NULL) {
			CHECK_STR(data.if_name, name);
			CHECK_EQ(data.if_unit, 7);
		}
		len += (size_t)ksnprintf(text + len, sizeof text - len, "%s%c%u", len != 0 ? " " : "",
		    ev.msg.kev_subclass == KEV_DL_SUBCLASS ? 'd' :
		    ev.msg.kev_subclass == KEV_INET_SUBCLASS ? 'i' : 'v', ev.msg.event_code);
		memcpy(last, &ev, sizeof ev);
	}
	if (len != 0)
		memcpy(&ev, last, sizeof ev);
	return text;
}

static errno_t
en_output(ifnet_t ifp, mbuf_t m)
{
	(void)ifp;
	mbuf_freem(m);
	return 0;
}

static errno_t
en_ioctl(ifnet_t ifp, unsigned long command, void *data)
{
	(void)ifp;
	(void)command;
	(void)data;
	return 0;
}

static struct socket *ear;

/* An interface "en7" that is attached, without protocols; what it posted has been read. */
static struct ifnet *
attached(void)
{
	struct ifnet_init_params p = {.name = "en", .unit = 7, .output = en_output};
	struct ifnet *ifp;

	ear = event_socket(KEV_VENDOR_APPLE, KEV_NETWORK_CLASS, 0);
	raw_media(&p);
	p.ioctl = en_ioctl;
	CHECK_EQ(dlil_allocate(curmachine(), &p, NULL, &ifp), 0);
	CHECK_EQ(dlil_attach(ifp, NULL), 0);
	CHECK_STR(heard(ear, "en"), "d9");
	CHECK_EQ(ev.msg.total_size, 48);
	ifp->mtu = 1500;
	CHECK_EQ(ifnet_set_flags(ifp, IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST, 0xffff), 0);
	CHECK_STR(heard(ear, "en"), "");
	return ifp;
}

static void
proto_numbers(u_int32_t *family, u_int32_t *remaining)
{
	struct kev_dl_proto_data data;

	CHECK_EQ(ev.msg.total_size, 24 + sizeof data);
	memcpy(&data, ev.msg.event_data, sizeof data);
	*family = data.proto_family;
	*remaining = data.proto_remaining_count;
}

KTEST(protocols_come_and_go)
{
	struct ifnet *ifp = attached();
	u_int32_t family, count;

	CHECK_EQ(set_filter(ear, 1, 1, KEV_DL_SUBCLASS), 0);
	CHECK_EQ(dlil_plumb(ifp, PF_INET), 0);
	CHECK_STR(heard(ear, "en"), "d14 d1");
	CHECK_EQ(dlil_plumb(ifp, PF_INET6), 0);
	CHECK_STR(heard(ear, "en"), "d14 d1");
	CHECK_EQ(ifnet_detach_protocol(ifp, PF_INET), 0);
	CHECK_STR(heard(ear, "en"), "d15");
	proto_numbers(&family, &count);
	CHECK_EQ(family, PF_INET);
	CHECK_EQ(count, 1);
	CHECK_EQ(ifnet_detach_protocol(ifp, PF_INET6), 0);
	CHECK_STR(heard(ear, "en"), "d15 d1");
	CHECK_EQ(soclose(ear), 0);
}

static errno_t
ask_interface(unsigned long command, struct ifreq *ifr)
{
	struct socket *so = udp4();
	errno_t error;

	memcpy(ifr->ifr_name, "en7", 4);
	error = soioctl(so, command, ifr);
	CHECK_EQ(soclose(so), 0);
	return error;
}

KTEST(what_programs_set_is_posted)
{
	struct ifnet *ifp = attached();
	struct ifreq ifr;

	memset(&ifr, 0, sizeof ifr);
	ifr.ifr_flags = IFF_UP | IFF_BROADCAST;
	CHECK_EQ(ask_interface(SIOCSIFFLAGS, &ifr), 0);
	CHECK_STR(heard(ear, "en"), "d1");
	ifr.ifr_mtu = 1400;
	CHECK_EQ(ask_interface(SIOCSIFMTU, &ifr), 0);
	CHECK_STR(heard(ear, "en"), "d3");
	ifr.ifr_metric = 4;
	CHECK_EQ(ask_interface(SIOCSIFMETRIC, &ifr), 0);
	CHECK_STR(heard(ear, "en"), "d2");
	CHECK_EQ(ask_interface(SIOCSIFPHYS, &ifr), 0);
	CHECK_EQ(ask_interface(SIOCSIFMEDIA, &ifr), 0);
	CHECK_EQ(ask_interface(SIOCSIFGENERIC, &ifr), 0);
	CHECK_STR(heard(ear, "en"), "d4 d5 d6");
	CHECK_EQ(ifnet_set_mtu(ifp, 1300), 0);
	CHECK_EQ(ifnet_set_metric(ifp, 3), 0);
	CHECK_STR(heard(ear, "en"), "");
	CHECK_EQ(soclose(ear), 0);
}

KTEST(what_drivers_tell_is_posted)
{
	struct ifnet *ifp = attached();
	struct {
		struct kern_event_msg header;
		struct net_event_data data;
	} link = {.header = {.vendor_code = KEV_VENDOR_APPLE, .kev_class = KEV_NETWORK_CLASS,
	    .kev_subclass = KEV_DL_SUBCLASS, .event_code = KEV_DL_LINK_OFF}};
	char *data = (char *)&link + KEV_MSG_HEADER_SIZE;
	struct net_event_data identity = {.if_family = 1, .if_unit = 7, .if_name = "en"};

	link.header.total_size = KEV_MSG_HEADER_SIZE + sizeof identity;
	memcpy(data, &identity, sizeof identity);
	CHECK_EQ(ifnet_event(ifp, &link.header), 0);
	CHECK_STR(heard(ear, "en"), "d12");
	CHECK_EQ(ev.msg.total_size, 48);
	link.header.event_code = KEV_DL_LINK_ON;
	CHECK_EQ(ifnet_event(ifp, &link.header), 0);
	CHECK_STR(heard(ear, "en"), "d13");
	CHECK_EQ(ifnet_set_wake_flags(ifp, IF_WAKE_ON_MAGIC_PACKET, IF_WAKE_ON_MAGIC_PACKET), 0);
	CHECK_STR(heard(ear, "en"), "d17");
	CHECK_EQ(ifnet_set_capabilities_supported(ifp, IFCAP_TXCSUM, IFCAP_TXCSUM), 0);
	CHECK_STR(heard(ear, "en"), "");
	CHECK_EQ(ifnet_set_capabilities_enabled(ifp, IFCAP_TXCSUM, IFCAP_TXCSUM), 0);
	CHECK_STR(heard(ear, "en"), "d19");
	/* Interface fact: also when it is refused. */
	CHECK_EQ(ifnet_set_capabilities_enabled(ifp, IFCAP_TSO4, IFCAP_TSO4), EINVAL);
	CHECK_STR(heard(ear, "en"), "d19");
	CHECK_EQ(ifnet_set_offload(ifp, IFNET_CSUM_TCP), 0);
	CHECK_STR(heard(ear, "en"), "d19");
	CHECK_EQ(ifnet_set_lladdr(ifp, NULL, 0), 0);
	CHECK_STR(heard(ear, "en"), "d16");
	CHECK_EQ(soclose(ear), 0);
}

KTEST(addresses_of_ipv4_are_posted)
{
	struct ifnet *ifp = attached();
	struct in_aliasreq alias;
	struct ifreq ifr;
	struct sockaddr_in sin = sin4(IP4(10, 9, 8, 7), 0);
	struct kev_in_data data;

	CHECK_EQ(dlil_plumb(ifp, PF_INET), 0);
	CHECK_STR(heard(ear, "en"), "d14 d1");
	memset(&alias, 0, sizeof alias);
	memcpy(alias.ifra_name, "en7", 4);
	alias.ifra_addr = sin;
	alias.ifra_mask = sin4(IP4(255, 255, 0, 0), 0);
	{
		struct socket *so = udp4();

		CHECK_EQ(soioctl(so, SIOCAIFADDR, &alias), 0);
		CHECK_STR(heard(ear, "en"), "i1");
		CHECK_EQ(soioctl(so, SIOCAIFADDR, &alias), 0);
		CHECK_STR(heard(ear, "en"), "i2");
		CHECK_EQ(soclose(so), 0);
	}
	CHECK_EQ(ev.msg.total_size, 24 + sizeof data);
	memcpy(&data, ev.msg.event_data, sizeof data);
	CHECK_EQ(data.ia_addr.s_addr, IP4(10, 9, 8, 7));
	CHECK_EQ(data.ia_netmask, 0xff000000);
	CHECK_EQ(data.ia_net, 0x0a000000);
	CHECK_EQ(data.ia_subnetmask, 0xffff0000);
	CHECK_EQ(data.ia_subnet, 0x0a090000);
	CHECK_EQ(data.ia_netbroadcast.s_addr, IP4(10, 9, 255, 255));
	memset(&ifr, 0, sizeof ifr);
	memcpy(&ifr.ifr_addr, &alias.ifra_mask, sizeof ifr.ifr_addr);
	CHECK_EQ(ask_interface(SIOCSIFNETMASK, &ifr), 0);
	CHECK_STR(heard(ear, "en"), "i6");
	sin.sin_addr.s_addr = IP4(10, 9, 255, 255);
	memcpy(&ifr.ifr_addr, &sin, sizeof ifr.ifr_addr);
	CHECK_EQ(ask_interface(SIOCSIFBRDADDR, &ifr), 0);
	CHECK_STR(heard(ear, "en"), "i5");
	CHECK_EQ(ifnet_set_flags(ifp, IFF_POINTOPOINT, IFF_POINTOPOINT | IFF_BROADCAST), 0);
	CHECK_EQ(ask_interface(SIOCSIFDSTADDR, &ifr), 0);
	CHECK_STR(heard(ear, "en"), "i4");
	sin.sin_addr.s_addr = IP4(10, 9, 8, 7);
	memcpy(&ifr.ifr_addr, &sin, sizeof ifr.ifr_addr);
	CHECK_EQ(ask_interface(SIOCDIFADDR, &ifr), 0);
	CHECK_STR(heard(ear, "en"), "i3");
	CHECK_EQ(soclose(ear), 0);
}

KTEST(addresses_of_ipv6_are_posted)
{
	struct ifnet *ifp = attached();
	struct kev_in6_data data;
	struct sockaddr_in6 gone = sin6(HERE6, 0);

	CHECK_EQ(dlil_plumb(ifp, PF_INET6), 0);
	CHECK_EQ(ifnet_set_flags(ifp, IFF_UP | IFF_RUNNING, IFF_UP | IFF_RUNNING), 0);
	let_run();
	(void)heard(ear, "en");
	add_address6(ifp, LOCAL6);
	CHECK_STR(heard(ear, "en"), "v4");
	add_address6(ifp, HERE6);
	CHECK_STR(heard(ear, "en"), "v1");
	CHECK_EQ(ev.msg.total_size, 24 + sizeof data);
	memcpy(&data, ev.msg.event_data, sizeof data);
	CHECK(same6(data.ia_addr.sin6_addr, HERE6));
	CHECK_EQ(data.ia_plen, 64);
	CHECK_EQ(ifaddr_remove(ifp, SA(gone)), 0);
	CHECK_STR(heard(ear, "en"), "v3");
	CHECK_EQ(soclose(ear), 0);
}

KTEST(an_interface_goes_in_order)
{
	struct ifnet *ifp = attached();

	CHECK_EQ(dlil_plumb(ifp, PF_INET), 0);
	CHECK_EQ(dlil_plumb(ifp, PF_INET6), 0);
	add_address4(ifp, HERE4, IP4(255, 255, 255, 0));
	let_run();
	(void)heard(ear, "en");
	CHECK_EQ(ifnet_detach(ifp), 0);
	CHECK_STR(heard(ear, "en"), "d20 d10");
	let_run();
	CHECK_STR(heard(ear, "en"), "i3 d15 d15 d1 d11");
	CHECK_EQ(soclose(ear), 0);
}

KTEST_SUITE(kern_event_socket, T(nothing_is_heard_without_a_filter), T(filters_go_from_vendor_to_subclass),
    T(event_sockets_only_receive), T(a_short_read_loses_the_rest), T(who_does_not_read_misses_events_alone),
    T(without_memory_older_sockets_miss_it), T(vendors_are_found_by_name), T(a_kext_hears_events_by_upcall),
    T(controllers_come_and_go), T(protocols_come_and_go), T(what_programs_set_is_posted),
    T(what_drivers_tell_is_posted), T(addresses_of_ipv4_are_posted), T(addresses_of_ipv6_are_posted),
    T(an_interface_goes_in_order));
