/*
 * mbufs, as the core sees them. The layout is BSD's: 256 bytes, 32 of them header, 144 more packet
 * header in the first mbuf of a packet; data inside, in a shared cluster, or in foreign storage.
 *
 * Every machine has a zone of its own with free lists, so that getting and freeing are a few
 * instructions without locks. Kexts see only the accessors of kpi/kpi_mbuf.c.
 */
#ifndef NKE_KERN_MBUF_H
#define NKE_KERN_MBUF_H

#include <machine/param.h>		/* MSIZE, MCLBYTES, MBIGCLBYTES, M16KCLBYTES */
#include <sys/kpi_mbuf.h>

#include "src/kern/ledger.h"
#include "src/kern/machine.h"

#define MLEN		224		/* data bytes in a plain mbuf */
#define MHLEN		80		/* data bytes in a packet's first mbuf */
#define MINCLSIZE	(MHLEN + MLEN)	/* from here on a cluster is used */
#define M_COPYALL	1000000000

/* m_flags: the public ones are MBUF_* (sys/kpi_mbuf.h); this one is ours. */
#define M_EXT		MBUF_EXT
#define M_PKTHDR	MBUF_PKTHDR
#define M_TOUCHED	0x8000		/* a kext has taken a pointer to the data or changed the shape */
#define M_PUBLIC	(MBUF_EXT | MBUF_PKTHDR | MBUF_EOR | MBUF_LOOP | MBUF_BCAST | MBUF_MCAST | \
			 MBUF_FRAG | MBUF_FIRSTFRAG | MBUF_LASTFRAG | MBUF_PROMISC | MBUF_HASFCS)

/* csum_flags: low 16 bits are the KPI's requested/performed bits, which share storage. */
#define CSUM_VLAN_TAG_VALID	0x00010000
#define CSUM_TSO4		0x00100000
#define CSUM_TSO6		0x00200000

struct pkt_origin;
struct mbuf;

struct m_tag {
	struct m_tag *next;
	mbuf_tag_id_t id;
	mbuf_tag_type_t type;
	uint16_t len;
	/* data follows, 8-byte aligned */
};

struct pkthdr {
	struct ifnet *rcvif;
	void *header;			/* saved link header */
	int32_t len;			/* of the whole packet */
	uint32_t csum_flags;
	uint32_t csum_data;
	uint32_t tso_segsz;
	uint16_t vlan_tag;
	uint8_t traffic_class;
	uint8_t traffic_class_privileged;
	uint32_t family;		/* found by demux, while the packet is in DLIL's input */
	struct m_tag *tags;
	struct pkt_origin *origin;	/* the captured frame(s) it came from, NULL none */
	uint64_t packet_number;		/* of the capture, 0 none: survives for reports */
	uint64_t timestamp;		/* calendar ns, 0 none */
	const void *inject_ref;		/* an ipfilter_t: filters up to and including it are skipped */
	uint16_t nexthdr_off;		/* IPv6 input: offset of the byte that names the next header */
	bool fragmented;		/* IPv6 input: it came with a fragment header */
	uint8_t spare;
	uint32_t injections;		/* how often kexts put it, or what it is a copy of, into the stack */
	uint64_t reserved[7];
};
_Static_assert(sizeof(struct pkthdr) == 144, "MHLEN is 80 on a Mac");

/* Cluster sizes, and `foreign`: storage a kext brought with its own free function. */
enum m_ext_kind { EXT_2K, EXT_4K, EXT_16K, EXT_FOREIGN };

/*
 * One per cluster, for good (or for as long as foreign storage is in use); shared by every mbuf that
 * points into it.
 */
struct m_ext_ref {
	char *buf;
	uint32_t size;
	uint32_t refs;
	uint8_t kind;			/* enum m_ext_kind */
	bool was_shared;		/* sticky: mbuf_mclhasreference */
	bool raw;			/* a kext has it by itself: mbuf_alloccluster */
	struct m_ext_ref *next;		/* of the free list */
};

/* Foreign storage belongs to the kext that attached it. */
struct m_ext_foreign {
	struct m_ext_ref ref;
	void (*free)(caddr_t, u_int, caddr_t);
	caddr_t free_arg;
	struct ledger_entry ledger;
};

struct m_ext {
	char *buf;
	uint32_t size;
	struct m_ext_ref *ref;
};

struct mbuf {
	struct mbuf *m_next;		/* rest of this packet */
	struct mbuf *m_nextpkt;		/* next packet of the list */
	char *m_data;
	int32_t m_len;			/* bytes at m_data in this mbuf */
	uint16_t m_type;		/* MBUF_TYPE_FREE (0): on the free list, any use is a bug */
	uint16_t m_flags;
	union {
		struct {
			struct pkthdr m_pkthdr;		/* valid if M_PKTHDR */
			union {
				struct m_ext m_ext;	/* valid if M_EXT */
				char m_pktdat[MHLEN];
			};
		};
		char m_dat[MLEN];
	};
};
_Static_assert(sizeof(struct mbuf) == MSIZE, "an mbuf is 256 bytes");

