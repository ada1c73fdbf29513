/* Which classes of interface a header shows. All of what exists here is public. */
#ifndef _SYS_APPLEAPIOPTS_H_
#define _SYS_APPLEAPIOPTS_H_

#ifndef __APPLE_API_STANDARD
#define __APPLE_API_STANDARD 1
#endif
#ifndef __APPLE_API_STABLE
#define __APPLE_API_STABLE 1
#endif
#ifndef __APPLE_API_EVOLVING
#define __APPLE_API_EVOLVING 1
#endif
#ifndef __APPLE_API_UNSTABLE
#define __APPLE_API_UNSTABLE 1
#endif
#ifndef __APPLE_API_PRIVATE
#define __APPLE_API_PRIVATE 1
#endif
#ifndef __APPLE_API_OBSOLETE
#define __APPLE_API_OBSOLETE 1
#endif

#endif
