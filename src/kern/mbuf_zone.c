/*
 * The mbuf zone: where a machine's mbufs and clusters come from and go back to.
 *
 * Called by everything that handles packets. Getting and freeing are a pop and a push on free lists
 * that nobody else touches (a machine has one CPU); each cluster is paired for good with its reference
 * record, so a cluster is one pop as well. What is in use counts against config.mbuf_limit_bytes.
 *
 * Checked mode (mbuf_check.c) adds a note per object, a fill pattern on free, and its verification.
 */
#include <stddef.h>
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/mbuf_zone.h"
#include "src/kern/panic.h"

#define MBUF_DEFAULT_LIMIT	(UINT64_C(64) << 20)
#define UNLIKELY(x)		__builtin_expect((x), 0)
#define CALLER			__builtin_return_address(0)

/* ---- slabs -------------------------------------------------------------------------------- */

static struct zone_slab *
slab_create(struct mbuf_zone *z, enum zone_class_id id)
{
	struct zone_class *c = &z->classes[id];
	size_t size = (size_t)1 << c->slab_shift;
	struct zone_slab *s = hc_alloc_aligned(size, size);

	if (s == NULL)
		return NULL;
	s->magic = ZONE_SLAB_MAGIC;
	s->id = id;
	s->zone = z;
	s->carved = 1;
	s->places = 1u << (c->slab_shift - c->shift);
	s->notes = NULL;
	if (z->checked && !zone_check_slab(z, s)) {
		hc_free(s);
		return NULL;
	}
	s->next = c->slabs;
	c->slabs = s;
	return s;
}

/* An object that was never used; NULL when the host has no memory. */
static void *
carve(struct mbuf_zone *z, enum zone_class_id id)
{
	struct zone_class *c = &z->classes[id];
	struct zone_slab *s = c->slabs;

	if (s == NULL || s->carved == s->places) {
		s = slab_create(z, id);
		if (s == NULL)
			return NULL;
	}
	c->total++;
	return (char *)s + ((size_t)s->carved++ << c->shift);
}

/* Asks whether `size` more bytes may be used, and takes them. */
static inline bool
charge(struct mbuf_zone *z, size_t size)
{
	uint64_t bytes = z->bytes + size;

	if (UNLIKELY(heap_inject_failure(z->machine))) {
		z->denied++;
		return false;
	}
	if (UNLIKELY(bytes > z->peak)) {
		if (bytes > z->limit) {
			z->denied++;
			return false;
		}
		z->peak = bytes;
	}
	z->bytes = bytes;
	return true;
}

static void
charge_failed(struct mbuf_zone *z, size_t size)
{
	z->bytes -= size;
	z->denied++;
}

/* ---- getting mbufs ------------------------------------------------------------------------ */

/* The free list is empty, or what comes from it has to be checked. */
static __attribute__((noinline)) struct mbuf *
take_mbuf_slowly(struct mbuf_zone *z, void *pc)
{
	struct mbuf *m = z->free_mbufs;
	bool fresh = m == NULL;

	if (fresh) {
		m = carve(z, ZONE_MBUF);
		if (m == NULL) {
			charge_failed(z, MSIZE);
			return NULL;
		}
	}
	if (z->checked)
		zone_check_taken(z, ZONE_MBUF, m, fresh ? NULL : m->m_next, fresh, pc);
	if (!fresh)
		z->free_mbufs = m->m_next;
	return m;
}

static _Noreturn void
bad_type(int type)
{
	kpanic("an mbuf of type %d was asked for: MBUF_TYPE_FREE marks mbufs that nobody has", type);
}

static inline struct mbuf *
take_mbuf(struct mbuf_zone *z, int type, void *pc)
{
	struct mbuf *m;

	if (UNLIKELY((uint16_t)type == MBUF_TYPE_FREE))
		bad_type(type);
	if (UNLIKELY(!charge(z, MSIZE)))
		return NULL;
	m = z->free_mbufs;
	if (UNLIKELY(m == NULL || z->checked)) {
		m = take_mbuf_slowly(z, pc);
		if (m == NULL)
			return NULL;
	} else
		z->free_mbufs = m->m_next;
	z->types[(uint16_t)type % ZONE_TYPES]++;
	m->m_next = NULL;
	m->m_nextpkt = NULL;
	m->m_len = 0;
	m->m_type = (uint16_t)type;
	return m;
}

typedef uint64_t pair __attribute__((vector_size(16), aligned(8), may_alias));

