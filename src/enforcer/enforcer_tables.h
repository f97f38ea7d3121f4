/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * enforcer_tables - the kernel tables that the jails' targets stand in
 *
 * Usually one, ours; one more for fail2ban's nftables action, which has its own. What
 * is dropped at an interface instead (enforcer_xdp) is reached through here, too. A
 * jail's target is named by a number over all of them, in the order of the set-up.
 */

#include "enforce/nft.h"
#include "pipeline/setup.h"

struct enforcer_tables;

/* @xdp_dir: as enforcer_xdp_new(). Return: NULL: out of memory. */
struct enforcer_tables *enforcer_tables_new(const char *xdp_dir);
/* The kernel keeps what stands there. */
struct enforcer_tables *enforcer_tables_free(struct enforcer_tables *t);

/**
 * enforcer_tables_setup() - bring the kernel to what @s says
 * @is_dry: touch nothing; what stands there of ours is taken away
 *
 * Return: 0; or negative errno with @e: not all of it stands, call it again later.
 */
int enforcer_tables_setup(
    struct enforcer_tables *t, const struct setup *s, bool is_dry, struct err *e);
/**
 * enforcer_tables_repair() - the same set-up again, for what is missing or was changed
 * @out_any: a table was put in place, so its bans are wanted again
 *
 * Return: as enforcer_tables_setup(). One that cannot be had is no hindrance to others.
 */
int enforcer_tables_repair(struct enforcer_tables *t, bool *out_any, struct err *e);

/* Does all of it stand, as far as we know? */
bool enforcer_tables_stand(const struct enforcer_tables *t);
/* Does a part of it? */
bool enforcer_tables_any(const struct enforcer_tables *t);
/* Has somebody else changed one of them since the last call? A cheap question. */
bool enforcer_tables_changed(struct enforcer_tables *t);

/* The sockets that our changes come from: nft_port(). Return: how many. */
size_t enforcer_tables_ports(
    const struct enforcer_tables *t, uint32_t out[NFT_MAX_TABLES]);
/* Is it the name of one of them? */
bool enforcer_tables_has(const struct enforcer_tables *t, struct span table);
/* The network that the element of one of our sets stands for. Return: false: not ours.
 */
bool enforcer_tables_net(const struct enforcer_tables *t, struct span table,
    struct span set, struct span key, struct net *out);

/* The targets of a jail are [first, first + n). */
uint32_t enforcer_tables_first(const struct enforcer_tables *t, uint32_t jail);
uint32_t enforcer_tables_n(const struct enforcer_tables *t, uint32_t jail);

/**
 * enforcer_tables_apply() - as nft_apply(), for targets of all tables that stand
 * @errors: by change: 0 or what the kernel answered
 *
 * Return: 0, -ENOENT (something is gone: repair), or negative errno with @e.
 */
int enforcer_tables_apply(struct enforcer_tables *t, const struct nft_change *changes,
    size_t n, int *errors, struct err *e);
int enforcer_tables_counter(struct enforcer_tables *t, uint32_t target,
    const struct net *net, uint64_t *packets, uint64_t *bytes);
/**
 * enforcer_tables_empty() - no ban of the jail (UINT32_MAX: of any) is left
 *
 * For any number of them in a few messages: the sets are made anew. Not at interfaces
 * (XDP). Return: as enforcer_tables_setup(); where it fails nothing is left in that
 * table until enforcer_tables_repair().
 */
int enforcer_tables_empty(struct enforcer_tables *t, uint32_t jail, struct err *e);
/* Take all of it out of the kernel. */
int enforcer_tables_remove(struct enforcer_tables *t, struct err *e);
