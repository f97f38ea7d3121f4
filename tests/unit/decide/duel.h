/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * duel - the engine against a naive model that keeps every failure and adds all up
 *
 * Both get the same random calls: hits out of order, ticks, bans, unbans, reloads,
 * restarts from what the store would hold. Every outcome, order, ban and account must
 * be the same. A difference prints itself and aborts.
 */

#include <stddef.h>
#include <stdint.h>

struct duel_stats {
	size_t n_hits, n_bans, n_prolonged, n_stale, n_restarts, n_reloads;
};

void duel_run(const uint8_t *bytes, size_t n, struct duel_stats *io_stats);
