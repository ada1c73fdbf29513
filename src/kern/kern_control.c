/*
 * Controllers: names, ids and references, and putting data into a client's receive buffer. What is promised
 * is in sys/kern_control.h; clients are in kern_control_socket.c.
 *
 * A machine has a list of controllers ordered by id and a table of slots. The reference that a kext has is a
 * slot and a number that is never given twice, so that one kept too long is told from a live one. Data goes
 * straight into the client socket's receive buffer, all or nothing.
 */
#include <string.h>
#include <sys/ioccom.h>

#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/kern_control_private.h"
#include "src/kern/kern_event.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/socket_private.h"

#define SLOT_BITS	16
#define SLOTS_FIRST	8u
#define SLOTS_MOST	((1u << SLOT_BITS) - 1)

/* ---- references --------------------------------------------------------------------------- */

static struct kctl *
find(struct nke *m, kern_ctl_ref ref)
{
	const struct kctl_state *s = m->kctls;
	uintptr_t slot = (uintptr_t)ref & SLOTS_MOST;
	struct kctl *k = slot < s->size ? s->slots[slot] : NULL;

	return k != NULL && k->ref == ref ? k : NULL;
}

static errno_t
grow(struct nke *m)
{
	struct kctl_state *s = m->kctls;
	uint32_t size = s->size == 0 ? SLOTS_FIRST : s->size * 2;
	struct kctl **slots;

	if (size > SLOTS_MOST)
		return ENOMEM;
	slots = kalloc(m, size * sizeof(struct kctl *));
	if (slots == NULL)
		return ENOMEM;
	if (s->size != 0)
		memcpy(slots, s->slots, s->size * sizeof(struct kctl *));
	kfree(m, s->slots);
	s->slots = slots;
	s->size = size;
	return 0;
}

/* Gives it a slot; the table has one free. */
static void
take_slot(struct nke *m, struct kctl *k)
{
	struct kctl_state *s = m->kctls;
	uint32_t slot = 0;

	while (s->slots[slot] != NULL)
		slot++;
	s->slots[slot] = k;
	s->count++;
	k->ref = (kern_ctl_ref)((uintptr_t)++s->generation << SLOT_BITS | slot);
}

/* ---- names and ids ------------------------------------------------------------------------ */

static bool
is_static(const struct kctl *k)
{
	return k->reg.ctl_flags & CTL_FLAG_REG_ID_UNIT;
}

struct kctl *
kctl_find_id(struct nke *m, uint32_t id, uint32_t unit)
{
	struct kctl *k;

	TAILQ_FOREACH(k, &m->kctls->list, link)
		if (k->reg.ctl_id == id && (!is_static(k) || k->reg.ctl_unit == unit))
			return k;
	return NULL;
}

static struct kctl *
find_name(struct nke *m, const char *name)
{
	struct kctl *k;

	TAILQ_FOREACH(k, &m->kctls->list, link)
		if (strcmp(k->reg.ctl_name, name) == 0)
			return k;
	return NULL;
}

/* Interface fact: one more than the highest there is; when there is no more, the first that is free. */
static uint32_t
new_id(struct nke *m)
{
	const struct kctl *last = TAILQ_LAST(&m->kctls->list, kctl_list), *k;
	uint32_t id = 1;

	if (last == NULL)
		return id;
	if (last->reg.ctl_id != UINT32_MAX)
		return last->reg.ctl_id + 1;
	TAILQ_FOREACH(k, &m->kctls->list, link) {
		if (k->reg.ctl_id > id)
			break;
		if (k->reg.ctl_id == id)
			id++;
	}
	return id;
}

/* Behind those with the same id. */
static void
insert(struct nke *m, struct kctl *k)
{
	struct kctl *next;

	TAILQ_FOREACH(next, &m->kctls->list, link)
		if (next->reg.ctl_id > k->reg.ctl_id)
			break;
	if (next != NULL)
		TAILQ_INSERT_BEFORE(next, k, link);
	else
		TAILQ_INSERT_TAIL(&m->kctls->list, k, link);
}

/* ---- registering -------------------------------------------------------------------------- */

static void
tell(struct nke *m, uint32_t code, uint32_t id)
{
	struct ctl_event_data data = {id, 0};
	const struct kev_msg msg = {
		.vendor_code = KEV_VENDOR_APPLE, .kev_class = KEV_SYSTEM_CLASS,
		.kev_subclass = KEV_CTL_SUBCLASS, .event_code = code, .dv = {{sizeof data, &data}},
	};

	(void)kev_post(m, &msg);
}

