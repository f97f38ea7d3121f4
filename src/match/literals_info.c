/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * literals_info - concatenation, alternation and repetition
 *
 * With a cut anywhere a pick is only good when one cut cannot spoil all of it. Two
 * pieces that follow each other have no byte in common: literals of both together are
 * such a pick.
 */

#include "match/literals_info.h"

#define COPIES_MAX 8 /* of x{n} */

static void set_one_empty(struct literals_texts *t)
{
	t->n = 1;
	t->items[0].n = 0;
	t->items[0].is_nocase = false;
}

void literals_info_set_empty(struct literals_info *x)
{
	x->is_exact = true;
	set_one_empty(&x->prefix);
	x->whole.n = x->halved.n = 0;
}

void literals_info_set_any(struct literals_info *x)
{
	literals_info_set_empty(x);
	x->is_exact = false;
	set_one_empty(&x->suffix);
}

void literals_info_set_char(struct literals_info *x, char c, bool is_nocase)
{
	literals_info_set_empty(x);
	x->prefix.items[0] = literals_text_of(c, is_nocase);
}

void literals_info_copy(struct literals_info *to, const struct literals_info *from)
{
	to->is_exact = from->is_exact;
	literals_texts_copy(&to->prefix, &from->prefix);
	if (!from->is_exact)
		literals_texts_copy(&to->suffix, &from->suffix);
	literals_pick_copy(&to->whole, &from->whole);
	literals_pick_copy(&to->halved, &from->halved);
}

static const struct literals_texts *ending(const struct literals_info *x)
{
	return x->is_exact ? &x->prefix : &x->suffix;
}

static void consider(
    struct literals_info *x, const struct literals_texts *t, struct literals_way *way)
{
	if (way->is_in_option)
		return;
	literals_pick_texts(
	    t, way->cut == LITERALS_CUT_WORDS, false, &way->fuel, &x->whole);
	if (way->cut == LITERALS_CUT_ANY)
		literals_pick_texts(t, false, true, &way->fuel, &x->halved);
}

void literals_info_settle(struct literals_info *x, struct literals_way *way)
{
	consider(x, &x->prefix, way);
	if (!x->is_exact)
		consider(x, &x->suffix, way);
}

bool literals_info_is_joinable(
    const struct literals_info *a, const struct literals_info *b)
{
	struct literals_texts unused;

	return a->is_exact && b->is_exact &&
	       literals_texts_join(&a->prefix, &b->prefix, LITERALS_JOIN_ALL, &unused);
}

/* Literals of either, and with a cut anywhere of both together. */
static void concat_picks(
    struct literals_info *a, const struct literals_info *b, enum literals_cut cut)
{
	if (cut == LITERALS_CUT_ANY) {
		struct literals_pick both;

		literals_pick_copy(&both, &a->whole);
		literals_pick_union(&both, &b->whole);
		literals_pick_better(&a->halved, &b->halved);
		literals_pick_better(&a->halved, &both);
	}
	literals_pick_better(&a->whole, &b->whole);
}

/* @a or @b is not exact, or both together are too much. */
static void concat_texts(struct literals_info *a, const struct literals_info *b)
{
	struct literals_texts joined;

	/* The end comes first: it may be made from the prefix of an exact a. */
	if (!b->is_exact)
		literals_texts_copy(&joined, &b->suffix);
	else if (!literals_texts_join(
		     ending(a), &b->prefix, LITERALS_JOIN_TAIL, &joined))
		literals_texts_copy(&joined, &b->prefix);
	literals_texts_copy(&a->suffix, &joined);
	if (a->is_exact &&
	    literals_texts_join(&a->prefix, &b->prefix, LITERALS_JOIN_HEAD, &joined))
		literals_texts_copy(&a->prefix, &joined);
	a->is_exact = false;
}

void literals_info_concat(
    struct literals_info *a, struct literals_info *b, struct literals_way *way)
{
	struct literals_texts joined;

	/* Where alternatives multiply, what they have in common may be lost. */
	if (a->is_exact && b->is_exact && b->prefix.n > 1)
		literals_info_settle(a, way);
	if (a->is_exact && b->is_exact &&
	    literals_texts_join(&a->prefix, &b->prefix, LITERALS_JOIN_ALL, &joined)) {
		concat_picks(a, b, way->cut);
		literals_texts_copy(&a->prefix, &joined);
		return;
	}
	literals_info_settle(a, way);
	literals_info_settle(b, way);
	concat_picks(a, b, way->cut);
	if (literals_texts_join(ending(a), &b->prefix, LITERALS_JOIN_AROUND, &joined))
		consider(a, &joined, way);
	concat_texts(a, b);
}

static bool texts_unite(struct literals_texts *a, const struct literals_texts *b)
{
	for (size_t i = 0; i < b->n; i++) {
		if (!literals_texts_add(a, &b->items[i])) {
			set_one_empty(a);
			return false;
		}
	}
	return true;
}

void literals_info_alternate(
    struct literals_info *a, struct literals_info *b, struct literals_way *way)
{
	struct literals_texts suffix;

	literals_texts_copy(&suffix, ending(a));
	literals_info_settle(a, way);
	literals_info_settle(b, way);
	literals_pick_union(&a->whole, &b->whole);
	literals_pick_union(&a->halved, &b->halved);
	(void)texts_unite(&suffix, ending(b));
	a->is_exact = texts_unite(&a->prefix, &b->prefix) && a->is_exact && b->is_exact;
	literals_texts_copy(&a->suffix, &suffix);
}

static void make_optional(struct literals_info *x)
{
	struct literals_text none = {.n = 0};

	if (!x->is_exact || !literals_texts_add(&x->prefix, &none))
		literals_info_set_any(x);
	x->whole.n = x->halved.n = 0;
}

static void make_inexact(struct literals_info *x)
{
	if (x->is_exact)
		literals_texts_copy(&x->suffix, &x->prefix);
	x->is_exact = false;
}

void literals_info_repeat(
    struct literals_info *x, size_t min, size_t max, struct literals_way *way)
{
	bool is_small = x->is_exact && x->prefix.n == 1;

	if (max == 0) {
		literals_info_set_empty(x);
	} else if (min == 0 && max == 1) {
		make_optional(x);
	} else if (min == 0) {
		literals_info_set_any(x);
	} else if (max > 1) {
		struct literals_info one;

		literals_info_copy(&one, x);
		for (size_t i = 1; is_small && i < min && i < COPIES_MAX; i++)
			literals_info_concat(x, &one, way);
		if (!is_small || min != max || min > COPIES_MAX)
			make_inexact(x);
	}
}

void literals_info_look(struct literals_info *x, struct literals_way *way)
{
	literals_info_settle(x, way);
	x->is_exact = true;
	set_one_empty(&x->prefix);
	/* What is looked at is no piece of its own: other literals may lie in it. */
	if (way->cut == LITERALS_CUT_ANY)
		x->whole.n = 0;
}
