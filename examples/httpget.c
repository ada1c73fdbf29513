/*
 * httpget: a program's work done in the kernel: it gets a page from a web server (HTTP/1.0, RFC 1945).
 *
 *	sysctl -w net.httpget.get="10.0.0.1 80 /index.html"	begins
 *	sysctl net.httpget.status				200, 404 ...; 0: not done; -1: it failed
 *	sysctl net.httpget.bytes				of the page, so far
 *
 * A kernel thread makes the socket, connects, sends and receives with the calls of sys/kpi_socket.h, which
 * sleep as system calls do. One page at a time.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/errno.h>
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kpi_socket.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <kern/locks.h>
#include <kern/thread.h>
#include <libkern/libkern.h>
#include <mach/mach_types.h>
#include <netinet/in.h>

kern_return_t httpget_start(kmod_info_t *ki, void *data);
kern_return_t httpget_stop(kmod_info_t *ki, void *data);

#define PATIENCE	30		/* seconds without anything from the server */

/* All of it under `lock`, but for what the thread alone uses while `busy`. */
static struct {
	struct sockaddr_in server;
	char path[128];
} wanted;
static bool busy, ending, ended;
static int status, bytes;

static lck_grp_t *lock_group;
static lck_mtx_t *lock;

/* ---- one page ----------------------------------------------------------------------------- */

static errno_t
send_text(socket_t so, const char *text)
{
	size_t len = strlen(text), sent;

	while (len != 0) {
		struct iovec iov = {(void *)(uintptr_t)text, len};
		struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
		errno_t error = sock_send(so, &msg, 0, &sent);

		if (error != 0)
			return error;
		text += sent;
		len -= sent;
	}
	return 0;
}

/*
 * The bytes of an answer as they come: "HTTP/1.0 200 OK", more lines, an empty one, the page. `line` is the
 * one that is being read, NULL-terminated, as far as there is room; `page` once that has begun.
 */
struct answer {
	char line[64];
	size_t len;
	bool first, page;
	int status, bytes;
};

static void
end_line(struct answer *a)
{
	a->line[a->len] = '\0';
	if (a->first) {
		const char *code = strchr(a->line, ' ');

		a->status = strncmp(a->line, "HTTP/", 5) == 0 && code != NULL ?
		    (int)strtoul(code, NULL, 10) : -1;
		a->first = false;
	}
	a->page = a->len == 0;
	a->len = 0;
}

static void
read_some(struct answer *a, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (a->page)
			a->bytes++;
		else if (p[i] == '\n')
			end_line(a);
		else if (p[i] != '\r' && a->len < sizeof a->line - 1)
			a->line[a->len++] = p[i];
	}
}

static errno_t
receive_answer(socket_t so, struct answer *a)
{
	char buffer[512];
	size_t n;

	for (;;) {
		struct iovec iov = {buffer, sizeof buffer};
		struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
		errno_t error = sock_receive(so, &msg, 0, &n);

		if (error != 0 || n == 0)
			return error;
		read_some(a, buffer, n);
		lck_mtx_lock(lock);
		bytes = a->bytes;
		lck_mtx_unlock(lock);
	}
}