/* As large as a socket's buffer may be, at most. */
static uint32_t
buffer_size(const struct nke *m, uint32_t asked, uint32_t usual)
{
	uint64_t most = (uint64_t)m->sockets->maxsockbuf * MCLBYTES / (MSIZE + MCLBYTES);

	if (asked == 0)
		return usual;
	return asked < most ? asked : (uint32_t)most;
}

errno_t
kctl_register(struct nke *m, struct kern_ctl_reg *reg, void *pc, kern_ctl_ref *ref)
{
	struct kctl_state *s = m->kctls;
	bool is_fixed;
	struct kctl *k;
	size_t len;

	if (reg == NULL || reg->ctl_connect == NULL)
		return EINVAL;
	len = strnlen(reg->ctl_name, sizeof reg->ctl_name);
	if (len == 0 || len == sizeof reg->ctl_name)
		return EINVAL;
	is_fixed = reg->ctl_flags & CTL_FLAG_REG_ID_UNIT;
	if ((is_fixed ? kctl_find_id(m, reg->ctl_id, reg->ctl_unit) : find_name(m, reg->ctl_name)) != NULL)
		return EEXIST;
	if (s->count == s->size && grow(m) != 0)
		return ENOMEM;
	k = kalloc(m, sizeof *k);
	if (k == NULL)
		return ENOMEM;
	if (!is_fixed)
		reg->ctl_id = new_id(m);
	reg->ctl_sendsize = buffer_size(m, reg->ctl_sendsize, KCTL_SENDSIZE);
	reg->ctl_recvsize = buffer_size(m, reg->ctl_recvsize, KCTL_RECVSIZE);
	k->reg = *reg;
	k->owner = gate_kext();
	TAILQ_INIT(&k->clients);
	take_slot(m, k);
	insert(m, k);
	ledger_enter(m, &k->ledger, LEDGER_CONTROL, pc);
	*ref = k->ref;
	tell(m, KEV_CTL_REGISTERED, k->reg.ctl_id);
	return 0;
}

static void
forget(struct nke *m, struct kctl *k)
{
	TAILQ_REMOVE(&m->kctls->list, k, link);
	m->kctls->slots[(uintptr_t)k->ref & SLOTS_MOST] = NULL;
	m->kctls->count--;
	ledger_strike(m, &k->ledger);
	kfree(m, k);
}

static void
end(struct nke *m, struct kctl *k)
{
	uint32_t id = k->reg.ctl_id;

	forget(m, k);
	tell(m, KEV_CTL_DEREGISTERED, id);
}

errno_t
kctl_deregister(struct nke *m, kern_ctl_ref ref)
{
	struct kctl *k = find(m, ref);

	if (k == NULL)
		return EINVAL;
	if (!TAILQ_EMPTY(&k->clients))
		return EBUSY;
	end(m, k);
	return 0;
}

/* ---- to a client -------------------------------------------------------------------------- */

/* Most look for the one that they looked for last, or for all in turn. */
struct kctl_client *
kctl_find_unit(struct kctl *k, uint32_t unit)
{
	struct kctl_client *c = k->recent;

	if (c != NULL && c->sac.sc_unit != unit)
		c = TAILQ_NEXT(c, link);
	if (c == NULL || c->sac.sc_unit != unit) {
		TAILQ_FOREACH(c, &k->clients, link)
			if (c->sac.sc_unit >= unit)
				break;
	}
	if (c == NULL || c->sac.sc_unit != unit)
		return NULL;
	k->recent = c;
	return c;
}

struct socket *
kctl_client_socket(struct nke *m, kern_ctl_ref ref, uint32_t unit)
{
	struct kctl *k = find(m, ref);
	const struct kctl_client *c = k != NULL ? kctl_find_unit(k, unit) : NULL;

	return c != NULL ? c->so : NULL;
}

/*
 * Interface fact: what is put in goes behind the last record, which it becomes a part of, unless that one
 * has been ended. A reader of datagrams gets a record per call.
 */
