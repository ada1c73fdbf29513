/* The registry of sysctl variables; sysctl.h says how it differs from Darwin's. */
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/kauth.h"
#include "src/kern/klog.h"
#include "src/kern/ledger.h"
#include "src/kern/panic.h"
#include "src/kern/proc.h"
#include "src/kern/sched.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_leaves.h"

#define NAME_LIMIT	64		/* bytes of one component that reports show */
#define LOST_LIMIT	16u

/* One OID of this machine. All are in one list: there are a few dozen. */
struct sysctl_node {
	TAILQ_ENTRY(sysctl_node) link;
	const struct sysctl_oid_list *parent;
	const struct sysctl_oid_list *children;	/* the branch it is, NULL for variables */
	int number;
	struct sysctl_oid *oid;		/* a kext's, in its image; or `own` */
	struct sysctl_oid own;
	struct ledger_entry ledger;
	struct kext *kext;
	struct sysctl_call *calls;	/* of its handler that have not returned */
	unsigned refs;			/* the tree's, and one per call and waiting remover */
	char name[];			/* a copy: reports outlive the image */
};

/* A call of a handler; on the stack of its thread. */
struct sysctl_call {
	struct sysctl_call *next;
	const struct thread *thread;
};

struct sysctl_state {
	TAILQ_HEAD(, sysctl_node) nodes;
	/* Those for which there was no memory: their owners were not told, and will take them back. */
	const struct sysctl_oid *lost[LOST_LIMIT];
	bool more_lost;			/* than fit: it is no longer known which */
};

/* ---- the tree ----------------------------------------------------------------------------- */

static struct sysctl_node *
find_oid(struct nke *m, const struct sysctl_oid *oid)
{
	struct sysctl_node *n;

	TAILQ_FOREACH(n, &m->sysctls->nodes, link)
		if (n->oid == oid)
			return n;
	return NULL;
}

/* By name (len bytes of it), or by number when `name` is NULL. */
static struct sysctl_node *
find_child(struct nke *m, const struct sysctl_oid_list *parent, const char *name, size_t len,
    int number)
{
	struct sysctl_node *n;

	TAILQ_FOREACH(n, &m->sysctls->nodes, link) {
		if (n->parent != parent)
			continue;
		if (name == NULL ? n->number == number :
		    strncmp(n->name, name, len) == 0 && n->name[len] == '\0')
			return n;
	}
	return NULL;
}

/* The number after the siblings' highest: an interface fact, like the start at 100. */
static int
next_number(struct nke *m, const struct sysctl_oid_list *parent)
{
	int highest = OID_AUTO_START - 1;
	struct sysctl_node *n;

	TAILQ_FOREACH(n, &m->sysctls->nodes, link)
		if (n->parent == parent && n->number > highest)
			highest = n->number;
	return highest + 1;
}

static void
path_of(struct nke *m, const struct sysctl_node *node, char *text, size_t size)
{
	const struct sysctl_node *parent = NULL, *n;
	size_t len;

	TAILQ_FOREACH(n, &m->sysctls->nodes, link)
		if (n->children != NULL && n->children == node->parent && n != node)
			parent = n;
	text[0] = '\0';
	if (parent != NULL)
		path_of(m, parent, text, size);
	len = strlen(text);
	ksnprintf(text + len, size - len, "%s%.*s", len > 0 ? "." : "", NAME_LIMIT, node->name);
}

static void
describe_sysctl(const struct ledger_entry *entry, char *text, size_t size)
{
	const struct sysctl_node *n = (const struct sysctl_node *)
	    ((const char *)entry - __offsetof(struct sysctl_node, ledger));
	char path[256];

	path_of(curmachine(), n, path, sizeof path);
	ksnprintf(text, size, "sysctl \"%s\"", path);
}

static struct sysctl_node *
add_node(struct nke *m, const struct sysctl_oid *oid)
{
	size_t len = strlen(oid->oid_name) + 1;
	struct sysctl_node *n = kalloc(m, sizeof *n + len);

	if (n == NULL)
		return NULL;
	memcpy(n->name, oid->oid_name, len);
	n->parent = oid->oid_parent;
	if ((oid->oid_kind & CTLTYPE) == CTLTYPE_NODE)
		n->children = oid->oid_arg1;
	n->refs = 1;
	n->number = oid->oid_number == OID_AUTO ? next_number(m, n->parent) : oid->oid_number;
	TAILQ_INSERT_TAIL(&m->sysctls->nodes, n, link);
	return n;
}

static void
add_lost(struct sysctl_state *s, const struct sysctl_oid *oid)
{
	for (unsigned i = 0; i < LOST_LIMIT; i++) {
		if (s->lost[i] == NULL) {
			s->lost[i] = oid;
			return;
		}
	}
	s->more_lost = true;
}

