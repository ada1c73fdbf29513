/*
 * The host's half of a machine: what stands behind nke_t. Private to src/host.
 */
#ifndef NKE_HOST_MACHINE_H
#define NKE_HOST_MACHINE_H

#include <stdarg.h>
#include <sys/queue.h>

#include <nke/iface.h>

#include "src/kern/corecalls.h"

struct nke_iface;
struct nke_kext;
struct nke_readiness;
struct ifnet;

struct nke_world {
	struct world *core;
	bool real_time;
};

struct nke_machine {
	struct nke *core;
	char name[32];
	void (*log)(void *ctx, const struct nke_log_record *);
	void *log_ctx;
	bool real_time;
	struct nke_loop *loop;		/* loop.c; NULL: none */
	TAILQ_HEAD(nke_kexts, nke_kext) kexts;	/* in order of loading (kext.c) */
	struct nke_kexts stuck;		/* stopped, image still mapped because it could be called */
	TAILQ_HEAD(nke_ifaces, nke_iface) ifaces;	/* iface.c */
	struct nke_readiness *readiness;	/* ready.c; NULL: nothing was ever watched */
	void *trace;			/* what trace.c keeps, NULL: off */
	char error_text[32768];
};

/*
 * Writes the long message of an error and returns `error` (the host's), so that callers can
 * `return nke_fail(m, ENOENT, ...)`.
 */
int nke_fail(nke_t *, int error, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/*
 * What a corecall returned (Darwin's errno) as the host's; EFAULT also sets the text to the panic
 * report. Does not touch the text otherwise.
 */
int nke_core_result(nke_t *, int darwin_error);
/* The same as the calls on descriptors say it: 0, or -1 with errno. */
int nke_core_errno(nke_t *, int darwin_error);

/* Its clock is the host's. */
static inline bool
nke_real_time(const nke_t *m)
{
	return m->real_time;
}

/* Forgets all kexts of a machine that is gone and unmaps their images (kext.c). */
void nke_kexts_forget(nke_t *);
/* Frees what stands for interfaces of a machine that is gone (iface.c). */
void nke_ifaces_forget(nke_t *);
nke_t *nke_iface_machine(const struct nke_iface *);
struct ifnet *nke_iface_core(const struct nke_iface *);
enum nke_media nke_iface_media(const struct nke_iface *);

/*
 * nke_iface_create for a device that takes frames as they lie in memory, several together (NULL: flat, by
 * config's output) and, with `offload`, finishes checksums and large segments.
 */
int nke_iface_create_device(nke_t *, const struct nke_iface_config *,
    void (*output_pieces)(void *, const struct core_output *, unsigned count), bool offload,
    nke_iface_t **);

#endif
