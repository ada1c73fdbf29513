/*
 * What the protocols count, by name, in the words of BSD's netstat -s, for the host's reports (corecalls.h).
 */
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/icmp_var.h>
#include <netinet/igmp_var.h>
#include <netinet/udp_var.h>
#include <stddef.h>
#include <string.h>

#include "src/netinet/arp.h"
#include "src/netinet/icmp_private.h"
#include "src/netinet/igmp_private.h"
#include "src/netinet/ip_private.h"
#include "src/netinet/tcp_private.h"
#include "src/netinet/udp_private.h"
#include "src/netinet6/icmp6_private.h"
#include "src/netinet6/mld6_private.h"

struct counter {
	uint16_t off, size;
	const char *name;
};

#define AT(type, member)	offsetof(struct type, member), sizeof(((struct type *)0)->member)

static const struct counter ip_counters[] = {
	{AT(ipstat, ips_total), "total packets received"},
	{AT(ipstat, ips_badsum), "bad header checksums"},
	{AT(ipstat, ips_toosmall), "with size smaller than minimum"},
	{AT(ipstat, ips_tooshort), "with data size < data length"},
	{AT(ipstat, ips_adj), "with data size > data length"},
	{AT(ipstat, ips_toolong), "with length > max ip packet size"},
	{AT(ipstat, ips_badhlen), "with header length < data size"},
	{AT(ipstat, ips_badlen), "with data length < header length"},
	{AT(ipstat, ips_badoptions), "with bad options"},
	{AT(ipstat, ips_badvers), "with incorrect version number"},
	{AT(ipstat, ips_badaddr), "with impossible addresses"},
	{AT(ipstat, ips_fragments), "fragments received"},
	{AT(ipstat, ips_fragdropped), "fragments dropped (dup or out of space)"},
	{AT(ipstat, ips_fragtimeout), "fragments dropped after timeout"},
	{AT(ipstat, ips_reassembled), "reassembled ok"},
	{AT(ipstat, ips_delivered), "packets for this host"},
	{AT(ipstat, ips_noproto), "packets for unknown/unsupported protocol"},
	{AT(ipstat, ips_forward), "packets forwarded"},
	{AT(ipstat, ips_cantforward), "packets not forwardable"},
	{AT(ipstat, ips_notmember), "packets received for unknown multicast group"},
	{AT(ipstat, ips_localout), "packets sent from this host"},
	{AT(ipstat, ips_rawout), "packets sent with fabricated ip header"},
	{AT(ipstat, ips_odropped), "output packets dropped due to no bufs, etc."},
	{AT(ipstat, ips_pktdropcntrl), "packets dropped due to no bufs for control data"},
	{AT(ipstat, ips_noroute), "output packets discarded due to no route"},
	{AT(ipstat, ips_fragmented), "output datagrams fragmented"},
	{AT(ipstat, ips_ofragments), "fragments created"},
	{AT(ipstat, ips_cantfrag), "datagrams that can't be fragmented"},
	{AT(ipstat, ips_redirectsent), "redirects sent"},
};

static const struct counter ip6_counters[] = {
	{AT(ip6stat, ip6s_total), "total packets received"},
	{AT(ip6stat, ip6s_toosmall), "with size smaller than minimum"},
	{AT(ip6stat, ip6s_tooshort), "with data size < data length"},
	{AT(ip6stat, ip6s_adj), "with data size > data length"},
	{AT(ip6stat, ip6s_badoptions), "with bad options"},
	{AT(ip6stat, ip6s_badvers), "with incorrect version number"},
	{AT(ip6stat, ip6s_fragments), "fragments received"},
	{AT(ip6stat, ip6s_fragdropped), "fragments dropped (dup or out of space)"},
	{AT(ip6stat, ip6s_fragtimeout), "fragments dropped after timeout"},
	{AT(ip6stat, ip6s_fragoverflow), "fragments that exceeded limit"},
	{AT(ip6stat, ip6s_reassembled), "reassembled ok"},
	{AT(ip6stat, ip6s_atmfrag_rcvd), "atomic fragments received"},
	{AT(ip6stat, ip6s_delivered), "packets for this host"},
	{AT(ip6stat, ip6s_forward), "packets forwarded"},
	{AT(ip6stat, ip6s_cantforward), "packets not forwardable"},
	{AT(ip6stat, ip6s_notmember), "packets received for unknown multicast group"},
	{AT(ip6stat, ip6s_localout), "packets sent from this host"},
	{AT(ip6stat, ip6s_rawout), "packets sent with fabricated ip header"},
	{AT(ip6stat, ip6s_odropped), "output packets dropped due to no bufs, etc."},
	{AT(ip6stat, ip6s_noroute), "output packets discarded due to no route"},
	{AT(ip6stat, ip6s_fragmented), "output datagrams fragmented"},
	{AT(ip6stat, ip6s_ofragments), "fragments created"},
	{AT(ip6stat, ip6s_cantfrag), "datagrams that can't be fragmented"},
	{AT(ip6stat, ip6s_badscope), "packets that violated scope rules"},
	{AT(ip6stat, ip6s_exthdrtoolong), "packets whose headers are not continuous"},
	{AT(ip6stat, ip6s_toomanyhdr), "packets discarded due to too many headers"},
	{AT(ip6stat, ip6s_redirectsent), "redirects sent"},
};

