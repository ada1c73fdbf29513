/*
 * Credentials, and scopes with their listeners. A credential is a user and a group; it never changes. What
 * kexts see of one is struct ucred; the core reads it by cred_uid and cred_gid.
 * kpi/kauth.c is the face for kexts.
 */
#ifndef NKE_KERN_KAUTH_H
#define NKE_KERN_KAUTH_H

#include <sys/kauth.h>

#include "src/kern/kext_refs.h"

struct credential {
	struct ucred cr;		/* first; cr_ref: the core's own references and what kexts hold */
	uint32_t magic;			/* KAUTH_CRED_MAGIC: anything else is no credential */
	uint32_t held;			/* of the references: the core's own */
	struct kext_refs kext_refs;	/* which kext holds references to it */
};
#define KAUTH_CRED_MAGIC	UINT32_C(0xc4ed0c4e)

static inline uid_t
cred_uid(const struct ucred *c)
{
	return c->cr_posix.cr_uid;
}

static inline gid_t
cred_gid(const struct ucred *c)
{
	return c->cr_posix.cr_groups[0];
}

/* The superuser's, borrowed. */
struct ucred *kauth_root(struct nke *);
/* That of a user and group, with a reference for the core; NULL: no memory. */
struct ucred *kauth_cred_make(struct nke *, uid_t, gid_t);
/* Gives that reference back; NULL is ignored. */
void kauth_cred_release(struct nke *, struct ucred *);
/* One reference more for the kext that calls; `pc` for the ledger. */
void kauth_cred_take(struct nke *, struct ucred *, void *pc);
/* Gives back a kext's reference; panics when there is none. */
void kauth_cred_give_back(struct nke *, struct ucred *);

/* What a scope is asked: is `action` allowed, and with which arguments. */
struct kauth_question {
	kauth_cred_t credential;
	kauth_action_t action;
	uintptr_t args[4];
};

/* NULL: taken, or no memory. `pc` for the ledger. */
struct kauth_scope *kauth_add_scope(struct nke *, const char *identifier, kauth_scope_callback_t,
    void *idata, void *pc);
void kauth_remove_scope(struct nke *, struct kauth_scope *);
/* NULL: no memory, or the scope has 15 listeners already. */
struct kauth_listener *kauth_add_listener(struct nke *, const char *identifier,
    kauth_scope_callback_t, void *idata, void *pc);
/* Returns when no other thread is in the callback any more. */
void kauth_remove_listener(struct nke *, struct kauth_listener *);
/* The scope's own answer, then the listeners' in the order they came. 0 or EPERM. */
errno_t kauth_ask(struct nke *, struct kauth_scope *, const struct kauth_question *);
/* The four scopes that are always there, by their identifiers; NULL for others. */
struct kauth_scope *kauth_find_scope(struct nke *, const char *identifier);
bool kauth_scope_has_listeners(struct nke *, const struct kauth_scope *);

#endif
