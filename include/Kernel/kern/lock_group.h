/* Lock groups: a name for the locks that belong together. A group's locks keep it alive. */
#ifndef _KERN_LOCK_GROUP_H_
#define _KERN_LOCK_GROUP_H_

#include <sys/cdefs.h>

typedef struct __lck_grp__ lck_grp_t;
typedef struct __lck_grp_attr__ lck_grp_attr_t;

#define LCK_GRP_NULL ((lck_grp_t *)0)
#define LCK_GRP_ATTR_NULL ((lck_grp_attr_t *)0)

__BEGIN_DECLS

/* Copies the name. `attr` may be LCK_GRP_ATTR_NULL. May sleep; NULL only without memory. */
lck_grp_t *lck_grp_alloc_init(const char *name, lck_grp_attr_t *attr);
void lck_grp_free(lck_grp_t *grp);

lck_grp_attr_t *lck_grp_attr_alloc_init(void);
void lck_grp_attr_free(lck_grp_attr_t *attr);
void lck_grp_attr_setdefault(lck_grp_attr_t *attr);
/* Asks for statistics. */
void lck_grp_attr_setstat(lck_grp_attr_t *attr);

__END_DECLS

#endif
