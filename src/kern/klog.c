/*
 * The kernel log: puts lines together and hands them to the machine's owner.
 *
 * klog() says one line for the core at once. klog_vprint() is the KPI's printf: what a kext
 * prints is kept in its struct kext until the newline, so that lines made by several calls, or by
 * several kexts in turn, arrive whole. Nothing is printed anywhere when the owner gave no
 * callback.
 *
 * Works from the first moment of a machine's life to the last: before and after this subsystem is
 * up, and without a thread, klog() delivers directly. The callback is the host's; should it come
 * back with another line, that is delivered as well, but not without end.
 */
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/sched.h"
#include "src/kern/subr_prf.h"

#define LINE_MAX_BYTES	1024
#define NESTED_MAX	4

struct klog {
	struct kext kernel;		/* only its line: what no kext printed */
	TAILQ_HEAD(, kext) unfinished;	/* kexts with text in their line */
	unsigned nested;		/* calls of the callback that have not returned */
};

/* `text` is on the stack of our caller: a nested call may change the kext's line meanwhile. */
static void
deliver(struct nke *m, int level, const char *who, const char *text)
{
	struct core_log_record record = {.level = level, .kext = who, .text = text};
	struct klog *k = m->klog;

	if (m->config.log == NULL || (k != NULL && k->nested >= NESTED_MAX))
		return;
	if (m->world != NULL) {
		record.uptime_ns = machine_now(m);
		record.calendar_ns = world_calendar_now(m->world);
	}
	if (k != NULL)
		k->nested++;
	m->config.log(m->config.log_ctx, &record);
	if (k != NULL)
		k->nested--;
}

static void
strip_newline(char *text)
{
	size_t n = strlen(text);

	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
}

void
klog(struct nke *m, int level, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES + 1];
	va_list ap;

	if (m->config.log == NULL)
		return;
	va_start(ap, fmt);
	kvsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	strip_newline(text);
	deliver(m, level, "", text);
}

/* ---- text of kexts ------------------------------------------------------------------------ */

struct speaker {
	struct nke *machine;
	struct kext *kext;
	int level;
};

static void
finish_line(struct nke *m, struct kext *k)
{
	char text[LINE_MAX_BYTES + 1];

	_Static_assert(sizeof k->line == LINE_MAX_BYTES, "a line fits the copy");
	memcpy(text, k->line, k->line_len);
	text[k->line_len] = '\0';
	if (k->line_len > 0)
		TAILQ_REMOVE(&m->klog->unfinished, k, line_link);
	k->line_len = 0;
	deliver(m, k->line_level, k == &m->klog->kernel ? "" : kext_name(k), text);
}

static void
put_in_line(int c, void *arg)
{
	struct speaker *s = arg;
	struct kext *k = s->kext;

	if (k->line_len == 0)
		k->line_level = s->level;
	if (c == '\n') {
		finish_line(s->machine, k);
		return;
	}
	if (k->line_len == sizeof k->line) {
		finish_line(s->machine, k);
		k->line_level = s->level;
	}
	if (k->line_len == 0)
		TAILQ_INSERT_TAIL(&s->machine->klog->unfinished, k, line_link);
	k->line[k->line_len++] = (char)c;
}

void
klog_vprint(struct nke *m, int level, const char *fmt, va_list ap)
{
	struct speaker s = {m, curthread() != NULL ? gate_kext() : NULL, level};

	if (m->config.log == NULL || m->klog == NULL)
		return;
	if (s.kext == NULL)
		s.kext = &m->klog->kernel;
	kformat(put_in_line, &s, fmt, ap);
}

void
klog_vline(struct nke *m, int level, const char *fmt, va_list ap)
{
	const struct kext *k = curthread() != NULL ? gate_kext() : NULL;
	char text[LINE_MAX_BYTES + 1];

	if (m->config.log == NULL)
		return;
	kvsnprintf(text, sizeof text, fmt, ap);
	strip_newline(text);
	deliver(m, level, k != NULL ? kext_name(k) : "", text);
}

void
klog_flush(struct nke *m)
{
	struct kext *k;

	if (m->klog == NULL)
		return;
	while ((k = TAILQ_FIRST(&m->klog->unfinished)) != NULL)
		finish_line(m, k);
}

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
klog_init(struct nke *m)
{
	struct klog *k = hc_alloc(sizeof *k);

	if (k == NULL)
		return ENOMEM;
	memset(k, 0, sizeof *k);
	TAILQ_INIT(&k->unfinished);
	m->klog = k;
	return 0;
}

static void
klog_quiesce(struct nke *m)
{
	klog_flush(m);
}

static void
klog_fini(struct nke *m)
{
	struct klog *k = m->klog;

	m->klog = NULL;
	hc_free(k);
}

const struct subsystem klog_subsystem = {"klog", klog_init, klog_quiesce, klog_fini};
