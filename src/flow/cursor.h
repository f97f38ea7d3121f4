/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * cursor - how far a file has been read, and which file that was
 *
 * Stored in one transaction with the decisions it led to. The head is a fingerprint of
 * the first bytes: it tells a truncated and rewritten file from a longer one, and finds
 * a file again after an inode number has been reused.
 */

#include <stdint.h>

#include "base/pack.h"

#define CURSOR_HEAD_MAX 256

struct cursor {
	uint64_t dev;
	uint64_t ino;
	uint64_t offset; /* bytes of whole lines that have been decided */
	uint64_t lines;  /* lines before offset */
	uint32_t
	    head_bytes; /* length of the fingerprint, 0..CURSOR_HEAD_MAX, <= offset */
	uint64_t head_hash; /* hash_stable() of the first head_bytes */
};

/* The wire form, between engine and keeper. A bad one leaves the reader bad. */
void cursor_encode(struct buf *b, const struct cursor *c);
struct cursor cursor_decode(struct unpack *u);
