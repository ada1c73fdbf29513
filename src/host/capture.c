/*
 * Capture files: pcap is read and written by libpcap, pcapng is read by capture_pcapng.c.
 *
 * libpcap's own reader works on a stdio stream; giving it one with a large buffer that needs no lock
 * is what makes reading cheap. Damage is reported with the number of the packet and its byte offset.
 *
 * A replay has one interface. Of a pcapng file with several it plays those with the link type of the first
 * packet that can be played; packets of others are left out, and counted.
 */
#include "src/host/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/host/capture_pcapng.h"

#define READ_BUFFER	(1u << 16)	/* stays in the cache */
#define WRITE_BUFFER	(1u << 20)
#define MIN_SNAPLEN	65535
#define LINKTYPE_RAW	101
#define OPENBSD_RAW	14		/* OpenBSD's number for raw IP */
#define SNAPLEN		262144		/* tcpdump's */

static const struct link_type {
	int dlt;
	enum core_link link;
	const char *name;
} link_types[] = {
	{DLT_EN10MB, CORE_LINK_ETHERNET, "Ethernet"},
	{DLT_RAW, CORE_LINK_RAW, "raw IP"},
#ifdef DLT_IPV4
	{DLT_IPV4, CORE_LINK_RAW, "raw IPv4"},
	{DLT_IPV6, CORE_LINK_RAW, "raw IPv6"},
#endif
	{DLT_NULL, CORE_LINK_NULL, "BSD loopback"},
	{DLT_LOOP, CORE_LINK_LOOP, "OpenBSD loopback"},
	{DLT_LINUX_SLL, CORE_LINK_SLL, "Linux cooked v1"},
#ifdef DLT_LINUX_SLL2
	{DLT_LINUX_SLL2, CORE_LINK_SLL2, "Linux cooked v2"},
#endif
};

struct capture_reader {
	pcap_t *pcap;			/* NULL: it is a pcapng file */
	struct pcapng *pcapng;
	FILE *stream;			/* of pcapng; libpcap has its own */
	char *buffer;
	char path[512];
	const struct link_type *type;
	struct core_frame first;	/* of pcapng, read to find the link type; `data` NULL: given out */
	uint64_t packets, left_out;
	uint64_t offset;		/* of the next packet record; not of pcapng */
	uint64_t total;
	struct stat file;		/* its device and number: not to be written over */
	bool nanoseconds;
	char error[1024];
};

struct capture_writer {
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	FILE *file;
	char *buffer;
	char path[512];
	int error;
	unsigned ns_per_tick;		/* 1, or 1000 for a file in microseconds */
	uint64_t frames;
};

static int
say(char *text, size_t size, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, size, fmt, ap);
	va_end(ap);
	return error;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* By libpcap's number (DLT_) or the files' (LINKTYPE_): they differ for raw IP only. */
static const struct link_type *
find_link_type(int dlt)
{
	if (dlt == LINKTYPE_RAW || dlt == OPENBSD_RAW)
		dlt = DLT_RAW;
	for (size_t i = 0; i < sizeof link_types / sizeof link_types[0]; i++)
		if (link_types[i].dlt == dlt)
			return &link_types[i];
	return NULL;
}

/*
 * Looks at the first bytes and puts them back: they are still in the stream's buffer. NULL, or what the file
 * is instead of a capture.
 */
static const char *
look_at_magic(struct capture_reader *r, FILE *f, bool *pcapng)
{
	static const struct {
		const char *magic, *name;
	} compressed[] = {
		{"\x1f\x8b", "gzip"}, {"BZh", "bzip2"}, {"\xfd" "7zX", "xz"}, {"\x28\xb5\x2f\xfd", "zstd"},
		{"\x04\x22\x4d\x18", "lz4"},
	};
	char magic[4] = "";
	size_t n = fread(magic, 1, sizeof magic, f);
	const char *name = NULL;

	*pcapng = n > 0 && magic[0] == 0x0a;	/* a section header block, in either byte order */
	r->nanoseconds = *pcapng || (n == 4 && (memcmp(magic, "\x4d\x3c\xb2\xa1", 4) == 0 ||
	    memcmp(magic, "\xa1\xb2\x3c\x4d", 4) == 0));
	for (size_t i = 0; i < sizeof compressed / sizeof *compressed; i++)
		if (n == sizeof magic && memcmp(magic, compressed[i].magic, strlen(compressed[i].magic)) == 0)
			name = compressed[i].name;
	while (n > 0)
		ungetc((unsigned char)magic[--n], f);
	return name;
}

static int
not_supported(const struct capture_reader *r, int dlt, char *text, size_t size)
{
	const char *name = pcap_datalink_val_to_description(dlt);

	return say(text, size, EPROTONOSUPPORT, "%s: link type %d (%s) is not supported; Ethernet, "
	    "raw IP, BSD loopback and Linux cooked captures are ('editcap -C N -T rawip' cuts off N "
	    "octets in front of IP)", r->path, dlt, name != NULL ? name : "unknown");
}