static errno_t
get_page(struct answer *a)
{
	struct timeval patience = {.tv_sec = PATIENCE};
	socket_t so;
	errno_t error = sock_socket(PF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, NULL, &so);

	if (error != 0)
		return error;
	error = sock_setsockopt(so, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (error == 0)
		error = sock_connect(so, (struct sockaddr *)&wanted.server, 0);
	if (error == 0)
		error = send_text(so, "GET ");
	if (error == 0)
		error = send_text(so, wanted.path);
	if (error == 0)
		error = send_text(so, " HTTP/1.0\r\n\r\n");
	if (error == 0)
		error = receive_answer(so, a);
	sock_close(so);
	return error;
}

static void
get_pages(void *parameter, wait_result_t result)
{
	(void)parameter;
	(void)result;
	lck_mtx_lock(lock);
	while (!ending) {
		struct answer a = {.first = true, .status = -1};
		errno_t error;

		if (!busy) {
			msleep(&wanted, lock, PWAIT, "httpget", NULL);
			continue;
		}
		lck_mtx_unlock(lock);
		error = get_page(&a);
		if (error != 0)
			printf("%s: error %d\n", wanted.path, error);
		else
			printf("%s: status %d, %d bytes\n", wanted.path, a.status, a.bytes);
		lck_mtx_lock(lock);
		status = error == 0 ? a.status : -1;
		busy = false;
	}
	ended = true;
	wakeup(&ended);
	lck_mtx_unlock(lock);
}

/* ---- variables ---------------------------------------------------------------------------- */

/* "10.0.0.1 80 /path". */
static errno_t
parse(char *text)
{
	char *port = strchr(text, ' '), *path = port != NULL ? strchr(port + 1, ' ') : NULL;
	struct sockaddr_in server = {.sin_len = sizeof server, .sin_family = AF_INET};
	unsigned long number;

	if (path == NULL || path[1] != '/' || strlen(path + 1) >= sizeof wanted.path)
		return EINVAL;
	*port = *path = '\0';
	number = strtoul(port + 1, NULL, 10);
	if (number == 0 || number > 65535 || inet_aton(text, &server.sin_addr) == 0)
		return EINVAL;
	server.sin_port = htons((uint16_t)number);
	wanted.server = server;
	strlcpy(wanted.path, path + 1, sizeof wanted.path);
	return 0;
}

static int
sysctl_get SYSCTL_HANDLER_ARGS
{
	char text[160] = "";
	int error;

	(void)arg1;
	(void)arg2;
	error = sysctl_handle_string(oidp, text, sizeof text, req);
	if (error != 0 || req->newptr == USER_ADDR_NULL)
		return error;
	lck_mtx_lock(lock);
	error = busy ? EBUSY : parse(text);
	if (error == 0) {
		busy = true;
		status = bytes = 0;
		wakeup(&wanted);
	}
	lck_mtx_unlock(lock);
	return error;
}

SYSCTL_NODE(_net, OID_AUTO, httpget, CTLFLAG_RW, 0, "a page of a web server");
SYSCTL_PROC(_net_httpget, OID_AUTO, get, CTLTYPE_STRING | CTLFLAG_RW, NULL, 0, sysctl_get, "A",
    "address, port and path");
SYSCTL_INT(_net_httpget, OID_AUTO, status, CTLFLAG_RD, &status, 0, "of the answer");
SYSCTL_INT(_net_httpget, OID_AUTO, bytes, CTLFLAG_RD, &bytes, 0, "of the page");

static struct sysctl_oid *const variables[] = {
	&sysctl__net_httpget, &sysctl__net_httpget_get, &sysctl__net_httpget_status,
	&sysctl__net_httpget_bytes,
};
#define VARIABLES	(sizeof variables / sizeof variables[0])

/* ---- start and stop ----------------------------------------------------------------------- */

kern_return_t
httpget_start(kmod_info_t *ki, void *data)
{
	thread_t thread;

	(void)ki;
	(void)data;
	lock_group = lck_grp_alloc_init("httpget", LCK_GRP_ATTR_NULL);
	lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	if (kernel_thread_start(get_pages, NULL, &thread) != KERN_SUCCESS) {
		lck_mtx_free(lock, lock_group);
		lck_grp_free(lock_group);
		return KERN_FAILURE;
	}
	thread_deallocate(thread);
	for (unsigned i = 0; i < VARIABLES; i++)
		sysctl_register_oid(variables[i]);
	return KERN_SUCCESS;
}

/* Waits for the page that is being got. */
kern_return_t
httpget_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	for (unsigned i = VARIABLES; i-- > 0;)
		sysctl_unregister_oid(variables[i]);
	lck_mtx_lock(lock);
	ending = true;
	wakeup(&wanted);
	while (!ended)
		msleep(&ended, lock, PWAIT, "httpget", NULL);
	lck_mtx_unlock(lock);
	lck_mtx_free(lock, lock_group);
	lck_grp_free(lock_group);
	return KERN_SUCCESS;
}
