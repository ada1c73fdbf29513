/* How a program is signed, and the words of csops(2). */
#ifndef _SYS_CODESIGN_H_
#define _SYS_CODESIGN_H_

#include <sys/types.h>
#include <kern/cs_blobs.h>

#define CS_OPS_STATUS 0
#define CS_OPS_MARKINVALID 1
#define CS_OPS_MARKHARD 2
#define CS_OPS_MARKKILL 3
#define CS_OPS_CDHASH 5
#define CS_OPS_PIDOFFSET 6
#define CS_OPS_ENTITLEMENTS_BLOB 7
#define CS_OPS_MARKRESTRICT 8

#endif