/*
 * Stores written out: a compiler turns memset of this size into a string instruction, which costs more
 * than all the rest of getting an mbuf. What is left of `reserved` stays as it is: nobody reads it.
 */
static inline void
init_pkthdr(struct mbuf *m)
{
	const pair zero = {0, 0};
	pair *p = (pair *)(void *)&m->m_pkthdr;

	_Static_assert(offsetof(struct pkthdr, reserved) <= 6 * sizeof *p, "every field is cleared");
	m->m_flags = M_PKTHDR;
	m->m_data = m->m_pktdat;
	p[0] = zero;
	p[1] = zero;
	p[2] = zero;
	p[3] = zero;
	p[4] = zero;
	p[5] = zero;
}

struct mbuf *
m_get(struct nke *machine, int how, int type)
{
	struct mbuf *m = take_mbuf(machine->mbufs, type, CALLER);

	(void)how;
	if (m == NULL)
		return NULL;
	m->m_flags = 0;
	m->m_data = m->m_dat;
	return m;
}

struct mbuf *
m_gethdr(struct nke *machine, int how, int type)
{
	struct mbuf *m = take_mbuf(machine->mbufs, type, CALLER);

	(void)how;
	if (m != NULL)
		init_pkthdr(m);
	return m;
}

/* ---- clusters ----------------------------------------------------------------------------- */

static int
kind_of_size(size_t size)
{
	switch (size) {
	case MCLBYTES:
		return EXT_2K;
	case MBIGCLBYTES:
		return EXT_4K;
	case M16KCLBYTES:
		return EXT_16K;
	default:
		return -1;
	}
}

static inline size_t
size_of_kind(enum m_ext_kind kind)
{
	return kind == EXT_2K ? MCLBYTES : kind == EXT_4K ? MBIGCLBYTES : M16KCLBYTES;
}

static __attribute__((noinline)) struct m_ext_ref *
take_cluster_slowly(struct mbuf_zone *z, enum m_ext_kind kind, void *pc)
{
	enum zone_class_id id = ZONE_OF_KIND(kind);
	struct m_ext_ref *ref = z->free_clusters[kind];
	bool fresh = ref == NULL;
	char *buf;

	if (fresh) {
		buf = carve(z, id);
		if (buf == NULL) {
			charge_failed(z, size_of_kind(kind));
			return NULL;
		}
		ref = &zone_slab_of(z, id, buf)->refs[zone_place_of(z, id, buf)];
		ref->buf = buf;
		ref->size = (uint32_t)size_of_kind(kind);
		ref->kind = (uint8_t)kind;
		ref->next = NULL;
	}
	if (z->checked)
		zone_check_taken(z, id, ref->buf, ref->next, fresh, pc);
	if (!fresh)
		z->free_clusters[kind] = ref->next;
	return ref;
}

static inline struct m_ext_ref *
take_cluster(struct mbuf_zone *z, enum m_ext_kind kind, void *pc)
{
	struct m_ext_ref *ref;

	if (UNLIKELY(!charge(z, size_of_kind(kind))))
		return NULL;
	ref = z->free_clusters[kind];
	if (UNLIKELY(ref == NULL || z->checked)) {
		ref = take_cluster_slowly(z, kind, pc);
		if (ref == NULL)
			return NULL;
	} else
		z->free_clusters[kind] = ref->next;
	z->classes[ZONE_OF_KIND(kind)].in_use++;
	ref->refs = 1;
	ref->was_shared = false;
	ref->raw = false;
	return ref;
}

static __attribute__((noinline)) void
release_foreign(struct mbuf_zone *z, struct m_ext_ref *ref)
{
	struct m_ext_foreign *f = (struct m_ext_foreign *)(void *)ref;

	/* Struck out last: while its code runs the kext must stay. */
	GATE_CALL(f->ledger.kext, "extfree", NULL, f->free(ref->buf, ref->size, f->free_arg));
	ledger_strike(z->machine, &f->ledger);
	kfree(z->machine, f);
}

static _Noreturn void
released_too_often(const struct m_ext_ref *ref)
{
	kpanic("cluster %p of %u bytes released more often than it was referenced", (void *)ref->buf,
	    ref->size);
}

