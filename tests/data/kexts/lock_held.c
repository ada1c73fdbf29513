/* Returns from its start routine with a mutex it took. */
#include <kern/locks.h>
#include <mach/mach_types.h>

kern_return_t lock_held_start(kmod_info_t *ki, void *data);
kern_return_t lock_held_stop(kmod_info_t *ki, void *data);

kern_return_t
lock_held_start(kmod_info_t *ki, void *data)
{
	lck_grp_t *group = lck_grp_alloc_init("lock_held", LCK_GRP_ATTR_NULL);

	(void)ki;
	(void)data;
	lck_mtx_lock(lck_mtx_alloc_init(group, LCK_ATTR_NULL));
	return KERN_SUCCESS;
}

kern_return_t
lock_held_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	return KERN_SUCCESS;
}
