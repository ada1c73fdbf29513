/*
 * Tries the structures that live in headers: trees (libkern/tree.h), Mach's queues (kern/queue.h) and checked
 * arithmetic (os/overflow.h). It refuses to load when one of them does not do what it should.
 */
#include <kern/queue.h>
#include <libkern/libkern.h>
#include <libkern/tree.h>
#include <mach/mach_types.h>
#include <os/overflow.h>

#define ELEMENTS	300
#define ROUNDS		50000

struct element {
	int key;
	int in;			/* it is in both trees */
	RB_ENTRY(element) rb;
	SPLAY_ENTRY(element) splay;
	queue_chain_t chain;
};

static int
by_key(struct element *a, struct element *b)
{
	return a->key < b->key ? -1 : a->key > b->key;
}

RB_HEAD(tree, element);
RB_PROTOTYPE_SC_PREV(static, tree, element, rb, by_key);
RB_GENERATE_PREV(tree, element, rb, by_key)
SPLAY_HEAD(splay, element);
SPLAY_PROTOTYPE(splay, element, splay, by_key)
SPLAY_GENERATE(splay, element, splay, by_key)

kern_return_t structures_start(kmod_info_t *ki, void *data);
kern_return_t structures_stop(kmod_info_t *ki, void *data);

static struct element elements[ELEMENTS];
static int wrong;

