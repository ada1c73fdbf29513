/* Protocol control blocks are the machine's own: this name only brings what they are made of. */
#ifndef _NETINET_IN_PCB_H_
#define _NETINET_IN_PCB_H_

#include <sys/appleapiopts.h>
#include <sys/types.h>
#include <sys/queue.h>
#include <netinet/in.h>

#endif
