/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * f2b_db - read a fail2ban database (fail2ban.sqlite3, schemas 1 to 4); never write one
 *
 * What bans says is history; what bips says (from schema 4 on; before, the last ban of
 * each address) may still last. A damaged row is left out and counted.
 */

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"

#define F2B_BANTIME_UNKNOWN (-2) /* from a schema that did not store it */

struct f2b_db;

struct f2b_ban {
	const char *jail;
	const char *ip; /* the failure id: an address, or any text */
	wall_t at;
	int64_t bantime_sec; /* -1: permanent; F2B_BANTIME_UNKNOWN */
	uint32_t ban_count;
	uint32_t failures;
	const char *matches; /* lines, newest last; NULL: none */
	const char *address; /* the address that stood beside @ip, or NULL */
};

struct f2b_log {
	const char *jail;
	const char *path;
	int64_t position;
};

/* Return: NULL with @e (not there, no database of fail2ban, a newer schema). */
struct f2b_db *f2b_db_open(const char *path, struct err *e);
struct f2b_db *f2b_db_close(struct f2b_db *d);
DEFINE_CLEANUP(struct f2b_db *, f2b_db_close)

int f2b_db_version(const struct f2b_db *d);

/* A callback's non-zero value ends the walk and is returned. Oldest first. */
typedef int (*f2b_ban_fn)(void *ctx, const struct f2b_ban *b);
typedef int (*f2b_log_fn)(void *ctx, const struct f2b_log *l);
int f2b_db_each_history(struct f2b_db *d, f2b_ban_fn fn, void *ctx);
int f2b_db_each_current(struct f2b_db *d, f2b_ban_fn fn, void *ctx);
int f2b_db_each_log(struct f2b_db *d, f2b_log_fn fn, void *ctx);
