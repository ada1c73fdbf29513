/* What the zone notices: double frees, late writes, mbufs of other machines, packets never freed. */
#include "src/kern/heap.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/mbuf_zone.h"
#include "src/kern/panic.h"
#include "tests/unit/mbuf_testing.h"

KTEST_PANICS(a_double_free_is_named, "freed twice; first by the kernel at")
{
	struct mbuf *m = piece(true, 0, 1, 0);

	mbuf_free(m);
	mbuf_free(m);
}

KTEST_PANICS(a_double_free_is_noticed_unchecked, "freed twice")
{
	struct mbuf *m;

	curmachine()->mbufs->checked = false;
	m = m_get(curmachine(), MBUF_WAITOK, MBUF_TYPE_DATA);
	mbuf_free(m);
	mbuf_free(m);
}

KTEST_PANICS(using_a_freed_mbuf_is_named, "mbuf_data was given mbuf")
{
	struct mbuf *m = piece(true, 0, 1, 0);

	mbuf_free(m);
	(void)mbuf_data(m);
}

KTEST_PANICS(a_late_write_to_an_mbuf_is_named, "was written to at offset 200 after it had been freed")
{
	struct mbuf *m = piece(false, 0, 10, 0);

	mbuf_free(m);
	((char *)m)[200] = 1;
	(void)piece(false, 0, 10, 0);
}

KTEST_PANICS(a_late_write_to_a_length_is_named, "was written to at offset 24 after")
{
	struct mbuf *m = piece(false, 0, 10, 0);

	mbuf_free(m);
	m->m_len = 0;
	(void)piece(false, 0, 10, 0);
}

KTEST_PANICS(a_late_write_to_a_link_is_named, "was written to at offset 0 after")
{
	struct mbuf *m = piece(false, 0, 10, 0);

	mbuf_free(m);
	m->m_next = m;
	(void)piece(false, 0, 10, 0);
}

KTEST_PANICS(a_late_write_to_a_cluster_is_named, "was written to at offset 2047 after it had been freed")
{
	struct mbuf *m = piece(true, 0, 10, 2048);
	char *data = mbuf_data(m);

	mbuf_freem(m);
	data[2047] = 0;
	(void)piece(true, 0, 10, 2048);
}

KTEST_PANICS(an_mbuf_of_type_free_is_refused, "MBUF_TYPE_FREE")
{
	mbuf_t m;

	(void)mbuf_get(MBUF_WAITOK, MBUF_TYPE_FREE, &m);
}

static void
free_it(void *arg)
{
	mbuf_freem(arg);
}

KTEST_PANICS(mbufs_do_not_leave_their_machine, "do not leave their machine")
{
	struct core_config config = {.name = "other", .time = CORE_TIME_VIRTUAL, .checked = true};
	struct mbuf *m = piece(true, 0, 1, 0);
	struct nke *other;
	char report[2048];

	CHECK_EQ(machine_create(&config, NULL, &other), 0);
	CHECK_EQ(machine_call(other, free_it, m), EFAULT);
	ksnprintf(report, sizeof report, "%s", machine_panic_report(other));
	machine_destroy(other);
	kpanic("%s", report);
}

KTEST_PANICS(a_length_beyond_the_buffer_is_named,
    "says it has 300 bytes from offset 0 of its buffer, which has 224")
{
	struct mbuf *m = two_pieces(10, 20);

	mbuf_setlen(mbuf_next(m), 300);
	m_set_owner(m, NULL, NULL);
}

KTEST_PANICS(a_freed_part_of_a_packet_is_named, "the stack was given mbuf")
{
	struct mbuf *m = two_pieces(10, 20);

	mbuf_free(mbuf_next(m));
	m_set_owner(m, NULL, NULL);
}

/* ---- who has it --------------------------------------------------------------------------- */

static void
note_packet(void *ctx, struct mbuf *m, void *pc)
{
	struct mbuf **reported = ctx;

	CHECK(pc != NULL);
	*reported = m;
}