static inline void
release(struct mbuf_zone *z, struct m_ext_ref *ref, void *pc)
{
	if (UNLIKELY(ref->refs != 1)) {
		if (ref->refs == 0)
			released_too_often(ref);
		ref->refs--;
		return;
	}
	ref->refs = 0;
	if (UNLIKELY(ref->kind == EXT_FOREIGN)) {
		release_foreign(z, ref);
		return;
	}
	if (UNLIKELY(z->checked))
		zone_check_freed(z, ZONE_OF_KIND(ref->kind), ref->buf, z->free_clusters[ref->kind], pc);
	z->classes[ZONE_OF_KIND(ref->kind)].in_use--;
	z->bytes -= ref->size;
	ref->next = z->free_clusters[ref->kind];
	z->free_clusters[ref->kind] = ref;
}

static inline void
attach(struct mbuf *m, struct m_ext_ref *ref)
{
	m->m_ext.buf = ref->buf;
	m->m_ext.size = ref->size;
	m->m_ext.ref = ref;
	m->m_data = ref->buf;
	m->m_flags |= M_EXT;
}

struct m_ext_ref *
mcl_alloc(struct nke *machine, size_t size)
{
	int kind = kind_of_size(size);

	KASSERTX(kind >= 0, "a cluster of %zu bytes was asked for; there are 2048, 4096 and 16384", size);
	return take_cluster(machine->mbufs, (enum m_ext_kind)kind, CALLER);
}

void
mcl_release(struct nke *machine, struct m_ext_ref *ref)
{
	release(machine->mbufs, ref, CALLER);
}

struct m_ext_ref *
mcl_foreign(struct nke *machine, caddr_t buf, uint32_t size, void (*fn)(caddr_t, u_int, caddr_t),
    caddr_t arg, void *pc)
{
	struct m_ext_foreign *f = kalloc(machine, sizeof *f);

	if (f == NULL)
		return NULL;
	f->ref.buf = buf;
	f->ref.size = size;
	f->ref.refs = 1;
	f->ref.kind = EXT_FOREIGN;
	f->free = fn;
	f->free_arg = arg;
	ledger_enter(machine, &f->ledger, LEDGER_CLUSTER, pc);
	return &f->ref;
}

struct m_ext_ref *
mcl_lookup(struct nke *machine, const void *addr, size_t size)
{
	struct mbuf_zone *z = machine->mbufs;
	int kind = kind_of_size(size);
	enum zone_class_id id = ZONE_OF_KIND(kind);
	const struct zone_slab *s;

	KASSERTX(kind >= 0, "cluster %p has %zu bytes; there are 2048, 4096 and 16384", addr, size);
	/* Walked, not masked: nothing is known about the address yet. */
	for (s = z->classes[id].slabs; s != NULL; s = s->next)
		if (s == zone_slab_of(z, id, addr))
			break;
	KASSERTX(s != NULL && ((uintptr_t)addr & (size - 1)) == 0 &&
	    zone_place_of(z, id, addr) != 0 && zone_place_of(z, id, addr) < s->carved,
	    "%p is not a cluster of %zu bytes", addr, size);
	return (struct m_ext_ref *)(uintptr_t)&s->refs[zone_place_of(z, id, addr)];
}

bool
mbuf_zone_contains(const struct nke *machine, const void *addr)
{
	const struct mbuf_zone *z = machine->mbufs;

	for (int id = 0; id < ZONE_CLASSES; id++)
		for (const struct zone_slab *s = z->classes[id].slabs; s != NULL; s = s->next)
			if (s == zone_slab_of(z, (enum zone_class_id)id, addr))
				return zone_place_of(z, (enum zone_class_id)id, addr) != 0;
	return false;
}

void
m_ext_attach(struct mbuf *m, struct m_ext_ref *ref)
{
	attach(m, ref);
}

bool
m_clget(struct nke *machine, struct mbuf *m, int how, size_t size)
{
	struct m_ext_ref *ref, *old = NULL;

	(void)how;
	if (m->m_flags & M_EXT) {
		old = m->m_ext.ref;
		if (old->size == size && m_writable(m)) {
			m->m_data = old->buf;
			return true;
		}
	}
	ref = mcl_alloc(machine, size);
	if (ref == NULL)
		return false;
	attach(m, ref);
	if (old != NULL)
		release(machine->mbufs, old, CALLER);
	return true;
}

struct mbuf *
m_getpacket(struct nke *machine, int how)
{
	struct mbuf_zone *z = machine->mbufs;
	struct mbuf *m = take_mbuf(z, MBUF_TYPE_DATA, CALLER);
	struct m_ext_ref *ref;

	(void)how;
	if (m == NULL)
		return NULL;
	init_pkthdr(m);
	ref = take_cluster(z, EXT_2K, CALLER);
	if (ref == NULL) {
		m_free(m);
		return NULL;
	}
	attach(m, ref);
	return m;
}

