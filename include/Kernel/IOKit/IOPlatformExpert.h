/* What the machine calls itself. The classes are C++ and not here. */
#ifndef _IOKIT_IOPLATFORMEXPERT_H_
#define _IOKIT_IOPLATFORMEXPERT_H_

#include <sys/cdefs.h>
#include <IOKit/IOTypes.h>
#include <mach/boolean.h>

__BEGIN_DECLS

/* Copy the name, cut at maxLength - 1. TRUE. */
boolean_t PEGetMachineName(char *name, int maxLength);
boolean_t PEGetModelName(char *name, int maxLength);

__END_DECLS

#endif
