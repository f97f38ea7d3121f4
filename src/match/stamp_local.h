/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_local - civil time of the process's zone (TZ), to and from epoch seconds
 *
 * Civil seconds are what a clock on the wall shows, counted as if it were UTC. The
 * offset of an hour is asked once and remembered as long as it is the same at both
 * ends of the hour. Only localtime_r() is used: unlike mktime() it neither looks at
 * /etc/localtime each time nor lets one answer depend on the one before.
 */

#include <stdbool.h>
#include <stdint.h>

#define STAMP_LOCAL_HOURS 4 /* lines of a log rarely speak of more hours than this */

struct stamp_offset {
	int64_t hour;
	int64_t offset_sec;
	bool is_known;
};

struct stamp_day {
	int year, month, day;
};

struct stamp_local {
	struct stamp_offset of_civil[STAMP_LOCAL_HOURS];
	struct stamp_offset of_epoch;
	int64_t days; /* those that were asked for last */
	struct stamp_day day;
};

/* Days from 1970-01-01 to a date of the Gregorian calendar, for years 1..9999. */
int64_t stamp_days(int year, int month, int day);
struct stamp_day stamp_day_of(int64_t days);
struct stamp_day stamp_local_day(struct stamp_local *l, int64_t days); /* the same */
bool stamp_is_date(int year, int month, int day);

int64_t stamp_local_civil(struct stamp_local *l, int64_t epoch_sec);

/**
 * stamp_local_epoch()
 * @now_sec: an hour that the clock shows twice is the one nearer to this
 *
 * An hour that the clock skips is taken as if it had not been set forward yet.
 */
int64_t stamp_local_epoch(struct stamp_local *l, int64_t civil_sec, int64_t now_sec);
