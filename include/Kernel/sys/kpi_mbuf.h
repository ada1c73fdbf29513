/*
 * mbufs: the kernel's packet buffers, through accessors. An mbuf holds up to mbuf_get_mlen() bytes
 * of its own or a cluster (2, 4 or 16 KiB, shared by reference count, or memory of the caller's).
 * mbufs linked by "next" are one packet, whose first mbuf carries the packet header (total length,
 * receive interface, checksum and VLAN state, tags); packets linked by "nextpkt" are a list.
 * Everybody who touches packets includes it.
 *
 * Conventions below. "how" is MBUF_WAITOK, which may sleep and then nearly never fails, or
 * MBUF_DONTWAIT, which never sleeps. errno_t results are 0 for success; out arguments mean
 * something only then, unless it says otherwise. NULL is not an mbuf unless it says so. A function
 * without a note on context may be called anywhere, under any lock.
 */
#ifndef __KPI_MBUF__
#define __KPI_MBUF__

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/kernel_types.h>
#include <mach/vm_types.h>

/* Flags of an mbuf; all others are private. */
enum {
	MBUF_EXT = 0x0001,		/* data is in a cluster */
	MBUF_PKTHDR = 0x0002,		/* has a packet header */
	MBUF_EOR = 0x0004,		/* end of record */
	MBUF_LOOP = 0x0040,		/* came back by the loopback interface */
	MBUF_BCAST = 0x0100,		/* link-level broadcast */
	MBUF_MCAST = 0x0200,		/* link-level multicast */
	MBUF_FRAG = 0x0400,		/* fragment of a larger packet */
	MBUF_FIRSTFRAG = 0x0800,
	MBUF_LASTFRAG = 0x1000,
	MBUF_PROMISC = 0x2000,		/* meant for another station */
	MBUF_HASFCS = 0x4000		/* the frame check sequence is still there */
};
typedef u_int32_t mbuf_flags_t;

/* What the memory is used for. */
enum {
	MBUF_TYPE_FREE = 0,
	MBUF_TYPE_DATA = 1,
	MBUF_TYPE_HEADER = 2,
	MBUF_TYPE_SOCKET = 3,
	MBUF_TYPE_PCB = 4,
	MBUF_TYPE_RTABLE = 5,
	MBUF_TYPE_HTABLE = 6,
	MBUF_TYPE_ATABLE = 7,
	MBUF_TYPE_SONAME = 8,
	MBUF_TYPE_SOOPTS = 10,
	MBUF_TYPE_FTABLE = 11,
	MBUF_TYPE_RIGHTS = 12,
	MBUF_TYPE_IFADDR = 13,
	MBUF_TYPE_CONTROL = 14,
	MBUF_TYPE_OOBDATA = 15
};
typedef u_int32_t mbuf_type_t;

/* Checksums that the sender leaves to the driver. */
enum {
	MBUF_CSUM_REQ_IP = 0x0001,
	MBUF_CSUM_REQ_TCP = 0x0002,
	MBUF_CSUM_REQ_UDP = 0x0004,
	MBUF_CSUM_REQ_TCPIPV6 = 0x0020,
	MBUF_CSUM_REQ_UDPIPV6 = 0x0040
};
typedef u_int32_t mbuf_csum_request_flags_t;

/* Segmentation that the sender leaves to the driver. */
enum {
	MBUF_TSO_IPV4 = 0x100000,
	MBUF_TSO_IPV6 = 0x200000
};
typedef u_int32_t mbuf_tso_request_flags_t;

/* Checksums that the driver has seen to. */
enum {
	MBUF_CSUM_DID_IP = 0x0100,	/* IP header summed ... */
	MBUF_CSUM_IP_GOOD = 0x0200,	/* ... and found right */
	MBUF_CSUM_DID_DATA = 0x0400,	/* the value is the sum over the transport data ... */
	MBUF_CSUM_PSEUDO_HDR = 0x0800	/* ... and the pseudo header */
};
typedef u_int32_t mbuf_csum_performed_flags_t;

