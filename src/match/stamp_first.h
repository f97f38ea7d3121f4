/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_first - which characters a pattern may begin with
 *
 * Only to be fast: a search for a date without it tries every position of a line, and
 * templates for the line's start are all asked though one look would do.
 */

#include "base/buf.h"

struct stamp_first {
	bool is_known;
	uint64_t ascii[2]; /* others than ASCII begin a date only by folding case */
};

/**
 * stamp_first_of()
 * @pattern: without its prefix, with directives not yet expanded
 *
 * Knows patterns that begin with a directive, or with optional groups of one and then a
 * directive. Others are not known.
 */
struct stamp_first stamp_first_of(struct span pattern, bool ignores_case);

enum stamp_first_kind {
	STAMP_FIRST_UNKNOWN,
	STAMP_FIRST_WORD,  /* always a character of a word */
	STAMP_FIRST_LOOSE, /* or a blank or a sign, which belong to what follows */
};
enum stamp_first_kind stamp_first_kind(const struct stamp_first *f);

/* A look-ahead for one of these characters, if they are known. */
void stamp_first_add(const struct stamp_first *f, struct buf *out);

/* Can a date begin @line, behind at most two characters that are no word? */
bool stamp_first_fits(const struct stamp_first *f, struct span line);