/* ---- freeing ------------------------------------------------------------------------------ */

static inline struct mbuf *
free_one(struct mbuf_zone *z, struct mbuf *m, void *pc)
{
	struct mbuf *next = m->m_next;

	if (UNLIKELY(m->m_type == MBUF_TYPE_FREE || z->checked))
		zone_check_free(z, m, pc);
	if ((m->m_flags & M_PKTHDR) && UNLIKELY(m->m_pkthdr.tags != NULL))
		m_tag_delete_chain(z->machine, m);
	if (m->m_flags & M_EXT) {
		struct m_ext_ref *ref = m->m_ext.ref;

		m->m_flags &= (uint16_t)~M_EXT;
		release(z, ref, pc);
	}
	z->types[m->m_type % ZONE_TYPES]--;
	z->bytes -= MSIZE;
	m->m_type = MBUF_TYPE_FREE;
	m->m_next = z->free_mbufs;
	if (UNLIKELY(z->checked))
		zone_check_freed(z, ZONE_MBUF, m, m->m_next, pc);
	z->free_mbufs = m;
	return next;
}

struct mbuf *
m_free_for(struct mbuf *m, void *pc)
{
	return free_one(curmachine()->mbufs, m, pc);
}

void
m_freem_for(struct mbuf *m, void *pc)
{
	struct mbuf_zone *z = curmachine()->mbufs;

	while (m != NULL)
		m = free_one(z, m, pc);
}

unsigned
m_freem_list_for(struct mbuf *m, void *pc)
{
	unsigned n = 0;

	while (m != NULL) {
		struct mbuf *next = m->m_nextpkt;

		m_freem_for(m, pc);
		m = next;
		n++;
	}
	return n;
}

struct mbuf *
m_free(struct mbuf *m)
{
	return m_free_for(m, CALLER);
}

void
m_freem(struct mbuf *m)
{
	m_freem_for(m, CALLER);
}

unsigned
m_freem_list(struct mbuf *m)
{
	return m_freem_list_for(m, CALLER);
}

void
m_settype(struct mbuf *m, int type)
{
	struct mbuf_zone *z = curmachine()->mbufs;

	if ((uint16_t)type == MBUF_TYPE_FREE)
		bad_type(type);
	z->types[m->m_type % ZONE_TYPES]--;
	z->types[(uint16_t)type % ZONE_TYPES]++;
	m->m_type = (uint16_t)type;
}

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
mbuf_init(struct nke *machine)
{
	struct mbuf_zone *z = kalloc(machine, sizeof *z);

	if (z == NULL)
		return ENOMEM;
	z->machine = machine;
	z->checked = machine->checked;
	z->limit = machine->config.mbuf_limit_bytes != 0 ? machine->config.mbuf_limit_bytes :
	    MBUF_DEFAULT_LIMIT;
	/* Slabs have a place for the header beside 255 mbufs, 31, 15 and 15 clusters. */
	z->classes[ZONE_MBUF] = (struct zone_class){.shift = 8, .slab_shift = 16};
	z->classes[ZONE_2K] = (struct zone_class){.shift = 11, .slab_shift = 16};
	z->classes[ZONE_4K] = (struct zone_class){.shift = 12, .slab_shift = 16};
	z->classes[ZONE_16K] = (struct zone_class){.shift = 14, .slab_shift = 18};
	_Static_assert(sizeof(struct zone_slab) <= MSIZE, "the header fits in an mbuf's place");
	_Static_assert(sizeof(struct zone_slab) + 32 * sizeof(struct m_ext_ref) <= MCLBYTES,
	    "the header and 32 records fit in a cluster's place");
	machine->mbufs = z;
	return 0;
}

/* Packets still there are gone; storage that kexts attached is theirs, and their code is not called. */
static void
mbuf_fini(struct nke *machine)
{
	struct mbuf_zone *z = machine->mbufs;

	for (int id = 0; id < ZONE_CLASSES; id++) {
		struct zone_slab *s;

		while ((s = z->classes[id].slabs) != NULL) {
			z->classes[id].slabs = s->next;
			if (s->notes != NULL)
				hc_free(s->notes);
			hc_free(s);
		}
	}
	zone_check_fini(z);
	machine->mbufs = NULL;
	kfree(machine, z);
}

extern const struct subsystem mbuf_subsystem;
const struct subsystem mbuf_subsystem = {.name = "mbuf", .init = mbuf_init, .fini = mbuf_fini};
