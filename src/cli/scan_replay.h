/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scan_replay - logs through whole jails, by the pipeline that runs live
 *
 * Time is that of the logs, which are read in its order (inputs.h). Nothing is blocked.
 */

#include "cli/cli.h"

struct scan_replay_options {
	struct cli_options common;
	const char *
	    *jails; /* only these, ended by NULL; or NULL: all that are enabled */
	wall_t since, until, now;
	bool is_now_given;
	bool is_quiet;        /* no progress */
	unsigned int n_cores; /* 0: those there are */
	size_t slot_bytes;    /* see scan_cores_options */
};

/* Return: exit code; 128 + the number of the signal that ended it. */
int scan_replay(const struct scan_replay_options *o, char **logs, size_t n_logs);
