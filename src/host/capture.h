/*
 * Capture files: reading with a place for every complaint, writing that notices a full
 * disk. Used by replay.c only.
 */
#ifndef NKE_HOST_CAPTURE_H
#define NKE_HOST_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/kern/corecalls.h"

struct capture_reader;
struct capture_writer;

/* NULL and a line in `text` when it can't be read; *error is the errno for it. */
struct capture_reader *capture_open(const char *path, int *error, char *text, size_t size);
void capture_close(struct capture_reader *);
enum core_link capture_link(const struct capture_reader *);
const char *capture_link_name(const struct capture_reader *);
/*
 * The next frame; its data is valid until the next call. False at the end and at damage: then
 * capture_error() is not "".
 */
bool capture_next(struct capture_reader *, struct core_frame *);
/* "" or "in.pcap: packet 17 at byte 4123: ..." */
const char *capture_error(const struct capture_reader *);
uint64_t capture_bytes_read(const struct capture_reader *);
/* Packets of interfaces with other link types, so far. */
uint64_t capture_left_out(const struct capture_reader *);
uint64_t capture_bytes_total(const struct capture_reader *);	/* 0: unknown */

/* A writer for frames like the reader's. */
struct capture_writer *capture_create(const char *path, const struct capture_reader *, int *error,
    char *text, size_t size);
/* False when it failed, now or earlier. */
bool capture_write(struct capture_writer *, const struct core_frame *, size_t count);
/* Flushes; 0 or the errno of what went wrong, with a line in `text`. The writer is gone. */
int capture_finish(struct capture_writer *, char *text, size_t size);

#endif
