/* src/kern/proc.c, kpi/proc.c and the credentials of src/kern/kauth.c: who a thread acts for. */
#include <string.h>
#include <sys/kauth.h>
#include <sys/proc.h>
#include <sys/vnode.h>

#include "src/kern/callout.h"
#include "src/kern/gate.h"
#include "src/kern/kauth.h"
#include "src/kern/kext.h"
#include "src/kern/proc.h"
#include "src/kern/socketvar.h"
#include "tests/unit/trail.h"

static int
become_process(int pid, const char *name, uid_t uid)
{
	struct core_process p = {pid, 1, name, uid, uid == 0 ? 0 : 20};

	return machine_set_process(curmachine(), &p);
}

static int
become_nobody(void)
{
	return machine_set_process(curmachine(), NULL);
}

KTEST(an_identity_is_seen_everywhere)
{
	kauth_cred_t cred;
	char name[40] = "";

	CHECK_EQ(become_process(42, "answer", 501), 0);
	CHECK_EQ(proc_selfpid(), 42);
	CHECK_EQ(proc_selfppid(), 1);
	proc_selfname(name, sizeof name);
	CHECK_STR(name, "answer");
	proc_selfname(name, 4);
	CHECK_STR(name, "ans");
	CHECK_EQ(kauth_getuid(), 501);
	CHECK_EQ(kauth_getgid(), 20);
	CHECK_EQ(suser(kauth_cred_get(), NULL), EPERM);
	CHECK_EQ(proc_suser(current_proc()), EPERM);
	cred = kauth_cred_proc_ref(current_proc());
	CHECK(cred == kauth_cred_get());
	CHECK(vfs_context_ucred(vfs_context_current()) == cred);
	CHECK_EQ(vfs_context_pid(vfs_context_current()), 42);
	CHECK_EQ(kauth_authorize_generic(cred, KAUTH_GENERIC_ISSUSER), EPERM);
	/* it outlives the process */
	CHECK_EQ(become_nobody(), 0);
	CHECK_EQ(kauth_cred_getuid(cred), 501);
	kauth_cred_unref(&cred);
	CHECK_EQ(proc_selfpid(), 100);
	CHECK_EQ(kauth_getuid(), 0);
	CHECK_EQ(suser(kauth_cred_get(), NULL), 0);
}

KTEST(a_process_lives_as_long_as_it_is_held)
{
	proc_t p;

	CHECK_EQ(become_process(42, "answer", 501), 0);
	p = proc_find(42);
	CHECK(p != NULL && p == current_proc());
	CHECK_EQ(proc_exiting(p), 0);
	CHECK_EQ(become_process(43, "another", 501), 0);
	CHECK(proc_find(42) == NULL);
	CHECK_EQ(proc_exiting(p), 1);
	CHECK_EQ(proc_pid(p), 42);
	CHECK_STR(proc_best_name(p), "answer");
	CHECK_EQ(kauth_cred_getuid(proc_ucred(p)), 501);
	CHECK_EQ(proc_rele(p), 0);
	/* the same number again is another process */
	CHECK_EQ(become_process(42, "question", 0), 0);
	CHECK_STR(proc_best_name(current_proc()), "question");
}

KTEST(names_are_cut)
{
	char name[40];

	CHECK_EQ(become_process(42, "one that is longer than thirty-two characters", 0), 0);
	proc_name(42, name, sizeof name);
	CHECK_STR(name, "one that is long");
	CHECK_STR(proc_best_name(current_proc()), "one that is longer than thirty-t");
}

KTEST_PANICS(a_process_is_released_as_often_as_found, "released more often than it was found")
{
	CHECK_EQ(become_process(42, "answer", 501), 0);
	proc_rele(proc_find(42));
	proc_rele(current_proc());
}

KTEST_PANICS(the_kernel_is_never_released, "process 0 \"kernel_task\" is released more often")
{
	proc_rele(proc_find(0));
	proc_rele(proc_by_pid(curmachine(), 0));
}

