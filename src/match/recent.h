/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * recent - the last lines that a group of filters was shown, when their block is gone
 *
 * One copy serves all filters that are shown the same blocks: see filter_carry().
 */

#include "base/buf.h"

#define RECENT_LINES 65 /* at least so many are kept */

struct recent {
	struct buf text; /* the last lines, whole */
	size_t n_needed; /* bytes of it after it was last made short */
	uint64_t end;    /* bytes that have been added, ever */
};

struct recent *recent_new(void); /* NULL: out of memory */
struct recent *recent_free(struct recent *r);
DEFINE_CLEANUP(struct recent *, recent_free)

/* @lines, each with its '\n', come behind those before. Return: 0 or -ENOMEM; nothing
 * is kept then. */
int recent_add(struct recent *r, struct span lines);

/* What is kept of the bytes from @from (as counted by .end) to @to. */
struct span recent_part(const struct recent *r, uint64_t from, uint64_t to);