static const struct counter udp_counters[] = {
	{AT(udpstat, udps_ipackets), "datagrams received"},
	{AT(udpstat, udps_hdrops), "with incomplete header"},
	{AT(udpstat, udps_badlen), "with bad data length field"},
	{AT(udpstat, udps_badsum), "with bad checksum"},
	{AT(udpstat, udps_nosum), "with no checksum"},
	{AT(udpstat, udps_noport), "dropped due to no socket"},
	{AT(udpstat, udps_noportbcast), "broadcast/multicast datagrams undelivered"},
	{AT(udpstat, udps_noportmcast), "multicast datagrams without a member"},
	{AT(udpstat, udps_filtermcast), "multicast datagrams filtered by source"},
	{AT(udpstat, udps_fullsock), "dropped due to full socket buffers"},
	{AT(udpstat, udps_opackets), "datagrams output"},
};

static const struct counter tcp_counters[] = {
	{AT(tcpstat, tcps_sndtotal), "packets sent"},
	{AT(tcpstat, tcps_sndpack), "data packets"},
	{AT(tcpstat, tcps_sndbyte), "data bytes"},
	{AT(tcpstat, tcps_sndrexmitpack), "data packets retransmitted"},
	{AT(tcpstat, tcps_sndrexmitbyte), "data bytes retransmitted"},
	{AT(tcpstat, tcps_sndrexmitbad), "data packets unnecessarily retransmitted"},
	{AT(tcpstat, tcps_mturesent), "resends initiated by MTU discovery"},
	{AT(tcpstat, tcps_sndacks), "ack-only packets"},
	{AT(tcpstat, tcps_delack), "ack-only packets delayed"},
	{AT(tcpstat, tcps_sndurg), "URG only packets"},
	{AT(tcpstat, tcps_sndprobe), "window probe packets sent"},
	{AT(tcpstat, tcps_sndwinup), "window update packets sent"},
	{AT(tcpstat, tcps_sndctrl), "control packets"},
	{AT(tcpstat, tcps_fcholdpacket), "data packets sent after flow control"},
	{AT(tcpstat, tcps_rcvtotal), "packets received"},
	{AT(tcpstat, tcps_rcvackpack), "acks"},
	{AT(tcpstat, tcps_rcvackbyte), "bytes acked"},
	{AT(tcpstat, tcps_rcvdupack), "duplicate acks"},
	{AT(tcpstat, tcps_rcvacktoomuch), "acks for unsent data"},
	{AT(tcpstat, tcps_rcvpack), "packets received in-sequence"},
	{AT(tcpstat, tcps_rcvbyte), "bytes received in-sequence"},
	{AT(tcpstat, tcps_rcvduppack), "completely duplicate packets"},
	{AT(tcpstat, tcps_rcvdupbyte), "completely duplicate bytes"},
	{AT(tcpstat, tcps_pawsdrop), "old duplicate packets"},
	{AT(tcpstat, tcps_rcvmemdrop), "received packets dropped due to low memory"},
	{AT(tcpstat, tcps_rcvpartduppack), "packets with some dup. data"},
	{AT(tcpstat, tcps_rcvpartdupbyte), "bytes duped"},
	{AT(tcpstat, tcps_rcvoopack), "out-of-order packets"},
	{AT(tcpstat, tcps_rcvoobyte), "out-of-order bytes"},
	{AT(tcpstat, tcps_rcvpackafterwin), "packets of data after window"},
	{AT(tcpstat, tcps_rcvbyteafterwin), "bytes of data after window"},
	{AT(tcpstat, tcps_rcvwinprobe), "window probes"},
	{AT(tcpstat, tcps_rcvwinupd), "window update packets"},
	{AT(tcpstat, tcps_rcvafterclose), "packets received after close"},
	{AT(tcpstat, tcps_badrst), "bad resets"},
	{AT(tcpstat, tcps_rcvbadsum), "discarded for bad checksums"},
	{AT(tcpstat, tcps_rcvbadoff), "discarded for bad header offset fields"},
	{AT(tcpstat, tcps_rcvshort), "discarded because packet too short"},
	{AT(tcpstat, tcps_connattempt), "connection requests"},
	{AT(tcpstat, tcps_accepts), "connection accepts"},
	{AT(tcpstat, tcps_badsyn), "bad connection attempts"},
	{AT(tcpstat, tcps_listendrop), "listen queue overflows"},
	{AT(tcpstat, tcps_connects), "connections established (including accepts)"},
	{AT(tcpstat, tcps_closed), "connections closed"},
	{AT(tcpstat, tcps_drops), "connections dropped"},
	{AT(tcpstat, tcps_cachedrtt), "connections updated cached RTT on close"},
	{AT(tcpstat, tcps_cachedrttvar), "connections updated cached RTT variance on close"},
	{AT(tcpstat, tcps_cachedssthresh), "connections updated cached ssthresh on close"},
	{AT(tcpstat, tcps_usedrtt), "connections with cached RTT used"},
	{AT(tcpstat, tcps_usedssthresh), "connections with cached ssthresh used"},
	{AT(tcpstat, tcps_conndrops), "embryonic connections dropped"},
	{AT(tcpstat, tcps_rttupdated), "segments updated rtt"},
	{AT(tcpstat, tcps_segstimed), "segments timed"},
	{AT(tcpstat, tcps_rexmttimeo), "retransmit timeouts"},
	{AT(tcpstat, tcps_timeoutdrop), "connections dropped by rexmit timeout"},
	{AT(tcpstat, tcps_rxtfindrop), "connections dropped after retransmitting FIN"},
	{AT(tcpstat, tcps_persisttimeo), "persist timeouts"},
	{AT(tcpstat, tcps_persistdrop), "connections dropped by persist timeout"},
	{AT(tcpstat, tcps_keeptimeo), "keepalive timeouts"},
	{AT(tcpstat, tcps_keepprobe), "keepalive probes sent"},
	{AT(tcpstat, tcps_keepdrops), "connections dropped by keepalive"},
	{AT(tcpstat, tcps_predack), "correct ACK header predictions"},
	{AT(tcpstat, tcps_preddat), "correct data packet header predictions"},
	{AT(tcpstat, tcps_sack_recovery_episode), "SACK recovery episodes"},
	{AT(tcpstat, tcps_sack_rexmits), "segment rexmits in SACK recovery episodes"},
	{AT(tcpstat, tcps_sack_rexmit_bytes), "byte rexmits in SACK recovery episodes"},
	{AT(tcpstat, tcps_sack_rcv_blocks), "SACK options (SACK blocks) received"},
	{AT(tcpstat, tcps_sack_send_blocks), "SACK options (SACK blocks) sent"},
	{AT(tcpstat, tcps_sack_sboverflow), "SACK scoreboard overflow"},
	{AT(tcpstat, tcps_dsack_sent), "duplicate SACK options sent"},
	{AT(tcpstat, tcps_dsack_recvd), "duplicate SACK options received"},
	{AT(tcpstat, tcps_limited_txt), "limited transmits done"},
	{AT(tcpstat, tcps_early_rexmt), "early retransmits done"},
	{AT(tcpstat, tcps_pto), "tail loss probes sent"},
	{AT(tcpstat, tcps_tlp_recovery), "tail losses recovered by probes"},
	{AT(tcpstat, tcps_rto_after_pto), "retransmit timeouts after probe"},
	{AT(tcpstat, tcps_detect_reordering), "times packet reordering was detected on a connection"},
	{AT(tcpstat, tcps_synchallenge), "challenge ACKs sent due to unexpected SYN"},
	{AT(tcpstat, tcps_rstchallenge), "challenge ACKs sent due to unexpected RST"},
	{AT(tcpstat, tcps_ecn_client_setup), "client connections attempted to negotiate ECN"},
	{AT(tcpstat, tcps_ecn_client_success), "client connections successfully negotiated ECN"},
	{AT(tcpstat, tcps_ecn_server_setup), "server connections attempted to negotiate ECN"},
	{AT(tcpstat, tcps_ecn_server_success), "server connections successfully negotiated ECN"},
	{AT(tcpstat, tcps_ecn_recv_ce), "times congestion notification was received"},
	{AT(tcpstat, tcps_ecn_recv_ece), "times congestion notification was echoed by the peer"},
	{AT(tcpstat, tcps_ecn_sent_ece), "times congestion notification was sent"},
	{AT(tcpstat, tcps_sc_added), "SYN cache entries added"},
	{AT(tcpstat, tcps_sc_retransmitted), "SYN-ACKs retransmitted"},
	{AT(tcpstat, tcps_sc_dupsyn), "duplicate SYNs received for entries in the cache"},
	{AT(tcpstat, tcps_sc_dropped), "SYN cache entries dropped"},
	{AT(tcpstat, tcps_sc_completed), "SYN cache entries completed"},
	{AT(tcpstat, tcps_sc_bucketoverflow), "SYN cache bucket overflows"},
	{AT(tcpstat, tcps_sc_cacheoverflow), "SYN cache overflows"},
	{AT(tcpstat, tcps_sc_reset), "SYN cache entries reset"},
	{AT(tcpstat, tcps_sc_stale), "SYN cache entries timed out"},
	{AT(tcpstat, tcps_sc_aborted), "SYN cache entries aborted due to no memory or a full listen queue"},
	{AT(tcpstat, tcps_sc_badack), "SYN cache bad ACKs"},
	{AT(tcpstat, tcps_sc_unreach), "SYN cache entries unreachable"},
	{AT(tcpstat, tcps_sc_sendcookie), "SYN cookies sent"},
	{AT(tcpstat, tcps_sc_recvcookie), "SYN cookies received"},
	{AT(tcpstat, tcps_hc_added), "host cache entries added"},
	{AT(tcpstat, tcps_hc_bucketoverflow), "host cache bucket overflows"},
	{AT(tcpstat, tcps_tfo_cookie_req), "fast open cookies requested"},
	{AT(tcpstat, tcps_tfo_cookie_rcv), "fast open cookies received"},
	{AT(tcpstat, tcps_tfo_cookie_req_rcv), "fast open cookie requests received"},
	{AT(tcpstat, tcps_tfo_cookie_sent), "fast open cookies sent"},
	{AT(tcpstat, tcps_tfo_cookie_invalid), "invalid fast open cookies received"},
	{AT(tcpstat, tcps_tfo_syn_data_sent), "SYNs with data sent"},
	{AT(tcpstat, tcps_tfo_syn_data_acked), "SYNs with data acknowledged"},
	{AT(tcpstat, tcps_tfo_syn_data_rcv), "SYNs with data and a valid cookie received"},
	{AT(tcpstat, tcps_tfo_syn_loss), "SYNs with data lost"},
	{AT(tcpstat, tcps_rcv_swcsum), "packets received, checksummed in software"},
	{AT(tcpstat, tcps_rcv6_swcsum), "packets received, checksummed in software over IPv6"},
	{AT(tcpstat, tcps_snd_swcsum), "packets sent, checksummed in software"},
	{AT(tcpstat, tcps_snd6_swcsum), "packets sent, checksummed in software over IPv6"},
};