/* Pointer to the data of an mbuf, as type t. */
#define mtod(m, t)	((t)(void *)(m)->m_data)

/* ---- zone (mbuf_zone.c) ------------------------------------------------------------------- */

/*
 * `how` is MBUF_WAITOK or MBUF_DONTWAIT; with one CPU and a hard limit there is nothing to wait for, so
 * both fail at once when the limit is reached. All return NULL then, and count it.
 */
struct mbuf *m_get(struct nke *, int how, int type);	/* m_len 0, no packet header */
struct mbuf *m_gethdr(struct nke *, int how, int type);	/* packet header cleared */
struct mbuf *m_getpacket(struct nke *, int how);	/* packet header and a 2 KiB cluster */
/* Adds a cluster of exactly `size` (2048, 4096, 16384) bytes; false when there is none. */
bool m_clget(struct nke *, struct mbuf *, int how, size_t size);
/* A cluster by itself: its reference record, one reference. */
struct m_ext_ref *mcl_alloc(struct nke *, size_t size);
void mcl_release(struct nke *, struct m_ext_ref *);
/*
 * A record, with one reference, for storage of somebody else's: `fn` is called, as a callback of the
 * current kext, when the last reference goes. `pc`: where the kext attached it. NULL: no memory.
 */
struct m_ext_ref *mcl_foreign(struct nke *, caddr_t buf, uint32_t size,
    void (*fn)(caddr_t, u_int, caddr_t), caddr_t arg, void *pc);
/* The record of the pool cluster that starts at `addr`. Panics when `addr` is no such thing. */
struct m_ext_ref *mcl_lookup(struct nke *, const void *addr, size_t size);
/* True for an address in any of the machine's mbufs or clusters. */
bool mbuf_zone_contains(const struct nke *, const void *addr);
/* Makes `m` use `ref` (takes over one reference), data at the start. */
void m_ext_attach(struct mbuf *, struct m_ext_ref *);
void m_ext_detach(struct nke *, struct mbuf *);		/* back to the space inside */
/*
 * Frees one mbuf (tags with it), returns its m_next. Freeing takes place in the current machine, which
 * is the one the mbuf was got from: mbufs never leave theirs. Panics on a double free.
 */
struct mbuf *m_free(struct mbuf *);
void m_freem(struct mbuf *);				/* a packet; NULL is fine */
unsigned m_freem_list(struct mbuf *);			/* a list of packets; how many */
/* The same for the KPI: `pc` is the kext's return address, for reports of double frees. */
struct mbuf *m_free_for(struct mbuf *, void *pc);
void m_freem_for(struct mbuf *, void *pc);
unsigned m_freem_list_for(struct mbuf *, void *pc);
/* Panics: `who` was given an mbuf that is on the free list. */
_Noreturn void m_used_after_free(const struct mbuf *, const char *who);
/* Changes the type, which is not MBUF_TYPE_FREE. */
void m_settype(struct mbuf *, int type);
/* Sizes and counters as a kext sees them; drops are allocations that failed. */
void mbuf_zone_stat(const struct nke *, struct mbuf_stat *);
void mbuf_count_failed_copy(struct nke *);
void mbuf_count_failed_pullup(struct nke *);
/*
 * Checked mode: who is to blame when this packet (all mbufs of the chain) is never freed. kext NULL: the
 * core has it; then it panics if one of them is free or has data outside its buffer. A new mbuf is the
 * core's until this is called. Nothing when not in checked mode.
 */
void m_set_owner(struct mbuf *, struct kext *, void *pc);
/* Checked mode: `to` (one mbuf, new in the packet) gets the owner that `from` has. */
void m_inherit_owner(struct mbuf *to, const struct mbuf *from);
/*
 * Calls fn for every packet (its first mbuf) that the kext owns and has not freed, with the place it
 * came from; fn may be NULL. How many. Nothing (0) when not in checked mode, where nobody knows.
 */
unsigned mbuf_report_owned(struct nke *, const struct kext *,
    void (*fn)(void *ctx, struct mbuf *, void *pc), void *ctx);
/* The kext goes: its packets are nobody's from here on, but reports go on naming it. */
void mbuf_disown(struct nke *, const struct kext *);
/* The mbuf half of machine_memory() (heap.c calls it): mbufs, clusters, mbuf_*. */
void mbuf_statistics(const struct nke *, struct core_memory *);

/* ---- shape (mbuf_subr.c, mbuf_copy.c) ---------------------------------------------------- */

static inline bool
m_writable(const struct mbuf *m)
{
	return !(m->m_flags & M_EXT) ||
	    (m->m_ext.ref->refs == 1 && m->m_ext.ref->kind != EXT_FOREIGN);
}

