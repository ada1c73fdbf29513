/*
 * Injection by IP filters: packets that re-enter the stack, on the way in from a soft interrupt of
 * their own (never nested in the caller), on the way out at once.
 *
 * Called by kpi/kpi_ipfilter.c. A packet that waits in the queue belongs to the engine.
 */
#include "ipfilter/ipfilter.h"
#include "src/kern/inject.h"
#include "src/kern/panic.h"

/* 4, 6, or whatever the first byte says; -1 when there is none. */
static int
ipf_version(const struct mbuf *m)
{
	uint8_t first;

	return m_copydata(m, 0, 1, &first) == 0 ? first >> 4 : -1;
}

static const struct ipf_protocol *
ipf_protocol_of(const struct ipf_state *s, int version)
{
	return version == 4 ? s->protocol4 : version == 6 ? s->protocol6 : NULL;
}

/* What a kext hands over has to be one live packet. */
static void
ipf_check_given(const struct mbuf *m, const char *function)
{
	KASSERTX(m != NULL, "%s was given no packet", function);
	if (m->m_type == MBUF_TYPE_FREE)
		m_used_after_free(m, function);
	KASSERTX(m->m_flags & M_PKTHDR, "%s was given mbuf %p without a packet header", function,
	    (const void *)m);
	KASSERTX(m->m_nextpkt == NULL, "%s was given a list of packets, it takes one", function);
}

static void
ipf_note_injected(struct nke *machine, struct mbuf *m, ipfilter_t ref)
{
	struct ipf_entry *f = ref != NULL ? ipf_find(machine->ipf, ref) : NULL;

	if (f != NULL)
		f->counters.injected++;
	inject_note(machine, m, f != NULL ? f->filter.name : NULL);
}

errno_t
ipf_queue_input(struct nke *machine, struct mbuf *m, ipfilter_t ref)
{
	struct ipf_state *s = machine->ipf;

	ipf_check_given(m, "ipf_inject_input");
	if (ipf_protocol_of(s, ipf_version(m)) == NULL)
		return ENOTSUP;
	KASSERTX(ref == NULL || m->m_pkthdr.rcvif != NULL,
	    "ipf_inject_input was given a filter reference and mbuf %p without a receive "
	    "interface: a packet that re-enters behind a filter keeps the interface it came by",
	    (const void *)m);
	ipf_note_injected(machine, m, ref);
	if (machine->checked)
		m_set_owner(m, NULL, NULL);
	m->m_pkthdr.origin = NULL;	/* a new packet, even if it was a captured one once */
	m->m_pkthdr.inject_ref = ref;
	if (s->inject_tail != NULL)
		s->inject_tail->m_nextpkt = m;
	else
		s->inject_head = m;
	s->inject_tail = m;
	softintr_schedule(&s->inject_intr);
	return 0;
}

/* Takes what is there now; what is injected meanwhile waits for the next time. */
static void
ipf_inject_intr(void *arg)
{
	struct nke *machine = arg;
	struct ipf_state *s = machine->ipf;
	struct mbuf *last = s->inject_tail, *m;
	bool more = s->inject_head != NULL;

	while (more && (m = s->inject_head) != NULL) {
		const struct ipf_protocol *p = ipf_protocol_of(s, ipf_version(m));

		more = m != last;
		s->inject_head = m->m_nextpkt;
		if (s->inject_head == NULL)
			s->inject_tail = NULL;
		m->m_nextpkt = NULL;
		if (p != NULL) {
			uint32_t outer = inject_enter(m);

			p->input(machine, m);
			inject_leave(outer);
		} else {
			m_freem(m);
		}
	}
	if (s->inject_head != NULL)
		softintr_schedule(&s->inject_intr);
}

errno_t
ipf_send(struct nke *machine, struct mbuf *m, ipfilter_t ref, ipf_pktopts_t options)
{
	struct ipf_state *s = machine->ipf;
	const struct ipf_protocol *p;
	uint32_t outer;
	int version;
	errno_t error;

	ipf_check_given(m, "ipf_inject_output");
	version = ipf_version(m);
	if (version < 0) {
		m_freem(m);
		return 0;		/* interface fact: an empty packet is no error */
	}
	p = ipf_protocol_of(s, version);
	if (p == NULL) {
		m_freem(m);
		return ENOTSUP;
	}
	ipf_note_injected(machine, m, ref);
	if (machine->checked)
		m_set_owner(m, NULL, NULL);
	m->m_pkthdr.origin = NULL;
	m->m_pkthdr.inject_ref = ref;
	outer = inject_enter(m);
	error = p->output(machine, m, options);
	inject_leave(outer);
	return error;
}

void
ipf_interface_detached(struct nke *machine, struct ifnet *ifp)
{
	struct ipf_state *s = machine->ipf;
	struct mbuf *m = s->inject_head, *next;

	s->inject_head = s->inject_tail = NULL;
	for (; m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		if (m->m_pkthdr.rcvif == ifp) {
			m_freem(m);
			continue;
		}
		if (s->inject_tail != NULL)
			s->inject_tail->m_nextpkt = m;
		else
			s->inject_head = m;
		s->inject_tail = m;
	}
}

void
ipf_inject_init(struct nke *machine)
{
	softintr_init(&machine->ipf->inject_intr, machine, ipf_inject_intr, machine);
}

void
ipf_inject_quiesce(struct nke *machine)
{
	struct ipf_state *s = machine->ipf;

	softintr_cancel(&s->inject_intr);
	m_freem_list(s->inject_head);
	s->inject_head = s->inject_tail = NULL;
}
