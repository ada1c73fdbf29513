/*
 * Credentials; scopes and listeners.
 *
 * There is one credential for each user and group that somebody holds; the superuser's is always there.
 *
 * A listener names its scope by a string and may be there first; it is asked while a scope of
 * that name exists. Listeners stay in the list, marked, until the last call of their callback has
 * returned, so whoever walks the list may do so across calls into kexts.
 *
 * The answer, an interface fact: it starts as the scope's own (or DEFER); a listener's replaces
 * it when the listener says DENY or nothing was decided before; what is not ALLOW in the end is
 * EPERM.
 */
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/kauth.h"
#include "src/kern/klog.h"
#include "src/kern/ledger.h"
#include "src/kern/panic.h"
#include "src/kern/proc.h"
#include "src/kern/sched.h"

#define LISTENERS_MAX	15		/* per scope: an interface fact */
#define LISTENER_MAGIC	UINT32_C(0x115ce4e4)
#define SCOPE_MAGIC	UINT32_C(0x5c09e5c0)

/* A scope's own callback is a listener as well: the first of its scope. */
struct kauth_listener {
	TAILQ_ENTRY(kauth_listener) link;
	struct ledger_entry ledger;
	struct kext *kext;
	uint32_t magic;
	uint32_t refs;			/* its owner's, and one per call */
	kauth_scope_callback_t callback;
	void *idata;
	struct kauth_call *calls;
	char scope[];
};

/* A call of a callback; on the stack of its thread. */
struct kauth_call {
	struct kauth_call *next;
	const struct thread *thread;
};

struct kauth_scope {
	TAILQ_ENTRY(kauth_scope) link;
	uint32_t magic;
	struct kauth_listener *own;	/* not in the list of listeners; NULL: defer */
	char identifier[];
};

struct kauth_state {
	struct credential root;
	TAILQ_HEAD(, ucred) credentials;	/* all others that somebody holds */
	TAILQ_HEAD(, kauth_scope) scopes;
	TAILQ_HEAD(, kauth_listener) listeners;
};

struct ucred *
kauth_root(struct nke *m)
{
	return &m->kauth->root.cr;
}

/* ---- credentials -------------------------------------------------------------------------- */

static struct credential *
whole(struct ucred *c)
{
	return CONTAINER_OF(c, struct credential, cr);
}

/* Without references. */
static struct credential
credential_of(uid_t uid, gid_t gid)
{
	return (struct credential){
		.magic = KAUTH_CRED_MAGIC,
		.cr.cr_posix = {
			.cr_uid = uid, .cr_ruid = uid, .cr_svuid = uid, .cr_gmuid = uid,
			.cr_ngroups = 1, .cr_groups = {gid}, .cr_rgid = gid, .cr_svgid = gid,
		},
	};
}

struct ucred *
kauth_cred_make(struct nke *m, uid_t uid, gid_t gid)
{
	struct kauth_state *k = m->kauth;
	struct ucred *c = &k->root.cr;

	if (uid != 0 || gid != 0) {
		TAILQ_FOREACH(c, &k->credentials, cr_link) {
			if (cred_uid(c) == uid && cred_gid(c) == gid)
				break;
		}
	}
	if (c == NULL) {
		struct credential *made = kalloc(m, sizeof *made);

		if (made == NULL)
			return NULL;
		*made = credential_of(uid, gid);
		c = &made->cr;
		TAILQ_INSERT_TAIL(&k->credentials, c, cr_link);
	}
	c->cr_ref++;
	whole(c)->held++;
	return c;
}

static void
drop(struct nke *m, struct ucred *c)
{
	if (--c->cr_ref != 0)
		return;
	TAILQ_REMOVE(&m->kauth->credentials, c, cr_link);
	kext_refs_end(m, &whole(c)->kext_refs);
	whole(c)->magic = 0;
	kfree(m, whole(c));
}

