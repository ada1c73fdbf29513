/*
 * Credentials and authorisation. A kauth_cred_t never changes: who wants another takes another.
 * Scopes ask their listeners whether an action is allowed: one DENY denies, no ALLOW and no default
 * denies too.
 */
#ifndef _SYS_KAUTH_H_
#define _SYS_KAUTH_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/syslimits.h>
#include <sys/kernel_types.h>
#include <sys/ucred.h>
#include <mach/boolean.h>
#include <stdint.h>

#define KAUTH_UID_NONE (~(uid_t)0 - 100)
#define KAUTH_GID_NONE (~(gid_t)0 - 100)

#define KAUTH_GUID_SIZE 16
#ifndef _GUID_T
#define _GUID_T
typedef struct {
	unsigned char g_guid[KAUTH_GUID_SIZE];
} guid_t;
#endif

#define KAUTH_NTSID_MAX_AUTHORITIES 16
typedef struct {
	u_int8_t sid_kind;
	u_int8_t sid_authcount;
	u_int8_t sid_authority[6];
	u_int32_t sid_authorities[KAUTH_NTSID_MAX_AUTHORITIES];
} ntsid_t;
#define KAUTH_NTSID_HDRSIZE (8)
#define KAUTH_NTSID_SIZE(s) (KAUTH_NTSID_HDRSIZE + ((s)->sid_authcount * sizeof(u_int32_t)))

struct kauth_identity_extlookup {
	u_int32_t el_seqno;
	u_int32_t el_result;
	u_int32_t el_flags;
	__darwin_pid_t el_info_pid;
	u_int64_t el_extend;
	u_int32_t el_info_reserved_1;
	uid_t el_uid;
	guid_t el_uguid;
	u_int32_t el_uguid_valid;
	ntsid_t el_usid;
	u_int32_t el_usid_valid;
	gid_t el_gid;
	guid_t el_gguid;
	u_int32_t el_gguid_valid;
	ntsid_t el_gsid;
	u_int32_t el_gsid_valid;
	u_int32_t el_member_valid;
	u_int32_t el_sup_grp_cnt;
	gid_t el_sup_groups[NGROUPS_MAX];
};

struct kauth_cache_sizes {
	u_int32_t kcs_group_size;
	u_int32_t kcs_id_size;
};

typedef u_int32_t kauth_ace_rights_t;

struct kauth_ace {
	guid_t ace_applicable;
	u_int32_t ace_flags;
	kauth_ace_rights_t ace_rights;
};
typedef struct kauth_ace *kauth_ace_t;

struct kauth_acl {
	u_int32_t acl_entrycount;
	u_int32_t acl_flags;
	struct kauth_ace acl_ace[1];
};
typedef struct kauth_acl *kauth_acl_t;

struct kauth_acl_eval {
	kauth_ace_t ae_acl;
	int ae_count;
	kauth_ace_rights_t ae_requested;
	kauth_ace_rights_t ae_residual;
	int ae_result;
	boolean_t ae_found_deny;
	int ae_options;
	kauth_ace_rights_t ae_exp_gall;
	kauth_ace_rights_t ae_exp_gread;
	kauth_ace_rights_t ae_exp_gwrite;
	kauth_ace_rights_t ae_exp_gexec;
};
typedef struct kauth_acl_eval *kauth_acl_eval_t;

struct kauth_filesec {
	u_int32_t fsec_magic;
	guid_t fsec_owner;
	guid_t fsec_group;
	struct kauth_acl fsec_acl;
};
typedef struct kauth_filesec *kauth_filesec_t;

#define KAUTH_FILESEC_NONE ((kauth_filesec_t)0)
#define KAUTH_FILESEC_WANTED ((kauth_filesec_t)1)
#define KAUTH_ACL_SIZE(c) \
	(__offsetof(struct kauth_acl, acl_ace) + \
	 ((u_int32_t)(c) != KAUTH_FILESEC_NOACL ? (c) * sizeof(struct kauth_ace) : 0))
#define KAUTH_ACL_COPYSIZE(p) KAUTH_ACL_SIZE((p)->acl_entrycount)
#define KAUTH_FILESEC_SIZE(c) \
	(__offsetof(struct kauth_filesec, fsec_acl) + KAUTH_ACL_SIZE(c))
#define KAUTH_FILESEC_COPYSIZE(p) KAUTH_FILESEC_SIZE((p)->fsec_acl.acl_entrycount)
#define KAUTH_FILESEC_NOACL ((u_int32_t)(-1))
#define KAUTH_FILESEC_XATTR "com.apple.system.Security"

typedef int kauth_action_t;
typedef struct kauth_scope *kauth_scope_t;
typedef struct kauth_listener *kauth_listener_t;

