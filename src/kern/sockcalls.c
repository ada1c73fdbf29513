/*
 * System calls on sockets: life, names, options. See sockcalls.h; data is in sockcalls_io.c, and what all
 * descriptors have in common in filecalls.c.
 *
 * Each call is one entry into the machine with its arguments in a struct on the caller's stack. Inside
 * it turns the number into a socket, which it holds referenced, so that closing the number meanwhile
 * does no harm.
 */
#include <string.h>

#include "src/kern/sched.h"
#include "src/kern/so_filter.h"
#include "src/kern/sockcalls_private.h"

/* ---- life --------------------------------------------------------------------------------- */

struct create_call {
	struct nke *machine;
	int family, type, protocol;
	int fds[2];
	errno_t error;
};

/* A descriptor for a new socket, which is closed when there is none. */
static errno_t
name_socket(struct nke *m, struct socket *so, int *fd)
{
	errno_t error = fd_alloc(m, so, fd);

	if (error != 0)
		(void)soclose(so);
	return error;
}

static void
do_socket(void *arg)
{
	struct create_call *c = arg;
	struct socket *so;

	c->error = fd_available(c->machine) == 0 ? EMFILE :
	    socreate(c->machine, c->family, c->type, c->protocol, &so);
	if (c->error == 0)
		c->error = name_socket(c->machine, so, &c->fds[0]);
}

int
sock_call_socket(struct nke *m, int family, int type, int protocol, int *fd)
{
	struct create_call c = {m, family, type, protocol, {-1, -1}, 0};
	int error = machine_call(m, do_socket, &c);

	*fd = c.fds[0];
	return error != 0 ? error : c.error;
}

static errno_t
connect_pair(struct socket *a, struct socket *b)
{
	errno_t error = soconnect2(a, b);

	/* Datagram sockets are peers in each direction by itself. */
	if (error == 0 && a->so_type == SOCK_DGRAM)
		error = soconnect2(b, a);
	return error;
}

static void
do_socketpair(void *arg)
{
	struct create_call *c = arg;
	struct nke *m = c->machine;
	struct socket *a, *b;

	c->error = fd_available(m) < 2 ? EMFILE :
	    socreate(m, c->family, c->type, c->protocol, &a);
	if (c->error != 0)
		return;
	c->error = socreate(m, c->family, c->type, c->protocol, &b);
	if (c->error != 0) {
		(void)soclose(a);
		return;
	}
	c->error = connect_pair(a, b);
	if (c->error != 0) {
		(void)soclose(a);
		(void)soclose(b);
		return;
	}
	c->error = name_socket(m, a, &c->fds[0]);
	if (c->error != 0) {
		(void)soclose(b);
		return;
	}
	c->error = name_socket(m, b, &c->fds[1]);
	if (c->error != 0)
		(void)fd_close(m, c->fds[0]);
}

int
sock_call_socketpair(struct nke *m, int family, int type, int protocol, int fds[2])
{
	struct create_call c = {m, family, type, protocol, {-1, -1}, 0};
	int error = machine_call(m, do_socketpair, &c);

	if (error == 0)
		error = c.error;
	fds[0] = error == 0 ? c.fds[0] : -1;
	fds[1] = error == 0 ? c.fds[1] : -1;
	return error;
}

struct fd_call {
	struct nke *machine;
	int fd;
	int value;
	errno_t error;
};

/* Enters with the call's own function. */
static int
call_fd(struct fd_call *c, void (*fn)(void *))
{
	int error = machine_call(c->machine, fn, c);

	return error != 0 ? error : c->error;
}

static void
do_listen(void *arg)
{
	struct fd_call *c = arg;
	struct socket *so = sock_call_hold(c->machine, c->fd, &c->error);

	if (so != NULL) {
		c->error = solisten(so, c->value);
		so_release(so);
	}
}

int
sock_call_listen(struct nke *m, int fd, int backlog)
{
	struct fd_call c = {m, fd, backlog, 0};

	return call_fd(&c, do_listen);
}

static void
do_shutdown(void *arg)
{
	struct fd_call *c = arg;
	struct socket *so = sock_call_hold(c->machine, c->fd, &c->error);

	if (so != NULL) {
		c->error = soshutdown(so, c->value);
		so_release(so);
	}
}

int
sock_call_shutdown(struct nke *m, int fd, int how)
{
	struct fd_call c = {m, fd, how, 0};

	return call_fd(&c, do_shutdown);
}

/* ---- names -------------------------------------------------------------------------------- */

errno_t
sock_call_take_name(struct sock_call_name *name, const void *from, uint32_t len)
{
	if (len > SOCK_MAXADDRLEN)
		return ENAMETOOLONG;
	if (from == NULL || len < offsetof(struct sockaddr, sa_data))
		return EINVAL;
	memcpy(name->bytes, from, len);
	/* A family may look at its whole fixed size without asking for the length. */
	if (len < sizeof(struct sockaddr_storage))
		memset(name->bytes + len, 0, sizeof(struct sockaddr_storage) - len);
	name->sa.sa_len = (uint8_t)len;
	return 0;
}

