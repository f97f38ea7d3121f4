/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * pipeline_private - what pipeline.c (a line) and pipeline_block.c (many) share; nobody
 * else includes it
 */

#include "base/decode.h"
#include "match/sieve.h"
#include "pipeline/pipeline.h"

struct lane {
	struct filter *filter;   /* NULL: the jail has none */
	struct decoder *decoder; /* NULL: its logs are UTF-8 */
	struct pipeline_counts counts;
	bool is_idle;
	bool is_told_useless; /* see pipeline_on_useless_id() */
};

struct pipeline {
	const struct setup *setup;
	struct engine *engine;
	struct lane *lanes; /* one a jail */
	uint32_t n_lanes;
	wall_t replayed; /* how far a replay has come */
	wall_t since, until;
	pipeline_verdict_fn on_verdict;
	void *on_verdict_ctx;
	pipeline_name_fn on_name;
	void *on_name_ctx;
	pipeline_ask_fn on_ask;
	void *on_ask_ctx;
	pipeline_useless_fn on_useless;
	void *on_useless_ctx;
	char id[NET_ID_MAX_BYTES + 1]; /* of the failure at hand */
	struct lens *lenses; /* one for each list of jails that was fed a block */
	size_t n_lenses;
	/* While a block is fed: failures that wait to be weighed together. */
	bool gathers;
	struct hit gathered[ENGINE_EXPECT_MAX];
	size_t n_gathered;
};

/* As pipeline_feed(); @rules as for filter_feed(). */
int pipeline_feed_rules(struct pipeline *p, uint32_t jail, const struct line *l,
    const uint64_t *rules, wall_t now, struct orders *out);

/* Weigh what was gathered. Return: 0 or -ENOMEM. */
int pipeline_weigh_gathered(struct pipeline *p, wall_t now, struct orders *out);

/* The filters are about to change. */
void pipeline_forget_lenses(struct pipeline *p);