#define CHECK(x) \
	do { \
		if (!(x)) { \
			printf("structures: line %d: %s\n", __LINE__, #x); \
			wrong = 1; \
		} \
	} while (0)

/* How many black elements there are on every way down. */
static int
blacks(struct element *e)
{
	struct element *left, *right;
	int below;

	if (e == NULL)
		return 0;
	left = RB_LEFT(e, rb);
	right = RB_RIGHT(e, rb);
	CHECK(left == NULL || tree_RB_GETPARENT(left) == e);
	CHECK(right == NULL || tree_RB_GETPARENT(right) == e);
	if (tree_RB_GETCOLOR(e) == RB_RED)
		CHECK(tree_RB_GETCOLOR(left) == RB_BLACK && tree_RB_GETCOLOR(right) == RB_BLACK);
	below = blacks(left);
	CHECK(below == blacks(right));
	return below + (tree_RB_GETCOLOR(e) == RB_BLACK);
}

static void
walk_trees(struct tree *t, struct splay *s, int count)
{
	struct element *e;
	int seen = 0, last = -1;

	CHECK(RB_EMPTY(t) || tree_RB_GETPARENT(RB_ROOT(t)) == NULL);
	blacks(RB_ROOT(t));
	RB_FOREACH(e, tree, t) {
		CHECK(e->in && e->key > last);
		last = e->key;
		seen++;
	}
	CHECK(seen == count && (count == 0 || RB_MAX(tree, t)->key == last));
	for (e = RB_MAX(tree, t); e != NULL; e = RB_PREV(tree, t, e), seen--) {
		CHECK(e->key <= last);
		last = e->key;
	}
	CHECK(seen == 0);
	SPLAY_FOREACH(e, splay, s) {
		CHECK(e->in && e->key >= last);
		last = e->key;
		seen++;
	}
	CHECK(seen == count && SPLAY_MAX(splay, s) == RB_MAX(tree, t));
}

static void
try_trees(void)
{
	struct tree t = RB_INITIALIZER(&t);
	struct splay s = SPLAY_INITIALIZER(&s);
	struct element *e, *next, same;
	int i, count = 0;

	for (i = 0; i < ELEMENTS; i++)
		elements[i].key = 2 * i;
	for (i = 0; i < ROUNDS && !wrong; i++) {
		e = &elements[random() % ELEMENTS];
		same.key = e->key;
		if (e->in) {
			CHECK(RB_FIND(tree, &t, &same) == e && RB_INSERT(tree, &t, &same) == e);
			CHECK(SPLAY_FIND(splay, &s, &same) == e && SPLAY_INSERT(splay, &s, &same) == e);
			CHECK(RB_REMOVE(tree, &t, e) == e && SPLAY_REMOVE(splay, &s, e) == e);
		} else {
			CHECK(RB_FIND(tree, &t, &same) == NULL && SPLAY_FIND(splay, &s, &same) == NULL);
			CHECK(SPLAY_REMOVE(splay, &s, &same) == NULL);
			CHECK(RB_INSERT(tree, &t, e) == NULL && SPLAY_INSERT(splay, &s, e) == NULL);
		}
		e->in = !e->in;
		count += e->in ? 1 : -1;
		if (i % 16 == 0)
			walk_trees(&t, &s, count);
	}
	RB_FOREACH_SAFE(e, tree, &t, next)
		RB_REMOVE(tree, &t, e);
	CHECK(RB_EMPTY(&t));
}

/* The keys in order, each in one digit. */
static int
entered(queue_t q)
{
	struct element *e;
	int keys = 0;

	queue_iterate(q, e, struct element *, chain)
		keys = keys * 10 + e->key;
	return keys;
}

static void
try_entered(struct element *e)
{
	queue_head_t q, other;
	struct element *out;

	queue_init(&q);
	CHECK(queue_empty(&q) && entered(&q) == 0);
	queue_enter(&q, &e[2], struct element *, chain);
	queue_enter(&q, &e[3], struct element *, chain);
	queue_enter_first(&q, &e[1], struct element *, chain);
	CHECK(entered(&q) == 123);
	queue_insert_before(&q, &e[4], &e[2], struct element *, chain);
	queue_insert_after(&q, &e[5], &e[3], struct element *, chain);
	queue_insert_before(&q, &e[6], &q, struct element *, chain);
	CHECK(entered(&q) == 142356);
	queue_remove(&q, &e[2], struct element *, chain);
	queue_remove_first(&q, out, struct element *, chain);
	CHECK(out == &e[1]);
	queue_remove_last(&q, out, struct element *, chain);
	CHECK(out == &e[6] && entered(&q) == 435);
	queue_new_head(&q, &other, struct element *, chain);
	CHECK(entered(&other) == 435);
	queue_remove(&other, &e[4], struct element *, chain);
	queue_remove(&other, &e[5], struct element *, chain);
	queue_remove(&other, &e[3], struct element *, chain);
	CHECK(queue_empty(&other));
}

static void
try_linked(struct element *e)
{
	queue_head_t q = QUEUE_HEAD_INITIALIZER(q);
	struct element *at;
	queue_entry_t link;
	int keys = 0;

	CHECK(dequeue(&q) == NULL && dequeue_tail(&q) == NULL);
	CHECK(qe_dequeue_head(&q, struct element, chain) == NULL);
	enqueue(&q, &e[2].chain);
	enqueue_head(&q, &e[1].chain);
	insque(&e[3].chain, &e[2].chain);
	enqueue_tail(&q, &e[4].chain);
	qe_foreach_element(at, &q, chain)
		keys = keys * 10 + at->key;
	qe_foreach_element_safe(at, &q, chain) {
		keys = keys * 10 + at->key;
		if (at->key % 2 == 0)
			remqueue(&at->chain);
	}
	CHECK(keys == 12341234);
	CHECK(qe_queue_first(&q, struct element, chain) == &e[1]);
	CHECK(qe_queue_next(&q, &e[1], struct element, chain) == &e[3]);
	CHECK(qe_queue_next(&q, &e[3], struct element, chain) == NULL);
	qe_foreach_safe(link, &q)
		remque(link);
	CHECK(queue_empty(&q));
}

static void
try_arithmetic(void)
{
	uint32_t n;
	uint8_t byte = 255;

	CHECK(os_add_overflow(UINT32_MAX, 1u, &n) && n == 0);
	CHECK(!os_sub_overflow(5u, 5u, &n) && n == 0 && os_sub_overflow(5u, 6u, &n));
	CHECK(os_mul_overflow(65536u, 65536u, &n) && os_convert_overflow(256, &byte));
	CHECK(!os_add3_overflow(1u, 2u, 3u, &n) && n == 6);
	CHECK(os_mul_and_add_overflow(65536u, 65535u, 65536u, &n));
	CHECK(!os_add_and_mul_overflow(1u, 2u, 4u, &n) && n == 12);
	byte = 255;
	CHECK(os_inc_overflow(&byte) && os_dec_overflow(&byte) && byte == 255);
}

kern_return_t
structures_start(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	try_trees();
	for (int i = 0; i < 10; i++)
		elements[i].key = i;
	try_entered(elements);
	try_linked(elements);
	try_arithmetic();
	return wrong ? KERN_FAILURE : KERN_SUCCESS;
}

kern_return_t
structures_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	return KERN_SUCCESS;
}
