/*
 * Inside kernel control: shared by kern_control.c (controllers), kern_control_socket.c (clients) and
 * sys_domain.c.
 */
#ifndef NKE_KERN_KERN_CONTROL_PRIVATE_H
#define NKE_KERN_KERN_CONTROL_PRIVATE_H

#include "src/kern/kern_control.h"
#include "src/kern/ledger.h"
#include "src/kern/protosw.h"

struct inside;

#define KCTL_SENDSIZE	2048u		/* of a controller that says 0 */
#define KCTL_RECVSIZE	8192u
#define KCTL_UNIT_MAX	65535u		/* the highest that is chosen for a client */

TAILQ_HEAD(kctl_list, kctl);
TAILQ_HEAD(kctl_clients, kctl_client);

/* A controller. It stays while it has clients, also while callbacks run: ctl_deregister is EBUSY then. */
struct kctl {
	TAILQ_ENTRY(kctl) link;		/* of all, by id */
	kern_ctl_ref ref;		/* its slot and a number that no other had */
	struct kern_ctl_reg reg;	/* as registered; id and sizes are the real ones */
	struct kctl_clients clients;	/* by unit */
	struct kctl_client *recent;	/* the one that was looked for last, NULL none */
	uint32_t client_count;
	struct kext *owner;
	struct ledger_entry ledger;
};

/* A client: the protocol control block of its socket. */
struct kctl_client {
	TAILQ_ENTRY(kctl_client) link;	/* of its controller */
	struct socket *so;
	struct kctl *kctl;		/* NULL: it has no unit */
	struct sockaddr_ctl sac;	/* id and unit */
	void *unitinfo;
	struct inside *inside;		/* callbacks that have not returned */
	bool told;			/* ctl_connect was called: ctl_disconnect is due */
	bool ending;			/* no callback is begun any more */
	bool deferred;			/* the end comes with the return of the last callback */
	bool orphan;			/* its socket has gone: freed with its end */
};

struct kctl_state {
	struct kctl_list list;
	struct kctl **slots;		/* `size` of them, NULL: free */
	uint32_t size, count;
	uint64_t generation;		/* of the newest controller */
};

/* ---- kern_control.c ----------------------------------------------------------------------- */

errno_t kctl_init(struct nke *);
void kctl_fini(struct nke *);
/* Who a client means: the unit counts only for a controller that has one of its own. */
struct kctl *kctl_find_id(struct nke *, uint32_t id, uint32_t unit);
/* NULL: no such unit. */
struct kctl_client *kctl_find_unit(struct kctl *, uint32_t unit);
/* CTLIOCGCOUNT, CTLIOCGINFO. ENOTSUP, or EOPNOTSUPP for what is the interfaces'. */
errno_t kctl_ioctl(struct socket *, unsigned long command, void *data);

/* ---- kern_control_socket.c ---------------------------------------------------------------- */

extern const struct protosw kctl_dgram_proto, kctl_stream_proto;
/* Takes the client off its controller without a call. False: a callback is running. */
bool kctl_cut_off(struct kctl_client *);

#endif
