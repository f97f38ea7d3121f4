/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stamp_learn - choosing among templates
 *
 * The order of the tests is fail2ban's to the letter, because logs with several dates
 * in a line depend on it. One thing differs: whether a template has ever fitted is
 * counted per detector, not per process, so that one jail cannot change another's
 * dates.
 */

#include "match/stamp_learn.h"

#include <errno.h>

#define UNUSED_SEC 300 /* a template not used for so long gives its place up */
#define FAR INT32_MAX  /* no distance is larger */

int stamp_learn_init(struct stamp_learn *l)
{
	l->last = l->list.n;
	l->by_id = calloc(l->list.n + 1, sizeof(struct stamp_template *));
	if (!l->by_id)
		return -ENOMEM;
	for (size_t i = 0; i < l->list.n; i++) {
		l->list.all[i]->id = i;
		l->by_id[i] = l->list.all[i];
	}
	l->place.start =
	    1; /* a first date further right than this is not yet believed */
	l->match.groups = regex_match_new();
	l->reserve.groups = regex_match_new();
	return l->match.groups && l->reserve.groups ? 0 : -ENOMEM;
}

void stamp_learn_deinit(struct stamp_learn *l)
{
	stamp_list_deinit(&l->list);
	free(l->by_id);
	regex_match_free(l->match.groups);
	regex_match_free(l->reserve.groups);
}

/* The byte at @i, or -1 where there is none; -1 also for the index (size_t)-1. */
static int byte_at(struct span line, size_t i)
{
	return i < line.n ? (uint8_t)line.p[i] : -1;
}

/* Bytes of non-ASCII characters count as letters. */
static bool is_alnum(int c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       c >= 0x80;
}

/* Does @line look as the one before did, next to where its date was? */
static bool has_same_edges(const struct stamp_learn *l, struct span line)
{
	const struct stamp_place *p = &l->place;
	bool left = byte_at(line, p->start - 1) == p->before ||
		    (byte_at(line, p->start) == p->first && !is_alnum(p->first));
	bool right = byte_at(line, p->end) == p->after ||
		     (byte_at(line, p->end - 1) == p->final && !is_alnum(p->final));

	return left && right;
}

static void keep_reserve(struct stamp_learn *l)
{
	struct stamp_match swap = l->reserve;

	l->reserve = l->match;
	l->match = swap;
}

/* Does it fit? Whether it does is learnt with the rest. */
static bool fits(struct stamp_learn *l, const struct stamp_template *t, bool is_found)
{
	if (is_found)
		l->found.fitted[t->id / 64] |= UINT64_C(1) << t->id % 64;
	return is_found;
}

/* The search in progress: what to pass over, and the best match so far. */
struct search {
	struct stamp_subject *subject;
	size_t skip;    /* already tried on the whole line, or list.n */
	size_t reserve; /* index of the template of l->reserve, or list.n */
};

/* Return: true if the template used last gives the date; or a reserve is kept. */
static bool try_last(struct stamp_learn *l, struct search *s)
{
	struct stamp_template *t;
	bool is_found;

	if (l->last >= l->list.n)
		return false;
	t = l->list.all[l->last];
	if (!t->form->draft.is_anchored && has_same_edges(l, s->subject->line)) {
		is_found = stamp_template_find_in(
		    t, s->subject, l->place.start, l->place.end, &l->match);
	} else {
		is_found = stamp_template_find(t, s->subject, &l->match);
		s->skip = l->last;
	}
	if (!fits(l, t, is_found))
		return false;
	if (l->list.n == 1 || t->form->draft.is_anchored ||
	    (l->match.start == l->place.start && l->match.end == l->place.end))
		return true;
	keep_reserve(l);
	s->reserve = l->last;
	return false;
}

/* May the search end with template @i, whose match is in l->match? */
static bool is_final(const struct stamp_learn *l, size_t i)
{
	const struct stamp_template *t = l->list.all[i];

	if (i + 1 == l->list.n || t->form->draft.is_anchored)
		return true;
	if (l->match.start == 0 && t->n_hits > 0 && l->list.all[i + 1]->n_matches == 0)
		return true;
	return l->match.start <= t->distance && l->match.start <= l->place.start;
}

