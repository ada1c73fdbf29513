/* Interfaces when memory is short, and what the ledger knows of them. */
#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/kext.h"
#include "src/net/bpf_private.h"
#include "tests/unit/dlil_testing.h"

static void
ignore_frame(void *ctx, const void *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
}

static void
ignore_tap(void *ctx, const struct bpf_packet *p)
{
	(void)ctx;
	(void)p;
}

static struct core_memory
memory_now(void)
{
	struct core_memory memory;

	machine_memory(curmachine(), &memory);
	return memory;
}

static void
use(struct ifnet *en)
{
	struct sockaddr_in addr = ipv4(10, 0, 0, 1), peer = ipv4(10, 0, 0, 2), group = ipv4(224, 0, 0, 9);
	struct sockaddr_in6 addr6 = ipv6(0x20, 0x01, 1);
	struct iff_filter filter = {.iff_name = "f"};
	interface_filter_t ref;
	ifmultiaddr_t ifma;
	ifnet_t *list;
	ifaddr_t *addresses;
	struct mbuf *m;
	u_int32_t count;
	uint32_t id;

	(void)ifaddr_add(en, SA(addr), NULL, NULL);
	(void)ifaddr_add(en, SA(addr6), NULL, NULL);
	(void)neighbor_learn(curmachine(), en, SA(peer), (const uint8_t *)"\2\0\0\0\0\2");
	(void)bpf_listen(en, 0, ignore_tap, NULL, &id);
	(void)iflt_attach(en, &filter, &ref);
	if (dlil_multicast_join(en, SA(group), &ifma) == 0) {
		CHECK_EQ(dlil_multicast_leave(ifma), 0);
		CHECK_EQ(ifmaddr_release(ifma), 0);
	}
	(void)iface_input(curmachine(), en, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\x06garbage", 21);
	m = m_gethdr(curmachine(), MBUF_DONTWAIT, MBUF_TYPE_DATA);
	if (m != NULL)
		(void)ifnet_output(en, PF_INET, m, NULL, SA(peer));
	if (ifnet_list_get(0, &list, &count) == 0)
		ifnet_list_free(list);
	if (ifnet_get_address_list(NULL, &addresses) == 0)
		ifnet_free_address_list(addresses);
}

static void
live_and_die(void)
{
	struct core_iface_config config = {
		.name = "en", .media = CORE_MEDIA_ETHERNET, .lladdr = {2, 0, 0, 0, 0, 1},
		.output = ignore_frame,
	};
	struct ifnet *en;
	int error = iface_create(curmachine(), &config, &en);

	CHECK(error == 0 || error == ENOMEM || error == ENOBUFS);
	if (error == 0) {
		use(en);
		CHECK_EQ(iface_destroy(curmachine(), en), 0);
	}
	settle();
	CHECK(dlil_find_by_name(curmachine(), "en0") == NULL);
}

KTEST(every_allocation_may_fail)
{
	uint64_t needed, blocks;

	live_and_die();			/* what stays for good is there now */
	needed = memory_now().allocations;
	blocks = memory_now().heap_blocks;
	live_and_die();
	needed = memory_now().allocations - needed;
	CHECK(needed > 12);
	CHECK_EQ(memory_now().heap_blocks, blocks);
	for (uint64_t n = 1; n <= needed; n++) {
		curmachine()->config.fail_alloc = memory_now().allocations + n;
		live_and_die();
		curmachine()->config.fail_alloc = 0;
		CHECK_EQ(memory_now().heap_blocks, blocks);
		CHECK_EQ(memory_now().mbufs, 0);
	}
}

/* ---- the ledger --------------------------------------------------------------------------- */

static struct kext tester = {.name = "tester", .identifier = "org.example.tester"};
static struct ifnet *the;
static interface_filter_t filter_ref;

static void
make_everything(void)
{
	struct ifnet_init_params params = driver_params("x", 0);
	struct iff_filter filter = {.iff_name = "f"};
	struct ifnet *lo0;

	CHECK_EQ(ifnet_allocate(&params, &the), 0);
	CHECK_EQ(ifnet_attach(the, NULL), 0);
	CHECK_EQ(attach_recorder(the, 77), 0);
	CHECK_EQ(proto_register_plumber(PF_INET, 1234, (proto_plumb_handler)attach_recorder, NULL), 0);
	CHECK_EQ(iflt_attach(the, &filter, &filter_ref), 0);
	CHECK_EQ(ifnet_find_by_name("lo0", &lo0), 0);
	CHECK_EQ(ifnet_reference(lo0), 0);
}

static void
unmake_everything(void)
{
	struct ifnet *lo0 = dlil_loopback(curmachine());

	iflt_detach(filter_ref);
	proto_unregister_plumber(PF_INET, 1234);
	CHECK_EQ(ifnet_detach_protocol(the, 77), 0);
	CHECK_EQ(ifnet_release(lo0), 0);
	CHECK_EQ(ifnet_release(lo0), 0);
	CHECK_EQ(ifnet_detach(the), 0);
	CHECK_EQ(ifnet_release(the), 0);
}

KTEST(a_kext_owns_what_it_made)
{
	memset(&drv, 0, sizeof drv);
	TAILQ_INIT(&tester.owned);
	memset(tester.owned_count, 0, sizeof tester.owned_count);
	GATE_CALL(&tester, "start", NULL, make_everything());
	CHECK_EQ(tester.owned_count[LEDGER_INTERFACE], 1);
	CHECK_EQ(tester.owned_count[LEDGER_INTERFACE_REF], 2);
	CHECK_EQ(tester.owned_count[LEDGER_PROTOCOL], 1);
	CHECK_EQ(tester.owned_count[LEDGER_PLUMBER], 1);
	CHECK_EQ(tester.owned_count[LEDGER_INTERFACE_FILTER], 1);
	GATE_CALL(&tester, "stop", NULL, unmake_everything());
	CHECK_EQ(tester.owned_count[LEDGER_INTERFACE], 1);	/* until the detach callback returned */
	settle();
	CHECK(TAILQ_EMPTY(&tester.owned));
}

static struct kext *seen;

static void
remember_kext(void)
{
	seen = gate_kext();
}

KTEST(callbacks_run_as_their_kext)
{
	memset(&drv, 0, sizeof drv);
	TAILQ_INIT(&tester.owned);
	GATE_CALL(&tester, "start", NULL, make_everything());
	drv.on_output = remember_kext;
	CHECK_EQ(ifnet_output_raw(the, 0, packet("a")), 0);
	CHECK(seen == &tester);
	CHECK(gate_kext() == NULL);
	GATE_CALL(&tester, "stop", NULL, unmake_everything());
	settle();
}

KTEST_SUITE(dlil_memory,
    T(every_allocation_may_fail),
    T(a_kext_owns_what_it_made),
    T(callbacks_run_as_their_kext));
