/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * backtest_answer - what a backtest found, as JSON and for people
 *
 *   backtest_answer.c  one tree; --json prints it, the others read nothing else
 *   backtest_text.c    for the terminal, 80 columns
 *   backtest_html.c    one page that needs no network
 */

#include <jansson.h>

#include "cli/backtest_replay.h"

struct backtest_view {
	const struct backtest_outcome *outcome;
	const struct backtest_policy *facts;
	const struct backtest_policy *policies;
	size_t n_policies;
	bool has_feedback;
};

/* Return: NULL: out of memory. */
json_t *backtest_answer(const struct backtest_view *v);

void backtest_text(const json_t *answer, struct buf *out);
void backtest_html(const json_t *answer, struct buf *out);

/* A length of so many seconds: "3.5 h", in at most 7 cells; "-" for null. */
void backtest_add_length(struct buf *out, const json_t *seconds);
/* "12.3 %" of all attempts. */
void backtest_add_share(struct buf *out, const json_t *policy);
