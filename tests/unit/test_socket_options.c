/* src/kern/uipc_options.c and uipc_sysctl.c: options of level SOL_SOCKET, ioctls, kern.ipc. */
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include "src/kern/sysctl.h"
#include "tests/unit/sock_testing.h"

static errno_t
get_option(struct socket *so, int level, int name, void *value, size_t *len)
{
	struct sockopt sopt = {SOPT_GET, level, name, value, *len};
	errno_t error = sogetopt(so, &sopt);

	*len = sopt.sopt_valsize;
	return error;
}

KTEST(bits_are_set_and_read)
{
	static const int bits[] = {SO_DEBUG, SO_REUSEADDR, SO_KEEPALIVE, SO_DONTROUTE, SO_BROADCAST,
	    SO_USELOOPBACK, SO_OOBINLINE, SO_REUSEPORT, SO_TIMESTAMP, SO_TIMESTAMP_MONOTONIC,
	    SO_DONTTRUNC, SO_WANTMORE, SO_WANTOOBFLAG};
	static const int flags[] = {SO_NOSIGPIPE, SO_NOADDRERR, SO_REUSESHAREUID, SO_NOTIFYCONFLICT,
	    SO_UPCALLCLOSEWAIT, SO_RANDOMPORT};
	struct socket *so = make_socket(PF_LOCAL, SOCK_STREAM);

	for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
		CHECK_EQ(get_int(so, bits[i]), 0);
		CHECK_EQ(set_int(so, bits[i], 7), 0);
		CHECK_EQ(get_int(so, bits[i]), bits[i]);
		CHECK_EQ(so->so_options, bits[i]);
		CHECK_EQ(set_int(so, bits[i], 0), 0);
		CHECK_EQ(get_int(so, bits[i]), 0);
	}
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		CHECK_EQ(set_int(so, flags[i], 7), 0);
		CHECK_EQ(get_int(so, flags[i]), 1);
		CHECK_EQ(set_int(so, flags[i], 0), 0);
		CHECK_EQ(so->so_flags, 0);
	}
	soclose(so);
}

KTEST(wrong_options_get_bsds_errors)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_STREAM);
	int value = 1;
	size_t len = sizeof value;

	CHECK_EQ(set_int(so, SO_ACCEPTCONN, 1), ENOPROTOOPT);
	CHECK_EQ(set_int(so, SO_TYPE, 1), ENOPROTOOPT);
	CHECK_EQ(set_int(so, SO_ERROR, 1), ENOPROTOOPT);
	CHECK_EQ(set_int(so, SO_NREAD, 1), ENOPROTOOPT);
	CHECK_EQ(set_int(so, 0, 1), ENOPROTOOPT);
	CHECK_EQ(set_int(so, -1, 1), ENOPROTOOPT);
	CHECK_EQ(set_int(so, 0x7fff, 1), ENOPROTOOPT);
	CHECK_EQ(set_int(so, SO_REUSEADDR | SO_KEEPALIVE, 1), ENOPROTOOPT);
	CHECK_EQ(get_option(so, SOL_SOCKET, 0x7fff, &value, &len), ENOPROTOOPT);
	for (size_t n = 0; n < sizeof value; n++) {
		CHECK_EQ(set_option(so, SOL_SOCKET, SO_REUSEADDR, &value, n), EINVAL);
		CHECK_EQ(set_option(so, SOL_SOCKET, SO_RCVBUF, &value, n), EINVAL);
		CHECK_EQ(set_option(so, SOL_SOCKET, SO_RCVTIMEO, &value, n), EINVAL);
		CHECK_EQ(set_option(so, SOL_SOCKET, SO_LINGER, &value, n), EINVAL);
	}
	CHECK_EQ(set_int(so, SO_LABEL, 1), EOPNOTSUPP);
	CHECK_EQ(set_int(so, SO_NKE, 1), EINVAL);
	/* a value is cut to the room for it */
	len = 2;
	value = -1;
	CHECK_EQ(get_option(so, SOL_SOCKET, SO_TYPE, &value, &len), 0);
	CHECK_EQ(len, 2);
	CHECK_EQ((unsigned)value, 0xffff0001);
	len = 100;
	CHECK_EQ(get_option(so, SOL_SOCKET, SO_TYPE, &value, &len), 0);
	CHECK_EQ(len, 4);
	soclose(so);
}

