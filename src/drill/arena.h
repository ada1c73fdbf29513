/* Memory that is given back all at once: a script's. */
#ifndef NKE_DRILL_ARENA_H
#define NKE_DRILL_ARENA_H

#include <stddef.h>

struct drill_arena;

/* NULL: no memory; so of all of them. */
struct drill_arena *drill_arena_new(void);
void drill_arena_free(struct drill_arena *);
/* Zeroed. */
void *drill_arena_alloc(struct drill_arena *, size_t size);
/* A copy, with a NUL behind. */
char *drill_arena_copy(struct drill_arena *, const void *data, size_t len);

/* Elements of one size put together one by one. */
struct drill_vector {
	char *data;
	size_t size;			/* of an element */
	size_t count, room;
};

/* -1: no memory. */
int drill_vector_add(struct drill_vector *, const void *element);
void drill_vector_free(struct drill_vector *);
/* Moves it into the arena; the vector is freed. NULL: no memory (or nothing in it). */
void *drill_vector_keep(struct drill_vector *, struct drill_arena *);

#endif
