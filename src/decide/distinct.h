/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * distinct - which values an address has used today: a different one counts, the same
 * one again does not
 *
 * Who sends to many unknown recipients guesses; who sends to one again and again has
 * mistyped it. A day is one of the log's own, by UTC, so late lines go where they
 * belong. Bounded (decide/memo.h): of very many the least used are forgotten, and after
 * a restart all: then a value counts once more, and the free ones are free once more.
 */

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/net.h"

#define DISTINCT_MAX 65536 /* values and addresses of a generation: 3 MB at most */

struct distinct;

struct distinct *distinct_new(size_t max); /* NULL: out of memory */
struct distinct *distinct_free(struct distinct *d);
DEFINE_CLEANUP(struct distinct *, distinct_free)

enum {
	DISTINCT_FREE = 1, /* one of the first @n_free of the day */
	DISTINCT_KNOWN,    /* not the first time today */
};

/**
 * distinct_feed() - @who has used @value
 * @jail, @rule: values of another jail or rule are others
 *
 * Return: 0: it counts; or why it does not. Without memory it does not count, either.
 */
int distinct_feed(struct distinct *d, uint32_t jail, uint16_t rule,
    const struct net *who, uint64_t value, wall_t at, uint16_t n_free);
