/* An entry of a directory. A machine has no directories. */
#ifndef _SYS_DIRENT_H_
#define _SYS_DIRENT_H_

#include <sys/cdefs.h>
#include <sys/_types.h>
#include <sys/_types/_ino_t.h>

#define __DARWIN_MAXNAMLEN 255
#define __DARWIN_MAXPATHLEN 1024
#define MAXNAMLEN __DARWIN_MAXNAMLEN

#pragma pack(push, 4)

struct dirent {
	ino_t d_ino;
	__uint16_t d_reclen;
	__uint8_t d_type;		/* DT_* */
	__uint8_t d_namlen;
	char d_name[__DARWIN_MAXNAMLEN + 1];
};

struct direntry {
	__uint64_t d_ino;
	__uint64_t d_seekoff;
	__uint16_t d_reclen;
	__uint16_t d_namlen;
	__uint8_t d_type;
	char d_name[__DARWIN_MAXPATHLEN];
};

#pragma pack(pop)

#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
#define DT_LNK 10
#define DT_SOCK 12
#define DT_WHT 14

/* To and from the kind of file in a mode (sys/stat.h). */
#define IFTODT(mode) (((mode) & 0170000) >> 12)
#define DTTOIF(dirtype) ((dirtype) << 12)

#endif
