/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * netset - is this address inside any of these networks?
 *
 * A few hundred networks from configuration (ignoreip, own addresses). Lookup is
 * longest-prefix, by one hash probe per prefix length in use, or by a look at each
 * where they are few, as most are. Bounded by NETSET_MAX.
 */

#include "base/net.h"

#define NETSET_MAX 1000000

struct netset;

struct netset *netset_new(void); /* NULL: out of memory */
struct netset *netset_free(struct netset *s);
DEFINE_CLEANUP(struct netset *, netset_free)

/* Return: 0 (also if it was there), -EINVAL (an id), -ENOSPC at NETSET_MAX, -ENOMEM. */
int netset_add(struct netset *s, const struct net *n);

/**
 * netset_find() - the longest network of the set that contains @n whole
 *
 * Return: true and *@out (which may be NULL), or false.
 */
bool netset_find(const struct netset *s, const struct net *n, struct net *out);

/* Does @n lie inside, or reach over, any network of the set? */
bool netset_overlaps(const struct netset *s, const struct net *n);

size_t netset_count(const struct netset *s);