static const struct counter icmp_counters[] = {
	{AT(icmpstat, icps_error), "calls to icmp_error"},
	{AT(icmpstat, icps_oldicmp), "errors not generated because old message was icmp"},
	{AT(icmpstat, icps_oldshort), "errors not generated because old message was too short"},
	{AT(icmpstat, icps_badcode), "messages with bad code fields"},
	{AT(icmpstat, icps_tooshort), "messages less than the minimum length"},
	{AT(icmpstat, icps_checksum), "messages with bad checksum"},
	{AT(icmpstat, icps_badlen), "messages with bad length"},
	{AT(icmpstat, icps_bmcastecho), "multicast echo requests ignored"},
	{AT(icmpstat, icps_bmcasttstamp), "multicast timestamp requests ignored"},
	{AT(icmpstat, icps_inhist[0]), "echo replies received"},
	{AT(icmpstat, icps_inhist[3]), "destination unreachable messages received"},
	{AT(icmpstat, icps_inhist[5]), "redirects received"},
	{AT(icmpstat, icps_inhist[8]), "echo requests received"},
	{AT(icmpstat, icps_inhist[11]), "time exceeded messages received"},
	{AT(icmpstat, icps_outhist[0]), "echo replies sent"},
	{AT(icmpstat, icps_outhist[3]), "destination unreachable messages sent"},
	{AT(icmpstat, icps_outhist[5]), "redirects sent"},
	{AT(icmpstat, icps_outhist[11]), "time exceeded messages sent"},
	{AT(icmpstat, icps_reflect), "message responses generated"},
};

