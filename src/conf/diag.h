/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * diag - everything that is wrong with a configuration, each with its place
 *
 * Printed as compilers do: "file:line:col: error: what is wrong, what was expected".
 * Collects all mistakes instead of stopping at the first. Bounded by DIAG_MAX.
 */

#include "base/buf.h"

#define DIAG_MAX 1000

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

struct conf_place {
	const char *file; /* lives as long as the diag or conf that handed it out */
	unsigned int line, col; /* from 1; 0: unknown */
};

struct diag_item {
	enum diag_level level;
	struct conf_place at;
	char *text;
};

struct diag {
	struct diag_item *items;
	size_t n, room;
	size_t n_errors, n_warnings;
	size_t n_dropped; /* beyond DIAG_MAX */
};

void diag_deinit(struct diag *d);
/* @at.file is copied. NULL @d: nothing happens. */
void diag_add(struct diag *d, enum diag_level level, struct conf_place at,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
void diag_format(
    const struct diag_item *i, struct buf *out); /* one line without '\n' */
