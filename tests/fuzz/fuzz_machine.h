/* The machine of fuzz_net, fuzz_rtmsg and fuzz_sockopt (fuzz_machine.c). What goes wrong ends the process. */
#ifndef NKE_TESTS_FUZZ_MACHINE_H
#define NKE_TESTS_FUZZ_MACHINE_H

#include <sys/socket.h>

#include <nke/iface.h>

#define MACHINE_ROUTER	0x01		/* forwards */
#define MACHINE_AUTO	0x02		/* asks routers for addresses */
#define MACHINE_OLD	0x04		/* IGMPv2 and MLDv1 */
#define MACHINE_LAX	0x08		/* what is off by default is on */
#define MACHINE_CHECKED	0x10
#define MACHINE_KINDS	0x20		/* so many combinations */

#define FUZZ_SECOND	UINT64_C(1000000000)
#define FUZZ_DESCRIPTORS 256		/* the highest that there can be, and one */

struct fuzz_machine {
	nke_t *m;
	nke_iface_t *en[2];		/* NULL: gone */
};

/* Complains, naming the last error, and aborts. */
void fuzz_fail(nke_t *m, const char *what) __attribute__((noreturn));
socklen_t fuzz_address(const char *text, uint16_t port, struct sockaddr_storage *);

/* A machine with what MACHINE_* says; its addresses are good. */
void fuzz_build(struct fuzz_machine *, uint8_t how);
void fuzz_add_interfaces(struct fuzz_machine *, uint8_t how);
/* Virtual time passes. */
void fuzz_wait(struct fuzz_machine *, uint64_t ns);
/* Closes everything and waits until nothing is going on; how many blocks of memory are in use then. */
uint64_t fuzz_take_down(struct fuzz_machine *);
/* Aborts when there are more of them than before, without input. */
void fuzz_compare(uint64_t blocks, uint64_t before);

#endif
