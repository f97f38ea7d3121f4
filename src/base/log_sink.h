/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * log_sink - what a line looks like, and where it goes
 *
 * Only log.c uses it. A line that cannot be written is lost: there is nobody to tell.
 */

#include "base/clock.h"
#include "base/log.h"

struct log_entry {
	const char *role; /* "engine": who speaks, in our style */
	const char *part; /* "actions": who would speak in fail2ban */
	enum log_level level;
	wall_t at;
	const char *text; /* one line, without controls */
};

/* Now, as a sandbox may shut the way later. */
void log_sink_open(const struct log_options *o);
void log_sink_write(const struct log_options *o, const struct log_entry *e);

/* The line without its end, as it goes to a file. */
void log_format(
    const struct log_options *o, const struct log_entry *e, struct buf *out);