enum {
	MBUF_WAITOK = 0,
	MBUF_DONTWAIT = 1
};
typedef u_int32_t mbuf_how_t;

typedef u_int32_t mbuf_tag_id_t;
typedef u_int16_t mbuf_tag_type_t;

/* Counters and sizes (bytes) of the machine's mbufs, for mbuf_stats. */
struct mbuf_stat {
	u_int32_t mbufs;	/* mbufs in all */
	u_int32_t clusters;	/* 2 KiB clusters in all */
	u_int32_t clfree;	/* of them, free */
	u_int32_t drops;	/* allocations that failed */
	u_int32_t wait;		/* allocations that waited */
	u_int32_t drain;	/* times that protocols were asked for memory */
	u_short mtypes[256];	/* mbufs by type */
	u_int32_t mcfail;	/* copies that failed */
	u_int32_t mpfail;	/* pullups that failed */
	u_int32_t msize;	/* size of an mbuf */
	u_int32_t mclbytes;	/* size of a cluster */
	u_int32_t minclsize;	/* from here on a cluster is used */
	u_int32_t mlen;		/* data in an mbuf */
	u_int32_t mhlen;	/* data in an mbuf with packet header */
	u_int32_t bigclusters;	/* 4 KiB clusters in all */
	u_int32_t bigclfree;	/* of them, free */
	u_int32_t bigmclbytes;	/* their size */
};

/* As a length: everything from the offset on. */
#define MBUF_COPYALL		1000000000

__BEGIN_DECLS

/* Where the data is. */

/*
 * Where this mbuf's data begins: mbuf_len bytes are valid there. The pointer is good until the
 * mbuf is freed, pulled up, prepended to or given away. Since 10.4; semantics 1.1.
 */
void *mbuf_data(mbuf_t mbuf);

/*
 * Start of this mbuf's buffer: of its cluster, or of the space inside it (behind the packet
 * header, if it has one). mbuf_maxlen bytes can be there. Since 10.4; semantics 1.1.
 */
void *mbuf_datastart(mbuf_t mbuf);

/*
 * Moves the data: it begins at `data` and has `len` bytes from now on. The packet header's total
 * length stays as it was.
 * Returns EINVAL, and changes nothing, if that would leave the buffer. Since 10.4; semantics 1.1.
 */
errno_t mbuf_setdata(mbuf_t mbuf, void *data, size_t len);

/*
 * Puts the data pointer of an mbuf that is still empty so that `len` bytes fill the buffer to its
 * end, rounded down to a multiple of 4. The length is not set.
 * Returns ENOTSUP if the cluster is shared. There is no check that `len` fits. Since 10.4;
 * semantics 1.1.
 */
errno_t mbuf_align_32(mbuf_t mbuf, size_t len);

/*
 * Physical address of a byte in a cluster; 0 if `ptr` is not in an mbuf cluster. Since 10.4;
 * semantics 1.1.
 */
addr64_t mbuf_data_to_physical(void *ptr);

/* Making and freeing. */

/*
 * Makes an mbuf without packet header, with no data. The caller owns *mbuf.
 * Returns ENOMEM with *mbuf NULL. May sleep with MBUF_WAITOK. Since 10.4; semantics 1.1.
 */
errno_t mbuf_get(mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf);

/*
 * Makes an mbuf with an empty packet header and no data. The caller owns *mbuf.
 * Returns ENOMEM with *mbuf NULL. May sleep with MBUF_WAITOK. Since 10.4; semantics 1.1.
 */
errno_t mbuf_gethdr(mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf);

/*
 * Makes the caller's memory, `extsize` bytes at `extbuf`, the cluster of *mbuf; if *mbuf is NULL a
 * new mbuf with packet header is made. A cluster that it had is released first; *mbuf can be
 * another one afterwards.
 *
 * extfree(extbuf, extsize, extarg) is called once, when the last mbuf that shares the memory is
 * gone: at any time, in any thread, with locks of the stack held. It may free memory and count, no
 * more. A kext must not be unloaded before it has been called.
 *
 * Returns EINVAL if mbuf, extbuf or extfree is NULL or extsize 0; ENOMEM: *mbuf is NULL, the mbuf
 * it was is gone, extbuf is still the caller's. May sleep with MBUF_WAITOK. Since 10.5; semantics
 * 1.1.
 */