KTEST(buffers_have_sizes_and_low_water_marks)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_STREAM);
	int most = (int)((uint64_t)SB_MAX_DEFAULT * MCLBYTES / (MSIZE + MCLBYTES));

	CHECK_EQ(set_int(so, SO_RCVBUF, 0), EINVAL);
	CHECK_EQ(set_int(so, SO_RCVBUF, -1), EINVAL);
	CHECK_EQ(set_int(so, SO_SNDBUF, most + 1), ENOBUFS);
	CHECK_EQ(set_int(so, SO_SNDBUF, INT32_MAX), ENOBUFS);
	CHECK_EQ(set_int(so, SO_SNDBUF, most), 0);
	CHECK_EQ(get_int(so, SO_SNDBUF), most);
	CHECK_EQ(set_int(so, SO_RCVBUF, 1000), 0);
	CHECK_EQ(get_int(so, SO_RCVBUF), 1000);
	CHECK(so->so_rcv.sb_flags & SB_USRSIZE);
	CHECK_EQ(set_int(so, SO_RCVLOWAT, 5000), 0);
	CHECK_EQ(get_int(so, SO_RCVLOWAT), 1000);
	CHECK_EQ(set_int(so, SO_RCVLOWAT, 0), EINVAL);
	CHECK_EQ(set_int(so, SO_SNDLOWAT, 1), 0);
	CHECK_EQ(get_int(so, SO_SNDLOWAT), 1);
	CHECK_EQ(set_int(so, SO_RCVBUF, 10), 0);
	CHECK_EQ(get_int(so, SO_RCVLOWAT), 10);
	soclose(so);
}

KTEST(time_limits_are_checked)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_STREAM);
	struct timeval tv = {3, 250000};
	size_t len = sizeof tv;

	CHECK_EQ(set_option(so, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), 0);
	CHECK_EQ(so->so_rcv.sb_timeo, 3250000000);
	tv.tv_sec = tv.tv_usec = 0;
	CHECK_EQ(get_option(so, SOL_SOCKET, SO_RCVTIMEO, &tv, &len), 0);
	CHECK_EQ(tv.tv_sec, 3);
	CHECK_EQ(tv.tv_usec, 250000);
	CHECK_EQ(so->so_snd.sb_timeo, 0);
	tv.tv_usec = 1000000;
	CHECK_EQ(set_option(so, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), EDOM);
	tv.tv_usec = -1;
	CHECK_EQ(set_option(so, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), EDOM);
	tv.tv_usec = 0;
	tv.tv_sec = -1;
	CHECK_EQ(set_option(so, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), EDOM);
	tv.tv_sec = INT64_MAX;
	CHECK_EQ(set_option(so, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), 0);
	CHECK(so->so_snd.sb_timeo > UINT64_C(1) << 60);
	soclose(so);
}

