/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * bars - lengths in a terminal: what passed and what was stopped, side by side
 *
 * Blocks of Unicode where the terminal shows UTF-8, else # and -; colours only on a
 * terminal.
 */

#include "base/buf.h"

struct bars_style {
	bool is_utf8;
	bool is_coloured;
};

/* What standard output and the locale, which must have been set, allow. */
struct bars_style bars_style_of_output(void);

/**
 * bars_add() - one bar of @width cells, with blanks behind it
 * @max: what fills all cells; parts beyond are cut
 *
 * Something is never shown as nothing: it gets a cell if there is one.
 */
void bars_add(struct buf *b, const struct bars_style *s, size_t width, int64_t passed,
    int64_t stopped, int64_t max);

/* What the two parts look like. */
void bars_add_legend(struct buf *b, const struct bars_style *s);

/* "63,012" */
void bars_add_number(struct buf *b, int64_t n);
