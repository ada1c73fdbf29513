/*
 * sys/vnode.h, sys/vnode_if.h, sys/mount.h: a machine has no files. Looking one up is ENOENT, and
 * the log says which; there is no vnode, so a function that is given one was given something
 * else. A context is whatever the thread is now: its process and its credential.
 */
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/proc.h>
#include <sys/vnode.h>
#include <sys/vnode_if.h>

#include "src/kern/klog.h"
#include "src/kern/panic.h"
#include "src/kern/thread.h"

/* ---- contexts ----------------------------------------------------------------------------- */

struct vfs_context {
	int unused;
};

vfs_context_t
vfs_context_current(void)
{
	static const struct vfs_context the_one;

	return (vfs_context_t)(uintptr_t)&the_one;
}

vfs_context_t
vfs_context_create(vfs_context_t ctx)
{
	(void)ctx;
	return vfs_context_current();
}

int
vfs_context_rele(vfs_context_t ctx)
{
	(void)ctx;
	return 0;
}

proc_t
vfs_context_proc(vfs_context_t ctx)
{
	(void)ctx;
	return current_proc();
}

int
vfs_context_pid(vfs_context_t ctx)
{
	return proc_pid(vfs_context_proc(ctx));
}

kauth_cred_t
vfs_context_ucred(vfs_context_t ctx)
{
	(void)ctx;
	return kauth_cred_get();
}

int
vfs_context_issuser(vfs_context_t ctx)
{
	return kauth_cred_issuser(vfs_context_ucred(ctx));
}

/* ---- names -------------------------------------------------------------------------------- */

static int
no_such_file(const char *function, const char *path)
{
	klog(curmachine(), 4, "%s(\"%s\"): a machine has no files", function, path);
	return ENOENT;
}

vnode_t
vfs_rootvnode(void)
{
	return NULL;
}

int
vnode_open(const char *path, int fmode, int cmode, int flags, vnode_t *vpp, vfs_context_t ctx)
{
	(void)fmode, (void)cmode, (void)flags, (void)ctx;
	*vpp = NULL;
	return no_such_file("vnode_open", path);
}

int
vnode_lookup(const char *path, int flags, vnode_t *vpp, vfs_context_t ctx)
{
	(void)flags, (void)ctx;
	*vpp = NULL;
	return no_such_file("vnode_lookup", path);
}

/* ---- files -------------------------------------------------------------------------------- */

static _Noreturn void
no_vnode(const char *function, const void *vp)
{
	kpanic("%s was given %p for a vnode, but a machine has no files", function, vp);
}

int
vnode_close(vnode_t vp, int flags, vfs_context_t ctx)
{
	(void)flags, (void)ctx;
	no_vnode("vnode_close", vp);
}

int
vnode_getattr(vnode_t vp, struct vnode_attr *vap, vfs_context_t ctx)
{
	(void)vap, (void)ctx;
	no_vnode("vnode_getattr", vp);
}

int
vnode_get(vnode_t vp)
{
	no_vnode("vnode_get", vp);
}

int
vnode_put(vnode_t vp)
{
	no_vnode("vnode_put", vp);
}

int
vnode_getwithvid(vnode_t vp, uint32_t vid)
{
	(void)vid;
	no_vnode("vnode_getwithvid", vp);
}

uint32_t
vnode_vid(vnode_t vp)
{
	no_vnode("vnode_vid", vp);
}

enum vtype
vnode_vtype(vnode_t vp)
{
	no_vnode("vnode_vtype", vp);
}

int
vnode_isreg(vnode_t vp)
{
	no_vnode("vnode_isreg", vp);
}

int
vnode_isdir(vnode_t vp)
{
	no_vnode("vnode_isdir", vp);
}

mount_t
vnode_mount(vnode_t vp)
{
	no_vnode("vnode_mount", vp);
}

int
vn_rdwr(enum uio_rw rw, struct vnode *vp, caddr_t base, int len, off_t offset, enum uio_seg segflg,
    int ioflg, kauth_cred_t cred, int *aresid, proc_t p)
{
	(void)rw, (void)base, (void)len, (void)offset, (void)segflg;
	(void)ioflg, (void)cred, (void)aresid, (void)p;
	no_vnode("vn_rdwr", vp);
}

int
vn_getpath(struct vnode *vp, char *pathbuf, int *len)
{
	(void)pathbuf, (void)len;
	no_vnode("vn_getpath", vp);
}

int
VNOP_READ(vnode_t vp, struct uio *uio, int ioflag, vfs_context_t ctx)
{
	(void)uio, (void)ioflag, (void)ctx;
	no_vnode("VNOP_READ", vp);
}

int
VNOP_WRITE(vnode_t vp, struct uio *uio, int ioflag, vfs_context_t ctx)
{
	(void)uio, (void)ioflag, (void)ctx;
	no_vnode("VNOP_WRITE", vp);
}

struct vfsstatfs *
vfs_statfs(mount_t mp)
{
	kpanic("vfs_statfs was given %p for a mount point, but a machine has no files", (void *)mp);
}
