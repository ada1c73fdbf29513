/*
 * What a socket has to do with kexts: who made it, its upcall, and who keeps it from closing. Called by
 * kpi/kpi_socket.c, by soclose() and by the wakeups of uipc_socket2.c; calls the kext's upcall.
 *
 * Most sockets are a program's and have none of this: so_kext is made when it is first needed and goes with
 * the socket. A socket that a kext made (sock_socket, sock_accept) is in the ledger under that kext until it
 * is closed; one that it only retains, until it has released it as often.
 *
 * Upcalls run in the thread that brought about what they tell of, on a referenced socket, and may close it.
 * SO_UPCALLCLOSEWAIT and sock_release wait for those that have not returned.
 */
#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/inside.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/panic.h"
#include "src/kern/socket_private.h"

struct so_kext *
so_get_kext(struct socket *so)
{
	if (so->so_kext == NULL) {
		so->so_kext = kalloc(sotomachine(so), sizeof *so->so_kext);
		if (so->so_kext != NULL)
			so->so_kext->so = so;
	}
	return so->so_kext;
}

void
so_free_kext(struct socket *so)
{
	if (so->so_kext == NULL)
		return;
	ledger_strike(sotomachine(so), &so->so_kext->ledger);
	kfree(sotomachine(so), so->so_kext);
	so->so_kext = NULL;
}

/* ---- upcalls ------------------------------------------------------------------------------ */

errno_t
so_set_upcall(struct socket *so, sock_upcall fn, void *arg)
{
	struct so_kext *k = fn != NULL ? so_get_kext(so) : so->so_kext;

	if (fn == NULL)
		so->so_rcv.sb_flags &= (uint16_t)~SB_UPCALL;
	else if (k != NULL)
		so->so_rcv.sb_flags |= SB_UPCALL;
	else
		return ENOMEM;
	if (k != NULL) {
		k->upcall = fn;
		k->upcallarg = arg;
	}
	return 0;
}

void
so_upcall(struct socket *so)
{
	struct so_kext *k = so->so_kext;
	struct inside me;

	/* Who takes the machine down calls nobody. */
	if (k->upcall == NULL || !sotomachine(so)->up || sotomachine(so)->panicked)
		return;
	so_retain(so);
	inside_enter(&k->upcalls, &me);
	GATE_CALL(k->owner, "sock_upcall", NULL, k->upcall(so, k->upcallarg, MBUF_DONTWAIT));
	inside_leave(&k->upcalls, &me);
	so_release(so);
}

void
so_upcall_wait(struct socket *so)
{
	if (so->so_kext != NULL && sotomachine(so)->up)
		(void)inside_wait(&so->so_kext->upcalls, "an upcall to return");
}

/* ---- whose it is -------------------------------------------------------------------------- */

errno_t
so_adopt(struct socket *so, void *pc)
{
	struct so_kext *k = so_get_kext(so);

	if (k == NULL)
		return ENOMEM;
	k->owner = gate_kext();
	k->made = true;
	ledger_strike(sotomachine(so), &k->ledger);
	ledger_enter(sotomachine(so), &k->ledger, LEDGER_SOCKET, pc);
	return 0;
}

/* It is being closed: nobody is called any more, and nobody owes it. */
void
so_disown(struct socket *so)
{
	(void)so_set_upcall(so, NULL, NULL);
	if (so->so_kext != NULL)
		ledger_strike(sotomachine(so), &so->so_kext->ledger);
}

void
so_keep(struct socket *so, void *pc)
{
	struct so_kext *k = so_get_kext(so);

	so_retain(so);
	so->so_retaincnt++;
	/* Without memory it goes unnamed if the kext forgets it. */
	if (k != NULL && k->ledger.kext == NULL)
		ledger_enter(sotomachine(so), &k->ledger, LEDGER_SOCKET, pc);
}

void
so_unkeep(struct socket *so)
{
	KASSERTX(so->so_retaincnt != 0, "sock_release of socket %u, which is not retained",
	    so->so_generation);
	so_upcall_wait(so);
	if (--so->so_retaincnt == 0) {
		if (so->so_kext != NULL && !so->so_kext->made)
			ledger_strike(sotomachine(so), &so->so_kext->ledger);
		if (so->so_flags & SOF_CLOSED)
			(void)soclose(so);
	}
	so_release(so);
}

/* ---- the ledger --------------------------------------------------------------------------- */

static void
describe(const struct ledger_entry *e, char *text, size_t size)
{
	const struct socket *so = CONTAINER_OF(e, struct so_kext, ledger)->so;

	ksnprintf(text, size, "socket %u (%s, type %d, protocol %d)%s", so->so_generation,
	    so->so_registration->domain->dom_name, so->so_type, so->so_proto->pr_protocol,
	    so->so_retaincnt != 0 ? ", retained" : "");
}

/* Of a kext whose start routine failed. */
static bool
reclaim(struct nke *m, struct ledger_entry *e)
{
	struct so_kext *k = CONTAINER_OF(e, struct so_kext, ledger);
	struct socket *so = k->so;
	bool made = k->made && !(so->so_flags & SOF_CLOSED);

	so_retain(so);
	so_disown(so);
	while (so->so_retaincnt != 0)
		so_unkeep(so);
	if (made) {
		so_dont_linger(so);
		(void)soclose(so);
	}
	so_release(so);
	(void)m;
	return true;
}

void
so_kext_init(struct nke *m)
{
	ledger_set_describe(m, LEDGER_SOCKET, describe);
	kext_set_reclaim(m, LEDGER_SOCKET, reclaim);
}
