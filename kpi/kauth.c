/*
 * sys/kauth.h and sys/ucred.h: credentials, scopes, and who may do what. The current credential is that
 * of the process for which the thread acts.
 */
#include <string.h>
#include <sys/kauth.h>
#include <sys/proc.h>
#include <sys/ucred.h>

#include "src/kern/kauth.h"
#include "src/kern/panic.h"
#include "src/kern/proc.h"
#include "src/kern/thread.h"

/* ---- credentials -------------------------------------------------------------------------- */

static const struct ucred *
valid(const char *function, kauth_cred_t cred)
{
	if (!IS_VALID_CRED(cred) || ((const struct credential *)cred)->magic != KAUTH_CRED_MAGIC)
		kpanic("%s: %p is no credential", function, (void *)cred);
	return cred;
}

kauth_cred_t
kauth_cred_get(void)
{
	return proc_current()->cred;
}

kauth_cred_t
kauth_cred_get_with_ref(void)
{
	kauth_cred_t cred = kauth_cred_get();

	kauth_cred_take(curmachine(), cred, __builtin_return_address(0));
	return cred;
}

kauth_cred_t
kauth_cred_proc_ref(proc_t procp)
{
	kauth_cred_t cred = proc_ucred(procp);

	kauth_cred_take(curmachine(), cred, __builtin_return_address(0));
	return cred;
}

/* NULL and FSCRED are let through, as on Darwin. */
void
kauth_cred_ref(kauth_cred_t cred)
{
	if (!IS_VALID_CRED(cred))
		return;
	valid("kauth_cred_ref", cred);
	kauth_cred_take(curmachine(), cred, __builtin_return_address(0));
}

void
kauth_cred_unref(kauth_cred_t *cred)
{
	kauth_cred_t c = *cred;

	*cred = NOCRED;
	if (!IS_VALID_CRED(c))
		return;
	valid("kauth_cred_unref", c);
	kauth_cred_give_back(curmachine(), c);
}

uid_t
kauth_cred_getuid(kauth_cred_t cred)
{
	return cred_uid(valid("kauth_cred_getuid", cred));
}

uid_t
kauth_cred_getruid(kauth_cred_t cred)
{
	return cred_uid(valid("kauth_cred_getruid", cred));
}

uid_t
kauth_cred_getsvuid(kauth_cred_t cred)
{
	return cred_uid(valid("kauth_cred_getsvuid", cred));
}

gid_t
kauth_cred_getgid(kauth_cred_t cred)
{
	return cred_gid(valid("kauth_cred_getgid", cred));
}

gid_t
kauth_cred_getrgid(kauth_cred_t cred)
{
	return cred_gid(valid("kauth_cred_getrgid", cred));
}

gid_t
kauth_cred_getsvgid(kauth_cred_t cred)
{
	return cred_gid(valid("kauth_cred_getsvgid", cred));
}

int
kauth_cred_issuser(kauth_cred_t cred)
{
	return cred_uid(valid("kauth_cred_issuser", cred)) == 0;
}

int
kauth_cred_ismember_gid(kauth_cred_t cred, gid_t gid, int *resultp)
{
	*resultp = cred_gid(valid("kauth_cred_ismember_gid", cred)) == gid;
	return 0;
}

int
groupmember(gid_t gid, kauth_cred_t cred)
{
	return cred_gid(valid("groupmember", cred)) == gid;
}

int
suser(kauth_cred_t cred, u_short *acflag)
{
	(void)acflag;
	return kauth_cred_issuser(cred) ? 0 : EPERM;
}

uid_t
kauth_getuid(void)
{
	return cred_uid(kauth_cred_get());
}

uid_t
kauth_getruid(void)
{
	return cred_uid(kauth_cred_get());
}

gid_t
kauth_getgid(void)
{
	return cred_gid(kauth_cred_get());
}

gid_t
kauth_getrgid(void)
{
	return cred_gid(kauth_cred_get());
}

int
kauth_guid_equal(guid_t *guid1, guid_t *guid2)
{
	return memcmp(guid1, guid2, sizeof *guid1) == 0;
}

/* ---- scopes ------------------------------------------------------------------------------- */

kauth_scope_t
kauth_register_scope(const char *identifier, kauth_scope_callback_t callback, void *idata)
{
	return kauth_add_scope(curmachine(), identifier, callback, idata,
	    __builtin_return_address(0));
}

void
kauth_deregister_scope(kauth_scope_t scope)
{
	kauth_remove_scope(curmachine(), scope);
}

kauth_listener_t
kauth_listen_scope(const char *identifier, kauth_scope_callback_t callback, void *idata)
{
	return kauth_add_listener(curmachine(), identifier, callback, idata,
	    __builtin_return_address(0));
}

void
kauth_unlisten_scope(kauth_listener_t listener)
{
	kauth_remove_listener(curmachine(), listener);
}

int
kauth_authorize_action(kauth_scope_t scope, kauth_cred_t credential, kauth_action_t action,
    uintptr_t arg0, uintptr_t arg1, uintptr_t arg2, uintptr_t arg3)
{
	struct kauth_question q = {credential, action, {arg0, arg1, arg2, arg3}};

	return kauth_ask(curmachine(), scope, &q);
}

int
kauth_authorize_allow(kauth_cred_t credential, void *idata, kauth_action_t action, uintptr_t arg0,
    uintptr_t arg1, uintptr_t arg2, uintptr_t arg3)
{
	(void)credential, (void)idata, (void)action;
	(void)arg0, (void)arg1, (void)arg2, (void)arg3;
	return KAUTH_RESULT_ALLOW;
}

static int
ask_by_name(const char *scope, const struct kauth_question *q)
{
	struct nke *m = curmachine();

	return kauth_ask(m, kauth_find_scope(m, scope), q);
}

int
kauth_authorize_generic(kauth_cred_t credential, kauth_action_t action)
{
	struct kauth_question q = {credential, action, {0, 0, 0, 0}};

	valid("kauth_authorize_generic", credential);
	return ask_by_name(KAUTH_SCOPE_GENERIC, &q);
}

int
kauth_authorize_process(kauth_cred_t credential, kauth_action_t action, struct proc *process,
    uintptr_t arg1, uintptr_t arg2, uintptr_t arg3)
{
	struct kauth_question q = {credential, action, {(uintptr_t)process, arg1, arg2, arg3}};

	return ask_by_name(KAUTH_SCOPE_PROCESS, &q);
}

/* Tells listeners what happened to a file; their answers change nothing. */
int
kauth_authorize_fileop(kauth_cred_t credential, kauth_action_t action, uintptr_t arg0,
    uintptr_t arg1)
{
	struct kauth_question q = {credential, action, {arg0, arg1, 0, 0}};

	(void)ask_by_name(KAUTH_SCOPE_FILEOP, &q);
	return 0;
}

int
kauth_authorize_fileop_has_listeners(void)
{
	struct nke *m = curmachine();

	return kauth_scope_has_listeners(m, kauth_find_scope(m, KAUTH_SCOPE_FILEOP));
}