KTEST(lingering_is_in_ticks_or_seconds)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_STREAM);
	struct linger l = {1, 250};
	size_t len = sizeof l;

	CHECK_EQ(set_option(so, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
	CHECK_EQ(get_option(so, SOL_SOCKET, SO_LINGER_SEC, &l, &len), 0);
	CHECK_EQ(l.l_linger, 2);
	CHECK_EQ(l.l_onoff, SO_LINGER);
	l.l_linger = 7;
	CHECK_EQ(set_option(so, SOL_SOCKET, SO_LINGER_SEC, &l, sizeof l), 0);
	CHECK_EQ(get_option(so, SOL_SOCKET, SO_LINGER, &l, &len), 0);
	CHECK_EQ(l.l_linger, 700);
	l.l_linger = INT32_MAX;
	CHECK_EQ(set_option(so, SOL_SOCKET, SO_LINGER_SEC, &l, sizeof l), 0);
	CHECK(so->so_linger > 0);
	l.l_linger = -5;
	l.l_onoff = 0;
	CHECK_EQ(set_option(so, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
	CHECK(so->so_linger <= 0);
	CHECK(!(so->so_options & SO_LINGER));
	soclose(so);
}

KTEST(other_values_have_ranges)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_STREAM);
	struct so_np_extensions x = {SONPX_SETOPTSHUT, SONPX_SETOPTSHUT};
	size_t len = sizeof x;

	CHECK_EQ(set_int(so, SO_NET_SERVICE_TYPE, NET_SERVICE_TYPE_VO), 0);
	CHECK_EQ(get_int(so, SO_NET_SERVICE_TYPE), NET_SERVICE_TYPE_VO);
	CHECK_EQ(set_int(so, SO_NET_SERVICE_TYPE, 9), EINVAL);
	CHECK_EQ(set_int(so, SO_NET_SERVICE_TYPE, -1), EINVAL);
	CHECK_EQ(set_int(so, SO_RESTRICTIONS, SO_RESTRICT_DENYOUT), 0);
	CHECK_EQ(set_int(so, SO_RESTRICTIONS, (int)(SO_RESTRICT_DENYSET | 0x100)), 0);
	CHECK_EQ((unsigned)get_int(so, SO_RESTRICTIONS), SO_RESTRICT_DENYSET | SO_RESTRICT_DENYOUT);
	CHECK_EQ(set_int(so, SO_RESTRICTIONS, SO_RESTRICT_DENYIN), EPERM);
	CHECK_EQ(set_option(so, SOL_SOCKET, SO_NP_EXTENSIONS, &x, sizeof x), 0);
	socantsendmore(so);
	socantrcvmore(so);
	CHECK_EQ(set_int(so, SO_KEEPALIVE, 1), 0);
	x.npx_flags = 0;
	CHECK_EQ(get_option(so, SOL_SOCKET, SO_NP_EXTENSIONS, &x, &len), 0);
	CHECK_EQ(x.npx_flags, SONPX_SETOPTSHUT);
	x.npx_mask = 2;
	CHECK_EQ(set_option(so, SOL_SOCKET, SO_NP_EXTENSIONS, &x, sizeof x), EINVAL);
	x.npx_mask = SONPX_SETOPTSHUT;
	x.npx_flags = 0;
	CHECK_EQ(set_option(so, SOL_SOCKET, SO_NP_EXTENSIONS, &x, sizeof x), 0);
	CHECK_EQ(set_int(so, SO_KEEPALIVE, 1), EINVAL);
	soclose(so);
}

KTEST(counts_say_what_is_in_the_buffers)
{
	struct socket *a, *b;
	int n;

	make_pair(SOCK_DGRAM, &a, &b);
	CHECK_EQ(send_text(a, "12345"), 0);
	CHECK_EQ(send_text(a, "123"), 0);
	CHECK_EQ(get_int(b, SO_NREAD), 5);
	CHECK_EQ(get_int(b, SO_NUMRCVPKT), 2);
	CHECK_EQ(soioctl(b, FIONREAD, &n), 0);
	CHECK_EQ(n, 8 + 2 * 16);
	CHECK_EQ(get_int(b, SO_TYPE), SOCK_DGRAM);
	soclose(a);
	soclose(b);
	make_pair(SOCK_STREAM, &a, &b);
	CHECK_EQ(send_text(a, "12345"), 0);
	CHECK_EQ(send_text(a, "123"), 0);
	CHECK_EQ(get_int(b, SO_NREAD), 8);
	CHECK_EQ(get_int(a, SO_NWRITE), 8);
	CHECK_STR(receive_flags(b, 3, 0, NULL, NULL), "123");
	CHECK_EQ(get_int(a, SO_NWRITE), 5);
	so_seterror(b, EIO);
	CHECK_EQ(get_int(b, SO_ERROR), EIO);
	CHECK_EQ(get_int(b, SO_ERROR), 0);
	soclose(a);
	soclose(b);
}

static errno_t
interface_ioctl(struct socket *so, unsigned long command, void *data)
{
	(void)so;
	CHECK_EQ(command, SIOCGIFMTU);
	*(int *)data = 42;
	return 0;
}

KTEST(ioctls_are_dispatched_by_group)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_STREAM);
	int n = 1, request[64];

	CHECK_EQ(soioctl(so, FIONBIO, &n), 0);
	CHECK(so->so_state & SS_NBIO);
	n = 0;
	CHECK_EQ(soioctl(so, FIONBIO, &n), 0);
	CHECK(!(so->so_state & SS_NBIO));
	n = 77;
	CHECK_EQ(soioctl(so, FIOSETOWN, &n), 0);
	n = 0;
	CHECK_EQ(soioctl(so, SIOCGPGRP, &n), 0);
	CHECK_EQ(n, 77);
	CHECK_EQ(soioctl(so, FIOASYNC, &n), 0);
	CHECK_EQ(soioctl(so, FIOCLEX, NULL), 0);
	so_set_interface_ioctl(curmachine(), interface_ioctl);
	CHECK_EQ(soioctl(so, SIOCGIFMTU, request), 0);
	CHECK_EQ(request[0], 42);
	CHECK_EQ(soioctl(so, SIOCSHIWAT, &n), EOPNOTSUPP);
	so_set_interface_ioctl(curmachine(), NULL);
	CHECK_EQ(soioctl(so, SIOCGIFMTU, request), EOPNOTSUPP);
	soclose(so);
}

