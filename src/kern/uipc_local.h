/*
 * Inside PF_LOCAL: shared by uipc_usrreq.c (sockets and their names) and uipc_rights.c (descriptors in
 * messages).
 */
#ifndef NKE_KERN_UIPC_LOCAL_H
#define NKE_KERN_UIPC_LOCAL_H

#include <sys/un.h>

#include "src/kern/sched.h"
#include "src/kern/socket_private.h"

LIST_HEAD(unpcb_list, unpcb);

struct unpcb {
	struct socket *unp_socket;
	struct unpcb *unp_conn;		/* the peer; NULL none */
	struct unpcb_list unp_refs;	/* datagram sockets that have this one as their peer */
	LIST_ENTRY(unpcb) unp_reflink;	/* of the peer's unp_refs */
	struct sockaddr_un unp_addr;	/* sun_len 0: no name */
	bool unp_named;			/* in the table of names: an accepted socket has a name and is not */
	LIST_ENTRY(unpcb) unp_name;
	bool unp_has_peer;		/* it was connected: the two below say by or to whom */
	uid_t unp_peer_uid;
	pid_t unp_peer_pid;
	LIST_ENTRY(unpcb) unp_link;	/* of all, or of those that are garbage */
	struct unpcb *unp_next_reached;	/* the collector's work list */
	uint32_t unp_reached;		/* the collection that found it to be in use */
};

struct local_state {
	struct unpcb_list *names;	/* `buckets` of them, a power of two */
	unsigned buckets;
	unsigned named;
	struct unpcb_list all, garbage;
	int stream_sendspace, stream_recvspace, dgram_maxdgram, dgram_recvspace;	/* net.local.* */
	int inflight;			/* descriptors in messages */
	uint32_t collection;		/* counts the collector's runs */
	struct softintr collector;
	struct socket_list given_up;	/* sockets of messages that went unread, to be closed */
	bool giving_up;
};

/* ---- uipc_rights.c ------------------------------------------------------------------------ */

/*
 * A sender's control message: descriptors become sockets, which are counted. The result replaces the
 * argument, which is consumed in every case. EINVAL: malformed, or something else than rights; EBADF;
 * ENOBUFS.
 */
errno_t unp_internalize(struct nke *, struct mbuf *control, struct mbuf **out);
errno_t unp_externalize(struct socket *, struct mbuf *control);
void unp_dispose(struct nke *, struct mbuf *control);
/* The chain, which unp_internalize made, goes undelivered. NULL is fine. */
void unp_free_control(struct nke *, struct mbuf *control);
/* A socket's last descriptor outside messages has gone: soon looks for what nobody can reach any more. */
void unp_collect_soon(struct nke *);
void unp_collect(void *machine);

#endif
