/* Between the two halves of fuzz_sflt_inject: the host's (fuzz_sflt.c) and the core's (fuzz_sflt_core.c). */
#ifndef NKE_TESTS_FUZZ_SFLT_H
#define NKE_TESTS_FUZZ_SFLT_H

#include <stddef.h>
#include <stdint.h>

/* What a record asks for. `arg`: the low three bits say which socket, the others depend. */
enum {
	SFLT_INJECT_IN, SFLT_INJECT_OUT,	/* the data tell the shape of the chain: see make_chain() */
	SFLT_SEND, SFLT_RECEIVE,
	SFLT_BEHAVE,			/* data: filter, callback, what it does */
	SFLT_ATTACH, SFLT_DETACH, SFLT_REGISTER,
	SFLT_SHUTDOWN, SFLT_REOPEN, SFLT_WAIT, SFLT_OPTION, SFLT_NAME,
	SFLT_FAIL,			/* the allocation number data[0] from here on fails */
	SFLT_PUT_BACK,			/* what filters keep goes back where it came from */
	SFLT_OPS
};

struct fuzz_sflt_record {
	uint8_t op, arg;
	const uint8_t *data;
	size_t len;
};

/* All are run by machine_call. */
void fuzz_sflt_start(void *);
void fuzz_sflt_run(void *record);
void fuzz_sflt_stop(void *);
/* False: a filter is left, registered or attached. */
void fuzz_sflt_gone(void *gone);

#endif
