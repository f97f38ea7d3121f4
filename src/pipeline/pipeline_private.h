/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * pipeline_private - what pipeline.c (a line) and pipeline_block.c (many) share; nobody
 * else includes it
 */

#include "base/decode.h"
#include "base/scan.h"
#include "match/sieve.h"
#include "pipeline/pipeline.h"

struct lane {
	struct filter *filter;   /* NULL: the jail has none */
	struct decoder *decoder; /* NULL: its logs are UTF-8 */
	struct pipeline_counts counts;
	bool is_idle;
	bool hears_refusals;  /* see setup_hears_refusals() */
	bool is_told_useless; /* see pipeline_on_useless_id() */
	const char *seen_to;  /* while a block is fed */
};

/* The jails that are fed the same lines. */
struct lens {
	uint32_t *jails;
	uint32_t n_jails;
	struct sieve *sieve;   /* NULL: line by line, a log is in another encoding */
	struct recent *recent; /* filters point to it */
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
	pipeline_hit_fn on_hit;
	void *on_hit_ctx;
	pipeline_name_fn on_name;
	void *on_name_ctx;
	pipeline_ask_fn on_ask;
	void *on_ask_ctx;
	pipeline_useless_fn on_useless;
	void *on_useless_ctx;
	char id[NET_ID_MAX_BYTES + 1]; /* of the failure at hand */
	struct lens *lenses; /* one for each list of jails that was fed a block */
	size_t n_lenses;
	struct recent *found; /* of blocks that were searched elsewhere */
	/* While a block is fed: failures that wait to be weighed together. */
	bool gathers;
	struct hit gathered[8 * ENGINE_EXPECT_MAX];
	size_t n_gathered;
};

/* As pipeline_feed(); @rules as for filter_feed(). */
int pipeline_feed_rules(struct pipeline *p, uint32_t jail, const struct line *l,
    const uint64_t *rules, wall_t now, struct orders *out);

/* Weigh what was gathered. Return: 0 or -ENOMEM. */
int pipeline_weigh_gathered(struct pipeline *p, wall_t now, struct orders *out);

/* What follows from the outcome @r of filter_feed(). */
int pipeline_conclude(struct pipeline *p, uint32_t jail, const struct line *l, int r,
    const struct filter_failure *failure, wall_t now, struct orders *out);

/* --- of pipeline_block.c */

/* NULL: out of memory. */
struct lens *pipeline_lens(struct pipeline *p, const uint32_t *jails, uint32_t n_jails);
struct line pipeline_line(const struct pipeline_block *b, struct scan_line line);
/* NULL: it judges no lines. */
struct lane *pipeline_lane(struct pipeline *p, uint32_t jail);
/* A block begins; the next line that the lane looks at is @whole; a block ends. */
void pipeline_begin(struct pipeline *p, const uint32_t *jails, uint32_t n_jails,
    const struct pipeline_block *b);
void pipeline_reach(struct lane *lane, const struct line *l, struct span whole);
/* Return: 0 or -ENOMEM. */
int pipeline_finish(struct pipeline *p, const uint32_t *jails, uint32_t n_jails,
    const struct pipeline_block *b, struct recent *recent);

/* The filters are about to change. */
void pipeline_forget_lenses(struct pipeline *p);
