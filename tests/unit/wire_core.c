/* The inside of wire_main.c's tests: compiled as the core is. */
#include <net/ethernet.h>
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/panic.h"
#include "src/kern/sched.h"
#include "tests/unit/wire_core.h"

static void
send_one(const struct burst *b, uint32_t number)
{
	struct mbuf *m = m_devget(curmachine(), NULL, b->size, 0);

	if (m == NULL)
		kpanic("no memory for a test's frame");
	for (struct mbuf *n = m; n != NULL; n = n->m_next)
		memset(n->m_data, 0, (size_t)n->m_len);
	m->m_data[0] = m->m_data[6] = 2;
	m->m_data[5] = (char)b->to;
	m->m_data[11] = (char)b->from;
	if (b->to == 0xff)
		memset(m->m_data, 0xff, ETHER_ADDR_LEN);
	memcpy(m->m_data + ETHER_HDR_LEN, &number, sizeof number);
	(void)dlil_output(b->ifp, 0, m, NULL, NULL, true);
}

void
send_burst(void *burst)
{
	const struct burst *b = burst;

	for (uint32_t i = 0; i < b->count; i++) {
		if (i != 0 && b->gap_ns != 0)
			sched_block(NULL, machine_now(curmachine()) + b->gap_ns, false, "the gap");
		send_one(b, b->first + i);
	}
}

void
read_carrier(void *carrier)
{
	struct carrier *c = carrier;

	c->on = (c->ifp->flags & IFF_RUNNING) != 0;
}
