/*
 * UDP's sockets (RFC 768): what the socket layer asks, options, sysctl variables, life.
 *
 * State: machine->udp. Way in: udp_input.c; way out: udp_output.c. No timers.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_bounded.h"
#include "src/netinet/udp_private.h"

/* ---- requests ----------------------------------------------------------------------------- */

static errno_t
udp_attach(struct socket *so, int protocol)
{
	struct udp_state *s = so->so_machine->udp;
	errno_t error;

	(void)protocol;
	if (so->so_pcb != NULL)
		return EINVAL;
	error = soreserve(so, (uint32_t)s->maxdgram, (uint32_t)s->recvspace);
	return error != 0 ? error : in_pcballoc(so, &s->pcbs);
}

static void
udp_detach(struct socket *so)
{
	if (sotoinpcb(so) != NULL)
		in_pcbdetach(sotoinpcb(so));
}

static void
udp_abort(struct socket *so)
{
	soisdisconnected(so);
	udp_detach(so);
}

static errno_t
udp_bind(struct socket *so, const struct sockaddr *sa)
{
	return sotoinpcb(so) != NULL ? in_pcbbind(sotoinpcb(so), sa) : EINVAL;
}

static errno_t
udp_connect(struct socket *so, const struct sockaddr *sa)
{
	struct inpcb *inp = sotoinpcb(so);
	errno_t error;

	if (inp == NULL)
		return EINVAL;
	if (inp->inp_fport != 0)
		return EISCONN;
	error = in_pcbconnect(inp, sa);
	/* A filter that is told of the port may close the socket. */
	if (error == 0 && sotoinpcb(so) == NULL)
		error = EINVAL;
	if (error == 0)
		soisconnected(so);
	return error;
}

static errno_t
udp_disconnect(struct socket *so)
{
	struct inpcb *inp = sotoinpcb(so);

	if (inp == NULL)
		return EINVAL;
	if (inp->inp_fport == 0)
		return ENOTCONN;
	in_pcbdisconnect(inp);
	so->so_state &= (uint16_t)~SS_ISCONNECTED;
	return 0;
}

static errno_t
udp_shutdown(struct socket *so)
{
	if (sotoinpcb(so) == NULL)
		return EINVAL;
	socantsendmore(so);
	return 0;
}

const struct pr_usrreqs udp_usrreqs = {
	.pru_attach = udp_attach,
	.pru_detach = udp_detach,
	.pru_abort = udp_abort,
	.pru_bind = udp_bind,
	.pru_connect = udp_connect,
	.pru_disconnect = udp_disconnect,
	.pru_shutdown = udp_shutdown,
	.pru_send = udp_send,
	.pru_sockaddr = in_pcbsockaddr,
	.pru_peeraddr = in_pcbpeeraddr
};

errno_t
udp_ctloutput(struct socket *so, struct sockopt *sopt)
{
	struct inpcb *inp = sotoinpcb(so);
	errno_t error;
	int value;

	if (sopt->sopt_level != IPPROTO_UDP)
		return in_ctloutput(so, sopt);
	if (inp == NULL)
		return EINVAL;
	if (sopt->sopt_name != UDP_NOCKSUM)
		return ENOPROTOOPT;
	if (sopt->sopt_dir == SOPT_GET)
		return sooptcopyout_int(sopt, (inp->inp_flags & INP_NOCKSUM) != 0);
	error = sooptcopyin_int(sopt, &value);
	if (error != 0)
		return error;
	inp->inp_flags = value != 0 ? inp->inp_flags | INP_NOCKSUM :
	    inp->inp_flags & ~(uint32_t)INP_NOCKSUM;
	return 0;
}

/* ---- life --------------------------------------------------------------------------------- */

struct udpstat *
udp_statistics(struct nke *machine)
{
	return &machine->udp->stat;
}

