/* The inline byte swappers under their oldest name. */
#ifndef _MACHINE_BYTE_ORDER_H_
#define _MACHINE_BYTE_ORDER_H_

#include <libkern/OSByteOrder.h>

#endif
