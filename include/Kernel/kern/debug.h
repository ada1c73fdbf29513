/* The end of the machine. */
#ifndef _KERN_DEBUG_H_
#define _KERN_DEBUG_H_

#include <sys/cdefs.h>
#include <sys/types.h>

__BEGIN_DECLS

/*
 * Stops the machine with a report: machine, kext, callback, packet, backtrace. Does not return to
 * its caller. A harness may catch it and go on with another machine.
 */
void panic(const char *string, ...) __printflike(1, 2) __dead2;
/* What PEGetModelName gives from now on: at most 31 characters are kept. */
void populate_model_name(char *model);

__END_DECLS

#define panic_plain panic

#endif
