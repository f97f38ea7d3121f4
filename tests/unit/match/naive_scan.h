/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* naive_scan - what a scanner must find, in the plainest way; for its tests and fuzzer
 */

#include "match/scanner.h"

/* The hits that begin at @from or later, by place, then literal. At most @max. */
size_t naive_scan(const struct scanner_literal *l, size_t n, struct span text,
    size_t from, struct scan_hit *out, size_t max);

/* All hits of a scanner in the same order, taken @step at a time; asserts that it gets
 * on with each step. */
size_t scan_all(const struct scanner *s, struct span text, size_t from, size_t step,
    struct scan_hit *out, size_t max);
