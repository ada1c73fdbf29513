/*
 * Mach's queues: rings of a head and the elements' links, both of the same type.
 *
 *   enqueue, dequeue, remqueue, insque, qe_   the links point at links; an element is found from its link.
 *   queue_enter, queue_remove, queue_iterate  the links point at elements (or the head), which the macros
 *                                             convert to `type`, a pointer type; `field` is the link.
 *
 * A ring must be used in one of the two ways only. Nothing here allocates or locks.
 */
#ifndef _KERN_QUEUE_H_
#define _KERN_QUEUE_H_

#include <sys/cdefs.h>
#include <sys/_types/_null.h>
#include <sys/_types/_offsetof.h>
#include <sys/_insque.h>
#include <mach/mach_types.h>
#include <kern/assert.h>

struct queue_entry {
	struct queue_entry *next;
	struct queue_entry *prev;
};
typedef struct queue_entry *queue_t;
typedef struct queue_entry queue_head_t;
typedef struct queue_entry queue_chain_t;
typedef struct queue_entry *queue_entry_t;

#define QUEUE_HEAD_INITIALIZER(name) { &name, &name }

#define queue_first(q) ((q)->next)
#define queue_last(q) ((q)->prev)
#define queue_next(qc) ((qc)->next)
#define queue_prev(qc) ((qc)->prev)
#define queue_end(q, qe) ((q) == (qe))
#define queue_empty(q) queue_end((q), queue_first(q))
#define queue_init(q) \
	do { \
		(q)->next = (q); \
		(q)->prev = (q); \
	} while (0)

/* ---- links that point at links ------------------------------------------------------------ */

static __inline__ void
remqueue(queue_entry_t elt)
{
	elt->next->prev = elt->prev;
	elt->prev->next = elt->next;
	elt->next = NULL;
	elt->prev = NULL;
}

static __inline__ void
enqueue_head(queue_t que, queue_entry_t elt)
{
	insque(elt, que);
}

static __inline__ void
enqueue_tail(queue_t que, queue_entry_t elt)
{
	insque(elt, que->prev);
}

/* NULL: there is none. */
static __inline__ queue_entry_t
dequeue_head(queue_t que)
{
	queue_entry_t elt = que->next;

	if (elt == que)
		return NULL;
	remqueue(elt);
	return elt;
}

static __inline__ queue_entry_t
dequeue_tail(queue_t que)
{
	queue_entry_t elt = que->prev;

	if (elt == que)
		return NULL;
	remqueue(elt);
	return elt;
}

#define enqueue(queue, elt) enqueue_tail(queue, elt)
#define dequeue(queue) dequeue_head(queue)

/* The element of that link; NULL for NULL where a queue may be empty. */
#define qe_element(qe, type, field) ((type *)(void *)((char *)(qe) - __offsetof(type, field)))
#define _qe_or_null(qe, type, field) \
	({ \
		queue_entry_t _qe = (qe); \
		_qe != NULL ? qe_element(_qe, type, field) : (type *)NULL; \
	})
#define qe_dequeue_head(q, type, field) _qe_or_null(dequeue_head(q), type, field)
#define qe_dequeue_tail(q, type, field) _qe_or_null(dequeue_tail(q), type, field)
#define qe_queue_first(q, type, field) \
	(queue_empty(q) ? (type *)NULL : qe_element(queue_first(q), type, field))
#define qe_queue_last(q, type, field) \
	(queue_empty(q) ? (type *)NULL : qe_element(queue_last(q), type, field))
#define qe_queue_next(q, elt, type, field) \
	(queue_end(q, (elt)->field.next) ? (type *)NULL : qe_element((elt)->field.next, type, field))
#define qe_queue_prev(q, elt, type, field) \
	(queue_end(q, (elt)->field.prev) ? (type *)NULL : qe_element((elt)->field.prev, type, field))

/* The _safe walks read the next link before the body runs, so that the body may remove this one. */
#define qe_foreach(qe, head) for ((qe) = (head)->next; (qe) != (head); (qe) = (qe)->next)
#define qe_foreach_safe(qe, head) \
	for (queue_entry_t _next = ((qe) = (head)->next)->next; (qe) != (head); \
	     (qe) = _next, _next = (qe)->next)
#define qe_foreach_element(elt, head, field) \
	for ((elt) = qe_element((head)->next, __typeof__(*(elt)), field); &(elt)->field != (head); \
	     (elt) = qe_element((elt)->field.next, __typeof__(*(elt)), field))
#define qe_foreach_element_safe(elt, head, field) \
	for (queue_entry_t _link = (head)->next, _next = _link->next; \
	     _link != (head) && ((elt) = qe_element(_link, __typeof__(*(elt)), field), 1); \
	     _link = _next, _next = _link->next)

/* ---- links that point at elements --------------------------------------------------------- */

/* The link of what a link points at: the head itself, or an element's. */
#define queue_field(head, thing, type, field) \
	(queue_end((head), (thing)) ? (head) : &((type)(void *)(thing))->field)

#define _queue_put(head, elt, before, after, type, field) \
	do { \
		queue_entry_t _before = (before), _after = (after), _new = (queue_entry_t)(void *)(elt); \
		(elt)->field.prev = _before; \
		(elt)->field.next = _after; \
		queue_field(head, _before, type, field)->next = _new; \
		queue_field(head, _after, type, field)->prev = _new; \
	} while (0)
#define queue_enter(head, elt, type, field) _queue_put(head, elt, (head)->prev, head, type, field)
#define queue_enter_first(head, elt, type, field) _queue_put(head, elt, head, (head)->next, type, field)
/* `cur` may be the head: the new one becomes the last (before) or the first (after). */
#define queue_insert_before(head, elt, cur, type, field) \
	_queue_put(head, elt, queue_field(head, (queue_entry_t)(void *)(cur), type, field)->prev, \
	    (queue_entry_t)(void *)(cur), type, field)
#define queue_insert_after(head, elt, cur, type, field) \
	_queue_put(head, elt, (queue_entry_t)(void *)(cur), \
	    queue_field(head, (queue_entry_t)(void *)(cur), type, field)->next, type, field)

#define queue_remove(head, elt, type, field) \
	do { \
		queue_entry_t _before = (elt)->field.prev, _after = (elt)->field.next; \
		queue_field(head, _before, type, field)->next = _after; \
		queue_field(head, _after, type, field)->prev = _before; \
		(elt)->field.next = NULL; \
		(elt)->field.prev = NULL; \
	} while (0)
/* The queue must not be empty. */
#define queue_remove_first(head, entry, type, field) \
	do { \
		(entry) = (type)(void *)(head)->next; \
		queue_remove(head, entry, type, field); \
	} while (0)
#define queue_remove_last(head, entry, type, field) \
	do { \
		(entry) = (type)(void *)(head)->prev; \
		queue_remove(head, entry, type, field); \
	} while (0)

#define queue_assign(to, from, type, field) \
	do { \
		((type)(void *)(from)->prev)->field.next = (to); \
		((type)(void *)(from)->next)->field.prev = (to); \
		*(to) = *(from); \
	} while (0)
#define queue_new_head(old, new, type, field) \
	do { \
		if (queue_empty(old)) \
			queue_init(new); \
		else \
			queue_assign(new, old, type, field); \
	} while (0)

#define queue_iterate(head, elt, type, field) \
	for ((elt) = (type)(void *)queue_first(head); !queue_end((head), (queue_entry_t)(void *)(elt)); \
	     (elt) = (type)(void *)queue_next(&(elt)->field))

#endif
