/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * setup_actions - a jail's `action` list to what enforces it here
 *
 * Firewall actions that drop by address (nftables*, iptables*) are carried out by
 * nftables sets of ours, hostsdeny by writing the file; a jail without any action is
 * protected by nftables on its ports. An action `xdp` drops at the interfaces that it
 * names. All others are kept as commands.
 */

#include "pipeline/setup.h"

/* A table that commands work in is theirs alone: what we would do there goes to our own
 * table, or both would undo each other's work. Once all jails are read. */
void setup_settle_places(struct setup *s);

/* How many of its targets are of XDP. */
uint32_t setup_jail_n_xdp(const struct setup_jail *j);

/* Is there room for those of @j, beside those of the jails before it? Return: 0, or 1
 * if not (said). */
int setup_check_xdp(const struct setup *s, const struct conf_jail *c, struct diag *d,
    const struct setup_jail *j);
/* The same for the tables of nftables that they stand in. */
int setup_check_tables(const struct setup *s, const struct conf_jail *c, struct diag *d,
    const struct setup_jail *j);

/* Return: 0, or -ENOMEM. What is wrong with ports goes to @d and drops that action. */
int setup_take_actions(const struct conf_jail *c, struct diag *d, struct setup_jail *j);
