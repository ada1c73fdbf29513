/* An address in the kernel, to count bytes from. */
#ifndef _CADDR_T
#define _CADDR_T

typedef char *caddr_t;

#endif
