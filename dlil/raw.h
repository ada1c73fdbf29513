/* Links without addresses, inside DLIL: the demux that the input path calls without detours. */
#ifndef NKE_DLIL_RAW_H
#define NKE_DLIL_RAW_H

#include "dlil/dlil.h"

errno_t raw_demux(struct ifnet *, struct mbuf *, char *frame, protocol_family_t *);

/* By the version in the first byte behind the link header, if any. */
static inline errno_t
raw_demux_packet(const struct mbuf *m, protocol_family_t *family)
{
	uint8_t version;

	if (m->m_len < 1)
		return ENOENT;
	version = *(const uint8_t *)m->m_data >> 4;
	if (version != 4 && version != 6)
		return ENOENT;
	*family = version == 4 ? PF_INET : PF_INET6;
	return 0;
}

#endif
