/*
 * The protocol families of a machine and their protocols, as the socket layer finds them.
 *
 * Families register themselves when their subsystem comes up (net_add_domain, net_add_proto); sockets
 * look their protocol up once, when they are made, and are counted at it until they are gone, so that a
 * protocol cannot be taken away from under them. The lists hang off the machine and own their records;
 * what they point at are the families' constants.
 */
#include "src/kern/heap.h"
#include "src/kern/socket_private.h"

struct domain_registration {
	TAILQ_ENTRY(domain_registration) link;
	const struct domain *domain;
	TAILQ_HEAD(, pr_registration) protos;
};

static struct domain_registration *
find_domain(const struct nke *m, int family)
{
	struct domain_registration *d;

	TAILQ_FOREACH(d, &m->sockets->domains, link) {
		if (d->domain->dom_family == family)
			return d;
	}
	return NULL;
}

static struct pr_registration *
find_exact(const struct domain_registration *d, int type, int protocol)
{
	struct pr_registration *p;

	TAILQ_FOREACH(p, &d->protos, link) {
		if (p->proto->pr_type == type && p->proto->pr_protocol == protocol)
			return p;
	}
	return NULL;
}

/* ---- registration ------------------------------------------------------------------------- */

errno_t
net_add_domain(struct nke *m, const struct domain *domain)
{
	struct domain_registration *d;

	if (find_domain(m, domain->dom_family) != NULL)
		return EEXIST;
	d = kalloc(m, sizeof *d);
	if (d == NULL)
		return ENOMEM;
	d->domain = domain;
	TAILQ_INIT(&d->protos);
	TAILQ_INSERT_TAIL(&m->sockets->domains, d, link);
	return 0;
}

errno_t
net_del_domain(struct nke *m, int family)
{
	struct domain_registration *d = find_domain(m, family);

	if (d == NULL)
		return ENOENT;
	if (!TAILQ_EMPTY(&d->protos))
		return EBUSY;
	TAILQ_REMOVE(&m->sockets->domains, d, link);
	kfree(m, d);
	return 0;
}

errno_t
net_add_proto(struct nke *m, int family, const struct protosw *proto)
{
	struct domain_registration *d = find_domain(m, family);
	struct pr_registration *p;

	if (d == NULL)
		return EAFNOSUPPORT;
	if (find_exact(d, proto->pr_type, proto->pr_protocol) != NULL)
		return EEXIST;
	p = kalloc(m, sizeof *p);
	if (p == NULL)
		return ENOMEM;
	p->proto = proto;
	p->domain = d->domain;
	TAILQ_INIT(&p->filters);
	TAILQ_INSERT_TAIL(&d->protos, p, link);
	return 0;
}

errno_t
net_del_proto(struct nke *m, int family, int type, int protocol)
{
	struct domain_registration *d = find_domain(m, family);
	struct pr_registration *p = d != NULL ? find_exact(d, type, protocol) : NULL;

	if (p == NULL)
		return ENOENT;
	if (p->sockets != 0)
		return EBUSY;
	TAILQ_REMOVE(&d->protos, p, link);
	kfree(m, p);
	return 0;
}

/* ---- lookup ------------------------------------------------------------------------------- */

/* The first of that type: what protocol 0 stands for. */
static struct pr_registration *
find_type(const struct domain_registration *d, int type)
{
	struct pr_registration *p;

	TAILQ_FOREACH(p, &d->protos, link) {
		if (p->proto->pr_type == type)
			return p;
	}
	return NULL;
}

static bool
has_protocol(const struct domain_registration *d, int protocol)
{
	const struct pr_registration *p;

	TAILQ_FOREACH(p, &d->protos, link) {
		if (p->proto->pr_protocol == protocol)
			return true;
	}
	return false;
}

struct pr_registration *
pr_find(struct nke *m, int family, int type, int protocol)
{
	const struct domain_registration *d = find_domain(m, family);
	struct pr_registration *p = d != NULL ? find_exact(d, type, protocol) : NULL;

	return p == NULL && d != NULL && type == SOCK_RAW ? find_exact(d, SOCK_RAW, 0) : p;
}

errno_t
pr_lookup(struct nke *m, int family, int type, int protocol, struct pr_registration **out)
{
	const struct domain_registration *d = find_domain(m, family);
	struct pr_registration *p;

	if (d == NULL)
		return EAFNOSUPPORT;
	p = protocol != 0 ? find_exact(d, type, protocol) : find_type(d, type);
	if (p == NULL && protocol != 0 && type == SOCK_RAW)
		p = find_exact(d, SOCK_RAW, 0);
	if (p == NULL)
		return protocol != 0 && has_protocol(d, protocol) ? EPROTOTYPE : EPROTONOSUPPORT;
	*out = p;
	return 0;
}

errno_t
pffindproto(struct nke *m, int family, int type, int protocol, const struct protosw **proto,
    const struct domain **domain)
{
	struct pr_registration *p;
	errno_t error = pr_lookup(m, family, type, protocol, &p);

	if (error != 0)
		return error;
	*proto = p->proto;
	*domain = p->domain;
	return 0;
}
