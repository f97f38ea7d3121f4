/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * action_tag - the tags that a command may have, and which of them strangers can fill
 *
 * Ours, and pasted into the command: addresses in canonical form, numbers, the jail's
 * name, this machine's name (its letters and digits). Foreign: what came out of a log
 * or the DNS; so <ip>, <fid> and <raw-ticket> are foreign where an id is banned that is
 * no address. Source of the names: fail2ban's jail.conf(5) and action files.
 */

#include "enforce/shell_value.h"

enum action_tag {
	TAG_NONE,
	TAG_FIELD, /* F-NAME: what the regex caught; NAME of letters, digits and "_" */
	TAG_IP,
	TAG_ID,
	TAG_FAMILY,
	TAG_IP_REV,
	TAG_IP_HOST,
	TAG_FAILURES,
	TAG_IP_FAILURES,
	TAG_JAIL_FAILURES,
	TAG_TIME,
	TAG_BANTIME,
	TAG_BANCOUNT,
	TAG_MATCHES,
	TAG_IP_MATCHES,
	TAG_JAIL_MATCHES,
	TAG_RESTORED,
	TAG_JAIL_NAME,
	TAG_JAIL_BANNED,
	TAG_JAIL_BANNED_TOTAL,
	TAG_FQ_HOSTNAME,
	TAG_SH_HOSTNAME,
	TAG_RAW_TICKET,
};

/* TAG_NONE: there is none of that name, and it stays in the command as it is. */
enum action_tag action_tag_find(struct span name);

bool action_tag_is_foreign(enum action_tag tag);
bool action_tag_has_lines(enum action_tag tag);

/* A shell_tag_fn without a ban: to ask shell_plain() about a command before any. @ctx:
 * a bool: are ids banned too? NULL: no. */
bool action_tag_sample(void *ctx, struct span name, struct shell_value *out);
