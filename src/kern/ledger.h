/*
 * The ledger: who owns what. Every object that a kext makes or is handed, and must give back, is
 * entered here under the kext whose code asked for it; what is still there after its stop routine is
 * named, with the place it came from, and decides whether its image may be unmapped.
 *
 * The entry is embedded in the object. Objects made by the core itself (no kext) are not entered.
 */
#ifndef NKE_KERN_LEDGER_H
#define NKE_KERN_LEDGER_H

#include "src/kern/machine.h"

enum ledger_kind {
	LEDGER_MEMORY,			/* OSMalloc, _MALLOC, IOMalloc ... block */
	LEDGER_MALLOC_TAG,
	LEDGER_LOCK, LEDGER_LOCK_GROUP, LEDGER_LOCK_ATTR,
	LEDGER_THREAD, LEDGER_THREAD_CALL, LEDGER_TIMEOUT,
	LEDGER_SYSCTL,
	LEDGER_INTERFACE, LEDGER_INTERFACE_REF, LEDGER_PROTOCOL, LEDGER_PLUMBER,
	LEDGER_INTERFACE_FILTER, LEDGER_IP_FILTER, LEDGER_SOCKET_FILTER,
	LEDGER_SOCKET, LEDGER_CONTROL, LEDGER_KAUTH_LISTENER,
	LEDGER_DEVICE, LEDGER_DEVICE_NAME, LEDGER_PROCESS_REF, LEDGER_CREDENTIAL_REF,
	LEDGER_CLUSTER,			/* external mbuf storage with the kext's free function */
	LEDGER_MBUF,			/* checked mode only */
	LEDGER_KINDS
};

#define LEDGER_FRAMES	8

struct kext;

struct ledger_entry {
	TAILQ_ENTRY(ledger_entry) link;	/* of its kext */
	struct kext *kext;		/* NULL: not entered */
	uint8_t kind;			/* enum ledger_kind */
	bool tried;			/* to take it back from a kext that did not start */
	uint8_t frames;
	void **pcs;			/* `frames` return addresses; NULL: only `pc` */
	void *pc;			/* the call's return address in the kext */
};

/*
 * Enters an object under the kext whose code runs now (nothing when none does). `pc` is the caller's
 * return address (__builtin_return_address(0) in the KPI function). Takes a whole backtrace for
 * everything but what kexts make by the packet (memory, mbufs, timeouts), and for those too in checked mode.
 */
void ledger_enter(struct nke *, struct ledger_entry *, enum ledger_kind, void *pc);
/* The same for a given kext, e.g. a filter re-attached on its behalf. */
void ledger_enter_for(struct nke *, struct kext *, struct ledger_entry *, enum ledger_kind, void *pc);
/* What the core made because of another object of the same kext: that one's place is its own. */
void ledger_enter_like(struct nke *, struct ledger_entry *, const struct ledger_entry *model);
/* Strikes it out; nothing when it was not entered. */
void ledger_strike(struct nke *, struct ledger_entry *);
const char *ledger_kind_name(enum ledger_kind);
/* Fills `text` with what the object is ("IP filter \"dropper\""); kinds register how. */
typedef void ledger_describe_fn(const struct ledger_entry *, char *text, size_t size);
void ledger_set_describe(struct nke *, enum ledger_kind, ledger_describe_fn *);

/* ---- what a kext owns (kext.c) ------------------------------------------------------------ */

/* "IP filter \"dropper\", from dropper`dropper_start+0x5e". */
void ledger_describe(struct nke *, const struct ledger_entry *, char *text, size_t size);
/* The i-th frame of the entry's backtrace, symbolized, "" past the end; returns how many there are. */
unsigned ledger_frame(const struct ledger_entry *, unsigned i, char *text, size_t size);
/* How many objects; the kinds' own numbers are in kext->owned_count. */
unsigned ledger_count(const struct kext *);
/* Through an object of that kind the core calls the kext's code. */
bool ledger_calls_back(enum ledger_kind);
/* True while something is left through which the core could call the kext's code. */
bool ledger_pins_image(const struct kext *);
/* In the order in which they were made; `visit` may strike the entry it is given out. */
void ledger_for_each(struct kext *, void (*visit)(void *ctx, struct ledger_entry *), void *ctx);
/* The kext goes and its objects stay: strikes them all out. */
void ledger_disown(struct nke *, struct kext *);

#endif
