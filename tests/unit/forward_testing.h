/* What the tests of forwarding share: a second interface, fw7, and what leaves by it. */
#ifndef NKE_TESTS_FORWARD_TESTING_H
#define NKE_TESTS_FORWARD_TESTING_H

#include "src/kern/trace.h"
#include "tests/unit/icmp_testing.h"
#include "tests/unit/ipf_testing.h"

static struct ifnet *fw7;
static struct kept passed;		/* what left by fw7 */
static errno_t link_error;		/* what fw7 says */

static inline errno_t
keep_passed(ifnet_t ifp, mbuf_t m)
{
	(void)ifp;
	if (link_error != 0) {
		m_freem(m);
		return link_error;
	}
	keep(&passed, m);
	return 0;
}

static inline void
second_interface(void)
{
	memset(&passed, 0, sizeof passed);
	link_error = 0;
	fw7 = make_interface("fw", 1500);
	fw7->output = keep_passed;
}

static inline void
forwarding_testbed_end(void)
{
	forget(&passed);
	testbed_end();
}

/* ---- the trace point ---------------------------------------------------------------------- */

struct way {
	unsigned count;
	uintptr_t in, out;		/* interface indices of the last packet */
};

static inline void
keep_way(void *ctx, const struct trace_event *e)
{
	struct way *w = ctx;

	if (e->point != TRACE_IP_FORWARD)
		return;
	w->count++;
	w->in = e->a;
	w->out = e->b;
}

#endif
