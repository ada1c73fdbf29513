/*
 * appwall: a firewall by application. A program is asked for by its name when it connects, or sends a
 * datagram to somewhere; the rules come from user space over a kernel control, which also hears of every
 * verdict (appwall.h).
 *
 * The filter is told which program a socket belongs to by who makes it: sf_attach runs in that program's
 * system call. Verdicts go to all clients of the control; one that does not read loses some, and a counter
 * says how many.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kern_control.h>
#include <sys/kpi_mbuf.h>
#include <sys/kpi_socketfilter.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <kern/locks.h>
#include <mach/mach_types.h>
#include <netinet/in.h>

#include "appwall.h"

#define HANDLE		0x61707700u	/* "apw" and the number of the filter */
#define CLIENTS		8

kern_return_t appwall_start(kmod_info_t *ki, void *data);
kern_return_t appwall_stop(kmod_info_t *ki, void *data);

/* A socket; its filter's cookie. */
struct owner {
	char program[APPWALL_NAME];
	uint32_t pid;
	uint32_t protocol;
};

/* All of it under `lock`. */
static struct appwall_rule rules[APPWALL_RULES];	/* newest last */
static unsigned rule_count;
static struct appwall_counts counts;
static uint32_t clients[CLIENTS];	/* units, 0 none */
static unsigned registered;		/* filters that can still be called */

static kern_ctl_ref control;
static lck_grp_t *lock_group;
static lck_mtx_t *lock;

/* ---- the rules ---------------------------------------------------------------------------- */

/* With the lock. What no rule is about is allowed. */
static uint32_t
verdict_of(const char *program)
{
	uint32_t others = APPWALL_ALLOW;

	for (unsigned i = rule_count; i-- > 0;) {
		if (strncmp(rules[i].program, program, APPWALL_NAME) == 0)
			return rules[i].verdict;
		if (strncmp(rules[i].program, "*", APPWALL_NAME) == 0 && others == APPWALL_ALLOW)
			others = rules[i].verdict;
	}
	return others;
}

static void
describe_peer(struct appwall_event *event, const struct sockaddr *to)
{
	if (to->sa_family == AF_INET6 && to->sa_len >= sizeof(struct sockaddr_in6)) {
		const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)(const void *)to;

		event->family = 6;
		event->port = ntohs(sin6->sin6_port);
		memcpy(event->peer, &sin6->sin6_addr, sizeof sin6->sin6_addr);
	} else if (to->sa_family == AF_INET && to->sa_len >= sizeof(struct sockaddr_in)) {
		const struct sockaddr_in *sin = (const struct sockaddr_in *)(const void *)to;

		event->family = 4;
		event->port = ntohs(sin->sin_port);
		memcpy(event->peer, &sin->sin_addr, sizeof sin->sin_addr);
	}
}

/* Nothing of ours is locked: a client's socket is, meanwhile. */
static void
report(const uint32_t *units, struct appwall_event *event)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		if (units[i] == 0 ||
		    ctl_enqueuedata(control, units[i], event, sizeof *event, CTL_DATA_EOR) == 0)
			continue;
		lck_mtx_lock(lock);
		counts.unreported++;
		lck_mtx_unlock(lock);
	}
}

static errno_t
judge(const struct owner *o, const struct sockaddr *to)
{
	struct appwall_event event;
	uint32_t units[CLIENTS];

	memset(&event, 0, sizeof event);
	strlcpy(event.program, o->program, sizeof event.program);
	event.pid = o->pid;
	event.protocol = o->protocol;
	describe_peer(&event, to);
	lck_mtx_lock(lock);
	event.verdict = verdict_of(o->program);
	if (event.verdict == APPWALL_DENY)
		counts.denied++;
	else
		counts.allowed++;
	memcpy(units, clients, sizeof units);
	lck_mtx_unlock(lock);
	report(units, &event);
	return event.verdict == APPWALL_DENY ? EPERM : 0;
}

/* ---- the filter --------------------------------------------------------------------------- */

static errno_t
attach(void **cookie, socket_t so)
{
	struct owner *o = _MALLOC(sizeof *o, M_TEMP, M_WAITOK | M_ZERO);
	int protocol = 0;

	if (o == NULL)
		return ENOMEM;
	sock_gettype(so, NULL, NULL, &protocol);
	o->protocol = (uint32_t)protocol;
	o->pid = (uint32_t)proc_selfpid();
	proc_selfname(o->program, (int)sizeof o->program);
	*cookie = o;
	return 0;
}

static void
detach(void *cookie, socket_t so)
{
	(void)so;
	_FREE(cookie, M_TEMP);
}

static errno_t
connect_out(void *cookie, socket_t so, const struct sockaddr *to)
{
	(void)so;
	return judge(cookie, to);
}

/* A datagram to somewhere: connected sockets have been asked for already. */
static errno_t
data_out(void *cookie, socket_t so, const struct sockaddr *to, mbuf_t *data, mbuf_t *control_data,
    sflt_data_flag_t flags)
{
	(void)so;
	(void)data;
	(void)control_data;
	(void)flags;
	return to != NULL ? judge(cookie, to) : 0;
}

static void
unregistered(sflt_handle handle)
{
	(void)handle;
	lck_mtx_lock(lock);
	registered--;
	wakeup(&registered);
	lck_mtx_unlock(lock);
}

