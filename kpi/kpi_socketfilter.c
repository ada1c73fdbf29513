/* sys/kpi_socketfilter.h: what a kext calls to filter sockets. The engine is sockfilter/. */
#include <sys/kpi_socketfilter.h>

#include "sockfilter/sockfilter.h"
#include "src/kern/kpi_rule.h"

#define CALLER	__builtin_return_address(0)

/* ---- filters ------------------------------------------------------------------------------ */

errno_t
sflt_register(const struct sflt_filter *filter, int domain, int type, int protocol)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return sflt_add(curmachine(), filter, domain, type, protocol, CALLER);
}

errno_t
sflt_unregister(sflt_handle handle)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return sflt_remove(curmachine(), handle);
}

errno_t
sflt_attach(socket_t so, sflt_handle handle)
{
	struct sflt *f;

	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_SOCKET, so);
	f = so != NULL && handle != 0 ? sflt_find(curmachine(), handle) : NULL;
	return f != NULL ? sflt_join(so, f, NULL, CALLER) : EINVAL;
}

/* Interface fact: not being attached is no error. */
errno_t
sflt_detach(socket_t so, sflt_handle handle)
{
	struct so_filter *e;

	KPI_RULES(KPI_SLEEPS, NULL);
	if (so == NULL || handle == 0)
		return EINVAL;
	for (e = so->so_filters; e != NULL; e = e->next) {
		if (e->attached && e->filter->f.sf_handle == handle) {
			sflt_part(e);
			break;
		}
	}
	return 0;
}

/* ---- injection ---------------------------------------------------------------------------- */

errno_t
sock_inject_data_in(socket_t so, const struct sockaddr *from, mbuf_t data, mbuf_t control,
    sflt_data_flag_t flags)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_SOCKET, so);
	return so != NULL ? sflt_inject_in(so, from, data, control, flags) : EINVAL;
}

errno_t
sock_inject_data_out(socket_t so, const struct sockaddr *to, mbuf_t data, mbuf_t control,
    sflt_data_flag_t flags)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_SOCKET, so);
	if (so != NULL)
		return sflt_inject_out(so, to, data, control, flags);
	m_freem(data);
	m_freem(control);
	return EINVAL;
}

/* ---- options ------------------------------------------------------------------------------ */

sockopt_dir
sockopt_direction(sockopt_t opt)
{
	return opt->sopt_dir == SOPT_GET ? sockopt_get : sockopt_set;
}

int
sockopt_level(sockopt_t opt)
{
	return opt->sopt_level;
}

int
sockopt_name(sockopt_t opt)
{
	return opt->sopt_name;
}

size_t
sockopt_valsize(sockopt_t opt)
{
	return opt->sopt_valsize;
}

/* Interface fact: a value that is longer has that length from now on. */
errno_t
sockopt_copyin(sockopt_t opt, void *data, size_t length)
{
	errno_t error;

	KPI_RULES(KPI_SLEEPS, NULL);
	error = sooptcopyin(opt, data, length, length);
	if (error == 0)
		opt->sopt_valsize = length;
	return error;
}

errno_t
sockopt_copyout(sockopt_t opt, void *data, size_t length)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return sooptcopyout(opt, data, length);
}
