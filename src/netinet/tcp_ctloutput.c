/*
 * Socket options of level IPPROTO_TCP: Darwin's, and those of FreeBSD that Darwin has no number for
 * (tcp_user.h). Called by the socket layer; the levels IPPROTO_IP and IPPROTO_IPV6 go on to in_ctloutput().
 *
 * A value of 0 for a time or a count means the machine's default (net.inet.tcp.*). Errors: EINVAL, a value
 * out of range or set at the wrong time; ENOPROTOOPT, no such option or not to be set; ECONNRESET, the
 * connection is over.
 */
#include <string.h>

#include "src/netinet/tcp_private.h"
#include "src/netinet/tcp_user.h"

#define MS_PER_S	1000

/* ---- flags -------------------------------------------------------------------------------- */

/* Options that are one bit of t_flags. */
static uint32_t
flag_of(int name)
{
	switch (name) {
	case TCP_NODELAY:
		return TF_NODELAY;
	case TCP_NOPUSH:
		return TF_NOPUSH;
	case TCP_NOOPT:
		return TF_NOOPT;
	case TCP_RXT_FINDROP:
		return TF_RXFINDROP;
	default:
		return 0;
	}
}

static errno_t
set_flag(struct tcpcb *tp, int name, uint32_t flag, int value)
{
	if (value != 0)
		tp->t_flags |= flag;
	else
		tp->t_flags &= ~flag;
	/* What was held back for fuller segments may go now. */
	if (((name == TCP_NODELAY && value != 0) || (name == TCP_NOPUSH && value == 0)) &&
	    TCPS_HAVEESTABLISHED(tp->t_state))
		(void)tcp_output(tp);
	return 0;
}

/* ---- times and counts --------------------------------------------------------------------- */

/* Options that are a time: where it is kept, and how many ms its unit is. NULL: another option. */
static const uint32_t *
time_of(const struct tcp_user *user, int name, int *unit)
{
	*unit = name == CORE_TCP_USER_TIMEOUT ? 1 : MS_PER_S;
	switch (name) {
	case TCP_KEEPALIVE:
		return &user->keepidle_ms;
	case TCP_KEEPINTVL:
		return &user->keepintvl_ms;
	case TCP_CONNECTIONTIMEOUT:
	case CORE_TCP_KEEPINIT:
		return &user->keepinit_ms;
	case PERSIST_TIMEOUT:
		return &user->persist_ms;
	case TCP_RXT_CONNDROPTIME:
	case CORE_TCP_MAXUNACKTIME:
	case CORE_TCP_USER_TIMEOUT:
		return &user->maxunacktime_ms;
	default:
		return NULL;
	}
}

static int
default_ms(const struct tcpcb *tp, int name)
{
	const struct tcp_config *c = &tptomachine(tp)->tcp->config;

	switch (name) {
	case TCP_KEEPALIVE:
		return c->keepidle;
	case TCP_KEEPINTVL:
		return c->keepintvl;
	case TCP_CONNECTIONTIMEOUT:
	case CORE_TCP_KEEPINIT:
		return c->keepinit;
	default:
		return 0;
	}
}

static errno_t
set_time(struct tcpcb *tp, int name, int value)
{
	struct tcp_user *user = tcp_user_get(tp);
	uint32_t *ms;
	int unit;

	if (user == NULL)
		return ENOBUFS;
	ms = (uint32_t *)(uintptr_t)time_of(user, name, &unit);
	if (value < 0 || value > INT32_MAX / unit)
		return EINVAL;
	*ms = (uint32_t)value * (uint32_t)unit;
	if (name == TCP_KEEPALIVE && tp->t_state >= TCPS_ESTABLISHED)
		tcp_keep_restart(tp);
	else if ((name == TCP_CONNECTIONTIMEOUT || name == CORE_TCP_KEEPINIT) &&
	    tcp_timer_armed(tp, TT_KEEP) && !TCPS_HAVEESTABLISHED(tp->t_state))
		tcp_timer_set(tp, TT_KEEP,
		    (*ms != 0 ? *ms : (uint64_t)default_ms(tp, name)) * TCP_NS_PER_MS);
	return 0;
}

