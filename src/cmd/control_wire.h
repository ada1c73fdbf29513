/*
 * What goes over the control socket of a running machine, for both ends of it: run_control.c (nke run) and
 * control_client.c (nke ctl, nke kext, nke sysctl). docs/remote.md describes every message.
 *
 * A local socket that keeps packets apart (SOCK_SEQPACKET) carries one JSON object in each. A client sends
 * requests, the machine answers each once, in any order, and sends what it has to tell of itself in between:
 *
 *	{"request": NAME, "id": N, ...}
 *	{"answer": NAME, "id": N, "ok": true, ...}
 *	{"answer": NAME, "id": N, "ok": false, "error": "ENOENT", "text": ...}
 *	{"push": NAME, ...}
 *
 * Bytes of any value are text of two hexadecimal digits each.
 */
#ifndef NKE_CMD_CONTROL_WIRE_H
#define NKE_CMD_CONTROL_WIRE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#define CONTROL_PACKET_MAX	131072u		/* bytes of a packet */
#define CONTROL_DATA_MAX	32768u		/* bytes of data in it, before they are hexadecimal */
#define CONTROL_TEXT_MAX	8192u		/* bytes of a message for people; more is cut */

/* False: a socket's path has at most 107 bytes, and at least one. */
bool control_address(const char *path, struct sockaddr_un *address);

/* NULL: no memory. */
json_t *control_hex(const void *data, size_t len);
/* The bytes of such a text, at most `room`. False: `hex` is not one. */
bool control_unhex(const json_t *hex, void *data, size_t room, size_t *len);
/* The same of a plain string. */
bool control_unhex_text(const char *hex, void *data, size_t room, size_t *len);
/* Text of any origin, cut after CONTROL_TEXT_MAX bytes; the newline at its end goes. */
json_t *control_text(const char *text);

/*
 * Sends a packet. 0 or an errno: EAGAIN (`flags` have MSG_DONTWAIT and there is no room), EMSGSIZE (longer
 * than CONTROL_PACKET_MAX), ENOMEM, EPIPE ...
 */
int control_send(int fd, const json_t *message, int flags);
/*
 * Receives a packet: 0, and *message is the caller's. EPIPE: the other end has gone. EPROTO: it is no JSON
 * object, or too long; `text` (of CONTROL_TEXT_MAX bytes) says what is wrong. EAGAIN ...
 */
int control_receive(int fd, json_t **message, char *text, int flags);

#endif
