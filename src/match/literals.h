/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * literals - texts of which a line must have one before a regex can match it
 *
 * So that a scanner for fixed texts can tell which lines are worth a regex at all. What
 * is said about a regex is never wrong; what is not understood leads to fewer literals,
 * in the end to none. Bounded: LITERALS_MAX literals, the depth of groups, and the work
 * that is done for one pattern, so a hostile pattern costs a moment and gets none.
 */

#include "base/cleanup.h"
#include "base/str.h"

#define LITERAL_BYTES_MAX 32
#define LITERAL_BYTES_MIN 3
#define LITERALS_MAX 64

/* ASCII without '\n', '\r' and NUL. */
struct literal {
	uint8_t n;
	bool is_nocase; /* .text is in lower case then; never set without a letter */
	char text[LITERAL_BYTES_MAX];
};

struct literal_set {
	struct literal *items;
	size_t n;    /* 0: none is known, every line has to be tried */
	double cost; /* estimated share of log lines that have one; 1 when n is 0 */
};

/* What has been done to the line before the regex sees it. */
enum literals_cut {
	LITERALS_CUT_NONE,  /* it sees a contiguous part of the line */
	LITERALS_CUT_WORDS, /* a date is cut out, with no [A-Za-z0-9_] on either side */
	LITERALS_CUT_ANY,   /* a date may be cut out anywhere */
};

/**
 * literals_of() - what a line must have
 * @pattern: as it is given to PCRE2 with PCRE2_UTF, so behind rewrite_python()
 *
 * Each line that the regex matches has at least one of the literals, as contiguous
 * bytes of the line as it was before the cut. Several lines that are joined by '\n'
 * have one in at least one of them. Whether ^ and $ also match within the subject, and
 * what \w means, makes no difference.
 *
 * Return: 0, also when there are none, or -ENOMEM; *out_set is to be freed after a 0.
 */
int literals_of(
    struct span pattern, enum literals_cut cut, struct literal_set *out_set);
void literal_set_deinit(struct literal_set *set);
