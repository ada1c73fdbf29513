/* `nke run --echo`: datagrams go back to who sent them, as RFC 862 says, by both families. */
#include <errno.h>
#include <nke/socket.h>
#include <string.h>

#include "src/cmd/run.h"

static void
echo(nke_event_t *e, int s, short what, void *arg)
{
	static char data[65536];
	struct run *r = arg;
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	ssize_t n;

	(void)e;
	(void)what;
	while ((n = nke_recvfrom(r->machine, s, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&from,
	    &len)) >= 0) {
		if (nke_sendto(r->machine, s, data, (size_t)n, MSG_DONTWAIT, (struct sockaddr *)&from,
		    len) == n)
			r->echoed++;
		len = sizeof from;
	}
}

static int
open_socket(struct run *r, int family, int *s)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)r->echo_port)};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)r->echo_port)};
	int on = 1, room = 1 << 18;

	*s = nke_socket(r->machine, family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (*s < 0)
		return -1;
	/* the longest datagram */
	if (nke_setsockopt(r->machine, *s, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) != 0 ||
	    nke_setsockopt(r->machine, *s, SOL_SOCKET, SO_SNDBUF, &room, sizeof room) != 0)
		return -1;
	if (family == AF_INET)
		return nke_bind(r->machine, *s, (struct sockaddr *)&sin, sizeof sin);
	if (nke_setsockopt(r->machine, *s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
		return -1;
	return nke_bind(r->machine, *s, (struct sockaddr *)&sin6, sizeof sin6);
}

int
run_echo_start(struct run *r)
{
	const int families[2] = {AF_INET, AF_INET6};

	for (unsigned i = 0; i < 2; i++) {
		if (open_socket(r, families[i], &r->echo_sockets[i]) != 0 ||
		    nke_event_new(r->loop, r->echo_sockets[i], POLLIN, echo, r, &r->echo_events[i]) != 0) {
			cmd_error("run", "--echo %u: %s", r->echo_port, strerror(errno));
			return CMD_INPUT;
		}
	}
	run_say(r, "what comes to port %u goes back", r->echo_port);
	return CMD_OK;
}

void
run_echo_stop(struct run *r)
{
	for (unsigned i = 0; i < 2; i++) {
		if (r->echo_events[i] == NULL)
			continue;
		nke_event_free(r->echo_events[i]);
		(void)nke_close(r->machine, r->echo_sockets[i]);
	}
}
