/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * window - sums over sorted items
 */
#include "decide/window.h"

#include <string.h>

void window_insert(struct window *w, struct window_item i)
{
	size_t pos = w->n;

	while (pos > 0 && w->items[pos - 1].at_us > i.at_us)
		pos--;
	memmove(&w->items[pos + 1], &w->items[pos], (w->n - pos) * sizeof(w->items[0]));
	w->items[pos] = i;
	w->n++;
}

static bool is_soft(const struct window_item *i)
{
	return (i->rule & WINDOW_SOFT) != 0;
}

void window_rescale(struct window *w, uint16_t from, uint16_t to)
{
	for (size_t i = 0; i < w->n; i++) {
		int64_t before = w->items[i].weight, after = before * to / from;

		if (to == 1 && is_soft(&w->items[i]))
			before = after = 0;
		if (!after)
			after = (before > 0) - (before < 0);
		if (after > INT16_MAX)
			after = INT16_MAX;
		w->items[i].weight = (int16_t)(after < INT16_MIN ? INT16_MIN : after);
	}
}

static void drop_first(struct window *w, size_t n)
{
	w->n -= n;
	memmove(&w->items[0], &w->items[n], w->n * sizeof(w->items[0]));
}

void window_prune(struct window *w, int64_t from_us)
{
	size_t n = 0;

	while (n < w->n && w->items[n].at_us < from_us)
		n++;
	if (n > 0)
		drop_first(w, n);
}

static int16_t add_weights(int16_t a, int16_t b)
{
	int sum = a + b;

	if (sum > INT16_MAX)
		return INT16_MAX;
	return (int16_t)(sum < INT16_MIN ? INT16_MIN : sum);
}

/* Item @later goes into @earlier, its time too if it is the newest of all. */
static void merge(struct window *w, size_t earlier, size_t later)
{
	struct window_item *i = &w->items[earlier], *k = &w->items[later];

	k->weight = i->weight = add_weights(i->weight, k->weight);
	i->rule = k->rule;
	if (later + 1 == w->n) {
		later = earlier;
		k = i;
	}
	memmove(k, &k[1], (w->n - later - 1) * sizeof(*k));
	w->n--;
}

/* Soft and hard by turns in a very small window: a soft one goes, or the oldest. The
 * newest stays. */
static void drop_one(struct window *w)
{
	size_t k = 0;

	while (k + 1 < w->n && !is_soft(&w->items[k]))
		k++;
	if (k + 1 == w->n)
		k = 0;
	memmove(&w->items[k], &w->items[k + 1], (w->n - k - 1) * sizeof(w->items[0]));
	w->n--;
}

/* Make one of the two neighbours that are nearest to each other. */
static void merge_nearest(struct window *w)
{
	size_t best = 0;
	int64_t best_gap = INT64_MAX;

	for (size_t k = 0; k + 1 < w->n; k++) {
		int64_t gap = w->items[k + 1].at_us - w->items[k].at_us;

		if (gap < best_gap &&
		    is_soft(&w->items[k]) == is_soft(&w->items[k + 1])) {
			best_gap = gap;
			best = k;
		}
	}
	if (best_gap < INT64_MAX)
		merge(w, best, best + 1);
	else
		drop_one(w);
}

void window_soften(struct window *w, uint16_t rule, int n_parts)
{
	for (size_t i = 0; i < w->n; i++) {
		struct window_item *k = &w->items[i];
		int weight = k->weight / n_parts;

		if (k->rule != rule || k->weight <= 0)
			continue;
		k->weight = (int16_t)(weight > 0 ? weight : 1);
		k->rule |= WINDOW_SOFT;
	}
	for (size_t n = w->n; n > WINDOW_MAX_SOFT; n--)
		window_limit_soft(w);
}

