/* Trace points. They compile to nothing: the machine traces by itself. */
#ifndef _SYS_KDEBUG_H_
#define _SYS_KDEBUG_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <stdint.h>

#define DBG_FUNC_NONE 0
#define DBG_FUNC_START 1
#define DBG_FUNC_END 2

#define DBG_MACH 1
#define DBG_NETWORK 2
#define DBG_FSYSTEM 3
#define DBG_BSD 4
#define DBG_IOKIT 5
#define DBG_DRIVERS 6
#define DBG_TRACE 7
#define DBG_DLIL 8
#define DBG_SECURITY 9
#define DBG_MISC 20
#define DBG_MIG 255

#define DBG_NETIP 1
#define DBG_NETARP 2
#define DBG_NETUDP 3
#define DBG_NETTCP 4
#define DBG_NETICMP 5
#define DBG_NETIGMP 6
#define DBG_NETRIP 7
#define DBG_NETOSPF 8
#define DBG_NETISIS 9
#define DBG_NETSNMP 10
#define DBG_NETSOCK 11
#define DBG_NETAARP 100
#define DBG_NETDDP 101
#define DBG_NETPFIL 105
#define DBG_NETFTP 111
#define DBG_NETSMTP 112
#define DBG_NETPOP 113
#define DBG_NETIMAP 114
#define DBG_NETSYSCALL 115

#define DBG_DRVSPLT 9

#define DBG_DLIL_STATIC 1
#define DBG_DLIL_PR_MOD 2
#define DBG_DLIL_PR_FLT 3
#define DBG_DLIL_IF_FLT 4

#define KDBG_CODE(Class, SubClass, code) \
	((((Class) & 0xff) << 24) | (((SubClass) & 0xff) << 16) | (((code) & 0x3fff) << 2))
#define MACHDBG_CODE(SubClass, code) KDBG_CODE(DBG_MACH, SubClass, code)
#define NETDBG_CODE(SubClass, code) KDBG_CODE(DBG_NETWORK, SubClass, code)
#define FSDBG_CODE(SubClass, code) KDBG_CODE(DBG_FSYSTEM, SubClass, code)
#define BSDDBG_CODE(SubClass, code) KDBG_CODE(DBG_BSD, SubClass, code)
#define IOKDBG_CODE(SubClass, code) KDBG_CODE(DBG_IOKIT, SubClass, code)
#define DRVDBG_CODE(SubClass, code) KDBG_CODE(DBG_DRIVERS, SubClass, code)
#define DLILDBG_CODE(SubClass, code) KDBG_CODE(DBG_DLIL, SubClass, code)
#define SECURITYDBG_CODE(SubClass, code) KDBG_CODE(DBG_SECURITY, SubClass, code)
#define MISCDBG_CODE(SubClass, code) KDBG_CODE(DBG_MISC, SubClass, code)

#define KERNEL_DEBUG(x, a, b, c, d, e) \
	do { \
	} while (0)
#define KERNEL_DEBUG_CONSTANT(x, a, b, c, d, e) \
	do { \
	} while (0)

#endif
