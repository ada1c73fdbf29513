/*
 * The tree of variables that can be read and set by name. A kext defines an OID with one of the
 * SYSCTL_ macros and puts it into the tree with sysctl_register_oid(&sysctl_<parent>_<name>); it
 * must take it out again before it is unloaded.
 */
#ifndef _SYS_SYSCTL_H_
#define _SYS_SYSCTL_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/time.h>
#include <sys/ucred.h>
#include <sys/proc.h>
#include <sys/vm.h>
#include <sys/queue.h>
#include <sys/kernel_types.h>
#include <stdint.h>

#define CTL_MAXNAME 12

struct ctlname {
	char *ctl_name;
	int ctl_type;
};

#define CTLTYPE 0xf
#define CTLTYPE_NODE 1
#define CTLTYPE_INT 2
#define CTLTYPE_STRING 3
#define CTLTYPE_QUAD 4
#define CTLTYPE_OPAQUE 5
#define CTLTYPE_STRUCT CTLTYPE_OPAQUE

#define CTLFLAG_RD 0x80000000
#define CTLFLAG_WR 0x40000000
#define CTLFLAG_RW (CTLFLAG_RD | CTLFLAG_WR)
#define CTLFLAG_NOLOCK 0x20000000
#define CTLFLAG_ANYBODY 0x10000000
#define CTLFLAG_SECURE 0x08000000
#define CTLFLAG_MASKED 0x04000000
#define CTLFLAG_NOAUTO 0x02000000
#define CTLFLAG_KERN 0x01000000
#define CTLFLAG_LOCKED 0x00800000
#define CTLFLAG_OID2 0x00400000

#define OID_AUTO (-1)
#define OID_AUTO_START 100

#define SYSCTL_OID_VERSION 1
#define SYSCTL_SKMEM 1

struct sysctl_oid;
struct sysctl_req;

#define SYSCTL_HANDLER_ARGS \
	(struct sysctl_oid * oidp, void *arg1, int arg2, struct sysctl_req *req)

typedef int (*sysctl_handler_t) SYSCTL_HANDLER_ARGS;

/*
 * One request, as a handler sees it: SYSCTL_OUT hands bytes of the old value to the caller,
 * SYSCTL_IN takes bytes of the new one; newptr is 0 when nothing is to be set.
 */
struct sysctl_req {
	struct proc *p;
	int lock;
	user_addr_t oldptr;
	size_t oldlen;
	size_t oldidx;
	int (*oldfunc)(struct sysctl_req *, const void *, size_t);
	user_addr_t newptr;
	size_t newlen;
	size_t newidx;
	int (*newfunc)(struct sysctl_req *, void *, size_t);
};

#define SYSCTL_IN(r, p, l) (r->newfunc)(r, p, l)
#define SYSCTL_OUT(r, p, l) (r->oldfunc)(r, p, l)

SLIST_HEAD(sysctl_oid_list, sysctl_oid);

struct sysctl_oid {
	struct sysctl_oid_list *oid_parent;
	SLIST_ENTRY(sysctl_oid) oid_link;
	int oid_number;
	int oid_kind;
	void *oid_arg1;
	int oid_arg2;
	const char *oid_name;
	int(*oid_handler) SYSCTL_HANDLER_ARGS;
	const char *oid_fmt;
	const char *oid_descr;
	int oid_version;
	int oid_refcnt;
};

/* What once guarded a node. */
struct sysctl_lock {
	int sl_lock;
	int sl_want;
	int sl_locked;
};

#define SYSCTL_DECL(name) extern struct sysctl_oid_list sysctl_##name##_children

#define SYSCTL_STRUCT_INIT(parent, nbr, name, kind, a1, a2, handler, fmt, descr) \
	{ \
		&sysctl_##parent##_children, {0}, nbr, (int)((kind) | CTLFLAG_OID2), \
		    (void *)(a1), (int)(a2), #name, handler, fmt, descr, SYSCTL_OID_VERSION, 0 \
	}

#define SYSCTL_OID(parent, nbr, name, kind, a1, a2, handler, fmt, descr) \
	struct sysctl_oid sysctl_##parent##_##name = \
	    SYSCTL_STRUCT_INIT(parent, nbr, name, kind, a1, a2, handler, fmt, descr)

