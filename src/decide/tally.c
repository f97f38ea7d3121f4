/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tally - counting, forgetting, making room
 *
 * A slot whose failures are gone but of which the store knows stays as an empty, marked
 * slot until the store has heard of it; there are never more of these than max_tracked.
 */
#include "decide/tally_table.h"

#include <errno.h>

#define EVICT_SAMPLE 8 /* addresses compared when one must go */
#define EVICT_DRAWS 64 /* random numbers spent on finding them */
#define SWEEP_PER_ADDRESS 4

int64_t tally_findtime_us(double sec)
{
	const double max_sec = (double)(SLOT_MAX_GAP_US / 2) / (double)US_PER_SEC;

	if (!(sec > 0))
		return 0;
	return (int64_t)((sec < max_sec ? sec : max_sec) * (double)US_PER_SEC + 0.5);
}

struct tally *tally_new(size_t max_tracked)
{
	CLEANUP(tally_freep) struct tally *t = calloc(1, sizeof(*t));

	if (!t || !tally_table_init(t))
		return NULL;
	tally_set_max(t, max_tracked);
	return TAKE(t);
}

struct tally *tally_free(struct tally *t)
{
	if (!t)
		return NULL;
	tally_table_deinit(t);
	free(t);
	return NULL;
}

void tally_set_jails(struct tally *t, const struct tally_jail *jails)
{
	t->jails = jails;
}

void tally_set_max(struct tally *t, size_t max_tracked)
{
	t->max_tracked = max_tracked ? max_tracked : 1;
}

void tally_remove(struct tally *t, uint32_t id)
{
	struct slot *s = tally_slot(t, id);
	size_t n_empty = t->n_linked - t->n_tracked;

	t->n_tracked--;
	if (!(s->state & SLOT_STORED) || n_empty >= t->max_tracked) {
		tally_table_delete(t, id);
		return;
	}
	slot_clear(s, &t->block_bytes);
	s->text = 0;
	pool_mark(&t->slots, id, true);
}

struct draw {
	uint32_t oldest; /* POOL_NONE: no address seen yet */
	uint32_t n_seen;
};

static void look_at(const struct tally *t, struct draw *d, uint32_t id)
{
	const struct slot *s = tally_slot(t, id);

	if (!tally_is_live(s))
		return;
	d->n_seen++;
	if (d->oldest == POOL_NONE ||
	    s->newest_us < tally_slot(t, d->oldest)->newest_us)
		d->oldest = id;
}

/* The one whose newest failure is the oldest of a few; in a small table, of all. */
static void forget_one(struct tally *t)
{
	uint32_t n_made = t->slots.n_made, want = EVICT_SAMPLE;
	struct draw d = {.oldest = POOL_NONE};

	if (n_made <= EVICT_DRAWS)
		want = n_made;
	else
		for (uint32_t i = 0; i < EVICT_DRAWS && d.n_seen < want; i++)
			look_at(t, &d, pool_draw(&t->slots, t->n_forgotten, i));
	if (d.oldest == POOL_NONE) {
		/* Small or nearly empty: those that follow a random one. */
		uint32_t start = pool_draw(&t->slots, t->n_forgotten, EVICT_DRAWS) - 1;

		for (uint32_t i = 0; i < n_made && d.n_seen < want; i++)
			look_at(t, &d, (start + i) % n_made + 1);
	}
	if (d.oldest == POOL_NONE)
		return;
	t->n_forgotten++;
	tally_remove(t, d.oldest);
}

static void make_room(struct tally *t)
{
	/* More than one only after max_tracked was lowered: little by little then. */
	for (int i = 0; i < 4 && t->n_tracked >= t->max_tracked; i++)
		forget_one(t);
}

/* A slot that holds failures or soon will. Return: POOL_NONE: out of memory. */
static uint32_t find_or_add(struct tally *t, const struct hit *h, wall_t clock)
{
	uint64_t hash = h->hash ? h->hash : net_hash(&h->net);
	uint32_t id = tally_table_find(t, h->jail, &h->net, hash);
	struct slot *s;

	if (id != POOL_NONE) {
		s = tally_slot(t, id);
		if (tally_is_live(s) && tally_is_over(t, s, clock)) {
			slot_clear(s, &t->block_bytes);
			s->text = 0;
			t->n_tracked--;
		}
		if (tally_is_live(s))
			return id;
	}
	make_room(t);
	if (id != POOL_NONE)
		return id;
	/* Each new address pays for looking at a few old ones. */
	tally_sweep(t, clock, SWEEP_PER_ADDRESS);
	return tally_table_add(t, h->jail, &h->net);
}

