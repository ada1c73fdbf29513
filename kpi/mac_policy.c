/* security/mac_policy.h: there is nothing here that such a policy could decide about, and that is said. */
#include <security/mac_policy.h>
#include <sys/errno.h>
#include <sys/syslog.h>

#include "src/kern/gate.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"

int
mac_policy_register(struct mac_policy_conf *mpc, mac_policy_handle_t *handlep, void *xd)
{
	(void)mpc, (void)handlep, (void)xd;
	klog(curmachine(), LOG_ERR, "mac_policy_register: the policy of %s is refused: a machine has no "
	    "files and no processes of its own to decide about", kext_name(gate_kext()));
	return ENOTSUP;
}

int
mac_policy_unregister(mac_policy_handle_t handle)
{
	(void)handle;
	return ENOENT;
}
