/* dlil/dlil_multicast.c, kpi/kpi_ifmaddr.c: multicast groups of interfaces. */
#include "tests/unit/dlil_testing.h"

static struct ifnet *the;

static void
prepare(void)
{
	the = attached_interface("x", 0);
	CHECK_EQ(ifnet_set_flags(the, IFF_MULTICAST, IFF_MULTICAST), 0);
}

static struct sockaddr_dl
group(uint8_t last)
{
	struct sockaddr_dl sdl = {.sdl_len = sizeof sdl, .sdl_family = AF_LINK, .sdl_alen = 6};
	uint8_t addr[6] = {1, 0, 0x5e, 0, 0, last};

	memcpy(LLADDR(&sdl), addr, 6);
	return sdl;
}

static unsigned
records(struct ifnet *ifp)
{
	ifmultiaddr_t *list;
	unsigned n = 0;

	CHECK_EQ(ifnet_get_multicast_list(ifp, &list), 0);
	while (list[n] != NULL)
		n++;
	ifnet_free_multicast_list(list);
	return n;
}

KTEST(join_checks_its_arguments)
{
	struct sockaddr_dl g = group(1), empty = group(1), overlong = group(1);
	struct sockaddr_in ip = ipv4(224, 0, 0, 1);
	ifmultiaddr_t *list;

	prepare();
	CHECK_EQ(ifnet_add_multicast(NULL, SA(g), NULL), EINVAL);
	CHECK_EQ(ifnet_add_multicast(the, NULL, NULL), EINVAL);
	CHECK_EQ(ifnet_add_multicast(the, SA(ip), NULL), EINVAL);
	empty.sdl_alen = 0;
	CHECK_EQ(ifnet_add_multicast(the, SA(empty), NULL), EINVAL);
	overlong.sdl_alen = 200;
	CHECK_EQ(ifnet_add_multicast(the, SA(overlong), NULL), EINVAL);
	drv.check_error = EADDRNOTAVAIL;
	CHECK_EQ(ifnet_add_multicast(the, SA(g), NULL), EADDRNOTAVAIL);
	drv.check_error = EOPNOTSUPP;	/* counts as accepted */
	CHECK_EQ(ifnet_add_multicast(the, SA(g), NULL), 0);
	CHECK_EQ(ifnet_set_flags(the, 0, IFF_MULTICAST), 0);
	CHECK_EQ(ifnet_add_multicast(the, SA(g), NULL), EADDRNOTAVAIL);
	CHECK_EQ(ifnet_get_multicast_list(NULL, &list), EINVAL);
	CHECK_EQ(ifnet_get_multicast_list(the, NULL), EINVAL);
	CHECK_EQ(ifnet_remove_multicast(NULL), EINVAL);
}

KTEST(the_driver_hears_of_the_first_and_the_last_membership)
{
	struct sockaddr_dl g = group(1), out;
	struct sockaddr unspec = {.sa_len = 16, .sa_family = AF_UNSPEC};
	ifmultiaddr_t a, b;

	prepare();
	listen_to_events();
	drv.ioctl_error = EIO;		/* ignored */
	CHECK_EQ(ifnet_add_multicast(the, SA(g), &a), 0);
	CHECK_STR(said(), "check:18 ioctl:49");
	memcpy(unspec.sa_data, "\x01\x00\x5e\x00\x00\x01", 6);
	CHECK_EQ(ifnet_add_multicast(the, &unspec, &b), 0);
	CHECK(a == b);
	CHECK_STR(said(), "");
	CHECK_EQ(records(the), 1);
	CHECK_EQ(ifmaddr_address(a, SA(out), sizeof out), 0);
	CHECK_EQ(out.sdl_family, AF_LINK);
	CHECK_EQ(out.sdl_alen, 6);
	CHECK_EQ(memcmp(LLADDR(&out), "\x01\x00\x5e\x00\x00\x01", 6), 0);
	CHECK_EQ(ifmaddr_address(a, SA(out), 4), EMSGSIZE);
	CHECK_EQ(ifmaddr_lladdress(a, SA(out), sizeof out), ENOTSUP);
	CHECK(ifmaddr_ifnet(a) == the);
	CHECK_EQ(ifnet_remove_multicast(a), 0);
	CHECK_STR(said(), "");
	CHECK_EQ(ifnet_remove_multicast(a), 0);
	CHECK_STR(said(), "ioctl:50");
	CHECK_EQ(ifnet_remove_multicast(a), ENOENT);
	CHECK_EQ(records(the), 0);
	CHECK_EQ(ifmaddr_release(a), 0);
	CHECK_EQ(ifmaddr_release(b), 0);
	CHECK_EQ(ifmaddr_release(NULL), EINVAL);
	CHECK_EQ(ifmaddr_reference(NULL), EINVAL);
}

static errno_t
resolve(struct ifnet *ifp, const struct sockaddr *sa, struct sockaddr_dl *ll, size_t len)
{
	(void)ifp;
	(void)sa;
	CHECK(len >= sizeof *ll);
	note("resolve:%d", ll->sdl_len);
	if (prt.resolve_error == 0)
		*ll = group(9);
	return prt.resolve_error;
}

