/* Apple's names for integers by width. */
#ifndef _LIBKERN_OSTYPES_H_
#define _LIBKERN_OSTYPES_H_

#include <libkern/OSBase.h>

typedef unsigned int UInt;
typedef signed int SInt;

typedef unsigned char UInt8;
typedef unsigned short UInt16;
typedef unsigned int UInt32;
typedef unsigned long long UInt64;
typedef signed char SInt8;
typedef signed short SInt16;
typedef signed int SInt32;
typedef signed long long SInt64;
typedef SInt32 OSStatus;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
typedef struct UnsignedWide {
	UInt32 hi;
	UInt32 lo;
} UnsignedWide;
#else
typedef struct UnsignedWide {
	UInt32 lo;
	UInt32 hi;
} UnsignedWide;
#endif

typedef UInt32 OSVersionNumber;
typedef unsigned char Boolean;

#endif
