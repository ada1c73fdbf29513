/*
 * Files, as far as a network kext touches them: opening one to read or write, asking what it is and
 * what it is called. The machine's files are those that the harness gives it.
 */
#ifndef _SYS_VNODE_H_
#define _SYS_VNODE_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/queue.h>
#include <sys/kauth.h>
#include <sys/kernel_types.h>
#include <sys/param.h>
#include <sys/signal.h>
#include <mach/boolean.h>

enum vtype { VNON, VREG, VDIR, VBLK, VCHR, VLNK, VSOCK, VFIFO, VBAD, VSTR, VCPLX };

enum vtagtype {
	VT_NON, VT_UFS, VT_NFS, VT_MFS, VT_MSDOSFS, VT_LFS, VT_LOFS, VT_FDESC, VT_PORTAL, VT_NULL,
	VT_UMAP, VT_KERNFS, VT_PROCFS, VT_AFS, VT_ISOFS, VT_MOCKFS, VT_HFS, VT_ZFS, VT_DEVFS,
	VT_WEBDAV, VT_UDF, VT_AFP, VT_CDDA, VT_CIFS, VT_OTHER, VT_APFS
};

#define IO_UNIT 0x0001
#define IO_APPEND 0x0002
#define IO_SYNC 0x0004
#define IO_NODELOCKED 0x0008
#define IO_NDELAY 0x0010

#define VREAD 00400
#define VWRITE 00200
#define VEXEC 00100
#define VSVTX 0001000
#define VSGID 0002000
#define VSUID 0004000

#define VNODE_READ 0x01
#define VNODE_WRITE 0x02
#define VNODE_BLOCKMAP_NO_TRACK 0x04

#define VNODE_LOOKUP_NOFOLLOW 0x01
#define VNODE_LOOKUP_NOCROSSMOUNT 0x02

#define NULLVP ((struct vnode *)NULL)

/* Attributes: which are wanted is a bit in va_active, which came a bit in va_supported. */
#define VATTR_BIT(n) (1LL << (n))
#define VNODE_ATTR_va_rdev VATTR_BIT(0)
#define VNODE_ATTR_va_nlink VATTR_BIT(1)
#define VNODE_ATTR_va_total_size VATTR_BIT(2)
#define VNODE_ATTR_va_total_alloc VATTR_BIT(3)
#define VNODE_ATTR_va_data_size VATTR_BIT(4)
#define VNODE_ATTR_va_data_alloc VATTR_BIT(5)
#define VNODE_ATTR_va_iosize VATTR_BIT(6)
#define VNODE_ATTR_va_uid VATTR_BIT(7)
#define VNODE_ATTR_va_gid VATTR_BIT(8)
#define VNODE_ATTR_va_mode VATTR_BIT(9)
#define VNODE_ATTR_va_flags VATTR_BIT(10)
#define VNODE_ATTR_va_acl VATTR_BIT(11)
#define VNODE_ATTR_va_create_time VATTR_BIT(12)
#define VNODE_ATTR_va_access_time VATTR_BIT(13)
#define VNODE_ATTR_va_modify_time VATTR_BIT(14)
#define VNODE_ATTR_va_change_time VATTR_BIT(15)
#define VNODE_ATTR_va_backup_time VATTR_BIT(16)
#define VNODE_ATTR_va_fileid VATTR_BIT(17)
#define VNODE_ATTR_va_linkid VATTR_BIT(18)
#define VNODE_ATTR_va_parentid VATTR_BIT(19)
#define VNODE_ATTR_va_fsid VATTR_BIT(20)
#define VNODE_ATTR_va_filerev VATTR_BIT(21)
#define VNODE_ATTR_va_gen VATTR_BIT(22)
#define VNODE_ATTR_va_encoding VATTR_BIT(23)
#define VNODE_ATTR_va_type VATTR_BIT(24)
#define VNODE_ATTR_va_name VATTR_BIT(25)
#define VNODE_ATTR_va_uuuid VATTR_BIT(26)
#define VNODE_ATTR_va_guuid VATTR_BIT(27)
#define VNODE_ATTR_va_nchildren VATTR_BIT(28)

