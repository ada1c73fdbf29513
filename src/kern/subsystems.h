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
SUBSYSTEM(kext)		/* src/kern/kext.c */
SUBSYSTEM(bpf)		/* src/net/bpf.c */
SUBSYSTEM(route)	/* src/net/route.c */
SUBSYSTEM(dlil)		/* dlil/dlil_init.c */
SUBSYSTEM(iff)		/* iffilter/iffilter.c */
SUBSYSTEM(ipf)		/* ipfilter/ipfilter.c */
SUBSYSTEM(ip)		/* src/netinet/ip_init.c */
SUBSYSTEM(ip6)		/* src/netinet6/ip6_init.c */
SUBSYSTEM(replay)	/* dlil/replay.c */
