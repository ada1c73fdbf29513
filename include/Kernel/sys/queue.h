/*
 * Lists whose links lie in the elements. `type` is a struct tag, `field` the member made by the
 * _ENTRY macro. Nothing here allocates or locks.
 *
 *   SLIST    one link; head holds the first. Removing takes time unless one has the predecessor.
 *   STAILQ   SLIST with a pointer to the end: appending is quick.
 *   LIST     two links, NULL at the end; any element goes quickly; forward only.
 *   TAILQ    LIST with a pointer to the end: append, and walk backwards.
 *   CIRCLEQ  a ring through the head.
 *
 * The _SAFE walks read the next element before the body runs, so that the body may remove this one.
 */
#ifndef _SYS_QUEUE_H_
#define _SYS_QUEUE_H_

#include <sys/cdefs.h>
#include <sys/_types/_null.h>
#include <sys/_types/_offsetof.h>

/* SLIST */

#define SLIST_HEAD(name, type) \
	struct name { \
		struct type *slh_first; \
	}
#define SLIST_HEAD_INITIALIZER(head) { NULL }
#define SLIST_ENTRY(type) \
	struct { \
		struct type *sle_next; \
	}

#define SLIST_FIRST(head) ((head)->slh_first)
#define SLIST_NEXT(elm, field) ((elm)->field.sle_next)
#define SLIST_EMPTY(head) (SLIST_FIRST(head) == NULL)
#define SLIST_INIT(head) \
	do { \
		SLIST_FIRST(head) = NULL; \
	} while (0)

#define SLIST_FOREACH(var, head, field) \
	for ((var) = SLIST_FIRST(head); (var) != NULL; (var) = SLIST_NEXT(var, field))
#define SLIST_FOREACH_SAFE(var, head, field, tmp) \
	for ((var) = SLIST_FIRST(head); \
	     (var) != NULL && ((tmp) = SLIST_NEXT(var, field), 1); (var) = (tmp))
#define SLIST_FOREACH_PREVPTR(var, linkp, head, field) \
	for ((linkp) = &SLIST_FIRST(head); ((var) = *(linkp)) != NULL; \
	     (linkp) = &SLIST_NEXT(var, field))

#define SLIST_INSERT_HEAD(head, elm, field) \
	do { \
		SLIST_NEXT(elm, field) = SLIST_FIRST(head); \
		SLIST_FIRST(head) = (elm); \
	} while (0)
#define SLIST_INSERT_AFTER(at, elm, field) \
	do { \
		SLIST_NEXT(elm, field) = SLIST_NEXT(at, field); \
		SLIST_NEXT(at, field) = (elm); \
	} while (0)
#define SLIST_REMOVE_HEAD(head, field) \
	do { \
		SLIST_FIRST(head) = SLIST_NEXT(SLIST_FIRST(head), field); \
	} while (0)
#define SLIST_REMOVE_AFTER(at, field) \
	do { \
		SLIST_NEXT(at, field) = SLIST_NEXT(SLIST_NEXT(at, field), field); \
	} while (0)
#define SLIST_REMOVE(head, elm, type, field) \
	do { \
		struct type **_linkp = &SLIST_FIRST(head); \
		while (*_linkp != (elm)) \
			_linkp = &SLIST_NEXT(*_linkp, field); \
		*_linkp = SLIST_NEXT(elm, field); \
	} while (0)

/* STAILQ: stqh_last points at the link that the next appended element goes to. */

#define STAILQ_HEAD(name, type) \
	struct name { \
		struct type *stqh_first; \
		struct type **stqh_last; \
	}
#define STAILQ_HEAD_INITIALIZER(head) { NULL, &(head).stqh_first }
#define STAILQ_ENTRY(type) \
	struct { \
		struct type *stqe_next; \
	}

#define STAILQ_FIRST(head) ((head)->stqh_first)
#define STAILQ_NEXT(elm, field) ((elm)->field.stqe_next)
#define STAILQ_EMPTY(head) (STAILQ_FIRST(head) == NULL)
#define STAILQ_LAST(head, type, field) \
	(STAILQ_EMPTY(head) ? NULL : \
	 (struct type *)(void *)((char *)(head)->stqh_last - offsetof(struct type, field)))
#define STAILQ_INIT(head) \
	do { \
		STAILQ_FIRST(head) = NULL; \
		(head)->stqh_last = &STAILQ_FIRST(head); \
	} while (0)

