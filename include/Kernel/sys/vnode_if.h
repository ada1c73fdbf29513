/* Direct operations on an open file. */
#ifndef _SYS_VNODE_IF_H_
#define _SYS_VNODE_IF_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/kernel_types.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/vnode.h>

__BEGIN_DECLS

/* Move what `uio` describes; `ioflag` of the IO_ flags. 0 or an error. May sleep. */
int VNOP_READ(vnode_t vp, struct uio *uio, int ioflag, vfs_context_t ctx);
int VNOP_WRITE(vnode_t vp, struct uio *uio, int ioflag, vfs_context_t ctx);

__END_DECLS

#endif
