/*
 * One direction of a TCP flow as captured, put in order: what the local end is to write, or what its
 * reader is to get, kept until it has been written and compared. Segments that the capture has in another
 * order wait; octets that it never had (the holes of the first pass) are zeros.
 *
 * Limits: KEPT_MAX octets are kept to be compared; older ones are counted as not compared then, or, if they
 * have not been written, the flow cannot go on (`no_memory`). AHEAD_MAX octets in PIECES_MAX pieces
 * wait for a gap to be filled; what is beyond is left to the sender's retransmission.
 */
#include <stdlib.h>

#include "src/host/reenact_stream.h"

#define KEPT_MAX	(64u << 20)
#define KEPT_FIRST	2048u
#define KEPT_IDLE	(64u << 10)	/* a buffer longer than that is given back when it is empty */
#define AHEAD_MAX	(16u << 20)
#define PIECES_MAX	16384u

struct piece {
	struct piece *next;
	uint64_t offset;
	uint32_t len;
	uint8_t data[];
};

void
stream_init(struct stream *s, struct track *track, struct flow_count *count)
{
	memset(s, 0, sizeof *s);
	s->track = track;
	s->count = count;
	s->hold = UINT64_MAX;
}

static void
free_pieces(struct stream *s)
{
	struct piece *p;

	while ((p = s->ahead) != NULL) {
		s->ahead = p->next;
		free(p);
	}
	s->ahead_last = NULL;
	s->ahead_len = s->ahead_count = 0;
}

void
stream_free(struct stream *s)
{
	free_pieces(s);
	free(s->kept);
	s->kept = NULL;
	s->kept_len = s->kept_at = s->kept_room = 0;
	s->kept_from = s->end;
}

/* ---- what is in order ----------------------------------------------------------------------- */

/* Room for `len` octets at the end of what is kept; NULL: no memory. */
static uint8_t *
make_room(struct stream *s, size_t len)
{
	size_t room = s->kept_room;
	uint8_t *grown;

	if (s->kept_at + s->kept_len + len <= room)
		return s->kept + s->kept_at + s->kept_len;
	if (s->kept_at != 0) {
		memmove(s->kept, s->kept + s->kept_at, s->kept_len);
		s->kept_at = 0;
	}
	if (s->kept_len + len > room) {
		room = room != 0 ? room : KEPT_FIRST;
		while (room < s->kept_len + len)
			room *= 2;
		grown = realloc(s->kept, room);
		if (grown == NULL)
			return NULL;
		s->kept = grown;
		s->kept_room = room;
	}
	return s->kept + s->kept_len;
}

void
stream_drop(struct stream *s, uint64_t offset)
{
	size_t n;

	if (offset <= s->kept_from)
		return;
	n = offset - s->kept_from < s->kept_len ? (size_t)(offset - s->kept_from) : s->kept_len;
	s->kept_from = offset < s->end ? offset : s->end;
	s->kept_at += n;
	s->kept_len -= n;
	if (s->kept_len != 0)
		return;
	s->kept_at = 0;
	if (s->kept_room > KEPT_IDLE) {
		free(s->kept);
		s->kept = NULL;
		s->kept_room = 0;
	}
}

/* `bytes` NULL: zeros. */
static void
append(struct stream *s, const uint8_t *bytes, size_t len)
{
	uint8_t *to;

	if (s->kept_len + len > KEPT_MAX)
		stream_drop(s, s->kept_from + s->kept_len / 2);
	/* What has to be written yet cannot be forgotten. */
	to = s->kept_from <= s->hold ? make_room(s, len) : NULL;
	if (to == NULL) {
		s->no_memory = true;
		return;
	}
	if (bytes != NULL)
		memcpy(to, bytes, len);
	else
		memset(to, 0, len);
	s->kept_len += len;
	s->end += len;
	s->count->captured += len;
}

static void
append_captured(struct stream *s, const uint8_t *bytes, uint32_t len, uint32_t captured)
{
	if (captured > len)
		captured = len;
	if (captured != 0)
		append(s, bytes, captured);
	if (captured < len) {
		append(s, NULL, len - captured);
		s->count->zeros += len - captured;
	}
}

/* ---- what waits ----------------------------------------------------------------------------- */

