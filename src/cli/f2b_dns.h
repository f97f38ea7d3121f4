/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * f2b_dns - names of a log to addresses, for the tool: it waits for the answer. The
 * last F2B_DNS_CACHE names are remembered.
 */

#include "base/net.h"

#define F2B_DNS_CACHE 256
#define F2B_DNS_ADDRS 16 /* of one name; the others are left out */

/* Return: how many addresses @name has. */
size_t f2b_dns_find(struct span name, struct net out[F2B_DNS_ADDRS]);

/* The name of an address, malloc'd, or NULL. */
char *f2b_dns_name_of(const struct net *net);
