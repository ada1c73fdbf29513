/* Mounted file systems: what they are and how full. */
#ifndef _SYS_MOUNT_H_
#define _SYS_MOUNT_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/queue.h>
#include <sys/kernel_types.h>
#include <sys/param.h>
#include <stdint.h>

#ifndef _FSID_T
#define _FSID_T
typedef struct fsid {
	int32_t val[2];
} fsid_t;
#endif

#define MFSNAMELEN 15
#define MFSTYPENAMELEN 16
#define MNAMELEN MAXPATHLEN

#pragma pack(push, 4)
struct vfsstatfs {
	uint32_t f_bsize;
	size_t f_iosize;
	uint64_t f_blocks;
	uint64_t f_bfree;
	uint64_t f_bavail;
	uint64_t f_bused;
	uint64_t f_files;
	uint64_t f_ffree;
	fsid_t f_fsid;
	uid_t f_owner;
	uint64_t f_flags;
	char f_fstypename[MFSTYPENAMELEN];
	char f_mntonname[MAXPATHLEN];
	char f_mntfromname[MAXPATHLEN];
	uint32_t f_fssubtype;
	void *f_reserved[2];
};
#pragma pack(pop)

#define MNT_RDONLY 0x00000001
#define MNT_SYNCHRONOUS 0x00000002
#define MNT_NOEXEC 0x00000004
#define MNT_NOSUID 0x00000008
#define MNT_NODEV 0x00000010
#define MNT_UNION 0x00000020
#define MNT_ASYNC 0x00000040
#define MNT_LOCAL 0x00001000
#define MNT_QUOTA 0x00002000
#define MNT_ROOTFS 0x00004000

__BEGIN_DECLS

/* Borrowed: valid while the file system is mounted. */
struct vfsstatfs *vfs_statfs(mount_t mp);

__END_DECLS

#endif
