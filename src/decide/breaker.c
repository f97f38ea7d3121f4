/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/breaker.h"

#include <stdlib.h>
#include <string.h>

#define SPAN_US (BREAKER_SPAN_SEC * US_PER_SEC)
#define HOLD_US (BREAKER_HOLD_SEC * US_PER_SEC)
#define LONGEST_US (BREAKER_LONGEST_SEC * US_PER_SEC)

struct crowds {
	struct crowd_one clients[BREAKER_ROOM];
	struct crowd_one credited[BREAKER_ROOM];
};

struct fuse {
	struct crowds *who; /* made with its first hit */
	int64_t since_us, until_us;
	/* Of a rule about abuse: what it may be open at most; how long it was so, less
	 * the time since closed_us; when it may trip again. */
	int64_t limit_us, spent_us, closed_us, barred_until_us;
	bool is_open;
	bool is_limited; /* a rule about abuse */
};

struct breaker {
	struct crowd_one clients[BREAKER_ROOM]; /* of all rules */
	uint32_t n_open;
	uint16_t n_ids;
	struct fuse fuses[];
};

struct breaker *breaker_new(uint16_t n_ids)
{
	struct breaker *b = calloc(1, sizeof(*b) + n_ids * sizeof(b->fuses[0]));

	if (!b)
		return NULL;
	b->n_ids = n_ids;
	for (uint16_t i = 0; i < n_ids; i++)
		b->fuses[i].barred_until_us = INT64_MIN;
	return b;
}

struct breaker *breaker_free(struct breaker *b)
{
	if (!b)
		return NULL;
	for (uint16_t i = 0; i < b->n_ids; i++)
		free(b->fuses[i].who);
	free(b);
	return NULL;
}

void breaker_clear(struct breaker *b)
{
	memset(b->clients, 0, sizeof(b->clients));
	b->n_open = 0;
	for (uint16_t i = 0; i < b->n_ids; i++) {
		free(b->fuses[i].who);
		b->fuses[i] = (struct fuse){.barred_until_us = INT64_MIN};
	}
}

static size_t count(const struct crowd_one *ones, wall_t at)
{
	return crowd_count(ones, BREAKER_ROOM, at.us - SPAN_US);
}

/* Of those about misconfiguration. */
static bool is_wide(const struct breaker *b, const struct fuse *f, wall_t at)
{
	size_t n = count(f->who->clients, at);

	return n >= BREAKER_CLIENTS && 2 * n >= count(b->clients, at);
}

static bool is_credible(const struct fuse *f, wall_t at)
{
	size_t n = count(f->who->credited, at);

	if (n < BREAKER_CREDITED)
		return false;
	return !f->is_limited ||
	       BREAKER_CREDITED_PART * n >= count(f->who->clients, at);
}

/* Return: does this hit say that the fault is ours? */
static bool is_ours(
    const struct breaker *b, struct fuse *f, uint64_t who, bool has_credit, wall_t at)
{
	if (!f->who)
		f->who = calloc(1, sizeof(*f->who));
	/* Short of memory: then it is theirs. */
	if (!f->who)
		return false;
	crowd_add(f->who->clients, BREAKER_ROOM, who, at.us);
	if (has_credit)
		crowd_add(f->who->credited, BREAKER_ROOM, who, at.us);
	return (!f->is_limited && is_wide(b, f, at)) ||
	       (has_credit && is_credible(f, at));
}

/* What was used up comes back with the time. Return: is there enough? */
static bool has_time_left(struct fuse *f, wall_t at)
{
	int64_t pause_us = at.us - f->closed_us;

	if (pause_us >= f->spent_us)
		f->spent_us = 0;
	else if (pause_us > 0)
		f->spent_us -= pause_us;
	f->closed_us = at.us;
	return at.us >= f->barred_until_us && LONGEST_US - f->spent_us >= HOLD_US;
}

static int suspend(struct breaker *b, struct fuse *f, wall_t at)
{
	if (!f->is_open && f->is_limited && !has_time_left(f, at))
		return 0;
	if (at.us + HOLD_US > f->until_us || !f->is_open)
		f->until_us = at.us + HOLD_US;
	if (f->is_open)
		return BREAKER_OPEN;
	f->is_open = true;
	f->since_us = at.us;
	f->limit_us = at.us + LONGEST_US - f->spent_us;
	b->n_open++;
	return BREAKER_TRIPPED;
}

int breaker_feed(struct breaker *b, uint16_t id, enum hit_class class, uint64_t who,
    bool has_credit, wall_t at)
{
	struct fuse *f = &b->fuses[id];

	crowd_add(b->clients, BREAKER_ROOM, who, at.us);
	if (class != HIT_ABUSE && class != HIT_MISCONFIGURATION)
		return 0;
	f->is_limited = class == HIT_ABUSE;
	if (is_ours(b, f, who, has_credit, at))
		return suspend(b, f, at);
	return f->is_open ? BREAKER_OPEN : 0;
}

static int64_t end_of(const struct fuse *f)
{
	return f->is_limited && f->limit_us < f->until_us ? f->limit_us : f->until_us;
}

static void shut(struct breaker *b, struct fuse *f)
{
	int64_t end_us = end_of(f);

	f->is_open = false;
	b->n_open--;
	f->closed_us = end_us;
	f->spent_us += end_us - f->since_us;
	if (!f->is_limited || f->limit_us > f->until_us)
		return;
	f->spent_us = 0;
	f->barred_until_us = end_us + LONGEST_US;
}

wall_t breaker_next(const struct breaker *b)
{
	wall_t next = WALL_NEVER;

	for (uint16_t i = 0; b->n_open && i < b->n_ids; i++) {
		const struct fuse *f = &b->fuses[i];

		if (f->is_open && end_of(f) + 1 < next.us)
			next.us = end_of(f) + 1;
	}
	return next;
}

bool breaker_lift(struct breaker *b, wall_t now, uint16_t *out_id)
{
	for (uint16_t i = 0; b->n_open && i < b->n_ids; i++) {
		struct fuse *f = &b->fuses[i];

		if (!f->is_open || now.us <= end_of(f))
			continue;
		shut(b, f);
		*out_id = i;
		return true;
	}
	return false;
}

bool breaker_get(
    const struct breaker *b, uint16_t id, wall_t now, struct breaker_state *out)
{
	const struct fuse *f = &b->fuses[id];

	if (id >= b->n_ids || !f->is_open)
		return false;
	*out = (struct breaker_state){
	    .since = {f->since_us},
	    .until = {f->until_us},
	    .n_clients = count(f->who->clients, now),
	    .n_credited = count(f->who->credited, now),
	};
	return true;
}
