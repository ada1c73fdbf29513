/*
 * A machine on a TAP device that asks the host's kernel, for tests/system/tap.py:
 *
 *	tap_client DEVICE [offload] ADDRESS/BITS... -- ping DESTINATION SIZE...
 *	                                            -- udp DESTINATION PORT SIZE...
 *	                                            -- join GROUP PORT SECONDS
 *	                                            -- send DESTINATION PORT TEXT
 *
 * The loop is on a thread of its own, the sockets' calls block on this one. A line for every answer that is
 * missing or wrong; exit status 1 when there is one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nke/loop.h>
#include <nke/route.h>
#include <nke/socket.h>

#define ROOM	(1 << 18)

static nke_t *m;
static nke_tap_t *tap;
static unsigned failures;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "tap_client: %s: %s\n", what, why);
	exit(2);
}

static socklen_t
address(const char *text, unsigned port, struct sockaddr_storage *ss)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof *ss);
	if (inet_pton(AF_INET, text, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons((uint16_t)port);
		return sizeof *sin;
	}
	if (inet_pton(AF_INET6, text, &sin6->sin6_addr) != 1)
		die(text, "not an address");
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons((uint16_t)port);
	return sizeof *sin6;
}

static void
add_address(char *text)
{
	char *slash = strchr(text, '/');
	struct sockaddr_storage ss;
	socklen_t len;

	if (slash == NULL)
		die(text, "no bits");
	*slash = '\0';
	len = address(text, 0, &ss);
	if (nke_iface_add_address(nke_tap_iface(tap), (struct sockaddr *)&ss, len,
	    (unsigned)atoi(slash + 1)) != 0)
		die(text, nke_error_text(m));
}

/* Until none of the addresses is being tried any more. */
static void
wait_for_addresses(void)
{
	struct nke_address a[32];
	bool tentative = true;

	for (unsigned i = 0; i < 50 && tentative; i++) {
		size_t n = nke_address_list(m, a, 32);

		tentative = false;
		for (size_t k = 0; k < n && k < 32; k++)
			tentative |= (a[k].flags & NKE_ADDRESS_TENTATIVE) != 0;
		if (tentative)
			usleep(100000);
	}
}

static int
open_socket(int family, int type, int protocol)
{
	int s = nke_socket(m, family, type, protocol), room = ROOM;
	struct timeval patience = {.tv_sec = 2};

	if (s < 0 || nke_setsockopt(m, s, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) != 0 ||
	    nke_setsockopt(m, s, SOL_SOCKET, SO_SNDBUF, &room, sizeof room) != 0 ||
	    nke_setsockopt(m, s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0)
		die("socket", strerror(errno));
	return s;
}

static void
fill(uint8_t *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 7 + seed);
}

static void
failed(const char *what, size_t size, const char *why)
{
	printf("%s of %zu bytes: %s\n", what, size, why);
	failures++;
}

