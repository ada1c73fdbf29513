/*
 * Sizes, offsets and ioctl numbers of the interface's structs as a Mac's compiler lays them out on
 * 64-bit Intel: a kext and its clients exchange them byte by byte. Checked when this is compiled.
 */
#include <net/bpf.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/if_dl.h>
#include <net/if_llc.h>
#include <net/if_utun.h>
#include <net/if_vlan_var.h>
#include <net/ndrv.h>
#include <net/route.h>
#include <net/slcompress.h>
#include <netinet/bootp.h>
#include <netinet/icmp6.h>
#include <netinet/icmp_var.h>
#include <netinet/if_ether.h>
#include <netinet/igmp.h>
#include <netinet/igmp_var.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/ip_var.h>
#include <netinet/kpi_ipfilter.h>
#include <netinet/tcp.h>
#include <netinet/tcp_var.h>
#include <netinet/udp.h>
#include <netinet/udp_var.h>
#include <netinet6/ip6_var.h>
#include <netinet6/nd6.h>
#include <sys/ioctl.h>
#include <sys/kern_control.h>
#include <sys/kern_event.h>
#include <sys/kpi_mbuf.h>
#include <sys/kpi_socketfilter.h>
#include <sys/un.h>

#include "tests/unit/ktest.h"

#define SIZE(type, n) _Static_assert(sizeof(type) == (n), #type)
#define VALUE(constant, n) _Static_assert((constant) == (n), #constant)
#define OFFSET(type, member, n) _Static_assert(__builtin_offsetof(type, member) == (n), #type "." #member)

