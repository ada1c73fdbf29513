/* The table behind string_id.h. Lives in the machine's heap, made at the first string. */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/string_id.h"

struct string_id {
	SLIST_ENTRY(string_id) link;
	uint32_t id;
	uint8_t asked_in[STRING_ID_SPACES];
	char name[];
};

struct string_ids {
	SLIST_HEAD(, string_id) all;
	uint32_t highest[STRING_ID_SPACES];	/* handed out; 0 none */
};

static struct string_id *
find_name(struct nke *m, const char *name)
{
	struct string_id *s;

	if (m->string_ids == NULL)
		return NULL;
	SLIST_FOREACH(s, &m->string_ids->all, link)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

static struct string_id *
add_name(struct nke *m, const char *name)
{
	size_t len = strlen(name) + 1;
	struct string_id *s;

	if (m->string_ids == NULL)
		m->string_ids = kalloc(m, sizeof *m->string_ids);
	if (m->string_ids == NULL)
		return NULL;
	s = kalloc(m, sizeof *s + len);
	if (s == NULL)
		return NULL;
	memcpy(s->name, name, len);
	if (m->next_string_id < STRING_ID_FIRST)
		m->next_string_id = STRING_ID_FIRST;
	s->id = m->next_string_id++;
	SLIST_INSERT_HEAD(&m->string_ids->all, s, link);
	return s;
}

errno_t
string_id_find(struct nke *m, const char *name, uint32_t space, uint32_t *id)
{
	struct string_id *s;

	if (name == NULL || id == NULL || space >= STRING_ID_SPACES)
		return EINVAL;
	s = find_name(m, name);
	if (s == NULL)
		s = add_name(m, name);
	if (s == NULL)
		return ENOMEM;
	s->asked_in[space] = 1;
	if (m->string_ids->highest[space] < s->id)
		m->string_ids->highest[space] = s->id;
	*id = s->id;
	return 0;
}

errno_t
string_id_lookup(struct nke *m, const char *name, uint32_t space, uint32_t *id)
{
	const struct string_id *s;

	if (name == NULL || id == NULL || space >= STRING_ID_SPACES)
		return EINVAL;
	s = find_name(m, name);
	if (s == NULL || !s->asked_in[space])
		return ENOENT;
	*id = s->id;
	return 0;
}

bool
string_id_valid(struct nke *m, uint32_t id, uint32_t space)
{
	return m->string_ids != NULL && space < STRING_ID_SPACES && id >= STRING_ID_FIRST &&
	    id <= m->string_ids->highest[space];
}
