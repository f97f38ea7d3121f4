/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * sums - what was counted since the last checkpoint, on its way to the keeper
 *
 * By (hour, jail, rule) and by (hour, jail, who). Both are bounded: beyond, who it was
 * is forgotten first, as it is in the other sum; what is not even in that is counted.
 * What is taken out are the bodies of MSG_PUT_SUMS, which have names instead of numbers
 * and may be sent again as they are.
 */

#include "pipeline/setup.h"
#include "record/db_sums.h"

#define SUMS_MAX 8192
#define SUMS_MAX_WHO 65536
#define SUMS_REASON_BYTES 160 /* of the text of a rule; the rest is cut off */

struct sums;

struct sums *sums_new(void); /* NULL: out of memory */
struct sums *sums_free(struct sums *s);
DEFINE_CLEANUP(struct sums *, sums_free)

/* @rule: index of the failregex, or DB_RULE_*. @at before 1970 is no time: ignored. */
void sums_add(struct sums *s, wall_t at, uint32_t jail, int rule, const struct net *who,
    const struct db_numbers *n);

bool sums_is_empty(const struct sums *s);
uint64_t sums_n_lost(const struct sums *s); /* could not be added */

/**
 * sums_take() - move all of it into message bodies
 * @names:    the set-up that the jails' numbers are of
 * @run:      of this process
 * @io_batch: the number of the last body
 * @out:      each body behind its length, as pack_span() has it
 */
void sums_take(struct sums *s, const struct setup *names, uint64_t run,
    uint64_t *io_batch, struct buf *out);

/* The keeper's side: give each to @d, unless it was booked already. Return: 0, negative
 * errno of @d; @u is bad if it is no such body. */
int sums_book(struct unpack *u, struct db *d);