#define STAILQ_FOREACH(var, head, field) \
	for ((var) = STAILQ_FIRST(head); (var) != NULL; (var) = STAILQ_NEXT(var, field))
#define STAILQ_FOREACH_SAFE(var, head, field, tmp) \
	for ((var) = STAILQ_FIRST(head); \
	     (var) != NULL && ((tmp) = STAILQ_NEXT(var, field), 1); (var) = (tmp))

#define STAILQ_INSERT_HEAD(head, elm, field) \
	do { \
		STAILQ_NEXT(elm, field) = STAILQ_FIRST(head); \
		if (STAILQ_NEXT(elm, field) == NULL) \
			(head)->stqh_last = &STAILQ_NEXT(elm, field); \
		STAILQ_FIRST(head) = (elm); \
	} while (0)
#define STAILQ_INSERT_TAIL(head, elm, field) \
	do { \
		STAILQ_NEXT(elm, field) = NULL; \
		*(head)->stqh_last = (elm); \
		(head)->stqh_last = &STAILQ_NEXT(elm, field); \
	} while (0)
#define STAILQ_INSERT_AFTER(head, at, elm, field) \
	do { \
		STAILQ_NEXT(elm, field) = STAILQ_NEXT(at, field); \
		if (STAILQ_NEXT(elm, field) == NULL) \
			(head)->stqh_last = &STAILQ_NEXT(elm, field); \
		STAILQ_NEXT(at, field) = (elm); \
	} while (0)
#define STAILQ_REMOVE_HEAD(head, field) \
	do { \
		STAILQ_FIRST(head) = STAILQ_NEXT(STAILQ_FIRST(head), field); \
		if (STAILQ_EMPTY(head)) \
			(head)->stqh_last = &STAILQ_FIRST(head); \
	} while (0)
/* Drops everything from the first element up to and with `elm`. */
#define STAILQ_REMOVE_HEAD_UNTIL(head, elm, field) \
	do { \
		STAILQ_FIRST(head) = STAILQ_NEXT(elm, field); \
		if (STAILQ_EMPTY(head)) \
			(head)->stqh_last = &STAILQ_FIRST(head); \
	} while (0)
#define STAILQ_REMOVE_AFTER(head, at, field) \
	do { \
		STAILQ_NEXT(at, field) = STAILQ_NEXT(STAILQ_NEXT(at, field), field); \
		if (STAILQ_NEXT(at, field) == NULL) \
			(head)->stqh_last = &STAILQ_NEXT(at, field); \
	} while (0)
#define STAILQ_REMOVE(head, elm, type, field) \
	do { \
		struct type **_linkp = &STAILQ_FIRST(head); \
		while (*_linkp != (elm)) \
			_linkp = &STAILQ_NEXT(*_linkp, field); \
		*_linkp = STAILQ_NEXT(elm, field); \
		if (*_linkp == NULL) \
			(head)->stqh_last = _linkp; \
	} while (0)
/* Moves all of `from` to the end of `to`. */
#define STAILQ_CONCAT(to, from) \
	do { \
		if (!STAILQ_EMPTY(from)) { \
			*(to)->stqh_last = STAILQ_FIRST(from); \
			(to)->stqh_last = (from)->stqh_last; \
			STAILQ_INIT(from); \
		} \
	} while (0)
#define STAILQ_SWAP(a, b, type) \
	do { \
		struct type *_first = STAILQ_FIRST(a); \
		struct type **_last = (a)->stqh_last; \
		STAILQ_FIRST(a) = STAILQ_FIRST(b); \
		(a)->stqh_last = (b)->stqh_last; \
		STAILQ_FIRST(b) = _first; \
		(b)->stqh_last = _last; \
		if (STAILQ_EMPTY(a)) \
			(a)->stqh_last = &STAILQ_FIRST(a); \
		if (STAILQ_EMPTY(b)) \
			(b)->stqh_last = &STAILQ_FIRST(b); \
	} while (0)

/* LIST: le_prev points at the link that points here. */

#define LIST_HEAD(name, type) \
	struct name { \
		struct type *lh_first; \
	}
#define LIST_HEAD_INITIALIZER(head) { NULL }
#define LIST_ENTRY(type) \
	struct { \
		struct type *le_next; \
		struct type **le_prev; \
	}

#define LIST_FIRST(head) ((head)->lh_first)
#define LIST_NEXT(elm, field) ((elm)->field.le_next)
#define LIST_EMPTY(head) (LIST_FIRST(head) == NULL)
#define LIST_INIT(head) \
	do { \
		LIST_FIRST(head) = NULL; \
	} while (0)

