/*
 * Scripts run against a machine: each kind of event done as it says, and every way in which the machine can
 * do something else told with its line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/drill/config.h"
#include "src/drill/run.h"

static FILE *nowhere;

/* What the command line would set. */
static struct drill_config settings;

static enum drill_outcome
run(const char *text, struct drill_result *result, FILE *out)
{
	struct drill_config config = settings;
	struct drill_error error = {.kind = DRILL_ERROR_NONE};
	enum drill_outcome outcome;
	struct drill_script *s;

	if (drill_parse("test", text, strlen(text), NULL, 0, &s, &error) != 0 ||
	    drill_config_script(&config, s, &error) != 0)
		fail_msg("line %u: %s", error.place.line, error.text);
	outcome = drill_run(s, &config, out, result);
	drill_script_free(s);
	return outcome;
}

static void
passes(const char *text)
{
	struct drill_result result;

	if (run(text, &result, nowhere) != DRILL_PASSED)
		fail_msg("%s", result.text);
	assert_null(result.text);
}

static void
ends(enum drill_outcome outcome, const char *text, unsigned line, const char *message)
{
	struct drill_result result;

	if (run(text, &result, nowhere) != outcome)
		fail_msg("outcome %d: %s", result.outcome, result.text != NULL ? result.text : "passed");
	assert_int_equal(result.line, line);
	if (strstr(result.text, message) == NULL)
		fail_msg("no '%s' in:\n%s", message, result.text);
	free(result.text);
}

static void
fails(const char *text, unsigned line, const char *message)
{
	ends(DRILL_FAILED, text, line, message);
}

/* Three lines: a server that listens; six: one with a connection, descriptor 4. */
#define LISTENS \
	"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n" \
	"+0 bind(3, ..., ...) = 0\n" \
	"+0 listen(3, 1) = 0\n"
#define SERVER \
	LISTENS \
	"+0 < S 0:0(0) win 32792 <mss 1000>\n" \
	"+0 > S. 0:0(0) ack 1 <mss 1460>\n" \
	"+.1 < . 1:1(0) ack 1 win 32792\n" \
	"+0 accept(3, ..., ...) = 4\n"
/* Line 1: a datagram socket that is connected. */
#define DATAGRAMS \
	"0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n" \
	"+0 bind(3, ..., ...) = 0\n" \
	"+0 connect(3, ..., ...) = 0\n"

/* ---- packets ------------------------------------------------------------------------------------ */

static void
datagrams_go_both_ways(void **state)
{
	(void)state;
	passes(DATAGRAMS "+0 write(3, ..., 100) = 100\n+0 > udp (100)\n+.1 < udp (50)\n"
	    "+0 read(3, ..., 1000) = 50\n");
	passes("--ip_version=ipv6\n" DATAGRAMS "+0 write(3, ..., 100) = 100\n+0 > udp (100)\n"
	    "+.1 < udp (50)\n+0 read(3, ..., 1000) = 50\n");
	passes("--ip_version=ipv4-mapped-ipv6\n" DATAGRAMS "+0 write(3, ..., 100) = 100\n+0 > udp (100)\n"
	    "+.1 < udp (50)\n+0 read(3, ..., 1000) = 50\n");
}

