/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * memo - a few bytes about each of very many, the least used forgotten
 *
 * Keys are 64-bit keyed hashes, so two that differ are taken for one with a chance of
 * one in 2^64 and nobody outside can look for such. Entries live in two generations:
 * what is used goes into the younger; when that is full it becomes the older, and what
 * was older is forgotten. So memory is bounded by twice max, nothing is ever walked,
 * and what was used among the last max different ones is there. In memory only.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct memo;

#define MEMO_MAX_VALUE_BYTES 512

/* @max: entries of a generation. NULL: out of memory. */
struct memo *memo_new(size_t value_bytes, size_t max);
struct memo *memo_free(struct memo *m);
DEFINE_CLEANUP(struct memo *, memo_free)

/* What is kept under @key, good until the next call. NULL: nothing. */
void *memo_find(struct memo *m, uint64_t key);
/* The same; where there was nothing a zeroed value. NULL: out of memory. */
void *memo_get(struct memo *m, uint64_t key);

void memo_drop(struct memo *m, uint64_t key);
void memo_clear(struct memo *m);

size_t memo_count(const struct memo *m); /* in both generations; some perhaps twice */
