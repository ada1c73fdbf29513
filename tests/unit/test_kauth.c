/* src/kern/kauth.c and kpi/kauth.c */
#include <IOKit/IOLib.h>
#include <sys/errno.h>
#include <sys/kauth.h>

#include "src/kern/gate.h"
#include "src/kern/kauth.h"
#include "src/kern/kext.h"
#include "tests/unit/ktest.h"

#define SCOPE "com.example.scope"

static int calls;
static kauth_listener_t self;

static int
answer(kauth_cred_t credential, void *idata, kauth_action_t action, uintptr_t arg0, uintptr_t arg1,
    uintptr_t arg2, uintptr_t arg3)
{
	(void)action, (void)arg1, (void)arg2, (void)arg3;
	calls++;
	CHECK(credential == kauth_cred_get());
	CHECK_EQ(arg0, 11);
	return (int)(uintptr_t)idata;
}

static int
leave(kauth_cred_t credential, void *idata, kauth_action_t action, uintptr_t arg0, uintptr_t arg1,
    uintptr_t arg2, uintptr_t arg3)
{
	(void)credential, (void)idata, (void)action, (void)arg0, (void)arg1, (void)arg2, (void)arg3;
	kauth_unlisten_scope(self);
	return KAUTH_RESULT_DEFER;
}

#define ALLOW	(void *)KAUTH_RESULT_ALLOW
#define DENY	(void *)KAUTH_RESULT_DENY
#define DEFER	(void *)KAUTH_RESULT_DEFER

static int
ask(kauth_scope_t scope)
{
	calls = 0;
	return kauth_authorize_action(scope, kauth_cred_get(), 1, 11, 0, 0, 0);
}

KTEST(who_is_nobody_else_is_root)
{
	kauth_cred_t c = kauth_cred_get_with_ref();
	int member = -1;

	CHECK_EQ(kauth_getuid(), 0);
	CHECK_EQ(kauth_cred_getuid(c) + kauth_cred_getgid(c), 0);
	CHECK_EQ(kauth_cred_issuser(c), 1);
	CHECK_EQ(suser(c, NULL), 0);
	CHECK_EQ(kauth_cred_ismember_gid(c, 0, &member), 0);
	CHECK_EQ(member, 1);
	CHECK_EQ(groupmember(20, c), 0);
	kauth_cred_ref(c);
	kauth_cred_unref(&c);
	CHECK(c == NOCRED);
	c = kauth_cred_get();
	kauth_cred_unref(&c);
	kauth_cred_unref(&c);
}

/* The ways of kexts for 10.7 and for older ones, and that of now. */
KTEST(a_credential_may_be_looked_into)
{
	struct nke *m = curmachine();
	kauth_cred_t c = kauth_cred_make(m, 501, 20);

	CHECK_EQ(kauth_cred_getuid(c), 501);
	CHECK_EQ(c->cr_posix.cr_uid, 501);
	CHECK_EQ(c->cr_uid, 501);
	CHECK_EQ(c->cr_posix.cr_ruid, 501);
	CHECK_EQ(c->cr_posix.cr_svuid, 501);
	CHECK_EQ(c->cr_posix.cr_ngroups, 1);
	CHECK_EQ(c->cr_groups[0], 20);
	CHECK_EQ(c->cr_posix.cr_rgid, 20);
	CHECK_EQ(c->cr_ref, 1);
	CHECK(c == kauth_cred_make(m, 501, 20));
	CHECK_EQ(c->cr_ref, 2);
	kauth_cred_release(m, c);
	kauth_cred_release(m, c);
	CHECK_EQ(kauth_cred_get()->cr_posix.cr_uid, 0);
}

KTEST_PANICS(a_reference_too_many_is_named, "that nobody had taken")
{
	kauth_cred_t c = kauth_cred_get();

	kauth_cred_unref(&c);
}

KTEST(answers_are_combined)
{
	kauth_scope_t scope = kauth_register_scope(SCOPE, NULL, NULL);
	kauth_listener_t a, b;

	CHECK(scope != NULL);
	CHECK(kauth_register_scope(SCOPE, NULL, NULL) == NULL);
	CHECK_EQ(ask(scope), EPERM);
	a = kauth_listen_scope(SCOPE, answer, ALLOW);
	CHECK_EQ(ask(scope), 0);
	b = kauth_listen_scope(SCOPE, answer, DEFER);
	CHECK_EQ(ask(scope), 0);
	CHECK_EQ(calls, 2);
	kauth_unlisten_scope(b);
	b = kauth_listen_scope(SCOPE, answer, DENY);
	CHECK_EQ(ask(scope), EPERM);
	kauth_unlisten_scope(a);
	kauth_unlisten_scope(b);
	CHECK_EQ(ask(scope), EPERM);
	kauth_deregister_scope(scope);
	scope = kauth_register_scope(SCOPE, answer, ALLOW);
	CHECK_EQ(ask(scope), 0);
	CHECK_EQ(calls, 1);
	kauth_deregister_scope(scope);
}

