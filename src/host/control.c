/* Sockets of NKE_AF_SYSTEM, as nke/control.h offers them, by the calls of nke/socket.h and nke/file.h. */
#include <nke/control.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <nke/file.h>

#include "src/host/machine.h"

/* Closes it, and keeps the reason. */
static int
give_up(nke_t *m, int s)
{
	int reason = errno;

	(void)nke_close(m, s);
	errno = reason;
	return -1;
}

static int
connect_as(nke_t *m, const struct nke_ctl_info *name, uint32_t unit, int type)
{
	struct nke_sockaddr_ctl address = {
		.sc_header.sa_family = (sa_family_t)NKE_AF_SYSTEM, .sc_unit = unit,
	};
	struct nke_ctl_info info = *name;
	int s = nke_socket(m, NKE_AF_SYSTEM, type, NKE_SYSPROTO_CONTROL);

	if (s < 0)
		return -1;
	if (nke_ioctl(m, s, NKE_CTLIOCGINFO, &info) != 0)
		return give_up(m, s);
	address.sc_id = info.ctl_id;
	if (nke_connect(m, s, (const struct sockaddr *)&address, sizeof address) != 0)
		return give_up(m, s);
	return s;
}

int
nke_ctl_connect(nke_t *m, const char *name, uint32_t unit, int type)
{
	struct nke_ctl_info info = {.ctl_id = 0};
	size_t len = strlen(name);
	int s;

	if (len >= sizeof info.ctl_name) {
		errno = EINVAL;
		return -1;
	}
	memcpy(info.ctl_name, name, len);
	if (type != 0)
		return connect_as(m, &info, unit, type);
	s = connect_as(m, &info, unit, SOCK_DGRAM);
	return s < 0 && errno == EPROTOTYPE ? connect_as(m, &info, unit, SOCK_STREAM) : s;
}

size_t
nke_ctl_list(nke_t *m, struct nke_ctl *out, size_t max)
{
	struct core_control *all = max != 0 ? calloc(max, sizeof *all) : NULL;
	size_t count;

	if (all == NULL && max != 0)
		return 0;
	count = machine_controls(m->core, all, max);
	for (size_t i = 0; i < count && i < max; i++) {
		const struct core_control *c = &all[i];

		out[i] = (struct nke_ctl){.id = c->id, .unit = c->unit, .flags = c->flags,
		    .sendsize = c->sendsize, .recvsize = c->recvsize, .clients = c->clients,
		    .stream = (c->flags & NKE_CTL_STREAM) != 0,
		    .privileged = (c->flags & NKE_CTL_PRIVILEGED) != 0};
		memcpy(out[i].name, c->name, sizeof c->name);
		memcpy(out[i].kext, c->kext, sizeof c->kext);
	}
	free(all);
	return count;
}

int
nke_event_socket(nke_t *m, uint32_t vendor, uint32_t kev_class, uint32_t subclass)
{
	struct nke_kev_request request = {vendor, kev_class, subclass};
	int s = nke_socket(m, NKE_AF_SYSTEM, SOCK_RAW, NKE_SYSPROTO_EVENT);

	if (s < 0)
		return -1;
	return nke_ioctl(m, s, NKE_SIOCSKEVFILT, &request) == 0 ? s : give_up(m, s);
}