void
kauth_cred_release(struct nke *m, struct ucred *c)
{
	if (c == NULL)
		return;
	whole(c)->held--;
	drop(m, c);
}

void
kauth_cred_take(struct nke *m, struct ucred *c, void *pc)
{
	c->cr_ref++;
	kext_refs_note(m, &whole(c)->kext_refs, c, LEDGER_CREDENTIAL_REF, pc);
}

void
kauth_cred_give_back(struct nke *m, struct ucred *c)
{
	if (c->cr_ref <= whole(c)->held)
		kpanic("kauth_cred_unref: a reference was dropped that nobody had taken");
	kext_refs_forget(m, &whole(c)->kext_refs);
	drop(m, c);
}

static void
describe_credential(const struct ledger_entry *entry, char *text, size_t size)
{
	const struct kext_ref *r = CONTAINER_OF(entry, struct kext_ref, ledger);
	const struct ucred *c = r->object;

	ksnprintf(text, size, "%u reference%s to the credential of user %u, group %u", r->count,
	    r->count == 1 ? "" : "s", cred_uid(c), cred_gid(c));
}

/* ---- listeners ---------------------------------------------------------------------------- */

static void
describe_listener(const struct ledger_entry *entry, char *text, size_t size)
{
	const struct kauth_listener *l = (const struct kauth_listener *)
	    ((const char *)entry - __offsetof(struct kauth_listener, ledger));

	ksnprintf(text, size, "kauth listener of \"%s\"", l->scope);
}

static struct kauth_listener *
make_listener(struct nke *m, const char *scope, kauth_scope_callback_t callback, void *idata,
    void *pc)
{
	size_t len = strlen(scope) + 1;
	struct kauth_listener *l = kalloc(m, sizeof *l + len);

	if (l == NULL)
		return NULL;
	memcpy(l->scope, scope, len);
	l->magic = LISTENER_MAGIC;
	l->refs = 1;
	l->callback = callback;
	l->idata = idata;
	l->kext = gate_kext();
	ledger_set_describe(m, LEDGER_KAUTH_LISTENER, describe_listener);
	ledger_enter(m, &l->ledger, LEDGER_KAUTH_LISTENER, pc);
	return l;
}

static void
release_listener(struct nke *m, struct kauth_listener *l, bool listed)
{
	if (--l->refs > 0)
		return;
	if (listed)
		TAILQ_REMOVE(&m->kauth->listeners, l, link);
	l->magic = 0;
	kfree(m, l);
}

static bool
called_by_others(const struct kauth_listener *l)
{
	for (const struct kauth_call *c = l->calls; c != NULL; c = c->next)
		if (c->thread != curthread())
			return true;
	return false;
}

static unsigned
count_listeners(struct nke *m, const char *scope)
{
	const struct kauth_listener *l;
	unsigned n = 0;

	TAILQ_FOREACH(l, &m->kauth->listeners, link)
		n += l->callback != NULL && strcmp(l->scope, scope) == 0;
	return n;
}

struct kauth_listener *
kauth_add_listener(struct nke *m, const char *identifier, kauth_scope_callback_t callback,
    void *idata, void *pc)
{
	struct kauth_listener *l;

	if (count_listeners(m, identifier) >= LISTENERS_MAX)
		return NULL;
	l = make_listener(m, identifier, callback, idata, pc);
	if (l != NULL)
		TAILQ_INSERT_TAIL(&m->kauth->listeners, l, link);
	return l;
}

static void
withdraw_listener(struct nke *m, struct kauth_listener *l, bool listed)
{
	ledger_strike(m, &l->ledger);
	l->callback = NULL;
	while (called_by_others(l))
		if (sched_block(l, 0, false, "kauth: a listener to return") == THREAD_RESTART)
			break;
	release_listener(m, l, listed);
}

