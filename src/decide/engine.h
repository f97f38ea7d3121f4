/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * engine - evidence in, orders out: the pure heart of bandog
 *
 * No clock, no I/O, no globals: time comes with each call. The live daemon, `bandog
 * scan`, tests and fuzzers run this very code. Everything in it is bounded, because
 * strangers choose what goes in; what happens when a bound is reached is said at the
 * option and counted.
 *
 * Windows are true sliding windows over log time: an address is banned when maxretry
 * failures lie within findtime seconds, whatever the order the lines came in.
 */

#include "base/clock.h"
#include "base/cleanup.h"
#include "base/net.h"
#include "flow/hit.h"
#include "flow/order.h"

struct engine;

struct engine_jail {
	const char *name;
	double findtime_sec;
	uint32_t maxretry;   /* sum of weights that bans; at least 1 */
	int64_t bantime_sec; /* negative: permanent */
	uint32_t maxmatches; /* lines kept per address for explaining; 0: none */
	bool ignoreself;
	const struct net *ignore;
	size_t n_ignore;
};

struct engine_options {
	const struct engine_jail *jails; /* copied */
	size_t n_jails;
	size_t max_tracked; /* addresses with failures; full: the oldest is forgotten */
	size_t max_bans;    /* full: the ban is refused, and counted */
	size_t text_bytes;  /* lines kept in all; full: the oldest are forgotten */
};

#define ENGINE_MAX_TRACKED 1000000
#define ENGINE_MAX_BANS 2000000
#define ENGINE_TEXT_BYTES (4u << 20)
#define ENGINE_MAX_WINDOW 256 /* failures remembered per address and jail, at most */

enum {
	ENGINE_COUNTED = 0,
	ENGINE_BANNED = 1,      /* a ban order was appended */
	ENGINE_PROLONGED,       /* it was banned; now it ends later */
	ENGINE_ALREADY_BANNED,  /* nothing changed */
	ENGINE_IGNORED,         /* ignoreip or ignoreself */
	ENGINE_STALE,           /* outside every window that could still matter */
	ENGINE_OVER,            /* enough failures, but the ban would be over by now */
	ENGINE_FULL,            /* max_bans */
	ENGINE_ABSENT,          /* unban: was not banned */
};

struct engine *engine_new(const struct engine_options *o); /* NULL: out of memory */
struct engine *engine_free(struct engine *e);
DEFINE_CLEANUP(struct engine *, engine_free)

/**
 * engine_feed() - weigh one hit
 * @now: bans that would already be over at this time are not made (ENGINE_OVER)
 * @out: orders are appended
 *
 * Return: an ENGINE_* outcome or -ENOMEM.
 */
int engine_feed(struct engine *e, const struct hit *h, wall_t now, struct orders *out);

/* Time has come to @now: bans that ended become unban orders, old failures go. */
int engine_tick(struct engine *e, wall_t now, struct orders *out);

/* When engine_tick() has something to do next; WALL_NEVER: no ban will end. */
wall_t engine_next(const struct engine *e);

/**
 * engine_ban() - somebody asks for a ban (no ignore check, as fail2ban does)
 * @sec: its length; negative: permanent; 0: the jail's bantime
 *
 * Return: ENGINE_BANNED, _PROLONGED, _ALREADY_BANNED, _FULL, or -ENOMEM.
 */
int engine_ban(struct engine *e, uint32_t jail, const struct net *n, wall_t now, int64_t sec,
    struct orders *out);

/**
 * engine_unban() - lift bans of @n and, if it is a network, of all inside it; the failures
 *                  counted so far are forgotten too
 * @jail: index, or -1 for all
 * @n:    NULL for all
 *
 * Return: how many bans were lifted (0..INT_MAX), or -ENOMEM.
 */
int engine_unban(struct engine *e, int jail, const struct net *n, wall_t now,
    struct orders *out);

/* A ban or count from the store, before the first line is fed. Return: 0, _FULL, -ENOMEM. */
int engine_restore_ban(struct engine *e, const struct order *o);
int engine_restore_tally(struct engine *e, uint32_t jail, const struct net *n, struct span state);

/* The addresses of this machine, for ignoreself; replaces the earlier ones. */
int engine_set_own(struct engine *e, const struct net *own, size_t n_own);

/**
 * engine_reload() - new jails, by name: bans and counts of jails that stay are kept,
 * those of jails that went become unban orders (ORDER_JAIL_GONE, jail = the OLD index)
 *
 * Return: 0 or -ENOMEM (nothing changed).
 */
int engine_reload(struct engine *e, const struct engine_options *o, wall_t now,
    struct orders *out);

struct engine_counts {
	uint64_t failed_now;   /* addresses with failures in the window */
	uint64_t failed_total; /* failures counted since start */
	uint64_t banned_now;
	uint64_t banned_total;
	uint64_t ignored_total;
};
void engine_counts(const struct engine *e, uint32_t jail, struct engine_counts *out);

struct engine_bounds {
	uint64_t n_tracked, n_bans;
	uint64_t n_forgotten; /* addresses dropped because max_tracked was reached */
	uint64_t n_refused;   /* bans refused because max_bans was reached */
};
void engine_bounds(const struct engine *e, struct engine_bounds *out);

/* Every ban (jail -1) or those of one jail; ordered by end. @o dies after the callback. */
typedef void (*engine_ban_fn)(void *ctx, const struct order *o);
void engine_each_ban(const struct engine *e, int jail, engine_ban_fn fn, void *ctx);

/* Bans of @n itself, or of a network around it, or inside it. */
void engine_find_bans(const struct engine *e, const struct net *n, engine_ban_fn fn, void *ctx);

/* What speaks against @n now, per jail in which something does. */
struct engine_account {
	uint32_t jail;
	uint32_t failures; /* in the window that ends at the newest */
	uint32_t maxretry;
	double findtime_sec;
	wall_t first, last;
	const struct evidence *why;
	size_t n_why;
};
typedef void (*engine_account_fn)(void *ctx, const struct engine_account *a);
void engine_account(const struct engine *e, const struct net *n, engine_account_fn fn, void *ctx);

/* Is @n ignored in @jail, and through which network? */
bool engine_is_ignored(const struct engine *e, uint32_t jail, const struct net *n, struct net *by);

/**
 * engine_each_dirty() - counts that changed since the last call, for the store
 *
 * @state is what engine_restore_tally() takes; empty: the count is gone. Clears the
 * marks. engine_mark_dirty() sets them all, after the store was lost.
 */
typedef void (*engine_tally_fn)(void *ctx, uint32_t jail, const struct net *n, struct span state);
void engine_each_dirty(struct engine *e, engine_tally_fn fn, void *ctx);
void engine_mark_dirty(struct engine *e);
