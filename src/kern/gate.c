/* The gate's complaint (gate.h): a callback returned with a lock. */
#include "src/kern/gate.h"
#include "src/kern/kext.h"
#include "src/kern/panic.h"

void
gate_locks_kept(const struct gate_frame *f)
{
	const struct thread *t = curthread();
	int kept = (int)t->locks_held - (int)f->locks_held;

	if (kept > 0)
		kpanic("%s of %s returned while it still held %d lock%s it had taken", f->callback,
		    kext_name(f->kext), kept, kept == 1 ? "" : "s");
	kpanic("%s of %s returned after giving back %d lock%s it had not taken", f->callback,
	    kext_name(f->kext), -kept, kept == -1 ? "" : "s");
}
