/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * enforcer_xdp - the jails' targets that drop at an interface, as enforcer_tables knows
 * them
 *
 * Says in the log where it drops, and where it does not and why: once, until that
 * changes. An interface at which nothing can stand is no hindrance to others.
 */

#include "enforce/nft.h"

struct enforcer_xdp;

/* @dir: of our own in the BPF file system; NULL: there is none, and no right to use it.
 * NULL: out of memory. */
struct enforcer_xdp *enforcer_xdp_new(const char *dir);
/* What stands in the kernel stays. */
struct enforcer_xdp *enforcer_xdp_free(struct enforcer_xdp *x);

/* Other targets from now on; enforcer_xdp_repair() brings the kernel to them. Return: 0
 * or -ENOMEM. */
int enforcer_xdp_setup(
    struct enforcer_xdp *x, const struct nft_target *targets, size_t n);
/* Put in place what is missing, as far as that can be had. @out_any: set if bans are
 * wanted again. */
void enforcer_xdp_repair(struct enforcer_xdp *x, bool *out_any);

/* Does all of it stand? Also if there is nothing to do. */
bool enforcer_xdp_stands(const struct enforcer_xdp *x);
/* Does a part? */
bool enforcer_xdp_any(const struct enforcer_xdp *x);
/* From time to time: look after interfaces that come and go, and after old bans. */
void enforcer_xdp_check(struct enforcer_xdp *x);

/* As xdp_apply() and xdp_counter(). */
void enforcer_xdp_apply(
    struct enforcer_xdp *x, const struct nft_change *changes, size_t n, int *errors);
int enforcer_xdp_counter(struct enforcer_xdp *x, uint32_t target, const struct net *net,
    uint64_t *packets, uint64_t *bytes);

/* Take all of it out of the kernel. Return: 0 or negative errno. */
int enforcer_xdp_remove(struct enforcer_xdp *x);