static int
read_variable(const char *name)
{
	int value = -1;
	size_t len = sizeof value;
	struct sysctl_access get = {.old = &value, .old_len = &len};

	CHECK_EQ(sysctl_by_name(curmachine(), name, &get), 0);
	return value;
}

static errno_t
write_variable(const char *name, int value)
{
	struct sysctl_access set = {.new = &value, .new_len = sizeof value};

	return sysctl_by_name(curmachine(), name, &set);
}

KTEST(variables_are_read_and_set)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_STREAM);

	CHECK_EQ(read_variable("kern.ipc.maxsockbuf"), SB_MAX_DEFAULT);
	CHECK_EQ(read_variable("kern.ipc.somaxconn"), 128);
	CHECK_EQ(read_variable("kern.ipc.numopensockets"), curmachine()->sockets->count);
	CHECK_EQ(read_variable("kern.maxfiles"), 262144);
	CHECK_EQ(read_variable("net.local.stream.sendspace"), 8192);
	CHECK_EQ(read_variable("net.local.dgram.maxdgram"), 2048);
	CHECK_EQ(read_variable("net.local.inflight"), 0);
	CHECK_EQ(write_variable("kern.ipc.maxsockbuf", 23040), 0);
	CHECK_EQ(set_int(so, SO_RCVBUF, 20481), ENOBUFS);
	CHECK_EQ(set_int(so, SO_RCVBUF, 20480), 0);
	CHECK_EQ(write_variable("kern.ipc.maxsockbuf", 0), EINVAL);
	CHECK_EQ(write_variable("kern.ipc.somaxconn", 70000), EINVAL);
	CHECK_EQ(write_variable("kern.ipc.numopensockets", 1), EPERM);
	CHECK_EQ(write_variable("net.local.inflight", 1), EPERM);
	CHECK_EQ(write_variable("net.local.stream.sendspace", -1), EINVAL);
	CHECK_EQ(write_variable("net.local.stream.recvspace", 4096), 0);
	soclose(so);
	so = make_socket(PF_LOCAL, SOCK_STREAM);
	CHECK_EQ(get_int(so, SO_RCVBUF), 4096);
	soclose(so);
}

KTEST_SUITE(socket_options,
    T(bits_are_set_and_read),
    T(wrong_options_get_bsds_errors),
    T(buffers_have_sizes_and_low_water_marks),
    T(time_limits_are_checked),
    T(lingering_is_in_ticks_or_seconds),
    T(other_values_have_ranges),
    T(counts_say_what_is_in_the_buffers),
    T(ioctls_are_dispatched_by_group),
    T(variables_are_read_and_set));
