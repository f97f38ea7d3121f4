/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * duel_model - engine.h said in the plainest way: every failure is kept, every window
 * is added up
 *
 * Jails are known by a number of their own that outlives reloads; index tells where a
 * jail is in the running set-up, or -1.
 */

#include <stdbool.h>

#include "decide/engine.h"

#define MODEL_JAILS 5
#define MODEL_NETS 9

extern const struct net model_nets[MODEL_NETS];

struct model_hit {
	int64_t at;
	int weight;
};

struct model_ban {
	bool on;
	int64_t at, until;
	uint32_t failures;
	int cause;
};

struct model_key {
	struct model_hit *hits; /* since the count was begun */
	size_t n, room;
	int64_t clock; /* when it was fed last */
	struct model_ban ban;
};

struct model_jail {
	int index; /* in the engine's set-up; -1: not there */
	int64_t findtime, bantime_sec;
	uint32_t maxretry;
	bool ignores_first; /* model_nets[0] is in ignoreip */
	uint64_t failed_total, banned_total, ignored_total;
	struct model_key keys[MODEL_NETS];
};

struct model {
	struct model_jail jails[MODEL_JAILS];
	int64_t clock;
	struct orders said;
	/*
	 * Reloads change findtime and maxretry: then what is out of reach is dropped as
	 * the engine drops it, and only windows with the new failure count.
	 */
	bool windows_change;
};

void model_init(struct model *m);
void model_deinit(struct model *m);

int model_feed(struct model *m, int jail, int net, int64_t at, int weight, int64_t now);
void model_tick(struct model *m, int64_t now);
int model_ban(struct model *m, int jail, int net, int64_t now, int64_t sec);
int model_unban(struct model *m, int jail, int net, int64_t now); /* -1: all */
void model_drop_jail(struct model *m, int jail, int64_t now);
/* Before findtimes change. */
void model_forget(struct model *m);

/* The window that ends at the newest. Return: false if nothing speaks against it. */
bool model_account(const struct model *m, int jail, int net, int64_t *out_sum,
    int64_t *out_first, int64_t *out_last);
