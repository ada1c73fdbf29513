/*
 * Flows of a capture re-enacted, through include/nke/replay.h: what a program is told of each, what is
 * refused, and what happens when an allocation of the machine fails, each in turn. Captures are built here,
 * of raw IP packets; whether flows are re-enacted rightly is tests/system/replay_sockets.py's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <nke/replay.h>
#include <nke/stats.h>

#define HOST	"10.1.0.2"
#define PEER	"10.1.0.1"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

/* ---- a capture -------------------------------------------------------------------------------- */

struct capture {
	char path[64];
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	struct timeval now;
	uint32_t seq[2];		/* of the host, of the peer */
};

static void
begin(struct capture *c)
{
	memset(c, 0, sizeof *c);
	strcpy(c->path, "/tmp/nke-flows-XXXXXX");
	close(mkstemp(c->path));
	c->pcap = pcap_open_dead(DLT_RAW, 65535);
	c->dumper = pcap_dump_open(c->pcap, c->path);
	assert_non_null(c->dumper);
	c->now.tv_sec = 1700000000;
	c->seq[0] = 1000;
	c->seq[1] = 0xfffffff0;		/* wraps */
}

static void
end(struct capture *c)
{
	pcap_dump_close(c->dumper);
	pcap_close(c->pcap);
}

static uint32_t
sum16(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += (uint32_t)p[i] << (i & 1 ? 0 : 8);
	return sum;
}

static uint16_t
fold(uint32_t sum)
{
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return htons((uint16_t)~sum);
}

static void
put(struct capture *c, bool out, uint8_t protocol, uint8_t *ip, size_t len)
{
	struct pcap_pkthdr h = {.caplen = (bpf_u_int32)len, .len = (bpf_u_int32)len};
	uint8_t *transport = ip + 20;
	size_t field = protocol == IPPROTO_TCP ? 16 : 6;
	uint16_t word;

	ip[0] = 0x45;
	word = htons((uint16_t)len);
	memcpy(ip + 2, &word, 2);
	ip[8] = 64;
	ip[9] = protocol;
	inet_pton(AF_INET, out ? HOST : PEER, ip + 12);
	inet_pton(AF_INET, out ? PEER : HOST, ip + 16);
	word = fold(sum16(ip, 20, 0));
	memcpy(ip + 10, &word, 2);
	word = fold(sum16(transport, len - 20, sum16(ip + 12, 8, (uint32_t)(protocol + len - 20))));
	memcpy(transport + field, &word, 2);
	c->now.tv_usec += 1000;
	h.ts = c->now;
	pcap_dump((u_char *)c->dumper, &h, ip);
}

/* `seen` false: it crossed the wire, but was not captured. */
static void
segment(struct capture *c, bool out, uint8_t flags, size_t len, bool seen)
{
	uint8_t packet[20 + 20 + 1400] = {0}, *tcp = packet + 20;
	uint16_t sport = htons(out ? 40000 : 80), dport = htons(out ? 80 : 40000);
	uint32_t seq = htonl(c->seq[!out]), ack = flags & ACK ? htonl(c->seq[out]) : 0;

	memcpy(tcp, &sport, 2);
	memcpy(tcp + 2, &dport, 2);
	memcpy(tcp + 4, &seq, 4);
	memcpy(tcp + 8, &ack, 4);
	tcp[12] = 0x50;
	tcp[13] = flags;
	tcp[14] = 0xff;
	memset(tcp + 20, 'd', len);
	if (seen)
		put(c, out, IPPROTO_TCP, packet, 40 + len);
	c->seq[!out] += (uint32_t)len + ((flags & (SYN | FIN)) != 0);
}

static void
datagram(struct capture *c, bool out, size_t len)
{
	uint8_t packet[20 + 8 + 1400] = {0}, *udp = packet + 20;
	uint16_t words[3] = {htons(out ? 50000 : 53), htons(out ? 53 : 50000), htons((uint16_t)(8 + len))};

	memcpy(udp, words, 6);
	memset(udp + 8, 'u', len);
	put(c, out, IPPROTO_UDP, packet, 28 + len);
}

