/*
 * AppleTalk, as far as a link needs it: its Ethernet types and addresses. The machine does not speak
 * it.
 */
#ifndef _NETAT_APPLETALK_H_
#define _NETAT_APPLETALK_H_

#include <sys/appleapiopts.h>
#include <sys/types.h>

#define ETHERTYPE_AT 0x809b
#define ETHERTYPE_AARP 0x80f3

typedef u_char at_node;
typedef u_char at_socket;

#endif
