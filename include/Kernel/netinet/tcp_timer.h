/* TCP's timers: their numbers, and the ticks per second that they are counted in. */
#ifndef _NETINET_TCP_TIMER_H_
#define _NETINET_TCP_TIMER_H_

#define TCP_RETRANSHZ		1000	/* ticks per second: milliseconds */

/* 4.4BSD's four timers. */
#define TCPT_NTIMERS		4
#define TCPT_REXMT		0
#define TCPT_PERSIST		1
#define TCPT_KEEP		2
#define TCPT_2MSL		3

#endif
