/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_draft - a datepattern into the text of a regex and a name
 *
 * A pattern with directives, EPOCH, LEPOCH, TAI64N, ISO8601 (as the whole pattern, in
 * any case, also behind ^ or {^LN-BEG}), or {EPOCH}, {LEPOCH}, {TAI64N} within a
 * pattern.
 */

#include "base/err.h"
#include "match/stamp_first.h"

#define STAMP_PATTERN_MAX (64 * 1024)
#define STAMP_DEFAULTS 17
#define STAMP_VALUE_GROUP "_value" /* the number in EPOCH and its kin */

enum stamp_kind {
	STAMP_DATE,
	STAMP_EPOCH,
	STAMP_LONG_EPOCH, /* milliseconds or microseconds if it is long enough */
	STAMP_TAI64N,
};

enum stamp_hand { STAMP_BY_REGEX, STAMP_BY_HAND_ISO, STAMP_BY_HAND_SYSLOG };

struct stamp_draft {
	enum stamp_kind kind;
	enum stamp_hand hand; /* how it can be read without the regex */
	bool is_anchored; /* to the line's begin or end: cannot be found elsewhere */
	bool is_at_begin;
	/* What it cuts out stands at the line's begin, or no word character stands next
	 * to it on either side. */
	bool keeps_words;
	struct stamp_first first; /* of a date with {^LN-BEG}, else unknown */
	char *name;               /* fail2ban's */
	char *regex;              /* in Python's dialect */
};

/* fail2ban's default datepatterns, in its order. */
extern const char *const stamp_defaults[STAMP_DEFAULTS];

/* Return: 0, -EINVAL with @e (an unknown directive), or -ENOMEM. */
int stamp_draft_make(struct span pattern, struct stamp_draft *out, struct err *e);
