/* Starting a program's image: the name only. */
#ifndef _SYS_IMGACT_H_
#define _SYS_IMGACT_H_

#include <sys/cdefs.h>

struct image_params;

#endif
