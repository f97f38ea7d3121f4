/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * backtest_reach - would this ban have kept that away?
 *
 * A ban closes the ports of its jail, and what a jail reports came through its own. A
 * step that only refuses (decide/steps.h) keeps nobody out. A jail whose ports are not
 * known, since its actions are commands, is taken to close, or to be behind, all.
 */

#include "flow/order.h"
#include "pipeline/setup.h"

/* @o: of @s; @through: the jail whose filter saw it, of any set-up. */
bool backtest_reach(
    const struct setup *s, const struct order *o, const struct setup_jail *through);