/* Where the failure goes: 0, TALLY_STALE, or -ENOMEM. */
HOT static int find_place(
    struct tally *t, const struct hit *h, wall_t clock, uint32_t *out_id)
{
	uint32_t id = find_or_add(t, h, clock);
	const struct slot *s;

	if (id == POOL_NONE)
		return -ENOMEM;
	*out_id = id;
	s = tally_slot(t, id);
	if (!tally_is_live(s))
		t->n_tracked++;
	else if (h->at.us < s->newest_us - t->jails[h->jail].findtime_us)
		return TALLY_STALE;
	return 0;
}

static void hear_of(struct tally *t, uint32_t id, wall_t clock)
{
	struct slot *s = tally_slot(t, id);

	s->lag = slot_lag_encode(clock.us > s->newest_us ? clock.us - s->newest_us : 0);
	pool_mark(&t->slots, id, true);
}

HOT static void put_in_window(
    struct tally *t, uint32_t id, const struct hit *h, bool soft, struct window *w)
{
	int64_t findtime_us = t->jails[h->jail].findtime_us, newest_us;
	struct slot *s = tally_slot(t, id);

	slot_load(s, w);
	window_insert(w, (struct window_item){h->at.us, h->weight,
			     (uint16_t)(soft ? h->rule | WINDOW_SOFT : h->rule)});
	newest_us = w->items[w->n - 1].at_us;
	window_prune(w, newest_us - 2 * findtime_us);
	if (soft)
		window_limit_soft(w);
	window_limit(w, tally_max_items(t, h->jail), newest_us - findtime_us);
	slot_save(s, w, &t->block_bytes, (size_t)tally_block_max(t));
}

int tally_put(struct tally *t, const struct hit *h, bool soft, wall_t clock,
    uint32_t *out_id, struct window *w)
{
	int r = find_place(t, h, clock, out_id);

	if (r)
		return r;
	put_in_window(t, *out_id, h, soft, w);
	hear_of(t, *out_id, clock);
	return 0;
}

void tally_soften(
    struct tally *t, uint32_t id, uint16_t rule, int n_parts, struct window *w)
{
	window_soften(w, rule, n_parts);
	slot_save(tally_slot(t, id), w, &t->block_bytes, (size_t)tally_block_max(t));
}

/* Plain failures pass by the million here: most are counted where they lie. */
HOT int tally_feed(struct tally *t, const struct hit *h, wall_t clock, uint32_t *out_id,
    struct window *w, struct window_part *part)
{
	const struct tally_jail *jail = &t->jails[h->jail];
	int r = find_place(t, h, clock, out_id);
	struct slot *s;
	bool is_pushed;

	if (r)
		return r;
	s = tally_slot(t, *out_id);
	is_pushed = slot_n_items(s) < tally_max_items(t, h->jail) &&
		    slot_push(s, h->at.us, h->weight, h->rule, 2 * jail->findtime_us);
	if (!is_pushed)
		put_in_window(t, *out_id, h, false, w);
	hear_of(t, *out_id, clock);
	if (h->weight <= 0)
		return 0;
	if (is_pushed) {
		if (slot_sum(s, jail->findtime_us) < (int64_t)jail->maxretry)
			return 0;
		slot_load(s, w);
	}
	return window_reaches(w, h->at.us, jail->findtime_us, jail->maxretry, part)
		   ? TALLY_REACHED
		   : 0;
}

void tally_expect(const struct tally *t, struct hit *hits, size_t n)
{
	tally_table_expect(t, hits, n < ENGINE_EXPECT_MAX ? n : ENGINE_EXPECT_MAX);
}

uint32_t tally_find(
    const struct tally *t, uint32_t jail, const struct net *n, wall_t clock)
{
	uint32_t id = tally_table_find(t, jail, n, net_hash(n));

	if (id == POOL_NONE || !tally_is_live(tally_slot(t, id)) ||
	    tally_is_over(t, tally_slot(t, id), clock))
		return POOL_NONE;
	return id;
}

