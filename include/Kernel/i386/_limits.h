/* How many clock ticks a second has in times(3). */
#ifndef _I386__LIMITS_H_
#define _I386__LIMITS_H_

#define __DARWIN_CLK_TCK 100

#endif