static int
open_pcap(struct capture_reader *r, FILE *f, char *text, size_t size)
{
	char errbuf[PCAP_ERRBUF_SIZE] = "";

	r->pcap = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, errbuf);
	if (r->pcap == NULL) {
		fclose(f);
		return say(text, size, EILSEQ, "%s: not a capture that can be read: %s; expected pcap or "
		    "pcapng ('editcap -F pcap' converts other programs' formats)", r->path, errbuf);
	}
	r->offset = 24;
	r->type = find_link_type(pcap_datalink(r->pcap));
	return r->type != NULL ? 0 : not_supported(r, pcap_datalink(r->pcap), text, size);
}

/* Up to the first packet that can be played. */
static int
open_pcapng(struct capture_reader *r, FILE *f, char *text, size_t size)
{
	unsigned linktype, unknown = 0;
	int first;

	r->stream = f;
	r->pcapng = pcapng_open(f);
	if (r->pcapng == NULL)
		return say(text, size, ENOMEM, "%s: out of memory", r->path);
	while (r->type == NULL && pcapng_next(r->pcapng, &r->first, &linktype)) {
		r->type = find_link_type((int)linktype);
		if (r->type == NULL && r->left_out++ == 0)
			unknown = linktype;
	}
	if (r->type != NULL)
		return 0;
	r->first.data = NULL;
	if (r->left_out != 0)
		return not_supported(r, (int)unknown, text, size);
	/* No packet: damage behind an interface that can be played is what reading will tell. */
	first = pcapng_first_linktype(r->pcapng);
	r->type = find_link_type(first);
	if (r->type != NULL)
		return 0;
	if (first >= 0)
		return not_supported(r, first, text, size);
	return say(text, size, EILSEQ, "%s: not a capture that can be read: %s", r->path,
	    pcapng_error(r->pcapng) != NULL ? pcapng_error(r->pcapng) : "it describes no interface");
}

struct capture_reader *
capture_open(const char *path, int *error, char *text, size_t size)
{
	bool standard_input = strcmp(path, "-") == 0;
	struct capture_reader *r = calloc(1, sizeof *r);
	const char *compression;
	FILE *f = NULL;
	bool pcapng;

	if (r == NULL || (r->buffer = malloc(READ_BUFFER)) == NULL) {
		*error = say(text, size, ENOMEM, "%s: out of memory", path);
		goto fail;
	}
	snprintf(r->path, sizeof r->path, "%s", standard_input ? "standard input" : path);
	f = standard_input ? fdopen(dup(STDIN_FILENO), "rb") : fopen(path, "rb");
	if (f == NULL) {
		*error = errno;
		say(text, size, 0, "%s: %s", r->path, strerror(*error));
		goto fail;
	}
	(void)fstat(fileno(f), &r->file);
	if (S_ISDIR(r->file.st_mode)) {
		*error = say(text, size, EISDIR, "%s: is a directory, not a capture", r->path);
		goto fail;
	}
	if (S_ISREG(r->file.st_mode))
		r->total = (uint64_t)r->file.st_size;
	setvbuf(f, r->buffer, _IOFBF, READ_BUFFER);
	__fsetlocking(f, FSETLOCKING_BYCALLER);
	compression = look_at_magic(r, f, &pcapng);
	if (compression != NULL) {
		*error = say(text, size, EILSEQ, "%s: is compressed by %s; decompress it first", r->path,
		    compression);
		goto fail;
	}
	*error = pcapng ? open_pcapng(r, f, text, size) : open_pcap(r, f, text, size);
	f = NULL;	/* the reader's now */
	if (*error == 0)
		return r;
fail:
	if (f != NULL)
		fclose(f);
	capture_close(r);
	return NULL;
}

void
capture_close(struct capture_reader *r)
{
	if (r == NULL)
		return;
	if (r->pcap != NULL)
		pcap_close(r->pcap);
	pcapng_close(r->pcapng);
	if (r->stream != NULL)
		fclose(r->stream);
	free(r->buffer);
	free(r);
}

enum core_link
capture_link(const struct capture_reader *r)
{
	return r->type->link;
}

const char *
capture_link_name(const struct capture_reader *r)
{
	return r->type->name;
}

static void
read_failed(struct capture_reader *r, const char *complaint)
{
	if (r->error[0] == '\0')
		snprintf(r->error, sizeof r->error, "%s: packet %llu at byte %llu%s: %s", r->path,
		    (unsigned long long)(r->packets + r->left_out) + 1,
		    (unsigned long long)capture_bytes_read(r), r->pcapng != NULL ? " or before" : "",
		    complaint);
}

static bool
next_of_pcapng(struct capture_reader *r, struct core_frame *f)
{
	unsigned linktype;

	if (r->first.data != NULL) {
		*f = r->first;
		r->first.data = NULL;
		f->number = ++r->packets;
		return true;
	}
	while (pcapng_next(r->pcapng, f, &linktype)) {
		const struct link_type *type = find_link_type((int)linktype);

		if (type != NULL && type->link == r->type->link) {
			f->number = ++r->packets;
			return true;
		}
		r->left_out++;
	}
	if (pcapng_error(r->pcapng) != NULL)
		read_failed(r, pcapng_error(r->pcapng));
	return false;
}

