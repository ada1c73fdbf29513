/* sys/kern_control.h: controllers of kexts. The engine is src/kern/kern_control.c. */
#include <string.h>
#include <sys/kern_control.h>

#include "src/kern/kern_control.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/socketvar.h"

#define CALLER	__builtin_return_address(0)

errno_t
ctl_register(struct kern_ctl_reg *userkctl, kern_ctl_ref *kctlref)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return kctl_register(curmachine(), userkctl, CALLER, kctlref);
}

errno_t
ctl_deregister(kern_ctl_ref kctlref)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return kctl_deregister(curmachine(), kctlref);
}

errno_t
ctl_enqueuedata(kern_ctl_ref kctlref, u_int32_t unit, void *data, size_t len, u_int32_t flags)
{
	struct nke *m = curmachine();
	const struct socket *so;
	struct mbuf *packet;
	errno_t error;

	KPI_RULES(KPI_SLEEPS, NULL);
	so = kctl_client_socket(m, kctlref, unit);
	if (so == NULL)
		return EINVAL;
	if (len > sbspace(&so->so_rcv))
		return ENOBUFS;
	packet = m_devget(m, data, len, 0);
	if (packet == NULL)
		return ENOMEM;
	error = kctl_enqueue(m, kctlref, unit, packet, flags);
	if (error != 0)
		m_freem(packet);
	return error;
}

errno_t
ctl_enqueuembuf(kern_ctl_ref kctlref, u_int32_t unit, mbuf_t m, u_int32_t flags)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	if (!(m->m_flags & M_PKTHDR))
		return EINVAL;
	return kctl_enqueue(curmachine(), kctlref, unit, m, flags);
}

errno_t
ctl_getenqueuespace(kern_ctl_ref kctlref, u_int32_t unit, size_t *space)
{
	const struct socket *so;

	KPI_RULES(KPI_SLEEPS, NULL);
	so = kctl_client_socket(curmachine(), kctlref, unit);
	if (space == NULL || so == NULL)
		return EINVAL;
	*space = sbspace(&so->so_rcv);
	return 0;
}

errno_t
ctl_getenqueuereadable(kern_ctl_ref kctlref, u_int32_t unit, u_int32_t *difference)
{
	const struct socket *so;

	KPI_RULES(KPI_SLEEPS, NULL);
	so = kctl_client_socket(curmachine(), kctlref, unit);
	if (difference == NULL || so == NULL)
		return EINVAL;
	*difference = so->so_rcv.sb_cc < so->so_rcv.sb_lowat ? so->so_rcv.sb_lowat - so->so_rcv.sb_cc : 0;
	return 0;
}
