/* What UDP keeps in a machine, and what its files share. Seen by src/netinet/udp_*.c and the tests. */
#ifndef NKE_NETINET_UDP_PRIVATE_H
#define NKE_NETINET_UDP_PRIVATE_H

#include <netinet/udp.h>
#include <netinet/udp_var.h>

#include "src/netinet/in_pcb.h"
#include "src/netinet/in_subr.h"

#define UDP_HLEN	((int)sizeof(struct udphdr))

/* Defaults of net.inet.udp.maxdgram and recvspace. */
#define UDP_MAXDGRAM	9216
#define UDP_RECVSPACE	786896

struct udp_state {
	struct inpcbinfo pcbs;
	struct udpstat stat;
	uint32_t serial;		/* of datagrams for several sockets */
	int checksum;			/* net.inet.udp.checksum: 0 sends none over IPv4 */
	int maxdgram;
	int recvspace;
	int blackhole;			/* no answer when nobody listens: 1 to others, 2 to anybody */
	int log_in_vain;
};

struct udpstat *udp_statistics(struct nke *);

/* ---- udp_output.c ------------------------------------------------------------------------- */

errno_t udp_send(struct socket *, int flags, struct mbuf *, const struct sockaddr *to,
    struct mbuf *control);

/* ---- udp_input.c -------------------------------------------------------------------------- */

extern const struct ip_transport udp_transport, udp6_transport;

/* ---- udp_usrreq.c ------------------------------------------------------------------------- */

extern const struct pr_usrreqs udp_usrreqs;
errno_t udp_ctloutput(struct socket *, struct sockopt *);

#endif
