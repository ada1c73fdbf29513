/*
 * The kernel event engine: numbers an event, puts its vectors together and hands the record to
 * whoever listens. Event sockets are listeners; so may be parts of the core. Posting for kexts is
 * in kpi/kern_event.c.
 */
#ifndef NKE_KERN_KERN_EVENT_H
#define NKE_KERN_KERN_EVENT_H

#include <sys/kern_event.h>

#include "src/kern/machine.h"

/* Header and data together: what fits the mbuf it travels in. */
#define KEV_MAX_SIZE	224

/*
 * Someone who listens; embedded in its owner, who fills `filter`, `event` and `arg`. The filter
 * may be changed at any time; vendor KEV_NOTHING hears nothing.
 */
#define KEV_NOTHING	0xffffffffu

struct kev_listener {
	TAILQ_ENTRY(kev_listener) link;
	struct kev_request filter;
	/*
	 * Called in the poster's thread with the whole record (msg->total_size bytes, gone when
	 * it returns). May unlisten itself or others. ENOMEM ends the delivery; any other result
	 * is ignored.
	 */
	errno_t (*event)(void *arg, const struct kern_event_msg *msg);
	void *arg;
};

/* The newest listener hears first. */
void kev_listen(struct nke *, struct kev_listener *);
/* It is not called any more, not even by a delivery that is under way. */
void kev_unlisten(struct nke *, struct kev_listener *);
/*
 * Posts an event of any vendor, Apple's own included. EMSGSIZE: more than 200 bytes of data,
 * nothing happened. ENOMEM: not all listeners heard it.
 */
errno_t kev_post(struct nke *, const struct kev_msg *);
/* The number of the event that was posted last, 0 none. */
uint32_t kev_last_id(const struct nke *);

#endif
