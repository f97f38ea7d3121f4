/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_fast - the two most common dates at a line's start, read without a regex
 *
 * "Nov  4 05:06:07" and "2026-11-04T05:06:07.123456+01:00" in their canonical widths.
 * An answer of YES or NO is exactly what the regex of the template would give; whatever
 * is not that certain (one-digit hours, non-ASCII around) is UNSURE and left to it.
 */

#include "base/str.h"
#include "match/stamp_fields.h"

enum stamp_fast { STAMP_FAST_NO, STAMP_FAST_YES, STAMP_FAST_UNSURE };

struct stamp_fast_match {
	size_t start, end; /* of the date, without what stands before it */
	size_t seen;       /* the first so many bytes decided; 0: the line's end did */
};

/* The second default template, anchored. @f is filled if the answer is YES. */
enum stamp_fast stamp_fast_syslog(
    struct span line, struct stamp_fast_match *out, struct stamp_fields *f);

/* The first one. */
enum stamp_fast stamp_fast_iso(
    struct span line, struct stamp_fast_match *out, struct stamp_fields *f);
