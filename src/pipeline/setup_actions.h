/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * setup_actions - a jail's `action` list to what enforces it here
 *
 * Firewall actions that drop by address (nftables*, iptables*) are carried out by
 * bandog's own nftables sets, hostsdeny by writing the file; a jail without any action
 * is protected by nftables on its ports. Actions that need a command are told and left
 * out.
 */

#include "pipeline/setup.h"

/* Return: 0, or -ENOMEM. What is wrong with ports goes to @d and drops that action. */
int setup_take_actions(const struct conf_jail *c, struct diag *d, struct setup_jail *j);