static void
a_packet_that_differs_is_told_in_full(void **state)
{
	(void)state;
	fails(DATAGRAMS "+0 write(3, ..., 100) = 100\n+0 > udp (99)\n", 5,
	    "test:5: octets of data 100 instead of 99\n"
	    "  expected: 0.000000  > udp (99)\n"
	    "  seen:     0.000000  > [noecn] udp (100)");
	fails(SERVER "+0 write(4, ..., 10) = 10\n+0 > . 1:11(10) ack 2 win 5 urg 7 <nop>\n", 9,
	    "flags P. instead of .; ack 1 instead of 2; win 65535 instead of 5; urg 0 instead of 7");
	fails(SERVER "+0 write(4, ..., 10) = 10\n+0 > P. 2:12(10) ack 1\n", 9,
	    "sequence number 1 instead of 2");
	fails(LISTENS "+0 < S 0:0(0) win 1000 <mss 1000,sackOK>\n"
	    "+0 > S. 0:0(0) ack 1 <mss 1400,wscale 3>\n", 5,
	    "mss 1460 instead of 1400; there is an option sackOK; there is no option wscale");
	fails(DATAGRAMS "+0 write(3, ..., 1) = 1\n+0 > [ect0, ttl 3] udp (1)\n", 5,
	    "ECN bits 0 instead of 2; time to live 64 instead of 3\n"
	    "  expected: 0.000000  > [ect0,ttl 3] udp (1)");
}

static void
options_are_compared_by_what_they_say(void **state)
{
	(void)state;
	passes(LISTENS "+0 < S 0:0(0) win 1000 <sackOK,mss 1000>\n"
	    "+0 > S. 0:0(0) ack 1 <nop,sackOK,nop,mss 1460>\n");
	passes(LISTENS "+0 < S 0:0(0) win 1000 <mss 1000,sackOK>\n+0 > S. 0:0(0) ack 1 <...>\n");
	fails(LISTENS "+0 < S 0:0(0) win 1000 <mss 1000,sackOK>\n+0 > S. 0:0(0) ack 1 <mss 1460>\n", 5,
	    "sackOK");
}

static void
a_missing_packet_is_waited_for_as_long_as_it_may_take(void **state)
{
	(void)state;
	fails(LISTENS "+.5 > . 1:1(0) ack 1\n", 4, "the packet did not come");
	fails(LISTENS "* > . 1:1(0) ack 1\n", 4, "nothing, until");
	passes(LISTENS "+0 < S 0:0(0) win 1000 <mss 1000>\n+0 > S. 0:0(0) ack 1 <...>\n"
	    "* > S. 0:0(0) ack 1 <...>\n");
	fails(LISTENS "+0 < S 0:0(0) win 1000 <mss 1000>\n+0 > S. 0:0(0) ack 1 <...>\n"
	    "+0 > S. 0:0(0) ack 1 <...>\n", 6,
	    "did not come in time");
}

static void
times_are_exact_unless_something_else_is_said(void **state)
{
	static const char late[] =
	    LISTENS "+0 < S 0:0(0) win 1000 <mss 1000>\n+.001 > S. 0:0(0) ack 1 <...>\n";
	char text[400];

	(void)state;
	fails(late, 5, "time 0.000000 instead of 0.001000");
	snprintf(text, sizeof text, "--tolerance_usecs=1000\n%s", late);
	passes(text);
	passes(LISTENS "+0 < S 0:0(0) win 1000 <mss 1000>\n+0~+.1 > S. 0:0(0) ack 1 <...>\n");
	passes(LISTENS "+.2 < S 0:0(0) win 1000 <mss 1000>\n0.1~0.3 > S. 0:0(0) ack 1 <...>\n");
	fails(LISTENS "+.5 < S 0:0(0) win 1000 <mss 1000>\n0.1~0.3 > S. 0:0(0) ack 1 <...>\n", 5,
	    "time 0.500000");
	fails(SERVER "0.01 close(4) = 0\n", 8, "this is to happen at 0.010000, but it is 0.100000");
}

/* packetdrill's 4 ms, which the authors of scripts for Linux count on, unless told otherwise. */
static void
scripts_for_linux_have_packetdrills_tolerance(void **state)
{
	static const char late[] = "`sysctl -q net.ipv4.tcp_timestamps=1`\n" LISTENS
	    "+0 < S 0:0(0) win 1000 <mss 1000>\n+.004 > S. 0:0(0) ack 1 <...>\n";
	char text[400];

	(void)state;
	passes(late);
	snprintf(text, sizeof text, "--tolerance_usecs=3999\n%s", late);
	fails(text, 7, "time 0.000000 instead of 0.004000");
}

