/*
 * Trees whose links lie in the elements: red-black (RB_) and splay (SPLAY_). `name` is the tree's tag,
 * `type` the elements' struct tag, `field` the member made by the _ENTRY macro, `cmp` a function of two
 * elements' pointers that gives less than, equal to or more than 0. Nothing here allocates or locks.
 *
 * _PROTOTYPE declares and _GENERATE defines the functions name##_RB_INSERT ... that the short macros call.
 *
 * An insertion gives NULL, or the element that is already there with the same key, and then does nothing.
 */
#ifndef _LIBKERN_TREE_H_
#define _LIBKERN_TREE_H_

#include <sys/cdefs.h>
#include <sys/_types/_null.h>
#include <sys/_types/_uintptr_t.h>

/* Red-black trees. The lowest bit of rbe_parent is the colour. */

#define RB_BLACK 0
#define RB_RED 1
#define RB_COLOR_MASK ((uintptr_t)1)
#define RB_NEGINF (-1)
#define RB_INF 1
#define RB_PLACEHOLDER NULL

#define RB_HEAD(name, type) \
	struct name { \
		struct type *rbh_root; \
	}
#define RB_INITIALIZER(root) { NULL }
#define RB_INIT(root) \
	do { \
		(root)->rbh_root = NULL; \
	} while (0)
#define RB_ENTRY(type) \
	struct { \
		struct type *rbe_left; \
		struct type *rbe_right; \
		struct type *rbe_parent; \
	}

#define RB_LEFT(elm, field) ((elm)->field.rbe_left)
#define RB_RIGHT(elm, field) ((elm)->field.rbe_right)
#define _RB_PARENT(elm, field) ((elm)->field.rbe_parent)
#define RB_ROOT(head) ((head)->rbh_root)
#define RB_EMPTY(head) (RB_ROOT(head) == NULL)

/* Called with an element whose subtree has changed. */
#ifndef RB_AUGMENT
#define RB_AUGMENT(x) (void)(x)
#endif

#define RB_PROTOTYPE(name, type, field, cmp) RB_PROTOTYPE_SC(, name, type, field, cmp)
#define RB_PROTOTYPE_PREV(name, type, field, cmp) RB_PROTOTYPE_SC_PREV(, name, type, field, cmp)
#define RB_PROTOTYPE_SC(_sc_, name, type, field, cmp) \
	_sc_ struct type *name##_RB_INSERT(struct name *, struct type *); \
	_sc_ struct type *name##_RB_REMOVE(struct name *, struct type *); \
	_sc_ struct type *name##_RB_FIND(struct name *, struct type *); \
	_sc_ struct type *name##_RB_NEXT(struct type *); \
	_sc_ struct type *name##_RB_MINMAX(struct name *, int); \
	_sc_ struct type *name##_RB_GETPARENT(struct type *); \
	_sc_ struct type *name##_RB_SETPARENT(struct type *, struct type *); \
	_sc_ int name##_RB_GETCOLOR(struct type *); \
	_sc_ void name##_RB_SETCOLOR(struct type *, int)
#define RB_PROTOTYPE_SC_PREV(_sc_, name, type, field, cmp) \
	RB_PROTOTYPE_SC(_sc_, name, type, field, cmp); \
	_sc_ struct type *name##_RB_PREV(struct type *)

#define RB_GENERATE(name, type, field, cmp) \
	_RB_GENERATE_LINKS(name, type, field) \
	_RB_GENERATE_INSERT(name, type, field, cmp) \
	_RB_GENERATE_REMOVE(name, type, field) \
	_RB_GENERATE_FIND(name, type, field, cmp) \
	_RB_GENERATE_STEP(name, type, field, NEXT, RB_LEFT, RB_RIGHT)
#define RB_GENERATE_PREV(name, type, field, cmp) \
	RB_GENERATE(name, type, field, cmp) \
	_RB_GENERATE_STEP(name, type, field, PREV, RB_RIGHT, RB_LEFT)

