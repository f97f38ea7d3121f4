/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* scan_tail - count addresses in the end of a log and block those at or over a limit.
 */

#include "cli/cli.h"

struct scan_tail_options {
	int64_t last;  /* lines */
	int64_t limit; /* lines of one address */
	bool this_hour;
	const char *grep;
	bool apply;
	const char *port;
	const char *interface; /* "": any */
	double for_sec;        /* negative: for ever */
};

struct scan_tail_options scan_tail_defaults(void);

/* Return: exit code. */
int scan_tail(const struct cli_options *common, const struct scan_tail_options *o,
    wall_t now, const char *path);
