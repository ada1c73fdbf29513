/* net/bpf.h: how drivers announce link types and show their packets. The engine is src/net/bpf.c. */
#include "src/kern/gate.h"
#include "src/kern/kpi_rule.h"
#include "src/net/bpf_private.h"

errno_t
bpf_attach(ifnet_t ifp, u_int32_t dlt, u_int32_t header_length, bpf_send_func send, bpf_tap_func tap)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return bpf_add(ifp, dlt, header_length, send, tap, gate_kext());
}

void
bpfattach(ifnet_t ifp, u_int dlt, u_int header_length)
{
	(void)bpf_attach(ifp, dlt, header_length, NULL, NULL);
}

void
bpf_tap_in(ifnet_t ifp, u_int32_t dlt, mbuf_t packet, void *header, size_t header_len)
{
	if (ifp->bpf != NULL)
		bpf_tap(ifp, dlt, false, packet, header, header_len);
}

void
bpf_tap_out(ifnet_t ifp, u_int32_t dlt, mbuf_t packet, void *header, size_t header_len)
{
	if (ifp->bpf != NULL)
		bpf_tap(ifp, dlt, true, packet, header, header_len);
}