void
kauth_remove_listener(struct nke *m, struct kauth_listener *l)
{
	if (l == NULL || l->magic != LISTENER_MAGIC || l->callback == NULL)
		kpanic("kauth_unlisten_scope: %p is no listener, or has unlistened before",
		    (void *)l);
	withdraw_listener(m, l, true);
}

/* ---- scopes ------------------------------------------------------------------------------- */

struct kauth_scope *
kauth_find_scope(struct nke *m, const char *identifier)
{
	struct kauth_scope *s;

	TAILQ_FOREACH(s, &m->kauth->scopes, link)
		if (strcmp(s->identifier, identifier) == 0)
			return s;
	return NULL;
}

bool
kauth_scope_has_listeners(struct nke *m, const struct kauth_scope *s)
{
	return count_listeners(m, s->identifier) > 0;
}

struct kauth_scope *
kauth_add_scope(struct nke *m, const char *identifier, kauth_scope_callback_t callback, void *idata,
    void *pc)
{
	size_t len = strlen(identifier) + 1;
	struct kauth_scope *s;

	if (kauth_find_scope(m, identifier) != NULL)
		return NULL;
	s = kalloc(m, sizeof *s + len);
	if (s == NULL)
		return NULL;
	memcpy(s->identifier, identifier, len);
	s->magic = SCOPE_MAGIC;
	if (callback != NULL) {
		s->own = make_listener(m, identifier, callback, idata, pc);
		if (s->own == NULL) {
			kfree(m, s);
			return NULL;
		}
	}
	TAILQ_INSERT_TAIL(&m->kauth->scopes, s, link);
	return s;
}

void
kauth_remove_scope(struct nke *m, struct kauth_scope *s)
{
	if (s == NULL || s->magic != SCOPE_MAGIC)
		kpanic("kauth_deregister_scope: %p is no scope, or was deregistered before",
		    (void *)s);
	TAILQ_REMOVE(&m->kauth->scopes, s, link);
	s->magic = 0;
	if (s->own != NULL)
		withdraw_listener(m, s->own, false);
	kfree(m, s);
}

/* ---- asking ------------------------------------------------------------------------------- */

static int
call_listener(struct kauth_listener *l, const struct kauth_question *q)
{
	struct kauth_call call = {l->calls, curthread()}, **at;
	int answer;

	/* cppcheck-suppress autoVariables ; taken off the list below, before this function returns */
	l->calls = &call;
	GATE_CALL(l->kext, "kauth listener", NULL,
	    answer = l->callback(q->credential, l->idata, q->action, q->args[0], q->args[1],
	    q->args[2], q->args[3]));
	for (at = &l->calls; *at != &call; at = &(*at)->next)
		continue;
	*at = call.next;
	sched_wakeup(l, false, THREAD_AWAKENED);
	return answer;
}

/* The listeners of `name`: the scope itself may be gone after the first call. */
static int
ask_listeners(struct nke *m, const char *name, const struct kauth_question *q, int result)
{
	struct kauth_listener *l, *next;

	for (l = TAILQ_FIRST(&m->kauth->listeners); l != NULL; l = next) {
		if (l->callback == NULL || strcmp(l->scope, name) != 0) {
			next = TAILQ_NEXT(l, link);
			continue;
		}
		l->refs++;
		int answer = call_listener(l, q);
		if (answer == KAUTH_RESULT_DENY || result == KAUTH_RESULT_DEFER)
			result = answer;
		next = TAILQ_NEXT(l, link);
		release_listener(m, l, true);
	}
	return result;
}

errno_t
kauth_ask(struct nke *m, struct kauth_scope *s, const struct kauth_question *q)
{
	int result = KAUTH_RESULT_DEFER;
	char name[128];

	if (s == NULL || s->magic != SCOPE_MAGIC)
		kpanic("kauth_authorize_action: %p is no scope, or was deregistered", (void *)s);
	strlcpy(name, s->identifier, sizeof name);
	if (s->own != NULL) {
		struct kauth_listener *own = s->own;

		own->refs++;
		result = call_listener(own, q);
		release_listener(m, own, false);
	}
	result = ask_listeners(m, name, q, result);
	return result == KAUTH_RESULT_ALLOW ? 0 : EPERM;
}

