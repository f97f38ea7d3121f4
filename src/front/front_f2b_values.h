/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * front_f2b_values - what the engine says of jails and bans, and how it goes into
 * replies
 *
 * For front_f2b_status.c, front_f2b_bans.c and front_f2b_orders.c.
 */

#include "front/front_f2b_command.h"

struct f2b_jail_status {
	uint32_t jail;
	uint64_t failed_now, failed_total, banned_now, banned_total;
	struct unpack files, bans;
	uint32_t n_files, n_bans;
};

/* Who is banned. */
struct f2b_banned {
	struct net net;
	struct span id; /* the text, if it is an id */
};

struct f2b_ban {
	uint32_t which, jail;
	struct f2b_banned who;
	wall_t at, until;
};

struct f2b_jail_status f2b_read_status(struct unpack *u);
struct f2b_ban f2b_read_ban(struct unpack *u);

void f2b_add_who(struct buf *b, const struct f2b_banned *w); /* plain text */
void f2b_put_who(struct buf *b, const struct f2b_banned *w); /* a pickled one */
/* Open a pair of which the value follows; close it by picklew_tuple_end(). */
void f2b_put_name(struct buf *b, const char *name);
/* The bans of a jail, as a list. */
void f2b_put_bans(struct buf *b, const struct f2b_jail_status *s);
void f2b_put_count(struct buf *b, const char *name, uint64_t n);

const char *f2b_jail_name(const struct f2b_world *w, uint32_t jail); /* "" if none */

/* Ask for F2B_STATUS of a jail, or of all (UINT32_MAX). */
void f2b_ask_status(
    struct f2b_command *c, uint32_t jail, bool with_bans, f2b_resume_fn resume);
