/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * backtest_book - who did what, and what each policy did about it
 *
 * Facts (attempts, good signs) are of an address and do not depend on policies. Fates
 * are what a policy makes of them: attempts that passed or were stopped, bans. Ids are
 * not written down.
 *
 * Bounds: of BACKTEST_MAX_ADDRESSES addresses, about 200 bytes each and 64 more for
 * each policy; what others do is counted in the totals only. Of BACKTEST_MAX_NETWORKS
 * banned networks a policy. Lines of bans: BACKTEST_LINES_BYTES a policy, each cut to
 * BACKTEST_LINE_BYTES; later ones are not kept.
 */

#include "base/cleanup.h"
#include "cli/backtest_hours.h"
#include "flow/hit.h"
#include "flow/order.h"

#define BACKTEST_MAX_POLICIES 8
#define BACKTEST_MAX_ADDRESSES 500000
#define BACKTEST_MAX_NETWORKS 10000
#define BACKTEST_LINES_BYTES (16u << 20)
#define BACKTEST_LINE_BYTES 512

/* The first ban of somebody by a policy. */
struct backtest_ban {
	wall_t at, until;
	uint32_t jail;
	uint32_t n_attempts; /* of the address until then */
	uint16_t rule;
	uint8_t step; /* of the jail's graduated answers */
	char *line;   /* that brought it about; NULL: not kept */
};

struct backtest_fate {
	uint32_t n_bans;
	uint32_t n_met, n_stopped; /* attempts so far, and those of them stopped */
	wall_t until;              /* of the last ban */
	struct backtest_ban ban;   /* if there was one */
};

/* The last attempt. A session leaves several lines: what other rules say of it belongs
 * to the same attempt, what the same rule says again is another. */
struct backtest_try {
	uint64_t session;
	uint64_t kinds; /* a bit a rule, more or less */
	wall_t at;      /* of its last line */
};
#define BACKTEST_TRY_SEC 60 /* after so long it is another */

struct backtest_address {
	struct net net;
	uint32_t n_attempts;
	wall_t first_attempt; /* if any */
	struct backtest_try last;
	uint32_t n_good, n_good_days;
	int64_t last_good_day;
	uint64_t good_kinds;         /* a bit a rule, more or less */
	bool is_honest;              /* had credit at some time */
	struct backtest_fate *fates; /* one a policy */
};

struct backtest_network {
	struct net net;
	uint32_t n_bans;
	wall_t until;
	struct backtest_ban ban;
};

/* What one policy came to. */
struct backtest_sums {
	uint64_t n_passed, n_stopped;
	uint64_t n_addresses, n_networks; /* banned, each counted once */
	uint64_t n_bans, n_permanent;
	double total_sec; /* of the bans that end */
	size_t line_bytes;
	struct backtest_hours hours;
};

struct backtest_book;

struct backtest_book *backtest_book_new(size_t n_policies); /* NULL: out of memory */
struct backtest_book *backtest_book_free(struct backtest_book *b);
DEFINE_CLEANUP(struct backtest_book *, backtest_book_free)

/* Facts, in the order of the lines. @kind: any number that tells rules apart. */
struct backtest_sign {
	struct net who;
	wall_t at;
	unsigned int kind;
	uint64_t session; /* hash of what tells sessions apart: program and process */
};

/* Return: is it an attempt of its own? @out: who it was; NULL: not written down. */
bool backtest_book_attempt(struct backtest_book *b, const struct backtest_sign *sign,
    struct backtest_address **out);
/* Return: who it was, or NULL: not written down. */
struct backtest_address *backtest_book_good(
    struct backtest_book *b, const struct backtest_sign *sign);

/* The policy let that attempt pass, or stopped it. @who may be NULL. */
void backtest_book_judge(struct backtest_book *b, size_t policy,
    struct backtest_address *who, wall_t at, bool is_stopped);

/* The policy bans or prolongs; or a ban ended. @rule and @line: what led to it. */
void backtest_book_order(struct backtest_book *b, size_t policy, const struct order *o,
    uint16_t rule, struct span line);

uint64_t backtest_book_n_attempts(const struct backtest_book *b);
uint64_t backtest_book_n_unwritten(
    const struct backtest_book *b); /* for want of room */
const struct backtest_sums *backtest_book_sums(
    const struct backtest_book *b, size_t policy);

typedef void (*backtest_address_fn)(void *ctx, const struct backtest_address *a);
/* In the order in which they came. */
void backtest_book_each(
    const struct backtest_book *b, backtest_address_fn fn, void *ctx);

typedef void (*backtest_network_fn)(void *ctx, const struct backtest_network *n);
void backtest_book_each_network(
    const struct backtest_book *b, size_t policy, backtest_network_fn fn, void *ctx);

/* The first ban by the policy of the address, or of a network around it; NULL: none. */
const struct backtest_ban *backtest_book_ban_of(const struct backtest_book *b,
    size_t policy, const struct backtest_address *a, struct net *out_net);

/* How long it took from the first attempt to the ban, and how many attempts: of those
 * that were banned by themselves, after an attempt. */
struct backtest_delays {
	size_t n; /* addresses */
	double median_sec, p90_sec;
	double median_attempts;
	size_t n_unseen; /* addresses that were banned, and have no attempt at all */
};
/* Return: 0 or -ENOMEM. */
int backtest_book_delays(
    const struct backtest_book *b, size_t policy, struct backtest_delays *out);
