/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pickle - the machine: a stack, its marks, a memo, and the memory of all values
 *
 * Values are shared through the memo, so what is on the stack may be a graph. Two rules
 * keep it harmless: a container that was fetched from the memo takes nothing more, so
 * there are no cycles; and a container weighs as much as all below it, each time it is
 * there, so a walk over the result takes no longer than the limit allows.
 */

#include "base/pickle_private.h"

#include <errno.h>

#define CHUNK_BYTES 16384

int pickle_bad(struct reader *r, const char *why)
{
	return err_set(r->error, -EBADMSG, "%s", why);
}

int pickle_too_big(struct reader *r, const char *why)
{
	return err_set(r->error, -E2BIG, "%s", why);
}

int pickle_no_memory(struct reader *r)
{
	return err_set(r->error, -ENOMEM, "out of memory");
}

/* --- memory --------------------------------------------------------------------------
 */

void *pickle_take_bytes(struct pickle *p, size_t n)
{
	struct chunk *c = p->chunks;

	n = (n + alignof(max_align_t) - 1) / alignof(max_align_t) *
	    alignof(max_align_t);
	if (!c || c->size - c->used < n) {
		size_t size = n > CHUNK_BYTES ? n : CHUNK_BYTES;

		c = malloc(sizeof(*c) + size);
		if (!c)
			return NULL;
		*c = (struct chunk){.next = p->chunks, .size = size};
		p->chunks = c;
	}
	c->used += n;
	return c->bytes + (c->used - n);
}

int pickle_cells_push(struct reader *r, struct cells *s, struct cell *c)
{
	if (s->n >= r->max_items)
		return pickle_too_big(r, "the pickle holds too many values");
	if (s->n == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		struct cell **at = realloc(s->at, room * sizeof(struct cell *));

		if (!at)
			return pickle_no_memory(r);
		s->at = at;
		s->room = room;
	}
	s->at[s->n++] = c;
	return 0;
}

int pickle_push_new(struct reader *r, struct pickle_value v, struct cell **out)
{
	struct cell *c;

	if (r->n_made++ >= r->max_items)
		return pickle_too_big(r, "the pickle holds too many values");
	c = pickle_take_bytes(r->out, sizeof(*c));
	if (!c)
		return pickle_no_memory(r);
	*c = (struct cell){.v = v, .weight = 1};
	if (out)
		*out = c;
	return pickle_cells_push(r, &r->stack, c);
}

int pickle_push_value(struct reader *r, struct pickle_value v)
{
	return pickle_push_new(r, v, NULL);
}

/* --- the input -----------------------------------------------------------------------
 */

const uint8_t *pickle_cut(struct reader *r, uint64_t n)
{
	const uint8_t *p = r->p;

	if (n > (uint64_t)(r->end - r->p))
		return NULL;
	r->p += n;
	return p;
}

/* A little-endian number of @n_bytes (at most 8). */
int pickle_read_number(struct reader *r, unsigned int n_bytes, uint64_t *out)
{
	const uint8_t *p = pickle_cut(r, n_bytes);
	uint64_t v = 0;

	if (!p)
		return pickle_bad(r, "the pickle ends too early");
	for (unsigned int i = n_bytes; i-- > 0;)
		v = v << 8 | p[i];
	*out = v;
	return 0;
}

/* --- the stack -----------------------------------------------------------------------
 */

/* What lies above the last mark, or above the whole stack's ground if there is none. */
size_t pickle_ground(const struct reader *r)
{
	return r->n_marks ? r->marks[r->n_marks - 1] : 0;
}

static struct cell *top(struct reader *r)
{
	return r->stack.n > pickle_ground(r) ? r->stack.at[r->stack.n - 1] : NULL;
}

static int add_item(struct reader *r, struct cell *to, const struct cell *item)
{
	if (to->v.n == to->n_room) {
		size_t n_room = to->n_room ? to->n_room * 2 : 4;
		const struct pickle_value **room = pickle_take_bytes(
		    r->out, n_room * sizeof(const struct pickle_value *));

		if (!room)
			return pickle_no_memory(r);
		for (size_t i = 0; i < to->v.n; i++)
			room[i] = to->room[i];
		to->room = room;
		to->n_room = n_room;
		to->v.items = room;
	}
	if (item->depth + 1 > PICKLE_MAX_DEPTH)
		return pickle_too_big(r, "the pickle is too deep");
	if (item->weight > r->max_items - to->weight)
		return pickle_too_big(r, "the pickle holds too many values");
	if (item->depth + 1 > to->depth)
		to->depth = item->depth + 1;
	to->weight += item->weight;
	to->room[to->v.n++] = &item->v;
	return 0;
}