KTEST(a_listener_may_come_before_its_scope)
{
	kauth_listener_t l = kauth_listen_scope(SCOPE, answer, ALLOW);
	kauth_scope_t scope = kauth_register_scope(SCOPE, NULL, NULL);

	CHECK_EQ(ask(scope), 0);
	kauth_unlisten_scope(l);
	kauth_deregister_scope(scope);
}

KTEST(fifteen_listeners_and_no_more)
{
	kauth_listener_t l[15];

	for (int i = 0; i < 15; i++) {
		l[i] = kauth_listen_scope(SCOPE, answer, ALLOW);
		CHECK(l[i] != NULL);
	}
	CHECK(kauth_listen_scope(SCOPE, answer, ALLOW) == NULL);
	for (int i = 0; i < 15; i++)
		kauth_unlisten_scope(l[i]);
}

KTEST(a_listener_may_leave_from_within)
{
	kauth_scope_t scope = kauth_register_scope(SCOPE, NULL, NULL);
	kauth_listener_t other;

	self = kauth_listen_scope(SCOPE, leave, NULL);
	other = kauth_listen_scope(SCOPE, answer, ALLOW);
	CHECK_EQ(ask(scope), 0);
	CHECK_EQ(calls, 1);
	CHECK_EQ(ask(scope), 0);
	CHECK_EQ(calls, 1);
	kauth_unlisten_scope(other);
	kauth_deregister_scope(scope);
}

static int steps;

static int
answer_slowly(kauth_cred_t credential, void *idata, kauth_action_t action, uintptr_t arg0,
    uintptr_t arg1, uintptr_t arg2, uintptr_t arg3)
{
	(void)credential, (void)idata, (void)action, (void)arg0, (void)arg1, (void)arg2, (void)arg3;
	steps = 1;
	IOSleep(10);
	steps = 2;
	return KAUTH_RESULT_DEFER;
}

static void
asker(void *arg)
{
	(void)ask(arg);
}

KTEST(unlistening_waits_for_calls)
{
	kauth_scope_t scope = kauth_register_scope(SCOPE, NULL, NULL);
	kauth_listener_t l = kauth_listen_scope(SCOPE, answer_slowly, NULL);

	CHECK(IOCreateThread(asker, scope) != NULL);
	IOSleep(1);
	CHECK_EQ(steps, 1);
	kauth_unlisten_scope(l);
	CHECK_EQ(steps, 2);
	CHECK_EQ(ask(scope), EPERM);
	CHECK_EQ(steps, 2);
	kauth_deregister_scope(scope);
}

KTEST_PANICS(unlistening_twice, "has unlistened before")
{
	kauth_listener_t l = kauth_listen_scope(SCOPE, answer, ALLOW);

	kauth_unlisten_scope(l);
	kauth_unlisten_scope(l);
}

KTEST(the_kernels_own_scopes)
{
	struct kext k = {.name = "tester"};
	kauth_listener_t l = NULL;

	TAILQ_INIT(&k.owned);
	CHECK_EQ(kauth_authorize_generic(kauth_cred_get(), KAUTH_GENERIC_ISSUSER), 0);
	CHECK_EQ(kauth_authorize_process(kauth_cred_get(), KAUTH_PROCESS_CANSIGNAL, NULL, 0, 0, 0), 0);
	CHECK_EQ(kauth_authorize_fileop_has_listeners(), 0);
	GATE_CALL(&k, "start", NULL, l = kauth_listen_scope(KAUTH_SCOPE_FILEOP, answer, DENY));
	CHECK_EQ(k.owned_count[LEDGER_KAUTH_LISTENER], 1);
	CHECK_EQ(kauth_authorize_fileop_has_listeners(), 1);
	calls = 0;
	CHECK_EQ(kauth_authorize_fileop(kauth_cred_get(), KAUTH_FILEOP_OPEN, 11, 0), 0);
	CHECK_EQ(calls, 1);
	kauth_unlisten_scope(l);
	CHECK_EQ(k.owned_count[LEDGER_KAUTH_LISTENER], 0);
}

KTEST_SUITE(kauth, T(who_is_nobody_else_is_root), T(a_credential_may_be_looked_into),
    T(a_reference_too_many_is_named), T(answers_are_combined),
    T(a_listener_may_come_before_its_scope), T(fifteen_listeners_and_no_more),
    T(a_listener_may_leave_from_within),
    T(unlistening_waits_for_calls), T(unlistening_twice), T(the_kernels_own_scopes));
