/*
 * The part of corecalls.h about kexts: what src/host calls once it has found, checked and mapped one.
 * Included by both sides, so only plain C types; errors are Darwin's; every call enters the machine.
 *
 * The host reads bundles, property lists and images and knows the sets of kernel symbols; the core
 * knows which kexts are there, runs their code, and decides whether an image may go.
 */
#ifndef NKE_KEXTCALLS_H
#define NKE_KEXTCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nke;
struct kext;

/* Another kext that must be loaded first. */
struct kext_need {
	const char *identifier;
	const char *version;
};

/* What the host tells of a kext. Strings are copied, arrays of functions stay in the image. */
struct kext_params {
	const char *identifier;
	const char *version;
	const char *compatible_version;	/* NULL: nobody may link against it */
	const struct kext_need *needs;
	size_t need_count;

	/* from here on unused by kext_check */
	void (*const *constructors)(void);	/* run first to last before start; 0 and -1 are skipped */
	size_t constructor_count;
	void (*const *destructors)(void);	/* run last to first after stop */
	size_t destructor_count;
	int (*start)(void *kmod_info, void *data);	/* NULL: none */
	int (*stop)(void *kmod_info, void *data);
	void *kmod_info;		/* the image's own, NULL: it has none */
	const void *address;		/* of the image */
	size_t size;
	void *host;
};

/* Where long messages go: always terminated. */
struct kext_text {
	char *text;
	size_t size;
};

/*
 * Would the identity and the needs let it load? EEXIST: loaded already. ESRCH: a need is not there.
 * EINVAL: a version or the identifier is malformed. EFAULT.
 */
int kext_check(struct nke *, const struct kext_params *, struct kext_text *);
/*
 * kext_check, then constructors and start. EIO: start refused, after which destructors have run;
 * ENOMEM. On an error `*kext` is not NULL only when it left something through which it could be
 * called: it is stopped, its image must stay, kext_unload may be tried again.
 */
int kext_load(struct nke *, const struct kext_params *, struct kext **kext, struct kext_text *);
/*
 * stop and destructors. 0: gone, `*leaks` objects were left and are named. EBUSY: it stays, either
 * running, or stopped because of something that could still call it; the next try then only looks
 * whether that has gone. EFAULT.
 */
int kext_unload(struct nke *, struct kext *, unsigned *leaks, struct kext_text *);
/*
 * How many objects kexts have left behind that are unloaded, or stopped and not let go; `text` names them, by
 * kext, with the places they came from. EFAULT.
 */
int kext_left(struct nke *, unsigned *objects, struct kext_text *);
/* Bytes it has allocated now, and at most. Do not enter. */
uint64_t kext_memory(const struct kext *);
uint64_t kext_memory_peak(const struct kext *);
/* Its calls but for packets in filters, and the nanoseconds for which they ran. Do not enter. */
uint64_t kext_calls(const struct kext *);
uint64_t kext_time_ns(const struct kext *);
/* True for "1", "1.2.3", "1.2.3d4" and so on, as OSBundleVersion has them; `*number` orders them. */
bool kext_version_parse(const char *, uint64_t *number);

#endif
