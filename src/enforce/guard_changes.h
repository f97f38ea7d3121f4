/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * guard_changes - the kernel says that addresses or default routes have changed
 *
 * An rtnetlink(7) socket of the groups for addresses, routes and links. It says only
 * that something has changed; what there is now is read anew by guard_refresh(), so no
 * message needs to be understood, and none that is lost does harm. Other than default
 * routes do not even wake us: a socket filter drops them, and there may be thousands a
 * second on a router. Links are heard since the kernel does not tell of IPv4 routes
 * that go with one (fib_table_flush() in net/ipv4/fib_trie.c).
 */

#include <stdbool.h>
#include <stddef.h>

/* Return: a descriptor that does not block, or negative errno. */
int guard_changes_open(void);

/**
 * guard_changes_hear() - take what has come
 *
 * Return: 1 read anew (also when messages were lost); 0 nothing that matters; negative
 * errno: this descriptor will say nothing more.
 */
int guard_changes_hear(int fd);

/* Does one of these messages matter? One that is cut short or unknown does. */
bool guard_changes_matter(const void *bytes, size_t n);
