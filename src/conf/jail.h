/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * jail - a section of jail.conf while it is being read
 */

#include "conf/interp.h"
#include "conf/room.h"

struct jail_reader {
	struct load *ld;
	struct conf_jail *j;
	struct dict *values; /* name -> struct text */
	struct interp in;
	struct filter_file filter;
	bool has_filter;
	struct definition known; /* the filter as it is without the jail's options */
	struct dict *first_values;
	bool is_known_ready;
	bool reads_journal; /* backend auto, and there is only the journal to read */
};

/* The option's text, or NULL when it is not set; without blanks around it, or "". */
const struct text *jail_find_value(const struct jail_reader *rd, const char *name);
struct span jail_value_span(const struct jail_reader *rd, const char *name);

/* jail.c: into values. Return: 0 (also if it is not set) or -ENOMEM. */
int jail_read_option(struct jail_reader *rd, const char *name);

/**
 * jail_look_for_logs() - what to do when none of the jail's logs exists
 *
 * fail2ban does not start then. Here the jail waits for the first of them, unless it is
 * to be skipped (skip_if_nologs: is_skipped is set) or may read the journal instead
 * (backend auto, systemd_if_nologs, a journalmatch of the jail or of the filter, and a
 * journal: reads_journal is set).
 *
 * Return: 0 or -ENOMEM.
 */
int jail_look_for_logs(struct jail_reader *rd);

/* jail_apply.c: fill rd->j from rd->values. Mistakes mark it as broken. */
void jail_apply_bool(struct jail_reader *rd, const char *name, bool *out);
int jail_apply_ignorecommand(struct jail_reader *rd); /* jail_ignore.c */
int jail_apply_options(struct jail_reader *rd);
void jail_apply_usedns(struct jail_reader *rd, const struct conf_value *v);
