/* Where a member lies in its struct. */
#ifndef _SYS__TYPES__OFFSETOF_H_
#define _SYS__TYPES__OFFSETOF_H_

#ifndef offsetof
#define offsetof(type, field) __builtin_offsetof(type, field)
#endif

#endif
