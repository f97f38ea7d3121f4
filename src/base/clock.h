/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * clock - two kinds of time that cannot be mixed, and durations in text
 *
 * wall_t is what log lines, bans and the disk speak of: microseconds since 1970 UTC.
 * mono_t is for timers. Both are structs, so assigning one to the other does not
 * compile. Nothing below proc/ and cli/ calls the two *_now() functions.
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

typedef struct {
	int64_t us;
} wall_t;

typedef struct {
	int64_t us;
} mono_t;

#define US_PER_SEC INT64_C(1000000)
#define WALL_NEVER ((wall_t){INT64_MAX}) /* the end of a permanent ban */
#define WALL_NONE ((wall_t){INT64_MIN})  /* no time known */

wall_t wall_now(void);
mono_t mono_now(void);

static inline wall_t wall_from_sec(int64_t sec)
{
	return (wall_t){sec * US_PER_SEC};
}

static inline double wall_to_sec(wall_t t)
{
	return (double)t.us / (double)US_PER_SEC;
}

/* @t + @sec, saturating; WALL_NEVER and WALL_NONE stay what they are. */
wall_t wall_add_sec(wall_t t, double sec);

/**
 * duration_parse() - fail2ban's time expressions in seconds
 * @s:       "600", "10m", "1d12h", "1h-30m", "2 * 1h", "1.5h", "-1", "1 year + 1 month"
 * @out_sec: the value in seconds, may be negative or fractional
 *
 * Unit words as fail2ban-compat section 1.7 has them: month = 2629800 s, year =
 * 31557600 s, m = minute. Operators + - * / ** and parentheses; two numbers side by
 * side add up.
 *
 * Return: 0, or -EINVAL (not an expression, not finite, longer than 256 bytes).
 */
int duration_parse(struct span s, double *out_sec);

/* "2d 3h 4m" (at most three units, none that is zero), "0s", negative: "forever". */
void duration_format(struct buf *b, int64_t sec);

/* Local time as "2026-11-24 04:05:06"; WALL_NEVER gives "never", WALL_NONE "-". */
void wall_format(struct buf *b, wall_t t);
/* RFC 3339 with the local offset: "2026-11-24T04:05:06+01:00". */
void wall_format_iso(struct buf *b, wall_t t);

/**
 * wall_parse() - a time a person types: "2026-11-24", "2026-11-24 04:05[:06[.5]]", with
 * 'T' or blank between, optional "Z" or "+01:00"; "@1795420764[.5]"; or "-2h" = @now -
 * 2h
 *
 * Without an offset it is local time, for which mktime(3) may look at the zone's file:
 * not for a role whose sandbox forbids open(2). Return: 0 or -EINVAL.
 */
int wall_parse(struct span s, wall_t now, wall_t *out);
