/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clock - reading the two clocks, and wall time in text
 *
 * Durations are in duration.c.
 */

#include "base/clock.h"

#include <errno.h>
#include <math.h>
#include <time.h>

static int64_t read_clock_us(clockid_t id)
{
	struct timespec ts;

	/* Cannot fail: both clocks exist in every Linux. */
	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * US_PER_SEC + ts.tv_nsec / 1000;
}

wall_t wall_now(void)
{
	return (wall_t){read_clock_us(CLOCK_REALTIME)};
}

mono_t mono_now(void)
{
	return (mono_t){read_clock_us(CLOCK_MONOTONIC)};
}

wall_t wall_add_sec(wall_t t, double sec)
{
	const wall_t earliest = {INT64_MIN + 1};
	double us = round(sec * (double)US_PER_SEC);
	int64_t sum;

	if (t.us == WALL_NEVER.us || t.us == WALL_NONE.us || isnan(us))
		return t;
	/* 2^63 as a double: beyond it the conversion would be undefined. */
	if (us >= 0x1p63)
		return WALL_NEVER;
	if (us < -0x1p63)
		return earliest;
	if (__builtin_add_overflow(t.us, (int64_t)us, &sum))
		return us > 0 ? WALL_NEVER : earliest;
	return sum == WALL_NONE.us ? earliest : (wall_t){sum};
}

/* Broken-down local time; false when there is none (a year beyond int). */
static bool local_time(wall_t t, struct tm *tm)
{
	int64_t sec = t.us / US_PER_SEC - (t.us % US_PER_SEC < 0);
	time_t unix_time = (time_t)sec;

	return localtime_r(&unix_time, tm) != NULL;
}

/* The two ends of the scale in words. */
static bool format_special(struct buf *b, wall_t t)
{
	if (t.us == WALL_NEVER.us)
		buf_add_str(b, "never");
	else if (t.us == WALL_NONE.us)
		buf_add_str(b, "-");
	else
		return false;
	return true;
}

static void put_two(char *p, int v)
{
	p[0] = (char)('0' + v / 10);
	p[1] = (char)('0' + v % 10);
}

/* "2026-11-24 12:00:00" with @sep in the middle; strftime() takes ten times as long. */
static void add_time(struct buf *b, const struct tm *tm, char sep)
{
	char text[] = "-00-00 00:00:00", year[4];

	put_two(year, (1900 + tm->tm_year) / 100);
	put_two(year + 2, (1900 + tm->tm_year) % 100);
	put_two(text + 1, tm->tm_mon + 1);
	put_two(text + 4, tm->tm_mday);
	text[6] = sep;
	put_two(text + 7, tm->tm_hour);
	put_two(text + 10, tm->tm_min);
	put_two(text + 13, tm->tm_sec);
	if (tm->tm_year < -1900 || tm->tm_year > 8099)
		buf_printf(b, "%d", tm->tm_year + 1900);
	else
		buf_add(b, year, sizeof(year));
	buf_add(b, text, sizeof(text) - 1);
}

void wall_format(struct buf *b, wall_t t)
{
	struct tm tm;

	if (format_special(b, t))
		return;
	if (!local_time(t, &tm)) {
		buf_add_str(b, "-");
		return;
	}
	add_time(b, &tm, ' ');
}

void wall_format_iso(struct buf *b, wall_t t)
{
	struct tm tm;
	long offset;

	if (format_special(b, t))
		return;
	if (!local_time(t, &tm)) {
		buf_add_str(b, "-");
		return;
	}
	add_time(b, &tm, 'T');
	offset = tm.tm_gmtoff / 60;
	buf_printf(b, "%c%02ld:%02ld", offset < 0 ? '-' : '+', labs(offset) / 60,
	    labs(offset) % 60);
}

/* Exactly @n_digits digits off the front of @s. */
static bool cut_number(struct span *s, size_t n_digits, int *out)
{
	int v = 0;

	if (s->n < n_digits)
		return false;
	for (size_t i = 0; i < n_digits; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		v = v * 10 + (s->p[i] - '0');
	}
	*s = span_skip(*s, n_digits);
	*out = v;
	return true;
}