errno_t
kctl_enqueue(struct nke *m, kern_ctl_ref ref, uint32_t unit, struct mbuf *data, uint32_t flags)
{
	struct socket *so = kctl_client_socket(m, ref, unit);
	struct sockbuf *sb;

	if (so == NULL)
		return EINVAL;
	sb = &so->so_rcv;
	if ((so->so_state & SS_CANTRCVMORE) || (uint32_t)data->m_pkthdr.len > sbspace(sb))
		return ENOBUFS;
	if (flags & CTL_DATA_EOR)
		m_last(data)->m_flags |= MBUF_EOR;
	if (sb->sb_mbtail != NULL && (sb->sb_mbtail->m_flags & MBUF_EOR))
		sbappendrecord(sb, data);
	else
		sbappendstream(sb, data);
	if (!(flags & CTL_DATA_NOWAKEUP))
		sorwakeup(so);
	return 0;
}

/* ---- for all clients ---------------------------------------------------------------------- */

static errno_t
give_info(struct nke *m, struct ctl_info *info)
{
	const struct kctl *k;

	if (info->ctl_name[0] == '\0' ||
	    strnlen(info->ctl_name, sizeof info->ctl_name) == sizeof info->ctl_name)
		return EINVAL;
	k = find_name(m, info->ctl_name);
	if (k == NULL)
		return ENOENT;
	info->ctl_id = k->reg.ctl_id;
	return 0;
}

errno_t
kctl_ioctl(struct socket *so, unsigned long command, void *data)
{
	struct nke *m = sotomachine(so);
	struct ctl_info info;
	errno_t error;

	switch (command) {
	case CTLIOCGCOUNT:
		memcpy(data, &m->kctls->count, sizeof m->kctls->count);
		return 0;
	case CTLIOCGINFO:
		memcpy(&info, data, sizeof info);
		error = give_info(m, &info);
		memcpy(data, &info, sizeof info);
		return error;
	default:
		return IOCGROUP(command) == 'i' ? EOPNOTSUPP : ENOTSUP;
	}
}

/* ---- for the host's reports --------------------------------------------------------------- */

struct listing {
	struct nke *machine;
	struct core_control *out;
	size_t max, count;
};

static void
list_all(void *arg)
{
	struct listing *l = arg;
	const struct kctl *k;
	struct core_control *c;

	TAILQ_FOREACH(k, &l->machine->kctls->list, link) {
		if (l->count++ >= l->max)
			continue;
		c = &l->out[l->count - 1];
		memset(c, 0, sizeof *c);
		strlcpy(c->name, k->reg.ctl_name, sizeof c->name);
		if (k->owner != NULL)
			strlcpy(c->kext, k->owner->identifier, sizeof c->kext);
		c->id = k->reg.ctl_id;
		c->unit = k->reg.ctl_unit;
		c->flags = k->reg.ctl_flags;
		c->sendsize = k->reg.ctl_sendsize;
		c->recvsize = k->reg.ctl_recvsize;
		c->clients = k->client_count;
	}
}

size_t
machine_controls(struct nke *m, struct core_control *out, size_t max)
{
	struct listing l = {.machine = m, .out = out, .max = max};

	(void)machine_call(m, list_all, &l);
	return l.count;
}

/* ---- the ledger and life ------------------------------------------------------------------ */

static void
describe(const struct ledger_entry *e, char *text, size_t size)
{
	const struct kctl *k = CONTAINER_OF(e, struct kctl, ledger);

	ksnprintf(text, size, "kernel control \"%s\", id %u, %u client%s", k->reg.ctl_name, k->reg.ctl_id,
	    k->client_count, k->client_count == 1 ? "" : "s");
}

/* Of a kext whose start routine failed: its clients are disconnected without a call. */
static bool
reclaim(struct nke *m, struct ledger_entry *e)
{
	struct kctl *k = CONTAINER_OF(e, struct kctl, ledger);
	struct kctl_client *c;

	while ((c = TAILQ_FIRST(&k->clients)) != NULL)
		if (!kctl_cut_off(c))
			return false;
	end(m, k);
	return true;
}

errno_t
kctl_init(struct nke *m)
{
	m->kctls = kalloc(m, sizeof *m->kctls);
	if (m->kctls == NULL)
		return ENOMEM;
	TAILQ_INIT(&m->kctls->list);
	ledger_set_describe(m, LEDGER_CONTROL, describe);
	kext_set_reclaim(m, LEDGER_CONTROL, reclaim);
	return 0;
}

/* Kexts are gone by now: what they left is forgotten. */
void
kctl_fini(struct nke *m)
{
	struct kctl *k;

	while ((k = TAILQ_FIRST(&m->kctls->list)) != NULL)
		forget(m, k);
	kfree(m, m->kctls->slots);
	kfree(m, m->kctls);
	m->kctls = NULL;
}
