/*
 * Kinds of demultiplexing descriptors: what ifnet_demux_desc.type says of its data when a protocol is
 * attached to an interface. Included by kexts that attach protocols to Ethernet.
 */
#ifndef DLIL_H
#define DLIL_H

#include <net/kpi_interface.h>
#include <sys/appleapiopts.h>

#define DLIL_DESC_RAW		1	/* obsolete since 10.4 */
#define DLIL_DESC_802_2		2	/* obsolete since 10.4 */
#define DLIL_DESC_802_2_SNAP	3	/* obsolete since 10.4 */
#define DLIL_DESC_ETYPE2	4	/* Ethernet type: 2 bytes, network order */
#define DLIL_DESC_SAP		5	/* 802.2: DSAP, SSAP, control: 3 bytes */
#define DLIL_DESC_SNAP		6	/* 802.2 SNAP: organisation and type: 5 bytes */

#endif
