/*
 * Which kext holds references to which interface, for the ledger. Shared by the interface KPI's
 * files.
 */
#ifndef NKE_KPI_INTERFACE_REFS_H
#define NKE_KPI_INTERFACE_REFS_H

#include "src/net/if_private.h"

/* The kext that calls got a reference; nothing outside kexts. */
void kpi_ifnet_record(struct ifnet *, void *pc);
/* It gave one back. */
void kpi_ifnet_forget(struct ifnet *);

#endif