/* True when it was lost, or may have been; it no longer is. */
static bool
take_lost(struct sysctl_state *s, const struct sysctl_oid *oid)
{
	for (unsigned i = 0; i < LOST_LIMIT; i++) {
		if (s->lost[i] == oid) {
			s->lost[i] = NULL;
			return true;
		}
	}
	return s->more_lost;
}

errno_t
sysctl_enter(struct nke *m, struct sysctl_oid *oid, void *pc)
{
	struct sysctl_node *n;

	if ((oid->oid_kind & CTLFLAG_OID2) && oid->oid_version > SYSCTL_OID_VERSION)
		kpanic("sysctl_register_oid: \"%s\" has version %d, known is %d", oid->oid_name,
		    oid->oid_version, SYSCTL_OID_VERSION);
	if (find_oid(m, oid) != NULL)
		kpanic("sysctl_register_oid: \"%s\" is registered already", oid->oid_name);
	if (find_child(m, oid->oid_parent, oid->oid_name, strlen(oid->oid_name), 0) != NULL)
		klog(m, 4, "sysctl_register_oid: there is a \"%s\" at that place already, which hides "
		    "the new one", oid->oid_name);
	(void)take_lost(m->sysctls, oid);
	n = add_node(m, oid);
	if (n == NULL) {
		add_lost(m->sysctls, oid);
		return ENOMEM;
	}
	n->oid = oid;
	n->kext = gate_kext();
	/* Only into an image of its own: code linked in statically is shared by machines. */
	if (n->kext != NULL)
		oid->oid_number = n->number;
	ledger_set_describe(m, LEDGER_SYSCTL, describe_sysctl);
	ledger_enter(m, &n->ledger, LEDGER_SYSCTL, pc);
	return 0;
}

errno_t
sysctl_add(struct nke *m, struct sysctl_oid_list *parent, int number, const char *name,
    unsigned kind, void *arg1, int arg2, sysctl_handler_t handler, const char *fmt)
{
	struct sysctl_oid oid = {.oid_parent = parent, .oid_number = number,
	    .oid_kind = (int)(kind | CTLFLAG_OID2), .oid_arg1 = arg1, .oid_arg2 = arg2,
	    .oid_name = name, .oid_handler = handler, .oid_fmt = fmt, .oid_version = SYSCTL_OID_VERSION};
	struct sysctl_node *n = add_node(m, &oid);

	if (n == NULL)
		return ENOMEM;
	n->own = oid;
	n->own.oid_number = n->number;
	n->oid = &n->own;
	return 0;
}

static void
release_node(struct nke *m, struct sysctl_node *n)
{
	if (--n->refs == 0)
		kfree(m, n);
}

static bool
called_by_others(const struct sysctl_node *n)
{
	for (const struct sysctl_call *c = n->calls; c != NULL; c = c->next)
		if (c->thread != curthread())
			return true;
	return false;
}

void
sysctl_remove(struct nke *m, struct sysctl_oid *oid)
{
	struct sysctl_node *n = find_oid(m, oid);

	if (n == NULL && take_lost(m->sysctls, oid))
		return;
	if (n == NULL)
		kpanic("sysctl_unregister_oid: \"%s\" is not registered", oid->oid_name);
	TAILQ_REMOVE(&m->sysctls->nodes, n, link);
	ledger_strike(m, &n->ledger);
	while (called_by_others(n))
		if (sched_block(n, 0, false, "sysctl_unregister_oid: a handler to return") ==
		    THREAD_RESTART)
			break;
	release_node(m, n);
}

/* ---- requests ----------------------------------------------------------------------------- */

static int
give_old(struct sysctl_req *req, const void *p, size_t len)
{
	size_t room = req->oldidx < req->oldlen ? req->oldlen - req->oldidx : 0;
	size_t n = len < room ? len : room;

	if (req->oldptr != 0)
		memcpy((char *)(uintptr_t)req->oldptr + req->oldidx, p, n);
	req->oldidx += len;
	return req->oldptr != 0 && n < len ? ENOMEM : 0;
}

static int
take_new(struct sysctl_req *req, void *p, size_t len)
{
	if (req->newptr == 0)
		return 0;
	if (req->newlen - req->newidx < len)
		return EINVAL;
	memcpy(p, (const char *)(uintptr_t)req->newptr + req->newidx, len);
	req->newidx += len;
	return 0;
}

static errno_t
call_handler(struct nke *m, struct sysctl_node *n, void *arg1, int arg2, struct sysctl_req *req)
{
	struct sysctl_call call = {n->calls, curthread()}, **at;
	errno_t error;

	/* cppcheck-suppress autoVariables ; taken off the list below, before this function returns */
	n->calls = &call;
	n->refs++;
	GATE_CALL(n->kext, "sysctl handler", NULL,
	    error = n->oid->oid_handler(n->oid, arg1, arg2, req));
	for (at = &n->calls; *at != &call; at = &(*at)->next)
		continue;
	*at = call.next;
	sched_wakeup(n, false, THREAD_AWAKENED);
	release_node(m, n);
	return error;
}

