/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "cli/client.h"
#include "cli/report.h"

#define HOUR_SEC 3600
#define MAX_BARS 1000 /* whatever the answer says: 80 years of months */
#define LAST_SEC INT64_C(253402300800)

/* Where the unit that holds @sec begins, @n units later; in local time. */
static int64_t begin(int64_t sec, enum report_unit unit, int n)
{
	time_t t = (time_t)sec;
	struct tm tm;

	if (unit == REPORT_HOURS) {
		/* Zones are off by quarters of an hour, the sums are not. */
		return sec - sec % HOUR_SEC + (int64_t)n * HOUR_SEC;
	}
	if (!localtime_r(&t, &tm))
		return sec + n;
	tm.tm_sec = tm.tm_min = tm.tm_hour = 0;
	tm.tm_isdst = -1;
	if (unit == REPORT_MONTHS) {
		tm.tm_mday = 1;
		tm.tm_mon += n;
	} else {
		tm.tm_mday += n;
	}
	return (int64_t)mktime(&tm);
}

static bool row_time(const json_t *row, int64_t *out)
{
	*out = client_number(row, "at");
	return *out > 0 && *out < LAST_SEC;
}

static size_t count_units(int64_t first, int64_t until, enum report_unit unit)
{
	size_t n = 0;

	for (int64_t t = begin(first, unit, 0); t <= until && n < MAX_BARS; n++)
		t = begin(t, unit, 1);
	return n ? n : 1;
}

/* The last bar that begins at or before @sec. */
static struct report_bar *find_bar(struct report_series *s, int64_t sec)
{
	size_t low = 0, high = s->n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (s->bars[mid].from.us <= sec * US_PER_SEC)
			low = mid;
		else
			high = mid;
	}
	return &s->bars[low];
}

static void fill(struct report_series *s, const json_t *hours)
{
	const json_t *row;
	int64_t sec;
	size_t i;

	json_array_foreach(hours, i, row)
	{
		if (!row_time(row, &sec))
			continue;
		struct report_bar *b = find_bar(s, sec);

		b->passed += client_number(row, "passed");
		b->stopped += client_number(row, "stopped");
		b->bans += client_number(row, "bans");
		if (client_number(row, "active") > b->active)
			b->active = client_number(row, "active");
	}
	s->max = s->max_active = 1;
	for (i = 0; i < s->n; i++) {
		if (s->bars[i].passed + s->bars[i].stopped > s->max)
			s->max = s->bars[i].passed + s->bars[i].stopped;
		if (s->bars[i].active > s->max_active)
			s->max_active = s->bars[i].active;
	}
}

int report_series_of(
    const json_t *hours, wall_t until, size_t max_bars, struct report_series *out)
{
	struct report_series s = {.unit = REPORT_HOURS};
	int64_t first = INT64_MAX, sec, last = until.us / US_PER_SEC;
	const json_t *row;
	size_t i;

	json_array_foreach(hours, i, row)
	{
		if (row_time(row, &sec) && sec < first)
			first = sec;
	}
	if (first == INT64_MAX || first > last)
		return -EINVAL;
	while (s.unit < REPORT_MONTHS && count_units(first, last, s.unit) > max_bars)
		s.unit++;
	s.n = count_units(first, last, s.unit);
	s.bars = calloc(s.n, sizeof(*s.bars));
	if (!s.bars)
		return -ENOMEM;
	sec = begin(first, s.unit, 0);
	for (i = 0; i < s.n; i++) {
		s.bars[i].from = wall_from_sec(sec);
		sec = begin(sec, s.unit, 1);
	}
	fill(&s, hours);
	*out = s;
	return 0;
}

void report_series_deinit(struct report_series *s)
{
	free(s->bars);
	*s = (struct report_series){0};
}

void report_series_name(const struct report_series *s, size_t i, struct buf *out)
{
	time_t t = (time_t)(s->bars[i].from.us / US_PER_SEC);
	char text[40] = "";
	struct tm tm;

	if (!localtime_r(&t, &tm))
		return;
	if (s->unit == REPORT_HOURS)
		(void)strftime(text, sizeof(text), "%F %H:%M", &tm);
	else if (s->unit == REPORT_DAYS)
		(void)strftime(text, sizeof(text), "%F", &tm);
	else
		(void)strftime(text, sizeof(text), "%Y-%m", &tm);
	buf_add_str(out, text);
}
