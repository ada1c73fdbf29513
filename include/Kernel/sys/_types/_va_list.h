/* A variable argument list. */
#ifndef _VA_LIST
#define _VA_LIST

#include <machine/_types.h>

typedef __darwin_va_list va_list;

#endif