/* _RB_ROTATE lets an element change places with its right child (right), or its left one. */
#define _RB_GENERATE_LINKS(name, type, field) \
	struct type *name##_RB_GETPARENT(struct type *elm) \
	{ \
		return (struct type *)((uintptr_t)_RB_PARENT(elm, field) & ~RB_COLOR_MASK); \
	} \
	struct type *name##_RB_SETPARENT(struct type *elm, struct type *parent) \
	{ \
		return _RB_PARENT(elm, field) = (struct type *)((uintptr_t)parent | \
		    ((uintptr_t)_RB_PARENT(elm, field) & RB_COLOR_MASK)); \
	} \
	int name##_RB_GETCOLOR(struct type *elm) \
	{ \
		return elm != NULL && ((uintptr_t)_RB_PARENT(elm, field) & RB_COLOR_MASK) != 0 ? \
		    RB_RED : RB_BLACK; \
	} \
	void name##_RB_SETCOLOR(struct type *elm, int color) \
	{ \
		_RB_PARENT(elm, field) = (struct type *)(((uintptr_t)_RB_PARENT(elm, field) & \
		    ~RB_COLOR_MASK) | (uintptr_t)(color == RB_RED)); \
	} \
	static inline struct type **name##_RB_CHILD(struct type *elm, int right) \
	{ \
		return right ? &RB_RIGHT(elm, field) : &RB_LEFT(elm, field); \
	} \
	static inline void name##_RB_REPLACE(struct name *head, struct type *parent, struct type *elm, \
	    struct type *by) \
	{ \
		if (parent == NULL) \
			RB_ROOT(head) = by; \
		else \
			*name##_RB_CHILD(parent, RB_RIGHT(parent, field) == elm) = by; \
		if (by != NULL) \
			name##_RB_SETPARENT(by, parent); \
		if (parent != NULL) \
			RB_AUGMENT(parent); \
	} \
	static inline void name##_RB_ROTATE(struct name *head, struct type *elm, int right) \
	{ \
		struct type *up = *name##_RB_CHILD(elm, right), *mid = *name##_RB_CHILD(up, !right); \
		*name##_RB_CHILD(elm, right) = mid; \
		if (mid != NULL) \
			name##_RB_SETPARENT(mid, elm); \
		RB_AUGMENT(elm); \
		name##_RB_REPLACE(head, name##_RB_GETPARENT(elm), elm, up); \
		*name##_RB_CHILD(up, !right) = elm; \
		name##_RB_SETPARENT(elm, up); \
		RB_AUGMENT(up); \
	}

