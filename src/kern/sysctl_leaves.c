/*
 * The variables every machine has. What a kext compares or prints is here: which system this
 * pretends to be, one CPU, the page size; what a Mac has beyond is not there (ENOENT).
 */
#include <libkern/version.h>
#include <mach/vm_param.h>
#include <string.h>

#include "src/kern/sched.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_leaves.h"
#include "src/kern/sysctl_number.h"

#define MEMORY_BYTES	(INT64_C(8) << 30)
#define CPU_HZ		INT64_C(1000000000)	/* the time base counts nanoseconds */

/* arg1 is the constant string. */
static int
handle_text SYSCTL_HANDLER_ARGS
{
	(void)oidp;
	(void)arg2;
	return SYSCTL_OUT(req, arg1, strlen(arg1) + 1);
}

static int
handle_constant SYSCTL_HANDLER_ARGS
{
	(void)oidp;
	(void)arg1;
	return SYSCTL_OUT(req, &arg2, sizeof arg2);
}

/* arg1 points at a constant of 64 bits. */
static int
handle_quad_constant SYSCTL_HANDLER_ARGS
{
	(void)oidp;
	(void)arg2;
	return sysctl_number(req, *(const int64_t *)arg1, sizeof(int64_t), NULL, NULL);
}

/* arg1 is the machine: its name in the harness is the host's name in it. */
static int
handle_hostname SYSCTL_HANDLER_ARGS
{
	const struct nke *m = arg1;

	(void)oidp;
	(void)arg2;
	return SYSCTL_OUT(req, m->config.name, strnlen(m->config.name, sizeof m->config.name - 1) + 1);
}

static int
handle_boottime SYSCTL_HANDLER_ARGS
{
	const struct nke *m = arg1;
	uint64_t ns = world_calendar_now(m->world) - machine_now(m);
	struct timeval tv = {.tv_sec = (__darwin_time_t)(ns / 1000000000),
	    .tv_usec = (__darwin_suseconds_t)(ns % 1000000000 / 1000)};

	(void)oidp;
	(void)arg2;
	return SYSCTL_OUT(req, &tv, sizeof tv);
}

struct leaf {
	struct sysctl_oid_list *parent;
	int number;
	const char *name;
	unsigned kind;
	const void *arg1;
	int arg2;
	sysctl_handler_t handler;
	const char *fmt;
};

#define TEXT(parent, number, name, text) \
	{&sysctl_##parent##_children, number, #name, CTLTYPE_STRING, text, 0, handle_text, "A"}
#define NUMBER(parent, number, name, value) \
	{&sysctl_##parent##_children, number, #name, CTLTYPE_INT, NULL, value, handle_constant, "I"}
#define QUAD(parent, number, name, pointer) \
	{&sysctl_##parent##_children, number, #name, CTLTYPE_QUAD, pointer, 0, \
	    handle_quad_constant, "Q"}

static const int64_t memory_bytes = MEMORY_BYTES;
static const int64_t cpu_hz = CPU_HZ;

static const struct leaf leaves[] = {
	TEXT(_kern, KERN_OSTYPE, ostype, OSTYPE),
	TEXT(_kern, KERN_OSRELEASE, osrelease, OSRELEASE),
	NUMBER(_kern, KERN_OSREV, osrevision, 199506),
	TEXT(_kern, KERN_VERSION, version, "Darwin Kernel Version " OSRELEASE ": libnke"),
	TEXT(_kern, KERN_OSVERSION, osversion, "19H2"),
	TEXT(_kern, OID_AUTO, osproductversion, "10.15.7"),
	NUMBER(_kern, KERN_SECURELVL, securelevel, 0),
	NUMBER(_kern, KERN_NGROUPS, ngroups, NGROUPS_MAX),
	NUMBER(_kern, KERN_POSIX1, posix1version, 200112),
	TEXT(_hw, HW_MACHINE, machine, "x86_64"),
	TEXT(_hw, HW_MODEL, model, "libnke"),
	NUMBER(_hw, HW_NCPU, ncpu, 1),
	NUMBER(_hw, HW_AVAILCPU, activecpu, 1),
	NUMBER(_hw, OID_AUTO, physicalcpu, 1),
	NUMBER(_hw, OID_AUTO, logicalcpu, 1),
	NUMBER(_hw, HW_BYTEORDER, byteorder, 1234),
	NUMBER(_hw, HW_PAGESIZE, pagesize, PAGE_SIZE),
	NUMBER(_hw, HW_CACHELINE, cachelinesize, 64),
	QUAD(_hw, HW_MEMSIZE, memsize, &memory_bytes),
	QUAD(_hw, OID_AUTO, tbfrequency, &cpu_hz),
};

errno_t
sysctl_add_leaves(struct nke *m)
{
	const struct leaf *l;
	errno_t error = 0;

	for (l = leaves; l < leaves + sizeof leaves / sizeof leaves[0] && error == 0; l++)
		error = sysctl_add(m, l->parent, l->number, l->name,
		    l->kind | CTLFLAG_RD | CTLFLAG_LOCKED, (void *)(uintptr_t)l->arg1, l->arg2,
		    l->handler, l->fmt);
	if (error == 0)
		error = sysctl_add(m, &sysctl__kern_children, KERN_HOSTNAME, "hostname",
		    CTLTYPE_STRING | CTLFLAG_RD, m, 0, handle_hostname, "A");
	if (error == 0)
		error = sysctl_add(m, &sysctl__kern_children, KERN_BOOTTIME, "boottime",
		    CTLTYPE_STRUCT | CTLFLAG_RD, m, 0, handle_boottime, "S,timeval");
	return error;
}
