/*
 * Shows what rot13.kext does to a connection: what is sent arrives turned, and the other way round.
 *
 *	rot13_host rot13.kext
 */
#include "testbed.h"

#define LONG	100000			/* bytes: more than any buffer, so that it goes in many pieces */

static void
turn(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] >= 'a' && p[i] <= 'z')
			p[i] = (char)('a' + (p[i] - 'a' + 13) % 26);
}

/* A long text there, while the other end reads. */
static void
send_long(const struct testbed *t, int a, int b)
{
	static char sent[LONG], got[LONG];
	size_t out = 0, in = 0;

	for (size_t i = 0; i < LONG; i++)
		sent[i] = (char)('a' + i * 7 % 26);
	while (in < LONG) {
		ssize_t n = out < LONG ? nke_send(t->here, a, sent + out, LONG - out, MSG_DONTWAIT) : 0;

		out += n > 0 ? (size_t)n : 0;
		nke_run_for(t->here, 2000000);
		n = nke_recv(t->there, b, got + in, LONG - in, MSG_DONTWAIT);
		must(n > 0 || (n < 0 && errno == EAGAIN), t->there, "recv");
		in += n > 0 ? (size_t)n : 0;
	}
	turn(sent, LONG);
	must(memcmp(sent, got, LONG) == 0, t->there, "what came is not what was sent, turned");
	printf("%d bytes turned\n", LONG);
}

int
main(int argc, char **argv)
{
	char text[64] = "";
	struct testbed t;
	int l, a, b;

	if (argc != 2) {
		fputs("usage: rot13_host rot13.kext\n", stderr);
		return 1;
	}
	t = testbed(argv[1]);
	l = listener(t.there, 7);
	a = connected(t.here, THERE, 7);
	must(a >= 0, t.here, "connect");
	b = nke_accept(t.there, l, NULL, NULL);
	must(b >= 0, t.there, "accept");
	must(nke_send(t.here, a, "Hello, World!", 13, 0) == 13, t.here, "send");
	must(nke_recv(t.there, b, text, sizeof text - 1, 0) == 13, t.there, "recv");
	printf("there: %s\n", text);
	must(nke_send(t.there, b, "Gung jnf ebg13.", 15, 0) == 15, t.there, "send back");
	must(nke_recv(t.here, a, text, sizeof text - 1, 0) == 15, t.here, "recv back");
	printf("here: %s\n", text);
	send_long(&t, a, b);
	/* The last bytes and the end of the stream come together, and in that order. */
	must(nke_send(t.there, b, "raq", 3, 0) == 3, t.there, "the last bytes");
	nke_close(t.there, b);
	must(nke_recv(t.here, a, text, sizeof text, MSG_WAITALL) == 3 && memcmp(text, "end", 3) == 0, t.here,
	    "the end");
	nke_close(t.here, a);
	testbed_end(&t);
	return 0;
}
