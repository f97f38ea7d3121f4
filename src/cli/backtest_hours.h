/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * backtest_hours - what happened under one policy, hour by hour
 *
 * Hours come in any order. They may span BACKTEST_MAX_HOURS (eleven years); what is
 * beyond, as a wrong date is, is counted and left out.
 */

#include <stddef.h>

#include "base/clock.h"

#define BACKTEST_MAX_HOURS 100000

struct backtest_hour {
	uint32_t passed, stopped; /* attempts */
	uint32_t begun, ended;    /* bans */
};

struct backtest_hours {
	struct backtest_hour *rows;
	size_t n;
	int64_t first; /* hours since 1970 of rows[0] */
	uint64_t n_beyond;
};

void backtest_hours_deinit(struct backtest_hours *h);

/* The row of that time; NULL: beyond, or out of memory. It dies with the next call. */
struct backtest_hour *backtest_hours_at(struct backtest_hours *h, wall_t at);

/* Row @i, which begins at @out_at; @io_active: bans that lasted when it began, to
 * begin with 0; it becomes those at its end. Return: bans that lasted in it. */
uint64_t backtest_hours_row(
    const struct backtest_hours *h, size_t i, wall_t *out_at, uint64_t *io_active);