/* Of its buffer: the cluster, or what the mbuf has inside. */
static inline char *
m_start(const struct mbuf *m)
{
	if (m->m_flags & M_EXT)
		return m->m_ext.buf;
	return (char *)(uintptr_t)(m->m_flags & M_PKTHDR ? m->m_pktdat : m->m_dat);
}

static inline size_t
m_capacity(const struct mbuf *m)
{
	if (m->m_flags & M_EXT)
		return m->m_ext.size;
	return m->m_flags & M_PKTHDR ? MHLEN : MLEN;
}

/* Bytes that may be added before and behind the data: none unless the buffer may be written. */
static inline size_t
m_leadingspace(const struct mbuf *m)
{
	return m_writable(m) ? (size_t)(m->m_data - m_start(m)) : 0;
}

static inline size_t
m_trailingspace(const struct mbuf *m)
{
	ptrdiff_t room = m_start(m) + m_capacity(m) - (m->m_data + m->m_len);

	return m_writable(m) && room > 0 ? (size_t)room : 0;
}

/*
 * True when a kext may have changed the packet: it had its hands on one of its mbufs, or on a copy
 * that shares a cluster with it.
 */
bool m_touched(const struct mbuf *);
/* Puts the data pointer so that `len` bytes end (rounded down to 8) at the end of the buffer. */
void m_align(struct mbuf *, size_t len);
size_t m_length(const struct mbuf *);			/* sum of m_len over the chain */
struct mbuf *m_last(struct mbuf *);
/*
 * NULL on failure; the chain is freed then for pullup, pulldown and prepend.
 *
 * m_pullup is made for short headers: at most 80 bytes into a new first mbuf, and a first mbuf in a
 * cluster (or alone) is never good enough, so ask for m_len first. m_split, m_copym and m_dup leave the
 * source as it is when they fail. No copy has an origin; a moved header takes it along.
 */
struct mbuf *m_copym(struct mbuf *, size_t off, size_t len, int how);
struct mbuf *m_dup(struct mbuf *, int how);
struct mbuf *m_prepend(struct mbuf *, size_t len, int how);
struct mbuf *m_pullup(struct mbuf *, size_t len);
struct mbuf *m_pulldown(struct mbuf *, size_t off, size_t len, size_t *new_off);
struct mbuf *m_split(struct mbuf *, size_t off, int how);
void m_adj(struct mbuf *, int len);
struct mbuf *m_concatenate(struct mbuf *dst, struct mbuf *src);
errno_t m_copydata(const struct mbuf *, size_t off, size_t len, void *dst);
errno_t m_copyback(struct mbuf *, size_t off, size_t len, const void *src, int how);
/* A packet with `len` bytes from `src` (NULL: undefined) after `leading` spare bytes, in one piece if
 * it fits a 16 KiB cluster, else in a chain of them. */
struct mbuf *m_devget(struct nke *, const void *src, size_t len, size_t leading);
/*
 * Moves the packet header (tags and origin with it) and the flags from `src` to `dst`; `src` has none
 * any more. Data of `dst` starts anew behind the header unless it has a cluster.
 */
void m_move_pkthdr(struct mbuf *dst, struct mbuf *src);
/* The same, but `src` keeps a header, without tags and origin: mbuf_copy_pkthdr. */
void m_transfer_pkthdr(struct mbuf *dst, struct mbuf *src);
/* Makes `to`, which has no cluster, use the cluster of `from` too, from `off` bytes into its data. */
void m_share(struct mbuf *to, const struct mbuf *from, size_t off);
/* Copies it, duplicating tags; false when there is no memory. */
bool m_dup_pkthdr(struct mbuf *dst, const struct mbuf *src, int how);

/* ---- tags (mbuf_tag.c) -------------------------------------------------------------------- */

#define MTAG_MAXLEN	2024		/* data bytes of a tag */

/* A tag with `len` (1..MTAG_MAXLEN) zeroed bytes, put on the packet; NULL when there is no memory. */
struct m_tag *m_tag_add(struct nke *, struct mbuf *, mbuf_tag_id_t, mbuf_tag_type_t, size_t len);
struct m_tag *m_tag_find(const struct mbuf *, mbuf_tag_id_t, mbuf_tag_type_t);
void *m_tag_data(struct m_tag *);
/* Takes the tag off the packet and frees it. */
void m_tag_delete(struct nke *, struct mbuf *, struct m_tag *);
/* Appends copies of the tags of `src`; false, and none appended, when there is no memory. */
bool m_tag_copy_chain(struct nke *, struct mbuf *dst, const struct mbuf *src);
void m_tag_delete_chain(struct nke *, struct mbuf *);

/* Checksums are in src/netinet/in_cksum.c. */

#endif
