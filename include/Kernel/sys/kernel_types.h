/*
 * The opaque handles of the kernel programming interface: packets, sockets, interfaces, processes,
 * files. Every kpi_*.h includes this. Behind each handle is a structure that a kext never sees; the
 * library's own core (NKE_CORE) names its real structures here, everybody else gets opaque ones.
 *
 * At the end of the comments on functions and callbacks stands where they come from: the first Mac
 * OS X that had them, and the section ("semantics 1.1") of the facts of the interface they follow.
 */
#ifndef _KERN_SYS_KERNELTYPES_H_
#define _KERN_SYS_KERNELTYPES_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/_types/_errno_t.h>

typedef int64_t daddr64_t;

typedef struct buf *buf_t;
typedef struct file *file_t;
typedef struct mount *mount_t;
typedef struct vnode *vnode_t;
typedef struct proc *proc_t;
typedef struct uio *uio_t;
typedef struct vfs_context *vfs_context_t;
typedef struct vfstable *vfstable_t;

#ifdef NKE_CORE
typedef struct mbuf *mbuf_t;
typedef struct socket *socket_t;
typedef struct sockopt *sockopt_t;
typedef struct ifnet *ifnet_t;
typedef struct ifaddr *ifaddr_t;
typedef struct ifmultiaddr *ifmultiaddr_t;
typedef struct ifnet_filter *interface_filter_t;
typedef struct rtentry *route_t;
#else
typedef struct __mbuf *mbuf_t;
typedef struct __socket *socket_t;
typedef struct __sockopt *sockopt_t;
typedef struct __ifnet *ifnet_t;
typedef struct __ifaddr *ifaddr_t;
typedef struct __ifmultiaddr *ifmultiaddr_t;
typedef struct __ifnet_filter *interface_filter_t;
typedef struct __rtentry *route_t;
#endif

#endif