/* One connection with holes in both directions, and a question with its answer. */
static void
conversation(struct capture *c)
{
	begin(c);
	segment(c, true, SYN, 0, true);
	segment(c, false, SYN | ACK, 0, true);
	segment(c, true, ACK, 0, true);
	segment(c, true, ACK, 100, true);
	segment(c, true, ACK, 50, false);
	segment(c, true, ACK, 100, true);
	segment(c, false, ACK, 1000, true);
	segment(c, false, ACK, 300, false);
	segment(c, true, ACK, 0, true);
	segment(c, false, ACK, 1000, true);
	datagram(c, true, 30);
	datagram(c, false, 200);
	segment(c, true, FIN | ACK, 0, true);
	segment(c, false, FIN | ACK, 0, true);
	segment(c, true, ACK, 0, true);
	end(c);
}

static struct nke_replay_config
config_of(const struct capture *c)
{
	return (struct nke_replay_config){
		.input = c->path, .host = HOST, .sockets = true, .machine = {.seed = 1, .checked = true},
	};
}

/* ---- what is told ------------------------------------------------------------------------------- */

static bool
is_end(const struct sockaddr_storage *ss, const char *address, unsigned port)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)ss;

	return ss->ss_family == AF_INET && sin->sin_addr.s_addr == inet_addr(address) &&
	    ntohs(sin->sin_port) == port;
}

static void
test_results(void **state)
{
	struct nke_replay_hole holes[4];
	struct nke_replay_sockets all;
	struct nke_replay_config config;
	struct nke_replay_flow f;
	struct capture c;
	nke_replay_t *r;
	char text[256];

	(void)state;
	conversation(&c);
	config = config_of(&c);
	assert_int_equal(nke_replay_open(&config, &r, text, sizeof text), 0);
	assert_int_equal(nke_replay_flows(r), 0);
	assert_int_equal(nke_replay_run(r), 0);
	assert_int_equal(nke_replay_run(r), EALREADY);
	assert_int_equal(nke_replay_flows(r), 2);
	assert_int_equal(nke_replay_flow_get(r, 2, &f), ENOENT);

	assert_int_equal(nke_replay_flow_get(r, 0, &f), 0);
	assert_true(f.tcp && !f.server && !f.begun_before);
	assert_true(is_end(&f.local, HOST, 40000) && is_end(&f.remote, PEER, 80));
	assert_int_equal(f.start_ns, UINT64_C(1700000000001000000));
	assert_int_equal(f.frames, 11);
	assert_int_equal(f.state, NKE_FLOW_CLOSED);
	assert_int_equal(f.captured_state, NKE_FLOW_CLOSED);
	assert_int_equal(f.out.captured, 250);
	assert_int_equal(f.out.delivered, 250);
	assert_int_equal(f.out.zeros, 50);
	assert_int_equal(f.in.captured, 2300);
	assert_int_equal(f.in.delivered, 2300);
	assert_int_equal(f.in.zeros, 300);
	assert_int_equal(f.out.differences + f.in.differences, 0);

	assert_int_equal(nke_replay_flow_holes(r, 0, holes, 1), 2);	/* room for fewer is no harm */
	assert_int_equal(nke_replay_flow_holes(r, 0, holes, 4), 2);
	assert_true(holes[0].out && holes[0].offset == 100 && holes[0].length == 50);
	assert_true(!holes[1].out && holes[1].offset == 1000 && holes[1].length == 300);
	assert_int_equal(nke_replay_flow_holes(r, 1, holes, 4), 0);
	assert_int_equal(nke_replay_flow_holes(r, 7, holes, 4), 0);

	assert_int_equal(nke_replay_flow_get(r, 1, &f), 0);
	assert_true(!f.tcp && is_end(&f.local, HOST, 50000) && is_end(&f.remote, PEER, 53));
	assert_int_equal(f.out.datagrams_delivered, 1);
	assert_int_equal(f.in.datagrams_delivered, 1);
	assert_int_equal(f.in.delivered, 200);

	nke_replay_sockets_statistics(r, &all);
	assert_int_equal(all.tcp, 1);
	assert_int_equal(all.udp, 1);
	assert_int_equal(all.other + all.broken + all.differing + all.failed, 0);
	nke_replay_close(r);
	unlink(c.path);
}

