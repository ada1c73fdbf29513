/* Comparison of TCP sequence numbers, modulo 2^32. */
#ifndef _NETINET_TCP_SEQ_H_
#define _NETINET_TCP_SEQ_H_

#define SEQ_LT(a, b)		((int)((a) - (b)) < 0)
#define SEQ_LEQ(a, b)		((int)((a) - (b)) <= 0)
#define SEQ_GT(a, b)		((int)((a) - (b)) > 0)
#define SEQ_GEQ(a, b)		((int)((a) - (b)) >= 0)

#define TCP_PAWS_IDLE		(24 * 24 * 60 * 60 * TCP_RETRANSHZ)

#endif
