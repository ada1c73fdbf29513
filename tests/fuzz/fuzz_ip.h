/* Between the two halves of fuzz_ip: the host's (fuzz_ip.c) and the core's (fuzz_ip_core.c). */
#ifndef NKE_TESTS_FUZZ_IP_H
#define NKE_TESTS_FUZZ_IP_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_IP_V6	0x01		/* IPv6, else IPv4 */
#define FUZZ_IP_FIT	0x02		/* version, lengths, destination and checksum are made right */
#define FUZZ_IP_PIECES	0x04		/* in mbufs of `arg` bytes */
#define FUZZ_IP_OUT	0x08		/* sent, else received */
#define FUZZ_IP_CUT	0x10		/* cut into fragments of `arg` * 8 bytes, which are received */
#define FUZZ_IP_INJECT	0x20		/* through ipf_inject_input/output */
#define FUZZ_IP_FILTER	0x40		/* first attaches a filter that does as `arg` says */
#define FUZZ_IP_FAIL	0x80		/* the allocation number `arg` from here on fails */

struct fuzz_ip_record {
	uint8_t flags, arg;
	const uint8_t *data;
	size_t len;
};

/* All are run by machine_call. */
void fuzz_ip_start(void *);
void fuzz_ip_run(void *record);
void fuzz_ip_stop(void *);

#endif
