/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * backtest_replay - logs once through the filters that tell the facts, and through a
 *                   pipeline for each policy
 *
 * Block by block: first the facts are taken from all of its lines, then each policy is
 * fed the same lines. Before it weighs a hit, the attempts of the lines up to there are
 * judged by the bans that it has then; so an attempt is stopped by the bans of earlier
 * lines, and by no others.
 *
 * With feedback, what somebody who is banned does is not weighed: live it would not
 * have been logged.
 */

#include "cli/backtest_book.h"
#include "cli/backtest_policy.h"
#include "cli/inputs.h"

struct backtest_options {
	struct cli_options common;
	const char *html;
	wall_t since, until, now;
	bool is_now_given, is_quiet;
	bool has_feedback; /* bans keep lines away */
};

struct backtest_outcome {
	struct backtest_book *book;
	uint64_t n_lines;
	double seconds;
	wall_t first, last; /* of what was weighed for the facts; WALL_NONE: nothing */
	struct inputs_progress reached;
	int stop;        /* the signal that ended it, or 0 */
	bool has_failed; /* a log could not be read, or not all of it */
};

/**
 * backtest_replay()
 * @facts:    whose filters tell the facts; may be one of @policies by its folder
 * @is_facts: which of @policies reads exactly what @facts reads, or -1
 *
 * Says in words what goes wrong. Return: 0 with @out (also if it was interrupted), or
 * negative errno.
 */
int backtest_replay(const struct backtest_options *o,
    const struct backtest_policy *facts, const struct backtest_policy *policies,
    size_t n_policies, int is_facts, char **logs, size_t n_logs,
    struct backtest_outcome *out);
