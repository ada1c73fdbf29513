/*
 * Signals that broken kext code raises, turned into panics of its machine.
 *
 * The handler asks the core (machine_fault), which does not come back when kext code was running on
 * this thread. When it does come back, the signal belongs to whoever had it before.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <nke/nke.h>

#include "src/kern/corecalls.h"

#define ALT_STACK_SIZE	((size_t)128 << 10)

static const struct {
	int number;
	const char *name;
} faults[] = {
	{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"}, {SIGILL, "SIGILL"},
};

#define FAULT_COUNT	(sizeof faults / sizeof faults[0])

/* Of the process, as signal handlers are; written once, before the first signal can come. */
static struct sigaction previous[FAULT_COUNT];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_error;

static const void *
fault_pc(const void *context)
{
	const ucontext_t *uc = context;

#if defined(__x86_64__)
	return (const void *)(uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (const void *)(uintptr_t)uc->uc_mcontext.pc;
#else
	(void)uc;
	return NULL;
#endif
}

/* Hands the signal to who had it before; by default: let it strike again, with its usual effect. */
static void
pass_on(size_t i, siginfo_t *info, void *context)
{
	const struct sigaction *sa = &previous[i];

	if (sa->sa_flags & SA_SIGINFO) {
		sa->sa_sigaction(faults[i].number, info, context);
		return;
	}
	if (sa->sa_handler != SIG_DFL && sa->sa_handler != SIG_IGN) {
		sa->sa_handler(faults[i].number);
		return;
	}
	signal(faults[i].number, SIG_DFL);
	if (info->si_code <= 0)		/* sent, not caused: it would not strike by itself */
		raise(faults[i].number);
}

static void
on_fault(int number, siginfo_t *info, void *context)
{
	size_t i = 0;
	int saved = errno;

	while (i < FAULT_COUNT - 1 && faults[i].number != number)
		i++;
	machine_fault(number, faults[i].name, fault_pc(context), info->si_addr);
	errno = saved;
	pass_on(i, info, context);
}

/*
 * SA_NODEFER, because machine_fault leaves by a jump: the signal must not stay blocked. A fault inside
 * the handler therefore enters it once more; the core then gives up on the machine.
 */
static void
install(void)
{
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < FAULT_COUNT; i++) {
		if (sigaction(faults[i].number, &sa, &previous[i]) != 0)
			once_error = EINVAL;
	}
}

/* A stack for the handler of this thread, for when its own has overflowed. Lives as long as the process. */
static int
alternate_stack(void)
{
	stack_t current, ours = {.ss_size = ALT_STACK_SIZE};

	if (sigaltstack(NULL, &current) == 0 && !(current.ss_flags & SS_DISABLE))
		return 0;
	ours.ss_sp = malloc(ALT_STACK_SIZE);
	if (ours.ss_sp == NULL)
		return ENOMEM;
	if (sigaltstack(&ours, NULL) != 0) {
		free(ours.ss_sp);
		return EINVAL;
	}
	return 0;
}

int
nke_catch_faults(void)
{
	int error = alternate_stack();

	if (error != 0)
		return error;
	pthread_once(&once, install);
	return once_error;
}
