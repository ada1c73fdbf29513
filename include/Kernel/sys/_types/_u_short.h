/* BSD's short name of unsigned short. */
#ifndef _U_SHORT
#define _U_SHORT

typedef unsigned short u_short;

#endif