static errno_t
get_time(struct tcpcb *tp, struct sockopt *sopt)
{
	int unit;
	const uint32_t *ms = time_of(tp->t_user, sopt->sopt_name, &unit);
	int value = *ms != 0 ? (int)*ms : default_ms(tp, sopt->sopt_name);

	return sooptcopyout_int(sopt, value / unit);
}

/* ---- the rest ----------------------------------------------------------------------------- */

static errno_t
set_maxseg(struct tcpcb *tp, int value)
{
	int least = tptomachine(tp)->tcp->config.minmss;
	struct tcp_user *user = tcp_user_get(tp);

	if (value < least || value > IP_MAXPACKET)
		return EINVAL;
	if (user == NULL)
		return ENOBUFS;
	/* What both sides have agreed upon can only be lowered. */
	if (tp->t_state > TCPS_LISTEN) {
		if ((uint32_t)value > tp->t_maxseg)
			return EINVAL;
		tp->t_maxseg = (uint32_t)value;
	}
	user->usermss = (uint32_t)value;
	tp->t_flags |= TF_MSS_SET;
	return 0;
}

/* RFC 7413: a listener's, or before connecting. */
static errno_t
set_fastopen(struct tcpcb *tp, int value)
{
	const struct tcp_config *c = &tptomachine(tp)->tcp->config;

	if (tp->t_state > TCPS_LISTEN)
		return EINVAL;
	if (value == 0) {
		tp->t_flags &= ~(uint32_t)TF_FASTOPEN;
		return 0;
	}
	if (tp->t_state == TCPS_LISTEN ? !c->fastopen_server : !c->fastopen_client && !c->fastopen_server)
		return EPERM;
	tp->t_flags |= TF_FASTOPEN;
	return 0;
}

static errno_t
set_ecn(struct tcpcb *tp, int value)
{
	tp->t_flags &= ~(uint32_t)(TF_ECN_WANTED | TF_ECN_REFUSED);
	tp->t_flags |= value != 0 ? TF_ECN_WANTED : TF_ECN_REFUSED;
	return 0;
}

static errno_t
set_int(struct tcpcb *tp, int name, int value)
{
	struct tcp_user *user;

	switch (name) {
	case TCP_MAXSEG:
		return set_maxseg(tp, value);
	case TCP_KEEPCNT:
		if (value < 0)
			return EINVAL;
		user = tcp_user_get(tp);
		if (user == NULL)
			return ENOBUFS;
		user->keepcnt = (uint16_t)(value < UINT16_MAX ? value : UINT16_MAX);
		return 0;
	case TCP_SENDMOREACKS:
		if (value < 0 || value > 1)
			return EINVAL;
		tp->t_uflags = (uint8_t)(value != 0 ? tp->t_uflags | TFU_MOREACKS :
		    tp->t_uflags & ~TFU_MOREACKS);
		return 0;
	case TCP_ENABLE_ECN:
		return set_ecn(tp, value);
	case TCP_FASTOPEN:
		return set_fastopen(tp, value);
	case TCP_NOTSENT_LOWAT:
		if (value < 0)
			return EINVAL;
		user = tcp_user_get(tp);
		if (user == NULL)
			return ENOBUFS;
		user->notsent_lowat = (uint32_t)value;
		sowwakeup(tptosocket(tp));
		return 0;
	default:
		return ENOPROTOOPT;
	}
}

