/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * distinct - one memo for both: that a value was seen, and how many there were
 */
#include "decide/distinct.h"

#include "base/hash.h"
#include "decide/memo.h"

#define DAY_US (INT64_C(86400) * US_PER_SEC)

struct distinct {
	struct memo
	    *seen; /* uint32_t: 1 of a value, of an address the number of them */
};

/* Without holes: it is hashed bytewise. */
struct key {
	struct net who;
	uint8_t is_sum;
	uint16_t rule;
	uint32_t jail;
	int64_t day;
	uint64_t value;
} __attribute__((packed));

struct distinct *distinct_new(size_t max)
{
	CLEANUP(distinct_freep) struct distinct *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->seen = memo_new(sizeof(uint32_t), max);
	return d->seen ? TAKE(d) : NULL;
}

struct distinct *distinct_free(struct distinct *d)
{
	if (!d)
		return NULL;
	memo_free(d->seen);
	free(d);
	return NULL;
}

static int64_t day_of(wall_t at)
{
	return at.us >= 0 ? at.us / DAY_US : -((-at.us + DAY_US - 1) / DAY_US);
}

int distinct_feed(struct distinct *d, uint32_t jail, uint16_t rule,
    const struct net *who, uint64_t value, wall_t at, uint16_t n_free)
{
	struct key k = {*who, 0, rule, jail, day_of(at), value};
	uint32_t *seen = memo_get(d->seen, hash_keyed(&k, sizeof(k)));

	if (!seen || *seen)
		return DISTINCT_KNOWN;
	*seen = 1;
	if (!n_free)
		return 0;
	k.is_sum = 1;
	k.value = 0;
	seen = memo_get(d->seen, hash_keyed(&k, sizeof(k)));
	if (!seen || *seen >= n_free)
		return seen ? 0 : DISTINCT_FREE;
	++*seen;
	return DISTINCT_FREE;
}