static const struct counter icmp6_counters[] = {
	{AT(icmp6stat, icp6s_error), "calls to icmp6_error"},
	{AT(icmp6stat, icp6s_canterror), "errors not generated because they must not be"},
	{AT(icmp6stat, icp6s_toofreq), "errors not generated because of rate limitation"},
	{AT(icmp6stat, icp6s_badcode), "messages with bad code fields"},
	{AT(icmp6stat, icp6s_tooshort), "messages < minimum length"},
	{AT(icmp6stat, icp6s_checksum), "bad checksums"},
	{AT(icmp6stat, icp6s_badlen), "messages with bad length"},
	{AT(icmp6stat, icp6s_inhist[128]), "echo requests received"},
	{AT(icmp6stat, icp6s_inhist[129]), "echo replies received"},
	{AT(icmp6stat, icp6s_inhist[133]), "router solicitations received"},
	{AT(icmp6stat, icp6s_inhist[134]), "router advertisements received"},
	{AT(icmp6stat, icp6s_inhist[135]), "neighbor solicitations received"},
	{AT(icmp6stat, icp6s_inhist[136]), "neighbor advertisements received"},
	{AT(icmp6stat, icp6s_inhist[137]), "redirects received"},
	{AT(icmp6stat, icp6s_reflect), "message responses generated"},
	{AT(icmp6stat, icp6s_nd_toomanyopt), "messages with too many ND options"},
	{AT(icmp6stat, icp6s_nd_badopt), "messages with bad ND options"},
	{AT(icmp6stat, icp6s_badns), "bad neighbor solicitation messages"},
	{AT(icmp6stat, icp6s_badna), "bad neighbor advertisement messages"},
	{AT(icmp6stat, icp6s_badrs), "bad router solicitation messages"},
	{AT(icmp6stat, icp6s_badra), "bad router advertisement messages"},
	{AT(icmp6stat, icp6s_badredirect), "bad redirect messages"},
	{AT(icmp6stat, icp6s_pmtuchg), "path MTU changes"},
};