static const struct sysctl_bounded variables[] = {
	{UDPCTL_CHECKSUM, "checksum", offsetof(struct udp_state, checksum), 0, 1},
	{UDPCTL_MAXDGRAM, "maxdgram", offsetof(struct udp_state, maxdgram), 1, IP_MAXPACKET},
	{UDPCTL_RECVSPACE, "recvspace", offsetof(struct udp_state, recvspace), 1, INT32_MAX},
	{OID_AUTO, "blackhole", offsetof(struct udp_state, blackhole), 0, 2},
	{OID_AUTO, "log_in_vain", offsetof(struct udp_state, log_in_vain), 0, 1},
	{.name = NULL}
};

/* arg1: the machine. Writing starts the counters anew. */
static int
handle_stats SYSCTL_HANDLER_ARGS
{
	struct udpstat *st = udp_statistics(arg1);
	int error = SYSCTL_OUT(req, st, sizeof *st);

	(void)oidp;
	(void)arg2;
	return error != 0 || req->newptr == 0 ? error : SYSCTL_IN(req, st, sizeof *st);
}

static int
handle_pcbcount SYSCTL_HANDLER_ARGS
{
	const struct nke *machine = arg1;
	int count = (int)machine->udp->pcbs.count;

	(void)oidp;
	(void)arg2;
	return SYSCTL_OUT(req, &count, sizeof count);
}

static errno_t
add_variables(struct nke *machine, struct udp_state *s)
{
	struct sysctl_oid_list *parent = &sysctl__net_inet_udp_children;
	errno_t error = sysctl_add_bounded(machine, parent, variables, s);

	if (error == 0)
		error = sysctl_add(machine, parent, UDPCTL_STATS, "stats", CTLTYPE_STRUCT | CTLFLAG_RW,
		    machine, 0, handle_stats, "S,udpstat");
	if (error == 0)
		error = sysctl_add(machine, parent, OID_AUTO, "pcbcount", CTLTYPE_INT | CTLFLAG_RD,
		    machine, 0, handle_pcbcount, "I");
	return error;
}

static const struct protosw udp_proto = {
	.pr_type = SOCK_DGRAM,
	.pr_protocol = IPPROTO_UDP,
	.pr_flags = PR_ATOMIC | PR_ADDR,
	.pr_sndspace = UDP_MAXDGRAM,
	.pr_rcvspace = UDP_RECVSPACE,
	.pr_usrreqs = &udp_usrreqs,
	.pr_ctloutput = udp_ctloutput
};

static errno_t
udp_init(struct nke *machine)
{
	struct udp_state *s = kalloc(machine, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	s->checksum = 1;
	s->maxdgram = UDP_MAXDGRAM;
	s->recvspace = UDP_RECVSPACE;
	error = in_pcbinfo_init(machine, &s->pcbs, IPPROTO_UDP);
	if (error == 0)
		error = add_variables(machine, s);
	if (error == 0)
		error = net_add_proto(machine, PF_INET, &udp_proto);
	if (error == 0)
		error = net_add_proto(machine, PF_INET6, &udp_proto);
	if (error != 0) {
		if (s->pcbs.hash != NULL)
			in_pcbinfo_fini(&s->pcbs);
		kfree(machine, s);
		return error;
	}
	machine->udp = s;
	ip_set_transport(machine, AF_INET, IPPROTO_UDP, &udp_transport);
	ip_set_transport(machine, AF_INET6, IPPROTO_UDP, &udp6_transport);
	return 0;
}

/* The sockets that are left lose their protocol: what it holds belongs to other subsystems. */
static void
udp_quiesce(struct nke *machine)
{
	ip_set_transport(machine, AF_INET, IPPROTO_UDP, NULL);
	ip_set_transport(machine, AF_INET6, IPPROTO_UDP, NULL);
	in_pcbinfo_empty(&machine->udp->pcbs);
}

static void
udp_fini(struct nke *machine)
{
	in_pcbinfo_fini(&machine->udp->pcbs);
	kfree(machine, machine->udp);
	machine->udp = NULL;
}

extern const struct subsystem udp_subsystem;
const struct subsystem udp_subsystem = {
	.name = "udp", .init = udp_init, .quiesce = udp_quiesce, .fini = udp_fini
};
