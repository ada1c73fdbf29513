/* Helpers for tests of sockets: pairs, names, texts, options. */
#ifndef NKE_TESTS_SOCK_TESTING_H
#define NKE_TESTS_SOCK_TESTING_H

#include <string.h>
#include <sys/un.h>

#include "src/kern/sched.h"
#include "src/kern/socket_private.h"
#include "tests/unit/ktest.h"

static inline struct socket *
make_socket(int family, int type)
{
	struct socket *so = NULL;

	CHECK_EQ(socreate(curmachine(), family, type, 0, &so), 0);
	return so;
}

static inline void
make_pair(int type, struct socket **a, struct socket **b)
{
	*a = make_socket(PF_LOCAL, type);
	*b = make_socket(PF_LOCAL, type);
	CHECK_EQ(soconnect2(*a, *b), 0);
	if (type == SOCK_DGRAM)
		CHECK_EQ(soconnect2(*b, *a), 0);
}

static inline const struct sockaddr *
local_name(struct sockaddr_un *sun, const char *path)
{
	size_t len = strnlen(path, sizeof sun->sun_path - 1);

	memset(sun, 0, sizeof *sun);
	sun->sun_len = (uint8_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	sun->sun_family = AF_LOCAL;
	memcpy(sun->sun_path, path, len);
	return (const struct sockaddr *)(const void *)sun;
}

/* Sends all of the text; the error. */
static inline errno_t
send_flags(struct socket *so, const char *text, int flags)
{
	size_t len = strlen(text), sent = 0;
	errno_t error = sosend(so, NULL, text, len, NULL, NULL, flags, &sent);

	if (error == 0)
		CHECK_EQ(sent, len);
	return error;
}

static inline errno_t
send_text(struct socket *so, const char *text)
{
	return send_flags(so, text, 0);
}

/* Receives at most `size` bytes as a text; "!" and nothing else on an error, which is in *error. */
static inline const char *
receive_flags(struct socket *so, size_t size, int flags, errno_t *error, int *out_flags)
{
	static char text[1024];
	struct so_received r;
	errno_t e = soreceive(so, text, size < sizeof text ? size : sizeof text - 1, flags, &r);

	if (error != NULL)
		*error = e;
	else
		CHECK_EQ(e, 0);
	if (out_flags != NULL)
		*out_flags = r.flags;
	m_freem(r.control);
	if (e != 0)
		return "!";
	text[r.len] = '\0';
	return text;
}

static inline const char *
receive_text(struct socket *so)
{
	return receive_flags(so, 1000, MSG_DONTWAIT, NULL, NULL);
}

static inline errno_t
receive_error(struct socket *so)
{
	errno_t error;

	receive_flags(so, 1000, MSG_DONTWAIT, &error, NULL);
	return error;
}

static inline errno_t
set_option(struct socket *so, int level, int name, const void *value, size_t len)
{
	struct sockopt sopt = {SOPT_SET, level, name, (void *)(uintptr_t)value, len};

	return sosetopt(so, &sopt);
}

static inline errno_t
set_int(struct socket *so, int name, int value)
{
	return set_option(so, SOL_SOCKET, name, &value, sizeof value);
}

static inline int
get_int(struct socket *so, int name)
{
	int value = -1;
	struct sockopt sopt = {SOPT_GET, SOL_SOCKET, name, &value, sizeof value};

	CHECK_EQ(sogetopt(so, &sopt), 0);
	return value;
}

#endif