/* Linux tells of the largest segment that came, as its interface has cut it. */
static void
scripts_for_linux_see_the_size_of_segments_that_came(void **state)
{
	static const char script[] = "%s`sysctl -q net.ipv4.tcp_timestamps=1`\n" SERVER
	    "+0 %%{ assert tcpi_rcv_mss == 536, tcpi_rcv_mss }%%\n"
	    "+0 < . 1:901(900) ack 1 win 1000\n* > . 1:1(0) ack 901\n"
	    "+0 < . 901:1001(100) ack 1 win 1000\n* > . 1:1(0) ack 1001\n"
	    "+0 %%{ assert tcpi_rcv_mss == %d, tcpi_rcv_mss }%%\n";
	char text[2048];

	(void)state;
	snprintf(text, sizeof text, script, "", 900);
	passes(text);
	snprintf(text, sizeof text, script, "--mss=700\n", 700);
	passes(text);
}

/* It acknowledges the SYN, as 0 does in a script. */
static void
an_ack_without_its_number_is_an_old_one(void **state)
{
	(void)state;
	passes(SERVER "+0 < . 1:101(100) win 1000\n* > . 1:1(0) ack 101\n");
}

static void
segments_may_be_cut_and_joined(void **state)
{
	(void)state;
	passes(SERVER "+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3001(3000) ack 1\n");
	passes(SERVER "+0 write(4, ..., 3000) = 3000\n+0 > . 1:1501(1500) ack 1\n"
	    "+0 > P. 1501:3001(1500) ack 1\n");
	fails("--strict_segments\n" SERVER "+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3001(3000) ack 1\n", 10,
	    "octets of data 1000 instead of 3000");
	fails(SERVER "+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3002(3001) ack 1\n", 9,
	    "3000 instead of 3001");
}

static void
numbers_of_the_script_become_those_of_the_wire(void **state)
{
	(void)state;
	/* Both ends' first numbers are 0 to the script, also in SACK blocks and echoed timestamps. */
	passes("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n"
	    "+0 < S 1000:1000(0) win 32792 <mss 1000,sackOK,TS val 7 ecr 0>\n"
	    "+0 > S. 0:0(0) ack 1001 <mss 1460,sackOK,TS val 100 ecr 7>\n"
	    "+.1 < . 1:1(0) ack 1 win 32792 <nop,nop,TS val 8 ecr 100>\n+0 accept(3, ..., ...) = 4\n"
	    "+.1 < . 11:21(10) ack 1 win 32792 <nop,nop,TS val 9 ecr 100>\n"
	    "+0 > . 1:1(0) ack 1 <nop,nop,TS val 300 ecr 8,nop,nop,sack 11:21>\n"
	    "+.1 < . 1:11(10) ack 1 win 32792 <nop,nop,TS val 10 ecr 100>\n"
	    "+0 > . 1:1(0) ack 21 <nop,nop,TS val 400 ecr 10>\n");
	passes("--tcp_ts_tick_usecs=1000\n" LISTENS
	    "+0 < S 0:0(0) win 32792 <mss 1000,sackOK,TS val 7 ecr 0>\n"
	    "+0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr 7>\n"
	    "+.2 < P. 1:11(10) ack 1 win 32792 <nop,nop,TS val 8 ecr 100>\n"
	    "* > . 1:1(0) ack 11 <nop,nop,TS val 340 ecr 8>\n");
	fails("--tcp_ts_tick_usecs=1000\n" LISTENS
	    "+0 < S 0:0(0) win 32792 <mss 1000,sackOK,TS val 7 ecr 0>\n"
	    "+0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr 7>\n"
	    "+.2 < P. 1:11(10) ack 1 win 32792 <nop,nop,TS val 8 ecr 100>\n"
	    "* > . 1:1(0) ack 11 <nop,nop,TS val 300 ecr 8>\n", 8, "TS val 340 instead of 300");
}

