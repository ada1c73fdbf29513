/* net/init.h: the network is up before the first kext is loaded. */
#include <net/init.h>
#include <sys/errno.h>

errno_t
net_init_add(net_init_func_ptr init_func)
{
	return init_func == NULL ? EINVAL : EALREADY;
}
