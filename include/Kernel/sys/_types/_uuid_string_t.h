/* A UUID as text with its final zero. */
#ifndef _UUID_STRING_T
#define _UUID_STRING_T

#include <sys/_types.h>

typedef __darwin_uuid_string_t uuid_string_t;

#endif
