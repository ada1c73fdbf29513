/*
 * The system domain, PF_SYSTEM: sockets between programs and kexts. Its protocols are kernel control
 * (kern_control_socket.c) and kernel events (kern_event_socket.c).
 */
#include "src/kern/kern_control_private.h"
#include "src/kern/kern_event_socket.h"

static const struct domain system_domain = {.dom_family = PF_SYSTEM, .dom_name = "system"};

static errno_t
system_init(struct nke *m)
{
	const struct protosw *const protos[] = {&kctl_dgram_proto, &kctl_stream_proto, &kev_proto};
	errno_t error = kctl_init(m);

	if (error == 0)
		error = net_add_domain(m, &system_domain);
	for (size_t i = 0; i < sizeof protos / sizeof protos[0] && error == 0; i++)
		error = net_add_proto(m, PF_SYSTEM, protos[i]);
	return error;
}

extern const struct subsystem system_subsystem;
const struct subsystem system_subsystem = {
	.name = "system", .init = system_init, .fini = kctl_fini,
};
