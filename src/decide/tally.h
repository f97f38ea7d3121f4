/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * tally - who failed when: failures per (jail, network), bounded
 *
 * Exact for everything a late line can still touch: an address remembers its failures
 * of the last two findtimes before its newest, and takes a failure that comes up to one
 * findtime late as if it had come in order. What is later than that is stale.
 *
 * An address is forgotten two findtimes after it was heard of last, by its log time or
 * by the clock that came with its last failure, whichever is later; so a log from last
 * week is counted like one of today. That is decided when an address is looked at, and
 * a hand that sweeps a few slots at a time only frees the memory: what is decided never
 * depends on how far the hand has come.
 *
 * Bounds: max_tracked addresses; beyond, the one whose newest failure is the oldest of
 * eight drawn at random goes, and is counted. Addresses with more failures than fit
 * into their slot share TALLY_BLOCK_BYTES per max_tracked; beyond, failures that are
 * nearest in time become one with the sum of the weights.
 */

#include "decide/window.h"

#define TALLY_BLOCK_BYTES 64 /* for long windows, times max_tracked */

struct tally;

/* What tally must know of a jail; indexed by it. */
struct tally_jail {
	int64_t findtime_us;
	uint32_t maxretry;
	uint16_t unit; /* of weights: see engine_jail; 0 is 1 */
};

/* A findtime as tally counts: cut to 0 .. 4.4 years. */
int64_t tally_findtime_us(double sec);

enum {
	TALLY_REACHED = 1, /* maxretry failures within one findtime */
	TALLY_STALE,       /* more than a findtime before the newest: not counted */
	TALLY_FULL,        /* restore only */
};

struct tally *tally_new(size_t max_tracked); /* NULL: out of memory */
struct tally *tally_free(struct tally *t);
DEFINE_CLEANUP(struct tally *, tally_free)

/* @jails is not copied and must live until the next call; see tally_remap(). */
void tally_set_jails(struct tally *t, const struct tally_jail *jails);
void tally_set_max(struct tally *t, size_t max_tracked);

/**
 * tally_feed() - count one failure
 * @h:      its text does not matter
 * @clock:  the latest time known; must not run backward
 * @out_id: the address, good until the next change (not if stale)
 * @w:      its failures now, if they reached maxretry; else of no use
 * @part:   the part of @w that did
 *
 * Return: 0, TALLY_REACHED, TALLY_STALE, or -ENOMEM.
 */
int tally_feed(struct tally *t, const struct hit *h, wall_t clock, uint32_t *out_id,
    struct window *w, struct window_part *part);

/* The same, but whether that is enough is for the caller to say: @w has its failures
 * after a 0. Return: 0, TALLY_STALE, or -ENOMEM. @soft: see WINDOW_SOFT. */
int tally_put(struct tally *t, const struct hit *h, bool soft, wall_t clock,
    uint32_t *out_id, struct window *w);

/* See window_soften(); @w is what it has now. */
void tally_soften(
    struct tally *t, uint32_t id, uint16_t rule, int n_parts, struct window *w);

/* Failures of these are about to be fed: what they touch is brought near. */
void tally_expect(const struct tally *t, struct hit *hits, size_t n);

/* The number of an address that has failures not forgotten at @clock, or POOL_NONE. */
uint32_t tally_find(
    const struct tally *t, uint32_t jail, const struct net *n, wall_t clock);
void tally_load(const struct tally *t, uint32_t id, struct window *out);

/* Was it heard of within its findtime before @clock? */
bool tally_is_failing(const struct tally *t, uint32_t id, wall_t clock);

/* The newest of its lines in the evidence_ring, which may be gone, or 0; goes with the
 * failures. */
uint32_t tally_text(const struct tally *t, uint32_t id);
void tally_set_text(struct tally *t, uint32_t id, uint32_t text);
void tally_forget_texts(struct tally *t); /* of all */

void tally_remove(struct tally *t, uint32_t id);
/* Remove @n and all inside it (NULL: all) in @jail (-1: in all of @n_jails). */
void tally_remove_within(
    struct tally *t, int jail, uint32_t n_jails, const struct net *n);

/* Look at @n_slots for what is forgotten at @clock and free it; SIZE_MAX: at all. */
void tally_sweep(struct tally *t, wall_t clock, size_t n_slots);

/* Jail i becomes map[i], or goes if that is TALLY_GONE; then tally_set_jails(). */
#define TALLY_GONE UINT32_MAX
void tally_remap(struct tally *t, const uint32_t *map);

/* Weights in @jail were in 1/@from and are in 1/@to of a failure. */
void tally_rescale(struct tally *t, uint32_t jail, uint16_t from, uint16_t to);

/* How many are failing at @clock, per jail: adds to @io_n. Looks at all of them. */
void tally_count_failing(const struct tally *t, wall_t clock, uint64_t *io_n);

/* Shows those that are failing at @clock, with their newest failure. Looks at all. */
typedef void (*tally_failing_fn)(
    void *ctx, uint32_t jail, const struct net *n, wall_t newest);
void tally_each_failing(
    const struct tally *t, wall_t clock, tally_failing_fn fn, void *ctx);

size_t tally_count(const struct tally *t);
uint64_t tally_n_forgotten(const struct tally *t); /* because of max_tracked */

/* For the store: see engine_each_dirty(). */
typedef void (*tally_state_fn)(
    void *ctx, uint32_t jail, const struct net *n, struct span state);
void tally_each_dirty(struct tally *t, tally_state_fn fn, void *ctx);
void tally_mark_dirty(struct tally *t);

/* Return: 0, TALLY_FULL, -EBADMSG (not a state), -ENOMEM. */
int tally_restore(
    struct tally *t, uint32_t jail, const struct net *n, struct span state);
