/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * account - who tries to be whom: accounts under attack, and passwords that are stale
 *
 * An account that is tried from ACCOUNT_ATTACKERS addresses within an hour is under
 * attack: each further failure about it weighs double.
 *
 * A program with a password that was changed is no attack: it comes back from one
 * address, for one account and no other, at the rhythm at which it looks for mail. Two
 * gaps that are alike, of a minute or more, are a rhythm; from then on a failure weighs
 * an eighth, and no more of them count than of misconfiguration: who keeps to it, or
 * comes later (a telephone sleeps), is never banned for it alone. One that comes sooner
 * weighs as it says; two of these in a row, or another account, end it. What came
 * before a rhythm was found is part of it. While its account is attacked none is found,
 * but who had one keeps it: or by an attack on an account its owner could be banned.
 *
 * Bounded (decide/memo.h), keyed hashes, in memory only.
 */

#include "base/cleanup.h"
#include "base/clock.h"

#define ACCOUNT_MAX                                                      \
	32768 /* accounts, and addresses, of a generation: 20 MB at most \
	       */
#define ACCOUNT_ATTACKERS 5
#define ACCOUNT_SPAN_SEC 3600
#define ACCOUNT_MIN_GAP_SEC 60
#define ACCOUNT_ATTACKED_FACTOR 2
#define ACCOUNT_STALE_PARTS 8

struct accounts;

struct accounts *accounts_new(size_t max); /* NULL: out of memory */
struct accounts *accounts_free(struct accounts *a);
DEFINE_CLEANUP(struct accounts *, accounts_free)

enum account_state {
	ACCOUNT_PLAIN,
	ACCOUNT_ATTACKED,
	ACCOUNT_STALE, /* a password that is no longer true */
};

/* @who (net_hash()) of @site failed to be @account (a hash, not 0) at @at in @jail:
 * each service is looked at with a rhythm of its own. Attackers are counted by site. */
enum account_state accounts_feed(struct accounts *a, uint32_t jail, uint64_t who,
    uint64_t site, uint64_t account, wall_t at);

/* @weight as it counts then; never nothing. */
int16_t account_weight(enum account_state s, int16_t weight);
