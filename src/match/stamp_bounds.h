/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_bounds - where a date may begin and end, as a regex
 *
 * The rules by which fail2ban completes a datepattern: word boundaries on both sides
 * unless the pattern brings its own, `**` for none, one group around all of it unless
 * it has groups. One thing is ours: a date that may begin with a blank, a sign or "@"
 * does not begin directly behind a word.
 */

#include "match/stamp_first.h"

enum stamp_begin {
	STAMP_BEGIN_WORD, /* at the line's start, or where a word begins or is not */
	STAMP_BEGIN_LINE, /* {^LN-BEG}: at the line's start, after at most two \W */
	STAMP_BEGIN_FREE,
};

struct stamp_bounds {
	enum stamp_begin begin;
	bool is_free_end;
	struct stamp_first first; /* helps to find a word's begin */
};

struct stamp_bounded {
	bool is_anchored; /* to the line's begin or end: cannot be found elsewhere */
	bool is_at_begin;
	bool took_begin; /* @begin was applied; false: the regex brings its own */
	bool took_end;
	bool has_groups; /* of its own: what is cut out is the first of these */
};

/* Complete @regex, with directives expanded, into @out. */
struct stamp_bounded stamp_bounds_add(
    struct span regex, const struct stamp_bounds *bounds, struct buf *out);

/* Behind `{^LN-BEG}`, `{UNB}` or a boundary that a pattern was completed with. */
struct span stamp_bounds_strip(struct span pattern);
