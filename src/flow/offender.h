/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * offender - how often a network was banned in a jail, and when last
 *
 * Travels between decide and record beside the orders: it outlives the ban.
 */

#include "base/clock.h"
#include "base/net.h"
#include "base/pack.h"

struct offender {
	struct net net;
	uint32_t count; /* bans; 0: forgotten */
	wall_t at;      /* the last of them: time of its last failure */
	wall_t until;   /* its end as it was made; WALL_NEVER: for good */
};

#define OFFENDER_BYTES (17 + 4 + 8 + 8)

/* The wire form, between engine and keeper. */
void offender_encode(struct buf *b, const struct offender *o);
int offender_decode(struct unpack *u, struct offender *out); /* 0 or -EBADMSG */
