/* Sockets are opaque to kexts of 10.4 and later: sys/kpi_socket.h has what can be done with one. */
#ifndef _SYS_SOCKETVAR_H_
#define _SYS_SOCKETVAR_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/queue.h>
#include <sys/select.h>
#include <sys/kernel_types.h>

#endif
