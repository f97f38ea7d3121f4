/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * setup_native - which actions bandog carries out itself, and which are run as commands
 *
 * Told by what their commands say, not by their name: an action whose actionban puts
 * the address into a firewall rule, a set or hosts.deny, as fail2ban's own files do,
 * needs no program for it. A file that an administrator has changed to do more is run
 * as it stands. Where there is no file, the name alone tells.
 */

#include "conf/conf.h"
#include "enforce/action_text.h"
#include "enforce/nft.h"

enum action_kind {
	ACTION_COMMANDS,   /* run what it says */
	ACTION_PORTS,      /* drop: the jail's ports */
	ACTION_ALL_PORTS,  /* drop: everything */
	ACTION_XDP,        /* drop at the interface; ports or all */
	ACTION_HOSTS_DENY, /* a line in hosts.deny */
	ACTION_MAIL,       /* smtp.py: send mail */
	ACTION_UNKNOWN,    /* neither file nor known name */
	ACTION_PYTHON,     /* somebody's Python code */
};

/* @is_wanted: false: only what cannot be run as commands (native = no). */
enum action_kind action_kind_of(const struct conf_action *a, bool is_wanted);

/* Where a firewall action's drops stand: place, set names and answer of @t. fail2ban's
 * nftables action keeps its own table, chain and sets; all others are in ours. */
void action_place(const struct conf_action *a, struct nft_target *t);

/* A parameter that the jail gives, else an option of the file, else @fallback. */
const char *action_value(
    const struct conf_action *a, const char *name, const char *fallback);
