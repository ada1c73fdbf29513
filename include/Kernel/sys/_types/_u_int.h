/* BSD's short name of unsigned int. */
#ifndef _U_INT
#define _U_INT

typedef unsigned int u_int;

#endif
