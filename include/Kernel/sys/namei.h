/* Looking up a path, as file systems see it: the words only. sys/vnode.h has vnode_lookup. */
#ifndef _SYS_NAMEI_H_
#define _SYS_NAMEI_H_

#include <stdint.h>
#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/kernel_types.h>
#include <sys/queue.h>

#define LOOKUP 0
#define CREATE 1
#define DELETE 2
#define RENAME 3

#define NOFOLLOW 0x00000000
#define LOCKLEAF 0x00000004
#define LOCKPARENT 0x00000008
#define WANTPARENT 0x00000010
#define NOCACHE 0x00000020
#define FOLLOW 0x00000040

/* cn_flags */
#define ISDOTDOT 0x00002000
#define MAKEENTRY 0x00004000
#define ISLASTCN 0x00008000
#define ISWHITEOUT 0x00020000
#define DOWHITEOUT 0x00040000

struct componentname {
	uint32_t cn_nameiop;
	uint32_t cn_flags;
	void *cn_reserved1;
	void *cn_reserved2;
	char *cn_pnbuf;
	int cn_pnlen;
	char *cn_nameptr;
	int cn_namelen;
	uint32_t cn_hash;
	uint32_t cn_consume;
};

#endif