static void
attach_resolver(void)
{
	struct ifnet_attach_proto_param p = {.input = prt_input, .resolve = resolve};

	memset(&prt, 0, sizeof prt);
	CHECK_EQ(ifnet_attach_protocol(the, PF_INET, &p), 0);
	(void)said();
}

KTEST(a_protocols_group_brings_its_link_group)
{
	struct sockaddr_in ip = ipv4(224, 0, 0, 9);
	struct sockaddr_dl g = group(9), out;
	ifmultiaddr_t rec, link;

	prepare();
	attach_resolver();
	CHECK_EQ(dlil_multicast_join(the, SA(ip), &rec), 0);
	CHECK_STR(said(), "resolve:0 check:18 ioctl:49");
	CHECK_EQ(records(the), 2);
	CHECK_EQ(ifmaddr_lladdress(rec, SA(out), sizeof out), 0);
	CHECK_EQ(memcmp(LLADDR(&out), LLADDR(&g), 6), 0);
	CHECK_EQ(ifnet_remove_multicast(rec), EINVAL);
	/* Anonymous memberships of the link group are counted apart. */
	CHECK_EQ(ifnet_add_multicast(the, SA(g), &link), 0);
	CHECK_EQ(dlil_multicast_leave(rec), 0);
	CHECK_EQ(records(the), 1);
	CHECK_STR(said(), "");
	CHECK_EQ(ifnet_remove_multicast(link), 0);
	CHECK_STR(said(), "ioctl:50");
	ifmultiaddr_drop(rec);
	ifmultiaddr_drop(link);
}

KTEST(a_link_group_of_a_protocol_cannot_be_left_anonymously)
{
	struct sockaddr_in ip = ipv4(224, 0, 0, 9);
	struct sockaddr_dl g = group(9);

	prepare();
	attach_resolver();
	CHECK_EQ(dlil_multicast_join(the, SA(ip), NULL), 0);
	CHECK_EQ(ifnet_remove_multicast(dlil_multicast_find(the, SA(g))), ENOENT);
	CHECK_EQ(dlil_multicast_leave(dlil_multicast_find(the, SA(ip))), 0);
	CHECK_EQ(records(the), 0);
}

KTEST(resolving_asks_protocol_and_driver)
{
	struct sockaddr_in ip = ipv4(224, 0, 0, 9);
	struct ifnet_init_params params = driver_params("y", 0);
	struct sockaddr_dl out;
	struct ifnet *bare;

	prepare();
	attach_resolver();
	memset(&out, 0xff, sizeof out);
	CHECK_EQ(ifnet_resolve_multicast(the, SA(ip), SA(out), sizeof out), 0);
	CHECK_EQ(out.sdl_alen, 6);
	prt.resolve_error = EINVAL;
	CHECK_EQ(ifnet_resolve_multicast(the, SA(ip), SA(out), sizeof out), EINVAL);
	CHECK_EQ(out.sdl_alen, 0);
	drv.check_error = EADDRNOTAVAIL;
	prt.resolve_error = 0;
	CHECK_EQ(ifnet_resolve_multicast(the, SA(ip), SA(out), sizeof out), EADDRNOTAVAIL);
	params.check_multi = NULL;
	CHECK_EQ(ifnet_allocate(&params, &bare), 0);
	CHECK_EQ(ifnet_resolve_multicast(bare, SA(ip), SA(out), sizeof out), EOPNOTSUPP);
	CHECK_EQ(ifnet_attach(bare, NULL), 0);
	CHECK_EQ(ifnet_resolve_multicast(bare, SA(ip), SA(out), sizeof out), EOPNOTSUPP);
}

KTEST(link_groups_survive_their_interface)
{
	struct ifnet_init_params params = driver_params("x", 0);
	struct sockaddr_dl g = group(1);
	struct sockaddr_in ip = ipv4(224, 0, 0, 9);
	struct ifnet *again;

	prepare();
	attach_resolver();
	CHECK_EQ(ifnet_add_multicast(the, SA(g), NULL), 0);
	CHECK_EQ(dlil_multicast_join(the, SA(ip), NULL), 0);
	CHECK_EQ(ifnet_detach(the), 0);
	settle();
	CHECK_EQ(ifnet_allocate(&params, &again), 0);
	CHECK(again == the);
	CHECK_EQ(ifnet_attach(again, NULL), 0);
	CHECK_EQ(records(the), 1);
	(void)said();
	CHECK_EQ(ifnet_output_raw(the, 0, packet("a")), 0);
	CHECK_STR(said(), "ioctl:49 out:a");
	CHECK_EQ(ifnet_output_raw(the, 0, packet("b")), 0);
	CHECK_STR(said(), "out:b");
}

KTEST_SUITE(multicast,
    T(join_checks_its_arguments),
    T(the_driver_hears_of_the_first_and_the_last_membership),
    T(a_protocols_group_brings_its_link_group),
    T(a_link_group_of_a_protocol_cannot_be_left_anonymously),
    T(resolving_asks_protocol_and_driver),
    T(link_groups_survive_their_interface));
