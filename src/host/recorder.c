/*
 * A capture file for live devices, written by libpcap. Frames come from the threads that read devices and
 * from whoever has a machine's CPU, so each is written under a mutex. A failure (a full disk) is kept
 * and told at the end; what was written before it is whole.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/host/port.h"

#define SNAPLEN	262144

struct nke_recorder {
	pthread_mutex_t mutex;
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	FILE *file;
	int error;
	char path[512];
};

static int
fail(nke_recorder_t *r, int error, char *text, size_t size)
{
	snprintf(text, size, "%s: %s", r->path, strerror(error));
	return error;
}

static void
free_recorder(nke_recorder_t *r)
{
	if (r->dumper != NULL)
		pcap_dump_close(r->dumper);
	else if (r->file != NULL)
		fclose(r->file);
	if (r->pcap != NULL)
		pcap_close(r->pcap);
	pthread_mutex_destroy(&r->mutex);
	free(r);
}

int
nke_recorder_open(const char *path, enum nke_media media, nke_recorder_t **out, char *text, size_t size)
{
	bool standard_output = strcmp(path, "-") == 0;
	nke_recorder_t *r = calloc(1, sizeof *r);
	int error;

	*out = NULL;
	if (r == NULL) {
		snprintf(text, size, "%s: no memory", path);
		return ENOMEM;
	}
	pthread_mutex_init(&r->mutex, NULL);
	snprintf(r->path, sizeof r->path, "%s", standard_output ? "standard output" : path);
	r->file = standard_output ? fdopen(dup(STDOUT_FILENO), "wb") : fopen(path, "wb");
	if (r->file == NULL) {
		error = fail(r, errno, text, size);
		free_recorder(r);
		return error;
	}
	r->pcap = pcap_open_dead_with_tstamp_precision(media == NKE_MEDIA_RAW ? DLT_RAW : DLT_EN10MB, SNAPLEN,
	    PCAP_TSTAMP_PRECISION_NANO);
	r->dumper = r->pcap != NULL ? pcap_dump_fopen(r->pcap, r->file) : NULL;
	if (r->dumper == NULL) {
		error = fail(r, r->pcap == NULL ? ENOMEM : EIO, text, size);
		free_recorder(r);
		return error;
	}
	*out = r;
	return 0;
}

void
recorder_write(nke_recorder_t *r, const void *frame, size_t len)
{
	struct pcap_pkthdr h = {.caplen = (bpf_u_int32)len, .len = (bpf_u_int32)len};
	struct timespec now;

	pthread_mutex_lock(&r->mutex);
	clock_gettime(CLOCK_REALTIME, &now);
	h.ts.tv_sec = now.tv_sec;
	h.ts.tv_usec = now.tv_nsec;	/* the file is in nanoseconds */
	/* What is written after a failure would leave a gap, which readers take for garbage. */
	if (r->error == 0) {
		pcap_dump((u_char *)r->dumper, &h, frame);
		if (ferror(r->file))
			r->error = errno != 0 ? errno : EIO;
	}
	pthread_mutex_unlock(&r->mutex);
}

int
nke_recorder_close(nke_recorder_t *r, char *text, size_t size)
{
	int error;

	if (r == NULL)
		return 0;
	error = r->error;
	if (error == 0 && pcap_dump_flush(r->dumper) != 0)
		error = errno != 0 ? errno : EIO;
	if (error != 0)
		(void)fail(r, error, text, size);
	free_recorder(r);
	return error;
}