/* `rest` are the numbers behind the node, for branches with a handler. */
static errno_t
access_node(struct nke *m, struct sysctl_node *n, const int *rest, unsigned rest_count,
    const struct sysctl_access *a)
{
	struct sysctl_req req = {.p = a->p, .oldfunc = give_old, .newfunc = take_new};
	const struct sysctl_oid *oid = n->oid;
	bool branch = n->children != NULL || (oid->oid_kind & CTLTYPE) == CTLTYPE_NODE;
	errno_t error;

	if (oid->oid_handler == NULL)
		return branch ? ENOENT : EINVAL;
	if (a->new != NULL && !((unsigned)oid->oid_kind & CTLFLAG_WR))
		return EPERM;
	if (a->new != NULL && !((unsigned)oid->oid_kind & CTLFLAG_ANYBODY) && a->p != NULL &&
	    cred_uid(a->p->cred) != 0)
		return EPERM;
	if (a->old_len != NULL)
		req.oldlen = *a->old_len;
	req.oldptr = (uintptr_t)a->old;
	req.newptr = (uintptr_t)a->new;
	req.newlen = a->new != NULL ? a->new_len : 0;
	if (branch)
		error = call_handler(m, n, (void *)(uintptr_t)rest, (int)rest_count, &req);
	else
		error = call_handler(m, n, oid->oid_arg1, oid->oid_arg2, &req);
	if ((error == 0 || error == ENOMEM) && a->old_len != NULL)
		*a->old_len = req.oldidx;
	return error;
}

static errno_t
find_name(struct nke *m, const char *name, struct sysctl_node **found)
{
	const struct sysctl_oid_list *branch = &sysctl__children;

	for (;;) {
		size_t len = 0;
		struct sysctl_node *n;

		while (name[len] != '\0' && name[len] != '.')
			len++;
		n = len > 0 ? find_child(m, branch, name, len, 0) : NULL;
		if (n == NULL)
			return ENOENT;
		*found = n;
		if (name[len] == '\0')
			return 0;
		if (n->children == NULL)
			return EISDIR;
		branch = n->children;
		name += len + 1;
	}
}

errno_t
sysctl_by_name(struct nke *m, const char *name, const struct sysctl_access *a)
{
	struct sysctl_node *n;
	errno_t error = find_name(m, name, &n);

	return error != 0 ? error : access_node(m, n, NULL, 0, a);
}

errno_t
sysctl_format(struct nke *m, const char *name, char *format, size_t size)
{
	struct sysctl_node *n;
	errno_t error = find_name(m, name, &n);

	if (error == 0)
		strlcpy(format, n->oid->oid_fmt != NULL ? n->oid->oid_fmt : "", size);
	return error;
}

errno_t
sysctl_by_mib(struct nke *m, const int *mib, unsigned count, const struct sysctl_access *a)
{
	const struct sysctl_oid_list *branch = &sysctl__children;

	if (count == 0 || count > CTL_MAXNAME)
		return EINVAL;
	for (unsigned i = 0; i < count; i++) {
		struct sysctl_node *n = find_child(m, branch, NULL, 0, mib[i]);

		if (n == NULL)
			return ENOENT;
		if (i + 1 == count || (n->children != NULL && n->oid->oid_handler != NULL))
			return access_node(m, n, mib + i + 1, count - i - 1, a);
		if (n->children == NULL)
			return EISDIR;
		branch = n->children;
	}
	return ENOENT;
}

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
add_branches(struct nke *m)
{
	errno_t error = 0;

#define X(parent_, number_, name_)							\
	if (error == 0)									\
		error = sysctl_add(m, &sysctl_##parent_##_children, number_, #name_,	\
		    CTLTYPE_NODE | CTLFLAG_RW, &sysctl_##parent_##_##name_##_children, 0, NULL, "N");
#include "src/kern/sysctl_nodes.h"
#undef X
	return error;
}

static void
sysctl_fini(struct nke *m)
{
	struct sysctl_node *n;

	while ((n = TAILQ_FIRST(&m->sysctls->nodes)) != NULL) {
		TAILQ_REMOVE(&m->sysctls->nodes, n, link);
		kfree(m, n);
	}
	kfree(m, m->sysctls);
	m->sysctls = NULL;
}

static errno_t
sysctl_init(struct nke *m)
{
	errno_t error;

	m->sysctls = kalloc(m, sizeof *m->sysctls);
	if (m->sysctls == NULL)
		return ENOMEM;
	TAILQ_INIT(&m->sysctls->nodes);
	error = add_branches(m);
	if (error == 0)
		error = sysctl_add_leaves(m);
	if (error != 0)
		sysctl_fini(m);
	return error;
}

const struct subsystem sysctl_subsystem = {"sysctl", sysctl_init, NULL, sysctl_fini};