errno_t mbuf_attachcluster(mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf, caddr_t extbuf,
    void (*extfree)(caddr_t buf, u_int size, caddr_t arg), size_t extsize, caddr_t extarg);

/*
 * Allocates a cluster without an mbuf, of *size bytes rounded up to 2048, 4096 or 16384; the real
 * size is stored in *size. The caller owns it, and either gives it to mbuf_attachcluster or frees
 * it with mbuf_freecluster.
 * Returns EINVAL if size or addr is NULL or *size 0; ENOTSUP above 4096 if there are no clusters
 * of 16384; ENOMEM, and with it *size 0 above 16384. May sleep with MBUF_WAITOK. Since 10.5;
 * semantics 1.1.
 */
errno_t mbuf_alloccluster(mbuf_how_t how, size_t *size, caddr_t *addr);

/*
 * Frees a cluster from mbuf_alloccluster. `size` is the one that that returned; any other panics.
 * Since 10.5; semantics 1.1.
 */
void mbuf_freecluster(caddr_t addr, size_t size);

/*
 * Gives *mbuf a cluster of exactly `size` bytes: 2048, 4096 or 16384. If *mbuf is NULL an mbuf
 * without packet header is made. The data pointer moves to the start of the cluster.
 * Returns EINVAL if mbuf is NULL or the size another; ENOTSUP for 16384 if there are none; ENOMEM.
 * On error an mbuf that was passed in is untouched, one that was made is freed and *mbuf NULL. May
 * sleep with MBUF_WAITOK. Since 10.4; semantics 1.1.
 */
errno_t mbuf_getcluster(mbuf_how_t how, mbuf_type_t type, size_t size, mbuf_t *mbuf);

/*
 * As mbuf_getcluster with 2048 bytes: a cluster for *mbuf, or for a new mbuf without packet header
 * if *mbuf is NULL.
 * Returns EINVAL if mbuf is NULL; ENOMEM, with what was passed in untouched. May sleep with
 * MBUF_WAITOK. Since 10.4; semantics 1.1.
 */
errno_t mbuf_mclget(mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf);

/*
 * Makes an mbuf with packet header and a cluster of 2048 bytes; both lengths are 0. The caller
 * owns *mbuf.
 * Returns ENOMEM with MBUF_WAITOK, EWOULDBLOCK with MBUF_DONTWAIT; *mbuf is NULL then. May sleep
 * with MBUF_WAITOK. Since 10.4; semantics 1.1.
 */
errno_t mbuf_getpacket(mbuf_how_t how, mbuf_t *mbuf);

/*
 * Makes a packet with room for at least `packetlen` bytes, as a chain of mbufs with the packet
 * header in the first. All lengths are 0: set mbuf_setlen on each and mbuf_pkthdr_setlen.
 * *maxchunks, if maxchunks is not NULL, is the largest number of mbufs (0: any number); the number
 * used is stored there. The caller owns *mbuf. Up to mbuf_get_mhlen bytes fit into one mbuf, up to
 * mbuf_get_minclsize into two without cluster.
 * Returns EINVAL if packetlen is 0; ENOBUFS if more than *maxchunks would be needed; ENOMEM. May
 * sleep with MBUF_WAITOK. Since 10.4; semantics 1.1.
 */
errno_t mbuf_allocpacket(mbuf_how_t how, size_t packetlen, unsigned int *maxchunks, mbuf_t *mbuf);

