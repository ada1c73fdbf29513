/* What the IP filter tests share: filters that write down what they see and do as they are told. */
#ifndef NKE_TESTS_IPF_TESTING_H
#define NKE_TESTS_IPF_TESTING_H

#include <netinet/kpi_ipfilter.h>

#include "tests/unit/ip_testing.h"

struct watcher {
	char name;			/* in `calls` */
	errno_t result;
	ipfilter_t ref;
	int offset;			/* of the last call */
	uint8_t protocol;
	uint16_t ip_len;		/* of the last packet, host order */
	struct ipf_pktopts options;
	unsigned detached;
	struct mbuf *swallowed;
	void (*act)(struct watcher *, mbuf_t *);	/* NULL nothing */
};

/* Lower case: output; upper case: input; '!' after a name: detached. */
static char calls[256];

static inline void
note(char c)
{
	size_t n = strlen(calls);

	CHECK(n + 1 < sizeof calls);
	calls[n] = c;
	calls[n + 1] = '\0';
}

static inline errno_t
watch(struct watcher *w, mbuf_t *data)
{
	uint16_t len;

	if (mbuf_copydata(*data, 2, 2, &len) == 0)
		w->ip_len = ntohs(len);
	if (w->act != NULL)
		w->act(w, data);
	if (w->result == EJUSTRETURN)
		w->swallowed = *data;
	return w->result;
}

static inline errno_t
watch_input(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	struct watcher *w = cookie;

	note((char)(w->name - 'a' + 'A'));
	w->offset = offset;
	w->protocol = protocol;
	return watch(w, data);
}

static inline errno_t
watch_output(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	struct watcher *w = cookie;

	note(w->name);
	CHECK(options != NULL);
	w->options = *options;
	return watch(w, data);
}

static inline void
watch_detach(void *cookie)
{
	struct watcher *w = cookie;

	w->detached++;
	note(w->name);
	note('!');
}

static inline void
attach(struct watcher *w, char name, int family)
{
	struct ipf_filter f = {.cookie = w, .name = "watcher", .ipf_input = watch_input,
	    .ipf_output = watch_output, .ipf_detach = watch_detach};

	memset(w, 0, sizeof *w);
	w->name = name;
	CHECK_EQ(family == AF_INET ? ipf_addv4(&f, &w->ref) : ipf_addv6(&f, &w->ref), 0);
	memset(&f, 0xff, sizeof f);	/* it has been copied */
}

static inline struct filter_counters *
counters(const struct watcher *w)
{
	return &ipf_find(curmachine()->ipf, w->ref)->counters;
}

static inline void
filter_testbed(void)
{
	testbed();
	calls[0] = '\0';
}

#endif
