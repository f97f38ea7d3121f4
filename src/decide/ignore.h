/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * ignore - who is never counted: ignoreip of each jail, and this machine's addresses
 *
 * A network counts as ignored already when it reaches over an ignored address: nobody
 * who is exempt may fall with his neighbours.
 */

#include "base/net.h"
#include "decide/engine.h"

struct ignore;

/* NULL: out of memory, or more networks than a netset holds. */
struct ignore *ignore_new(const struct engine_jail *jails, size_t n_jails);
struct ignore *ignore_free(struct ignore *g);
DEFINE_CLEANUP(struct ignore *, ignore_free)

/* This machine's addresses, replacing the earlier ones. Return: 0, -ENOMEM, -ENOSPC. */
int ignore_set_own(struct ignore *g, const struct net *own, size_t n_own);
/* More that is never counted in @jail, replacing what was given before. As above. */
int ignore_set_more(struct ignore *g, uint32_t jail, const struct net *nets, size_t n);
/* Hand our own addresses over when @from is replaced by @g. */
void ignore_take_own(struct ignore *g, struct ignore *from);

/* @out_by (may be NULL): the network that holds @n, or @n if it is the wider one. */
bool ignore_find(
    const struct ignore *g, uint32_t jail, const struct net *n, struct net *out_by);
