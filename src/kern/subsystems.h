/*
 * Brought up from top to bottom, taken down from bottom to top. Included several times, hence no guard.
 * Defined as `const struct subsystem NAME_subsystem` in the file named behind it.
 */
SUBSYSTEM(heap)		/* src/kern/heap.c */
SUBSYSTEM(klog)		/* src/kern/klog.c */
SUBSYSTEM(ledger)	/* src/kern/ledger.c */
SUBSYSTEM(timeout)	/* kpi/timeout.c */
SUBSYSTEM(mbuf)		/* src/kern/mbuf_zone.c */
SUBSYSTEM(sysctl)	/* src/kern/sysctl.c */
SUBSYSTEM(kev)		/* src/kern/kern_event.c */
SUBSYSTEM(kauth)	/* src/kern/kauth.c */
SUBSYSTEM(inject)	/* src/kern/inject.c */
SUBSYSTEM(proc)		/* src/kern/proc.c */
SUBSYSTEM(kext)		/* src/kern/kext.c */
SUBSYSTEM(device)	/* src/kern/device.c */
SUBSYSTEM(socket)	/* src/kern/uipc_socket.c */
SUBSYSTEM(local)	/* src/kern/uipc_usrreq.c */
SUBSYSTEM(system)	/* src/kern/sys_domain.c */
SUBSYSTEM(bpf)		/* src/net/bpf.c */
SUBSYSTEM(route)	/* src/net/route.c */
SUBSYSTEM(rtsock)	/* src/net/rtsock.c */
SUBSYSTEM(neighbor)	/* src/net/neighbor.c */
SUBSYSTEM(dlil)		/* dlil/dlil_init.c */
SUBSYSTEM(iff)		/* iffilter/iffilter.c */
SUBSYSTEM(ipf)		/* ipfilter/ipfilter.c */
SUBSYSTEM(in_multi)	/* src/netinet/in_multi.c */
SUBSYSTEM(ip)		/* src/netinet/ip_init.c */
SUBSYSTEM(arp)		/* src/netinet/arp.c */
SUBSYSTEM(ip6)		/* src/netinet6/ip6_init.c */
SUBSYSTEM(in_control)	/* src/netinet/in_control.c */
SUBSYSTEM(icmp)		/* src/netinet/ip_icmp.c */
SUBSYSTEM(igmp)		/* src/netinet/igmp.c */
SUBSYSTEM(icmp6)	/* src/netinet6/icmp6.c */
SUBSYSTEM(mld)		/* src/netinet6/mld6.c */
SUBSYSTEM(nd6)		/* src/netinet6/nd6.c */
SUBSYSTEM(inet)		/* src/netinet/in_proto.c */
SUBSYSTEM(udp)		/* src/netinet/udp_usrreq.c */
SUBSYSTEM(tcp)		/* src/netinet/tcp_init.c */
SUBSYSTEM(rip)		/* src/netinet/raw_ip.c */
SUBSYSTEM(rip6)		/* src/netinet6/raw_ip6.c */
SUBSYSTEM(dhcp)		/* src/netinet/dhcp_client.c */
SUBSYSTEM(replay)	/* dlil/replay.c */
SUBSYSTEM(filedesc)	/* src/kern/filedesc.c: so late that sockets are closed first */
SUBSYSTEM(sflt)		/* sockfilter/sflt_registry.c: kexts are gone, their filters do not see that */