static errno_t
set_congestion(struct tcpcb *tp, struct sockopt *sopt)
{
	char name[TCP_CA_NAME_MAX];
	const struct cc_algo *algo;

	if (sopt->sopt_valsize == 0 || sopt->sopt_valsize > sizeof name)
		return EINVAL;
	memset(name, 0, sizeof name);
	memcpy(name, sopt->sopt_val, sopt->sopt_valsize);
	if (name[sizeof name - 1] != '\0')
		return EINVAL;
	algo = cc_find(name);
	if (algo == NULL)
		return ESRCH;
	if (algo != tp->t_cc)
		cc_assign(tp, algo);
	return 0;
}

/* ---- which stack -------------------------------------------------------------------------- */

const char *
tcp_function_name(bool base)
{
	return base ? "freebsd" : "rack";
}

static bool
same(const char *a, const char *b)
{
	while (*a == *b && *a != '\0')
		a++, b++;
	return *a == *b;
}

bool
tcp_function_of(const char *name, bool *base)
{
	*base = same(name, tcp_function_name(true));
	return *base || same(name, tcp_function_name(false));
}

/* In the middle of a connection, too: the next ACK is judged the new way. */
static errno_t
set_function(struct tcpcb *tp, struct sockopt *sopt)
{
	struct core_tcp_function_set set;
	bool base;

	if (sopt->sopt_valsize != sizeof set)
		return EINVAL;
	memcpy(&set, sopt->sopt_val, sizeof set);
	set.function_set_name[sizeof set.function_set_name - 1] = '\0';
	if (!tcp_function_of(set.function_set_name, &base))
		return ENOENT;
	tp->t_uflags = (uint8_t)(base ? tp->t_uflags | TFU_BASE : tp->t_uflags & ~TFU_BASE);
	if (base && !tcp_in_recovery(tp)) {
		tcp_timer_set(tp, TT_LOSS, 0);
		tp->t_flags &= ~(uint32_t)TF_TLP_ARMED;
	}
	return 0;
}

static errno_t
get_function(const struct tcpcb *tp, struct sockopt *sopt)
{
	const char *name = tcp_function_name((tp->t_uflags & TFU_BASE) != 0);
	struct core_tcp_function_set set = {.pcbcnt = 0};

	memcpy(set.function_set_name, name, strlen(name));
	return sooptcopyout(sopt, &set, sizeof set);
}

/* ---- pacing ------------------------------------------------------------------------------- */

/* As wide as the caller likes; all its bits set: not paced. */
static errno_t
set_pacing(struct tcpcb *tp, struct sockopt *sopt)
{
	uint64_t rate = UINT64_MAX;
	uint32_t narrow;

	if (sopt->sopt_valsize >= sizeof rate) {
		memcpy(&rate, sopt->sopt_val, sizeof rate);
	} else if (sopt->sopt_valsize == sizeof narrow) {
		memcpy(&narrow, sopt->sopt_val, sizeof narrow);
		rate = narrow != UINT32_MAX ? narrow : UINT64_MAX;
	} else {
		return EINVAL;
	}
	return tcp_pace_set(tp, rate != UINT64_MAX ? rate : 0);
}

static errno_t
get_pacing(const struct tcpcb *tp, struct sockopt *sopt)
{
	uint64_t rate = tp->t_user->pace != NULL ? tp->t_user->pace->rate : UINT64_MAX;
	uint32_t narrow = rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;

	return sopt->sopt_valsize >= sizeof rate ? sooptcopyout(sopt, &rate, sizeof rate) :
	    sooptcopyout(sopt, &narrow, sizeof narrow);
}

/* ---- setting ------------------------------------------------------------------------------ */

