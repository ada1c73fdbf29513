/*
 * Socket options of level SOL_SOCKET, and ioctls. Options of other levels go to the protocol.
 *
 * Values are kernel memory, already copied in; a table says how each option is kept. Errors are BSD's:
 * EINVAL for a value that is too short or out of range, ENOPROTOOPT for a name that nobody knows, EDOM for a
 * time that is none, ENOBUFS for a buffer above kern.ipc.maxsockbuf.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "src/kern/klog.h"
#include "src/kern/so_filter.h"
#include "src/kern/socket_private.h"

#define NS_PER_S	UINT64_C(1000000000)
#define NS_PER_US	UINT64_C(1000)
/* The longest time limit that can be told in nanoseconds with room to spare. */
#define TIMEO_MOST_S	INT64_C(4000000000)

/* Bits of so_options that a program may set; the others can only be read. */
#define SETTABLE_BITS	(SO_DEBUG | SO_REUSEADDR | SO_KEEPALIVE | SO_DONTROUTE | SO_BROADCAST | \
			 SO_USELOOPBACK | SO_OOBINLINE | SO_REUSEPORT | SO_TIMESTAMP | \
			 SO_TIMESTAMP_MONOTONIC | SO_DONTTRUNC | SO_WANTMORE | SO_WANTOOBFLAG)
#define READABLE_BITS	(SETTABLE_BITS | SO_ACCEPTCONN)

/* Options that are a bit of so_flags. */
static const struct {
	int name;
	uint32_t flag;
} flag_options[] = {
	{SO_NOSIGPIPE, SOF_NOSIGPIPE},
	{SO_NOADDRERR, SOF_NOADDRAVAIL},
	{SO_REUSESHAREUID, SOF_REUSESHAREUID},
	{SO_NOTIFYCONFLICT, SOF_NOTIFYCONFLICT},
	{SO_UPCALLCLOSEWAIT, SOF_UPCALLCLOSEWAIT},
	{SO_RANDOMPORT, SOF_BINDRANDOMPORT},
};

static uint32_t
flag_of(int name)
{
	for (size_t i = 0; i < sizeof flag_options / sizeof flag_options[0]; i++) {
		if (flag_options[i].name == name)
			return flag_options[i].flag;
	}
	return 0;
}

/* True for an option that is one bit of so_options. */
static bool
is_bit(int name, int bits)
{
	return name > 0 && (name & (name - 1)) == 0 && (name & bits);
}

/* ---- values ------------------------------------------------------------------------------- */

errno_t
sooptcopyin(struct sockopt *sopt, void *buf, size_t size, size_t min)
{
	size_t n = sopt->sopt_valsize;

	if (n < min)
		return EINVAL;
	if (n > size)
		n = size;
	memcpy(buf, sopt->sopt_val, n);
	return 0;
}

errno_t
sooptcopyout(struct sockopt *sopt, const void *buf, size_t size)
{
	if (size > sopt->sopt_valsize)
		size = sopt->sopt_valsize;
	sopt->sopt_valsize = size;
	if (sopt->sopt_val != NULL)
		memcpy(sopt->sopt_val, buf, size);
	return 0;
}

errno_t
sooptcopyin_int(struct sockopt *sopt, int *value)
{
	return sooptcopyin(sopt, value, sizeof *value, sizeof *value);
}

errno_t
sooptcopyout_int(struct sockopt *sopt, int value)
{
	return sooptcopyout(sopt, &value, sizeof value);
}

/* ---- setting ------------------------------------------------------------------------------ */

static errno_t
set_linger(struct socket *so, struct sockopt *sopt)
{
	struct linger l;
	int64_t ticks;
	errno_t error = sooptcopyin(sopt, &l, sizeof l, sizeof l);

	if (error != 0)
		return error;
	ticks = sopt->sopt_name == SO_LINGER ? l.l_linger : (int64_t)l.l_linger * SO_HZ;
	if (ticks > INT32_MAX)
		ticks = INT32_MAX;
	so->so_linger = ticks < 0 ? 0 : (int)ticks;
	if (l.l_onoff != 0)
		so->so_options |= SO_LINGER;
	else
		so->so_options &= ~(uint32_t)SO_LINGER;
	return 0;
}

