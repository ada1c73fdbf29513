/* The rules of kpi_rule.h, looked up in the calls into kexts that the thread is in (gate.h). */
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/kext.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/panic.h"

static const struct {
	unsigned rule;
	const char *callbacks;		/* during which it is broken; each followed by a space */
	bool any;			/* whatever the callback is about */
	const char *what;		/* does the function do */
} rules[] = {
	{KPI_LOCKS_INTERFACE, "if_demux if_add_proto if_del_proto ", false,
	    "takes the interface's lock, which is held during that callback"},
	{KPI_LOCKS_FILTERS, "iff_input iff_output iff_event iff_ioctl ", false,
	    "waits until none of the interface's filters is being called"},
	{KPI_LOCKS_PLUMBERS, "proto_plumb proto_unplumb ", true,
	    "takes the plumbers' mutex, which is held during that callback"},
	{KPI_NOT_OF_ITSELF, "if_output if_demux if_add_proto if_del_proto if_framer if_ioctl if_event "
	    "if_check_multi if_detached ", false, "must not be called from the interface's own callbacks"},
	{KPI_LOCKS_SOCKET, "sf_attach ", false,
	    "takes the socket's lock, which is held during that callback"},
};

static bool
names(const char *callbacks, const char *callback)
{
	size_t len = strlen(callback);
	const char *at = callbacks;

	for (; *at != '\0'; at = strchr(at, ' ') + 1)
		if (strncmp(at, callback, len) == 0 && at[len] == ' ')
			return true;
	return false;
}

static void
check_callbacks(const char *function, unsigned asked, const void *object)
{
	for (const struct gate_frame *f = curthread()->gate; f != NULL; f = f->outer) {
		for (unsigned i = 0; i < sizeof rules / sizeof rules[0]; i++) {
			if (!(asked & rules[i].rule) || !names(rules[i].callbacks, f->callback) ||
			    (!rules[i].any && (object == NULL || f->object != object)))
				continue;
			kpanic("%s was called from %s of %s: it %s (a Mac deadlocks); do it from a "
			    "thread, or later", function, f->callback, kext_name(f->kext),
			    rules[i].what);
		}
	}
}

void
kpi_rule_check(const char *function, unsigned asked, const void *object)
{
	unsigned spins = curthread()->spins_held;

	if ((asked & KPI_SLEEPS) && spins != 0)
		kpanic("%s was called with %u spin lock%s held: it may sleep, which nobody may with a "
		    "spin lock; use a mutex (lck_mtx_t), or call it after lck_spin_unlock", function,
		    spins, spins == 1 ? "" : "s");
	if (asked & ~(unsigned)KPI_SLEEPS)
		check_callbacks(function, asked, object);
}
