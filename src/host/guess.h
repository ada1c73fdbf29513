/* Which host took a capture? Told from its first frames. Used by replay.c. */
#ifndef NKE_HOST_GUESS_H
#define NKE_HOST_GUESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/kern/corecalls.h"

#define HOST_ADDRESSES	64

struct host_address {
	int family;			/* the host's AF_INET or AF_INET6 */
	uint8_t addr[16];
};

struct host_identity {
	bool has_lladdr;
	uint8_t lladdr[6];
	struct host_address addresses[HOST_ADDRESSES];
	unsigned address_count;
};

/*
 * Looks at `count` frames of one link type. Never fails: without any hint there is no link address and
 * no IP address, and every frame counts as received.
 */
void guess_host(enum core_link, const struct core_frame *, size_t count, struct host_identity *);
/* One that it has already, or that there is no room for, is ignored. */
void add_address(struct host_identity *, int family, const uint8_t *addr);
/* Adds what was not given: the link address that goes with the IP addresses, or the other way round. */
void complete_host(enum core_link, const struct core_frame *, size_t count, struct host_identity *);
/*
 * Was the frame sent by the host, from an IP address that `h` does not have yet? Then true: it is in
 * `*address` and, if there is room, in `h` from now on. Only where link headers tell who sent it.
 */
bool new_source(enum core_link, const struct core_frame *, struct host_identity *h,
    struct host_address *address);
/* "ADDR,...": false, with a line in `text`, when one is malformed. */
bool parse_host(const char *list, struct host_identity *, char *text, size_t size);
/* "02:00:00:00:00:01 10.1.0.2 ..." */
void format_host(const struct host_identity *, char *text, size_t size);

#endif