/*
 * A listener's answer: KAUTH_RESULT_ALLOW, _DENY or _DEFER. `idata` is the cookie given when
 * listening; what the four arguments are depends on scope and action. Called on the acting thread;
 * it may sleep.
 */
typedef int (*kauth_scope_callback_t)(kauth_cred_t credential, void *idata, kauth_action_t action,
    uintptr_t arg0, uintptr_t arg1, uintptr_t arg2, uintptr_t arg3);

#define KAUTH_SCOPE_GENERIC "com.apple.kauth.generic"
#define KAUTH_SCOPE_PROCESS "com.apple.kauth.process"
#define KAUTH_SCOPE_VNODE "com.apple.kauth.vnode"
#define KAUTH_SCOPE_FILEOP "com.apple.kauth.fileop"

#define KAUTH_ACE_PERMIT 1
#define KAUTH_ACE_DENY 2
#define KAUTH_ACE_AUDIT 3
#define KAUTH_ACE_ALARM 4
#define KAUTH_ACE_KINDMASK 0xf
#define KAUTH_ACE_INHERITED (1 << 4)
#define KAUTH_ACE_FILE_INHERIT (1 << 5)
#define KAUTH_ACE_DIRECTORY_INHERIT (1 << 6)
#define KAUTH_ACE_LIMIT_INHERIT (1 << 7)
#define KAUTH_ACE_ONLY_INHERIT (1 << 8)
#define KAUTH_ACE_SUCCESS (1 << 9)
#define KAUTH_ACE_FAILURE (1 << 10)
#define KAUTH_ACE_GENERIC_ALL (1 << 21)
#define KAUTH_ACE_GENERIC_EXECUTE (1 << 22)
#define KAUTH_ACE_GENERIC_WRITE (1 << 23)
#define KAUTH_ACE_GENERIC_READ (1 << 24)
#define KAUTH_ACE_INHERIT_CONTROL_FLAGS \
	(KAUTH_ACE_FILE_INHERIT | KAUTH_ACE_DIRECTORY_INHERIT | KAUTH_ACE_LIMIT_INHERIT | \
	 KAUTH_ACE_ONLY_INHERIT)

#define KAUTH_ACL_MAX_ENTRIES 128
#define KAUTH_ACL_FLAGS_PRIVATE (0xffff)
#define KAUTH_ACL_DEFER_INHERIT (1 << 16)
#define KAUTH_ACL_NO_INHERIT (1 << 17)

#define KAUTH_AEVAL_IS_OWNER (1 << 0)
#define KAUTH_AEVAL_IN_GROUP (1 << 1)
#define KAUTH_AEVAL_IN_GROUP_UNKNOWN (1 << 2)

#define KAUTH_CLEAR_CACHES (1 << 5)

#define KAUTH_ENDIAN_HOST 0x00000001
#define KAUTH_ENDIAN_DISK 0x00000002

#define KAUTH_EXTLOOKUP_REGISTER (0)
#define KAUTH_EXTLOOKUP_SUCCESS 0
#define KAUTH_EXTLOOKUP_BADRQ 1
#define KAUTH_EXTLOOKUP_RESULT (1 << 0)
#define KAUTH_EXTLOOKUP_VALID_UID (1 << 0)
#define KAUTH_EXTLOOKUP_FAILURE 2
#define KAUTH_EXTLOOKUP_VALID_UGUID (1 << 1)
#define KAUTH_EXTLOOKUP_WORKER (1 << 1)
#define KAUTH_EXTLOOKUP_FATAL 3
#define KAUTH_EXTLOOKUP_DEREGISTER (1 << 2)
#define KAUTH_EXTLOOKUP_VALID_USID (1 << 2)
#define KAUTH_EXTLOOKUP_VALID_GID (1 << 3)
#define KAUTH_EXTLOOKUP_VALID_GGUID (1 << 4)
#define KAUTH_EXTLOOKUP_VALID_GSID (1 << 5)
#define KAUTH_EXTLOOKUP_WANT_UID (1 << 6)
#define KAUTH_EXTLOOKUP_INPROG 100
#define KAUTH_EXTLOOKUP_WANT_UGUID (1 << 7)
#define KAUTH_EXTLOOKUP_WANT_USID (1 << 8)
#define KAUTH_EXTLOOKUP_WANT_GID (1 << 9)
#define KAUTH_EXTLOOKUP_WANT_GGUID (1 << 10)
#define KAUTH_EXTLOOKUP_WANT_GSID (1 << 11)
#define KAUTH_EXTLOOKUP_WANT_MEMBERSHIP (1 << 12)
#define KAUTH_EXTLOOKUP_VALID_MEMBERSHIP (1 << 13)
#define KAUTH_EXTLOOKUP_ISMEMBER (1 << 14)
#define KAUTH_EXTLOOKUP_VALID_PWNAM (1 << 15)
#define KAUTH_EXTLOOKUP_WANT_PWNAM (1 << 16)
#define KAUTH_EXTLOOKUP_VALID_GRNAM (1 << 17)
#define KAUTH_EXTLOOKUP_WANT_GRNAM (1 << 18)
#define KAUTH_EXTLOOKUP_VALID_SUPGRPS (1 << 19)
#define KAUTH_EXTLOOKUP_WANT_SUPGRPS (1 << 20)