SIZE(struct sockaddr, 16);
SIZE(struct sockaddr_storage, 128);
SIZE(struct sockaddr_in, 16);
SIZE(struct sockaddr_in6, 28);
SIZE(struct sockaddr_un, 106);
SIZE(struct sockaddr_dl, 20);
SIZE(struct sockaddr_ctl, 32);
SIZE(struct sockaddr_sys, 32);
SIZE(struct sockaddr_inarp, 16);
SIZE(struct sockaddr_ndrv, 18);
SIZE(struct msghdr, 48);
SIZE(struct cmsghdr, 12);
SIZE(struct linger, 8);
SIZE(struct cmsgcred, 84);
SIZE(struct sa_endpoints, 40);
SIZE(struct user_msghdr, 48);
SIZE(struct user32_msghdr, 28);
SIZE(struct ifreq, 32);
SIZE(struct ifkpi, 16);
SIZE(struct ifconf, 12);
SIZE(struct ifmediareq, 44);
SIZE(struct ifdrv, 40);
SIZE(struct ifaliasreq, 64);
SIZE(struct ifstat, 817);
SIZE(struct rslvmulti_req, 16);
SIZE(struct if_clonereq, 16);
SIZE(struct if_laddrreq, 280);
SIZE(struct if_data, 96);
SIZE(struct if_data64, 128);
SIZE(struct if_msghdr, 112);
SIZE(struct if_msghdr2, 160);
SIZE(struct ifa_msghdr, 20);
SIZE(struct ifma_msghdr, 16);
SIZE(struct ifma_msghdr2, 20);
SIZE(struct net_event_data, 24);
SIZE(struct kev_dl_proto_data, 32);
SIZE(struct rt_metrics, 56);
SIZE(struct rt_msghdr, 92);
SIZE(struct rt_msghdr2, 92);
SIZE(struct rt_addrinfo, 72);
SIZE(struct rtstat, 12);
SIZE(struct bpf_hdr, 20);
SIZE(struct bpf_insn, 8);
SIZE(struct bpf_program, 16);
SIZE(struct bpf_dltlist, 12);
SIZE(struct bpf_stat, 8);
SIZE(struct bpf_version, 4);
VALUE(SIZEOF_BPF_HDR, 18);
VALUE(SIOCGIFCONF, 0xc00c6924);
VALUE(SIOCGIFMEDIA, 0xc02c6938);
VALUE(SIOCSDRVSPEC, 0x8028697b);
VALUE(SIOCGDRVSPEC, 0xc028697b);
VALUE(SIOCAIFADDR, 0x8040691a);
VALUE(SIOCGIFSTATUS, 0xc331693d);
VALUE(SIOCRSLVMULTI, 0xc010693b);
VALUE(SIOCIFGCLONERS, 0xc0106981);
VALUE(SIOCSIFFLAGS, 0x80206910);
VALUE(SIOCGIFFLAGS, 0xc0206911);
VALUE(SIOCGIFMTU, 0xc0206933);
VALUE(SIOCSIFKPI, 0x80206986);
VALUE(SIOCGIFKPI, 0xc0206987);
VALUE(SIOCDIFADDR_IN6, 0x81206919);
VALUE(SIOCAIFADDR_IN6, 0x8080691a);
VALUE(SIOCGIFADDR_IN6, 0xc1206921);
VALUE(BIOCSETF, 0x80104267);
VALUE(BIOCGDLTLIST, 0xc00c4279);
VALUE(BIOCSRTIMEOUT, 0x8010426d);
VALUE(BIOCGSTATS, 0x4008426f);
VALUE(BIOCSETIF, 0x8020426c);
VALUE(BIOCGBLEN, 0x40044266);
VALUE(BIOCSETFNR, 0x8010427e);
VALUE(FIONBIO, 0x8004667e);
VALUE(FIONREAD, 0x4004667f);
VALUE(FIOASYNC, 0x8004667d);
VALUE(SIOCATMARK, 0x40047307);
VALUE(CTLIOCGINFO, 0xc0644e03);
VALUE(CTLIOCGCOUNT, 0x40044e02);
SIZE(struct ctl_info, 100);
VALUE(SIOCSKEVFILT, 0x800c6502);
VALUE(SIOCGKEVVENDOR, 0xc0cc6504);
SIZE(struct kev_vendor_code, 204);
SIZE(struct kern_event_msg, 28);
VALUE(KEV_MSG_HEADER_SIZE, 24);
SIZE(struct kev_msg, 96);
SIZE(struct kern_ctl_reg, 96+20+4+40);
SIZE(struct ip_mreq, 8);
SIZE(struct ip_mreqn, 12);
SIZE(struct ip_mreq_source, 12);
SIZE(struct group_req, 132);
SIZE(struct group_source_req, 260);
SIZE(struct __msfilterreq, 152);
SIZE(struct in_pktinfo, 12);
SIZE(struct ip_opts, 44);
SIZE(struct ipv6_mreq, 20);
SIZE(struct in6_pktinfo, 20);
SIZE(struct ip6_mtuinfo, 32);
SIZE(struct in6_addr, 16);
SIZE(struct ip, 20);
SIZE(struct ip6_hdr, 40);
SIZE(struct tcphdr, 20);
SIZE(struct udphdr, 8);
SIZE(struct icmp, 28);
SIZE(struct icmp6_hdr, 8);
SIZE(struct ether_arp, 28);
SIZE(struct arphdr, 8);
SIZE(struct ether_header, 14);
SIZE(struct ether_vlan_header, 18);
SIZE(struct ip_timestamp, 12);
SIZE(struct llc, 8);
SIZE(struct nd_router_advert, 16);
SIZE(struct nd_neighbor_solicit, 24);
SIZE(struct nd_redirect, 40);
SIZE(struct nd_opt_prefix_info, 32);
SIZE(struct nd_opt_nonce, 8);
SIZE(struct icmp6_filter, 32);
SIZE(struct icmp6_router_renum, 16);
SIZE(struct rr_pco_match, 24);
SIZE(struct rr_pco_use, 32);
SIZE(struct rr_result, 24);
SIZE(struct mld_hdr, 24);
SIZE(struct tcp_connection_info, 112);
OFFSET(struct tcp_connection_info, tcpi_txpackets, 56);
SIZE(struct igmpstat_v3, 168);
SIZE(struct igmpstat, 36);
SIZE(struct udpstat, 88);
SIZE(struct in6_ifreq, 288);
SIZE(struct in6_aliasreq, 128);
SIZE(struct in6_addrlifetime, 24);
SIZE(struct bootp, 300);
SIZE(struct ipovly, 20);
SIZE(struct in_aliasreq, 64);
SIZE(struct kev_in_data, 52);
SIZE(struct kev_in6_data, 24+4*28+8+16+8);
SIZE(struct ipf_pktopts, 24);
SIZE(struct ipf_filter, 40);
SIZE(struct mbuf_stat, 4*16+512);
SIZE(struct sflt_filter, 192);
OFFSET(struct sflt_filter, sf_ext, 136);
SIZE(struct arpstat, 64);
SIZE(struct in6_nbrinfo, 56);
SIZE(struct nd_ifinfo, 56);
SIZE(struct in6_prefixreq, 64);
SIZE(struct slcompress, 2*16*144+48);
SIZE(struct utun_stats_param, 24);
SIZE(struct vlanreq, 18);

/* Bit-fields: the low nibble comes first in memory on a little-endian machine. */
KTEST(ip_header_bit_fields_match_the_wire)
{
	unsigned char wire[20] = {0x45};
	struct ip ip;

	__builtin_memcpy(&ip, wire, sizeof ip);
	CHECK_EQ(ip.ip_v, 4);
	CHECK_EQ(ip.ip_hl, 5);
}

KTEST_SUITE(layout, T(ip_header_bit_fields_match_the_wire));
