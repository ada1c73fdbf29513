/* What a machine is made of, and in which order: the one place that knows every subsystem. */
#include "src/kern/init_main.h"

#define SUBSYSTEM(name) extern const struct subsystem name##_subsystem;
#include "src/kern/subsystems.h"
#undef SUBSYSTEM

const struct subsystem *const subsystems[] = {
#define SUBSYSTEM(name) &name##_subsystem,
#include "src/kern/subsystems.h"
#undef SUBSYSTEM
	NULL
};