bool
capture_next(struct capture_reader *r, struct core_frame *f)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	int rc;

	if (r->pcapng != NULL)
		return next_of_pcapng(r, f);
	rc = pcap_next_ex(r->pcap, &h, &data);
	if (__builtin_expect(rc != 1, 0)) {
		if (rc == PCAP_ERROR)
			read_failed(r, pcap_geterr(r->pcap));
		return false;
	}
	r->offset += 16 + h->caplen;
	f->number = ++r->packets;
	/* Seconds are 32 bits without a sign in the file; libpcap takes them as signed. */
	f->time_ns = (uint64_t)(uint32_t)h->ts.tv_sec * 1000000000u + (uint64_t)h->ts.tv_usec;
	f->data = data;
	f->caplen = h->caplen;
	f->len = h->len > h->caplen ? h->len : h->caplen;
	f->flags = 0;
	return true;
}

const char *
capture_error(const struct capture_reader *r)
{
	return r->error;
}

uint64_t
capture_bytes_read(const struct capture_reader *r)
{
	return r->pcapng != NULL ? pcapng_offset(r->pcapng) : r->offset;
}

uint64_t
capture_left_out(const struct capture_reader *r)
{
	return r->left_out;
}

uint64_t
capture_bytes_total(const struct capture_reader *r)
{
	return r->total;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* Opening it for writing would empty the capture before it is read. */
static bool
is_input(const struct capture_reader *r, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == r->file.st_dev &&
	    st.st_ino == r->file.st_ino;
}

struct capture_writer *
capture_create(const char *path, const struct capture_reader *like, int *error, char *text,
    size_t size)
{
	struct capture_writer *w = calloc(1, sizeof *w);
	bool standard_output = strcmp(path, "-") == 0;
	int snaplen;

	if (w == NULL || (w->buffer = malloc(WRITE_BUFFER)) == NULL) {
		*error = say(text, size, ENOMEM, "%s: out of memory", path);
		goto fail;
	}
	snprintf(w->path, sizeof w->path, "%s", standard_output ? "standard output" : path);
	if (!standard_output && is_input(like, path)) {
		*error = say(text, size, EINVAL, "%s: is the capture that is read; write to another file",
		    w->path);
		goto fail;
	}
	w->ns_per_tick = like->nanoseconds ? 1 : 1000;
	/* Packets may leave longer than they came: readers cut them at the file's snapshot length. */
	snaplen = like->pcap != NULL ? pcap_snapshot(like->pcap) : SNAPLEN;
	w->pcap = pcap_open_dead_with_tstamp_precision(like->type->dlt,
	    snaplen > MIN_SNAPLEN ? snaplen : MIN_SNAPLEN,
	    like->nanoseconds ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO);
	w->file = standard_output ? fdopen(dup(STDOUT_FILENO), "wb") : fopen(path, "wb");
	if (w->file == NULL) {
		*error = errno;
		say(text, size, 0, "%s: %s", w->path, strerror(*error));
		goto fail;
	}
	setvbuf(w->file, w->buffer, _IOFBF, WRITE_BUFFER);
	__fsetlocking(w->file, FSETLOCKING_BYCALLER);
	w->dumper = w->pcap != NULL ? pcap_dump_fopen(w->pcap, w->file) : NULL;
	if (w->dumper == NULL) {
		*error = errno != 0 ? errno : EIO;
		say(text, size, 0, "%s: %s", w->path,
		    w->pcap != NULL ? pcap_geterr(w->pcap) : "out of memory");
		goto fail;
	}
	return w;
fail:
	if (w != NULL) {
		if (w->file != NULL)
			fclose(w->file);
		if (w->pcap != NULL)
			pcap_close(w->pcap);
		free(w->buffer);
		free(w);
	}
	return NULL;
}

bool
capture_write(struct capture_writer *w, const struct core_frame *f, size_t count)
{
	for (size_t i = 0; i < count && w->error == 0; i++) {
		struct pcap_pkthdr h = {.caplen = f[i].caplen, .len = f[i].len};

		h.ts.tv_sec = (time_t)(f[i].time_ns / 1000000000u);
		h.ts.tv_usec = (suseconds_t)(f[i].time_ns % 1000000000u / w->ns_per_tick);
		pcap_dump((u_char *)w->dumper, &h, f[i].data);
		/* What is written after a failure would leave a gap, which readers take for garbage. */
		if (__builtin_expect(ferror(w->file), 0))
			w->error = errno != 0 ? errno : EIO;
		else
			w->frames++;
	}
	return w->error == 0;
}

int
capture_finish(struct capture_writer *w, char *text, size_t size)
{
	int error = w->error;

	if (error == 0 && pcap_dump_flush(w->dumper) != 0)
		error = errno != 0 ? errno : EIO;
	if (error != 0) {
		__fpurge(w->file);	/* else closing it tries once more */
		say(text, size, 0, "%s: %s after about %llu packets: the file is not complete", w->path,
		    strerror(error), (unsigned long long)w->frames);
	}
	pcap_dump_close(w->dumper);
	pcap_close(w->pcap);
	free(w->buffer);
	free(w);
	return error;
}
