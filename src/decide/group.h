/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * group - neighbours: how many addresses of a network were banned, or failed, lately
 *
 * One who owns a /24, or a /64 and with it more addresses than can be banned, takes
 * the next when one is banned. So bans are counted by network: IPv4 addresses by /24,
 * IPv6 addresses by /64, and the /64s in which there are any by /56, and these by /48.
 * Each counts for a day, or until its ban ends. What follows is the engine's to decide.
 *
 * Bounded (decide/memo.h); exact up to GROUP_ROOM members. In memory only, but a ban
 * that comes back from the store is counted again.
 */

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/net.h"

#define GROUP_MAX 16384 /* networks of a generation: 18 MB at most */
#define GROUP_ROOM 16   /* members: no threshold is above it */
#define GROUP_LEVELS 3
#define GROUP_ASK_SEC 60

struct group;

struct group *group_new(size_t max); /* NULL: out of memory */
struct group *group_free(struct group *g);
DEFINE_CLEANUP(struct group *, group_free)

struct group_sum {
	struct net net;
	size_t n; /* members banned, the new one too */
};

/**
 * group_add() - an address was banned
 * @jail:      bans of another jail are others
 * @shortest:  no network is wider than this prefix, as people count it; a longer one
 *             than /24 or /64 takes the place of that
 * @out:       the networks that hold it, from the smallest
 *
 * Return: how many of @out there are.
 */
size_t group_add(struct group *g, uint32_t jail, const struct net *who, wall_t at,
    wall_t until, unsigned int shortest, struct group_sum out[GROUP_LEVELS]);

/**
 * group_offend() - an address failed, and is not banned for it
 * @out: the smallest network that holds it
 *
 * Return: how many different ones of it have since @since; 0: there is no network.
 */
size_t group_offend(struct group *g, uint32_t jail, const struct net *who, wall_t at,
    wall_t since, unsigned int shortest, struct net *out);

/* Is it time to look whether @n may be banned? That is dear (a walk over all credit),
 * and is to be asked for once in GROUP_ASK_SEC. */
bool group_may_ask(struct group *g, uint32_t jail, const struct net *n, wall_t at);

/* What came of it: must @n not be banned, because of one in it? */
void group_spare(struct group *g, uint32_t jail, const struct net *n, bool is_spared);
bool group_is_spared(struct group *g, uint32_t jail, const struct net *n);

/* The ban of @who was lifted by people. */
void group_remove(
    struct group *g, uint32_t jail, const struct net *who, unsigned int shortest);
/* The ban of network @n was lifted: it begins anew. */
void group_forget(struct group *g, uint32_t jail, const struct net *n);
void group_clear(struct group *g);
