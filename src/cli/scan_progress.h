/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scan_progress - a line on the terminal that says how far a long scan is
 *
 * On standard error and only if that is a terminal whose foreground we are in; from one
 * second on, at most five times a second. Whoever writes to standard output erases it
 * first.
 */

#include "cli/inputs.h"

struct scan_progress {
	bool is_wanted;
	bool is_shown;
	mono_t begun, shown;
};

void scan_progress_init(struct scan_progress *p, bool is_wanted, mono_t now);
void scan_progress_tick(
    struct scan_progress *p, const struct inputs_progress *in, mono_t now);
void scan_progress_erase(struct scan_progress *p);

/* What is shown after @sec seconds. */
void scan_progress_format(struct buf *b, const struct inputs_progress *in, double sec);