struct vnode_attr {
	uint64_t va_supported;
	uint64_t va_active;
	int va_vaflags;
	dev_t va_rdev;
	uint64_t va_nlink;
	uint64_t va_total_size;
	uint64_t va_total_alloc;
	uint64_t va_data_size;
	uint64_t va_data_alloc;
	uint32_t va_iosize;
	uid_t va_uid;
	gid_t va_gid;
	mode_t va_mode;
	uint32_t va_flags;
	struct kauth_acl *va_acl;
	struct timespec va_create_time;
	struct timespec va_access_time;
	struct timespec va_modify_time;
	struct timespec va_change_time;
	struct timespec va_backup_time;
	uint64_t va_fileid;
	uint64_t va_linkid;
	uint64_t va_parentid;
	uint32_t va_fsid;
	uint64_t va_filerev;
	uint32_t va_gen;
	uint32_t va_encoding;
	enum vtype va_type;
	char *va_name;
	guid_t va_uuuid;
	guid_t va_guuid;
	uint64_t va_nchildren;
};

#define VATTR_INIT(v) \
	do { \
		(v)->va_supported = (v)->va_active = 0ll; \
		(v)->va_vaflags = 0; \
	} while (0)
#define VATTR_SET_ACTIVE(v, a) ((v)->va_active |= VNODE_ATTR_##a)
#define VATTR_SET_SUPPORTED(v, a) ((v)->va_supported |= VNODE_ATTR_##a)
#define VATTR_IS_SUPPORTED(v, a) ((v)->va_supported & VNODE_ATTR_##a)
#define VATTR_CLEAR_ACTIVE(v, a) ((v)->va_active &= ~VNODE_ATTR_##a)
#define VATTR_CLEAR_SUPPORTED(v, a) ((v)->va_supported &= ~VNODE_ATTR_##a)
#define VATTR_IS_ACTIVE(v, a) ((v)->va_active & VNODE_ATTR_##a)
#define VATTR_ALL_SUPPORTED(v) (((v)->va_active & (v)->va_supported) == (v)->va_active)
#define VATTR_WANTED(v, a) VATTR_SET_ACTIVE(v, a)
#define VATTR_SET(v, a, x) \
	do { \
		(v)->a = (x); \
		VATTR_SET_ACTIVE(v, a); \
	} while (0)
#define VATTR_RETURN(v, a, x) \
	do { \
		(v)->a = (x); \
		VATTR_SET_SUPPORTED(v, a); \
	} while (0)

__BEGIN_DECLS

/* The calling thread's context, borrowed. */
vfs_context_t vfs_context_current(void);
/* A context of the same process and credential, or that of `ctx`; to be given to _rele. */
vfs_context_t vfs_context_create(vfs_context_t ctx);
int vfs_context_rele(vfs_context_t ctx);
proc_t vfs_context_proc(vfs_context_t ctx);
int vfs_context_pid(vfs_context_t ctx);
kauth_cred_t vfs_context_ucred(vfs_context_t ctx);
int vfs_context_issuser(vfs_context_t ctx);

/* The root, with a reference for vnode_put; NULL when the machine has no files. */
vnode_t vfs_rootvnode(void);
/* fmode as FREAD | FWRITE | O_CREAT ...; *vpp has a reference that vnode_close drops. May sleep. */
int vnode_open(const char *path, int fmode, int cmode, int flags, vnode_t *vpp,
    vfs_context_t ctx);
int vnode_close(vnode_t vp, int flags, vfs_context_t ctx);
/* *vpp has a reference for vnode_put. */
int vnode_lookup(const char *path, int flags, vnode_t *vpp, vfs_context_t ctx);
int vnode_getattr(vnode_t vp, struct vnode_attr *vap, vfs_context_t ctx);
int vnode_get(vnode_t vp);
int vnode_put(vnode_t vp);
int vnode_getwithvid(vnode_t vp, uint32_t vid);
uint32_t vnode_vid(vnode_t vp);
enum vtype vnode_vtype(vnode_t vp);
int vnode_isreg(vnode_t vp);
int vnode_isdir(vnode_t vp);
mount_t vnode_mount(vnode_t vp);
/* Reads or writes at an offset, between the file and kernel memory. May sleep. */
int vn_rdwr(enum uio_rw rw, struct vnode *vp, caddr_t base, int len, off_t offset,
    enum uio_seg segflg, int ioflg, kauth_cred_t cred, int *aresid, proc_t p);
/* *len is the buffer's size, then the path's length with its zero; ENOSPC when too small. */
int vn_getpath(struct vnode *vp, char *pathbuf, int *len);

__END_DECLS

#include <sys/vnode_if.h>

#endif