/*
 * Makes `numpkts` packets as mbuf_allocpacket does, linked by nextpkt: all of them or none.
 * *maxchunks is for each packet. The caller owns the list.
 * Returns EINVAL if numpkts or packetlen is 0; ENOBUFS if more than *maxchunks would be needed;
 * ENOMEM. May sleep with MBUF_WAITOK. Since 10.5; semantics 1.1.
 */
errno_t mbuf_allocpacket_list(unsigned int numpkts, mbuf_how_t how, size_t packetlen,
    unsigned int *maxchunks, mbuf_t *mbuf);

/*
 * Frees one mbuf, with its tags if it has a packet header, and returns the next mbuf of its packet
 * (NULL: none), which is the caller's now. A cluster goes when nobody shares it any more. Since
 * 10.4; semantics 1.1.
 */
mbuf_t mbuf_free(mbuf_t mbuf);

/*
 * Frees a packet: this mbuf and all behind it by "next". nextpkt is not followed. NULL is allowed.
 * Since 10.4; semantics 1.1.
 */
void mbuf_freem(mbuf_t mbuf);

/* Frees a list of packets and returns how many there were. Since 10.4; semantics 1.1. */
int mbuf_freem_list(mbuf_t mbuf);

/* Cutting, copying, joining. */

/*
 * Bytes free in front of the data; 0 if the buffer must not be written to (a cluster that is or
 * was shared, or is the caller's own). Since 10.4; semantics 1.1.
 */
size_t mbuf_leadingspace(const mbuf_t mbuf);

/*
 * Bytes free behind the data; 0 if the buffer must not be written to. Since 10.4; semantics 1.1.
 */
size_t mbuf_trailingspace(const mbuf_t mbuf);

/*
 * Makes a new chain out of `len` bytes of `src` from `offset` on, MBUF_COPYALL for all the rest.
 * Clusters are shared, not copied: use mbuf_dup for bytes to be changed. With offset 0 and a
 * packet header in src the copy has one too, tags included, its length set. The caller owns
 * *new_mbuf, src stays as it is.
 * Returns ENOMEM, also for len 0. offset or len beyond the end panics. May sleep with MBUF_WAITOK.
 * Since 10.4; semantics 1.1.
 */
errno_t mbuf_copym(const mbuf_t src, size_t offset, size_t len, mbuf_how_t how, mbuf_t *new_mbuf);

/*
 * Copies a packet, mbuf by mbuf, with packet header and tags. Nothing is shared, so the copy can
 * be written to. The caller owns *new_mbuf, src stays as it is.
 * Returns ENOMEM. May sleep with MBUF_WAITOK. Since 10.4; semantics 1.1.
 */
errno_t mbuf_dup(const mbuf_t src, mbuf_how_t how, mbuf_t *new_mbuf);

/*
 * Makes the packet `len` bytes longer at its front; the new bytes are not initialised. It uses the
 * space in front of the data if that may be written to, else it puts a new mbuf in front, to which
 * the packet header moves, and *mbuf changes. A new mbuf has room for mbuf_get_mhlen bytes
 * (without packet header mbuf_get_mlen): more panics. Both lengths grow.
 * Returns ENOMEM: the packet is freed then and *mbuf NULL. May sleep with MBUF_WAITOK. Since 10.4;
 * semantics 1.1.
 */
errno_t mbuf_prepend(mbuf_t *mbuf, size_t len, mbuf_how_t how);

/*
 * Cuts a packet at `offset`: src keeps what is before it, *new_mbuf gets the rest and is the
 * caller's. If src has a packet header the rest gets one with receive interface and length, but no
 * tags, flags or checksum state. A cluster at the cut is shared by both afterwards.
 * Returns ENOMEM, also if offset is beyond the end (or at the end without packet header); src is
 * still the caller's then, but its total length may be less already. May sleep with MBUF_WAITOK.
 * Since 10.4; semantics 1.1.
 */
errno_t mbuf_split(mbuf_t src, size_t offset, mbuf_how_t how, mbuf_t *new_mbuf);

