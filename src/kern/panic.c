/*
 * Panics (panic.h). The report is written into the machine's own buffer, the log is flushed, every
 * thread that is blocked in the machine is sent out, and the thread that panicked leaves for its
 * catcher: a host thread returns from its call with EFAULT, a kernel thread ends.
 */
#include <stdarg.h>
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/panic.h"
#include "src/kern/world.h"

#define MAX_FRAMES	24u

struct report {
	char *buf;
	size_t len;
};

static void append(struct report *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
append(struct report *r, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(r->buf + r->len, PANIC_REPORT_SIZE - r->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		r->len += (size_t)n;
	if (r->len >= PANIC_REPORT_SIZE)
		r->len = PANIC_REPORT_SIZE - 1;
}

/* The innermost call into a kext, and the packet of the innermost call that had one. */
static void
append_gate(struct report *r, const struct gate_frame *f)
{
	if (f == NULL) {
		append(r, "kext: none, the kernel's own code\n");
		return;
	}
	if (f->kext != NULL)
		append(r, "kext: %s %s\n", f->kext->identifier, f->kext->version);
	else
		append(r, "kext: none, code linked into the program\n");
	append(r, "callback: %s\n", f->callback);
	for (; f != NULL; f = f->outer) {
		if (f->packet_number == 0)
			continue;
		append(r, "packet: %llu\n", (unsigned long long)f->packet_number);
		break;
	}
}

static void
append_backtrace(struct report *r, void *const *pcs, unsigned n)
{
	char name[160];

	for (unsigned i = 0; i < n; i++) {
		hc_symbolize(pcs[i], name, sizeof name);
		append(r, "  %p %s\n", pcs[i], name);
	}
}

static void
write_report(struct nke *m, const struct thread *t, const char *fmt, va_list ap)
{
	struct report r = {m->panic_report, 0};
	void *pcs[MAX_FRAMES];
	unsigned skip = 2, n;
	int len;

	append(&r, "panic: ");
	len = kvsnprintf(r.buf + r.len, PANIC_REPORT_SIZE - r.len, fmt, ap);
	if (len > 0)
		r.len += (size_t)len < PANIC_REPORT_SIZE - r.len ? (size_t)len :
		    PANIC_REPORT_SIZE - r.len - 1;
	append(&r, "\nmachine: %s\n", m->config.name);
	append_gate(&r, t->gate);
	append(&r, "thread: %llu \"%s\"\n", (unsigned long long)t->tid, t->name);
	append(&r, "uptime: %llu ns\n", (unsigned long long)machine_now(m));
	append(&r, "backtrace:\n");
	n = hc_backtrace(pcs, MAX_FRAMES);	/* the last thing, because it may fault: finish_report */
	if (n > skip)
		append_backtrace(&r, pcs + skip, n - skip);
}

/* Code that jumped astray or wrote over its stack leaves one that cannot be walked without a fault. */
static void
finish_report(struct nke *m)
{
	struct report r = {m->panic_report, strlen(m->panic_report)};

	append(&r, "  (the stack is damaged, or what ran was no code)\n");
}

static void
log_report(struct nke *m)
{
	const char *line = m->panic_report;

	klog_flush(m);
	while (*line != '\0') {
		size_t n = 0;

		while (line[n] != '\0' && line[n] != '\n')
			n++;
		klog(m, 0, "%.*s", (int)n, line);
		line += line[n] == '\n' ? n + 1 : n;
	}
}

void
kpanic(const char *fmt, ...)
{
	struct thread *t = curthread();
	struct nke *m;
	va_list ap;

	if (t == NULL || t->machine == NULL || t->catcher == NULL)
		hc_abort(fmt);
	m = t->machine;
	if (!m->panicked) {
		m->panicked = true;
		va_start(ap, fmt);
		write_report(m, t, fmt, ap);
		va_end(ap);
	} else if (!m->panic_told) {
		finish_report(m);
	}
	if (!m->panic_told) {
		m->panic_told = true;
		log_report(m);
		sched_throw_all(m);
	}
	t->thrown = THROW_PANIC;
	hc_throw(t->catcher);
}

void
machine_fault(int signal, const char *signal_name, const void *pc, const void *address)
{
	const struct thread *t = curthread();
	char place[160];

	if (t == NULL || t->gate == NULL || t->catcher == NULL)
		return;
	hc_symbolize(pc, place, sizeof place);
	kpanic("%s (signal %d) at %s, address %p", signal_name, signal, place, address);
}
