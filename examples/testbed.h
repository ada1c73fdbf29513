/*
 * What the programs beside the kexts have in common: two machines, "here" with the kext and "there", with
 * a wire of 1 ms between them, in virtual time and checked mode.
 */
#ifndef TESTBED_H
#define TESTBED_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nke/kext.h>
#include <nke/socket.h>
#include <nke/wire.h>

#define HERE	"10.0.0.1"
#define THERE	"10.0.0.2"

struct testbed {
	nke_world_t *world;
	nke_t *here, *there;
	nke_wire_t *wire;
	nke_kext_t *kext;		/* in `here` */
};

/* Ends the program with what is wrong unless it is `good`. */
#define must(good, m, what)	must_at((good), (m), (what), __FILE__, __LINE__)

static inline void
must_at(bool good, nke_t *m, const char *what, const char *file, int line)
{
	int error = errno;

	if (good)
		return;
	fprintf(stderr, "%s:%d: %s: %s\n", file, line, what, strerror(error));
	if (m != NULL && nke_panicked(m))
		fputs(nke_panic_report(m), stderr);
	else if (m != NULL)
		fputs(nke_error_text(m), stderr);
	exit(1);
}

static inline struct sockaddr_in
ip4(const char *text, unsigned port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	inet_pton(AF_INET, text, &sin.sin_addr);
	return sin;
}

static inline void
testbed_log(void *ctx, const struct nke_log_record *r)
{
	(void)ctx;
	fprintf(stderr, "%12.6f %s: %s\n", (double)r->uptime_ns / 1e9,
	    r->kext[0] != '\0' ? r->kext : "kernel", r->text);
}

static inline nke_t *
testbed_machine(nke_world_t *world, const char *name, uint8_t id, const char *address,
    nke_wire_t **wire)
{
	struct nke_config config = {.name = name, .world = world, .checked = true, .log = testbed_log};
	struct nke_iface_config iface = {.name = "en0", .lladdr = {2, 0, 0, 0, 0, id}};
	struct nke_wire_config millisecond = {.delay_ns = 1000000};
	struct sockaddr_in sin = ip4(address, 0);
	nke_iface_t *i;
	nke_t *m;

	must(nke_create(&config, &m) == 0, NULL, name);
	if (*wire == NULL)
		must(nke_wire_create(m, &millisecond, 1, wire) == 0, m, "a wire");
	must(nke_iface_create(m, &iface, &i) == 0, m, "en0");
	must(nke_wire_plug(*wire, i) == 0, m, "en0");
	must(nke_iface_add_address(i, (struct sockaddr *)&sin, sizeof sin, 24) == 0, m, address);
	return m;
}

/* Two machines, and the kext at `path` in the first. */
static inline struct testbed
testbed(const char *path)
{
	struct testbed t;

	must(nke_catch_faults() == 0, NULL, "faults");
	memset(&t, 0, sizeof t);
	must(nke_world_create(NULL, &t.world) == 0, NULL, "a world");
	t.here = testbed_machine(t.world, "here", 1, HERE, &t.wire);
	t.there = testbed_machine(t.world, "there", 2, THERE, &t.wire);
	must((errno = nke_kext_load(t.here, path, &t.kext)) == 0, t.here, path);
	return t;
}

/* The kext goes and leaves nothing behind. */
static inline void
testbed_end(struct testbed *t)
{
	must((errno = nke_kext_drain(t->here, t->kext, NULL, NULL)) == 0, t->here, "unload");
	nke_assert_no_leaks(t->here);
	nke_wire_destroy(t->wire);
	nke_destroy(t->here);
	nke_destroy(t->there);
	nke_world_destroy(t->world);
}

static inline int
listener(nke_t *m, unsigned port)
{
	struct sockaddr_in sin = ip4("0.0.0.0", port);
	int s = nke_socket(m, AF_INET, SOCK_STREAM, 0);

	must(s >= 0 && nke_bind(m, s, (struct sockaddr *)&sin, sizeof sin) == 0 &&
	    nke_listen(m, s, 128) == 0, m, "a listener");
	return s;
}

/* -1 and errno when it is refused. */
static inline int
connected(nke_t *m, const char *address, unsigned port)
{
	struct sockaddr_in sin = ip4(address, port);
	int s = nke_socket(m, AF_INET, SOCK_STREAM, 0), error;

	must(s >= 0, m, "a socket");
	if (nke_connect(m, s, (struct sockaddr *)&sin, sizeof sin) == 0)
		return s;
	error = errno;
	nke_close(m, s);
	errno = error;
	return -1;
}

#endif
