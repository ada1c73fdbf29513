/* Chunks of a capture: frames with their bytes, dealt out to machines. */
#include "src/host/replay_chunk.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES	((size_t)512 << 10)	/* unless a single frame is longer */

void
chunk_destroy(struct chunk *c)
{
	if (c == NULL)
		return;
	for (unsigned i = 0; c->parts != NULL && i < c->machines; i++)
		share_destroy(c->parts[i].out);
	free(c->parts);
	free(c->data);
	free(c);
}

struct chunk *
chunk_create(unsigned machines)
{
	struct chunk *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->parts = calloc(machines, sizeof *c->parts);
	c->machines = machines;
	c->data = malloc(CHUNK_BYTES);
	c->size = CHUNK_BYTES;
	if (c->parts == NULL || c->data == NULL) {
		chunk_destroy(c);
		return NULL;
	}
	return c;
}

void
chunk_clear(struct chunk *c)
{
	c->count = 0;
	c->used = 0;
	c->left = c->machines;
	c->last = false;
	for (unsigned i = 0; i < c->machines; i++)
		c->parts[i].first = c->parts[i].last = NO_FRAME;
}

bool
chunk_has_room(struct chunk *c, const struct core_frame *f)
{
	return c->count == 0 || (c->count < CHUNK_FRAMES && f->caplen <= c->size - c->used);
}

bool
chunk_add(struct chunk *c, const struct core_frame *f, unsigned machine)
{
	struct part *p = &c->parts[machine];
	uint32_t i = c->count;

	if (f->caplen > c->size - c->used) {	/* the first one: nothing points there yet */
		uint8_t *data = realloc(c->data, f->caplen);

		if (data == NULL)
			return false;
		c->data = data;
		c->size = f->caplen;
	}
	c->frames[i].frame = *f;
	c->frames[i].frame.data = c->data + c->used;
	c->frames[i].next = NO_FRAME;
	if (f->caplen != 0)
		memcpy(c->data + c->used, f->data, f->caplen);
	c->used += f->caplen;
	c->count++;
	if (p->last != NO_FRAME)
		c->frames[p->last].next = i;
	else
		p->first = i;
	p->last = i;
	return true;
}