/*
 * Makes the first `len` bytes of the packet lie in its first mbuf. Test mbuf_len first: a first
 * mbuf with a cluster always gets a new one put in front, even if it has enough. Pointers into the
 * packet are void afterwards.
 * Returns ENOMEM if len is above mbuf_get_mlen (mbuf_get_mhlen if a new mbuf is needed), the
 * packet is shorter, or memory is out: the packet is freed then and *mbuf NULL. Never sleeps.
 * Since 10.4; semantics 1.1.
 */
errno_t mbuf_pullup(mbuf_t *mbuf, size_t len);

/*
 * Makes `len` bytes from *offset on lie in one mbuf, somewhere in the packet: *location is that
 * mbuf, *offset becomes the place in it. The first mbuf stays the first.
 * Returns ENOMEM if len is above 2048, the packet too short or memory out: the whole packet is
 * freed then, *location is NULL and *offset undefined. Never sleeps. Since 10.4; semantics 1.1.
 */
errno_t mbuf_pulldown(mbuf_t src, size_t *offset, size_t len, mbuf_t *location);

/*
 * Takes bytes off a packet: `len` from the front if it is positive, -len from the end if negative;
 * more than there are leaves none. mbufs stay in the chain with length 0; the total length
 * follows. NULL is allowed. Since 10.4; semantics 1.1.
 */
void mbuf_adj(mbuf_t mbuf, int len);

/*
 * Changes the length of this one mbuf by `amount` bytes at its end. The total length stays as it
 * was.
 * Returns EINVAL if the buffer is too small or the length would be negative. Since 10.5; semantics
 * 1.1.
 */
errno_t mbuf_adjustlen(mbuf_t mbuf, int amount);

/*
 * Puts src behind dst and returns dst. src is given away: its mbufs may have been copied and
 * freed. The total length of dst is not changed; use mbuf_pkthdr_adjustlen. With dst NULL it
 * returns NULL and src is still the caller's. Since 10.6; semantics 1.1.
 */
mbuf_t mbuf_concatenate(mbuf_t dst, mbuf_t src);

/*
 * Copies `length` bytes from `offset` on to out_data.
 * Returns EINVAL if the chain is shorter (some bytes may have been copied), or either number is
 * INT_MAX or more. Since 10.4; semantics 1.1.
 */
errno_t mbuf_copydata(const mbuf_t mbuf, size_t offset, size_t length, void *out_data);

/*
 * Writes `length` bytes over the packet from `offset` on, and makes it longer if need be; the
 * total length grows with it. Clusters that are shared are written to all the same: ask
 * mbuf_mclhasreference, and use mbuf_dup, first.
 * Returns EINVAL if mbuf or data is NULL or length 0; ENOBUFS if memory is out, with a part
 * written. May sleep with MBUF_WAITOK. Since 10.4; semantics 1.1.
 */
errno_t mbuf_copyback(mbuf_t mbuf, size_t offset, size_t length, const void *data, mbuf_how_t how);

/*
 * 1 if the mbuf has a cluster that is, or ever was, shared, else 0. Since 10.4; semantics 1.1.
 */
int mbuf_mclhasreference(mbuf_t mbuf);

/* Fields of an mbuf. */

/* The next mbuf of this packet, NULL at its end. Since 10.4; semantics 1.1. */
mbuf_t mbuf_next(const mbuf_t mbuf);

/*
 * Links `next` (NULL: nothing) behind this mbuf. What was there before is not freed.
 * Returns EINVAL if next is freed, or is itself linked by nextpkt. Since 10.4; semantics 1.1.
 */
errno_t mbuf_setnext(mbuf_t mbuf, mbuf_t next);

/*
 * The next packet of the list, NULL at its end. Set in the first mbuf of a packet. Since 10.4;
 * semantics 1.1.
 */
mbuf_t mbuf_nextpkt(const mbuf_t mbuf);

/* Links the packet `nextpkt` (NULL: nothing) behind this one. Since 10.4; semantics 1.1. */
void mbuf_setnextpkt(mbuf_t mbuf, mbuf_t nextpkt);

