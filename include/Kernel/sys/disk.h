/* What a disk can be asked, by ioctl. A machine has no disks: a kext's own device may answer. */
#ifndef _SYS_DISK_H_
#define _SYS_DISK_H_

#include <stdint.h>
#include <sys/ioccom.h>
#include <sys/types.h>

#define DKIOCEJECT _IO('d', 21)
#define DKIOCSYNCHRONIZECACHE _IO('d', 22)
#define DKIOCGETBLOCKSIZE _IOR('d', 24, uint32_t)
#define DKIOCGETBLOCKCOUNT _IOR('d', 25, uint64_t)
#define DKIOCISWRITABLE _IOR('d', 29, uint32_t)
#define DKIOCGETMAXBLOCKCOUNTREAD _IOR('d', 64, uint64_t)
#define DKIOCGETMAXBLOCKCOUNTWRITE _IOR('d', 65, uint64_t)
#define DKIOCGETMAXSEGMENTCOUNTREAD _IOR('d', 66, uint64_t)
#define DKIOCGETMAXSEGMENTCOUNTWRITE _IOR('d', 67, uint64_t)
#define DKIOCGETMAXSEGMENTBYTECOUNTREAD _IOR('d', 68, uint64_t)
#define DKIOCGETMAXSEGMENTBYTECOUNTWRITE _IOR('d', 69, uint64_t)
#define DKIOCGETMAXBYTECOUNTREAD _IOR('d', 70, uint64_t)
#define DKIOCGETMAXBYTECOUNTWRITE _IOR('d', 71, uint64_t)
#define DKIOCGETPHYSICALBLOCKSIZE _IOR('d', 77, uint32_t)

#endif
