/* Who calls, as nke/proc.h offers it. */
#include <nke/proc.h>

#include <errno.h>

#include "src/host/machine.h"

int
nke_proc_set(nke_t *m, const struct nke_process *process)
{
	struct core_process core;
	int error;

	if (process == NULL)
		return nke_core_result(m, machine_set_process(m->core, NULL));
	core = (struct core_process){process->pid, process->ppid, process->name != NULL ? process->name : "",
	    process->uid, process->gid};
	error = nke_core_result(m, machine_set_process(m->core, &core));
	if (error == EINVAL)
		return nke_fail(m, error, "process %d: expected a positive number other than 100, which is "
		    "what threads are that were given no identity", process->pid);
	return error;
}
