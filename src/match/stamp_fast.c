/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stamp_fast - dates of fixed width, byte by byte
 *
 * What follows a date matters as much as the date: the regex wants a word boundary, and
 * gives optional parts back until it has one. So each optional part here asks for the
 * byte behind it, and a byte that could change the answer in a way not thought through
 * makes it UNSURE.
 */

#include "match/stamp_fast.h"

/* At most two characters that are no word may stand before the date. */
#define LEAD_MAX 2
#define SYSLOG_BYTES 15 /* "Nov  4 05:06:07" */
#define ISO_BYTES 19    /* "2026-11-04T05:06:07" */
#define FRACTION_DIGITS 6

enum byte_class { NOT_WORD, WORD, FOREIGN };

/* A line and how far into it one has looked. */
struct look {
	struct span line;
	size_t seen;
	bool saw_end;
};

static int byte_at(struct look *l, size_t i)
{
	if (i >= l->line.n) {
		l->saw_end = true;
		return -1;
	}
	if (i >= l->seen)
		l->seen = i + 1;
	return (uint8_t)l->line.p[i];
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static enum byte_class class_of(int c)
{
	if (c >= 0x80)
		return FOREIGN;
	if (is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_')
		return WORD;
	return NOT_WORD;
}

/* Skip what may stand before a date. FOREIGN: not certain; NOT_WORD: too much. */
static enum byte_class skip_lead(struct look *l, size_t *out)
{
	for (size_t i = 0; i <= LEAD_MAX; i++) {
		int c = byte_at(l, i);

		if (c < 0)
			return NOT_WORD;
		if (class_of(c) != NOT_WORD) {
			*out = i;
			return class_of(c);
		}
	}
	return NOT_WORD;
}

/* Two digits at @p, or a number that is out of every range. */
static int two_digits(const char *p)
{
	unsigned int tens = (unsigned int)(uint8_t)p[0] - '0';
	unsigned int ones = (unsigned int)(uint8_t)p[1] - '0';

	return tens < 10 && ones < 10 ? (int)(tens * 10 + ones) : 100;
}

/* "05:06:07"; hours up to @hour_max, which are no hours, are left for others. */
static bool read_clock(const char *p, int hour_max, struct stamp_fields *f)
{
	f->hour = two_digits(p);
	f->minute = two_digits(p + 3);
	f->second = two_digits(p + 6);
	return p[2] == ':' && p[5] == ':' && f->hour <= hour_max && f->minute <= 59 &&
	       f->second <= 61;
}

/* A point or comma and digits at @i: where they end, or @i if there are none. */
static size_t skip_fraction(struct look *l, size_t i)
{
	size_t n = 0;

	while (n <= FRACTION_DIGITS && is_digit(byte_at(l, i + 1 + n)))
		n++;
	/* Seven digits are no fraction; and the point is boundary enough. */
	return n == 0 || n > FRACTION_DIGITS ? i : i + 1 + n;
}

/* " 2005" at @i, ended by a boundary. */
static enum stamp_fast read_year(struct look *l, size_t i, struct stamp_fields *f)
{
	enum byte_class after;

	if (byte_at(l, i) != ' ' || byte_at(l, i + 1) != '2' ||
	    byte_at(l, i + 2) != '0' || !is_digit(byte_at(l, i + 3)) ||
	    !is_digit(byte_at(l, i + 4)))
		return STAMP_FAST_NO;
	after = class_of(byte_at(l, i + 5));
	if (after == FOREIGN)
		return STAMP_FAST_UNSURE;
	if (after == WORD)
		return STAMP_FAST_NO;
	f->year = 2000 + two_digits(l->line.p + i + 3);
	return STAMP_FAST_YES;
}

static enum stamp_fast finish(
    const struct look *l, size_t start, size_t end, struct stamp_fast_match *out)
{
	out->start = start;
	out->end = end;
	out->seen = l->saw_end ? 0 : l->seen;
	return STAMP_FAST_YES;
}

/* "Nov  4 " or "Nov 14 " at @p. */
static bool read_month_day(const char *p, struct stamp_fields *f)
{
	char padded[2] = {p[4] == ' ' ? '0' : p[4], p[5]};

	f->month = stamp_month(p);
	f->day = two_digits(padded);
	return f->month != 0 && p[3] == ' ' && f->day >= 1 && f->day <= 31 &&
	       p[6] == ' ';
}

enum stamp_fast stamp_fast_syslog(
    struct span line, struct stamp_fast_match *out, struct stamp_fields *f)
{
	struct look l = {.line = line};
	size_t start = 0, i, end;
	enum byte_class c = skip_lead(&l, &start);
	enum stamp_fast year;

	if (c != WORD)
		return c == FOREIGN ? STAMP_FAST_UNSURE : STAMP_FAST_NO;
	if (is_digit(byte_at(&l, start)) || byte_at(&l, start) == '_')
		return STAMP_FAST_NO;
	i = start;
	if (line.n < i + 4 + SYSLOG_BYTES + 1)
		return STAMP_FAST_UNSURE;
	if (line.p[i + 3] == ' ' && stamp_is_weekday(line.p + i))
		i += 4;
	stamp_fields_init(f);
	if (!read_month_day(line.p + i, f) || !read_clock(line.p + i + 7, 29, f))
		return STAMP_FAST_UNSURE;
	end = i + SYSLOG_BYTES;
	if (byte_at(&l, end) == '.') {
		i = skip_fraction(&l, end);
		/* Behind letters the fraction is given back, then the year cannot be.
		 */
		if (i > end && class_of(byte_at(&l, i)) != NOT_WORD)
			return STAMP_FAST_UNSURE;
		if (i == end)
			return finish(&l, start, end, out);
		end = i;
	} else if (class_of(byte_at(&l, end)) != NOT_WORD) {
		return STAMP_FAST_UNSURE;
	}
	year = read_year(&l, end, f);
	if (year == STAMP_FAST_UNSURE)
		return year;
	return finish(&l, start, year == STAMP_FAST_YES ? end + 5 : end, out);
}

static bool read_date(const char *p, struct stamp_fields *f)
{
	f->year = p[0] == '2' && p[1] == '0' ? 2000 + two_digits(p + 2) : 0;
	f->month = two_digits(p + 5);
	f->day = two_digits(p + 8);
	return f->year >= 2000 && f->year <= 2099 && f->month >= 1 && f->month <= 12 &&
	       f->day >= 1 && f->day <= 31 &&
	       (p[4] == '-' || p[4] == '/' || p[4] == '.') && p[7] == p[4];
}

/* Is the word @name at @i, and nothing but it? */
static enum stamp_fast read_name(struct look *l, size_t i, struct span name)
{
	enum byte_class after;

	for (size_t k = 0; k < name.n; k++) {
		if (byte_at(l, i + k) != name.p[k])
			return STAMP_FAST_NO;
	}
	after = class_of(byte_at(l, i + name.n));
	if (after == FOREIGN)
		return STAMP_FAST_UNSURE;
	return after == WORD ? STAMP_FAST_NO : STAMP_FAST_YES;
}

/* "+01", "+0100", "+01:00" at @i; *end is moved behind it. */
static enum stamp_fast read_offset(
    struct look *l, size_t i, struct stamp_fields *f, size_t *end)
{
	int tens = byte_at(l, i + 1), minutes = 0;
	size_t colon, n = 3;

	if ((tens != '0' && tens != '1') || !is_digit(byte_at(l, i + 2)))
		return STAMP_FAST_NO;
	colon = byte_at(l, i + 3) == ':';
	if (is_digit(byte_at(l, i + 3 + colon)) &&
	    is_digit(byte_at(l, i + 4 + colon))) {
		minutes = two_digits(l->line.p + i + 3 + colon);
		n = 5 + colon;
	}
	if (class_of(byte_at(l, i + n)) != NOT_WORD)
		return STAMP_FAST_UNSURE;
	minutes += 60 * two_digits(l->line.p + i + 1);
	f->has_zone = true;
	f->zone_minutes = l->line.p[i] == '-' ? -minutes : minutes;
	*end = i + n;
	return STAMP_FAST_YES;
}

/* Blanks and a zone at *end, which is moved behind them; NO: there are none. */
static enum stamp_fast read_zone(struct look *l, struct stamp_fields *f, size_t *end)
{
	size_t i = *end;
	struct span name;
	enum stamp_fast r;
	int c;

	while ((c = byte_at(l, i)) == ' ' || (c >= '\t' && c <= '\r'))
		i++;
	if (c == '+' || c == '-')
		return read_offset(l, i, f, end);
	if (c == 'Z')
		name = SPAN("Z");
	else if (c == 'U' || c == 'G')
		name = c == 'U' ? SPAN("UTC") : SPAN("GMT");
	else
		return c >= 0x80 ? STAMP_FAST_UNSURE : STAMP_FAST_NO;
	r = read_name(l, i, name);
	if (r == STAMP_FAST_YES) {
		f->has_zone = true;
		f->zone_minutes = 0;
		*end = i + name.n;
	}
	return r;
}

enum stamp_fast stamp_fast_iso(
    struct span line, struct stamp_fast_match *out, struct stamp_fields *f)
{
	struct look l = {.line = line};
	size_t start = 0, end;
	enum byte_class c = skip_lead(&l, &start);
	enum stamp_fast zone;
	int after;

	if (c != WORD)
		return c == FOREIGN ? STAMP_FAST_UNSURE : STAMP_FAST_NO;
	if (byte_at(&l, start) != '2')
		return STAMP_FAST_NO;
	if (line.n < start + ISO_BYTES + 1)
		return STAMP_FAST_UNSURE;
	stamp_fields_init(f);
	if (!read_date(line.p + start, f) || !read_clock(line.p + start + 11, 23, f) ||
	    (line.p[start + 10] != 'T' && line.p[start + 10] != ' '))
		return STAMP_FAST_UNSURE;
	end = start + ISO_BYTES;
	after = byte_at(&l, end);
	if (after == '.' || after == ',') {
		size_t i = skip_fraction(&l, end);

		if (i == end)
			return finish(&l, start, end, out);
		end = i;
		after = byte_at(&l, end);
	}
	zone = read_zone(&l, f, &end);
	if (zone == STAMP_FAST_UNSURE)
		return zone;
	/* Without a zone the number itself must end here. */
	if (zone == STAMP_FAST_NO && class_of(after) != NOT_WORD)
		return STAMP_FAST_UNSURE;
	return finish(&l, start, end, out);
}