void
sock_call_give_name(const struct sockaddr_storage *ss, void *to, uint32_t *len)
{
	uint32_t size = ss->ss_len;

	if (len == NULL)
		return;
	if (to != NULL)
		memcpy(to, ss, size < *len ? size : *len);
	*len = size;
}

struct name_call {
	struct nke *machine;
	int fd;
	const void *name;
	uint32_t namelen;
	struct sockaddr_storage result;
	errno_t (*get)(struct socket *, struct sockaddr_storage *);
	bool connect;
	int out;
	errno_t error;
};

static void
do_set_name(void *arg)
{
	struct name_call *c = arg;
	struct sock_call_name name;
	struct socket *so = sock_call_hold(c->machine, c->fd, &c->error);

	if (so == NULL)
		return;
	c->error = sock_call_take_name(&name, c->name, c->namelen);
	if (c->error == 0)
		c->error = c->connect ? soconnect(so, &name.sa, 0) : sobind(so, &name.sa);
	so_release(so);
}

static int
set_name(struct nke *m, int fd, const void *name, uint32_t namelen, bool connect)
{
	struct name_call c = {.machine = m, .fd = fd, .name = name, .namelen = namelen,
	    .connect = connect};
	int error = machine_call(m, do_set_name, &c);

	return error != 0 ? error : c.error;
}

int
sock_call_bind(struct nke *m, int fd, const void *name, uint32_t namelen)
{
	return set_name(m, fd, name, namelen, false);
}

int
sock_call_connect(struct nke *m, int fd, const void *name, uint32_t namelen)
{
	return set_name(m, fd, name, namelen, true);
}

static void
do_accept(void *arg)
{
	struct name_call *c = arg;
	struct socket *so = sock_call_hold(c->machine, c->fd, &c->error), *new;

	if (so == NULL)
		return;
	c->error = fd_available(c->machine) == 0 ? EMFILE : soaccept(so, 0, &c->result, &new);
	if (c->error == 0)
		c->error = name_socket(c->machine, new, &c->out);
	so_release(so);
}

int
sock_call_accept(struct nke *m, int fd, void *name, uint32_t *namelen, int *out)
{
	struct name_call c = {.machine = m, .fd = fd, .out = -1};
	int error = machine_call(m, do_accept, &c);

	if (error == 0)
		error = c.error;
	*out = error == 0 ? c.out : -1;
	if (error == 0)
		sock_call_give_name(&c.result, name, namelen);
	return error;
}

static void
do_get_name(void *arg)
{
	struct name_call *c = arg;
	struct socket *so = sock_call_hold(c->machine, c->fd, &c->error);

	if (so == NULL)
		return;
	c->error = c->get(so, &c->result);
	if (c->error == 0 && so_filtered(so)) {
		errno_t error = so_filter_ops(so)->name(so, c->get == sogetpeername, &c->result);

		c->error = error == EJUSTRETURN ? 0 : error;
	}
	so_release(so);
}

static int
get_name(struct nke *m, int fd, void *name, uint32_t *namelen,
    errno_t (*get)(struct socket *, struct sockaddr_storage *))
{
	struct name_call c = {.machine = m, .fd = fd, .get = get};
	int error = machine_call(m, do_get_name, &c);

	if (error == 0)
		error = c.error;
	if (error == 0)
		sock_call_give_name(&c.result, name, namelen);
	return error;
}

int
sock_call_getsockname(struct nke *m, int fd, void *name, uint32_t *namelen)
{
	return get_name(m, fd, name, namelen, sogetsockname);
}

int
sock_call_getpeername(struct nke *m, int fd, void *name, uint32_t *namelen)
{
	return get_name(m, fd, name, namelen, sogetpeername);
}

/* ---- options ------------------------------------------------------------------------------ */

struct option_call {
	struct nke *machine;
	int fd;
	struct sockopt sopt;
	errno_t error;
};

static void
do_option(void *arg)
{
	struct option_call *c = arg;
	struct socket *so = sock_call_hold(c->machine, c->fd, &c->error);

	if (so == NULL)
		return;
	c->error = c->sopt.sopt_dir == SOPT_SET ? sosetopt(so, &c->sopt) : sogetopt(so, &c->sopt);
	so_release(so);
}

static int
call_option(struct option_call *c)
{
	int error;

	if (c->sopt.sopt_val == NULL && c->sopt.sopt_valsize != 0) {
		if (c->sopt.sopt_dir == SOPT_SET)
			return EINVAL;
		/* Only the size is wanted; few protocols tell it. */
		c->sopt.sopt_valsize = 0;
	}
	error = machine_call(c->machine, do_option, c);
	return error != 0 ? error : c->error;
}

int
sock_call_setsockopt(struct nke *m, int fd, int level, int name, const void *value, uint32_t len)
{
	struct option_call c = {m, fd, {SOPT_SET, level, name, (void *)(uintptr_t)value, len}, 0};

	return call_option(&c);
}

int
sock_call_getsockopt(struct nke *m, int fd, int level, int name, void *value, uint32_t *len)
{
	struct option_call c = {m, fd, {SOPT_GET, level, name, value, *len}, 0};
	int error = call_option(&c);

	if (error == 0)
		*len = (uint32_t)c.sopt.sopt_valsize;
	return error;
}
