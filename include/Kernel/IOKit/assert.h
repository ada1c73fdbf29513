/* IOKit's name for kern/assert.h. */
#ifndef _IOKIT_ASSERT_H_
#define _IOKIT_ASSERT_H_

#include <kern/assert.h>

#endif
