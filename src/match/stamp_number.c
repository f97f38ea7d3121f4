/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stamp_number - epoch and TAI64N
 */

#include "match/stamp_number.h"

#define SEC_MAX INT64_C(253402300800) /* the year 10000 */
#define TAI64N_CHARS 25

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

wall_t stamp_number_epoch(struct span s, bool is_long)
{
	ptrdiff_t point = span_index(s, '.');
	struct span whole = {s.p, point < 0 ? s.n : (size_t)point};
	struct span part = point < 0 ? SPAN("") : span_skip(s, whole.n + 1);
	int64_t unit_us = US_PER_SEC; /* of the digit before the point */
	int64_t n, us;

	if (is_long && s.n >= 13)
		unit_us = s.n >= 16 && point < 0 ? 1 : 1000;
	if (span_to_i64(whole, &n) < 0 || n < 0 || n > INT64_MAX / unit_us / 2)
		return WALL_NONE;
	us = n * unit_us;
	for (size_t i = 0; i < part.n && unit_us > 1; i++) {
		unit_us /= 10;
		us += unit_us * (part.p[i] - '0');
	}
	return us >= SEC_MAX * US_PER_SEC ? WALL_NONE : (wall_t){us};
}

wall_t stamp_number_tai64n(struct span s)
{
	int64_t sec = 0;

	if (s.n != TAI64N_CHARS)
		return WALL_NONE;
	/* The first digit is the 2^62 of the format, the last eight are nanoseconds. */
	for (size_t i = 2; i < 17; i++) {
		int digit = hex_digit(s.p[i]);

		if (digit < 0)
			return WALL_NONE;
		sec = sec * 16 + digit;
	}
	return sec >= SEC_MAX ? WALL_NONE : wall_from_sec(sec);
}
