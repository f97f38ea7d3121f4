/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * db_sums - how many came, got through and were stopped: by hour, jail, reason, address
 *
 * Two tables. One has sums by jail and reason (the rule), one has them by jail and
 * address. Only increments come in, within the checkpoint of the lines that they were
 * counted from; each batch has a number, so that one sent twice is booked once.
 *
 * Bounded: sums are kept by the hour for 30 days and by the day (UTC) for 400;
 * addresses by the hour for 2 days and by the day for 30, and of each hour and day not
 * more than the rows below. Who comes later in a full hour is in the sums only.
 */

#include "record/db.h"

#define DB_SUMS_HOURS_DAYS 30
#define DB_SUMS_DAYS 400
#define DB_WHO_HOURS_DAYS 2
#define DB_WHO_DAYS 30
#define DB_WHO_MAX_HOUR 5000
#define DB_WHO_MAX_DAY 10000
#define DB_SUMS_MAX_DAY 1000 /* jails and reasons of a day that is past */
#define DB_SUMS_MAX_HOUR 4000

#define DB_RULE_UNKNOWN (-1) /* a ban from before, whose lines are no longer held */
#define DB_RULE_BY_HAND (-2)

struct db_numbers {
	int64_t passed;         /* failures that the logs show */
	int64_t bans;           /* made; those that were refused are taken away again */
	int64_t attempts;       /* stopped, as estimated: see flow/stopped.h */
	int64_t packets, bytes; /* stopped */
};

enum { DB_SUMS_BOOKED = 1 };

/**
 * db_sums_begin() - a batch comes, within a transaction
 * @run:   drawn anew by each process that sends
 * @batch: its number, which grows
 *
 * Return: 0: book it; DB_SUMS_BOOKED: it was already; or negative errno.
 */
int db_sums_begin(struct db *d, uint64_t run, uint64_t batch);

/* Added to what is there. @at: any time of the hour. */
int db_add_sum(struct db *d, wall_t at, const char *jail, int rule, const char *reason,
    const struct db_numbers *n);
int db_add_who(struct db *d, wall_t at, const char *jail, const struct net *net,
    const struct db_numbers *n);

/* Hours that are past become days, days that are past go. Not within a transaction.
 * Return: 0 or negative errno. */
int db_fold_sums(struct db *d, wall_t now);

/* --- what was summed */
enum db_sums_by {
	DB_BY_ALL, /* one row */
	DB_BY_HOUR,
	DB_BY_JAIL,
	DB_BY_REASON,
	DB_BY_NETWORK, /* /24 and /64 */
	DB_BY_ADDRESS,
};

/* Of jail, reason and net only what it is summed by is set. */
struct db_sums_row {
	wall_t at; /* the hour; else the first one with anything in it */
	const char *jail;
	int64_t rule;
	const char *reason;
	struct net net;
	int64_t blocked; /* addresses, known of networks and of all */
	struct db_numbers n;
};
typedef int (*db_sums_fn)(void *ctx, const struct db_sums_row *r);

/* From what time on is told when @since is asked for: where an hour, or a day that has
 * become one, begins. Of addresses and networks, or of all others. */
wall_t db_sums_from(enum db_sums_by by, wall_t since, wall_t now);

/* Of exactly @net, over all jails, as long as addresses are kept. Return: 0 or negative
 * errno. */
int db_sum_of_who(
    struct db *d, const struct net *net, wall_t now, struct db_numbers *out);

/* At most @max rows: hours from the first on, others from the greatest on. As the other
 * walks of db.h. */
int db_each_sum(struct db *d, enum db_sums_by by, wall_t since, wall_t now, size_t max,
    db_sums_fn fn, void *ctx);
