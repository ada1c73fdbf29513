/*
 * Filters of multicast sources in Darwin's form (RFC 3678 sections 4.2, 5.2): the host has one value with
 * the list at its end, Darwin a fixed one that points at the list. Called by socket.c.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "src/host/darwin.h"
#include "src/host/darwin_socket.h"

/* struct __msfilterreq. */
struct darwin_filter {
	uint32_t interface, mode, count, align;
	uint8_t group[128];
	void *sources;
} __attribute__((packed, aligned(4)));

#ifdef MCAST_MSFILTER

enum { DARWIN_INCLUDE = 1, DARWIN_EXCLUDE = 2 };

/* Where the parts are in a value of either kind. */
struct layout {
	size_t mode, count, list, each;
};

static const struct layout layouts[] = {
	{offsetof(struct group_filter, gf_fmode), offsetof(struct group_filter, gf_numsrc),
	    offsetof(struct group_filter, gf_slist), sizeof(struct sockaddr_storage)},
	{offsetof(struct ip_msfilter, imsf_fmode), offsetof(struct ip_msfilter, imsf_numsrc),
	    offsetof(struct ip_msfilter, imsf_slist), sizeof(struct in_addr)}
};

static const struct layout *
layout_of(const struct socket_option *o)
{
	return &layouts[o->kind == OPTION_FILTER4];
}

static struct sockaddr_storage
storage4(struct in_addr addr)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = addr};
	struct sockaddr_storage ss;

	memset(&ss, 0, sizeof ss);
	memcpy(&ss, &sin, sizeof sin);
	return ss;
}

/* An address in the value at `at`, of either kind, in Darwin's form; 0 or EAFNOSUPPORT. */
static int
take_address(const struct socket_option *o, const uint8_t *at, uint8_t out[128])
{
	struct sockaddr_storage ss;
	struct in_addr addr;

	memset(out, 0, 128);
	if (o->kind == OPTION_FILTER) {
		memcpy(&ss, at, sizeof ss);
	} else {
		memcpy(&addr, at, sizeof addr);
		ss = storage4(addr);
	}
	return darwin_sockaddr_from_host((const struct sockaddr *)&ss, sizeof ss, out, 128) != 0 ? 0 :
	    EAFNOSUPPORT;
}

int
filter_from_host(const struct socket_option *o, const void *value, socklen_t len,
    struct filter_sources *sources, void *darwin, size_t *size)
{
	const struct layout *l = layout_of(o);
	const uint8_t *bytes = value;
	struct darwin_filter d = {.sources = sources};
	int error;

	if (value == NULL || len < l->list || *size < sizeof d)
		return EINVAL;
	memcpy(&d.mode, bytes + l->mode, sizeof d.mode);
	d.mode = d.mode == MCAST_INCLUDE ? DARWIN_INCLUDE : d.mode == MCAST_EXCLUDE ? DARWIN_EXCLUDE : 0;
	memcpy(&d.count, bytes + l->count, sizeof d.count);
	if (d.count > (len - l->list) / l->each)
		return EINVAL;
	if (d.count > FILTER_SOURCES_MAX)
		return ENOBUFS;
	if (o->kind == OPTION_FILTER)
		memcpy(&d.interface, bytes + offsetof(struct group_filter, gf_interface), sizeof d.interface);
	error = take_address(o, bytes + (o->kind == OPTION_FILTER ?
	    offsetof(struct group_filter, gf_group) : offsetof(struct ip_msfilter, imsf_multiaddr)), d.group);
	/* In a value that only has room for them may be anything: the machine refuses what it needs. */
	for (uint32_t i = 0; i < d.count; i++)
		(void)take_address(o, bytes + l->list + i * l->each, sources->address[i]);
	memcpy(darwin, &d, sizeof d);
	*size = sizeof d;
	return error;
}

void
filter_to_host(const struct socket_option *o, const void *darwin, const struct filter_sources *sources,
    void *value, socklen_t *len)
{
	const struct layout *l = layout_of(o);
	uint8_t *bytes = value;
	struct sockaddr_storage ss;
	struct sockaddr_in sin;
	struct darwin_filter d;
	uint32_t mode, n;

	memcpy(&d, darwin, sizeof d);
	memcpy(&n, bytes + l->count, sizeof n);
	if (n > d.count)
		n = d.count;
	for (uint32_t i = 0; i < n; i++) {
		memset(&ss, 0, sizeof ss);
		(void)darwin_sockaddr_to_host(sources->address[i], sources->address[i][0], &ss);
		memcpy(&sin, &ss, sizeof sin);
		memcpy(bytes + l->list + i * l->each, o->kind == OPTION_FILTER ? (const void *)&ss :
		    &sin.sin_addr, l->each);
	}
	mode = d.mode == DARWIN_INCLUDE ? MCAST_INCLUDE : MCAST_EXCLUDE;
	memcpy(bytes + l->mode, &mode, sizeof mode);
	memcpy(bytes + l->count, &d.count, sizeof d.count);
	*len = (socklen_t)(l->list + n * l->each);
}

#else

/* A host without such options: no entry of the table has these kinds. */
int
filter_from_host(const struct socket_option *o, const void *value, socklen_t len,
    struct filter_sources *sources, void *darwin, size_t *size)
{
	(void)o, (void)value, (void)len, (void)sources, (void)darwin, (void)size;
	return ENOPROTOOPT;
}

void
filter_to_host(const struct socket_option *o, const void *darwin, const struct filter_sources *sources,
    void *value, socklen_t *len)
{
	(void)o, (void)darwin, (void)sources, (void)value, (void)len;
}

#endif
