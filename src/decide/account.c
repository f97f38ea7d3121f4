/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/account.h"

#include "base/hash.h"
#include "decide/crowd.h"
#include "decide/memo.h"

#define ROOM 8 /* more than ACCOUNT_ATTACKERS */
#define SPAN_US (ACCOUNT_SPAN_SEC * US_PER_SEC)
#define MIN_GAP_US (ACCOUNT_MIN_GAP_SEC * US_PER_SEC)
#define SLACK_US (10 * US_PER_SEC) /* gaps are alike: so near, or */
#define SLACK_PARTS 8              /* by this part of them */
#define SAME_TRY_US (5 * US_PER_SEC)
#define OTHERS_US                                                           \
	(INT64_C(86400) * US_PER_SEC) /* other accounts are held against it \
				       */

struct accounts {
	struct memo *attackers; /* by account: struct crowd_one[ROOM] */
	struct memo *rhythms;   /* by address */
};

struct rhythm {
	uint64_t account;
	int64_t last_us;
	int64_t gap_us;
	int64_t others_until_us;
	uint32_t n_alike; /* gaps like the one before */
};

struct accounts *accounts_new(size_t max)
{
	CLEANUP(accounts_freep) struct accounts *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->attackers = memo_new(ROOM * sizeof(struct crowd_one), max);
	a->rhythms = memo_new(sizeof(struct rhythm), max);
	return a->attackers && a->rhythms ? TAKE(a) : NULL;
}

struct accounts *accounts_free(struct accounts *a)
{
	if (!a)
		return NULL;
	memo_free(a->attackers);
	memo_free(a->rhythms);
	free(a);
	return NULL;
}

static bool is_attacked(struct accounts *a, uint64_t who, uint64_t account, wall_t at)
{
	struct crowd_one *ones =
	    memo_get(a->attackers, hash_keyed(&account, sizeof(account)));

	if (!ones)
		return false;
	crowd_add(ones, ROOM, who, at.us);
	return crowd_count(ones, ROOM, at.us - SPAN_US) >= ACCOUNT_ATTACKERS;
}

static bool are_alike(int64_t a_us, int64_t b_us)
{
	int64_t off_us = a_us > b_us ? a_us - b_us : b_us - a_us;

	return off_us <= SLACK_US || off_us <= b_us / SLACK_PARTS;
}

/* Gaps are whole numbers of microseconds apart at most by the range of log times. */
static bool is_stale(struct accounts *a, uint64_t who, uint64_t account, wall_t at)
{
	struct rhythm *r = memo_get(a->rhythms, who);
	int64_t gap_us;

	if (!r)
		return false;
	if (r->account != account) {
		if (r->account)
			r->others_until_us = at.us + OTHERS_US;
		*r = (struct rhythm){account, at.us, 0, r->others_until_us, 0};
		return false;
	}
	gap_us = at.us - r->last_us;
	/* Some try a few times in a row, each time; that counts, and is no gap. */
	if (gap_us < SAME_TRY_US)
		return false;
	if (gap_us >= MIN_GAP_US && are_alike(gap_us, r->gap_us))
		r->n_alike++;
	else
		r->n_alike = 0;
	r->gap_us = gap_us;
	r->last_us = at.us;
	return r->n_alike > 0 && at.us >= r->others_until_us;
}

enum account_state accounts_feed(
    struct accounts *a, uint64_t who, uint64_t account, wall_t at)
{
	bool attacked = is_attacked(a, who, account, at);
	bool stale = is_stale(a, who, account, at);

	if (attacked)
		return stale ? ACCOUNT_PLAIN : ACCOUNT_ATTACKED;
	return stale ? ACCOUNT_STALE : ACCOUNT_PLAIN;
}

int16_t account_weight(enum account_state s, int16_t weight)
{
	int part = weight / ACCOUNT_STALE_PARTS;

	switch (s) {
	case ACCOUNT_PLAIN:
		return weight;
	case ACCOUNT_ATTACKED:
		return weight > INT16_MAX / ACCOUNT_ATTACKED_FACTOR
			   ? INT16_MAX
			   : (int16_t)(weight * ACCOUNT_ATTACKED_FACTOR);
	case ACCOUNT_STALE:
		return (int16_t)(part > 0 ? part : 1);
	}
	return weight;
}