/* Return: the index of the template that gives the date, or list.n. */
static size_t try_all(struct stamp_learn *l, struct search *s)
{
	for (size_t i = 0; i < l->list.n; i++) {
		struct stamp_template *t = l->list.all[i];

		if (i == s->skip ||
		    !fits(l, t, stamp_template_find(t, s->subject, &l->match)))
			continue;
		if (is_final(l, i))
			return i;
		if (s->reserve == l->list.n || l->match.start < l->reserve.start) {
			keep_reserve(l);
			s->reserve = i;
		}
	}
	if (s->reserve < l->list.n)
		keep_reserve(l); /* swaps it back */
	return s->reserve;
}

double stamp_learn_weight(const struct stamp_template *t)
{
	size_t distance = t->distance > FAR ? FAR : t->distance;

	return (double)t->n_hits * t->factor / (double)(distance > 1 ? distance : 1);
}

static bool may_take_place(
    const struct stamp_template *t, const struct stamp_template *other)
{
	return stamp_learn_weight(t) > stamp_learn_weight(other) ||
	       t->used_sec - UNUSED_SEC > other->used_sec;
}

/* Move template @i up if it has earned it. Return: its new index. */
static size_t promote(struct stamp_learn *l, size_t i)
{
	struct stamp_template **all = l->list.all;
	struct stamp_template *t = all[i];
	size_t to = l->first_unused < i ? l->first_unused : i / 2;

	if (!may_take_place(t, all[to])) {
		if (to == i - 1 || !may_take_place(t, all[i - 1]))
			return i;
		to = i - 1;
	}
	memmove(&all[to + 1], &all[to], (i - to) * sizeof(*all));
	all[to] = t;
	while (l->first_unused < l->list.n && all[l->first_unused]->n_hits > 0)
		l->first_unused++;
	return to;
}

static size_t index_of(const struct stamp_learn *l, const struct stamp_template *t)
{
	size_t i = l->last < l->list.n && l->list.all[l->last] == t ? l->last : 0;

	while (l->list.all[i] != t)
		i++;
	return i;
}

HOT void stamp_learn_keep(
    struct stamp_learn *l, const struct stamp_found *f, wall_t now)
{
	size_t i = index_of(l, f->template);
	struct stamp_template *t = l->list.all[i];

	for (size_t k = 0; k < (l->list.n + 63) / 64; k++) {
		for (uint64_t left = f->fitted[k]; left; left &= left - 1)
			l->by_id[64 * k + (size_t)__builtin_ctzll(left)]->n_matches++;
	}
	t->n_hits++;
	t->used_sec = now.us / US_PER_SEC;
	t->distance = f->place.start;
	if (l->first_unused == i)
		l->first_unused++;
	l->place = f->place;
	l->last = i > 0 && i != l->last ? promote(l, i) : i;
}

static void note(struct stamp_learn *l, struct stamp_template *t, struct span line)
{
	l->found.template = t;
	l->found.place = (struct stamp_place){
	    .start = l->match.start,
	    .end = l->match.end,
	    .before = byte_at(line, l->match.start - 1),
	    .first = byte_at(line, l->match.start),
	    .final = byte_at(line, l->match.end - 1),
	    .after = byte_at(line, l->match.end),
	};
}

static void forget_fitted(struct stamp_learn *l)
{
	memset(l->found.fitted, 0, (l->list.n + 63) / 64 * sizeof(l->found.fitted[0]));
}

HOT struct stamp_template *stamp_learn_early(const struct stamp_learn *l, size_t i)
{
	bool is_new = l->last >= l->list.n;
	struct stamp_template *t;

	if (i >= (is_new ? l->list.n : 1))
		return NULL;
	t = l->list.all[is_new ? i : l->last];
	return t->form->draft.is_anchored && t->form->draft.hand != STAMP_BY_REGEX
		   ? t
		   : NULL;
}

HOT void stamp_learn_find_early(
    struct stamp_learn *l, struct stamp_template *t, const struct stamp_place *p)
{
	forget_fitted(l);
	(void)fits(l, t, true);
	l->found.template = t;
	l->found.place = *p;
}

struct stamp_template *stamp_learn_find(struct stamp_learn *l, struct stamp_subject *s)
{
	struct search search = {.subject = s, .skip = l->list.n, .reserve = l->list.n};
	size_t i;

	forget_fitted(l);
	i = try_last(l, &search) ? l->last : try_all(l, &search);
	if (i == l->list.n)
		return NULL;
	note(l, l->list.all[i], s->line);
	return l->list.all[i];
}
