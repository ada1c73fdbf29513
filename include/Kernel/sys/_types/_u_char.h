/* BSD's short name of unsigned char. */
#ifndef _U_CHAR
#define _U_CHAR

typedef unsigned char u_char;

#endif