void tally_load(const struct tally *t, uint32_t id, struct window *out)
{
	slot_load(tally_slot(t, id), out);
}

bool tally_is_failing(const struct tally *t, uint32_t id, wall_t clock)
{
	const struct slot *s = tally_slot(t, id);

	return tally_is_live(s) &&
	       clock.us <= slot_heard_us(s) + t->jails[s->jail].findtime_us;
}

uint32_t tally_text(const struct tally *t, uint32_t id)
{
	return tally_slot(t, id)->text;
}

void tally_set_text(struct tally *t, uint32_t id, uint32_t text)
{
	tally_slot(t, id)->text = text;
}

void tally_forget_texts(struct tally *t)
{
	for (uint32_t id = 1; id <= t->slots.n_made; id++)
		tally_slot(t, id)->text = 0;
}

static void remove_host(struct tally *t, uint32_t jail, const struct net *n)
{
	uint32_t id = tally_table_find(t, jail, n, net_hash(n));

	if (id != POOL_NONE && tally_is_live(tally_slot(t, id)))
		tally_remove(t, id);
}

void tally_remove_within(
    struct tally *t, int jail, uint32_t n_jails, const struct net *n)
{
	if (n && net_is_host(n)) {
		uint32_t from = jail < 0 ? 0 : (uint32_t)jail;
		uint32_t to = jail < 0 ? n_jails : from + 1;

		for (uint32_t j = from; j < to; j++)
			remove_host(t, j, n);
		return;
	}
	for (uint32_t id = 1; id <= t->slots.n_made; id++) {
		struct slot *s = tally_slot(t, id);

		if (tally_is_live(s) && (jail < 0 || s->jail == jail) &&
		    (!n || net_contains(n, &s->net)))
			tally_remove(t, id);
	}
}

void tally_sweep(struct tally *t, wall_t clock, size_t n_slots)
{
	if (n_slots > t->slots.n_made)
		n_slots = t->slots.n_made;
	for (size_t i = 0; i < n_slots; i++) {
		const struct slot *s;

		t->hand = t->hand < t->slots.n_made ? t->hand + 1 : 1;
		s = tally_slot(t, t->hand);
		if (tally_is_live(s) && tally_is_over(t, s, clock))
			tally_remove(t, t->hand);
	}
}

void tally_remap(struct tally *t, const uint32_t *map)
{
	for (uint32_t id = 1; id <= t->slots.n_made; id++) {
		struct slot *s = tally_slot(t, id);

		if (!(s->state & SLOT_USED) || map[s->jail] != TALLY_GONE)
			continue;
		/* Nothing is left to tell the store under that number. */
		t->n_tracked -= tally_is_live(s);
		tally_table_delete(t, id);
	}
	for (uint32_t id = 1; id <= t->slots.n_made; id++) {
		struct slot *s = tally_slot(t, id);

		if (s->state & SLOT_USED)
			s->jail = (uint16_t)map[s->jail];
	}
	tally_table_rehash(t);
}

void tally_rescale(struct tally *t, uint32_t jail, uint16_t from, uint16_t to)
{
	for (uint32_t id = 1; id <= t->slots.n_made; id++) {
		struct slot *s = tally_slot(t, id);
		struct window w;

		if (!tally_is_live(s) || s->jail != jail)
			continue;
		slot_load(s, &w);
		window_rescale(&w, from, to);
		slot_save(s, &w, &t->block_bytes, (size_t)tally_block_max(t));
		pool_mark(&t->slots, id, true);
	}
}

void tally_count_failing(const struct tally *t, wall_t clock, uint64_t *io_n)
{
	for (uint32_t id = 1; id <= t->slots.n_made; id++)
		if (tally_is_failing(t, id, clock))
			io_n[tally_slot(t, id)->jail]++;
}

void tally_each_failing(
    const struct tally *t, wall_t clock, tally_failing_fn fn, void *ctx)
{
	for (uint32_t id = 1; id <= t->slots.n_made; id++) {
		const struct slot *s = tally_slot(t, id);

		if (tally_is_failing(t, id, clock))
			fn(ctx, s->jail, &s->net, (wall_t){s->newest_us});
	}
}

size_t tally_count(const struct tally *t)
{
	return t->n_tracked;
}

uint64_t tally_n_forgotten(const struct tally *t)
{
	return t->n_forgotten;
}
