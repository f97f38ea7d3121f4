/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * join - which address an id stands for: a queue id, a process's session
 *
 * One line binds the id to an address, a later one that knows only the id speaks about
 * that address. What is remembered of an id is a keyed hash of 64 bits, so its length
 * does not matter. Bounded, and forgets: a binding serves for a while of log time.
 * Full: the one made longest ago goes, and what speaks of it later is about nobody;
 * nobody is blamed for another.
 *
 * Logs that are read side by side bring lines out of order. A line that is older than
 * the binding to another address does not replace it, nor is it about that address,
 * save for a few seconds.
 */

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/net.h"

#define JOIN_MAX 65536
#define JOIN_LIFE_SEC 3600
#define JOIN_EARLY_SEC 5 /* so much older a line may be than what it refers to */

struct join;

enum {
	JOIN_YOUNGER = 1, /* what is bound to another address by a younger line stays */
};

/* @max: 0 is JOIN_MAX, and so are more. NULL: out of memory. */
struct join *join_new(size_t max);
struct join *join_free(struct join *j);
DEFINE_CLEANUP(struct join *, join_free)

/* What stands for text @text of field @slot: different for each process. */
uint64_t join_id(uint8_t slot, struct span text);

/**
 * join_bind() - from now on @id is @net
 * @at: log time of the line; one that was bound before is bound anew
 *
 * Return: 0, JOIN_YOUNGER, or -ENOMEM: then nothing has changed.
 */
int join_bind(struct join *j, uint64_t id, const struct net *net, wall_t at);

/* Return: is there an address for @id in a line of @at? */
bool join_find(const struct join *j, uint64_t id, wall_t at, struct net *out);

size_t join_count(const struct join *j);
uint64_t join_n_forgotten(const struct join *j); /* young, but no room */
