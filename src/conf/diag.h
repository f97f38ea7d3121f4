/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * diag - everything that is wrong with a configuration, each with its place
 *
 * Printed as compilers do: "file:line:col: error: what is wrong, what was expected".
 * Collects all mistakes instead of stopping at the first. Bounded by DIAG_MAX. Between
 * diag_enter() and diag_leave() mistakes are those of one part (a jail), which can be
 * left out; all others spoil the whole.
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
	size_t n_fatal; /* of the errors: those of no part */
	bool is_in_part;
	size_t part_error; /* 1 + index of the part's first error; 0: none yet */
	size_t n_dropped;  /* beyond DIAG_MAX */
};

void diag_deinit(struct diag *d);
/* @at.file is copied. NULL @d: nothing happens. */
void diag_add(struct diag *d, enum diag_level level, struct conf_place at,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
/* A part begins, or ends: its first error, NULL if it has none (or there was no room
 * for it). The item lives until the next diag_add(). */
void diag_enter(struct diag *d);
const struct diag_item *diag_leave(struct diag *d);
void diag_format(
    const struct diag_item *i, struct buf *out); /* one line without '\n' */
