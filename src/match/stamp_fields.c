/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stamp_fields - parts of a date by fail2ban's rules
 *
 * Known differences, both on purpose: the year of a date with a zone is guessed before
 * the zone is applied (fail2ban sets the day back but keeps the shifted hour, which
 * loses a day at New Year), and digits are ASCII only.
 */

#include "match/stamp_fields.h"

#include <errno.h>

#include "base/cleanup.h"
#include "match/stamp_zone.h"

#define DAY_SEC 86400
#define NUMBER_DIGITS 6

static const char *const months[] = {"january", "february", "march", "april", "may",
    "june", "july", "august", "september", "october", "november", "december"};
static const char *const weekdays[] = {
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

void stamp_fields_init(struct stamp_fields *f)
{
	*f = (struct stamp_fields){
	    .year = STAMP_ABSENT,
	    .month = STAMP_ABSENT,
	    .day = STAMP_ABSENT,
	    .weekday = STAMP_ABSENT,
	    .week = STAMP_ABSENT,
	    .day_of_year = STAMP_ABSENT,
	};
}

bool stamp_fields_knows(const char *name)
{
	return name && name[0] && !name[1] && strchr("yYmBbdHIMSAawjUWzZp", name[0]);
}

/* Three letters in lower case as one number; what is no letter never equals one. */
static uint32_t pack_three(const char *p)
{
	return (uint32_t)(uint8_t)p[0] << 16 | (uint32_t)(uint8_t)p[1] << 8 |
	       (uint32_t)(uint8_t)p[2] | 0x202020;
}

#define THREE(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))

int stamp_month(const char *three)
{
	switch (pack_three(three)) {
	case THREE('j', 'a', 'n'):
		return 1;
	case THREE('f', 'e', 'b'):
		return 2;
	case THREE('m', 'a', 'r'):
		return 3;
	case THREE('a', 'p', 'r'):
		return 4;
	case THREE('m', 'a', 'y'):
		return 5;
	case THREE('j', 'u', 'n'):
		return 6;
	case THREE('j', 'u', 'l'):
		return 7;
	case THREE('a', 'u', 'g'):
		return 8;
	case THREE('s', 'e', 'p'):
		return 9;
	case THREE('o', 'c', 't'):
		return 10;
	case THREE('n', 'o', 'v'):
		return 11;
	case THREE('d', 'e', 'c'):
		return 12;
	default:
		return 0;
	}
}

bool stamp_is_weekday(const char *three)
{
	switch (pack_three(three)) {
	case THREE('m', 'o', 'n'):
	case THREE('t', 'u', 'e'):
	case THREE('w', 'e', 'd'):
	case THREE('t', 'h', 'u'):
	case THREE('f', 'r', 'i'):
	case THREE('s', 'a', 't'):
	case THREE('s', 'u', 'n'):
		return true;
	default:
		return false;
	}
}

static int set_name(const char *const *names, size_t n_names, struct span s, size_t n)
{
	for (size_t i = 0; i < n_names; i++) {
		struct span name = span_of(names[i]);

		if (n)
			name.n = n;
		if (span_eq_nocase(name, s))
			return (int)i;
	}
	return -EINVAL;
}

static int set_number(struct span s, int *out)
{
	int64_t v;

	s = span_trim(s);
	if (s.n == 0 || s.n > NUMBER_DIGITS || span_to_i64(s, &v) < 0 || v < 0)
		return -EINVAL;
	*out = (int)v;
	return 0;
}

static int set_year(struct stamp_fields *f, struct span s, bool is_short)
{
	if (set_number(s, &f->year) < 0)
		return -EINVAL;
	if (is_short && f->year <= 2000)
		f->year += 2000;
	return 0;
}

static int set_zone(struct stamp_fields *f, struct span s)
{
	f->has_zone = true;
	return stamp_zone_parse(s, &f->zone_minutes);
}

static int set_weekday_number(struct stamp_fields *f, struct span s)
{
	int from_sunday;

	if (set_number(s, &from_sunday) < 0)
		return -EINVAL;
	f->weekday = from_sunday == 0 ? 6 : from_sunday - 1;
	return 0;
}

static int set_half(struct stamp_fields *f, struct span s)
{
	if (s.n == 0 || span_eq_nocase(s, SPAN("am")))
		f->half = STAMP_HALF_AM;
	else
		f->half =
		    span_eq_nocase(s, SPAN("pm")) ? STAMP_HALF_PM : STAMP_HALF_OTHER;
	return 0;
}

static int set_hour(struct stamp_fields *f, struct span s, bool is_12_hour)
{
	f->is_12_hour = is_12_hour;
	return set_number(s, &f->hour);
}

static int set_week(struct stamp_fields *f, struct span s, bool from_monday)
{
	f->is_week_from_monday = from_monday;
	return set_number(s, &f->week);
}

static int set_part(struct stamp_fields *f, char key, struct span value)
{
	switch (key) {
	case 'y':
	case 'Y':
		return set_year(f, value, key == 'y');
	case 'm':
		return set_number(value, &f->month);
	case 'B':
	case 'b':
		f->month =
		    1 + set_name(months, ARRAY_LEN(months), value, key == 'b' ? 3 : 0);
		return f->month < 1 ? -EINVAL : 0;
	case 'd':
		return set_number(value, &f->day);
	case 'H':
	case 'I':
		return set_hour(f, value, key == 'I');
	case 'M':
		return set_number(value, &f->minute);
	case 'S':
		return set_number(value, &f->second);
	case 'A':
	case 'a':
		f->weekday =
		    set_name(weekdays, ARRAY_LEN(weekdays), value, key == 'a' ? 3 : 0);
		return f->weekday < 0 ? -EINVAL : 0;
	case 'w':
		return set_weekday_number(f, value);
	case 'j':
		return set_number(value, &f->day_of_year);
	case 'U':
	case 'W':
		return set_week(f, value, key == 'W');
	case 'z':
	case 'Z':
		return set_zone(f, value);
	case 'p':
		return set_half(f, value);
	default:
		return 0;
	}
}

void stamp_fields_set(struct stamp_fields *f, char key, struct span value)
{
	if (set_part(f, key, value) < 0)
		f->is_bad = true;
}

static int hour_of_day(const struct stamp_fields *f)
{
	if (!f->is_12_hour || f->half == STAMP_HALF_OTHER)
		return f->hour;
	if (f->half == STAMP_HALF_AM)
		return f->hour == 12 ? 0 : f->hour;
	return f->hour == 12 ? 12 : f->hour + 12;
}

/* The day of the year, from 1, that a week and a weekday name; may leave the year. */
static int day_of_week(const struct stamp_fields *f, int year)
{
	/* 1970-01-01 was a Thursday. */
	int first = (int)(((stamp_days(year, 1, 1) + 3) % 7 + 7) % 7);
	int weekday = f->weekday;

	if (!f->is_week_from_monday) {
		first = (first + 1) % 7;
		weekday = (weekday + 1) % 7;
	}
	/* Week 1 begins with the first Monday (or Sunday), week 0 is what is before. */
	return 1 + weekday - first + 7 * (f->week - (first == 0));
}

/* Month and day from %j, or from %U or %W and a weekday. */
static bool settle_day_of_year(
    const struct stamp_fields *f, int year, struct stamp_day *out)
{
	int day = f->day_of_year;

	if (day == STAMP_ABSENT && f->week != STAMP_ABSENT &&
	    f->weekday != STAMP_ABSENT)
		day = day_of_week(f, year);
	else if (day == STAMP_ABSENT)
		return false;
	*out = stamp_day_of(stamp_days(year, 1, 1) + day - 1);
	return true;
}

static int64_t civil_of(struct stamp_day d, int64_t sec_of_day)
{
	return stamp_days(d.year, d.month, d.day) * DAY_SEC + sec_of_day;
}

/*
 * The civil time that the parts name, by the clock on the wall at @now_civil;
 * @ahead_sec is what the date's zone is ahead of UTC, 0 for local time.
 */
static bool settle(const struct stamp_fields *f, struct stamp_local *local,
    int64_t now_civil, int64_t ahead_sec, int64_t *out)
{
	struct stamp_day today = {0};
	struct stamp_day day = {f->year, f->month, f->day};
	int64_t sec_of_day = hour_of_day(f) * 3600 + f->minute * 60 + f->second;
	bool is_year_guessed = f->year == STAMP_ABSENT;
	bool is_day_guessed = false;

	if (is_year_guessed || day.month == STAMP_ABSENT || day.day == STAMP_ABSENT)
		today = stamp_local_day(local, now_civil / DAY_SEC);
	if (is_year_guessed)
		day.year = today.year;
	if (day.month == STAMP_ABSENT || day.day == STAMP_ABSENT)
		is_day_guessed =
		    !settle_day_of_year(f, day.year, &day) && day.month == day.day;
	if (is_day_guessed) {
		day.month = today.month;
		day.day = today.day;
	}
	if (!stamp_is_date(day.year, day.month, day.day))
		return false;
	*out = civil_of(day, sec_of_day);
	if (is_day_guessed && *out - ahead_sec > now_civil)
		*out -= DAY_SEC;
	if (is_year_guessed && *out - ahead_sec > now_civil + DAY_SEC) {
		day.year--;
		*out = civil_of(day, sec_of_day);
	}
	return stamp_is_date(day.year, day.month, day.day);
}

wall_t stamp_fields_time(
    const struct stamp_fields *f, struct stamp_home *home, wall_t now)
{
	bool has_zone = f->has_zone || home->has_zone;
	int64_t ahead_sec = 60 * (int64_t)(f->has_zone      ? f->zone_minutes
					   : home->has_zone ? home->zone_minutes
							    : 0);
	int64_t now_sec = now.us / US_PER_SEC;
	int64_t now_civil = 0, civil;

	if (f->is_bad || hour_of_day(f) > 23 || f->minute > 59 || f->second > 59)
		return WALL_NONE;
	if (f->year == STAMP_ABSENT || f->month == STAMP_ABSENT ||
	    f->day == STAMP_ABSENT)
		now_civil = stamp_local_civil(&home->local, now_sec);
	if (!settle(f, &home->local, now_civil, ahead_sec, &civil))
		return WALL_NONE;
	return wall_from_sec(has_zone
				 ? civil - ahead_sec
				 : stamp_local_epoch(&home->local, civil, now_sec));
}