static const struct counter igmp_counters[] = {
	{AT(igmpstat_v3, igps_rcv_total), "messages received"},
	{AT(igmpstat_v3, igps_rcv_tooshort), "messages received with too few bytes"},
	{AT(igmpstat_v3, igps_rcv_badttl), "messages received with wrong TTL"},
	{AT(igmpstat_v3, igps_rcv_badsum), "messages received with bad checksum"},
	{AT(igmpstat_v3, igps_rcv_v1v2_queries), "V1/V2 membership queries received"},
	{AT(igmpstat_v3, igps_rcv_v3_queries), "V3 membership queries received"},
	{AT(igmpstat_v3, igps_rcv_badqueries), "membership queries received with invalid field(s)"},
	{AT(igmpstat_v3, igps_rcv_reports), "membership reports received"},
	{AT(igmpstat_v3, igps_rcv_badreports), "membership reports received with invalid field(s)"},
	{AT(igmpstat_v3, igps_rcv_ourreports), "membership reports received for groups to which we belong"},
	{AT(igmpstat_v3, igps_rcv_nora), "V3 reports received without Router Alert"},
	{AT(igmpstat_v3, igps_snd_reports), "membership reports sent"},
};

static const struct counter mld_counters[] = {
	{AT(mldstat, mlds_rcv_total), "messages received"},
	{AT(mldstat, mlds_rcv_tooshort), "messages received with too few bytes"},
	{AT(mldstat, mlds_rcv_badscope), "messages received that are not from the link"},
	{AT(mldstat, mlds_rcv_nora), "messages received without Router Alert"},
	{AT(mldstat, mlds_rcv_v1_queries), "V1 membership queries received"},
	{AT(mldstat, mlds_rcv_v2_queries), "V2 membership queries received"},
	{AT(mldstat, mlds_rcv_badqueries), "membership queries received with invalid field(s)"},
	{AT(mldstat, mlds_rcv_reports), "membership reports received"},
	{AT(mldstat, mlds_rcv_badreports), "membership reports received with invalid field(s)"},
	{AT(mldstat, mlds_snd_reports), "membership reports sent"},
};

