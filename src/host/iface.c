/* Interfaces of the harness, as nke/iface.h offers them, on top of dlil/host_iface.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nke/iface.h>

#include "src/host/darwin.h"
#include "src/host/machine.h"

#define UNIT_DIGITS	4

struct nke_iface {
	TAILQ_ENTRY(nke_iface) link;
	nke_t *machine;
	struct ifnet *core;
	char name[16];
	enum nke_media media;
	void (*output)(void *ctx, const void *frame, size_t len);
	void (*output_pieces)(void *ctx, const struct core_output *, unsigned count);
	void *ctx;
};

static void
pass_output(void *ctx, const void *frame, size_t len)
{
	const struct nke_iface *i = ctx;

	if (i->output != NULL)
		i->output(i->ctx, frame, len);
}

static void
pass_pieces(void *ctx, const struct core_output *out, unsigned count)
{
	const struct nke_iface *i = ctx;

	i->output_pieces(i->ctx, out, count);
}

/* "en0" is unit 0 of "en". */
static bool
split_name(const char *name, struct core_iface_config *core)
{
	size_t n = strlen(name), letters = strcspn(name, "0123456789");

	if (letters == 0 || letters >= n || n >= sizeof core->name || n - letters > UNIT_DIGITS ||
	    strspn(name + letters, "0123456789") != n - letters)
		return false;
	memcpy(core->name, name, letters);
	core->unit = (uint32_t)strtoul(name + letters, NULL, 10);
	return true;
}

int
nke_iface_create(nke_t *m, const struct nke_iface_config *config, nke_iface_t **out)
{
	return nke_iface_create_device(m, config, NULL, false, out);
}

int
nke_iface_create_device(nke_t *m, const struct nke_iface_config *config,
    void (*output_pieces)(void *, const struct core_output *, unsigned count), bool offload,
    nke_iface_t **out)
{
	struct core_iface_config core = {.mtu = config->mtu, .output = pass_output};
	struct nke_iface *i;
	int error;

	*out = NULL;
	if (config->name == NULL || !split_name(config->name, &core))
		return nke_fail(m, EINVAL, "interface name '%s': expected letters and a number, 15 "
		    "characters at most, like en0", config->name != NULL ? config->name : "");
	if (config->media != NKE_MEDIA_ETHERNET && config->media != NKE_MEDIA_RAW)
		return nke_fail(m, EINVAL, "%s: there is no media %d", config->name, (int)config->media);
	i = calloc(1, sizeof *i);
	if (i == NULL)
		return nke_fail(m, ENOMEM, "%s: no memory", config->name);
	i->machine = m;
	snprintf(i->name, sizeof i->name, "%s", config->name);
	i->media = config->media;
	i->output = config->output;
	i->output_pieces = output_pieces;
	core.output_pieces = output_pieces != NULL ? pass_pieces : NULL;
	core.offload = offload;
	i->ctx = config->ctx;
	core.media = config->media == NKE_MEDIA_RAW ? CORE_MEDIA_RAW : CORE_MEDIA_ETHERNET;
	memcpy(core.lladdr, config->lladdr, sizeof core.lladdr);
	core.ctx = i;
	error = nke_core_result(m, iface_create(m->core, &core, &i->core));
	if (error != 0) {
		free(i);
		return error == EFAULT ? error : nke_fail(m, error, "%s: not created: %s", config->name,
		    strerror(error));
	}
	TAILQ_INSERT_TAIL(&m->ifaces, i, link);
	*out = i;
	return 0;
}

int
nke_iface_destroy(nke_iface_t *i)
{
	int error = nke_core_result(i->machine, iface_destroy(i->machine->core, i->core));

	/* after a panic the core may still point to it; then it goes with the machine */
	if (error == 0) {
		TAILQ_REMOVE(&i->machine->ifaces, i, link);
		free(i);
	}
	return error;
}

void
nke_ifaces_forget(nke_t *m)
{
	struct nke_iface *i, *next;

	for (i = TAILQ_FIRST(&m->ifaces); i != NULL; i = next) {
		next = TAILQ_NEXT(i, link);
		free(i);
	}
}

int
nke_iface_input(nke_iface_t *i, const void *frame, size_t len)
{
	int error = nke_core_result(i->machine, iface_input(i->machine->core, i->core, frame, len));

	if (error != 0 && error != EFAULT)
		nke_fail(i->machine, error, "%s: frame of %zu bytes not taken: %s", i->name, len,
		    strerror(error));
	return error;
}

/* The text of an address operation's error. */
static int
address_result(nke_iface_t *i, const char *what, int darwin_error)
{
	int error = nke_core_result(i->machine, darwin_error);

	if (error != 0 && error != EFAULT)
		nke_fail(i->machine, error, "%s: %s: %s", i->name, what, strerror(error));
	return error;
}

static const void *
address_bytes(nke_iface_t *i, const char *what, const struct sockaddr *sa, socklen_t len)
{
	size_t size;
	const void *bytes = len >= sizeof sa->sa_family ? host_sockaddr_bytes(sa, len, &size) : NULL;

	if (bytes == NULL)
		nke_fail(i->machine, host_sockaddr_error(sa, len),
		    "%s: %s: expected a whole AF_INET or AF_INET6 address", i->name, what);
	return bytes;
}

int
nke_iface_add_address(nke_iface_t *i, const struct sockaddr *sa, socklen_t len, unsigned prefix)
{
	const void *bytes = address_bytes(i, "address", sa, len);

	if (bytes == NULL)
		return host_sockaddr_error(sa, len);
	if (prefix > (sa->sa_family == AF_INET ? 32u : 128u))
		return nke_fail(i->machine, EINVAL, "%s: address: a prefix of %u bits is too long", i->name,
		    prefix);
	return address_result(i, "address", iface_add_address(i->machine->core, i->core,
	    darwin_family_from_host(sa->sa_family), bytes, prefix));
}

int
nke_iface_set_gateway(nke_iface_t *i, const struct sockaddr *sa, socklen_t len)
{
	const void *bytes = address_bytes(i, "gateway", sa, len);

	if (bytes == NULL)
		return host_sockaddr_error(sa, len);
	return address_result(i, "gateway", iface_set_default(i->machine->core, i->core,
	    darwin_family_from_host(sa->sa_family), bytes));
}

int
nke_iface_add_neighbor(nke_iface_t *i, const struct sockaddr *sa, socklen_t len,
    const uint8_t lladdr[6])
{
	const void *bytes = address_bytes(i, "neighbour", sa, len);

	if (bytes == NULL)
		return host_sockaddr_error(sa, len);
	return address_result(i, "neighbour", iface_add_neighbor(i->machine->core, i->core,
	    darwin_family_from_host(sa->sa_family), bytes, lladdr));
}

int
nke_iface_set_autoconf(nke_iface_t *i, bool on)
{
	return address_result(i, "autoconfiguration", iface_set_autoconf(i->machine->core, i->core, on));
}

enum nke_media
nke_iface_media(const nke_iface_t *i)
{
	return i->media;
}

nke_t *
nke_iface_machine(const nke_iface_t *i)
{
	return i->machine;
}

struct ifnet *
nke_iface_core(const nke_iface_t *i)
{
	return i->core;
}

const char *
nke_iface_name(const nke_iface_t *i)
{
	return i->name;
}

nke_iface_t *
nke_iface_find(nke_t *m, const char *name)
{
	struct nke_iface *i;

	TAILQ_FOREACH(i, &m->ifaces, link) {
		if (strcmp(i->name, name) == 0)
			return i;
	}
	return NULL;
}
