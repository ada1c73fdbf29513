/* Memory that is given back all at once: chunks in a list, the newest first. Used by the parser only. */
#include "src/drill/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE	8192u

struct chunk {
	struct chunk *next;
	size_t used, size;
	alignas(max_align_t) char data[];
};

struct drill_arena {
	struct chunk *chunks;
};

struct drill_arena *
drill_arena_new(void)
{
	return calloc(1, sizeof(struct drill_arena));
}

void
drill_arena_free(struct drill_arena *a)
{
	if (a == NULL)
		return;
	while (a->chunks != NULL) {
		struct chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	free(a);
}

void *
drill_arena_alloc(struct drill_arena *a, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct chunk *c = a->chunks;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + align - 1) / align * align;
	if (c == NULL || c->size - c->used < size) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		c = calloc(1, sizeof *c + room);
		if (c == NULL)
			return NULL;
		c->size = room;
		c->next = a->chunks;
		a->chunks = c;
	}
	p = c->data + c->used;
	c->used += size;
	return p;
}

char *
drill_arena_copy(struct drill_arena *a, const void *data, size_t len)
{
	char *copy = drill_arena_alloc(a, len + 1);

	if (copy != NULL && len > 0)
		memcpy(copy, data, len);
	return copy;
}

int
drill_vector_add(struct drill_vector *v, const void *element)
{
	if (v->count == v->room) {
		size_t room = v->room == 0 ? 8 : 2 * v->room;
		char *data = realloc(v->data, room * v->size);

		if (data == NULL)
			return -1;
		v->data = data;
		v->room = room;
	}
	memcpy(v->data + v->count++ * v->size, element, v->size);
	return 0;
}

void
drill_vector_free(struct drill_vector *v)
{
	free(v->data);
	v->data = NULL;
	v->count = v->room = 0;
}

void *
drill_vector_keep(struct drill_vector *v, struct drill_arena *a)
{
	void *kept = NULL;

	if (v->count > 0)
		kept = drill_arena_copy(a, v->data, v->count * v->size);
	drill_vector_free(v);
	return kept;
}
