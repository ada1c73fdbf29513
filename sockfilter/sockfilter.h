/*
 * The socket filter engine: filters that kexts have registered, and where each is attached.
 *
 * Callers: the socket layer through struct so_filter_ops (src/kern/so_filter.h), the KPI
 * (kpi/kpi_socketfilter.c), reports (kpi/filter_report.c).
 *
 * A registered filter is a struct sflt, found by its handle. It lives until it is unregistered and its last
 * attachment is gone; then comes sf_unregistered, the last call of it. An attachment is a struct so_filter,
 * linked to its socket, the newest first, and to its filter. Whoever calls it, or stands at it in a walk,
 * is counted in `users`. Detaching only takes the mark `attached` away: no new callback begins. When the
 * last user has left, the attachment goes to the machine's cleanup, a soft interrupt: sf_detach, out of the
 * lists. A socket whose last reference goes detaches what it has at once, in that thread.
 *
 * Kexts cannot be told apart from others by the engine once they are gone: at the end of a machine all
 * filters are forgotten without a call, before its sockets are closed.
 */
#ifndef NKE_SOCKFILTER_H
#define NKE_SOCKFILTER_H

#include <sys/kpi_socketfilter.h>

#include "src/kern/filter_counters.h"
#include "src/kern/ledger.h"
#include "src/kern/sched.h"
#include "src/kern/socket_private.h"

/* An object of the ledger: a registered filter, or an attachment of it. */
struct sflt_held {
	struct ledger_entry ledger;
	const struct sflt *filter;
	const struct so_filter *at;	/* NULL: the filter itself */
};

/* A filter that was registered. */
struct sflt {
	TAILQ_ENTRY(sflt) link;		/* of the registered ones, while `registered` */
	TAILQ_ENTRY(sflt) of_protocol;	/* SFLT_GLOBAL: of those that new sockets get, the same */
	struct sflt_filter f;		/* without the extension its functions are NULL */
	struct pr_registration *protocol;
	uint32_t serial;		/* of its registration, from 1 */
	bool registered;
	uint32_t references;		/* being registered is one, each attachment one */
	struct kext *owner;
	LIST_HEAD(, so_filter) attachments;
	struct filter_counters counters;	/* of data */
	struct sflt_held held;
};

/* A filter on a socket. */
struct so_filter {
	struct so_filter *next;		/* of the socket: attached before this one */
	LIST_ENTRY(so_filter) of_filter;
	TAILQ_ENTRY(so_filter) in_cleanup;	/* while `leaving` */
	struct socket *so;
	struct sflt *filter;
	void *cookie;
	uint32_t users;			/* who calls it, or stands at it */
	bool attached;			/* may be called */
	bool joined;			/* sf_attach returned 0: sf_detach is due */
	bool leaving;			/* waits for the cleanup */
	struct sflt_held held;
};

struct sflt_state {
	TAILQ_HEAD(, sflt) registered;	/* oldest first */
	TAILQ_HEAD(, so_filter) leaving;	/* nobody uses them any more */
	struct softintr cleanup;
	uint32_t serial;		/* of the last registration */
};

/* ---- registered filters (sflt_registry.c) ------------------------------------------------- */

/*
 * ENOTSUP: neither PF_INET nor PF_INET6; ENOENT: no such protocol; EINVAL: handle 0, no name, no sf_attach
 * or sf_detach; ENOBUFS; EEXIST. `pc`: for the ledger.
 */
errno_t sflt_add(struct nke *, const struct sflt_filter *, int domain, int type, int protocol, void *pc);
/* ENOENT. Its attachments go later. */
errno_t sflt_remove(struct nke *, sflt_handle);
/* NULL: nobody is registered by that handle. */
struct sflt *sflt_find(const struct nke *, sflt_handle);
void sflt_retain(struct sflt *);
/* The last reference calls sf_unregistered, and the filter is gone. */
void sflt_release(struct nke *, struct sflt *);

/* ---- attachments (sflt_attach.c) ---------------------------------------------------------- */

/*
 * The filter on one more socket, which the caller holds. EEXIST: the newest filter there has the same handle
 * (Interface fact: others are not looked at); EINVAL: the socket ends; ENOMEM; sf_attach's error. `locked`:
 * as so_attach_filters has it. `pc`: who asked for it, NULL: the filter's being global.
 */
errno_t sflt_join(struct socket *, struct sflt *, const struct socket *locked, void *pc);
/* No callback begins from now on; sf_detach comes when the last has returned. */
void sflt_part(struct so_filter *);
/* Nobody uses a filter that is detached: it goes. */
void sflt_left(struct so_filter *);
/* Every filter of a socket goes now. */
void sflt_end_socket(struct socket *);
/* The cleanup's work, at once. */
void sflt_clean_up(struct nke *);
/* Without a call: the machine ends. */
void sflt_forget(struct nke *, struct so_filter *);

static inline void
sflt_enter(struct so_filter *e)
{
	e->users++;
}

/* One user less: the last one of a detached filter sees to its end. */
static inline void
sflt_leave(struct so_filter *e)
{
	if (--e->users == 0 && __builtin_expect(!e->attached, 0))
		sflt_left(e);
}

/* ---- callbacks (sflt_hooks.c, sflt_data.c) ------------------------------------------------- */

extern const struct so_filter_ops sflt_ops;

/* The functions of a filter are pointers of many types, but all of them pointers to functions. */
static inline bool
sflt_has(const struct so_filter *e, size_t callback)
{
	void (*fn)(void);

	__builtin_memcpy(&fn, (const char *)&e->filter->f + callback, sizeof fn);
	return fn != NULL;
}

/*
 * A walk: the next filter behind `from` (NULL: from the newest on) that is attached and has the function at
 * `callback` of struct sflt_filter; NULL none. It is in use until the walk has gone on or is left by
 * sflt_leave().
 */
static inline struct so_filter *
sflt_next(struct socket *so, struct so_filter *from, size_t callback)
{
	struct so_filter *e = from != NULL ? from->next : so->so_filters;

	while (e != NULL && !(e->attached && sflt_has(e, callback)))
		e = e->next;
	if (e != NULL)
		sflt_enter(e);
	if (from != NULL)
		sflt_leave(from);
	return e;
}
#define SFLT_FOREACH(e, so, callback)							\
	for ((e) = sflt_next((so), NULL, offsetof(struct sflt_filter, callback)); (e) != NULL;	\
	    (e) = sflt_next((so), (e), offsetof(struct sflt_filter, callback)))

void sflt_notify(struct socket *, sflt_event_t, void *param);
/* The same for all but the filters of that handle. */
void sflt_notify_others(struct socket *, sflt_event_t, sflt_handle except);
errno_t sflt_data_in(struct socket *, const struct sockaddr *from, struct mbuf **data,
    struct mbuf **control, sflt_data_flag_t);
errno_t sflt_data_out(struct socket *, const struct sockaddr *to, struct mbuf **data,
    struct mbuf **control, sflt_data_flag_t);

/* ---- injection (sflt_inject.c) ------------------------------------------------------------ */

/* EINVAL: no data; ENOTSUP: out of band. Then nothing is consumed, else everything. */
errno_t sflt_inject_in(struct socket *, const struct sockaddr *from, struct mbuf *data,
    struct mbuf *control, sflt_data_flag_t);
/* sosend's. Always consumes. */
errno_t sflt_inject_out(struct socket *, const struct sockaddr *to, struct mbuf *data,
    struct mbuf *control, sflt_data_flag_t);

#endif