KTEST(a_kexts_packets_are_found)
{
	struct kext *kext = kalloc(curmachine(), sizeof *kext);
	struct mbuf *m = NULL, *reported = NULL, *cores, *tail;

	memcpy(kext->name, "tester", 7);
	kext->id = 7;
	TAILQ_INIT(&kext->owned);
	cores = two_pieces(10, 200);
	GATE_CALL(kext, "start", NULL, m = two_pieces(10, 20));
	CHECK_EQ(mbuf_report_owned(curmachine(), kext, note_packet, &reported), 1);
	CHECK(reported == m);
	/* What is put in front of a packet belongs to whom the packet belongs. */
	GATE_CALL(kext, "iff_input", cores, CHECK_EQ(mbuf_prepend(&cores, 40, MBUF_WAITOK), 0));
	CHECK_EQ(mbuf_report_owned(curmachine(), kext, NULL, NULL), 1);
	GATE_CALL(kext, "iff_input", cores, CHECK_EQ(mbuf_split(cores, 50, MBUF_WAITOK, &tail), 0));
	CHECK_EQ(mbuf_report_owned(curmachine(), kext, NULL, NULL), 2);
	mbuf_concatenate(cores, tail);
	CHECK_EQ(mbuf_report_owned(curmachine(), kext, NULL, NULL), 1);
	m_set_owner(m, NULL, NULL);
	CHECK_EQ(mbuf_report_owned(curmachine(), kext, NULL, NULL), 0);
	m_set_owner(cores, kext, __builtin_return_address(0));
	CHECK_EQ(mbuf_report_owned(curmachine(), kext, note_packet, &reported), 1);
	CHECK(reported == cores);
	mbuf_freem(cores);
	CHECK_EQ(mbuf_report_owned(curmachine(), kext, NULL, NULL), 0);
	mbuf_freem(m);
	kfree(curmachine(), kext);
}

/* Another kext may come to lie at its address. */
KTEST(packets_of_a_kext_that_is_gone_are_nobodys)
{
	struct kext *kext = kalloc(curmachine(), sizeof *kext);
	struct mbuf *m = NULL;

	memcpy(kext->name, "tester", 7);
	TAILQ_INIT(&kext->owned);
	GATE_CALL(kext, "start", NULL, m = two_pieces(10, 20));
	CHECK_EQ(mbuf_report_owned(curmachine(), kext, NULL, NULL), 1);
	mbuf_disown(curmachine(), kext);
	CHECK_EQ(mbuf_report_owned(curmachine(), kext, NULL, NULL), 0);
	mbuf_freem(m);
	kfree(curmachine(), kext);
}

KTEST_PANICS(a_double_free_names_the_kexts, "first by the kernel at")
{
	struct kext *kext = kalloc(curmachine(), sizeof *kext);
	struct mbuf *m = NULL;

	memcpy(kext->name, "tester", 7);
	TAILQ_INIT(&kext->owned);
	GATE_CALL(kext, "start", NULL, m = piece(true, 0, 1, 0));
	mbuf_freem(m);
	GATE_CALL(kext, "stop", NULL, mbuf_freem(m));
}

KTEST_SUITE(mbuf_check, T(a_double_free_is_named), T(a_double_free_is_noticed_unchecked),
    T(using_a_freed_mbuf_is_named), T(a_late_write_to_an_mbuf_is_named),
    T(a_late_write_to_a_length_is_named), T(a_late_write_to_a_link_is_named),
    T(a_late_write_to_a_cluster_is_named), T(an_mbuf_of_type_free_is_refused),
    T(mbufs_do_not_leave_their_machine),
    T(a_length_beyond_the_buffer_is_named), T(a_freed_part_of_a_packet_is_named),
    T(a_kexts_packets_are_found),
    T(packets_of_a_kext_that_is_gone_are_nobodys),
    T(a_double_free_names_the_kexts));