static void
icmp_goes_both_ways(void **state)
{
	(void)state;
	passes(DATAGRAMS "+0 write(3, ..., 10) = 10\n+0 > udp (10)\n"
	    "+.1 < icmp unreachable port_unreachable [udp (10)]\n+0 read(3, ..., 10) = -1 ECONNREFUSED\n"
	    "+0 close(3) = 0\n+0 < udp (7)\n+0 > icmp unreachable port_unreachable [udp (7)]\n");
	passes("--ip_version=ipv6\n" DATAGRAMS "+0 close(3) = 0\n+0 < udp (7)\n"
	    "+0 > icmp unreachable port_unreachable [udp (7)]\n");
	passes("0 < icmp echo_request id 7\n+0 > icmp echo_reply id 7\n");
	fails(DATAGRAMS "+0 close(3) = 0\n+0 < udp (7)\n"
	    "+0 > icmp unreachable host_unreachable [udp (8)]\n", 6,
	    "ICMP code 3 instead of 1; octets of the datagram that it is about 15 instead of 16");
}

/* ---- calls -------------------------------------------------------------------------------------- */

static void
results_are_compared(void **state)
{
	(void)state;
	fails("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = -1 EACCES\n", 1, "socket() has another result");
	fails(DATAGRAMS "+0 write(3, ..., 10) = 9\n", 4, "expected: 9\n  seen:     10");
	fails(DATAGRAMS "+0 write(3, ..., 10) = -1 EPIPE\n", 4, "expected: -1 EPIPE\n  seen:     10");
	fails("0 listen(9, 1) = 0\n", 1, "seen:     -1 EBADF");
	passes("0 listen(9, 1) = -1 EBADF (Bad file descriptor)\n+0 listen(9, 1) = ...\n"
	    "+0 listen(9, 1) = -1\n");
	ends(DRILL_BROKEN, "0 mmap(1, 2) = 0\n", 1, "there is no call mmap() here");
}

static void
descriptors_have_the_scripts_numbers(void **state)
{
	(void)state;
	passes("0 socket(..., SOCK_DGRAM, 0) = 9\n+0 socket(..., SOCK_DGRAM, 0) = 3\n"
	    "+0 bind(9, ..., ...) = 0\n"
	    "+0 bind(3, ..., ...) = -1 EADDRINUSE\n+0 close(9) = 0\n+0 close(9) = -1 EBADF\n");
}

static void
data_is_compared_where_the_script_names_it(void **state)
{
	static const char pair[] =
	    "0 socket(..., SOCK_DGRAM, 0) = 3\n"
	    "+0 bind(3, {sa_family = AF_INET, sin_port = htons(9), "
	    "sin_addr = inet_addr(\"127.0.0.1\")}, ...) = 0\n"
	    "+0 sendto(3, \"hello\", 5, 0, {sa_family = AF_INET, sin_port = htons(9), "
	    "sin_addr = inet_addr(\"127.0.0.1\")}, ...) = 5\n";
	char text[800];

	(void)state;
	snprintf(text, sizeof text, "%s+0 recv(3, \"hello\", 10, 0) = 5\n", pair);
	passes(text);
	snprintf(text, sizeof text, "%s+0 readv(3, [{\"he\", 2}, {\"llo\", 8}], 2) = 5\n", pair);
	passes(text);
	snprintf(text, sizeof text, "%s+0 recv(3, \"help!\", 10, 0) = 5\n", pair);
	fails(text, 4, "seen:     \"hello\"");
	snprintf(text, sizeof text, "%s+0 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 3}], "
	    "msg_flags=MSG_TRUNC}, 0) = 3\n", pair);
	passes(text);
	snprintf(text, sizeof text, "%s+0 ioctl(3, FIONREAD, [4]) = 0\n", pair);
	fails(text, 4, "expected: 4\n  seen:     5");
}