#define KAUTH_FILEOP_OPEN 1
#define KAUTH_FILEOP_CLOSE 2
#define KAUTH_FILEOP_CLOSE_MODIFIED (1 << 1)
#define KAUTH_FILEOP_RENAME 3
#define KAUTH_FILEOP_EXCHANGE 4
#define KAUTH_FILEOP_LINK 5
#define KAUTH_FILEOP_EXEC 6
#define KAUTH_FILEOP_DELETE 7
#define KAUTH_FILEOP_WILL_RENAME 8

#define KAUTH_FILESEC_MAGIC 0x012cc16d
#define KAUTH_FILESEC_DEFER_INHERIT KAUTH_ACL_DEFER_INHERIT
#define KAUTH_FILESEC_FLAGS_PRIVATE KAUTH_ACL_FLAGS_PRIVATE
#define KAUTH_FILESEC_NO_INHERIT KAUTH_ACL_NO_INHERIT

#define KAUTH_GENERIC_ISSUSER 1

#define KAUTH_GET_CACHE_SIZES (1 << 3)

#define KAUTH_PROCESS_CANSIGNAL 1
#define KAUTH_PROCESS_CANTRACE 2

#define KAUTH_RESULT_ALLOW (1)
#define KAUTH_RESULT_DENY (2)
#define KAUTH_RESULT_DEFER (3)

#define KAUTH_SET_CACHE_SIZES (1 << 4)

#define KAUTH_VNODE_READ_DATA (1U << 1)
#define KAUTH_VNODE_WRITE_DATA (1U << 2)
#define KAUTH_VNODE_EXECUTE (1U << 3)
#define KAUTH_VNODE_DELETE (1U << 4)
#define KAUTH_VNODE_APPEND_DATA (1U << 5)
#define KAUTH_VNODE_DELETE_CHILD (1U << 6)
#define KAUTH_VNODE_READ_ATTRIBUTES (1U << 7)
#define KAUTH_VNODE_WRITE_ATTRIBUTES (1U << 8)
#define KAUTH_VNODE_READ_EXTATTRIBUTES (1U << 9)
#define KAUTH_VNODE_WRITE_EXTATTRIBUTES (1U << 10)
#define KAUTH_VNODE_READ_SECURITY (1U << 11)
#define KAUTH_VNODE_WRITE_SECURITY (1U << 12)
#define KAUTH_VNODE_TAKE_OWNERSHIP (1U << 13)
#define KAUTH_VNODE_SYNCHRONIZE (1U << 20)
#define KAUTH_VNODE_LINKTARGET (1U << 25)
#define KAUTH_VNODE_CHECKIMMUTABLE (1U << 26)
#define KAUTH_VNODE_SEARCHBYANYONE (1U << 29)
#define KAUTH_VNODE_NOIMMUTABLE (1U << 30)
#define KAUTH_VNODE_ACCESS (1U << 31)
#define KAUTH_VNODE_ADD_FILE KAUTH_VNODE_WRITE_DATA
#define KAUTH_VNODE_ADD_SUBDIRECTORY KAUTH_VNODE_APPEND_DATA
#define KAUTH_VNODE_CHANGE_OWNER KAUTH_VNODE_TAKE_OWNERSHIP
#define KAUTH_VNODE_GENERIC_ALL_BITS \
	(KAUTH_VNODE_GENERIC_READ_BITS | KAUTH_VNODE_GENERIC_WRITE_BITS | \
	 KAUTH_VNODE_GENERIC_EXECUTE_BITS)
#define KAUTH_VNODE_GENERIC_EXECUTE_BITS (KAUTH_VNODE_EXECUTE)
#define KAUTH_VNODE_GENERIC_READ_BITS \
	(KAUTH_VNODE_READ_DATA | KAUTH_VNODE_READ_ATTRIBUTES | \
	 KAUTH_VNODE_READ_EXTATTRIBUTES | KAUTH_VNODE_READ_SECURITY)
