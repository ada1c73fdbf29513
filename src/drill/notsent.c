/*
 * How much Linux takes of what a script writes to a socket that does not wait, under TCP_NOTSENT_LOWAT or
 * net.ipv4.tcp_notsent_lowat. A machine's option is for poll() only, as Darwin's is; Linux also stops taking
 * data. It takes them into pieces of as many whole segments as fit half the peer's largest window and 64 KiB,
 * sends what it may whenever one is full, and begins no piece while as much as the limit is not sent. To
 * poll() there is room when a third of the buffer is free.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "src/drill/engine.h"
#include "src/netinet/tcp_user.h"

#define LARGEST_PIECE	65535u

#ifndef TCP_NOTSENT_LOWAT
#define TCP_NOTSENT_LOWAT	25
#endif

/* The limit of this socket, which poll() is told of as well; 0: none. */
static uint32_t
limit_of(struct run *r, int fd)
{
	socklen_t len = sizeof(uint32_t);
	uint32_t limit = 0;

	if (nke_getsockopt(r->machine, fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &limit, &len) != 0)
		return 0;
	if (limit == 0 && (limit = r->notsent_lowat) != 0)
		(void)nke_setsockopt(r->machine, fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &limit, sizeof limit);
	return limit;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Octets of `total` that are taken. */
static size_t
taken_of(const struct core_tcp_info *info, uint32_t limit, size_t total)
{
	uint32_t mss = info->tcpi_snd_mss, unsent = info->tcpi_notsent;
	uint32_t out = info->tcpi_snd_sbbytes - unsent, may = least(info->tcpi_snd_cwnd, info->tcpi_snd_wnd);
	uint32_t piece = least(LARGEST_PIECE, info->tcpi_snd_wnd / 2) / mss * mss, room, sent;
	size_t taken = 0, n;

	while (taken < total) {
		room = piece - unsent % piece;
		if (unsent % piece == 0 && unsent >= limit)
			break;
		n = total - taken < room ? total - taken : room;
		taken += n;
		unsent += (uint32_t)n;
		sent = n == room && may > out ? least(may - out, unsent) / mss * mss : 0;
		unsent -= sent;
		out += sent;
	}
	return taken;
}

/* A piece that was begun is filled, whatever the size of the buffer. */
static void
make_room(struct run *r, struct script_fd *fd, size_t octets)
{
	socklen_t len = sizeof(int);
	int size = 0, needed = (int)octets;

	if (nke_getsockopt(r->machine, fd->live, SOL_SOCKET, SO_SNDBUF, &size, &len) != 0)
		return;
	if (fd->sndbuf == 0)
		fd->sndbuf = size;
	if (size < needed)
		(void)nke_setsockopt(r->machine, fd->live, SOL_SOCKET, SO_SNDBUF, &needed, sizeof needed);
}

bool
notsent_is_full(struct run *r, int live)
{
	const struct script_fd *fd = by_live_fd(r, live);
	struct core_tcp_info info;
	socklen_t len = sizeof info;

	return fd != NULL && fd->sndbuf != 0 && nke_darwin_getsockopt(r->machine, live, IPPROTO_TCP,
	    CORE_TCP_INFO, &info, &len) == 0 && info.tcpi_snd_sbbytes * 3ull / 2 > (unsigned)fd->sndbuf;
}

void
notsent_clip(struct run *r, struct job *j, struct script_fd *fd)
{
	struct core_tcp_info info;
	socklen_t len = sizeof info;
	uint32_t limit;

	if (!r->linux_dialect || fd == NULL || fd->type != SOCK_STREAM || !fd->nonblocking || !j->plain ||
	    (limit = limit_of(r, j->fd)) == 0 || nke_darwin_getsockopt(r->machine, j->fd, IPPROTO_TCP,
	    CORE_TCP_INFO, &info, &len) != 0 || info.tcpi_snd_mss == 0 ||
	    info.tcpi_snd_wnd / 2 < info.tcpi_snd_mss)
		return;
	j->full = j->total != 0;
	j->total = taken_of(&info, limit, j->total);
	j->iov->iov_len = j->total;
	j->full = j->full && j->total == 0;
	make_room(r, fd, info.tcpi_snd_sbbytes + j->total);
}
