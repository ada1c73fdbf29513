/* Sizes, differences of pointers, the null pointer. */
#ifndef _STDDEF_H_
#define _STDDEF_H_

#include <sys/_types/_null.h>
#include <sys/_types/_offsetof.h>
#include <sys/_types/_ptrdiff_t.h>
#include <sys/_types/_size_t.h>
#include <sys/_types/_rsize_t.h>
#include <sys/_types/_wchar_t.h>

#endif
