/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * inputs - the lines of many logs in the order of time
 *
 * Whatever the order in which the logs are named. A log begins with the date of its
 * first dated line, looked for in its first block. A block that ends before any other
 * log goes on is handed on whole, without a look at what is between its ends; where
 * logs overlap they are merged line by line, at the same time that of the log
 * that begins earlier comes first (the next of a rotated log begins within the second
 * in which the one before it ends), then of that which was named first. A line without
 * a date, or with an earlier one than the line before, stays with that; a log without
 * any behind the log that was named before it.
 *
 * Bounds: of logs that were not begun only the descriptor is kept, for INPUTS_HELD of
 * them; the others are opened again, which fails where another file has that name by
 * then. INPUTS_MERGED logs may overlap at one time, beyond that it gives up. Memory is
 * that of a block and a decompressor for each log that is being read.
 */

#include "base/clock.h"
#include "base/err.h"

#define INPUTS_HELD 256
#define INPUTS_MERGED 128

struct inputs;

struct inputs_options {
	const char *datepattern; /* by which lines are dated; NULL: the defaults */
	const char *timezone;    /* logtimezone, or NULL */
	wall_t now;
	/*
	 * Dates without a year are of the year that ends with the day after the file's
	 * last change (a day, as clocks and zones may differ), or with @now where that
	 * is earlier or the file cannot have been changed then: it is a pipe, or its
	 * first line is later. True: @now alone counts.
	 */
	bool is_now_given;
};

struct inputs_lines {
	const char *path;
	uint64_t number;   /* of the first line, in its log, from 1 */
	struct span lines; /* each with its line end; they die after the callback */
	size_t n_lines;
	wall_t read_at; /* the clock for these lines */
};

struct inputs_progress {
	uint64_t n_bytes;     /* as stored */
	uint64_t n_bytes_all; /* 0: not known, as one log is a pipe */
	uint64_t n_lines;
	wall_t last; /* date of the last line handed out, if it has one */
};

struct inputs_calls {
	/* A non-zero return ends the reading. */
	int (*on_lines)(void *ctx, const struct inputs_lines *l);
	/* A log, or the rest of it, could not be read: the others go on. */
	void (*on_failure)(void *ctx, const char *path, const struct err *e);
	void *ctx;
};

/* @paths stay the caller's. Return: NULL with @e. */
struct inputs *inputs_new(char **paths, size_t n, const struct inputs_options *o,
    const struct inputs_calls *calls, struct err *e);
struct inputs *inputs_free(struct inputs *in);
DEFINE_CLEANUP(struct inputs *, inputs_free)

/* Return: 0: all was read that could be; what on_lines gave; -EINTR: a signal ended a
 * read; or negative errno with @e. */
int inputs_read(struct inputs *in, struct err *e);

void inputs_progress(const struct inputs *in, struct inputs_progress *out);
