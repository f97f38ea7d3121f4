/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * enforcer_later - orders that wait, since more bans a second came than may be
 *
 * First in, first out. What comes while others wait goes behind them, also what lifts a
 * ban and is done at once: so the last that was said of an address is the last that is
 * done. At most ENFORCER_LATER_MAX, as many as the engine has bans; what is beyond is
 * told and lost.
 */

#include "base/loop.h"
#include "flow/order.h"

#define ENFORCER_LATER_MAX 2000000

struct enforcer_later;

/* Carry out the first of them. Return: how many; fewer than @n: the others wait on. */
typedef uint32_t (*enforcer_later_fn)(
    void *ctx, const struct order *orders, uint32_t n);

/* NULL: out of memory. */
struct enforcer_later *enforcer_later_new(
    struct loop *l, enforcer_later_fn fn, void *ctx);
struct enforcer_later *enforcer_later_free(struct enforcer_later *l);

void enforcer_later_add(struct enforcer_later *l, const struct order *record);
bool enforcer_later_any(const struct enforcer_later *l); /* does one wait? */
void enforcer_later_clear(struct enforcer_later *l);
void enforcer_later_forget(struct enforcer_later *l, uint32_t jail); /* those of it */
