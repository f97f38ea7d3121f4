/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_form - a datepattern, ready to be searched for
 *
 * The default ones are the same for every log: a process makes each of them once, and
 * compiles its regex when it is first needed, for most never are. With a form goes the
 * last date that was read by it: the lines of one second, and the jails that look at
 * one line, share it.
 */

#include "base/clock.h"
#include "match/regex.h"
#include "match/stamp.h"
#include "match/stamp_draft.h"

struct stamp_part {
	uint8_t group;
	char key;
};

#define STAMP_MEMO_BYTES 64

/* The place of a date in a line, with the bytes at and next to its ends. */
struct stamp_place {
	size_t start, end;
	int before, first, final, after; /* -1: there is none */
};

/* A date that was read by hand, and the bytes that decided. */
struct stamp_memo {
	size_t n; /* 0: nothing remembered */
	char text[STAMP_MEMO_BYTES];
	int64_t from_us, to_us; /* serves while from_us <= now < to_us */
	bool has_zone;          /* of who read it */
	int zone_minutes;
	struct stamp_place place;
	struct stamp_result result;
};

struct stamp_form {
	struct stamp_draft draft;
	char *pattern;       /* as it was given */
	struct regex *regex; /* NULL: not compiled yet */
	bool is_broken;      /* could not be compiled; never matches */
	bool is_shared;      /* a default one */
	struct stamp_part parts[REGEX_MAX_GROUPS];
	size_t n_parts;
	size_t value_group; /* of the number, if no STAMP_DATE */
	struct stamp_memo memo;
};

/* One pattern, without {DATE}, compiled. Return: NULL with @e. */
struct stamp_form *stamp_form_new(struct span pattern, struct err *e);
/* Leaves a default one alone. */
struct stamp_form *stamp_form_free(struct stamp_form *f);
DEFINE_CLEANUP(struct stamp_form *, stamp_form_free)

/* The @i-th of stamp_defaults, as it is or behind {^LN-BEG}; there until the process
 * ends. Return: NULL with @e (-ENOMEM). */
struct stamp_form *stamp_form_default(size_t i, bool is_anchored, struct err *e);

/* Compile it, if that is not done. Return: false: it never matches. */
bool stamp_form_is_ready(struct stamp_form *f);