#define LIST_FOREACH(var, head, field) \
	for ((var) = LIST_FIRST(head); (var) != NULL; (var) = LIST_NEXT(var, field))
#define LIST_FOREACH_SAFE(var, head, field, tmp) \
	for ((var) = LIST_FIRST(head); \
	     (var) != NULL && ((tmp) = LIST_NEXT(var, field), 1); (var) = (tmp))

#define LIST_INSERT_HEAD(head, elm, field) \
	do { \
		LIST_NEXT(elm, field) = LIST_FIRST(head); \
		if (LIST_NEXT(elm, field) != NULL) \
			LIST_FIRST(head)->field.le_prev = &LIST_NEXT(elm, field); \
		LIST_FIRST(head) = (elm); \
		(elm)->field.le_prev = &LIST_FIRST(head); \
	} while (0)
#define LIST_INSERT_AFTER(at, elm, field) \
	do { \
		LIST_NEXT(elm, field) = LIST_NEXT(at, field); \
		if (LIST_NEXT(elm, field) != NULL) \
			LIST_NEXT(elm, field)->field.le_prev = &LIST_NEXT(elm, field); \
		LIST_NEXT(at, field) = (elm); \
		(elm)->field.le_prev = &LIST_NEXT(at, field); \
	} while (0)
#define LIST_INSERT_BEFORE(at, elm, field) \
	do { \
		LIST_NEXT(elm, field) = (at); \
		(elm)->field.le_prev = (at)->field.le_prev; \
		*(elm)->field.le_prev = (elm); \
		(at)->field.le_prev = &LIST_NEXT(elm, field); \
	} while (0)
#define LIST_REMOVE(elm, field) \
	do { \
		if (LIST_NEXT(elm, field) != NULL) \
			LIST_NEXT(elm, field)->field.le_prev = (elm)->field.le_prev; \
		*(elm)->field.le_prev = LIST_NEXT(elm, field); \
	} while (0)
#define LIST_SWAP(a, b, type, field) \
	do { \
		struct type *_first = LIST_FIRST(a); \
		LIST_FIRST(a) = LIST_FIRST(b); \
		LIST_FIRST(b) = _first; \
		if (!LIST_EMPTY(a)) \
			LIST_FIRST(a)->field.le_prev = &LIST_FIRST(a); \
		if (!LIST_EMPTY(b)) \
			LIST_FIRST(b)->field.le_prev = &LIST_FIRST(b); \
	} while (0)

/* TAILQ: a head is laid out as an entry is, so that tqh_last leads to the last element's links. */

#define TAILQ_HEAD(name, type) \
	struct name { \
		struct type *tqh_first; \
		struct type **tqh_last; \
	}
#define TAILQ_HEAD_INITIALIZER(head) { NULL, &(head).tqh_first }
#define TAILQ_ENTRY(type) \
	struct { \
		struct type *tqe_next; \
		struct type **tqe_prev; \
	}

#define TAILQ_FIRST(head) ((head)->tqh_first)
#define TAILQ_NEXT(elm, field) ((elm)->field.tqe_next)
#define TAILQ_EMPTY(head) (TAILQ_FIRST(head) == NULL)
#define TAILQ_LAST(head, headname) (*((struct headname *)(void *)(head)->tqh_last)->tqh_last)
#define TAILQ_PREV(elm, headname, field) \
	(*((struct headname *)(void *)(elm)->field.tqe_prev)->tqh_last)
#define TAILQ_INIT(head) \
	do { \
		TAILQ_FIRST(head) = NULL; \
		(head)->tqh_last = &TAILQ_FIRST(head); \
	} while (0)

#define TAILQ_FOREACH(var, head, field) \
	for ((var) = TAILQ_FIRST(head); (var) != NULL; (var) = TAILQ_NEXT(var, field))
#define TAILQ_FOREACH_SAFE(var, head, field, tmp) \
	for ((var) = TAILQ_FIRST(head); \
	     (var) != NULL && ((tmp) = TAILQ_NEXT(var, field), 1); (var) = (tmp))
#define TAILQ_FOREACH_REVERSE(var, head, headname, field) \
	for ((var) = TAILQ_LAST(head, headname); (var) != NULL; \
	     (var) = TAILQ_PREV(var, headname, field))
#define TAILQ_FOREACH_REVERSE_SAFE(var, head, headname, field, tmp) \
	for ((var) = TAILQ_LAST(head, headname); \
	     (var) != NULL && ((tmp) = TAILQ_PREV(var, headname, field), 1); (var) = (tmp))

