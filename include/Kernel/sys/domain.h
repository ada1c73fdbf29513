/* Protocol domains are the machine's own: nothing of them is left to kexts of 10.4 and later. */
#ifndef _SYS_DOMAIN_H_
#define _SYS_DOMAIN_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>

#endif
