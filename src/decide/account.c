/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/account.h"

#include "base/hash.h"
#include "decide/crowd.h"
#include "decide/memo.h"

#define ROOM ACCOUNT_ATTACKERS /* more need not be told apart */
#define SPAN_US (ACCOUNT_SPAN_SEC * US_PER_SEC)
#define MIN_GAP_US (ACCOUNT_MIN_GAP_SEC * US_PER_SEC)
#define SLACK_US (10 * US_PER_SEC) /* gaps are alike: so near, or */
#define SLACK_PARTS 8              /* by this part of them */
#define SAME_TRY_US (5 * US_PER_SEC)
#define MAX_AT_ONCE 1 /* beside the first */
#define MAX_SOONER 1  /* in a row */
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
	int64_t gap_us;    /* the last one */
	int64_t period_us; /* 0: no rhythm yet */
	int64_t others_until_us;
	uint32_t n_sooner;  /* in a row, than the rhythm has it */
	uint32_t n_at_once; /* beside the last one */
	bool is_trusted;    /* it was found while nobody attacked the account */
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

static bool is_attacked(struct accounts *a, uint64_t site, uint64_t account, wall_t at)
{
	struct crowd_one *ones =
	    memo_get(a->attackers, hash_keyed(&account, sizeof(account)));

	if (!ones)
		return false;
	crowd_add(ones, ROOM, site, at.us);
	return crowd_count(ones, ROOM, at.us - SPAN_US) >= ACCOUNT_ATTACKERS;
}

static bool are_alike(int64_t a_us, int64_t b_us)
{
	int64_t off_us = a_us > b_us ? a_us - b_us : b_us - a_us;

	return off_us <= SLACK_US || off_us <= b_us / SLACK_PARTS;
}

/* With @gap_us since the one before: does this one keep to the rhythm, or find it? */
static bool keeps_rhythm(struct rhythm *r, int64_t gap_us)
{
	if (r->period_us) {
		if (gap_us >= r->period_us || are_alike(gap_us, r->period_us)) {
			r->n_sooner = 0;
			return true;
		}
		if (++r->n_sooner > MAX_SOONER)
			r->period_us = 0;
		return false;
	}
	if (gap_us < MIN_GAP_US || !are_alike(gap_us, r->gap_us))
		return false;
	r->period_us = gap_us;
	r->n_sooner = 0;
	return true;
}

static bool is_stale(struct rhythm *r, uint64_t account, wall_t at)
{
	int64_t gap_us;
	bool keeps;

	/* The second: a clock was put right. */
	if (r->account != account || at.us < r->last_us - SPAN_US) {
		int64_t until_us = r->account && r->account != account
				       ? at.us + OTHERS_US
				       : r->others_until_us;

		*r = (struct rhythm){
		    .account = account, .last_us = at.us, .others_until_us = until_us};
		return false;
	}
	gap_us = at.us - r->last_us;
	/* Some try twice in a row, each time; that is no gap. */
	if (gap_us < SAME_TRY_US)
		return r->period_us && ++r->n_at_once <= MAX_AT_ONCE &&
		       at.us >= r->others_until_us;
	keeps = keeps_rhythm(r, gap_us);
	r->gap_us = gap_us;
	r->last_us = at.us;
	r->n_at_once = 0;
	return keeps && at.us >= r->others_until_us;
}

enum account_state accounts_feed(struct accounts *a, uint32_t jail, uint64_t who,
    uint64_t site, uint64_t account, wall_t at)
{
	uint64_t key[2] = {who, jail};
	bool attacked = is_attacked(a, site, account, at);
	struct rhythm *r = memo_get(a->rhythms, hash_keyed(key, sizeof(key)));
	bool stale = r && is_stale(r, account, at);

	if (r)
		r->is_trusted = r->period_us && (r->is_trusted || (stale && !attacked));
	if (attacked && !(stale && r->is_trusted))
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
