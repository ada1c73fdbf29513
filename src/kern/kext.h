/*
 * A loaded kext, as the core knows it: identity, state and what it owns. Finding bundles, property
 * lists and mapping images is the host's business (src/host); running start and stop, deciding
 * whether it may go, and naming what it left behind is done in kext.c.
 */
#ifndef NKE_KERN_KEXT_H
#define NKE_KERN_KEXT_H

#include <mach/kmod.h>

#include "src/kern/kextcalls.h"
#include "src/kern/ledger.h"
#include "src/kern/machine.h"

enum kext_phase { KEXT_LOADING, KEXT_STARTED, KEXT_STOPPING, KEXT_STOPPED };

struct kext {
	TAILQ_ENTRY(kext) link;
	char identifier[128];		/* CFBundleIdentifier */
	char version[64];
	char name[64];			/* what log lines say: last part of the identifier */
	enum kext_phase phase;
	uint32_t id;
	uint32_t dependents;		/* kexts that name it in OSBundleLibraries */
	uint32_t retained;		/* by kexts, which do not let it be unloaded */
	void *host;			/* the host's half: image, plist */
	TAILQ_HEAD(, ledger_entry) owned;
	uint32_t owned_count[LEDGER_KINDS];
	uint64_t memory_bytes;		/* allocated now */
	uint64_t memory_peak;
	uint64_t calls, call_ticks;	/* of its callbacks but those that see packets: gate.h */
	char line[1024];		/* unfinished log line */
	size_t line_len;
	int line_level;
	TAILQ_ENTRY(kext) line_link;	/* kexts with an unfinished line (klog.c) */

	/* the loader's (kext.c) */
	struct kext_params image;	/* functions and arrays; its strings are not kept */
	kmod_info_t *kmod;		/* what start and stop get: the image's, or `own_kmod` */
	kmod_info_t own_kmod;
	struct kext **needs;		/* kexts it depends on, image.need_count of them */
	bool linkable;			/* has a compatible version */
	uint64_t version_number, compatible_number;
};

/*
 * How to take back an object of that kind from a kext whose start routine failed: afterwards it is
 * struck from the ledger and never calls the kext again. False when it could not be done.
 */
typedef bool kext_reclaim_fn(struct nke *, struct ledger_entry *);
void kext_set_reclaim(struct nke *, enum ledger_kind, kext_reclaim_fn *);
/* The kext of that identifier, stopped ones included, or NULL. */
struct kext *kext_find(struct nke *, const char *identifier);
struct kext *kext_find_id(struct nke *, uint32_t id);
/* It is not stopped until it is released as often. */
void kext_retain(struct kext *);
void kext_release(struct kext *);

/* A callback of its has taken so many ticks (hc_ticks) and is back. */
static inline void
kext_called(struct kext *k, uint64_t ticks)
{
	k->calls++;
	k->call_ticks += ticks;
}

static inline const char *
kext_name(const struct kext *k)
{
	return k != NULL ? k->name : "kernel";
}

#endif
