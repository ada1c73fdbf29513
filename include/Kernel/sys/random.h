/* Random bytes: the machine's own generator, the same bytes for the same seed. */
#ifndef _SYS_RANDOM_H_
#define _SYS_RANDOM_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>

__BEGIN_DECLS

/* Fill `buffer`. Never sleep, never fail. */
void read_random(void *buffer, u_int numBytes);
void read_frandom(void *buffer, u_int numBytes);
/* Takes bytes in and forgets them: a seeded machine stays what it was. Always 0. */
int write_random(void *buffer, u_int numBytes);

__END_DECLS

#endif