static void
options_of_sockets_are_set_and_asked(void **state)
{
	(void)state;
	passes("0 socket(..., SOCK_STREAM, 0) = 3\n+0 setsockopt(3, SOL_SOCKET, SO_RCVBUF, [10000], 4) = 0\n"
	    "+0 getsockopt(3, SOL_SOCKET, SO_RCVBUF, [10000], [4]) = 0\n"
	    "+0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=7}, 8) = 0\n"
	    "+0 getsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=7}, [8]) = 0\n"
	    "+0 setsockopt(3, IPPROTO_TCP, TCP_NODELAY, [1], 4) = 0\n"
	    "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n"
	    "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 fcntl(3, F_GETFL) = 0x6 (flags O_RDWR)\n"
	    "+0 fcntl(3, F_GETFL) = O_RDWR|O_NONBLOCK\n");
	fails("0 socket(..., SOCK_STREAM, 0) = 3\n"
	    "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0\n", 2,
	    "getsockopt() gives another value");
}

/* ---- calls that wait ---------------------------------------------------------------------------- */

static void
a_call_that_waits_returns_when_it_should(void **state)
{
	(void)state;
	passes(DATAGRAMS "+0...0.25 read(3, ..., 100) = 7\n+.25 < udp (7)\n");
	passes(DATAGRAMS "+1...1.25 read(3, ..., 100) = 7\n+.25 < udp (7)\n");
	passes(LISTENS "+0...0.3 accept(3, ..., ...) = 4\n+.1 < S 0:0(0) win 1000 <mss 1000>\n"
	    "+0 > S. 0:0(0) ack 1 <mss 1460>\n+.2 < . 1:1(0) ack 1 win 1000\n+.1 close(4) = 0\n"
	    "+0 > F. 1:1(0) ack 1\n");
	passes("0 socket(..., SOCK_STREAM, 0) = 3\n0...0.2 connect(3, ..., ...) = -1 ECONNREFUSED\n"
	    "+0 > S 0:0(0) <...>\n+.2 < R. 0:0(0) ack 1 win 0\n");
	/* By its own time limit, and by that of the socket. */
	passes(DATAGRAMS "+0...2 poll([{fd=3, events=POLLIN, revents=0}], 1, 2000) = 0\n");
	passes(DATAGRAMS "+0 setsockopt(3, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=2, tv_usec=500000}, 16) = 0\n"
	    "+0...2.5 read(3, ..., 10) = -1 EAGAIN\n");
}

static void
a_call_that_waits_otherwise_is_told(void **state)
{
	(void)state;
	fails(DATAGRAMS "+0 read(3, ..., 100) = 7\n", 4, "read() waits");
	fails(DATAGRAMS "+0...0.2 read(3, ..., 100) = 7\n", 4, "read() has not returned");
	fails(DATAGRAMS "+0...0.2 read(3, ..., 100) = 7\n+.1 < udp (7)\n+1 close(3) = 0\n", 4,
	    "read() has returned at 0.100000 instead of 0.200000");
	fails(DATAGRAMS "+0...0.2 read(3, ..., 100) = 7\n+.2 < udp (8)\n", 4, "seen:     8");
	fails(DATAGRAMS "+0...0.2 read(3, ..., 100) = 7\n+0...0.3 read(3, ..., 100) = 7\n", 4,
	    "has not returned");
}

static void
a_stream_waits_for_room(void **state)
{
	(void)state;
	fails("0 socket(..., SOCK_STREAM, 0) = 3\n+0 setsockopt(3, SOL_SOCKET, SO_SNDBUF, [2000], 4) = 0\n"
	    "+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n+0 < S 0:0(0) win 1000 <mss 1000>\n"
	    "+0 > S. 0:0(0) ack 1 <mss 1460>\n+0 < . 1:1(0) ack 1 win 1000\n+0 accept(3, ..., ...) = 4\n"
	    "+0 write(4, ..., 5000) = 5000\n", 9, "write() waits");
}

