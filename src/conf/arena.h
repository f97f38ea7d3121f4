/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * arena - memory that goes all at once, and a dictionary that lives in it
 *
 * A configuration is built once and freed as a whole, so its parts need no owner each.
 * Bounded by a number of bytes given at birth.
 */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/str.h"

struct arena;

struct arena *arena_new(size_t max_bytes);
struct arena *arena_free(struct arena *a);
DEFINE_CLEANUP(struct arena *, arena_free)

/* Zeroed and aligned for anything; NULL: out of memory or over the bound. */
void *arena_alloc(struct arena *a, size_t n);
void *arena_alloc_array(struct arena *a, size_t n, size_t item_bytes);
/* A terminated copy, or NULL. */
char *arena_dup(struct arena *a, struct span s);
/* The same in lower case (ASCII). */
char *arena_dup_lower(struct arena *a, struct span s);

struct dict_item {
	const char *key;
	void *value;
	struct dict_item *next; /* in order of first appearance */
	struct dict_item *next_in_bucket;
	uint64_t hash;
};

/* Names to values, in order of first appearance. Nothing is ever removed. */
struct dict {
	struct arena *arena;
	struct dict_item *first, *last;
	struct dict_item **buckets;
	size_t n, n_buckets;
};

#define DICT_INIT(a) ((struct dict){.arena = (a)})

/* The value of @key, or NULL. @d may be NULL. */
void *dict_find(const struct dict *d, struct span key);
/* Add or replace; @key is kept as it is, not copied. Return: 0 or -ENOMEM. */
int dict_put(struct dict *d, const char *key, void *value);