static void
wait_for_gap(struct stream *s, uint64_t offset, const uint8_t *bytes, uint32_t len, uint32_t captured)
{
	struct piece **link = &s->ahead, *p;

	if (s->ahead_len + len > AHEAD_MAX || s->ahead_count == PIECES_MAX)
		return;
	/* Mostly it comes behind the last one. */
	if (s->ahead_last != NULL && s->ahead_last->offset < offset)
		link = &s->ahead_last->next;
	while (*link != NULL && (*link)->offset < offset)
		link = &(*link)->next;
	if (*link != NULL && (*link)->offset == offset && (*link)->len >= len)
		return;
	p = malloc(sizeof *p + len);
	if (p == NULL) {
		s->no_memory = true;
		return;
	}
	p->next = *link;
	p->offset = offset;
	p->len = len;
	memcpy(p->data, bytes, captured < len ? captured : len);
	if (captured < len) {
		memset(p->data + captured, 0, len - captured);
		s->count->zeros += len - captured;
	}
	*link = p;
	if (p->next == NULL)
		s->ahead_last = p;
	s->ahead_len += len;
	s->ahead_count++;
}

static void
catch_up(struct stream *s)
{
	struct piece *p;

	while ((p = s->ahead) != NULL && p->offset <= s->end) {
		uint64_t skip = s->end - p->offset;

		if (skip < p->len)
			append(s, p->data + skip, p->len - (size_t)skip);
		s->ahead = p->next;
		s->ahead_len -= p->len;
		s->ahead_count--;
		free(p);
	}
	if (s->ahead == NULL)
		s->ahead_last = NULL;
}

void
stream_add(struct stream *s, int64_t offset, const uint8_t *bytes, uint32_t len, uint32_t captured)
{
	uint64_t skip;

	if (offset + (int64_t)len <= (int64_t)s->end)
		return;
	if (offset > (int64_t)s->end) {
		wait_for_gap(s, (uint64_t)offset, bytes, len, captured);
		return;
	}
	skip = s->end - (uint64_t)offset;
	append_captured(s, bytes + skip, len - (uint32_t)skip,
	    captured > skip ? captured - (uint32_t)skip : 0);
	if (s->ahead != NULL)
		catch_up(s);
}

void
stream_fill(struct stream *s, uint64_t until)
{
	const struct track *t = s->track;

	while (s->hole < t->hole_count && !s->no_memory) {
		const struct span *h = &t->holes[s->hole];

		if (h->from > s->end || s->end >= until)
			return;
		s->hole++;
		if (h->to <= s->end)
			continue;
		s->count->zeros += h->to - s->end;
		append(s, NULL, (size_t)(h->to - s->end));
		catch_up(s);
	}
}

/* ---- comparing ------------------------------------------------------------------------------ */

static void
differ(struct flow_count *c, uint64_t offset, uint64_t octets)
{
	if (c->differences == 0)
		c->first_difference = offset;
	c->differences += octets;
}

static void
compare(struct stream *s, uint64_t offset, const uint8_t *a, const uint8_t *b, size_t len)
{
	if (memcmp(a, b, len) == 0)
		return;
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i])
			differ(s->count, offset + i, 1);
}

void
stream_check(struct stream *s, uint64_t offset, const uint8_t *bytes, size_t len)
{
	const uint8_t *kept;
	size_t n;

	s->count->delivered += len;
	if (offset < s->kept_from) {
		n = s->kept_from - offset < len ? (size_t)(s->kept_from - offset) : len;
		s->count->unchecked += n;
		offset += n;
		bytes += n;
		len -= n;
	}
	if (len != 0 && (kept = stream_at(s, offset, &n)) != NULL) {
		n = n < len ? n : len;
		compare(s, offset, kept, bytes, n);
		offset += n;
		len -= n;
	}
	if (len != 0)
		differ(s->count, offset, len);	/* more than there was */
	stream_drop(s, offset < s->hold ? offset : s->hold);
}

const uint8_t *
stream_at(const struct stream *s, uint64_t offset, size_t *len)
{
	*len = 0;
	if (offset < s->kept_from || offset >= s->kept_from + s->kept_len)
		return NULL;
	*len = (size_t)(s->kept_from + s->kept_len - offset);
	return s->kept + s->kept_at + (offset - s->kept_from);
}