/* ---- the control -------------------------------------------------------------------------- */

static errno_t
client_connects(kern_ctl_ref ref, struct sockaddr_ctl *sac, void **unitinfo)
{
	errno_t error = EBUSY;

	(void)ref;
	*unitinfo = NULL;
	lck_mtx_lock(lock);
	for (unsigned i = 0; i < CLIENTS && error != 0; i++) {
		if (clients[i] != 0)
			continue;
		clients[i] = sac->sc_unit;
		error = 0;
	}
	lck_mtx_unlock(lock);
	return error;
}

/* Comes for a client that was refused, too. */
static errno_t
client_goes(kern_ctl_ref ref, u_int32_t unit, void *unitinfo)
{
	(void)ref;
	(void)unitinfo;
	lck_mtx_lock(lock);
	for (unsigned i = 0; i < CLIENTS; i++)
		if (clients[i] == unit)
			clients[i] = 0;
	lck_mtx_unlock(lock);
	return 0;
}

static errno_t
set_option(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, int option, void *data, size_t len)
{
	struct appwall_rule rule;
	errno_t error = 0;

	(void)ref;
	(void)unit;
	(void)unitinfo;
	if (option != APPWALL_ADD && option != APPWALL_CLEAR)
		return ENOPROTOOPT;
	if (option == APPWALL_ADD) {
		if (len != sizeof rule)
			return EINVAL;
		memcpy(&rule, data, sizeof rule);
		rule.program[APPWALL_NAME - 1] = '\0';
		if (rule.verdict != APPWALL_ALLOW && rule.verdict != APPWALL_DENY)
			return EINVAL;
	}
	lck_mtx_lock(lock);
	if (option == APPWALL_CLEAR)
		rule_count = 0;
	else if (rule_count == APPWALL_RULES)
		error = ENOSPC;
	else
		rules[rule_count++] = rule;
	lck_mtx_unlock(lock);
	return error;
}

static errno_t
get_option(kern_ctl_ref ref, u_int32_t unit, void *unitinfo, int option, void *data, size_t *len)
{
	(void)ref;
	(void)unit;
	(void)unitinfo;
	if (option != APPWALL_COUNTS)
		return ENOPROTOOPT;
	if (data != NULL) {
		if (*len < sizeof counts)
			return EINVAL;
		lck_mtx_lock(lock);
		memcpy(data, &counts, sizeof counts);
		lck_mtx_unlock(lock);
	}
	*len = sizeof counts;
	return 0;
}

/* ---- start and stop ----------------------------------------------------------------------- */

static const struct {
	int domain, type, protocol;
} kinds[] = {
	{PF_INET, SOCK_STREAM, IPPROTO_TCP}, {PF_INET6, SOCK_STREAM, IPPROTO_TCP},
	{PF_INET, SOCK_DGRAM, IPPROTO_UDP}, {PF_INET6, SOCK_DGRAM, IPPROTO_UDP},
};
#define KINDS	(sizeof kinds / sizeof kinds[0])

static errno_t
register_filters(void)
{
	for (unsigned i = 0; i < KINDS; i++) {
		struct sflt_filter f = {
			.sf_handle = HANDLE + i, .sf_flags = SFLT_GLOBAL, .sf_name = "appwall",
			.sf_unregistered = unregistered, .sf_attach = attach, .sf_detach = detach,
			.sf_connect_out = connect_out,
			.sf_data_out = kinds[i].type == SOCK_DGRAM ? data_out : NULL,
		};
		errno_t error = sflt_register(&f, kinds[i].domain, kinds[i].type, kinds[i].protocol);

		if (error != 0)
			return error;
		registered++;
	}
	return 0;
}

/* Waits until nothing can be called any more. */
static void
unregister_filters(void)
{
	for (unsigned i = 0; i < KINDS; i++)
		sflt_unregister(HANDLE + i);
	lck_mtx_lock(lock);
	while (registered != 0)
		msleep(&registered, lock, PWAIT, "appwall", NULL);
	lck_mtx_unlock(lock);
}

static void
free_lock(void)
{
	lck_mtx_free(lock, lock_group);
	lck_grp_free(lock_group);
}

kern_return_t
appwall_start(kmod_info_t *ki, void *data)
{
	struct kern_ctl_reg reg = {
		.ctl_name = APPWALL_CONTROL, .ctl_flags = CTL_FLAG_PRIVILEGED, .ctl_recvsize = 64 * 1024,
		.ctl_connect = client_connects, .ctl_disconnect = client_goes,
		.ctl_setopt = set_option, .ctl_getopt = get_option,
	};

	(void)ki;
	(void)data;
	lock_group = lck_grp_alloc_init("appwall", LCK_GRP_ATTR_NULL);
	lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	if (ctl_register(&reg, &control) != 0) {
		free_lock();
		return KERN_FAILURE;
	}
	if (register_filters() == 0)
		return KERN_SUCCESS;
	unregister_filters();
	ctl_deregister(control);
	free_lock();
	return KERN_FAILURE;
}

/* Clients cannot be thrown out: as long as there are any, the kext stays. */
kern_return_t
appwall_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	if (ctl_deregister(control) != 0)
		return KERN_FAILURE;
	unregister_filters();
	printf("%u allowed, %u denied\n", counts.allowed, counts.denied);
	free_lock();
	return KERN_SUCCESS;
}
