/* A process's number. */
#ifndef _PID_T
#define _PID_T

#include <sys/_types.h>

typedef __darwin_pid_t pid_t;

#endif