static errno_t
set_option(struct tcpcb *tp, struct sockopt *sopt)
{
	uint32_t flag = flag_of(sopt->sopt_name);
	int value, unit;
	errno_t error;

	switch (sopt->sopt_name) {
	case TCP_CONNECTION_INFO:
	case CORE_TCP_INFO:
		return ENOPROTOOPT;
	case CORE_TCP_CONGESTION:
		return set_congestion(tp, sopt);
	case CORE_TCP_FUNCTION_BLK:
		return set_function(tp, sopt);
	case CORE_TCP_PACING_RATE:
		return set_pacing(tp, sopt);
	default:
		break;
	}
	error = sooptcopyin_int(sopt, &value);
	if (error != 0)
		return error;
	if (flag != 0)
		return set_flag(tp, sopt->sopt_name, flag, value);
	if (time_of(tp->t_user, sopt->sopt_name, &unit) != NULL)
		return set_time(tp, sopt->sopt_name, value);
	return set_int(tp, sopt->sopt_name, value);
}

/* ---- getting ------------------------------------------------------------------------------ */

static errno_t
get_maxseg(const struct tcpcb *tp, struct sockopt *sopt)
{
	bool chosen = tp->t_state <= TCPS_LISTEN && (tp->t_flags & TF_MSS_SET);

	return sooptcopyout_int(sopt, (int)(chosen ? tp->t_user->usermss : tp->t_maxseg));
}

static errno_t
get_info(const struct tcpcb *tp, struct sockopt *sopt)
{
	struct tcp_connection_info ci;
	struct core_tcp_info ti;

	if (sopt->sopt_name == TCP_CONNECTION_INFO) {
		tcp_fill_connection_info(tp, &ci);
		return sooptcopyout(sopt, &ci, sizeof ci);
	}
	tcp_fill_info(tp, &ti);
	return sooptcopyout(sopt, &ti, sizeof ti);
}

static errno_t
get_option(struct tcpcb *tp, struct sockopt *sopt)
{
	uint32_t flag = flag_of(sopt->sopt_name);
	int unit;

	if (flag != 0)
		return sooptcopyout_int(sopt, (tp->t_flags & flag) != 0);
	if (time_of(tp->t_user, sopt->sopt_name, &unit) != NULL)
		return get_time(tp, sopt);
	switch (sopt->sopt_name) {
	case TCP_MAXSEG:
		return get_maxseg(tp, sopt);
	case TCP_KEEPCNT:
		return sooptcopyout_int(sopt, tp->t_user->keepcnt != 0 ? tp->t_user->keepcnt :
		    tptomachine(tp)->tcp->config.keepcnt);
	case TCP_SENDMOREACKS:
		return sooptcopyout_int(sopt, (tp->t_uflags & TFU_MOREACKS) != 0);
	case TCP_ENABLE_ECN:
		return sooptcopyout_int(sopt, (tp->t_flags & TF_ECN_WANTED) != 0);
	case TCP_FASTOPEN:
		return sooptcopyout_int(sopt, (tp->t_flags & TF_FASTOPEN) != 0);
	case TCP_NOTSENT_LOWAT:
		return sooptcopyout_int(sopt, (int)tp->t_user->notsent_lowat);
	case TCP_CONNECTION_INFO:
	case CORE_TCP_INFO:
		return get_info(tp, sopt);
	case CORE_TCP_FUNCTION_BLK:
		return get_function(tp, sopt);
	case CORE_TCP_PACING_RATE:
		return get_pacing(tp, sopt);
	case CORE_TCP_CONGESTION:
		return sooptcopyout(sopt, tp->t_cc->name, sizeof tp->t_cc->name);
	default:
		return ENOPROTOOPT;
	}
}

errno_t
tcp_ctloutput(struct socket *so, struct sockopt *sopt)
{
	struct inpcb *inp = sotoinpcb(so);

	if (inp == NULL)
		return ECONNRESET;
	/* The socket layer's own option, which it tells of. */
	if (sopt->sopt_level == SOL_SOCKET) {
		tcp_keep_restart(intotcpcb(inp));
		return 0;
	}
	if (sopt->sopt_level != IPPROTO_TCP)
		return in_ctloutput(so, sopt);
	return sopt->sopt_dir == SOPT_SET ? set_option(intotcpcb(inp), sopt) :
	    get_option(intotcpcb(inp), sopt);
}