static errno_t
set_buffer(struct socket *so, struct sockopt *sopt)
{
	struct sockbuf *sb = sopt->sopt_name == SO_SNDBUF || sopt->sopt_name == SO_SNDLOWAT ?
	    &so->so_snd : &so->so_rcv;
	int value;
	errno_t error = sooptcopyin_int(sopt, &value);

	if (error != 0)
		return error;
	if (value < 1)
		return EINVAL;
	if (sopt->sopt_name == SO_SNDLOWAT || sopt->sopt_name == SO_RCVLOWAT) {
		sb->sb_lowat = (uint32_t)value > sb->sb_hiwat ? sb->sb_hiwat : (uint32_t)value;
		return 0;
	}
	error = sbreserve(sb, (uint32_t)value);
	if (error != 0)
		return error;
	sb->sb_flags = (uint16_t)((sb->sb_flags & ~SB_AUTOSIZE) | SB_USRSIZE);
	/* Who waits for space may have it now. */
	if (sb == &so->so_snd)
		sowwakeup(so);
	return 0;
}

static errno_t
set_timeo(struct socket *so, struct sockopt *sopt)
{
	struct sockbuf *sb = sopt->sopt_name == SO_SNDTIMEO ? &so->so_snd : &so->so_rcv;
	struct timeval tv;
	errno_t error = sooptcopyin(sopt, &tv, sizeof tv, sizeof tv);

	if (error != 0)
		return error;
	if (tv.tv_sec < 0 || tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return EDOM;
	if (tv.tv_sec > TIMEO_MOST_S)
		tv.tv_sec = TIMEO_MOST_S;
	sb->sb_timeo = (uint64_t)tv.tv_sec * NS_PER_S + (uint64_t)tv.tv_usec * NS_PER_US;
	return 0;
}

static errno_t
set_restrictions(struct socket *so, struct sockopt *sopt)
{
	int value;
	errno_t error = sooptcopyin_int(sopt, &value);

	if (error != 0)
		return error;
	if (so->so_restrictions & SO_RESTRICT_DENYSET)
		return EPERM;
	so->so_restrictions |= (uint32_t)value &
	    (SO_RESTRICT_DENYIN | SO_RESTRICT_DENYOUT | SO_RESTRICT_DENYSET);
	return 0;
}

static errno_t
set_extensions(struct socket *so, struct sockopt *sopt)
{
	struct so_np_extensions x;
	errno_t error = sooptcopyin(sopt, &x, sizeof x, sizeof x);

	if (error != 0)
		return error;
	if (x.npx_mask & ~(uint32_t)SONPX_SETOPTSHUT)
		return EINVAL;
	if (x.npx_mask & SONPX_SETOPTSHUT) {
		if (x.npx_flags & SONPX_SETOPTSHUT)
			so->so_flags |= SOF_NPX_SETOPTSHUT;
		else
			so->so_flags &= ~(uint32_t)SOF_NPX_SETOPTSHUT;
	}
	return 0;
}

static errno_t
set_service_type(struct socket *so, struct sockopt *sopt)
{
	int value;
	errno_t error = sooptcopyin_int(sopt, &value);

	if (error == 0 && (value < NET_SERVICE_TYPE_BE || value > NET_SERVICE_TYPE_RD))
		error = EINVAL;
	if (error == 0)
		so->so_traffic_class = (uint8_t)value;
	return error;
}

static errno_t
set_bit(struct socket *so, struct sockopt *sopt)
{
	uint32_t flag = flag_of(sopt->sopt_name);
	uint32_t *word = flag != 0 ? &so->so_flags : &so->so_options;
	uint32_t bit = flag != 0 ? flag : (uint32_t)sopt->sopt_name;
	int value;
	errno_t error = sooptcopyin_int(sopt, &value);

	if (error != 0)
		return error;
	if (value != 0)
		*word |= bit;
	else
		*word &= ~bit;
	return 0;
}

/* A protocol with connections has a timer for it. */
static errno_t
set_keepalive(struct socket *so, struct sockopt *sopt)
{
	errno_t error = set_bit(so, sopt);

	if (error == 0 && (so->so_proto->pr_flags & PR_CONNREQUIRED) && so->so_proto->pr_ctloutput != NULL)
		(void)so->so_proto->pr_ctloutput(so, sopt);
	return error;
}

static errno_t
unsupported(const struct socket *so, const char *name)
{
	klog(sotomachine(so), 4, "socket option %s was asked for on socket %u: not supported", name,
	    so->so_generation);
	return EOPNOTSUPP;
}

/* Interface fact: the value of SO_NKE, of which only the handle is looked at. */
struct so_nke {
	uint32_t nke_handle, nke_where;
	int32_t nke_flags;
	uint32_t reserved[4];
};

static errno_t
attach_filter(struct socket *so, struct sockopt *sopt)
{
	struct so_nke value;
	errno_t error = sooptcopyin(sopt, &value, sizeof value, sizeof value);

	if (error != 0)
		return error;
	return so_filter_ops(so)->attach(so, value.nke_handle);
}

static errno_t
set_socket_option(struct socket *so, struct sockopt *sopt)
{
	if (sopt->sopt_name == SO_KEEPALIVE)
		return set_keepalive(so, sopt);
	if (is_bit(sopt->sopt_name, SETTABLE_BITS) || flag_of(sopt->sopt_name) != 0)
		return set_bit(so, sopt);
	switch (sopt->sopt_name) {
	case SO_LINGER:
	case SO_LINGER_SEC:
		return set_linger(so, sopt);
	case SO_SNDBUF:
	case SO_RCVBUF:
	case SO_SNDLOWAT:
	case SO_RCVLOWAT:
		return set_buffer(so, sopt);
	case SO_SNDTIMEO:
	case SO_RCVTIMEO:
		return set_timeo(so, sopt);
	case SO_RESTRICTIONS:
		return set_restrictions(so, sopt);
	case SO_NP_EXTENSIONS:
		return set_extensions(so, sopt);
	case SO_NET_SERVICE_TYPE:
		return set_service_type(so, sopt);
	case SO_NKE:
		return attach_filter(so, sopt);
	case SO_LABEL:
		return unsupported(so, "SO_LABEL");
	default:
		return ENOPROTOOPT;
	}
}

static inline errno_t
ask_filters(struct socket *so, struct sockopt *sopt)
{
	return so_filtered(so) ? so_filter_ops(so)->option(so, sopt) : 0;
}

errno_t
sosetopt(struct socket *so, struct sockopt *sopt)
{
	const uint16_t shut = SS_CANTRCVMORE | SS_CANTSENDMORE;
	errno_t error;

	sopt->sopt_dir = SOPT_SET;
	if ((so->so_state & shut) == shut && !(so->so_flags & SOF_NPX_SETOPTSHUT))
		return EINVAL;
	error = ask_filters(so, sopt);
	if (error != 0)
		return error == EJUSTRETURN ? 0 : error;
	if (sopt->sopt_level == SOL_SOCKET)
		return set_socket_option(so, sopt);
	if (so->so_proto->pr_ctloutput == NULL)
		return ENOPROTOOPT;
	return so->so_proto->pr_ctloutput(so, sopt);
}

/* ---- getting ------------------------------------------------------------------------------ */

uint32_t
so_next_message_bytes(const struct socket *so)
{
	uint32_t n = 0;

	if (!so_atomic(so))
		return so->so_rcv.sb_cc - so->so_rcv.sb_ctl;
	for (const struct mbuf *m = so->so_rcv.sb_mb; m != NULL; m = m->m_next) {
		if (sb_counts_as_data(m))
			n += (uint32_t)m->m_len;
	}
	return n;
}

static int
count_messages(const struct socket *so)
{
	int n = 0;

	for (const struct mbuf *m = so->so_rcv.sb_mb; m != NULL; m = m->m_nextpkt)
		n++;
	return n;
}

static errno_t
get_linger(const struct socket *so, struct sockopt *sopt)
{
	const struct linger l = {
		.l_onoff = (int)(so->so_options & SO_LINGER),
		.l_linger = sopt->sopt_name == SO_LINGER ? so->so_linger : so->so_linger / SO_HZ,
	};

	return sooptcopyout(sopt, &l, sizeof l);
}

static errno_t
get_timeo(const struct socket *so, struct sockopt *sopt)
{
	uint64_t ns = sopt->sopt_name == SO_SNDTIMEO ? so->so_snd.sb_timeo : so->so_rcv.sb_timeo;
	const struct timeval tv = {.tv_sec = (__darwin_time_t)(ns / NS_PER_S),
	    .tv_usec = (__darwin_suseconds_t)(ns % NS_PER_S / NS_PER_US)};

	return sooptcopyout(sopt, &tv, sizeof tv);
}

static errno_t
get_extensions(const struct socket *so, struct sockopt *sopt)
{
	const struct so_np_extensions x = {
		.npx_flags = so->so_flags & SOF_NPX_SETOPTSHUT ? SONPX_SETOPTSHUT : 0,
		.npx_mask = SONPX_SETOPTSHUT,
	};

	return sooptcopyout(sopt, &x, sizeof x);
}

static errno_t
get_socket_option(struct socket *so, struct sockopt *sopt)
{
	uint32_t flag = flag_of(sopt->sopt_name);

	if (flag != 0)
		return sooptcopyout_int(sopt, (so->so_flags & flag) != 0);
	if (is_bit(sopt->sopt_name, READABLE_BITS))
		return sooptcopyout_int(sopt, (int)(so->so_options & (uint32_t)sopt->sopt_name));
	switch (sopt->sopt_name) {
	case SO_LINGER:
	case SO_LINGER_SEC:
		return get_linger(so, sopt);
	case SO_SNDTIMEO:
	case SO_RCVTIMEO:
		return get_timeo(so, sopt);
	case SO_SNDBUF:
		return sooptcopyout_int(sopt, (int)so->so_snd.sb_hiwat);
	case SO_RCVBUF:
		return sooptcopyout_int(sopt, (int)so->so_rcv.sb_hiwat);
	case SO_SNDLOWAT:
		return sooptcopyout_int(sopt, (int)so->so_snd.sb_lowat);
	case SO_RCVLOWAT:
		return sooptcopyout_int(sopt, (int)so->so_rcv.sb_lowat);
	case SO_TYPE:
		return sooptcopyout_int(sopt, so->so_type);
	case SO_ERROR:
		return sooptcopyout_int(sopt, so_take_error(so));
	case SO_NREAD:
		return sooptcopyout_int(sopt, (int)so_next_message_bytes(so));
	case SO_NUMRCVPKT:
		return sooptcopyout_int(sopt, count_messages(so));
	case SO_NWRITE:
		return sooptcopyout_int(sopt, (int)so->so_snd.sb_cc);
	case SO_RESTRICTIONS:
		return sooptcopyout_int(sopt, (int)so->so_restrictions);
	case SO_NP_EXTENSIONS:
		return get_extensions(so, sopt);
	case SO_NET_SERVICE_TYPE:
		return sooptcopyout_int(sopt, so->so_traffic_class);
	case SO_NETSVC_MARKING_LEVEL:
		return sooptcopyout_int(sopt, NETSVC_MRKNG_UNKNOWN);
	case SO_LABEL:
		return unsupported(so, "SO_LABEL");
	case SO_PEERLABEL:
		return unsupported(so, "SO_PEERLABEL");
	default:
		return ENOPROTOOPT;
	}
}

errno_t
sogetopt(struct socket *so, struct sockopt *sopt)
{
	errno_t error;

	sopt->sopt_dir = SOPT_GET;
	error = ask_filters(so, sopt);
	if (error != 0)
		return error == EJUSTRETURN ? 0 : error;
	if (sopt->sopt_level == SOL_SOCKET)
		return get_socket_option(so, sopt);
	if (so->so_proto->pr_ctloutput == NULL)
		return ENOPROTOOPT;
	return so->so_proto->pr_ctloutput(so, sopt);
}

/* ---- ioctls ------------------------------------------------------------------------------- */

static errno_t
ioctl_int(struct socket *so, unsigned long command, int *value)
{
	switch (command) {
	case FIONBIO:
		so->so_state = (uint16_t)(*value != 0 ? so->so_state | SS_NBIO : so->so_state & ~SS_NBIO);
		return 0;
	case FIOASYNC:
		so->so_flags = *value != 0 ? so->so_flags | SOF_ASYNC : so->so_flags & ~(uint32_t)SOF_ASYNC;
		return 0;
	case FIONREAD:
		/* Interface fact: with the addresses of datagrams, unlike SO_NREAD. */
		*value = (int)so->so_rcv.sb_cc;
		return 0;
	case SIOCATMARK:
		*value = (so->so_state & SS_RCVATMARK) != 0;
		return 0;
	case FIOSETOWN:
	case SIOCSPGRP:
		so->so_pgid = *value;
		return 0;
	case FIOGETOWN:
	case SIOCGPGRP:
		*value = so->so_pgid;
		return 0;
	default:
		return ENOTTY;
	}
}

static errno_t
ioctl_protocol(struct socket *so, unsigned long command, void *data)
{
	const struct socket_state *s = sotomachine(so)->sockets;
	const struct pr_usrreqs *pru = so->so_proto->pr_usrreqs;
	errno_t error = EOPNOTSUPP;

	if (pru->pru_control != NULL)
		error = pru->pru_control(so, command, data);
	if (error == EOPNOTSUPP && IOCGROUP(command) == 'i' && s->interface_ioctl != NULL)
		error = s->interface_ioctl(so, command, data);
	return error;
}

/* Interface fact: ioctls about interfaces and routes are other filters' business. */
static inline bool
for_filters(const struct socket *so, unsigned long command)
{
	return so_filtered(so) && IOCGROUP(command) != 'i' && IOCGROUP(command) != 'r' &&
	    command != FIOCLEX && command != FIONCLEX;
}

errno_t
soioctl(struct socket *so, unsigned long command, void *data)
{
	if (for_filters(so, command)) {
		errno_t error = so_filter_ops(so)->ioctl(so, command, data);

		if (error != 0)
			return error == EJUSTRETURN ? 0 : error;
	}
	switch (command) {
	case FIONBIO:
	case FIOASYNC:
	case FIONREAD:
	case FIOSETOWN:
	case FIOGETOWN:
	case SIOCATMARK:
	case SIOCSPGRP:
	case SIOCGPGRP: {
		int value;
		errno_t error;

		memcpy(&value, data, sizeof value);
		error = ioctl_int(so, command, &value);
		memcpy(data, &value, sizeof value);
		return error;
	}
	case FIOCLEX:
	case FIONCLEX:
		return 0;
	default:
		return ioctl_protocol(so, command, data);
	}
}

void
so_set_interface_ioctl(struct nke *m, errno_t (*fn)(struct socket *, unsigned long, void *))
{
	m->sockets->interface_ioctl = fn;
}