/* Bytes of data in this mbuf. Since 10.4; semantics 1.1. */
size_t mbuf_len(const mbuf_t mbuf);

/*
 * Sets the bytes of data in this mbuf. Nothing is checked, and the total length stays as it was.
 * Since 10.4; semantics 1.1.
 */
void mbuf_setlen(mbuf_t mbuf, size_t len);

/*
 * Bytes this mbuf's buffer can hold: the size of its cluster, or what is inside the mbuf. Since
 * 10.4; semantics 1.1.
 */
size_t mbuf_maxlen(const mbuf_t mbuf);

/* What the mbuf is used for. Since 10.4; semantics 1.1. */
mbuf_type_t mbuf_type(const mbuf_t mbuf);

/*
 * Changes what the mbuf is used for.
 * Returns EINVAL for MBUF_TYPE_FREE. Since 10.4; semantics 1.1.
 */
errno_t mbuf_settype(mbuf_t mbuf, mbuf_type_t new_type);

/* The mbuf's flags, without private ones. Since 10.4; semantics 1.1. */
mbuf_flags_t mbuf_flags(const mbuf_t mbuf);

/*
 * Sets all flags of enum above at once. Turning MBUF_PKTHDR on makes an empty packet header,
 * turning it off frees the tags.
 * Returns EINVAL if MBUF_EXT would change or a flag is private; EBUSY if MBUF_PKTHDR is turned on
 * in an mbuf without cluster that has data (the other flags are changed already). Since 10.4;
 * semantics 1.1.
 */
errno_t mbuf_setflags(mbuf_t mbuf, mbuf_flags_t flags);

/*
 * Sets those flags that are in `mask`, as mbuf_setflags does.
 * Returns EINVAL if mask has MBUF_EXT or private flags; EBUSY as mbuf_setflags. Since 10.4;
 * semantics 1.1.
 */
errno_t mbuf_setflags_mask(mbuf_t mbuf, mbuf_flags_t flags, mbuf_flags_t mask);

/* Fields of the packet header. */

/*
 * Moves the packet header of src to dest, tags and all: src has no tags afterwards, those that
 * dest had are freed. dest's flags become src's, its data pointer is reset if it has no cluster.
 * Returns EINVAL if src has no packet header. Since 10.4; semantics 1.1.
 */
errno_t mbuf_copy_pkthdr(mbuf_t dest, const mbuf_t src);

/* Bytes in the whole packet; 0 without packet header. Since 10.4; semantics 1.1. */
size_t mbuf_pkthdr_len(const mbuf_t mbuf);

/*
 * Sets the bytes in the whole packet. The mbufs' own lengths, and that there is a packet header,
 * are not checked. Since 10.4; semantics 1.1.
 */
void mbuf_pkthdr_setlen(mbuf_t mbuf, size_t len);

/*
 * Adds `amount`, which may be negative, to the bytes in the whole packet. Since 10.5; semantics
 * 1.1.
 */
void mbuf_pkthdr_adjustlen(mbuf_t mbuf, int amount);

/*
 * The interface that the packet came in by, NULL if none. No reference is taken. Since 10.4;
 * semantics 1.1.
 */
ifnet_t mbuf_pkthdr_rcvif(const mbuf_t mbuf);

/*
 * Says which interface the packet came in by; NULL is allowed. No reference is taken. Returns 0.
 * Since 10.4; semantics 1.1.
 */
errno_t mbuf_pkthdr_setrcvif(mbuf_t mbuf, ifnet_t ifp);

/* The saved pointer to the packet's link header; NULL if none. Since 10.4; semantics 1.1. */
void *mbuf_pkthdr_header(const mbuf_t mbuf);

/*
 * Saves a pointer to the packet's link header. A driver sets it before ifnet_input; the bytes must
 * live as long as the packet, so usually they lie in front of its data. Since 10.4; semantics 1.1.
 */
void mbuf_pkthdr_setheader(mbuf_t mbuf, void *header);

/* Checksums, VLAN, segmentation. */