#define TAILQ_INSERT_HEAD(head, elm, field) \
	do { \
		TAILQ_NEXT(elm, field) = TAILQ_FIRST(head); \
		if (TAILQ_NEXT(elm, field) != NULL) \
			TAILQ_FIRST(head)->field.tqe_prev = &TAILQ_NEXT(elm, field); \
		else \
			(head)->tqh_last = &TAILQ_NEXT(elm, field); \
		TAILQ_FIRST(head) = (elm); \
		(elm)->field.tqe_prev = &TAILQ_FIRST(head); \
	} while (0)
#define TAILQ_INSERT_TAIL(head, elm, field) \
	do { \
		TAILQ_NEXT(elm, field) = NULL; \
		(elm)->field.tqe_prev = (head)->tqh_last; \
		*(head)->tqh_last = (elm); \
		(head)->tqh_last = &TAILQ_NEXT(elm, field); \
	} while (0)
#define TAILQ_INSERT_AFTER(head, at, elm, field) \
	do { \
		TAILQ_NEXT(elm, field) = TAILQ_NEXT(at, field); \
		if (TAILQ_NEXT(elm, field) != NULL) \
			TAILQ_NEXT(elm, field)->field.tqe_prev = &TAILQ_NEXT(elm, field); \
		else \
			(head)->tqh_last = &TAILQ_NEXT(elm, field); \
		TAILQ_NEXT(at, field) = (elm); \
		(elm)->field.tqe_prev = &TAILQ_NEXT(at, field); \
	} while (0)
#define TAILQ_INSERT_BEFORE(at, elm, field) \
	do { \
		TAILQ_NEXT(elm, field) = (at); \
		(elm)->field.tqe_prev = (at)->field.tqe_prev; \
		*(elm)->field.tqe_prev = (elm); \
		(at)->field.tqe_prev = &TAILQ_NEXT(elm, field); \
	} while (0)
#define TAILQ_REMOVE(head, elm, field) \
	do { \
		if (TAILQ_NEXT(elm, field) != NULL) \
			TAILQ_NEXT(elm, field)->field.tqe_prev = (elm)->field.tqe_prev; \
		else \
			(head)->tqh_last = (elm)->field.tqe_prev; \
		*(elm)->field.tqe_prev = TAILQ_NEXT(elm, field); \
	} while (0)
/* Moves all of `from` to the end of `to`. */
#define TAILQ_CONCAT(to, from, field) \
	do { \
		if (!TAILQ_EMPTY(from)) { \
			*(to)->tqh_last = TAILQ_FIRST(from); \
			TAILQ_FIRST(from)->field.tqe_prev = (to)->tqh_last; \
			(to)->tqh_last = (from)->tqh_last; \
			TAILQ_INIT(from); \
		} \
	} while (0)
#define TAILQ_SWAP(a, b, type, field) \
	do { \
		struct type *_first = TAILQ_FIRST(a); \
		struct type **_last = (a)->tqh_last; \
		TAILQ_FIRST(a) = TAILQ_FIRST(b); \
		(a)->tqh_last = (b)->tqh_last; \
		TAILQ_FIRST(b) = _first; \
		(b)->tqh_last = _last; \
		if (!TAILQ_EMPTY(a)) \
			TAILQ_FIRST(a)->field.tqe_prev = &TAILQ_FIRST(a); \
		else \
			(a)->tqh_last = &TAILQ_FIRST(a); \
		if (!TAILQ_EMPTY(b)) \
			TAILQ_FIRST(b)->field.tqe_prev = &TAILQ_FIRST(b); \
		else \
			(b)->tqh_last = &TAILQ_FIRST(b); \
	} while (0)

/* CIRCLEQ: the ends point at the head itself. */

#define CIRCLEQ_HEAD(name, type) \
	struct name { \
		struct type *cqh_first; \
		struct type *cqh_last; \
	}
#define CIRCLEQ_ENTRY(type) \
	struct { \
		struct type *cqe_next; \
		struct type *cqe_prev; \
	}
#define CIRCLEQ_HEAD_INITIALIZER(head) { (void *)&(head), (void *)&(head) }

