/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stamp_local - calendar arithmetic and the offsets of the local zone
 *
 * Around a change of the clock there are two candidates for a civil time: the one by
 * the offset of a day before and the one by the offset of a day after. Each is real if
 * the offset at that very moment is the one it was made with.
 */

#include "match/stamp_local.h"

#include <stdlib.h>
#include <time.h>

#define HOUR_SEC 3600
#define DAY_SEC 86400
#define DAYS_PER_ERA 146097 /* 400 years */
#define DAYS_TO_1970 719468 /* from 0000-03-01 */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* The year is taken to begin in March, so that the leap day is its last. */
int64_t stamp_days(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = floor_div(y, 400);
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era =
	    year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

struct stamp_day stamp_day_of(int64_t days)
{
	int64_t shifted = days + DAYS_TO_1970;
	int64_t era = floor_div(shifted, DAYS_PER_ERA);
	int64_t d = shifted - era * DAYS_PER_ERA;
	int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int64_t day_of_year = d - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * day_of_year + 2) / 153;
	int month = (int)(m < 10 ? m + 3 : m - 9);

	return (struct stamp_day){
	    .year = (int)(y + era * 400 + (month <= 2)),
	    .month = month,
	    .day = (int)(day_of_year - (153 * m + 2) / 5 + 1),
	};
}

struct stamp_day stamp_local_day(struct stamp_local *l, int64_t days)
{
	if (!l->day.day || l->days != days) {
		l->days = days;
		l->day = stamp_day_of(days);
	}
	return l->day;
}

bool stamp_is_date(int year, int month, int day)
{
	static const uint8_t lengths[] = {
	    31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
		return false;
	return day <= lengths[month - 1] && (month != 2 || day < 29 || is_leap);
}

static int64_t offset_at(int64_t epoch_sec)
{
	time_t t = (time_t)epoch_sec;
	struct tm tm;

	return localtime_r(&t, &tm) ? (int64_t)tm.tm_gmtoff : 0;
}

int64_t stamp_local_civil(struct stamp_local *l, int64_t epoch_sec)
{
	int64_t hour = floor_div(epoch_sec, HOUR_SEC);
	int64_t offset;

	if (l->of_epoch.is_known && l->of_epoch.hour == hour)
		return epoch_sec + l->of_epoch.offset_sec;
	offset = offset_at(epoch_sec);
	if (offset_at(hour * HOUR_SEC) == offset &&
	    offset_at((hour + 1) * HOUR_SEC - 1) == offset)
		l->of_epoch = (struct stamp_offset){hour, offset, true};
	return epoch_sec + offset;
}

/* Return: true if @civil_sec exists exactly once, so that @out needs no guess. */
static bool civil_offset(int64_t civil_sec, int64_t now_sec, int64_t *out)
{
	int64_t before = offset_at(civil_sec - DAY_SEC);
	int64_t after = offset_at(civil_sec + DAY_SEC);
	bool is_before = offset_at(civil_sec - before) == before;
	bool is_after = offset_at(civil_sec - after) == after;

	*out = before;
	if (before == after)
		return is_before;
	if (is_before && is_after) {
		if (llabs(civil_sec - after - now_sec) <
		    llabs(civil_sec - before - now_sec))
			*out = after;
		return false;
	}
	if (is_after)
		*out = after;
	return is_before || is_after;
}

int64_t stamp_local_epoch(struct stamp_local *l, int64_t civil_sec, int64_t now_sec)
{
	int64_t hour = floor_div(civil_sec, HOUR_SEC);
	struct stamp_offset *known = &l->of_civil[(uint64_t)hour % STAMP_LOCAL_HOURS];
	int64_t offset, first, last;

	if (known->is_known && known->hour == hour)
		return civil_sec - known->offset_sec;
	(void)civil_offset(civil_sec, now_sec, &offset);
	if (civil_offset(hour * HOUR_SEC, now_sec, &first) &&
	    civil_offset((hour + 1) * HOUR_SEC - 1, now_sec, &last) &&
	    first == offset && last == offset)
		*known = (struct stamp_offset){hour, offset, true};
	return civil_sec - offset;
}
