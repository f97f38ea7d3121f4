/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_fields - the parts of a date, and the time they make
 *
 * Parts that are missing are guessed as fail2ban does: no year is this one, or the one
 * before if that lies more than a day ahead; no month and day is today, or yesterday.
 */

#include "base/clock.h"
#include "match/stamp_local.h"

#define STAMP_ABSENT (-1)

enum stamp_half { STAMP_HALF_AM, STAMP_HALF_PM, STAMP_HALF_OTHER };

struct stamp_fields {
	int year, month, day; /* STAMP_ABSENT: not in the text */
	int hour, minute, second;
	enum stamp_half half; /* of the day; matters if is_12_hour */
	bool is_12_hour;
	int weekday;           /* 0 = Monday, or STAMP_ABSENT */
	int week, day_of_year; /* or STAMP_ABSENT */
	bool is_week_from_monday;
	bool has_zone;
	int zone_minutes; /* east of UTC */
	bool is_bad;      /* a part was not what its name says */
};

/* Where times without a zone of their own are at home. */
struct stamp_home {
	struct stamp_local local;
	bool has_zone;
	int zone_minutes;
};

void stamp_fields_init(struct stamp_fields *f);

/* Is @name one of the groups that a date is made of? They have one letter. */
bool stamp_fields_knows(const char *name);

/* Take the text of group @key. The later of two groups for the same part counts. */
void stamp_fields_set(struct stamp_fields *f, char key, struct span value);

/* 1..12, or 0: no month. The first three letters, in any case. */
int stamp_month(const char *three);
bool stamp_is_weekday(const char *three);

/* Whole seconds. Return: WALL_NONE for 30 February and the like. */
wall_t stamp_fields_time(
    const struct stamp_fields *f, struct stamp_home *home, wall_t now);
