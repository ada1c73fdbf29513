/* What the kext connlog tells its reader in user space: plain C, the same on both sides. */
#ifndef CONNLOG_H
#define CONNLOG_H

#include <stdint.h>

#define CONNLOG_CONTROL	"org.libnke.connlog"	/* the name of the kernel control */

/* One TCP connection that is over; one record per message. Times are microseconds of uptime. */
struct connlog_record {
	uint64_t sequence;		/* 1, 2, 3 ...: a gap is a record that was lost */
	uint64_t opened, closed;
	uint64_t bytes_in, bytes_out;
	uint32_t pid;			/* of who made the socket; 0 for one that was accepted */
	char program[32];
	uint8_t family;			/* 4 or 6 */
	uint8_t pad[3];
	uint16_t local_port, peer_port;	/* host byte order */
	uint8_t peer[16];		/* IPv4 in the first four bytes */
};

#endif
