/* Credentials: opaque here, read through sys/kauth.h. */
#ifndef _SYS_UCRED_H_
#define _SYS_UCRED_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/param.h>
#include <sys/types.h>
#include <sys/queue.h>

struct ucred;
struct posix_cred;

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
