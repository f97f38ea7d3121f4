/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scanner_windows - which part of each literal tells most, and which literals go
 * together
 *
 * Judged by how often bytes stand in logs. A wrong guess costs time, never a hit.
 */

#include "match/scanner_plan.h"

/* Lines of every day, in lower case. */
extern const struct span scanner_sample;

/**
 * scanner_windows_choose() - choose windows and buckets, fill the filter of @p
 * @out_offsets: for each literal where its window, and its key, begins
 *
 * Return: 0 or -ENOMEM.
 */
int scanner_windows_choose(struct scanner_plan *p, const struct scanner_literal *l,
    size_t n, uint8_t *out_offsets);

/* For each literal the rarest run of @run_bytes, which no literal is shorter than. */
void scanner_runs_choose(
    const struct scanner_literal *l, size_t n, size_t run_bytes, uint8_t *out_offsets);