#define CIRCLEQ_FIRST(head) ((head)->cqh_first)
#define CIRCLEQ_LAST(head) ((head)->cqh_last)
#define CIRCLEQ_NEXT(elm, field) ((elm)->field.cqe_next)
#define CIRCLEQ_PREV(elm, field) ((elm)->field.cqe_prev)
#define CIRCLEQ_EMPTY(head) ((void *)CIRCLEQ_FIRST(head) == (void *)(head))
#define CIRCLEQ_INIT(head) \
	do { \
		CIRCLEQ_FIRST(head) = (__typeof__(CIRCLEQ_FIRST(head)))(void *)(head); \
		CIRCLEQ_LAST(head) = (__typeof__(CIRCLEQ_LAST(head)))(void *)(head); \
	} while (0)

#define CIRCLEQ_FOREACH(var, head, field) \
	for ((var) = CIRCLEQ_FIRST(head); (void *)(var) != (void *)(head); \
	     (var) = CIRCLEQ_NEXT(var, field))
#define CIRCLEQ_FOREACH_REVERSE(var, head, field) \
	for ((var) = CIRCLEQ_LAST(head); (void *)(var) != (void *)(head); \
	     (var) = CIRCLEQ_PREV(var, field))
#define CIRCLEQ_FOREACH_SAFE(var, head, field, tmp) \
	for ((var) = CIRCLEQ_FIRST(head); \
	     (void *)(var) != (void *)(head) && ((tmp) = CIRCLEQ_NEXT(var, field), 1); \
	     (var) = (tmp))

#define CIRCLEQ_INSERT_AFTER(head, at, elm, field) \
	do { \
		CIRCLEQ_NEXT(elm, field) = CIRCLEQ_NEXT(at, field); \
		CIRCLEQ_PREV(elm, field) = (at); \
		if ((void *)CIRCLEQ_NEXT(at, field) == (void *)(head)) \
			CIRCLEQ_LAST(head) = (elm); \
		else \
			CIRCLEQ_PREV(CIRCLEQ_NEXT(at, field), field) = (elm); \
		CIRCLEQ_NEXT(at, field) = (elm); \
	} while (0)
#define CIRCLEQ_INSERT_BEFORE(head, at, elm, field) \
	do { \
		CIRCLEQ_NEXT(elm, field) = (at); \
		CIRCLEQ_PREV(elm, field) = CIRCLEQ_PREV(at, field); \
		if ((void *)CIRCLEQ_PREV(at, field) == (void *)(head)) \
			CIRCLEQ_FIRST(head) = (elm); \
		else \
			CIRCLEQ_NEXT(CIRCLEQ_PREV(at, field), field) = (elm); \
		CIRCLEQ_PREV(at, field) = (elm); \
	} while (0)
#define CIRCLEQ_INSERT_HEAD(head, elm, field) \
	do { \
		CIRCLEQ_NEXT(elm, field) = CIRCLEQ_FIRST(head); \
		CIRCLEQ_PREV(elm, field) = (__typeof__(elm))(void *)(head); \
		if (CIRCLEQ_EMPTY(head)) \
			CIRCLEQ_LAST(head) = (elm); \
		else \
			CIRCLEQ_PREV(CIRCLEQ_FIRST(head), field) = (elm); \
		CIRCLEQ_FIRST(head) = (elm); \
	} while (0)
#define CIRCLEQ_INSERT_TAIL(head, elm, field) \
	do { \
		CIRCLEQ_NEXT(elm, field) = (__typeof__(elm))(void *)(head); \
		CIRCLEQ_PREV(elm, field) = CIRCLEQ_LAST(head); \
		if (CIRCLEQ_EMPTY(head)) \
			CIRCLEQ_FIRST(head) = (elm); \
		else \
			CIRCLEQ_NEXT(CIRCLEQ_LAST(head), field) = (elm); \
		CIRCLEQ_LAST(head) = (elm); \
	} while (0)
#define CIRCLEQ_REMOVE(head, elm, field) \
	do { \
		if ((void *)CIRCLEQ_NEXT(elm, field) == (void *)(head)) \
			CIRCLEQ_LAST(head) = CIRCLEQ_PREV(elm, field); \
		else \
			CIRCLEQ_PREV(CIRCLEQ_NEXT(elm, field), field) = CIRCLEQ_PREV(elm, field); \
		if ((void *)CIRCLEQ_PREV(elm, field) == (void *)(head)) \
			CIRCLEQ_FIRST(head) = CIRCLEQ_NEXT(elm, field); \
		else \
			CIRCLEQ_NEXT(CIRCLEQ_PREV(elm, field), field) = CIRCLEQ_NEXT(elm, field); \
	} while (0)

/* The oldest kind, untyped: insque and remque. */
#include <sys/_insque.h>

#endif