#define KAUTH_VNODE_GENERIC_WRITE_BITS \
	(KAUTH_VNODE_WRITE_DATA | KAUTH_VNODE_APPEND_DATA | KAUTH_VNODE_DELETE | \
	 KAUTH_VNODE_DELETE_CHILD | KAUTH_VNODE_WRITE_ATTRIBUTES | \
	 KAUTH_VNODE_WRITE_EXTATTRIBUTES | KAUTH_VNODE_WRITE_SECURITY)
#define KAUTH_VNODE_LIST_DIRECTORY KAUTH_VNODE_READ_DATA
#define KAUTH_VNODE_SEARCH KAUTH_VNODE_EXECUTE
#define KAUTH_VNODE_WRITE_RIGHTS \
	(KAUTH_VNODE_ADD_FILE | KAUTH_VNODE_ADD_SUBDIRECTORY | KAUTH_VNODE_DELETE_CHILD | \
	 KAUTH_VNODE_WRITE_DATA | KAUTH_VNODE_APPEND_DATA | KAUTH_VNODE_DELETE | \
	 KAUTH_VNODE_WRITE_ATTRIBUTES | KAUTH_VNODE_WRITE_EXTATTRIBUTES | \
	 KAUTH_VNODE_WRITE_SECURITY | KAUTH_VNODE_TAKE_OWNERSHIP | KAUTH_VNODE_LINKTARGET | \
	 KAUTH_VNODE_CHECKIMMUTABLE)

#define KAUTH_WKG_NOT 0
#define KAUTH_WKG_OWNER 1
#define KAUTH_WKG_GROUP 2
#define KAUTH_WKG_NOBODY 3
#define KAUTH_WKG_EVERYBODY 4

__BEGIN_DECLS

/* The calling thread's: borrowed for as long as the thread does not change it. */
kauth_cred_t kauth_cred_get(void);
/* With a reference, to be dropped by kauth_cred_unref, which also clears the pointer. */
kauth_cred_t kauth_cred_get_with_ref(void);
kauth_cred_t kauth_cred_proc_ref(proc_t procp);
void kauth_cred_ref(kauth_cred_t cred);
void kauth_cred_unref(kauth_cred_t *cred);

uid_t kauth_cred_getuid(kauth_cred_t cred);
uid_t kauth_cred_getruid(kauth_cred_t cred);
uid_t kauth_cred_getsvuid(kauth_cred_t cred);
gid_t kauth_cred_getgid(kauth_cred_t cred);
gid_t kauth_cred_getrgid(kauth_cred_t cred);
gid_t kauth_cred_getsvgid(kauth_cred_t cred);
/* 1 for the superuser. */
int kauth_cred_issuser(kauth_cred_t cred);
/* 0, and *resultp 1 or 0. */
int kauth_cred_ismember_gid(kauth_cred_t cred, gid_t gid, int *resultp);
/* 1 when a member. */
int groupmember(gid_t gid, kauth_cred_t cred);

/* The calling thread's identities. */
uid_t kauth_getuid(void);
uid_t kauth_getruid(void);
gid_t kauth_getgid(void);
gid_t kauth_getrgid(void);

/*
 * A new scope with its own default answer (`callback` may be NULL: defer). Listeners that named it
 * before get it. NULL when the name is taken. May sleep.
 */
kauth_scope_t kauth_register_scope(const char *identifier, kauth_scope_callback_t callback,
    void *idata);
void kauth_deregister_scope(kauth_scope_t scope);
/* The scope need not exist yet. NULL without memory. May sleep. */
kauth_listener_t kauth_listen_scope(const char *identifier, kauth_scope_callback_t callback,
    void *idata);
/* Once this has returned the callback is not called again; it sleeps until running calls ended. */
void kauth_unlisten_scope(kauth_listener_t listener);

/* 0 when allowed, EPERM when denied. */
int kauth_authorize_action(kauth_scope_t scope, kauth_cred_t credential, kauth_action_t action,
    uintptr_t arg0, uintptr_t arg1, uintptr_t arg2, uintptr_t arg3);
/* A callback that always allows. */
int kauth_authorize_allow(kauth_cred_t credential, void *idata, kauth_action_t action,
    uintptr_t arg0, uintptr_t arg1, uintptr_t arg2, uintptr_t arg3);
int kauth_authorize_generic(kauth_cred_t credential, kauth_action_t action);
int kauth_authorize_process(kauth_cred_t credential, kauth_action_t action,
    struct proc *process, uintptr_t arg1, uintptr_t arg2, uintptr_t arg3);
int kauth_authorize_fileop(kauth_cred_t credential, kauth_action_t action, uintptr_t arg0,
    uintptr_t arg1);
int kauth_authorize_fileop_has_listeners(void);

int kauth_guid_equal(guid_t *guid1, guid_t *guid2);

__END_DECLS

#endif
