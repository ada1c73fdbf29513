/* The host reads and sets variables by name (corecalls.h). */
#include "src/kern/proc.h"
#include "src/kern/sysctl.h"

struct sysctl_by_host {
	struct nke *machine;
	const char *name;
	struct sysctl_access access;
	char *format;
	size_t format_size;
	errno_t error;
};

static void
do_sysctl(void *arg)
{
	struct sysctl_by_host *c = arg;

	c->access.p = proc_current();
	c->error = sysctl_by_name(c->machine, c->name, &c->access);
}

int
machine_sysctl(struct nke *m, const char *name, void *old, size_t *old_len, const void *new, size_t new_len)
{
	struct sysctl_by_host c = {.machine = m, .name = name,
	    .access = {.old = old, .old_len = old_len, .new = new, .new_len = new_len}};
	int error = machine_call(m, do_sysctl, &c);

	return error != 0 ? error : c.error;
}

static void
tell_format(void *arg)
{
	struct sysctl_by_host *c = arg;

	c->error = sysctl_format(c->machine, c->name, c->format, c->format_size);
}

int
machine_sysctl_format(struct nke *m, const char *name, char *format, size_t size)
{
	struct sysctl_by_host c = {.machine = m, .name = name, .format = format, .format_size = size};
	int error = machine_call(m, tell_format, &c);

	return error != 0 ? error : c.error;
}
