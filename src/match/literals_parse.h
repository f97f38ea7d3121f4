/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * literals_parse - reads a regex of PCRE2 as far as literals need it
 *
 * Meant for patterns that PCRE2 takes; of others anything may be said, but in bounded
 * time and memory.
 */

#include "match/literals_info.h"

enum {
	LITERALS_PARSE_GAVE_UP = 1, /* nothing is known of the pattern */
};

/* Return: 0 with *out_info settled, LITERALS_PARSE_GAVE_UP, or -ENOMEM. */
int literals_parse(
    struct span pattern, struct literals_way *way, struct literals_info *out_info);
