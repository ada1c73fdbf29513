/* The inside of machines_main.c's tests: compiled as the core is. */
#include <kern/locks.h>

#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/panic.h"
#include "src/kern/sched.h"
#include "tests/unit/machines_core.h"

#define MS	UINT64_C(1000000)

void
step_nothing(void *step)
{
	(void)step;
}

void
step_sleep(void *step)
{
	struct step *s = step;

	s->result = sched_block(NULL, machine_now(curmachine()) + s->ns, false, "the test");
	s->uptime = machine_now(curmachine());
}

void
step_wait(void *step)
{
	struct step *s = step;

	s->result = sched_block(&s->event, 0, false, "the test's event");
	s->uptime = machine_now(curmachine());
}

void
step_wakeup(void *step)
{
	struct step *s = step;

	s->count = sched_wakeup(&s->event, false, THREAD_AWAKENED);
}

void
step_panic(void *step)
{
	(void)step;
	kpanic("the test panics");
}

/* ---- threads ------------------------------------------------------------------------------ */

static void
start(void (*fn)(void *, wait_result_t), void *parameter)
{
	struct thread *t;

	if (kthread_create(fn, parameter, &t) != 0)
		kpanic("no thread");
	kthread_release(t);
}

static void
thread_waits(void *step, wait_result_t result)
{
	(void)result;
	step_wait(step);
}

void
step_thread_waits(void *step)
{
	start(thread_waits, step);
}

static void
thread_counts(void *step, wait_result_t result)
{
	struct step *s = step;

	(void)result;
	for (;;) {
		sched_block(NULL, machine_now(curmachine()) + s->ns, false, "the test");
		s->count++;
	}
}

void
step_thread_counts(void *step)
{
	start(thread_counts, step);
}

static void
thread_panics(void *step, wait_result_t result)
{
	(void)result;
	step_sleep(step);
	step_panic(step);
}

void
step_thread_panics(void *step)
{
	start(thread_panics, step);
}

/* ---- callouts and soft interrupts --------------------------------------------------------- */

static void
note_time(void *step)
{
	struct step *s = step;

	s->uptime = machine_now(curmachine());
	s->flag = true;
}

static void
arm(struct step *s, void (*fn)(void *))
{
	struct callout *c = kalloc(curmachine(), sizeof *c);

	callout_init(c, curmachine(), fn, s);
	if (callout_reset(c, machine_now(curmachine()) + s->ns) != 0)
		kpanic("no callout");
}

void
step_arm(void *step)
{
	arm(step, note_time);
}

static void
sleep_and_note(void *step)
{
	struct step *s = step;

	sched_block(NULL, machine_now(curmachine()) + s->ns, false, "the test");
	note_time(step);
}

void
step_arm_sleeper(void *step)
{
	struct callout *c = kalloc(curmachine(), sizeof *c);

	callout_init(c, curmachine(), sleep_and_note, step);
	c->threaded = true;
	if (callout_reset(c, machine_now(curmachine()) + MS) != 0)
		kpanic("no callout");
}

static void
visit(void *step)
{
	struct step *s = step;

	s->count++;
	(void)machine_call(s->other, step_sleep, s);
	s->flag = true;
}

void
step_arm_visitor(void *step)
{
	struct callout *c = kalloc(curmachine(), sizeof *c);

	callout_init(c, curmachine(), visit, step);
	c->threaded = true;
	if (callout_reset(c, machine_now(curmachine()) + MS) != 0)
		kpanic("no callout");
}

void
step_arm_panic(void *step)
{
	arm(step, step_panic);
}

static void
schedule_panic(void *step)
{
	struct softintr *s = kalloc(curmachine(), sizeof *s);

	softintr_init(s, curmachine(), step_panic, step);
	softintr_schedule(s);
}

void
step_softintr_panic(void *step)
{
	struct step *s = step;

	s->result = machine_call(s->other, schedule_panic, s);
}

void
step_call_other(void *step)
{
	struct step *s = step;
	struct nke *m = curmachine();

	s->result = machine_call(s->other, step_sleep, s);
	s->flag = curmachine() == m;
}

/* ---- what is left behind ------------------------------------------------------------------ */

void
step_assert_wait(void *step)
{
	struct step *s = step;

	sched_assert_wait(&s->event, 0, false, "the test's event");
}

static struct kext some_kext;	/* of no machine */

static void
look_for_kext(void *step)
{
	struct step *s = step;

	s->flag = sched_inside_kext(curmachine()->world, &some_kext);
}

void
step_inside(void *step)
{
	struct step *s = step;

	GATE_CALL(&some_kext, "callback", NULL, s->result = machine_call(s->other, look_for_kext, s));
}

/* ---- races -------------------------------------------------------------------------------- */

void
step_count_slowly(void *step)
{
	struct step *s = step;
	unsigned count = s->count;

	s->count = count + 1;
}

struct racer {
	struct step *step;
	unsigned id;
};

static void
race(void *arg, wait_result_t result)
{
	struct racer *r = arg;

	(void)result;
	for (unsigned i = 0; i < 100; i++) {
		sched_preempt_point();
		r->step->count = r->step->count * 31 + r->id;
	}
	r->step->event++;
}

void
step_race(void *step)
{
	struct step *s = step;
	struct racer racers[2] = {{s, 1}, {s, 2}};

	start(race, &racers[0]);
	start(race, &racers[1]);
	while (s->event < 2)
		sched_pass();
}
