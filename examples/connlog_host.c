/*
 * The reader of connlog.kext: makes many short connections, faster than it reads, and checks that there is a
 * record of every one.
 *
 *	connlog_host connlog.kext [CONNECTIONS]
 */
#include <nke/control.h>

#include "connlog.h"
#include "testbed.h"

struct tally {
	uint64_t records, in, out, last;
};

/* Reads what there is. */
static void
read_records(nke_t *m, int control, struct tally *t)
{
	struct connlog_record r;

	while (nke_recv(m, control, &r, sizeof r, MSG_DONTWAIT) == (ssize_t)sizeof r) {
		must(r.sequence == t->last + 1, m, "a record is missing");
		must(r.peer_port == 80 && r.family == 4 && r.closed >= r.opened, m, "a wrong record");
		t->last = r.sequence;
		t->records++;
		t->in += r.bytes_in;
		t->out += r.bytes_out;
	}
}

/* Sends `len` bytes each way and closes; the other end first, so that nobody waits for old segments. */
static void
one_connection(const struct testbed *t, int l, size_t len)
{
	char data[512];
	int a = connected(t->here, THERE, 80), b;

	must(a >= 0, t->here, "connect");
	b = nke_accept(t->there, l, NULL, NULL);
	must(b >= 0, t->there, "accept");
	memset(data, 'x', sizeof data);
	must(nke_send(t->here, a, data, len, 0) == (ssize_t)len, t->here, "send");
	must(nke_recv(t->there, b, data, len, MSG_WAITALL) == (ssize_t)len, t->there, "recv");
	must(nke_send(t->there, b, data, len, 0) == (ssize_t)len, t->there, "send back");
	nke_close(t->there, b);
	must(nke_recv(t->here, a, data, len, MSG_WAITALL) == (ssize_t)len, t->here, "recv back");
	nke_close(t->here, a);
}

int
main(int argc, char **argv)
{
	unsigned long connections = argc == 3 ? strtoul(argv[2], NULL, 10) : 1000, bytes = 0;
	struct tally tally = {0, 0, 0, 0};
	struct testbed t;
	int control, l;

	if (argc < 2 || connections == 0) {
		fputs("usage: connlog_host connlog.kext [CONNECTIONS]\n", stderr);
		return 1;
	}
	t = testbed(argv[1]);
	l = listener(t.there, 80);
	control = nke_ctl_connect(t.here, CONNLOG_CONTROL, 0, 0);
	must(control >= 0, t.here, "the control");
	for (unsigned long i = 0; i < connections; i++) {
		one_connection(&t, l, 1 + i % 500);
		bytes += 1 + i % 500;
	}
	/* It has hardly read so far: the buffer is full and the rest waits in the kext. */
	while (tally.records < connections && nke_run_for(t.here, 10000000) == 0)
		read_records(t.here, control, &tally);
	printf("%lu connections, %llu records, %llu bytes out, %llu in\n", connections,
	    (unsigned long long)tally.records, (unsigned long long)tally.out,
	    (unsigned long long)tally.in);
	must(tally.in == bytes && tally.out == bytes, t.here, "the bytes are not those that were sent");
	nke_close(t.here, control);
	testbed_end(&t);
	return 0;
}