/* Move what lies from @from to the top of the stack into @to. */
static int move_items(struct reader *r, struct cell *to, size_t from)
{
	if (to->is_shared)
		return pickle_bad(r, "the pickle changes a value that it shares");
	if (to->v.kind == PICKLE_DICT && (r->stack.n - from) % 2)
		return pickle_bad(r, "a key without a value");
	for (size_t i = from; i < r->stack.n; i++) {
		int e = add_item(r, to, r->stack.at[i]);

		if (e < 0)
			return e;
	}
	r->stack.n = from;
	return 0;
}

static int make_of(struct reader *r, enum pickle_kind kind, size_t from)
{
	struct cell *c;
	int e = pickle_push_new(r, (struct pickle_value){.kind = kind}, &c);

	if (e < 0)
		return e;
	r->stack.n--;
	e = move_items(r, c, from);
	return e < 0 ? e : pickle_cells_push(r, &r->stack, c);
}

static int pop_mark(struct reader *r, size_t *out)
{
	if (!r->n_marks)
		return pickle_bad(r, "a list that never began");
	*out = r->marks[--r->n_marks];
	return 0;
}

int pickle_make_from_mark(struct reader *r, enum pickle_kind kind)
{
	size_t from = 0;
	int e = pop_mark(r, &from);

	return e < 0 ? e : make_of(r, kind, from);
}

int pickle_make_of_last(struct reader *r, enum pickle_kind kind, size_t n)
{
	if (r->stack.n - pickle_ground(r) < n)
		return pickle_bad(r, "a value is missing");
	return make_of(r, kind, r->stack.n - n);
}

/* The container that lies below the items; it must be of @kind. */
static int add_to(struct reader *r, enum pickle_kind kind, size_t from)
{
	if (from <= pickle_ground(r))
		return pickle_bad(r, "items without their list");
	struct cell *to = r->stack.at[from - 1];

	if (to->v.kind != kind)
		return pickle_bad(r, "items for what is no list");
	return move_items(r, to, from);
}

int pickle_add_from_mark(struct reader *r, enum pickle_kind kind)
{
	size_t from = 0;
	int e = pop_mark(r, &from);

	return e < 0 ? e : add_to(r, kind, from);
}

int pickle_add_last(struct reader *r, enum pickle_kind kind, size_t n)
{
	if (r->stack.n - pickle_ground(r) < n)
		return pickle_bad(r, "a value is missing");
	return add_to(r, kind, r->stack.n - n);
}

/* --- the memo ------------------------------------------------------------------------
 */

int pickle_memo_put(struct reader *r, uint64_t at)
{
	struct cell *c = top(r);

	if (!c)
		return pickle_bad(r, "nothing to remember");
	if (at > r->memo.n)
		return pickle_bad(r, "the memo is not filled in order");
	if (at == r->memo.n)
		return pickle_cells_push(r, &r->memo, c);
	r->memo.at[at] = c;
	return 0;
}

int pickle_memo_get(struct reader *r, unsigned int n_bytes)
{
	uint64_t at = 0;
	int e = pickle_read_number(r, n_bytes, &at);

	if (e < 0)
		return e;
	if (at >= r->memo.n)
		return pickle_bad(r, "the memo has no such entry");
	r->memo.at[at]->is_shared = true;
	return pickle_cells_push(r, &r->stack, r->memo.at[at]);
}

/* --- for callers ---------------------------------------------------------------------
 */

int pickle_read(struct span bytes, enum pickle_mode mode, size_t max_items,
    struct pickle **out, struct err *error)
{
	CLEANUP(pickle_freep) struct pickle *p = calloc(1, sizeof(*p));
	const void *from = bytes.n ? bytes.p : "";
	struct reader r = {.p = from,
	    .end = (const uint8_t *)from + bytes.n,
	    .mode = mode,
	    .max_items = max_items,
	    .out = p,
	    .error = error};
	int e;

	if (!p)
		return pickle_no_memory(&r);
	e = pickle_run_all(&r);
	free(r.stack.at);
	free(r.memo.at);
	if (e < 0)
		return e;
	*out = TAKE(p);
	return 0;
}

struct pickle *pickle_free(struct pickle *p)
{
	if (!p)
		return NULL;
	for (struct chunk *c = p->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(p);
	return NULL;
}

const struct pickle_value *pickle_root(const struct pickle *p)
{
	return p->root;
}

bool pickle_is_row(const struct pickle_value *v)
{
	return v->kind == PICKLE_LIST || v->kind == PICKLE_TUPLE;
}