/* ---- the kernel's own scopes -------------------------------------------------------------- */

/* Of files, which a machine does not have. */
static int
always_allow(kauth_cred_t credential, void *idata, kauth_action_t action, uintptr_t arg0,
    uintptr_t arg1, uintptr_t arg2, uintptr_t arg3)
{
	(void)credential, (void)idata, (void)action;
	(void)arg0, (void)arg1, (void)arg2, (void)arg3;
	return KAUTH_RESULT_ALLOW;
}

/* The superuser, and a process's own user, may do everything with it: arg0 is the process. */
static int
process_callback(kauth_cred_t credential, void *idata, kauth_action_t action, uintptr_t arg0,
    uintptr_t arg1, uintptr_t arg2, uintptr_t arg3)
{
	const struct proc *p = (const struct proc *)arg0;

	(void)idata, (void)action, (void)arg1, (void)arg2, (void)arg3;
	return cred_uid(credential) == 0 || (p != NULL && cred_uid(p->cred) == cred_uid(credential)) ?
	    KAUTH_RESULT_ALLOW : KAUTH_RESULT_DENY;
}

static int
generic_callback(kauth_cred_t credential, void *idata, kauth_action_t action, uintptr_t arg0,
    uintptr_t arg1, uintptr_t arg2, uintptr_t arg3)
{
	(void)idata, (void)arg0, (void)arg1, (void)arg2, (void)arg3;
	if (action != KAUTH_GENERIC_ISSUSER)
		return KAUTH_RESULT_DEFER;
	return cred_uid(credential) == 0 ? KAUTH_RESULT_ALLOW : KAUTH_RESULT_DENY;
}

/* ---- life --------------------------------------------------------------------------------- */

static void
kauth_fini(struct nke *m)
{
	struct kauth_state *k = m->kauth;
	struct kauth_listener *l;
	struct kauth_scope *s;

	while ((s = TAILQ_FIRST(&k->scopes)) != NULL) {
		TAILQ_REMOVE(&k->scopes, s, link);
		kfree(m, s->own);
		kfree(m, s);
	}
	while ((l = TAILQ_FIRST(&k->listeners)) != NULL) {
		TAILQ_REMOVE(&k->listeners, l, link);
		kfree(m, l);
	}
	kext_refs_end(m, &k->root.kext_refs);
	kfree(m, k);
	m->kauth = NULL;
}

static errno_t
kauth_init(struct nke *m)
{
	struct kauth_state *k = kalloc(m, sizeof *k);

	if (k == NULL)
		return ENOMEM;
	m->kauth = k;
	ledger_set_describe(m, LEDGER_CREDENTIAL_REF, describe_credential);
	TAILQ_INIT(&k->scopes);
	TAILQ_INIT(&k->listeners);
	TAILQ_INIT(&k->credentials);
	k->root = credential_of(0, 0);
	k->root.cr.cr_ref = 1;
	k->root.held = 1;
	if (kauth_add_scope(m, KAUTH_SCOPE_GENERIC, generic_callback, NULL, NULL) == NULL ||
	    kauth_add_scope(m, KAUTH_SCOPE_PROCESS, process_callback, NULL, NULL) == NULL ||
	    kauth_add_scope(m, KAUTH_SCOPE_FILEOP, always_allow, NULL, NULL) == NULL ||
	    kauth_add_scope(m, KAUTH_SCOPE_VNODE, always_allow, NULL, NULL) == NULL) {
		kauth_fini(m);
		return ENOMEM;
	}
	return 0;
}

const struct subsystem kauth_subsystem = {"kauth", kauth_init, NULL, kauth_fini};
