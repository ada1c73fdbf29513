/*
 * A web server for httpget.kext, which gets a page from it.
 *
 *	httpget_host httpget.kext
 */
#include <nke/sysctl.h>

#include "testbed.h"

/* Reads the request up to its empty line, answers and closes. */
static void
serve(nke_t *m, int l, const char *answer)
{
	char request[512];
	size_t n = 0;
	int s = nke_accept(m, l, NULL, NULL);

	must(s >= 0, m, "accept");
	while (n < sizeof request - 1 && (n < 4 || memcmp(request + n - 4, "\r\n\r\n", 4) != 0))
		must(nke_recv(m, s, request + n++, 1, 0) == 1, m, "the request");
	request[n] = '\0';
	printf("%.*s\n", (int)strcspn(request, "\r\n"), request);
	must(nke_send(m, s, answer, strlen(answer), 0) == (ssize_t)strlen(answer), m, "the answer");
	nke_close(m, s);
}

static void
get(struct testbed *t, int l, const char *page, const char *answer)
{
	int status = 0, bytes = 0;

	must(nke_sysctl(t->here, "net.httpget.get", NULL, NULL, page, strlen(page) + 1) == 0, t->here, page);
	serve(t->there, l, answer);
	while (status == 0) {
		nke_run_for(t->here, 10000000);
		must(nke_sysctl_get_int(t->here, "net.httpget.status", &status) == 0, t->here, "status");
	}
	must(nke_sysctl_get_int(t->here, "net.httpget.bytes", &bytes) == 0, t->here, "bytes");
	printf("status %d, %d bytes\n", status, bytes);
}

int
main(int argc, char **argv)
{
	struct testbed t;
	int l;

	if (argc != 2) {
		fputs("usage: httpget_host httpget.kext\n", stderr);
		return 1;
	}
	t = testbed(argv[1]);
	l = listener(t.there, 80);
	get(&t, l, THERE " 80 /index.html", "HTTP/1.0 200 OK\r\nServer: none\r\n\r\n<p>Hello</p>\n");
	get(&t, l, THERE " 80 /nothing", "HTTP/1.0 404 Not Found\r\n\r\n");
	testbed_end(&t);
	return 0;
}