KTEST_PANICS(what_is_no_process_is_named, "proc_suser: ")
{
	static uint64_t nothing[32];

	proc_suser((proc_t)(void *)nothing);
}

KTEST_PANICS(a_credential_is_given_back_once, "that nobody had taken")
{
	kauth_cred_t c;

	CHECK_EQ(become_process(42, "answer", 501), 0);
	c = kauth_cred_get_with_ref();
	kauth_cred_unref(&c);
	c = kauth_cred_get();
	kauth_cred_unref(&c);
}

KTEST(users_share_their_credential)
{
	struct nke *m = curmachine();
	kauth_cred_t a, b;

	CHECK_EQ(become_process(42, "a", 501), 0);
	a = kauth_cred_get_with_ref();
	CHECK_EQ(become_process(43, "b", 501), 0);
	CHECK(kauth_cred_get() == a);
	/* one that changes its user is somebody else */
	CHECK_EQ(become_process(43, "b", 502), 0);
	b = kauth_cred_get();
	CHECK(b != a);
	CHECK_EQ(kauth_cred_getuid(a), 501);
	CHECK_EQ(become_process(43, "b", 0), 0);
	CHECK(kauth_cred_get()->cr_uid == 0);
	kauth_cred_unref(&a);
	CHECK_EQ(become_process(43, "b", 501), 0);
	CHECK_EQ(become_nobody(), 0);
	CHECK(kauth_cred_get() == kauth_root(m));
}

KTEST(processes_belong_to_their_user)
{
	kauth_cred_t other, root = kauth_root(curmachine());
	proc_t p;

	CHECK_EQ(become_process(42, "a", 502), 0);
	other = kauth_cred_get_with_ref();
	CHECK_EQ(become_process(43, "b", 501), 0);
	p = current_proc();
	CHECK_EQ(kauth_authorize_process(kauth_cred_get(), KAUTH_PROCESS_CANSIGNAL, p, 9, 0, 0), 0);
	CHECK_EQ(kauth_authorize_process(other, KAUTH_PROCESS_CANSIGNAL, p, 9, 0, 0), EPERM);
	CHECK_EQ(kauth_authorize_process(root, KAUTH_PROCESS_CANTRACE, p, 0, 0, 0), 0);
	kauth_cred_unref(&other);
}

KTEST(ancestors_are_found)
{
	struct core_process child = {43, 42, "child", 0, 0};

	CHECK_EQ(machine_set_process(curmachine(), &child), 0);
	CHECK_EQ(proc_isinferior(43, 42), 1);
	CHECK_EQ(proc_isinferior(43, 0), 1);
	CHECK_EQ(proc_isinferior(43, 1), 0);
	CHECK_EQ(proc_isinferior(100, 1), 1);
	CHECK_EQ(proc_isinferior(4711, 1), 0);
}

/* What a kext takes and does not give back is named; what outlives the kext is nobody's. */
KTEST(references_are_in_the_ledger)
{
	struct kext k = {.name = "tester"};
	kauth_cred_t cred = NOCRED;
	proc_t p = NULL;
	char text[160];

	TAILQ_INIT(&k.owned);
	CHECK_EQ(become_process(42, "answer", 501), 0);
	GATE_CALL(&k, "start", NULL, (void)proc_self());
	GATE_CALL(&k, "start", NULL, p = proc_find(42));
	GATE_CALL(&k, "start", NULL, cred = kauth_cred_proc_ref(p));
	CHECK_EQ(k.owned_count[LEDGER_PROCESS_REF], 1);
	CHECK_EQ(k.owned_count[LEDGER_CREDENTIAL_REF], 1);
	CHECK(!ledger_pins_image(&k));
	ledger_describe(curmachine(), TAILQ_FIRST(&k.owned), text, sizeof text);
	CHECK_EQ(strncmp(text, "2 references to process 42 \"answer\", from ", 42), 0);
	ledger_describe(curmachine(), TAILQ_NEXT(TAILQ_FIRST(&k.owned), link), text, sizeof text);
	CHECK_EQ(strncmp(text, "1 reference to the credential of user 501, group 20", 51), 0);
	GATE_CALL(&k, "stop", NULL, kauth_cred_unref(&cred));
	GATE_CALL(&k, "stop", NULL, proc_rele(p));
	CHECK_EQ(ledger_count(&k), 1);
	CHECK_EQ(become_nobody(), 0);
	ledger_disown(curmachine(), &k);
	/* the last reference: the object goes, and its records with it */
	proc_rele(p);
	CHECK(proc_find(42) == NULL);
}

