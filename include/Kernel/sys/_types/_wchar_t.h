/* A wide character; C++ has its own. */
#ifndef _WCHAR_T
#define _WCHAR_T

#include <machine/_types.h>

#ifndef __cplusplus
typedef __darwin_wchar_t wchar_t;
#endif

#endif
