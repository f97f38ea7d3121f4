/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/backtest_hours.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_US (3600 * US_PER_SEC)

void backtest_hours_deinit(struct backtest_hours *h)
{
	free(h->rows);
	*h = (struct backtest_hours){0};
}

/* Make room for @n_before rows before the first, and for @n in all. */
static int grow(struct backtest_hours *h, size_t n_before, size_t n)
{
	struct backtest_hour *more = reallocarray(h->rows, n, sizeof(*more));

	if (!more)
		return -1;
	memmove(more + n_before, more, h->n * sizeof(*more));
	memset(more, 0, n_before * sizeof(*more));
	memset(more + n_before + h->n, 0, (n - n_before - h->n) * sizeof(*more));
	h->rows = more;
	h->n = n;
	h->first -= (int64_t)n_before;
	return 0;
}

struct backtest_hour *backtest_hours_at(struct backtest_hours *h, wall_t at)
{
	int64_t hour = at.us / HOUR_US - (at.us % HOUR_US < 0);
	int r = 0;

	if (!h->n)
		h->first = hour;
	int64_t i = hour - h->first;

	if (i <= (int64_t)h->n - BACKTEST_MAX_HOURS - 1 || i >= BACKTEST_MAX_HOURS) {
		h->n_beyond++;
		return NULL;
	}
	if (i < 0)
		r = grow(h, (size_t)-i, h->n + (size_t)-i);
	else if ((size_t)i >= h->n)
		r = grow(h, 0, (size_t)i + 1);
	return r < 0 ? NULL : &h->rows[hour - h->first];
}

uint64_t backtest_hours_row(
    const struct backtest_hours *h, size_t i, wall_t *out_at, uint64_t *io_active)
{
	const struct backtest_hour *row = &h->rows[i];
	uint64_t active = *io_active + row->begun;

	*out_at = (wall_t){(h->first + (int64_t)i) * HOUR_US};
	/* A ban that ended before the first row began before it, too. */
	*io_active = active > row->ended ? active - row->ended : 0;
	return active;
}
