/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * suspects - who has failed lately and is not banned, jail by jail
 *
 * A cache of SUSPECTS_MAX places in lots of eight; where an address belongs its keyed
 * hash says. Where all eight of a lot are taken the one that failed longest ago goes.
 * So it never grows, and who floods it pushes out old ones first. Addresses only: no
 * networks, no ids. Pure; who is over is passed over, and its place used again.
 */

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/net.h"

#define SUSPECTS_MAX 4096

struct suspect {
	struct net net;
	uint32_t jail;
	mono_t failed_at; /* the last time */
	mono_t until;     /* is one before that */
};

struct suspects;

struct suspects *suspects_new(void); /* NULL: out of memory */
struct suspects *suspects_free(struct suspects *s);
DEFINE_CLEANUP(struct suspects *, suspects_free)

/* Has @w failed? If it is known, the later failure counts. */
void suspects_put(struct suspects *s, const struct suspect *w);

/* @net, and all inside it, in @jail. */
void suspects_forget(struct suspects *s, uint32_t jail, const struct net *net);
void suspects_forget_all(struct suspects *s);

/* The next entry of @net after @last (NULL: the first), jail by jail; or NULL. */
const struct suspect *suspects_of(const struct suspects *s, const struct net *net,
    mono_t now, const struct suspect *last);

/* The next of all after @last (NULL: the first), in no order; or NULL. */
const struct suspect *suspects_next(
    const struct suspects *s, mono_t now, const struct suspect *last);

/* Is there any? And when did the last one fail? */
bool suspects_any(const struct suspects *s, mono_t now, mono_t *out_newest);
