/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scan_stop - ends a long command where it can say how far it came
 *
 * The first SIGINT or SIGTERM is noted, a second one ends the program at once. A reader
 * that went away (SIGPIPE) becomes a failed write. What was ignored stays so.
 */

void scan_stop_watch(void);

/* The signal that came, or 0. */
int scan_stop_signal(void);
