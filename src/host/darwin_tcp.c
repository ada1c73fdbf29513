/*
 * TCP_INFO in the host's form, where the host has one (Linux); elsewhere programs get the machine's own
 * (src/netinet/tcp_user.h).
 */
#include "src/host/darwin_socket.h"

#include <netinet/tcp.h>
#include <string.h>

#include "src/netinet/tcp_user.h"

#define US_PER_MS	1000u

#ifdef __linux__

/* Darwin's states, which are BSD's, as the host's. */
static const uint8_t states[] = {
	TCP_CLOSE, TCP_LISTEN, TCP_SYN_SENT, TCP_SYN_RECV, TCP_ESTABLISHED, TCP_CLOSE_WAIT, TCP_FIN_WAIT1,
	TCP_CLOSING, TCP_LAST_ACK, TCP_FIN_WAIT2, TCP_TIME_WAIT
};

/* A window in segments, as the host counts it; what cannot be reached stays large. */
static uint32_t
in_segments(uint32_t octets, uint32_t mss)
{
	if (octets >= UINT32_C(1) << 30)
		return INT32_MAX;
	return mss != 0 ? octets / mss : octets;
}

size_t
tcp_info_to_host(const void *darwin, size_t size, void *out, size_t room)
{
	struct core_tcp_info d;
	struct tcp_info h;

	memset(&d, 0, sizeof d);
	memcpy(&d, darwin, size < sizeof d ? size : sizeof d);
	memset(&h, 0, sizeof h);
	h.tcpi_state = d.tcpi_state < sizeof states ? states[d.tcpi_state] : TCP_CLOSE;
	h.tcpi_ca_state = d.tcpi_ca_state;
	h.tcpi_retransmits = d.tcpi_retransmits;
	h.tcpi_probes = d.tcpi_probes;
	h.tcpi_backoff = d.tcpi_backoff;
	h.tcpi_options = d.tcpi_options;
	h.tcpi_snd_wscale = (unsigned)d.tcpi_snd_wscale & 0xfu;
	h.tcpi_rcv_wscale = (unsigned)d.tcpi_rcv_wscale & 0xfu;
	h.tcpi_rto = d.tcpi_rto;
	h.tcpi_snd_mss = d.tcpi_snd_mss;
	h.tcpi_rcv_mss = d.tcpi_rcv_mss;
	h.tcpi_unacked = d.tcpi_unacked;
	h.tcpi_sacked = d.tcpi_sacked;
	h.tcpi_lost = d.tcpi_lost;
	h.tcpi_retrans = d.tcpi_retrans;
	h.tcpi_last_data_sent = d.tcpi_last_data_sent / US_PER_MS;
	h.tcpi_last_data_recv = d.tcpi_last_data_recv / US_PER_MS;
	h.tcpi_last_ack_recv = h.tcpi_last_data_recv;
	h.tcpi_pmtu = d.tcpi_pmtu;
	h.tcpi_rcv_ssthresh = d.tcpi_rcv_ssthresh;
	h.tcpi_rtt = d.tcpi_rtt;
	h.tcpi_rttvar = d.tcpi_rttvar;
	h.tcpi_snd_ssthresh = in_segments(d.tcpi_snd_ssthresh, d.tcpi_snd_mss);
	h.tcpi_snd_cwnd = in_segments(d.tcpi_snd_cwnd, d.tcpi_snd_mss);
	h.tcpi_advmss = d.tcpi_advmss;
	h.tcpi_reordering = 3;
	h.tcpi_rcv_space = d.tcpi_rcv_space;
	h.tcpi_total_retrans = d.tcpi_snd_rexmitpack;
	if (room > sizeof h)
		room = sizeof h;
	memcpy(out, &h, room);
	return room;
}

#else

size_t
tcp_info_to_host(const void *darwin, size_t size, void *out, size_t room)
{
	if (room > size)
		room = size;
	memcpy(out, darwin, room);
	return room;
}

#endif
