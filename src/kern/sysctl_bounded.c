/* See sysctl_bounded.h. */
#include "src/kern/heap.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_bounded.h"
#include "src/kern/sysctl_number.h"

/* What the handler gets: goes with the machine's heap. */
struct bounded {
	const struct sysctl_bounded *what;
	int *value;
};

static int
handle_bounded SYSCTL_HANDLER_ARGS
{
	const struct bounded *b = arg1;
	int fresh = *b->value, changed, error;

	(void)oidp;
	(void)arg2;
	error = sysctl_number(req, *b->value, sizeof fresh, &fresh, &changed);
	if (error != 0 || !changed)
		return error;
	if (fresh < b->what->min || fresh > b->what->max)
		return EINVAL;
	*b->value = fresh;
	return 0;
}

errno_t
sysctl_add_bounded(struct nke *m, struct sysctl_oid_list *parent, const struct sysctl_bounded *table,
    void *base)
{
	errno_t error = 0;

	for (; table->name != NULL && error == 0; table++) {
		struct bounded *b = kalloc(m, sizeof *b);

		if (b == NULL)
			return ENOMEM;
		b->what = table;
		b->value = (int *)(void *)((char *)base + table->offset);
		error = sysctl_add(m, parent, table->number, table->name,
		    CTLTYPE_INT | CTLFLAG_RW | CTLFLAG_LOCKED, b, 0, handle_bounded, "I");
	}
	return error;
}