static const struct counter arp_counters[] = {
	{AT(arpstat, txrequests), "ARP requests sent"},
	{AT(arpstat, txreplies), "ARP replies sent"},
	{AT(arpstat, txannounces), "ARP announcements sent"},
	{AT(arpstat, rxrequests), "ARP requests received"},
	{AT(arpstat, rxreplies), "ARP replies received"},
	{AT(arpstat, received), "total ARP packets received"},
	{AT(arpstat, txconflicts), "ARP conflict probes sent"},
	{AT(arpstat, invalidreqs), "invalid ARP resolve requests"},
	{AT(arpstat, reqnobufs), "total packets dropped due to lack of memory"},
	{AT(arpstat, dropped), "total packets dropped due to no ARP entry"},
	{AT(arpstat, purged), "total packets dropped during ARP entry removal"},
	{AT(arpstat, timeouts), "ARP entrys timed out"},
	{AT(arpstat, dupips), "Duplicate IPs seen"},
};

/* ---- which protocol ----------------------------------------------------------------------- */

static const void *
of_ip(struct nke *m)
{
	return ip_statistics(m);
}

static const void *
of_ip6(struct nke *m)
{
	return ip6_statistics(m);
}

static const void *
of_udp(struct nke *m)
{
	return udp_statistics(m);
}

static const void *
of_tcp(struct nke *m)
{
	return tcp_statistics(m);
}

static const void *
of_icmp(struct nke *m)
{
	return icmp_statistics(m);
}

static const void *
of_icmp6(struct nke *m)
{
	return icmp6_statistics(m);
}

static const void *
of_igmp(struct nke *m)
{
	return igmp_statistics(m);
}

static const void *
of_mld(struct nke *m)
{
	return mld_statistics(m);
}

static const void *
of_arp(struct nke *m)
{
	return &m->arp->stat;
}

static const struct protocol {
	const char *name;
	const struct counter *counters;
	size_t count;
	const void *(*values)(struct nke *);
} protocols[] = {
#define PROTOCOL(name)	\
	{#name, name##_counters, sizeof name##_counters / sizeof name##_counters[0], of_##name}
	PROTOCOL(ip), PROTOCOL(icmp), PROTOCOL(igmp), PROTOCOL(tcp), PROTOCOL(udp), PROTOCOL(ip6),
	PROTOCOL(icmp6), PROTOCOL(mld), PROTOCOL(arp),
};

#define PROTOCOLS	(sizeof protocols / sizeof protocols[0])

const char *
machine_counted_protocol(unsigned i)
{
	return i < PROTOCOLS ? protocols[i].name : NULL;
}

size_t
machine_counters(struct nke *machine, const char *protocol, struct core_counter *out, size_t max)
{
	const struct protocol *p = NULL;
	const char *values;
	u_quad_t wide;
	u_int32_t narrow;

	for (size_t i = 0; i < PROTOCOLS; i++)
		if (strcmp(protocols[i].name, protocol) == 0)
			p = &protocols[i];
	if (p == NULL)
		return 0;
	values = p->values(machine);
	for (size_t i = 0; i < p->count && i < max; i++) {
		memcpy(&narrow, values + p->counters[i].off, sizeof narrow);
		if (p->counters[i].size == sizeof wide)
			memcpy(&wide, values + p->counters[i].off, sizeof wide);
		else
			wide = narrow;
		out[i] = (struct core_counter){.name = p->counters[i].name, .value = wide};
	}
	return p->count;
}