void window_limit_soft(struct window *w)
{
	size_t n = 0, last = 0, best = 0, best_next = 0;
	int64_t best_gap = INT64_MAX;

	for (size_t k = 0; k < w->n; k++) {
		if (!is_soft(&w->items[k]))
			continue;
		if (n++ && w->items[k].at_us - w->items[last].at_us < best_gap) {
			best_gap = w->items[k].at_us - w->items[last].at_us;
			best = last;
			best_next = k;
		}
		last = k;
	}
	if (n > WINDOW_MAX_SOFT)
		merge(w, best, best_next);
}

void window_limit(struct window *w, size_t max, int64_t late_us)
{
	size_t n = 0;

	while (w->n - n > max && w->items[n].at_us < late_us)
		n++;
	if (n > 0)
		drop_first(w, n);
	while (w->n > max)
		merge_nearest(w);
}

/* No part of it has more. */
static int64_t sum_of_failures(const struct window *w)
{
	int64_t sum = 0;

	for (size_t i = 0; i < w->n; i++)
		sum += w->items[i].weight > 0 ? w->items[i].weight : 0;
	return sum;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Sums over the items before each one: all of them, or the soft ones apart. */
struct sums {
	int64_t hard[ENGINE_MAX_WINDOW + 2];
	int64_t soft[ENGINE_MAX_WINDOW + 2];
};

static inline __attribute__((always_inline)) void add_up(
    const struct window *w, bool has_soft, struct sums *s)
{
	s->hard[0] = 0;
	if (has_soft)
		s->soft[0] = 0;
	for (size_t i = 0; i < w->n; i++) {
		bool soft = has_soft && is_soft(&w->items[i]);
		int64_t weight = w->items[i].weight;

		s->hard[i + 1] = s->hard[i] + (soft ? 0 : weight);
		if (has_soft)
			s->soft[i + 1] = s->soft[i] + (soft ? weight : 0);
	}
}

/* Written once and compiled twice: plain jails do not pay for soft ones. */
static inline __attribute__((always_inline)) bool reaches(const struct window *w,
    int64_t at_us, int64_t findtime_us, int64_t need, bool has_soft, int64_t cap,
    struct window_part *out)
{
	struct sums s;
	size_t from = w->n, to = w->n;

	if (sum_of_failures(w) < need)
		return false;
	add_up(w, has_soft, &s);

	/* Windows that end with an item, from the latest; only those with the new one.
	 */
	for (size_t end = w->n; end-- > 0;) {
		int64_t end_us = w->items[end].at_us, sum, soft = 0;

		if (end_us < at_us)
			break;
		if (end + 1 < w->n && w->items[end + 1].at_us != end_us)
			to = end + 1;
		while (from > 0 && w->items[from - 1].at_us >= end_us - findtime_us)
			from--;
		/* Good evidence is no failure: no window ends with it. */
		if (w->items[end].weight <= 0 || end_us - at_us > findtime_us)
			continue;
		if (has_soft)
			soft = least(s.soft[to] - s.soft[from], cap);
		sum = s.hard[to] - s.hard[from] + soft;
		if (sum < need)
			continue;
		*out = (struct window_part){from, to, sum, soft};
		return true;
	}
	return false;
}

bool window_reaches(const struct window *w, int64_t at_us, int64_t findtime_us,
    int64_t need, struct window_part *out)
{
	return reaches(w, at_us, findtime_us, need, false, 0, out);
}

bool window_reaches_capped(const struct window *w, int64_t at_us, int64_t findtime_us,
    int64_t need, int64_t cap, struct window_part *out)
{
	return reaches(w, at_us, findtime_us, need, true, cap, out);
}

struct window_part window_latest_capped(
    const struct window *w, int64_t findtime_us, int64_t cap)
{
	struct window_part part = {.from = w->n, .to = w->n};

	while (part.from > 0 && w->items[part.from - 1].at_us >=
				    w->items[w->n - 1].at_us - findtime_us) {
		const struct window_item *i = &w->items[--part.from];

		*(is_soft(i) ? &part.soft : &part.sum) += i->weight;
	}
	part.soft = least(part.soft, cap);
	part.sum += part.soft;
	return part;
}

struct window_part window_latest(const struct window *w, int64_t findtime_us)
{
	return window_latest_capped(w, findtime_us, INT64_MAX);
}
