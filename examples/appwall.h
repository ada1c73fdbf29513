/* What the kext appwall and its clients in user space say to each other: plain C, the same on both sides. */
#ifndef APPWALL_H
#define APPWALL_H

#include <stdint.h>

#define APPWALL_CONTROL	"org.libnke.appwall"	/* the name of the kernel control */

#define APPWALL_NAME	32		/* bytes of a program's name, with its 0 */
#define APPWALL_RULES	64

/* Options at level SYSPROTO_CONTROL. */
#define APPWALL_ADD	1		/* set: struct appwall_rule; the newest rule of a name counts */
#define APPWALL_CLEAR	2		/* set: nothing; takes all rules away */
#define APPWALL_COUNTS	3		/* get: struct appwall_counts */

enum { APPWALL_ALLOW, APPWALL_DENY };

struct appwall_rule {
	char program[APPWALL_NAME];	/* "*": every program without a rule of its own */
	uint32_t verdict;		/* APPWALL_ALLOW or APPWALL_DENY */
};

struct appwall_counts {
	uint32_t allowed, denied;
	uint32_t unreported;		/* verdicts that clients had no room for */
};

/* What a client receives for every verdict, one per message. */
struct appwall_event {
	char program[APPWALL_NAME];
	uint32_t pid;
	uint32_t verdict;
	uint32_t family;		/* 4 or 6 */
	uint32_t protocol;		/* 6 or 17 */
	uint16_t port;			/* of the peer, host byte order */
	uint8_t pad[2];
	uint8_t peer[16];		/* its address; IPv4 in the first four bytes */
};

#endif
