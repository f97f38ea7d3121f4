/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * offenders - who was banned before, per jail and network: how often, and when last
 *
 * Jails are known by name, and stay known when the configuration no longer has them:
 * what somebody did there still counts for those jails that count the bans of all.
 *
 * A network is forgotten when its last ban is older than keep_sec and was not for good,
 * and three times its length is over for as long too (fail2ban's rule). That is decided
 * when it is looked at; a hand that looks at a few of them at a time frees the memory.
 *
 * Bounded by max: beyond, the one whose last ban is the oldest of eight drawn at random
 * goes. At most OFFENDERS_MAX_JAILS names.
 */

#include "base/cleanup.h"
#include "flow/offender.h"

#define OFFENDERS_MAX_JAILS 65535
#define OFFENDERS_LENGTHS 3 /* so many times the length of a ban it is remembered */

struct offenders;

struct offenders *offenders_new(size_t max); /* NULL: out of memory */
struct offenders *offenders_free(struct offenders *t);
DEFINE_CLEANUP(struct offenders *, offenders_free)

/* @keep_sec: not above 0: nobody is forgotten because of time. */
void offenders_set_bounds(struct offenders *t, size_t max, double keep_sec);

/* The number of a jail, for the calls below. Return: 0, or -ENOMEM (or too many). */
int offenders_jail(struct offenders *t, const char *name, uint32_t *out);

/* NULL: not known, or forgotten at @now. Good until the next change. */
const struct offender *offenders_find(
    const struct offenders *t, uint32_t jail, const struct net *n, wall_t now);

/* How often over all jails; 0: never. */
uint32_t offenders_count_all(
    const struct offenders *t, const struct net *n, wall_t now);

/* One ban more. Return: 0 or -ENOMEM. */
int offenders_add(struct offenders *t, uint32_t jail, const struct net *n, wall_t at,
    wall_t until, wall_t now);

/* One ban less: it was not let through. */
void offenders_take_back(struct offenders *t, uint32_t jail, const struct net *n);

/* Forget @n and all inside it (NULL: all) in @jail (-1: in all). */
void offenders_forget(struct offenders *t, int64_t jail, const struct net *n);

/* Look at @n_slots and free those that are forgotten. */
void offenders_sweep(struct offenders *t, wall_t now, size_t n_slots);

size_t offenders_n(const struct offenders *t);

/* From the store; its bans are added to those that came after. Return: 0 or -ENOMEM. */
int offenders_restore(struct offenders *t, uint32_t jail, const struct offender *o);

/* What changed since the last call, for the store; count 0: to be forgotten. */
typedef void (*offender_fn)(void *ctx, const char *jail, const struct offender *o);
void offenders_each_dirty(struct offenders *t, offender_fn fn, void *ctx);
void offenders_mark_dirty(struct offenders *t);
