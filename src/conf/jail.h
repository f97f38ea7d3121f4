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
};

/* The option's text, or NULL when it is not set; without blanks around it, or "". */
const struct text *jail_find_value(const struct jail_reader *rd, const char *name);
struct span jail_value_span(const struct jail_reader *rd, const char *name);

/* jail_apply.c: fill rd->j from rd->values. Mistakes mark it as broken. */
void jail_apply_bool(struct jail_reader *rd, const char *name, bool *out);
int jail_apply_options(struct jail_reader *rd);
void jail_apply_usedns(struct jail_reader *rd, const struct conf_value *v);
