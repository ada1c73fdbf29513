/* A set of signals. */
#ifndef _SIGSET_T
#define _SIGSET_T

#include <sys/_types.h>

typedef __darwin_sigset_t sigset_t;

#endif