/* Two reds in a row: recolour where the uncle is red as well and go up, else rotate and be done. */
#define _RB_GENERATE_INSERT(name, type, field, cmp) \
	static inline void name##_RB_INSERT_COLOR(struct name *head, struct type *elm) \
	{ \
		struct type *parent, *grand, *uncle; \
		while ((parent = name##_RB_GETPARENT(elm)) != NULL && \
		    name##_RB_GETCOLOR(parent) == RB_RED) { \
			grand = name##_RB_GETPARENT(parent); \
			int right = RB_RIGHT(grand, field) == parent; \
			uncle = *name##_RB_CHILD(grand, !right); \
			name##_RB_SETCOLOR(grand, RB_RED); \
			if (name##_RB_GETCOLOR(uncle) == RB_RED) { \
				name##_RB_SETCOLOR(parent, RB_BLACK); \
				name##_RB_SETCOLOR(uncle, RB_BLACK); \
				elm = grand; \
				continue; \
			} \
			if (*name##_RB_CHILD(parent, !right) == elm) { \
				name##_RB_ROTATE(head, parent, !right); \
				parent = elm; \
			} \
			name##_RB_SETCOLOR(parent, RB_BLACK); \
			name##_RB_ROTATE(head, grand, right); \
			break; \
		} \
		name##_RB_SETCOLOR(RB_ROOT(head), RB_BLACK); \
	} \
	struct type *name##_RB_INSERT(struct name *head, struct type *elm) \
	{ \
		struct type *parent = NULL, **link = &RB_ROOT(head); \
		while (*link != NULL) { \
			parent = *link; \
			int order = (cmp)(elm, parent); \
			if (order == 0) \
				return parent; \
			link = name##_RB_CHILD(parent, order > 0); \
		} \
		RB_LEFT(elm, field) = RB_RIGHT(elm, field) = NULL; \
		_RB_PARENT(elm, field) = NULL; \
		name##_RB_SETPARENT(elm, parent); \
		name##_RB_SETCOLOR(elm, RB_RED); \
		*link = elm; \
		if (parent != NULL) \
			RB_AUGMENT(parent); \
		name##_RB_INSERT_COLOR(head, elm); \
		return NULL; \
	}

/*
 * `elm`, a child of `parent`, has one black too few above its leaves: take one from its sibling's side, or go
 * up. An element with two children is replaced by its successor, which takes its colour.
 */
#define _RB_GENERATE_REMOVE(name, type, field) \
	static inline void name##_RB_REMOVE_COLOR(struct name *head, struct type *parent, \
	    struct type *elm) \
	{ \
		while (elm != RB_ROOT(head) && name##_RB_GETCOLOR(elm) == RB_BLACK) { \
			int right = RB_RIGHT(parent, field) == elm; \
			struct type *other = *name##_RB_CHILD(parent, !right); \
			if (name##_RB_GETCOLOR(other) == RB_RED) { \
				name##_RB_SETCOLOR(other, RB_BLACK); \
				name##_RB_SETCOLOR(parent, RB_RED); \
				name##_RB_ROTATE(head, parent, !right); \
				other = *name##_RB_CHILD(parent, !right); \
			} \
			if (name##_RB_GETCOLOR(RB_LEFT(other, field)) == RB_BLACK && \
			    name##_RB_GETCOLOR(RB_RIGHT(other, field)) == RB_BLACK) { \
				name##_RB_SETCOLOR(other, RB_RED); \
				elm = parent; \
				parent = name##_RB_GETPARENT(elm); \
				continue; \
			} \
			if (name##_RB_GETCOLOR(*name##_RB_CHILD(other, !right)) == RB_BLACK) { \
				name##_RB_SETCOLOR(*name##_RB_CHILD(other, right), RB_BLACK); \
				name##_RB_SETCOLOR(other, RB_RED); \
				name##_RB_ROTATE(head, other, right); \
				other = *name##_RB_CHILD(parent, !right); \
			} \
			name##_RB_SETCOLOR(other, name##_RB_GETCOLOR(parent)); \
			name##_RB_SETCOLOR(parent, RB_BLACK); \
			name##_RB_SETCOLOR(*name##_RB_CHILD(other, !right), RB_BLACK); \
			name##_RB_ROTATE(head, parent, !right); \
			elm = RB_ROOT(head); \
		} \
		if (elm != NULL) \
			name##_RB_SETCOLOR(elm, RB_BLACK); \
	} \
	struct type *name##_RB_REMOVE(struct name *head, struct type *elm) \
	{ \
		struct type *child, *parent, *by; \
		int color; \
		if (RB_LEFT(elm, field) == NULL || RB_RIGHT(elm, field) == NULL) { \
			child = RB_LEFT(elm, field) != NULL ? RB_LEFT(elm, field) : RB_RIGHT(elm, field); \
			parent = name##_RB_GETPARENT(elm); \
			color = name##_RB_GETCOLOR(elm); \
			name##_RB_REPLACE(head, parent, elm, child); \
		} else { \
			for (by = RB_RIGHT(elm, field); RB_LEFT(by, field) != NULL;) \
				by = RB_LEFT(by, field); \
			child = RB_RIGHT(by, field); \
			parent = name##_RB_GETPARENT(by); \
			color = name##_RB_GETCOLOR(by); \
			name##_RB_REPLACE(head, parent, by, child); \
			if (parent == elm) \
				parent = by; \
			by->field = elm->field; \
			name##_RB_REPLACE(head, name##_RB_GETPARENT(elm), elm, by); \
			name##_RB_SETPARENT(RB_LEFT(by, field), by); \
			if (RB_RIGHT(by, field) != NULL) \
				name##_RB_SETPARENT(RB_RIGHT(by, field), by); \
			for (struct type *up = parent; up != NULL; up = name##_RB_GETPARENT(up)) \
				RB_AUGMENT(up); \
		} \
		if (color == RB_BLACK) \
			name##_RB_REMOVE_COLOR(head, parent, child); \
		return elm; \
	}

#define _RB_GENERATE_FIND(name, type, field, cmp) \
	struct type *name##_RB_FIND(struct name *head, struct type *elm) \
	{ \
		struct type *at = RB_ROOT(head); \
		while (at != NULL) { \
			int order = (cmp)(elm, at); \
			if (order == 0) \
				break; \
			at = *name##_RB_CHILD(at, order > 0); \
		} \
		return at; \
	} \
	struct type *name##_RB_MINMAX(struct name *head, int which) \
	{ \
		struct type *at = RB_ROOT(head), *last = NULL; \
		while (at != NULL) { \
			last = at; \
			at = *name##_RB_CHILD(at, which >= 0); \
		} \
		return last; \
	}

#define _RB_GENERATE_STEP(name, type, field, which, near, far) \
	struct type *name##_RB_##which(struct type *elm) \
	{ \
		struct type *from; \
		if (far(elm, field) != NULL) { \
			for (elm = far(elm, field); near(elm, field) != NULL;) \
				elm = near(elm, field); \
			return elm; \
		} \
		do { \
			from = elm; \
			elm = name##_RB_GETPARENT(elm); \
		} while (elm != NULL && far(elm, field) == from); \
		return elm; \
	}

#define RB_INSERT(name, x, y) name##_RB_INSERT(x, y)
#define RB_REMOVE(name, x, y) name##_RB_REMOVE(x, y)
#define RB_FIND(name, x, y) name##_RB_FIND(x, y)
#define RB_NEXT(name, x, y) name##_RB_NEXT(y)
#define RB_PREV(name, x, y) name##_RB_PREV(y)
#define RB_MIN(name, x) name##_RB_MINMAX(x, RB_NEGINF)
#define RB_MAX(name, x) name##_RB_MINMAX(x, RB_INF)

#define RB_FOREACH(x, name, head) \
	for ((x) = RB_MIN(name, head); (x) != NULL; (x) = name##_RB_NEXT(x))
#define RB_FOREACH_FROM(x, name, y) \
	for ((x) = (y); (x) != NULL && ((y) = name##_RB_NEXT(x), 1); (x) = (y))
#define RB_FOREACH_REVERSE_FROM(x, name, y) \
	for ((x) = (y); (x) != NULL && ((y) = name##_RB_PREV(x), 1); (x) = (y))
#define RB_FOREACH_SAFE(x, name, head, y) \
	for ((x) = RB_MIN(name, head); (x) != NULL && ((y) = name##_RB_NEXT(x), 1); (x) = (y))

/* Splay trees: what is looked for comes to the root. */

#define SPLAY_NEGINF (-1)
#define SPLAY_INF 1

#define SPLAY_HEAD(name, type) \
	struct name { \
		struct type *sph_root; \
	}
#define SPLAY_INITIALIZER(root) { NULL }
#define SPLAY_INIT(root) \
	do { \
		(root)->sph_root = NULL; \
	} while (0)
#define SPLAY_ENTRY(type) \
	struct { \
		struct type *spe_left; \
		struct type *spe_right; \
	}
#define SPLAY_LEFT(elm, field) ((elm)->field.spe_left)
#define SPLAY_RIGHT(elm, field) ((elm)->field.spe_right)
#define SPLAY_ROOT(head) ((head)->sph_root)
#define SPLAY_EMPTY(head) (SPLAY_ROOT(head) == NULL)

/*
 * _SPLAY_TURN brings the root's nearest element on the side of `order` up: `low` and `high` are where the
 * elements below and above the path go. `elm` NULL: the end of the tree on the side of `end`.
 */
#define SPLAY_PROTOTYPE(name, type, field, cmp) \
	static inline struct type **name##_SPLAY_CHILD(struct type *elm, int right) \
	{ \
		return right ? &SPLAY_RIGHT(elm, field) : &SPLAY_LEFT(elm, field); \
	} \
	static inline int name##_SPLAY_ORDER(struct type *elm, int end, struct type *at) \
	{ \
		return elm != NULL ? (cmp)(elm, at) : end; \
	} \
	static inline void name##_SPLAY_TURN(struct name *head, struct type *elm, int end) \
	{ \
		struct type *root = SPLAY_ROOT(head), *next, *low = NULL, *high = NULL; \
		struct type **low_end = &low, **high_end = &high; \
		int order; \
		while (root != NULL && (order = name##_SPLAY_ORDER(elm, end, root)) != 0) { \
			int right = order > 0; \
			if ((next = *name##_SPLAY_CHILD(root, right)) == NULL) \
				break; \
			order = name##_SPLAY_ORDER(elm, end, next); \
			if (order != 0 && (order > 0) == right) { \
				*name##_SPLAY_CHILD(root, right) = *name##_SPLAY_CHILD(next, !right); \
				*name##_SPLAY_CHILD(next, !right) = root; \
				root = next; \
				if ((next = *name##_SPLAY_CHILD(root, right)) == NULL) \
					break; \
			} \
			if (right) { \
				*low_end = root; \
				low_end = &SPLAY_RIGHT(root, field); \
			} else { \
				*high_end = root; \
				high_end = &SPLAY_LEFT(root, field); \
			} \
			root = next; \
		} \
		if (root == NULL) \
			return; \
		*low_end = SPLAY_LEFT(root, field); \
		*high_end = SPLAY_RIGHT(root, field); \
		SPLAY_LEFT(root, field) = low; \
		SPLAY_RIGHT(root, field) = high; \
		SPLAY_ROOT(head) = root; \
	} \
	void name##_SPLAY(struct name *, struct type *); \
	void name##_SPLAY_MINMAX(struct name *, int); \
	struct type *name##_SPLAY_INSERT(struct name *, struct type *); \
	struct type *name##_SPLAY_REMOVE(struct name *, struct type *); \
	static inline __unused struct type *name##_SPLAY_FIND(struct name *head, struct type *elm) \
	{ \
		if (SPLAY_EMPTY(head)) \
			return NULL; \
		name##_SPLAY(head, elm); \
		return (cmp)(elm, SPLAY_ROOT(head)) == 0 ? SPLAY_ROOT(head) : NULL; \
	} \
	static inline __unused struct type *name##_SPLAY_NEXT(struct name *head, struct type *elm) \
	{ \
		name##_SPLAY(head, elm); \
		elm = SPLAY_RIGHT(elm, field); \
		while (elm != NULL && SPLAY_LEFT(elm, field) != NULL) \
			elm = SPLAY_LEFT(elm, field); \
		return elm; \
	} \
	static inline __unused struct type *name##_SPLAY_MIN_MAX(struct name *head, int which) \
	{ \
		name##_SPLAY_MINMAX(head, which); \
		return SPLAY_ROOT(head); \
	}

#define SPLAY_GENERATE(name, type, field, cmp) \
	void name##_SPLAY(struct name *head, struct type *elm) \
	{ \
		name##_SPLAY_TURN(head, elm, 0); \
	} \
	void name##_SPLAY_MINMAX(struct name *head, int which) \
	{ \
		name##_SPLAY_TURN(head, NULL, which); \
	} \
	struct type *name##_SPLAY_INSERT(struct name *head, struct type *elm) \
	{ \
		struct type *root; \
		int order; \
		SPLAY_LEFT(elm, field) = SPLAY_RIGHT(elm, field) = NULL; \
		if (!SPLAY_EMPTY(head)) { \
			name##_SPLAY(head, elm); \
			root = SPLAY_ROOT(head); \
			if ((order = (cmp)(elm, root)) == 0) \
				return root; \
			*name##_SPLAY_CHILD(elm, order > 0) = *name##_SPLAY_CHILD(root, order > 0); \
			*name##_SPLAY_CHILD(root, order > 0) = NULL; \
			*name##_SPLAY_CHILD(elm, order < 0) = root; \
		} \
		SPLAY_ROOT(head) = elm; \
		return NULL; \
	} \
	struct type *name##_SPLAY_REMOVE(struct name *head, struct type *elm) \
	{ \
		struct type *right; \
		if (SPLAY_EMPTY(head)) \
			return NULL; \
		name##_SPLAY(head, elm); \
		if ((cmp)(elm, SPLAY_ROOT(head)) != 0) \
			return NULL; \
		right = SPLAY_RIGHT(SPLAY_ROOT(head), field); \
		if (SPLAY_LEFT(SPLAY_ROOT(head), field) == NULL) { \
			SPLAY_ROOT(head) = right; \
		} else { \
			SPLAY_ROOT(head) = SPLAY_LEFT(SPLAY_ROOT(head), field); \
			name##_SPLAY(head, elm); \
			SPLAY_RIGHT(SPLAY_ROOT(head), field) = right; \
		} \
		return elm; \
	}

#define SPLAY_INSERT(name, x, y) name##_SPLAY_INSERT(x, y)
#define SPLAY_REMOVE(name, x, y) name##_SPLAY_REMOVE(x, y)
#define SPLAY_FIND(name, x, y) name##_SPLAY_FIND(x, y)
#define SPLAY_NEXT(name, x, y) name##_SPLAY_NEXT(x, y)
#define SPLAY_MIN(name, x) (SPLAY_EMPTY(x) ? NULL : name##_SPLAY_MIN_MAX(x, SPLAY_NEGINF))
#define SPLAY_MAX(name, x) (SPLAY_EMPTY(x) ? NULL : name##_SPLAY_MIN_MAX(x, SPLAY_INF))
#define SPLAY_FOREACH(x, name, head) \
	for ((x) = SPLAY_MIN(name, head); (x) != NULL; (x) = SPLAY_NEXT(name, head, x))

#endif