/*
 * To be called after a received packet was changed: forgets what the hardware found out about its
 * checksums (and the VLAN tag and segmentation state with it). Since 10.4; semantics 1.1.
 */
void mbuf_inbound_modified(mbuf_t mbuf);

/*
 * Computes now what the driver would have been asked for: the checksums of a packet to be sent
 * whose IP header is at protocol_offset bytes. protocol_family is PF_INET or PF_INET6, anything
 * else does nothing. To be called before such a packet is read, kept or diverted. A packet that is
 * too short panics. Never sleeps. Since 10.4; semantics 1.1.
 */
void mbuf_outbound_finalize(mbuf_t mbuf, u_int32_t protocol_family, size_t protocol_offset);

/*
 * Stores an 802.1Q tag (16 bits, host byte order) beside the packet. Returns 0. Since 10.4;
 * semantics 1.1.
 */
errno_t mbuf_set_vlan_tag(mbuf_t mbuf, u_int16_t vlan);

/*
 * Gets the 802.1Q tag, in host byte order.
 * Returns ENXIO if there is none. Since 10.4; semantics 1.1.
 */
errno_t mbuf_get_vlan_tag(mbuf_t mbuf, u_int16_t *vlan);

/* Removes the 802.1Q tag. Returns 0. Since 10.4; semantics 1.1. */
errno_t mbuf_clear_vlan_tag(mbuf_t mbuf);

/*
 * Which checksums the driver is to fill in. *value (value may be NULL) has in its lower 16 bits
 * the offset of the checksum field from the start of the transport header. Returns 0. Since 10.4;
 * semantics 1.1.
 */
errno_t mbuf_get_csum_requested(mbuf_t mbuf, mbuf_csum_request_flags_t *request,
    u_int32_t *value);

/*
 * Nothing is to be filled in. Also forgets what mbuf_set_csum_performed said: both share one word.
 * Returns 0. Since 10.4; semantics 1.1.
 */
errno_t mbuf_clear_csum_requested(mbuf_t mbuf);

/*
 * Whether the driver is to cut the packet into segments; if so *value is the segment size in
 * bytes.
 * Returns EINVAL if an argument is NULL or there is no packet header. Since 10.6; semantics 1.1.
 */
errno_t mbuf_get_tso_requested(mbuf_t mbuf, mbuf_tso_request_flags_t *request, u_int32_t *value);

/*
 * A driver says which checksums of a received packet it has seen to. With DID_DATA, `value` is the
 * sum over the transport data (with PSEUDO_HDR, and the pseudo header); everything right is
 * DID_IP, IP_GOOD, DID_DATA, PSEUDO_HDR and 0xffff. Returns 0. Since 10.4; semantics 1.1.
 */
errno_t mbuf_set_csum_performed(mbuf_t mbuf, mbuf_csum_performed_flags_t flags, u_int32_t value);

/*
 * Nothing is known about the packet's checksums. The same as mbuf_clear_csum_requested. Returns 0.
 * Since 10.4; semantics 1.1.
 */
errno_t mbuf_clear_csum_performed(mbuf_t mbuf);

/*
 * Computes the Internet checksum over `length` bytes from `offset` on into *csum, in network byte
 * order and ready to be stored. With protocol not 0 the IPv4 pseudo header goes into it; the IPv4
 * header is at the start of the packet then. Nothing is changed.
 * Returns EINVAL if mbuf or csum is NULL, length 0, or the packet too short. Since 10.5; semantics
 * 1.1.
 */
errno_t mbuf_inet_cksum(mbuf_t mbuf, int protocol, u_int32_t offset, u_int32_t length,
    u_int16_t *csum);

/*
 * As mbuf_inet_cksum, with the IPv6 pseudo header.
 * Returns EINVAL if mbuf or csum is NULL, length 0, or the packet too short. Since 10.5; semantics
 * 1.1.
 */
errno_t mbuf_inet6_cksum(mbuf_t mbuf, int protocol, u_int32_t offset, u_int32_t length,
    u_int16_t *csum);

