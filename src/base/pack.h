/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * pack - typed values to bytes and back, for messages between our own processes
 *
 * Little endian, no padding, strings and blobs as u32 length + bytes. A reader never
 * goes beyond its end: it turns `bad`, yields zeros from then on, and pack_end() tells.
 * So a decoder may read on and ask once. Used on own channels and on bytes from
 * strangers alike; it never asserts on content.
 */

#include "base/buf.h"
#include "base/clock.h"
#include "base/net.h"

void pack_u8(struct buf *b, uint8_t v);
void pack_u16(struct buf *b, uint16_t v);
void pack_u32(struct buf *b, uint32_t v);
void pack_u64(struct buf *b, uint64_t v);
void pack_i64(struct buf *b, int64_t v);
void pack_f64(struct buf *b, double v);
void pack_bool(struct buf *b, bool v);
void pack_wall(struct buf *b, wall_t v);
void pack_net(struct buf *b, const struct net *v);
void pack_nets(struct buf *b, const struct net *v, uint32_t n);
void pack_span(struct buf *b, struct span v);
void pack_str(struct buf *b, const char *v); /* NULL is kept apart from "" */

struct unpack {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

struct unpack unpack_of(struct span bytes);
uint8_t unpack_u8(struct unpack *u);
uint16_t unpack_u16(struct unpack *u);
uint32_t unpack_u32(struct unpack *u);
uint64_t unpack_u64(struct unpack *u);
int64_t unpack_i64(struct unpack *u);
double unpack_f64(struct unpack *u);
bool unpack_bool(struct unpack *u);
wall_t unpack_wall(struct unpack *u);
struct net unpack_net(struct unpack *u); /* host bits set, or no such bits: bad */
/* As many as were packed, malloc'd (also for none). NULL: more than @max, out of
 * memory, or broken input; the input is bad then. */
struct net *unpack_nets(struct unpack *u, uint32_t max, uint32_t *n);
struct span unpack_span(struct unpack *u); /* points into the input */

/* A malloc'd string or NULL (NULL was packed, or bad, or out of memory = bad). */
char *unpack_str(struct unpack *u);

/* A count of items that each take at least @min_bytes more: 0 and bad if impossible. */
uint32_t unpack_count(struct unpack *u, size_t min_bytes);

/* Return: 0 if all was well and nothing is left over, else -EBADMSG. */
int unpack_end(const struct unpack *u);