static void
epoll_tells_what_is_new(void **state)
{
	(void)state;
	passes(DATAGRAMS "+0 epoll_create(1) = 5\n"
	    "+0 epoll_ctl(5, EPOLL_CTL_ADD, 3, {events=EPOLLIN|EPOLLET, fd=3}) = 0\n"
	    "+0 epoll_ctl(5, EPOLL_CTL_ADD, 3, {events=EPOLLIN, fd=3}) = -1 EEXIST\n"
	    "+0 epoll_wait(5, {events=0, ptr=0}, 1, 0) = 0\n+.1 < udp (7)\n"
	    "+0 epoll_wait(5, {events=EPOLLIN, fd=3}, 1, 0) = 1\n"
	    "+0 epoll_wait(5, {events=0, ptr=0}, 1, 0) = 0\n"
	    "+0 epoll_ctl(5, EPOLL_CTL_DEL, 3, {}) = 0\n+0 epoll_wait(5, {events=0, ptr=0}, 1, 0) = 0\n"
	    "+0 close(5) = 0\n");
}

/* ---- commands and code -------------------------------------------------------------------------- */

static void
variables_are_set(void **state)
{
	(void)state;
	passes("`sysctl -w net.inet.ip.ttl=33`\n" DATAGRAMS "+0 write(3, ..., 1) = 1\n"
	    "+0 > [ttl 33] udp (1)\n");
	passes("0 `sysctl -q net.ipv4.ip_default_ttl=\"34\"; "
	    "sysctl net.ipv4.tcp_nothing=1 && true # comment`\n"
	    DATAGRAMS "+0 write(3, ..., 1) = 1\n+0 > [ttl 34] udp (1)\n");
	passes("`../../common/defaults.sh\n../common/set_sysctls.py /proc/sys/net/ipv4/ip_default_ttl=35`\n"
	    DATAGRAMS "+0 write(3, ..., 1) = 1\n+0 > [ttl 35] udp (1)\n`/tmp/sysctl_restore_${PPID}.sh`\n");
	ends(DRILL_BROKEN, "\n`sysctl -w net.inet.nothing=1`\n", 2, "net.inet.nothing");
	ends(DRILL_BROKEN, "`sysctl net.inet.ip.ttl=33\nrm -rf build`\n", 2,
	    "a command for the host: rm -rf build");
}

static void
variables_are_shown(void **state)
{
	struct drill_result result;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(run("`sysctl -n net.inet.ip.ttl`\n`echo $((2*3+1)) 'a b'`\n", &result, out),
	    DRILL_PASSED);
	fclose(out);
	assert_string_equal(text, "64\n7 a b\n");
	free(text);
}

static void
time_passes_in_sleep(void **state)
{
	(void)state;
	passes("0 `sleep 1.5`\n1.5 socket(..., SOCK_DGRAM, 0) = 3\n");
	fails("0 `sleep 1.5`\n1 socket(..., SOCK_DGRAM, 0) = 3\n", 2, "it is 1.500000");
}

