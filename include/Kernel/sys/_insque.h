/*
 * The oldest kind of list: untyped, the two links at the element's very start. For sys/queue.h and
 * kern/queue.h, which both have it: a kext may include the two.
 */
#ifndef _SYS__INSQUE_H_
#define _SYS__INSQUE_H_

#include <sys/_types/_null.h>

/* Stands for the start of any element: the compiler must not take it for a type of its own. */
struct quehead {
	struct quehead *qh_link;
	struct quehead *qh_rlink;
} __attribute__((__may_alias__));

/* Puts `elem` behind `after`. */
static __inline__ void
insque(void *elem, void *after)
{
	struct quehead *e = (struct quehead *)elem, *a = (struct quehead *)after;

	e->qh_link = a->qh_link;
	e->qh_rlink = a;
	a->qh_link->qh_rlink = e;
	a->qh_link = e;
}

/* Always 1: Mach's has a result. qh_link stays, so that a loop may take out what it stands on. */
static __inline__ int
remque(void *elem)
{
	struct quehead *e = (struct quehead *)elem;

	e->qh_link->qh_rlink = e->qh_rlink;
	e->qh_rlink->qh_link = e->qh_link;
	e->qh_rlink = NULL;
	return 1;
}

#endif
