/* Packets of a control socket (control_wire.h): JSON to bytes and back, and bytes as hexadecimal text. */
#include "src/cmd/control_wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "src/cmd/cmd.h"

bool
control_address(const char *path, struct sockaddr_un *address)
{
	size_t len = strlen(path);

	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	if (len == 0 || len >= sizeof address->sun_path)
		return false;
	memcpy(address->sun_path, path, len);
	return true;
}

/* ---- values ------------------------------------------------------------------------------- */

json_t *
control_hex(const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;
	char *hex = malloc(2 * len + 1);
	json_t *text;

	if (hex == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	text = json_stringn(hex, 2 * len);
	free(hex);
	return text;
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
control_unhex_text(const char *hex, void *data, size_t room, size_t *len)
{
	size_t n = strlen(hex);
	uint8_t *bytes = data;

	*len = n / 2;
	if (n % 2 != 0 || *len > room)
		return false;
	for (size_t i = 0; i < *len; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool
control_unhex(const json_t *hex, void *data, size_t room, size_t *len)
{
	*len = 0;
	return json_is_string(hex) && control_unhex_text(json_string_value(hex), data, room, len);
}

json_t *
control_text(const char *text)
{
	char cut[CONTROL_TEXT_MAX];
	size_t len = strnlen(text, sizeof cut - 1);

	while (len > 0 && text[len - 1] == '\n')
		len--;
	memcpy(cut, text, len);
	cut[len] = '\0';
	return cmd_json_text(cut);
}

/* ---- packets ------------------------------------------------------------------------------ */

int
control_send(int fd, const json_t *message, int flags)
{
	char *packet = json_dumps(message, JSON_COMPACT);
	ssize_t n;
	int error = 0;

	if (packet == NULL)
		return ENOMEM;
	if (strlen(packet) > CONTROL_PACKET_MAX) {
		free(packet);
		return EMSGSIZE;
	}
	do
		n = send(fd, packet, strlen(packet), flags | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		error = errno;
	free(packet);
	return error;
}

int
control_receive(int fd, json_t **message, char *text, int flags)
{
	char *packet = malloc(CONTROL_PACKET_MAX);
	json_error_t wrong;
	ssize_t n;

	*message = NULL;
	if (packet == NULL)
		return ENOMEM;
	/* ECONNRESET is told once, of an end that went before it read all; what it sent is read after it. */
	do
		n = recv(fd, packet, CONTROL_PACKET_MAX, flags | MSG_TRUNC);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n <= 0) {
		int error = n == 0 ? EPIPE : errno;

		free(packet);
		return error;
	}
	if ((size_t)n > CONTROL_PACKET_MAX) {
		snprintf(text, CONTROL_TEXT_MAX, "a packet of %zd bytes; at most %u are one", n,
		    CONTROL_PACKET_MAX);
	} else {
		*message = json_loadb(packet, (size_t)n, JSON_REJECT_DUPLICATES, &wrong);
		if (*message == NULL)
			snprintf(text, CONTROL_TEXT_MAX, "a packet is no JSON: %s", wrong.text);
		else if (!json_is_object(*message)) {
			snprintf(text, CONTROL_TEXT_MAX, "a packet is JSON, but no object");
			json_decref(*message);
			*message = NULL;
		}
	}
	free(packet);
	return *message != NULL ? 0 : EPROTO;
}
