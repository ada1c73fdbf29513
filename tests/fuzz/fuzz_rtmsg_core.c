/* The core's half of fuzz_rtmsg: net.routetable, whose name goes on with numbers. */
#include <net/route.h>
#include <sys/socket.h>

#include "src/kern/sysctl.h"
#include "src/kern/thread.h"

void fuzz_rtmsg_sysctl(void *arg);

void
fuzz_rtmsg_sysctl(void *arg)
{
	static uint8_t room[16384];
	const uint8_t *b = arg;
	int mib[7] = {4, PF_ROUTE, b[1] & 1, b[2], b[3], b[4], 0};
	size_t len = b[0] * 64u;
	struct sysctl_access access = {.old = b[0] & 1 ? NULL : room, .old_len = &len};

	if (b[5] & 1) {
		access.new = b;
		access.new_len = b[5] & 7;
	}
	(void)sysctl_by_mib(curmachine(), mib, b[5] & 2 ? b[6] & 7 : 6, &access);
}