static void
ping(const char *to, char **sizes)
{
	static uint8_t out[66000], in[66000];
	struct sockaddr_storage ss;
	socklen_t len = address(to, 0, &ss);
	bool v4 = ss.ss_family == AF_INET;
	int s = open_socket(ss.ss_family, SOCK_RAW, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	uint16_t sequence = 0;

	for (; *sizes != NULL; sizes++) {
		size_t size = (size_t)atoi(*sizes);
		struct icmphdr h = {.type = v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST, .un.echo.id = 77,
		    .un.echo.sequence = ++sequence};
		uint32_t sum = 0;
		ssize_t n;

		memcpy(out, &h, 8);
		fill(out + 8, size, sequence);
		if (v4) {
			for (size_t i = 0; i < size + 8; i++)
				sum += i % 2 == 0 ? out[i] : (uint32_t)out[i] << 8;
			while (sum > 0xffff)
				sum = (sum >> 16) + (sum & 0xffff);
			h.checksum = (uint16_t)~sum;
			memcpy(out, &h, 8);
		}
		if (nke_sendto(m, s, out, size + 8, 0, (struct sockaddr *)&ss, len) < 0) {
			failed("ping", size, strerror(errno));
			continue;
		}
		for (;;) {
			size_t skip = v4 ? 20 : 0;

			n = nke_recv(m, s, in, sizeof in, 0);
			if (n < 0) {
				failed("ping", size, strerror(errno));
				break;
			}
			/* others' and earlier answers */
			if ((size_t)n < skip + 8 || in[skip] != (v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) ||
			    memcmp(in + skip + 4, out + 4, 4) != 0)
				continue;
			if ((size_t)n != skip + 8 + size || memcmp(in + skip + 8, out + 8, size) != 0)
				failed("ping", size, "another answer");
			break;
		}
	}
}

static void
udp(const char *to, unsigned port, char **sizes)
{
	static uint8_t out[66000], in[66000];
	struct sockaddr_storage ss;
	socklen_t len = address(to, port, &ss);
	int s = open_socket(ss.ss_family, SOCK_DGRAM, 0);
	unsigned seed = 0;

	for (; *sizes != NULL; sizes++) {
		size_t size = (size_t)atoi(*sizes);
		ssize_t n;

		fill(out, size, ++seed);
		if (nke_sendto(m, s, out, size, 0, (struct sockaddr *)&ss, len) < 0 ||
		    (n = nke_recv(m, s, in, sizeof in, 0)) < 0)
			failed("datagram", size, strerror(errno));
		else if ((size_t)n != size || memcmp(in, out, size) != 0)
			failed("datagram", size, "another answer");
	}
}

/* Writes what comes for the group, a line for each. */
static void
join(const char *group, unsigned port, unsigned seconds)
{
	struct sockaddr_storage ss;
	socklen_t len = address(group, port, &ss);
	int s = open_socket(ss.ss_family, SOCK_DGRAM, 0), error;
	char text[2048];

	if (ss.ss_family == AF_INET) {
		struct ip_mreq mreq = {.imr_multiaddr = ((struct sockaddr_in *)&ss)->sin_addr};

		error = nke_setsockopt(m, s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof mreq);
	} else {
		struct ipv6_mreq mreq = {.ipv6mr_multiaddr = ((struct sockaddr_in6 *)&ss)->sin6_addr,
		    .ipv6mr_interface = 2};	/* en0: lo0 is 1 */

		error = nke_setsockopt(m, s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq, sizeof mreq);
	}
	if (error != 0 || nke_bind(m, s, (struct sockaddr *)&ss, len) != 0)
		die("join", strerror(errno));
	printf("joined\n");
	fflush(stdout);
	for (unsigned i = 0; i < seconds; ) {
		ssize_t n = nke_recv(m, s, text, sizeof text, 0);

		if (n < 0)
			i += 2;
		else
			printf("got %.*s\n", (int)n, text);
		fflush(stdout);
	}
	(void)nke_close(m, s);
	usleep(300000);
}

static void
send_text(const char *to, unsigned port, const char *text)
{
	struct sockaddr_storage ss;
	socklen_t len = address(to, port, &ss);
	int s = open_socket(ss.ss_family, SOCK_DGRAM, 0), index = 2;

	if (ss.ss_family == AF_INET6)
		(void)nke_setsockopt(m, s, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index);
	if (nke_sendto(m, s, text, strlen(text), 0, (struct sockaddr *)&ss, len) < 0)
		die("send", strerror(errno));
}

int
main(int argc, char **argv)
{
	struct nke_config config = {.time = NKE_TIME_REAL, .checked = true};
	struct nke_tap_config tap_config = {.device = argc > 1 ? argv[1] : "", .up = true};
	nke_loop_t *loop;
	int i = 2;

	if (argc > 2 && strcmp(argv[2], "offload") == 0) {
		tap_config.offload = true;
		i++;
	}
	if (nke_create(&config, &m) != 0 || nke_tap_open(m, &tap_config, &tap) != 0)
		die("machine", m != NULL ? nke_error_text(m) : "none");
	for (; i < argc && strcmp(argv[i], "--") != 0; i++)
		add_address(argv[i]);
	if (nke_loop_create(m, NULL, &loop) != 0 || nke_loop_add_tap(loop, tap) != 0 ||
	    nke_loop_start(loop) != 0)
		die("loop", nke_error_text(m));
	/* The test gives the kernel's end its addresses when it sees this. */
	printf("up\n");
	fflush(stdout);
	(void)getchar();
	wait_for_addresses();
	if (i + 3 >= argc)
		die("usage", "what?");
	if (strcmp(argv[i + 1], "ping") == 0)
		ping(argv[i + 2], argv + i + 3);
	else if (strcmp(argv[i + 1], "udp") == 0)
		udp(argv[i + 2], (unsigned)atoi(argv[i + 3]), argv + i + 4);
	else if (strcmp(argv[i + 1], "join") == 0 && i + 4 < argc)
		join(argv[i + 2], (unsigned)atoi(argv[i + 3]), (unsigned)atoi(argv[i + 4]));
	else if (strcmp(argv[i + 1], "send") == 0 && i + 4 < argc)
		send_text(argv[i + 2], (unsigned)atoi(argv[i + 3]), argv[i + 4]);
	else
		die("usage", argv[i + 1]);
	if (nke_loop_join(loop) != 0)
		die("loop", nke_error_text(m));
	nke_tap_close(tap);
	nke_loop_destroy(loop);
	nke_destroy(m);
	return failures != 0;
}