/* Without `sockets` there are no flows to be told of. */
static void
test_plain(void **state)
{
	struct nke_replay_config config;
	struct nke_replay_sockets all;
	struct nke_replay_flow f;
	struct capture c;
	nke_replay_t *r;
	char text[256];

	(void)state;
	conversation(&c);
	config = config_of(&c);
	config.sockets = false;
	assert_int_equal(nke_replay_open(&config, &r, text, sizeof text), 0);
	assert_int_equal(nke_replay_run(r), 0);
	assert_int_equal(nke_replay_flows(r), 0);
	assert_int_equal(nke_replay_flow_get(r, 0, &f), ENOENT);
	nke_replay_sockets_statistics(r, &all);
	assert_int_equal(all.tcp + all.udp, 0);
	nke_replay_close(r);
	unlink(c.path);
}

static void
test_refused(void **state)
{
	struct nke_replay_config config;
	struct capture c;
	nke_replay_t *r;
	char text[256];

	(void)state;
	conversation(&c);
	config = config_of(&c);
	config.jobs = 2;
	assert_int_equal(nke_replay_open(&config, &r, text, sizeof text), EINVAL);
	assert_null(r);
	assert_non_null(strstr(text, "one machine"));
	unlink(c.path);

	/* What can be read once only. The writer's end stays open, so that nothing waits for it. */
	assert_int_equal(mkfifo(c.path, 0600), 0);
	if (fork() == 0) {
		execlp("sh", "sh", "-c", "printf '\\324\\303\\262\\241\\2\\0\\4\\0\\0\\0\\0\\0\\0\\0\\0\\0"
		    "\\377\\377\\0\\0\\145\\0\\0\\0' > $0", c.path, (char *)NULL);
		_exit(1);
	}
	config = config_of(&c);
	assert_int_equal(nke_replay_open(&config, &r, text, sizeof text), EINVAL);
	assert_null(r);
	assert_non_null(strstr(text, "not a pipe"));
	unlink(c.path);
}

/* ---- no memory ------------------------------------------------------------------------------------ */

/* Each allocation of the machine fails in one run: nothing worse happens than that a flow is not whole. */
static void
test_no_memory(void **state)
{
	unsigned long long most = 0;
	unsigned whole = 0, runs = 0;
	struct capture c;
	char text[1024];

	(void)state;
	conversation(&c);
	for (unsigned long long n = 0; n <= most; n++) {
		struct nke_replay_config config = config_of(&c);
		struct nke_replay_sockets all;
		struct nke_memory memory;
		nke_replay_t *r;
		int error;

		config.machine.fail_alloc = n;
		error = nke_replay_open(&config, &r, text, sizeof text);
		if (error != 0) {
			assert_true(error == ENOMEM || error == ENOBUFS);
			assert_true(text[0] != '\0');
			assert_true(n != 0);
			continue;
		}
		error = nke_replay_run(r);
		if (error != 0) {
			assert_true(error == ENOMEM || error == ENOBUFS);
			assert_true(nke_replay_error(r)[0] != '\0');
		}
		nke_stats_memory(nke_replay_machine(r, 0), &memory);
		if (n == 0)
			most = memory.allocations;	/* as many as there are when none fails */
		nke_replay_sockets_statistics(r, &all);
		whole += error == 0 && all.differing == 0 && all.failed == 0;
		runs++;
		nke_replay_close(r);
	}
	/* A packet for which there is no memory comes again; sockets are refused. */
	assert_true(most > 100 && runs > 20 && whole > 1);
	unlink(c.path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
