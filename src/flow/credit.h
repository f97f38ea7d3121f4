/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * credit - what speaks for an address
 *
 * Travels between decide and record: it outlives restarts. A kind of good evidence is
 * known by the hash of its rule's name, the same in every process and on disk.
 */

#include "base/clock.h"
#include "base/net.h"
#include "base/pack.h"

#define CREDIT_KINDS 6     /* of one address; what is beyond adds to the last */
#define CREDIT_POINT 10000 /* worth of one failure */
#define CREDIT_MAX_POINTS 1000000

struct credit_kind {
	uint32_t kind;
	uint32_t hour;   /* the last in which it was given, since 1970 */
	uint32_t points; /* as of credit.at, in 1/CREDIT_POINT */
	uint16_t n_days; /* on which it was given */
};

struct credit {
	struct net net;
	wall_t at;       /* points are as of then; they halve every two weeks */
	uint32_t hour;   /* that in which the last of n_days began */
	uint16_t n_days; /* different ones on which any was given */
	uint8_t n_kinds; /* 0: forgotten */
	struct credit_kind kinds[CREDIT_KINDS];
};

uint32_t credit_kind_of(const char *rule_name);

#define CREDIT_MAX_BYTES (17 + 8 + 4 + 2 + 1 + CREDIT_KINDS * (4 + 4 + 4 + 2))

/* The wire form, between engine and keeper, and on disk. */
void credit_encode(struct buf *b, const struct credit *c);
int credit_decode(struct unpack *u, struct credit *out); /* 0 or -EBADMSG */
