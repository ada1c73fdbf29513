/* src/net/bpf.c, kpi/bpf.c: taps. */
#include "src/net/bpf_private.h"
#include "tests/unit/dlil_testing.h"

static struct ifnet *the;
static uint32_t ids[3];
static bool leave;

static void
hear(void *ctx, const struct bpf_packet *p)
{
	note("%s%c:%u:%c+%u", (const char *)ctx, p->outbound ? '>' : '<', p->dlt, name_of(p->m),
	    (unsigned)p->header_len);
	if (leave)
		bpf_unlisten(curmachine(), ids[0]);
}

static errno_t tap_error;

static errno_t
tap(struct ifnet *ifp, u_int32_t dlt, bpf_tap_mode mode)
{
	CHECK(ifp == the);
	note("tap:%u/%u", dlt, mode);
	return tap_error;
}

static void
prepare(void)
{
	the = attached_interface("x", 0);
	tap_error = 0;
	leave = false;
}

static void
show(u_int32_t dlt)
{
	struct mbuf *m = packet("p");
	char header[] = "hdr";

	bpf_tap_in(the, dlt, m, NULL, 0);
	bpf_tap_out(the, dlt, m, header, 3);
	m_freem(m);
}

KTEST(link_types_are_attached_once)
{
	prepare();
	CHECK_EQ(bpf_attach(the, DLT_RAW, 0, NULL, NULL), 0);
	CHECK_EQ(bpf_attach(the, DLT_RAW, 0, NULL, NULL), EEXIST);
	bpfattach(the, DLT_PPP, 4);
	CHECK_EQ(bpf_attach(the, DLT_PPP, 4, NULL, NULL), EEXIST);
	CHECK_EQ(the->refcount, 4);
}

KTEST(listeners_see_what_the_driver_shows)
{
	prepare();
	show(DLT_RAW);
	CHECK_EQ(bpf_listen(the, DLT_RAW, hear, (void *)(uintptr_t)"a", &ids[0]), ENXIO);
	CHECK_EQ(bpf_attach(the, DLT_RAW, 0, NULL, NULL), 0);
	CHECK_EQ(bpf_attach(the, DLT_PPP, 0, NULL, NULL), 0);
	CHECK_EQ(bpf_listen(the, 0, hear, (void *)(uintptr_t)"a", &ids[0]), 0);
	CHECK_EQ(bpf_listen(the, DLT_PPP, hear, (void *)(uintptr_t)"b", &ids[1]), 0);
	show(DLT_RAW);
	CHECK_STR(said(), "a<:12:p+0 a>:12:p+3");
	show(0);
	CHECK_STR(said(), "a<:12:p+0 a>:12:p+3");
	show(DLT_PPP);
	CHECK_STR(said(), "b<:9:p+0 b>:9:p+3");
	show(DLT_EN10MB);
	CHECK_STR(said(), "");
	bpf_unlisten(curmachine(), ids[0]);
	bpf_unlisten(curmachine(), ids[0]);
	show(DLT_RAW);
	CHECK_STR(said(), "");
}

KTEST(ethernet_is_the_default_of_ethernet_interfaces)
{
	prepare();
	the->type = IFT_ETHER;
	CHECK_EQ(bpf_attach(the, DLT_RAW, 0, NULL, NULL), 0);
	CHECK_EQ(bpf_attach(the, DLT_EN10MB, 14, NULL, NULL), 0);
	CHECK_EQ(bpf_listen(the, 0, hear, (void *)(uintptr_t)"a", &ids[0]), 0);
	show(0);
	CHECK_STR(said(), "a<:1:p+0 a>:1:p+3");
}

KTEST(the_driver_is_told_of_the_first_and_last_listener)
{
	prepare();
	CHECK_EQ(bpf_attach(the, DLT_RAW, 0, NULL, tap), 0);
	tap_error = EIO;
	CHECK_EQ(bpf_listen(the, DLT_RAW, hear, (void *)(uintptr_t)"a", &ids[0]), ENXIO);
	CHECK_STR(said(), "tap:12/3");
	tap_error = 0;
	CHECK_EQ(bpf_listen(the, DLT_RAW, hear, (void *)(uintptr_t)"a", &ids[0]), 0);
	CHECK_EQ(bpf_listen(the, DLT_RAW, hear, (void *)(uintptr_t)"b", &ids[1]), 0);
	CHECK_STR(said(), "tap:12/3");
	bpf_unlisten(curmachine(), ids[0]);
	CHECK_STR(said(), "");
	bpf_unlisten(curmachine(), ids[1]);
	CHECK_STR(said(), "tap:12/0");
}

KTEST(a_listener_may_leave_while_it_listens)
{
	prepare();
	CHECK_EQ(bpf_attach(the, DLT_RAW, 0, NULL, NULL), 0);
	CHECK_EQ(bpf_listen(the, DLT_RAW, hear, (void *)(uintptr_t)"a", &ids[0]), 0);
	CHECK_EQ(bpf_listen(the, DLT_RAW, hear, (void *)(uintptr_t)"b", &ids[1]), 0);
	leave = true;
	show(DLT_RAW);
	CHECK_STR(said(), "a<:12:p+0 b<:12:p+0 b>:12:p+3");
}

KTEST(taps_go_with_their_interface)
{
	prepare();
	CHECK_EQ(bpf_attach(the, DLT_RAW, 0, NULL, NULL), 0);
	CHECK_EQ(bpf_listen(the, DLT_RAW, hear, (void *)(uintptr_t)"a", &ids[0]), 0);
	CHECK_EQ(ifnet_detach(the), 0);
	show(DLT_RAW);
	bpf_unlisten(curmachine(), ids[0]);
	settle();
	CHECK_STR(said(), "detached");
	CHECK_EQ(the->refcount, 1);
}

KTEST(lo0_can_be_tapped)
{
	struct ifnet *lo0 = dlil_loopback(curmachine());

	(void)said();
	leave = false;
	CHECK_EQ(bpf_listen(lo0, DLT_NULL, hear, (void *)(uintptr_t)"a", &ids[0]), 0);
	CHECK_EQ(ifnet_output_raw(lo0, 77, m_devget(curmachine(), "M\0\0\0a", 5, 0)), 0);
	CHECK_STR(said(), "a>:0:M+0 a<:0:M+0");
	settle();
}

KTEST_SUITE(bpf,
    T(link_types_are_attached_once),
    T(listeners_see_what_the_driver_shows),
    T(ethernet_is_the_default_of_ethernet_interfaces),
    T(the_driver_is_told_of_the_first_and_last_listener),
    T(a_listener_may_leave_while_it_listens),
    T(taps_go_with_their_interface),
    T(lo0_can_be_tapped));