static bool cut_char(struct span *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = span_skip(*s, 1);
	return true;
}

/* ".5" in microseconds; digits beyond the sixth are dropped. No '.': 0. */
static bool cut_fraction(struct span *s, int64_t *out_us)
{
	int64_t us = 0, unit = US_PER_SEC / 10;
	int digit;

	if (cut_char(s, '.')) {
		if (!cut_number(s, 1, &digit))
			return false;
		do {
			us += digit * unit;
			unit /= 10;
		} while (cut_number(s, 1, &digit));
	}
	*out_us = us;
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool cut_date(struct span *s, struct tm *tm)
{
	int year, month, day;

	if (!cut_number(s, 4, &year) || !cut_char(s, '-') ||
	    !cut_number(s, 2, &month) || !cut_char(s, '-') || !cut_number(s, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	return true;
}

static bool cut_time(struct span *s, struct tm *tm, int64_t *out_us)
{
	if (!cut_number(s, 2, &tm->tm_hour) || !cut_char(s, ':') ||
	    !cut_number(s, 2, &tm->tm_min))
		return false;
	if (cut_char(s, ':') &&
	    (!cut_number(s, 2, &tm->tm_sec) || !cut_fraction(s, out_us)))
		return false;
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60;
}

/* "Z", "+01:00", "+0100" or nothing (@out_has false), with one blank before. */
static bool cut_zone(struct span *s, bool *out_has, int *out_sec)
{
	bool negative;
	int hours, minutes;

	*out_has = false;
	*out_sec = 0;
	if (s->n == 0)
		return true;
	(void)cut_char(s, ' ');
	*out_has = true;
	if (cut_char(s, 'Z') || cut_char(s, 'z'))
		return true;
	negative = cut_char(s, '-');
	if (!negative && !cut_char(s, '+'))
		return false;
	if (!cut_number(s, 2, &hours))
		return false;
	(void)cut_char(s, ':');
	if (!cut_number(s, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*out_sec = (hours * 60 + minutes) * (negative ? -60 : 60);
	return true;
}

static int parse_date(struct span s, wall_t *out)
{
	struct tm tm = {.tm_isdst = -1};
	int64_t us = 0, sec;
	bool has_zone = false;
	int offset_sec = 0;

	if (!cut_date(&s, &tm))
		return -EINVAL;
	if (cut_char(&s, 'T') || cut_char(&s, 't') || cut_char(&s, ' ')) {
		if (!cut_time(&s, &tm, &us) || !cut_zone(&s, &has_zone, &offset_sec))
			return -EINVAL;
	}
	if (s.n > 0)
		return -EINVAL;
	/* Years 0..9999 fit time_t, so -1 is a second like any other here. */
	sec = has_zone ? (int64_t)timegm(&tm) - offset_sec : (int64_t)mktime(&tm);
	*out = (wall_t){sec * US_PER_SEC + us};
	return 0;
}

/* Behind '@': seconds since 1970, at most 11 digits (the year 5138). */
static int parse_unix(struct span s, wall_t *out)
{
	int64_t sec = 0, us;
	size_t n = 0;
	int digit;

	for (; n < 11 && cut_number(&s, 1, &digit); n++)
		sec = sec * 10 + digit;
	if (n == 0 || !cut_fraction(&s, &us) || s.n > 0)
		return -EINVAL;
	*out = (wall_t){sec * US_PER_SEC + us};
	return 0;
}

int wall_parse(struct span s, wall_t now, wall_t *out)
{
	double sec;
	int r;

	s = span_trim(s);
	if (cut_char(&s, '@'))
		return parse_unix(s, out);
	if (!cut_char(&s, '-'))
		return parse_date(s, out);
	/* "-2h 30m" is two and a half hours ago: the sign is for all of it. */
	r = duration_parse(s, &sec);
	if (r < 0)
		return r;
	if (sec < 0)
		return -EINVAL;
	*out = wall_add_sec(now, -sec);
	return 0;
}
