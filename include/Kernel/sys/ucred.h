/*
 * Credentials. sys/kauth.h has the functions that read them; kexts that look inside instead find here where
 * the users and groups are. Nobody but the kernel changes one.
 */
#ifndef _SYS_UCRED_H_
#define _SYS_UCRED_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/param.h>
#include <sys/types.h>
#include <sys/queue.h>

/*
 * In a machine the effective, real and saved user are the same, and so are the groups; nobody is a member of
 * others.
 */
#define NKE_POSIX_CRED_FIELDS \
	uid_t cr_uid;			/* effective */ \
	uid_t cr_ruid; \
	uid_t cr_svuid;			/* saved */ \
	short cr_ngroups; \
	gid_t cr_groups[NGROUPS_MAX];	/* the first: effective */ \
	gid_t cr_rgid; \
	gid_t cr_svgid; \
	uid_t cr_gmuid; \
	int cr_flags;

struct posix_cred {
	NKE_POSIX_CRED_FIELDS
};

struct ucred {
	TAILQ_ENTRY(ucred) cr_link;
	u_long cr_ref;
	union {
		struct posix_cred cr_posix;		/* since 10.7 */
		struct {
			NKE_POSIX_CRED_FIELDS		/* cr_uid: until then */
		};
	};
};
#undef NKE_POSIX_CRED_FIELDS

typedef struct ucred *kauth_cred_t;
typedef struct posix_cred *posix_cred_t;

/* Who somebody is, in a form that leaves the kernel. */
struct xucred {
	u_int cr_version;
	uid_t cr_uid;
	short cr_ngroups;
	gid_t cr_groups[NGROUPS_MAX];
};
#define XUCRED_VERSION 0

#define NOCRED ((kauth_cred_t)0)
#define FSCRED ((kauth_cred_t)-1)
#define IS_VALID_CRED(cr) ((cr) != NOCRED && (cr) != FSCRED)

__BEGIN_DECLS

/* 0 when the credential is the superuser's, else EPERM. `acflag` may be NULL. */
int suser(kauth_cred_t cred, u_short *acflag);

__END_DECLS

#endif