static void
code_knows_the_connection(void **state)
{
	(void)state;
	passes(SERVER "+0 %{ assert tcpi_snd_mss == 1000; assert tcpi_state == TCPS_ESTABLISHED }%\n");
	passes("`../common/defaults.sh`\n" SERVER "+0 %{ assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd }%\n");
	fails(SERVER "+0 %{\nassert tcpi_snd_mss == 999\n}%\n", 9, "999");
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static void
after_a_failure_it_goes_on_if_told_to(void **state)
{
	(void)state;
	passes("--non_fatal=packet\n" DATAGRAMS "+0 write(3, ..., 1) = 1\n+0 > udp (2)\n"
	    "+0 write(3, ..., 1) = 1\n");
	passes("--non_fatal=syscall\n" DATAGRAMS "+0 write(3, ..., 1) = 2\n");
	fails("--non_fatal=syscall\n" DATAGRAMS "+0 write(3, ..., 1) = 1\n+0 > udp (2)\n", 6, "octets");
}

static void
what_nobody_expects_at_the_end(void **state)
{
	(void)state;
	passes(DATAGRAMS "+0 write(3, ..., 1) = 1\n");
	fails("--strict_end\n" DATAGRAMS "+0 write(3, ..., 1) = 1\n", 5,
	    "the script does not expect this, and ends");
	passes("--strict_end\n" DATAGRAMS "+0 write(3, ..., 1) = 1\n+0 > udp (1)\n");
}

static void
what_crossed_the_wire_is_kept(void **state)
{
	char path[] = "/tmp/drill-captureXXXXXX";
	const uint32_t magic = 0xa1b23c4d;
	unsigned char bytes[200];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	settings.capture = path;
	passes(DATAGRAMS "+0 write(3, ..., 3) = 3\n+0 > udp (3)\n+.5 < udp (3)\n");
	settings.capture = "/nowhere/at/all";
	ends(DRILL_BROKEN, DATAGRAMS, 0, "/nowhere/at/all: No such file or directory");
	settings.capture = NULL;
	/* A header of 24 octets, and twice 16 octets and a packet of 31. */
	assert_int_equal(read(fd, bytes, sizeof bytes), 24 + 2 * (16 + 31));
	assert_memory_equal(bytes, &magic, sizeof magic);
	close(fd);
	unlink(path);
}

static void
an_event_is_counted_and_time_told(void **state)
{
	struct drill_result result;

	(void)state;
	assert_int_equal(run(DATAGRAMS "+2.5 close(3) = 0\n", &result, nowhere), DRILL_PASSED);
	assert_int_equal(result.events, 4);
	assert_int_equal(result.virtual_us, 2500000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_go_both_ways),
		cmocka_unit_test(a_packet_that_differs_is_told_in_full),
		cmocka_unit_test(options_are_compared_by_what_they_say),
		cmocka_unit_test(a_missing_packet_is_waited_for_as_long_as_it_may_take),
		cmocka_unit_test(times_are_exact_unless_something_else_is_said),
		cmocka_unit_test(scripts_for_linux_have_packetdrills_tolerance),
		cmocka_unit_test(scripts_for_linux_see_the_size_of_segments_that_came),
		cmocka_unit_test(an_ack_without_its_number_is_an_old_one),
		cmocka_unit_test(segments_may_be_cut_and_joined),
		cmocka_unit_test(numbers_of_the_script_become_those_of_the_wire),
		cmocka_unit_test(icmp_goes_both_ways),
		cmocka_unit_test(results_are_compared),
		cmocka_unit_test(descriptors_have_the_scripts_numbers),
		cmocka_unit_test(data_is_compared_where_the_script_names_it),
		cmocka_unit_test(options_of_sockets_are_set_and_asked),
		cmocka_unit_test(a_call_that_waits_returns_when_it_should),
		cmocka_unit_test(a_call_that_waits_otherwise_is_told),
		cmocka_unit_test(a_stream_waits_for_room),
		cmocka_unit_test(epoll_tells_what_is_new),
		cmocka_unit_test(variables_are_set),
		cmocka_unit_test(variables_are_shown),
		cmocka_unit_test(time_passes_in_sleep),
		cmocka_unit_test(code_knows_the_connection),
		cmocka_unit_test(after_a_failure_it_goes_on_if_told_to),
		cmocka_unit_test(what_nobody_expects_at_the_end),
		cmocka_unit_test(what_crossed_the_wire_is_kept),
		cmocka_unit_test(an_event_is_counted_and_time_told),
	};
	int failed;

	nowhere = fopen("/dev/null", "w");
	drill_config_init(&settings);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fclose(nowhere);
	return failed;
}
