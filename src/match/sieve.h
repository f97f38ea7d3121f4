/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * sieve - which lines of a block which filters must look at
 *
 * One search over the whole block for the literals of all filters' regexes. A line in
 * which none stands is never cut out; of the others each filter is told which of its
 * failregexes may match. What has no literals sees every line. The outcome is that of
 * showing every line to every filter.
 */

#include "base/err.h"
#include "base/scan.h"
#include "match/filter.h"

struct sieve;

/**
 * sieve_new()
 * @filters: NULL in place of one: it sees nothing, but keeps its number. They must
 *           outlive the sieve
 *
 * Return: NULL with @e.
 */
struct sieve *sieve_new(struct filter *const *filters, size_t n, struct err *e);
struct sieve *sieve_free(struct sieve *s);
DEFINE_CLEANUP(struct sieve *, sieve_free)

/* @lines: whole lines, each with its '\n'; must stay as they are until the last call of
 * sieve_next_line(). */
void sieve_begin(struct sieve *s, struct span lines);

/* The next line that somebody must look at. False: there is none. */
bool sieve_next_line(struct sieve *s, struct scan_line *line);

/**
 * sieve_next_filter() - who must look at that line, in the order of the numbers
 * @out:   its number
 * @rules: as for filter_feed(), which is to follow
 *
 * Return: false: nobody else.
 */
bool sieve_next_filter(struct sieve *s, size_t *out, const uint64_t **rules);

const char *sieve_scanner_name(const struct sieve *s);
size_t sieve_n_literals(const struct sieve *s);
