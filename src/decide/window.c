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

/* Make one of the two neighbours that are nearest to each other. */
static void merge_nearest(struct window *w)
{
	size_t best = 0;
	int64_t best_gap = INT64_MAX;
	struct window_item *i;

	for (size_t k = 0; k + 1 < w->n; k++) {
		int64_t gap = w->items[k + 1].at_us - w->items[k].at_us;

		if (gap < best_gap) {
			best_gap = gap;
			best = k;
		}
	}
	i = &w->items[best];
	i->weight = add_weights(i[0].weight, i[1].weight);
	i->rule = i[1].rule;
	if (best + 2 == w->n)
		i->at_us = i[1].at_us;
	memmove(&i[1], &i[2], (w->n - best - 2) * sizeof(*i));
	w->n--;
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

bool window_reaches(const struct window *w, int64_t at_us, int64_t findtime_us,
    int64_t need, struct window_part *out)
{
	int64_t sum_to[ENGINE_MAX_WINDOW + 2]; /* of the items before this one */
	size_t from = w->n, to = w->n;

	if (sum_of_failures(w) < need)
		return false;
	sum_to[0] = 0;
	for (size_t i = 0; i < w->n; i++)
		sum_to[i + 1] = sum_to[i] + w->items[i].weight;

	/* Windows that end with an item, from the latest; only those with the new one.
	 */
	for (size_t end = w->n; end-- > 0;) {
		int64_t end_us = w->items[end].at_us;

		if (end_us < at_us)
			break;
		if (end + 1 < w->n && w->items[end + 1].at_us != end_us)
			to = end + 1;
		while (from > 0 && w->items[from - 1].at_us >= end_us - findtime_us)
			from--;
		/* Good evidence is no failure: no window ends with it. */
		if (w->items[end].weight <= 0 || end_us - at_us > findtime_us)
			continue;
		if (sum_to[to] - sum_to[from] < need)
			continue;
		*out = (struct window_part){from, to, sum_to[to] - sum_to[from]};
		return true;
	}
	return false;
}

struct window_part window_latest(const struct window *w, int64_t findtime_us)
{
	struct window_part part = {.from = w->n, .to = w->n};

	while (part.from > 0 &&
	       w->items[part.from - 1].at_us >= w->items[w->n - 1].at_us - findtime_us)
		part.sum += w->items[--part.from].weight;
	return part;
}
