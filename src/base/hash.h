/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * hash - keyed hashing, because strangers choose the keys
 *
 * SipHash-1-3 with a key drawn once per process. Include this instead of <uthash.h>:
 * it sets uthash up with the keyed hash and with running out of memory as an error
 * (after HASH_ADD, `if (!item->hh.tbl)` tells). Use uthash in .c files only.
 */

#include <stddef.h>
#include <stdint.h>

/* Keyed with a random per-process key: not stable across processes. */
uint64_t hash_keyed(const void *p, size_t n);

/* SipHash-1-3 (Aumasson and Bernstein, "SipHash", 2012) under a given key. */
uint64_t hash_siphash13(const uint8_t key[16], const void *p, size_t n);

/* A fixed-key 64-bit hash for fingerprints that go to disk. */
uint64_t hash_stable(const void *p, size_t n);

#define HASH_FUNCTION(keyptr, keylen, hashv) \
	((hashv) = (unsigned int)hash_keyed((keyptr), (keylen)))
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
