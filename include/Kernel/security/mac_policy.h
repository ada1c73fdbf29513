/*
 * Policies of mandatory access control, which decide about processes and files. A machine has neither of
 * its own: registering one fails, and the kernel log says so. What a policy consists of is not declared
 * here; kexts that have one bring its description along.
 */
#ifndef _SECURITY_MAC_POLICY_H_
#define _SECURITY_MAC_POLICY_H_

#include <sys/cdefs.h>

struct mac_policy_conf;

typedef unsigned int mac_policy_handle_t;

__BEGIN_DECLS

/* ENOTSUP. *handlep is not touched. */
int mac_policy_register(struct mac_policy_conf *mpc, mac_policy_handle_t *handlep, void *xd);
/* ENOENT: there is no such policy. */
int mac_policy_unregister(mac_policy_handle_t handle);

__END_DECLS

#endif