/* ---- on whose behalf ------------------------------------------------------------------------ */

static void
note_pid(void *arg)
{
	*(int *)arg = proc_selfpid() * 1000 + (int)kauth_getuid();
}

static void
note_pid_in_thread(void *arg, wait_result_t result)
{
	(void)result;
	note_pid(arg);
}

KTEST(what_is_put_off_is_the_kernels)
{
	struct nke *m = curmachine();
	int in_callout = -1, in_softintr = -1, in_thread = -1;
	struct softintr soft;
	struct callout c;

	CHECK_EQ(become_process(42, "answer", 501), 0);
	softintr_init(&soft, m, note_pid, &in_softintr);
	softintr_schedule(&soft);
	callout_init(&c, m, note_pid, &in_callout);
	CHECK_EQ(callout_reset(&c, machine_now(m) + MS), 0);
	start(note_pid_in_thread, &in_thread);
	sleep_for(2 * MS);
	CHECK_EQ(in_softintr, 0);
	CHECK_EQ(in_callout, 0);
	CHECK_EQ(in_thread, 0);
	CHECK_EQ(proc_selfpid(), 42);
}

KTEST(sockets_remember_who_made_them)
{
	struct socket *mine, *roots;

	CHECK_EQ(socreate(curmachine(), PF_LOCAL, SOCK_DGRAM, 0, &roots), 0);
	CHECK_EQ(become_process(42, "answer", 501), 0);
	CHECK_EQ(socreate(curmachine(), PF_LOCAL, SOCK_DGRAM, 0, &mine), 0);
	CHECK_EQ(roots->so_uid, 0);
	CHECK_EQ(roots->so_last_pid, 100);
	CHECK(roots->so_state & SS_PRIV);
	CHECK_EQ(mine->so_uid, 501);
	CHECK_EQ(mine->so_last_pid, 42);
	CHECK(!(mine->so_state & SS_PRIV));
	CHECK_EQ(soclose(mine), 0);
	CHECK_EQ(soclose(roots), 0);
}

KTEST(without_memory_one_stays_who_one_is)
{
	struct nke *m = curmachine();
	struct core_memory now;
	int failures = 0, error;

	CHECK_EQ(become_process(41, "before", 501), 0);
	for (unsigned n = 1; n < 6; n++) {
		machine_memory(m, &now);
		m->config.fail_alloc = now.allocations + n;
		error = become_process(50 + (int)n, "after", 600 + n);
		m->config.fail_alloc = 0;
		CHECK(error == 0 || error == ENOMEM);
		failures += error != 0;
		CHECK_EQ(proc_selfpid(), error == 0 ? 50 + (int)n : 41);
		CHECK_EQ(kauth_getuid(), error == 0 ? 600 + n : 501);
		CHECK((proc_by_pid(m, 50 + (int)n) != NULL) == (error == 0));
		CHECK_EQ(become_process(41, "before", 501), 0);
	}
	CHECK(failures >= 2);
}

KTEST_SUITE(proc, T(an_identity_is_seen_everywhere), T(a_process_lives_as_long_as_it_is_held),
    T(names_are_cut), T(a_process_is_released_as_often_as_found), T(the_kernel_is_never_released),
    T(what_is_no_process_is_named), T(a_credential_is_given_back_once),
    T(users_share_their_credential), T(processes_belong_to_their_user), T(ancestors_are_found),
    T(references_are_in_the_ledger), T(what_is_put_off_is_the_kernels),
    T(sockets_remember_who_made_them), T(without_memory_one_stays_who_one_is));
