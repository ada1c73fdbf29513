/*
 * The socket layer's variables: kern.ipc.*, kern.maxfiles. Numbers are read and set in place; what would
 * make no sense is refused (EINVAL).
 */
#include "src/kern/filedesc.h"
#include "src/kern/socket_private.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_number.h"

/* arg1 is the number, which has to be from 1 to arg2. */
static int
handle_limit SYSCTL_HANDLER_ARGS
{
	int value = *(const int *)arg1, changed;
	int error = sysctl_number(req, value, sizeof value, &value, &changed);

	(void)oidp;
	if (error != 0 || !changed)
		return error;
	if (value < 1 || value > arg2)
		return EINVAL;
	*(int *)arg1 = value;
	return 0;
}

/* arg1 is the number. */
static int
handle_count SYSCTL_HANDLER_ARGS
{
	(void)oidp;
	(void)arg2;
	return sysctl_number(req, *(const int *)arg1, sizeof(int), NULL, NULL);
}

errno_t
socket_sysctl_init(struct nke *m)
{
	struct socket_state *s = m->sockets;
	const struct {
		int number;
		const char *name;
		int *value;
		int most;		/* 0: read only */
	} leaves[] = {
		{KIPC_MAXSOCKBUF, "maxsockbuf", &s->maxsockbuf, INT32_MAX / 2},
		{KIPC_SOCKBUF_WASTE, "sockbuf_waste_factor", &s->sockbuf_waste, 1024},
		{KIPC_SOMAXCONN, "somaxconn", &s->somaxconn, UINT16_MAX},
		{OID_AUTO, "maxsockets", &s->maxsockets, INT32_MAX},
		{OID_AUTO, "numopensockets", &s->count, 0},
	};
	errno_t error = 0;

	for (size_t i = 0; i < sizeof leaves / sizeof leaves[0] && error == 0; i++)
		error = sysctl_add(m, &sysctl__kern_ipc_children, leaves[i].number, leaves[i].name,
		    CTLTYPE_INT | (leaves[i].most != 0 ? CTLFLAG_RW : CTLFLAG_RD) | CTLFLAG_LOCKED,
		    leaves[i].value, leaves[i].most, leaves[i].most != 0 ? handle_limit : handle_count,
		    "I");
	return error;
}

errno_t
filedesc_sysctl_init(struct nke *m, int *limit, int *open)
{
	errno_t error = sysctl_add(m, &sysctl__kern_children, KERN_MAXFILES, "maxfiles",
	    CTLTYPE_INT | CTLFLAG_RW | CTLFLAG_LOCKED, limit, FD_MOST, handle_limit, "I");

	if (error == 0)
		error = sysctl_add(m, &sysctl__kern_children, OID_AUTO, "num_files",
		    CTLTYPE_INT | CTLFLAG_RD | CTLFLAG_LOCKED, open, 0, handle_count, "I");
	return error;
}
