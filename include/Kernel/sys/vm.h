/* Virtual memory, as far as the BSD layer names it. */
#ifndef _SYS_VM_H_
#define _SYS_VM_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/kernel_types.h>
#include <mach/vm_types.h>

struct vmspace {
	int vm_refcnt;
	caddr_t vm_shm;
	segsz_t vm_rssize;
	segsz_t vm_swrss;
	segsz_t vm_tsize;
	segsz_t vm_dsize;
	segsz_t vm_ssize;
	caddr_t vm_taddr;
	caddr_t vm_daddr;
	caddr_t vm_maxsaddr;
};

__BEGIN_DECLS

/* See sys/proc.h. */
proc_t current_proc(void);

__END_DECLS

#endif
