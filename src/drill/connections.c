/*
 * FreeBSD's commands for connections: sockstat, of which scripts ask how many are in a state, and tcpdrop,
 * which ends those in a state. Called by command.c. Both mean all of the machine's: nobody else uses it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <nke/sysctl.h>

#include "src/drill/engine.h"
#include "src/netinet/tcp_user.h"

#define STATES		11u
#define ANY_STATE	STATES

/* By the numbers of TCPS_*; STATES: it is no state. */
static unsigned
state_of(const char *word)
{
	static const char *const names[STATES] = {"CLOSED", "LISTEN", "SYN_SENT", "SYN_RCVD", "ESTABLISHED",
	    "CLOSE_WAIT", "FIN_WAIT_1", "CLOSING", "LAST_ACK", "FIN_WAIT_2", "TIME_WAIT"};
	unsigned s = 0;

	while (s < STATES && strcmp(names[s], word) != 0)
		s++;
	return s;
}

/* `sockstat ... | grep packetdrill | grep -c TIME_WAIT | grep 1`: how many connections are in that state. */
int
connections_count(struct run *r, char *const *words, unsigned count, struct drill_place place)
{
	uint64_t counts[STATES] = {0};
	size_t size = sizeof counts;
	long expected = count != 0 ? strtol(words[count - 1], NULL, 10) : 0;

	if (nke_sysctl(r->machine, "net.inet.tcp.states", counts, &size, NULL, 0) != 0)
		return fail(r, DRILL_BROKEN, place, "%s", nke_error_text(r->machine));
	for (unsigned i = 0; i < count; i++) {
		unsigned s = state_of(words[i]);

		if (s != STATES && counts[s] != (uint64_t)expected)
			return fail(r, DRILL_FAILED, place, "connections in %s\n"
			    "  expected: %ld\n  seen:     %llu", words[i], expected,
			    (unsigned long long)counts[s]);
	}
	return 0;
}

/* Every connection in `state` of the list. One that is gone meanwhile, with another, is none the worse. */
static int
drop_listed(struct run *r, const struct core_tcp_pcb *list, size_t count, unsigned state,
    struct drill_place place)
{
	for (size_t i = 0; i < count; i++) {
		int error;

		if (list[i].xt_fport == 0 || (state != ANY_STATE && list[i].xt_state != state))
			continue;
		error = nke_sysctl(r->machine, "net.inet.tcp.drop", NULL, NULL, &list[i], sizeof list[i]);
		if (error != 0 && error != ESRCH)
			return fail(r, DRILL_BROKEN, place, "tcpdrop: %s", nke_error_text(r->machine));
	}
	return 0;
}

/* `tcpdrop -s TIME_WAIT`, `tcpdrop -a` */
int
connections_drop(struct run *r, char *const *words, unsigned count, struct drill_place place)
{
	static const char name[] = "net.inet.tcp.pcblist";
	bool all = count == 2 && strcmp(words[1], "-a") == 0;
	unsigned state = count == 3 && strcmp(words[1], "-s") == 0 ? state_of(words[2]) : STATES;
	struct core_tcp_pcb *list;
	size_t size = 0;
	int result;

	if (!all && state == STATES)
		return fail(r, DRILL_BROKEN, place, "tcpdrop here takes -a, or -s and the name of a state");
	if (nke_sysctl(r->machine, name, NULL, &size, NULL, 0) != 0)
		return fail(r, DRILL_BROKEN, place, "%s", nke_error_text(r->machine));
	list = malloc(size + 1);
	if (list == NULL)
		return fail(r, DRILL_BROKEN, place, "no memory");
	result = nke_sysctl(r->machine, name, list, &size, NULL, 0) != 0 ?
	    fail(r, DRILL_BROKEN, place, "%s", nke_error_text(r->machine)) :
	    drop_listed(r, list, size / sizeof *list, all ? ANY_STATE : state, place);
	free(list);
	return result;
}
