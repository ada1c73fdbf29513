/* The names of devices in /dev. */
#ifndef _MISCFS_DEVFS_DEVFS_H_
#define _MISCFS_DEVFS_DEVFS_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>

#define DEVFS_CHAR 0
#define DEVFS_BLOCK 1

#define DEVFS_CLONE_ALLOC 1
#define DEVFS_CLONE_FREE 0

/* Whose nodes may be. */
#define UID_ROOT 0
#define UID_BIN 3
#define UID_UUCP 66
#define GID_WHEEL 0
#define GID_KMEM 2
#define GID_TTY 4
#define GID_OPERATOR 5
#define GID_BIN 7
#define GID_GAMES 13
#define GID_DIALER 68
#define GID_WINDOWSERVER 88

__BEGIN_DECLS

/*
 * Makes a node whose name is printed from `fmt`; the handle is for devfs_remove. NULL when the name
 * is taken. May sleep.
 */
void *devfs_make_node(dev_t dev, int chrblk, uid_t uid, gid_t gid, int perms, const char *fmt,
    ...) __printflike(6, 7);
/* The same; `clone` chooses the minor number at each open. */
void *devfs_make_node_clone(dev_t dev, int chrblk, uid_t uid, gid_t gid, int perms,
    int (*clone)(dev_t dev, int action), const char *fmt, ...) __printflike(7, 8);
void devfs_remove(void *handle);

__END_DECLS

#endif
