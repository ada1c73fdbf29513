/* Neighbour discovery (RFC 4861) as its ioctls show it: neighbours, routers, prefixes, settings. */
#ifndef _NETINET6_ND6_H_
#define _NETINET6_ND6_H_

#include <sys/types.h>
#include <net/if_var.h>
#include <netinet/in.h>
#include <netinet6/in6_var.h>

/* States of a neighbour. */
#define ND6_LLINFO_PURGE	-3
#define ND6_LLINFO_NOSTATE	-2
#define ND6_LLINFO_INCOMPLETE	0
#define ND6_LLINFO_REACHABLE	1
#define ND6_LLINFO_STALE	2
#define ND6_LLINFO_DELAY	3
#define ND6_LLINFO_PROBE	4

/* Settings of an interface; times in milliseconds. */
struct nd_ifinfo {
	u_int32_t linkmtu;
	u_int32_t maxmtu;
	u_int32_t basereachable;
	u_int32_t reachable;
	u_int32_t retrans;
	u_int32_t flags;		/* ND6_IFF_* */
	int recalctm;
	u_int8_t chlim;			/* hop limit of what is sent */
	u_int8_t receivedra;
	u_int8_t randomseed0[8];
	u_int8_t randomseed1[8];
	u_int8_t randomid[8];
};

#define ND6_IFF_PERFORMNUD	0x1
#define ND6_IFF_PROXY_PREFIXES	0x20
#define ND6_IFF_IGNORE_NA	0x40
#define ND6_IFF_REPLICATED	0x100
#define ND6_IFF_DAD		0x200

/* SIOCGNBRINFO_IN6. */
struct in6_nbrinfo {
	char ifname[IFNAMSIZ];
	struct in6_addr addr;
	long asked;			/* solicitations sent */
	int isrouter;
	int state;			/* ND6_LLINFO_* */
	int expire;			/* seconds */
};

#define DRLSTSIZ		10
#define PRLSTSIZ		10

/* SIOCGDRLST_IN6. */
struct in6_drlist {
	char ifname[IFNAMSIZ];
	struct {
		struct in6_addr rtaddr;
		u_char flags;
		u_short rtlifetime;
		u_long expire;
		u_short if_index;
	} defrouter[DRLSTSIZ];
};

/* in6_defrouter.stateflags. */
#define NDDRF_INSTALLED		0x1
#define NDDRF_IFSCOPE		0x2
#define NDDRF_STATIC		0x4
#define NDDRF_MAPPED		0x8

struct in6_defrouter {
	struct sockaddr_in6 rtaddr;
	u_char flags;
	u_char stateflags;
	u_short rtlifetime;
	u_long expire;
	u_short if_index;
};

/* SIOCGPRLST_IN6. */
struct in6_prlist {
	char ifname[IFNAMSIZ];
	struct {
		struct in6_addr prefix;
		struct prf_ra raflags;
		u_char prefixlen;
		u_char origin;
		u_long vltime;
		u_long pltime;
		u_long expire;
		u_short if_index;
		u_short advrtrs;	/* routers below */
		struct in6_addr advrtr[DRLSTSIZ];
	} prefix[PRLSTSIZ];
};

struct in6_prefix {
	struct sockaddr_in6 prefix;
	struct prf_ra raflags;
	u_char prefixlen;
	u_char origin;
	u_long vltime;
	u_long pltime;
	u_long expire;
	u_int32_t flags;		/* NDPRF_* */
	int refcnt;
	u_short if_index;
	u_short advrtrs;		/* struct sockaddr_in6 that follow */
};

/* SIOCGIFINFO_IN6. */
struct in6_ondireq {
	char ifname[IFNAMSIZ];
	struct {
		u_int32_t linkmtu;
		u_int32_t maxmtu;
		u_int32_t basereachable;
		u_int32_t reachable;
		u_int32_t retrans;
		u_int32_t flags;
		int recalctm;
		u_int8_t chlim;
		u_int8_t receivedra;
	} ndi;
};

struct in6_ndireq {
	char ifname[IFNAMSIZ];
	struct nd_ifinfo ndi;
};

struct in6_ndifreq {
	char ifname[IFNAMSIZ];
	u_long ifindex;
};

#define NDPRF_ONLINK		0x1
#define NDPRF_DETACHED		0x2
#define NDPRF_STATIC		0x100
#define NDPRF_IFSCOPE		0x1000
#define NDPRF_PRPROXY		0x2000

/* RFC 4861, section 10; seconds. */
#define MAX_RTR_SOLICITATION_DELAY 1
#define RTR_SOLICITATION_INTERVAL 4
#define MAX_RTR_SOLICITATIONS	3

#define ND6_INFINITE_LIFETIME	0xffffffff
#define ND6_MAX_LIFETIME	0x7fffffff

#endif