/* Sizes and counters. */

/*
 * Bytes that fit into an mbuf without packet header and cluster: 224. Since 10.6; semantics 1.1.
 */
u_int32_t mbuf_get_mlen(void);

/*
 * Bytes that fit into an mbuf with packet header and without cluster: 80. Since 10.6; semantics
 * 1.1.
 */
u_int32_t mbuf_get_mhlen(void);

/* Bytes above which a packet is better put into clusters: 304. Since 10.7; semantics 1.1. */
u_int32_t mbuf_get_minclsize(void);

/* Takes a snapshot of the machine's counters and sizes. Since 10.4; semantics 1.1. */
void mbuf_stats(struct mbuf_stat *stats);

/*
 * Tags: small zeroed pieces of memory that travel with a packet, named by an id (one per kext) and
 * a type (the kext's choice). They move with the packet header, are duplicated by mbuf_dup and by
 * mbuf_copym from offset 0, and are freed with the packet.
 */

/*
 * The tag id of a name (reverse DNS, say, "org.example.kext"), a new one the first time. Ids are
 * 1000 or more and stay until reboot; the same name gives the same number as vendor code and
 * interface family.
 * Returns EINVAL if an argument is NULL; ENOMEM. May sleep. Since 10.4; semantics 1.1.
 */
errno_t mbuf_tag_id_find(const char *name, mbuf_tag_id_t *out_id);

/*
 * Gives the packet a tag of `length` zeroed bytes, which *data_p points to. The memory is the
 * packet's: it goes with it, and moves or is copied with its header.
 * Returns EINVAL if mbuf or data_p is NULL, there is no packet header, the id was never handed
 * out, or length is 0 or above 65535; EEXIST if the packet has a tag of this id and type; out of
 * memory, or above 2024 bytes, ENOMEM with MBUF_WAITOK and EWOULDBLOCK with MBUF_DONTWAIT. May
 * sleep with MBUF_WAITOK. Since 10.4; semantics 1.1.
 */
errno_t mbuf_tag_allocate(mbuf_t mbuf, mbuf_tag_id_t id, mbuf_tag_type_t type, size_t length,
    mbuf_how_t how, void **data_p);

/*
 * Finds a tag: its bytes and where they are. *data_p is good until the packet or the tag is freed.
 * Returns ENOENT if there is none; EINVAL if an argument is NULL, there is no packet header, or
 * the id was never handed out. The outputs are zeroed then. Since 10.4; semantics 1.1.
 */
errno_t mbuf_tag_find(mbuf_t mbuf, mbuf_tag_id_t id, mbuf_tag_type_t type, size_t *length,
    void **data_p);

/*
 * Removes a tag and frees its memory. Does nothing if there is none. Since 10.4; semantics 1.1.
 */
void mbuf_tag_free(mbuf_t mbuf, mbuf_tag_id_t id, mbuf_tag_type_t type);

/* Traffic classes, best effort, background, video, voice. */
typedef enum {
	MBUF_TC_BE = 0,
	MBUF_TC_BK = 1,
	MBUF_TC_VI = 2,
	MBUF_TC_VO = 3
} mbuf_traffic_class_t;

/*
 * The packet's traffic class; MBUF_TC_BE if mbuf is NULL or has no packet header. Since 10.7;
 * semantics 1.1.
 */
mbuf_traffic_class_t mbuf_get_traffic_class(mbuf_t mbuf);

/*
 * Sets the packet's traffic class.
 * Returns EINVAL if mbuf is NULL, has no packet header, or tc is not a class. Since 10.7;
 * semantics 1.1.
 */
errno_t mbuf_set_traffic_class(mbuf_t mbuf, mbuf_traffic_class_t tc);

/*
 * 1 if the sender was entitled to the traffic class, else 0 (also without packet header, or for
 * NULL). Since 10.8; semantics 1.1.
 */
int mbuf_is_traffic_class_privileged(mbuf_t mbuf);

__END_DECLS

#endif