#define SYSCTL_NODE(parent, nbr, name, access, handler, descr) \
	struct sysctl_oid_list sysctl_##parent##_##name##_children; \
	SYSCTL_OID(parent, nbr, name, CTLTYPE_NODE | access, \
	    &sysctl_##parent##_##name##_children, 0, handler, "N", descr)

#define SYSCTL_STRING(parent, nbr, name, access, arg, len, descr) \
	SYSCTL_OID(parent, nbr, name, CTLTYPE_STRING | access, arg, len, sysctl_handle_string, \
	    "A", descr)

/* With a null pointer an integer reads as `val`. */
#define SYSCTL_COMPAT_INT(parent, nbr, name, access, ptr, val, descr) \
	SYSCTL_OID(parent, nbr, name, CTLTYPE_INT | access, ptr, val, sysctl_handle_int, "I", \
	    descr)
#define SYSCTL_COMPAT_UINT(parent, nbr, name, access, ptr, val, descr) \
	SYSCTL_OID(parent, nbr, name, CTLTYPE_INT | access, ptr, val, sysctl_handle_int, "IU", \
	    descr)
#define SYSCTL_INT(parent, nbr, name, access, ptr, val, descr) \
	SYSCTL_COMPAT_INT(parent, nbr, name, access, ptr, val, descr)
#define SYSCTL_UINT(parent, nbr, name, access, ptr, val, descr) \
	SYSCTL_COMPAT_UINT(parent, nbr, name, access, ptr, val, descr)
#define SYSCTL_LONG(parent, nbr, name, access, ptr, descr) \
	SYSCTL_OID(parent, nbr, name, CTLTYPE_INT | access, ptr, 0, sysctl_handle_long, "L", descr)
#define SYSCTL_ULONG(parent, nbr, name, access, ptr, descr) \
	SYSCTL_OID(parent, nbr, name, CTLTYPE_INT | access, ptr, 0, sysctl_handle_long, "LU", \
	    descr)
#define SYSCTL_QUAD(parent, nbr, name, access, ptr, descr) \
	SYSCTL_OID(parent, nbr, name, CTLTYPE_QUAD | access, ptr, 0, sysctl_handle_quad, "Q", descr)
#define SYSCTL_UQUAD(parent, nbr, name, access, ptr, descr) \
	SYSCTL_OID(parent, nbr, name, CTLTYPE_QUAD | access, ptr, 0, sysctl_handle_quad, "QU", \
	    descr)
#define SYSCTL_OPAQUE(parent, nbr, name, access, ptr, len, fmt, descr) \
	SYSCTL_OID(parent, nbr, name, CTLTYPE_OPAQUE | access, ptr, len, sysctl_handle_opaque, \
	    fmt, descr)
#define SYSCTL_STRUCT(parent, nbr, name, access, ptr, type, descr) \
	SYSCTL_OID(parent, nbr, name, CTLTYPE_OPAQUE | access, ptr, sizeof(struct type), \
	    sysctl_handle_opaque, "S," #type, descr)
#define SYSCTL_PROC(parent, nbr, name, access, ptr, arg, handler, fmt, descr) \
	SYSCTL_OID(parent, nbr, name, access, ptr, arg, handler, fmt, descr)

__BEGIN_DECLS

/* May sleep. The OID must stay where it is, and its parent be there first and go last. */
void sysctl_register_oid(struct sysctl_oid *oidp);
/* Sleeps until no handler of the OID runs. */
void sysctl_unregister_oid(struct sysctl_oid *oidp);

/* The usual handlers: arg1 points at the variable, arg2 is its length or, for int, its value. */
int sysctl_handle_int SYSCTL_HANDLER_ARGS;
int sysctl_handle_int2quad SYSCTL_HANDLER_ARGS;
int sysctl_handle_long SYSCTL_HANDLER_ARGS;
int sysctl_handle_quad SYSCTL_HANDLER_ARGS;
int sysctl_handle_string SYSCTL_HANDLER_ARGS;
int sysctl_handle_opaque SYSCTL_HANDLER_ARGS;

/*
 * A whole request in one call: gives the old value and takes the new one, if any, into *pValue;
 * *changed says whether there was one. The string's valueSize is its buffer's; `trunc` cuts an old
 * value that does not fit the caller's buffer instead of failing with ENOMEM.
 */
int sysctl_io_number(struct sysctl_req *req, long long bigValue, size_t valueSize, void *pValue,
    int *changed);
int sysctl_io_string(struct sysctl_req *req, char *pValue, size_t valueSize, int trunc,
    int *changed);
int sysctl_io_opaque(struct sysctl_req *req, void *pValue, size_t valueSize, int *changed);

/* The branches that are always there. */
SYSCTL_DECL(_kern);
SYSCTL_DECL(_kern_ipc);
SYSCTL_DECL(_vm);
SYSCTL_DECL(_vfs);
SYSCTL_DECL(_debug);
SYSCTL_DECL(_hw);
SYSCTL_DECL(_machdep);
SYSCTL_DECL(_user);
SYSCTL_DECL(_net);
SYSCTL_DECL(_net_inet);
SYSCTL_DECL(_net_inet_ip);
SYSCTL_DECL(_net_inet_icmp);
SYSCTL_DECL(_net_inet_igmp);
SYSCTL_DECL(_net_inet_tcp);
SYSCTL_DECL(_net_inet_udp);
SYSCTL_DECL(_net_inet_raw);
SYSCTL_DECL(_net_inet6);
SYSCTL_DECL(_net_inet6_ip6);
SYSCTL_DECL(_net_inet6_icmp6);
SYSCTL_DECL(_net_link);
SYSCTL_DECL(_net_link_generic);
SYSCTL_DECL(_net_link_ether);
SYSCTL_DECL(_net_link_ether_inet);
SYSCTL_DECL(_net_link_loopback);
SYSCTL_DECL(_net_local);
SYSCTL_DECL(_net_local_stream);
SYSCTL_DECL(_net_local_dgram);
SYSCTL_DECL(_net_systm);
extern struct sysctl_oid_list sysctl__children;

__END_DECLS

#define COMAPT_MAXLOGNAME 12

#define CTL_DEBUG_NAME 0
#define CTL_UNSPEC 0
#define CTL_DEBUG_VALUE 1
#define CTL_KERN 1
#define CTL_VM 2
#define CTL_VFS 3
#define CTL_NET 4
#define CTL_DEBUG 5
#define CTL_HW 6
#define CTL_MACHDEP 7
#define CTL_USER 8
#define CTL_MAXID 9
#define CTL_DEBUG_MAXID 20

#define EPROC_CTTY 0x01
#define EPROC_SLEADER 0x02

#define HW_MACHINE 1
#define HW_MODEL 2
#define HW_NCPU 3
#define HW_BYTEORDER 4
#define HW_PHYSMEM 5
#define HW_USERMEM 6
#define HW_PAGESIZE 7
#define HW_DISKNAMES 8
#define HW_DISKSTATS 9
#define HW_EPOCH 10
#define HW_FLOATINGPT 11
#define HW_MACHINE_ARCH 12
#define HW_VECTORUNIT 13
#define HW_BUS_FREQ 14
#define HW_CPU_FREQ 15
#define HW_CACHELINE 16
#define HW_L1ICACHESIZE 17
#define HW_L1DCACHESIZE 18
#define HW_L2SETTINGS 19
#define HW_L2CACHESIZE 20
#define HW_L3SETTINGS 21
#define HW_L3CACHESIZE 22
#define HW_TB_FREQ 23
#define HW_MEMSIZE 24
#define HW_AVAILCPU 25
#define HW_MAXID 26

#define KERN_LCTX_ALL 0
#define KERN_PROC_ALL 0
#define KERN_TFP_POLICY_DENY 0
#define KERN_KDEFLAGS 1
#define KERN_LCTX_LCID 1
#define KERN_OPENEVT_PROC 1
#define KERN_OSTYPE 1
#define KERN_PANICINFO_MAXSIZE 1
#define KERN_PCDISABLE 1
#define KERN_PROC_PID 1
#define KERN_RAGE_PROC 1
#define KERN_TFP_POLICY 1
#define KERN_VFSNSPACE_HANDLE_PROC 1
#define KERN_KDDFLAGS 2
#define KERN_OSRELEASE 2
#define KERN_PANICINFO_IMAGE 2
#define KERN_PCSETBUF 2
#define KERN_PROC_PGRP 2
#define KERN_RAGE_THREAD 2
#define KERN_TFP_POLICY_DEFAULT 2
#define KERN_UNOPENEVT_PROC 2
#define KERN_VFSNSPACE_UNHANDLE_PROC 2
#define KERN_KDENABLE 3
#define KERN_OSREV 3
#define KERN_PCGETBUF 3
#define KERN_PROC_SESSION 3
#define KERN_UNRAGE_PROC 3
#define KERN_KDSETBUF 4
#define KERN_PANICINFO_TEST 4
#define KERN_PCSETUP 4
#define KERN_PROC_TTY 4
#define KERN_UNRAGE_THREAD 4
#define KERN_VERSION 4
#define KERN_KDGETBUF 5
#define KERN_MAXVNODES 5
#define KERN_PANICINFO_NOROOT_TEST 5
#define KERN_PCREMOVE 5
#define KERN_PROC_UID 5
#define KERN_KDSETUP 6
#define KERN_MAXPROC 6
#define KERN_PCREADBUF 6
#define KERN_PROC_RUID 6
#define KERN_KDREMOVE 7
#define KERN_MAXFILES 7
#define KERN_PCSETREG 7
#define KERN_PROC_LCID 7
#define KERN_ARGMAX 8
#define KERN_KDSETREG 8
#define KERN_PCCOMM 8
#define KERN_KDGETREG 9
#define KERN_SECURELVL 9
#define KERN_HOSTNAME 10
#define KERN_KDREADTR 10
#define KERN_HOSTID 11
#define KERN_KDPIDTR 11
#define KERN_CLOCKRATE 12
#define KERN_KDTHRMAP 12
#define KERN_VNODE 13
#define KERN_KDPIDEX 14
#define KERN_PROC 14
#define KERN_FILE 15
#define KERN_KDSETRTCDEC 15
#define KERN_KDGETENTROPY 16
#define KERN_PROF 16
#define KERN_KDWRITETR 17
#define KERN_POSIX1 17
#define KERN_KDWRITEMAP 18
#define KERN_NGROUPS 18
#define KERN_JOB_CONTROL 19
#define KERN_KDENABLE_BG_TRACE 19
#define KERN_KDTEST 19
#define KERN_KDDISABLE_BG_TRACE 20
#define KERN_SAVED_IDS 20
#define KERN_BOOTTIME 21
#define KERN_KDREADCURTHRMAP 21
#define KERN_KDSET_TYPEFILTER 22
#define KERN_NISDOMAINNAME 22
#define KERN_KDBUFWAIT 23
#define KERN_MAXPARTITIONS 23
#define KERN_KDCPUMAP 24
#define KERN_KDEBUG 24
#define KERN_KDWAIT_BG_TRACE_RESET 25
#define KERN_UPDATEINTERVAL 25
#define KERN_KDSET_BG_TYPEFILTER 26
#define KERN_OSRELDATE 26
#define KERN_KDWRITEMAP_V3 27
#define KERN_NTP_PLL 27
#define KERN_BOOTFILE 28
#define KERN_KDWRITETR_V3 28
#define KERN_MAXFILESPERPROC 29
#define KERN_MAXPROCPERUID 30
#define KERN_DUMPDEV 31
#define KERN_IPC 32
#define KERN_DUMMY 33
#define KERN_PS_STRINGS 34
#define KERN_USRSTACK32 35
#define KERN_LOGSIGEXIT 36
#define KERN_SYMFILE 37
#define KERN_PROCARGS 38
#define KERN_PCSAMPLES 39
#define KERN_NETBOOT 40
#define KERN_PANICINFO 41
#define KERN_SYSV 42
#define KERN_AFFINITY 43
#define KERN_TRANSLATE 44
#define KERN_EXEC 45
#define KERN_AIOMAX 46
#define KERN_AIOPROCMAX 47
#define KERN_AIOTHREADS 48
#define KERN_PROCARGS2 49
#define KERN_COREFILE 50
#define KERN_COREDUMP 51
#define KERN_SUGID_COREDUMP 52
#define KERN_PROCDELAYTERM 53
#define KERN_SHREG_PRIVATIZABLE 54
#define KERN_PROC_LOW_PRI_IO 55
#define KERN_LOW_PRI_WINDOW 56
#define KERN_LOW_PRI_DELAY 57
#define KERN_POSIX 58
#define KERN_USRSTACK64 59
#define KERN_NX_PROTECTION 60
#define KERN_TFP 61
#define KERN_PROCNAME 62
#define KERN_THALTSTACK 63
#define KERN_SPECULATIVE_READS 64
#define KERN_OSVERSION 65
#define KERN_SAFEBOOT 66
#define KERN_LCTX 67
#define KERN_RAGEVNODE 68
#define KERN_TTY 69
#define KERN_CHECKOPENEVT 70
#define KERN_THREADNAME 71
#define KERN_MAXID 72
#define KERN_CLASSIC KERN_TRANSLATE
#define KERN_CLASSICHANDLER KERN_EXEC
#define KERN_DOMAINNAME KERN_NISDOMAINNAME
#define KERN_USRSTACK KERN_USRSTACK64

#define KIPC_MAXSOCKBUF 1
#define KIPC_SOCKBUF_WASTE 2
#define KIPC_SOMAXCONN 3
#define KIPC_MAX_LINKHDR 4
#define KIPC_MAX_PROTOHDR 5
#define KIPC_MAX_HDR 6
#define KIPC_MAX_DATALEN 7
#define KIPC_MBSTAT 8
#define KIPC_NMBCLUSTERS 9
#define KIPC_SOQLIMITCOMPAT 10

#define KSYSV_SHMMAX 1
#define KSYSV_SHMMIN 2
#define KSYSV_SHMMNI 3
#define KSYSV_SHMSEG 4
#define KSYSV_SHMALL 5
#define KSYSV_SEMMNI 6
#define KSYSV_SEMMNS 7
#define KSYSV_SEMMNU 8
#define KSYSV_SEMMSL 9
#define KSYSV_SEMUNE 10

#define USER_CS_PATH 1
#define USER_BC_BASE_MAX 2
#define USER_BC_DIM_MAX 3
#define USER_BC_SCALE_MAX 4
#define USER_BC_STRING_MAX 5
#define USER_COLL_WEIGHTS_MAX 6
#define USER_EXPR_NEST_MAX 7
#define USER_LINE_MAX 8
#define USER_RE_DUP_MAX 9
#define USER_POSIX2_VERSION 10
#define USER_POSIX2_C_BIND 11
#define USER_POSIX2_C_DEV 12
#define USER_POSIX2_CHAR_TERM 13
#define USER_POSIX2_FORT_DEV 14
#define USER_POSIX2_FORT_RUN 15
#define USER_POSIX2_LOCALEDEF 16
#define USER_POSIX2_SW_DEV 17
#define USER_POSIX2_UPE 18
#define USER_STREAM_MAX 19
#define USER_TZNAME_MAX 20
#define USER_MAXID 21

#define VM_METER 1
#define VM_LOADAVG 2
#define VM_MACHFACTOR 4
#define VM_SWAPUSAGE 5
#define VM_MAXID 6

#define WMESGLEN 7

struct ctldebug {
	char *debugname;
	int *debugvar;
};

struct xsw_usage {
	u_int64_t xsu_total;
	u_int64_t xsu_avail;
	u_int64_t xsu_used;
	u_int32_t xsu_pagesize;
	boolean_t xsu_encrypted;
};

/* What ps reads. */

struct _pcred {
	char pc_lock[72];
	struct ucred *pc_ucred;
	uid_t p_ruid;
	uid_t p_svuid;
	gid_t p_rgid;
	gid_t p_svgid;
	int p_refcnt;
};

struct _ucred {
	int32_t cr_ref;
	uid_t cr_uid;
	short cr_ngroups;
	gid_t cr_groups[NGROUPS];
};

struct session;

struct kinfo_proc {
	struct extern_proc kp_proc;
	struct eproc {
		struct proc *e_paddr;
		struct session *e_sess;
		struct _pcred e_pcred;
		struct _ucred e_ucred;
		struct vmspace e_vm;
		pid_t e_ppid;
		pid_t e_pgid;
		short e_jobc;
		dev_t e_tdev;
		pid_t e_tpgid;
		struct session *e_tsess;
		char e_wmesg[WMESGLEN + 1];
		segsz_t e_xsize;
		short e_xrssize;
		short e_xccount;
		short e_xswrss;
		int32_t e_flag;
		char e_login[COMAPT_MAXLOGNAME];
		int32_t e_spare[4];
	} kp_eproc;
};

struct kinfo_lctx {
	pid_t id;
	int mc;
};

#endif
