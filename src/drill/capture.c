/* What crossed the wire, as a capture file: raw IP, by the script's time in nanoseconds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/drill/engine.h"

#define PCAP_NANOSECONDS	0xa1b23c4du
#define LINKTYPE_RAW		101u
#define SNAPLEN			262144u

struct capture {
	FILE *file;
};

int
capture_open(struct run *r)
{
	const uint32_t magic = PCAP_NANOSECONDS, rest[] = {0, 0, SNAPLEN, LINKTYPE_RAW};
	const uint16_t version[] = {2, 4};
	const char *path = r->config->capture;

	if (path == NULL)
		return 0;
	r->capture = calloc(1, sizeof *r->capture);
	if (r->capture == NULL)
		return fail(r, DRILL_BROKEN, (struct drill_place){0}, "no memory");
	r->capture->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
	if (r->capture->file == NULL)
		return fail(r, DRILL_BROKEN, (struct drill_place){0}, "%s: %s", path, strerror(errno));
	fwrite(&magic, sizeof magic, 1, r->capture->file);
	fwrite(version, sizeof version, 1, r->capture->file);
	fwrite(rest, sizeof rest, 1, r->capture->file);
	return 0;
}

void
capture_packet(struct run *r, const void *bytes, size_t len, int64_t us)
{
	const uint32_t header[] = {(uint32_t)(us / 1000000), (uint32_t)(us % 1000000) * NS_PER_US,
	    (uint32_t)len, (uint32_t)len};

	if (r->capture == NULL)
		return;
	fwrite(header, sizeof header, 1, r->capture->file);
	fwrite(bytes, len, 1, r->capture->file);
}

void
capture_close(struct run *r)
{
	struct capture *c = r->capture;
	bool bad;

	if (c == NULL)
		return;
	r->capture = NULL;
	if (c->file != NULL) {
		bad = ferror(c->file) != 0;
		bad |= (c->file == stdout ? fflush(c->file) : fclose(c->file)) != 0;
		if (bad)
			(void)fail(r, DRILL_BROKEN, (struct drill_place){0}, "%s: not written whole",
			    r->config->capture);
	}
	free(c);
}
