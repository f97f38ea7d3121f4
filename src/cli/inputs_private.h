/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the two files of inputs share: how logs are put in order, how they are read. */

#include "cli/input_file.h"
#include "cli/inputs.h"
#include "match/stamp.h"

struct log {
	const char *path;
	size_t rank; /* decides at the same time: place in order of begin */
	int fd;      /* -1: not open */
	bool is_sized;
	bool is_file; /* can be read from its top again */
	bool is_held; /* ... by the same descriptor */
	dev_t dev;
	ino_t ino;
	uint64_t n_bytes_all, n_bytes;
	wall_t read_at;
	wall_t next_at;     /* of the next line: where the log stands in time */
	struct log *behind; /* has no date: to be read behind this one */

	struct input_file *file; /* NULL: not begun */
	struct split_run run;    /* what was read and not handed on */
	uint64_t number;         /* of its first line */
	bool is_end_known;
	wall_t end_at; /* if so: date of the last line of the run that has one */
};

struct inputs {
	struct inputs_options o;
	struct inputs_calls calls;
	struct stamp *stamp;
	struct buf repaired;
	struct log *logs;
	size_t n_logs;
	struct log **waiting; /* in order of time; those before @n_begun are begun */
	size_t n_waiting, n_begun;
	struct log *open[INPUTS_MERGED];
	size_t n_open;
	struct inputs_progress progress;
	bool has_pipe;
};

/* WALL_NONE: it has none. */
wall_t inputs_date(struct inputs *in, struct span line, wall_t read_at);

/* Date of the last line of @lines that has one, at most @n_tries looked at. */
wall_t inputs_last_date(
    struct inputs *in, struct span lines, size_t n_tries, wall_t read_at);

/* Open what is not open, and put it at its top. Return: 0, or negative with @e. */
int inputs_log_begin(struct log *l, struct err *e);
void inputs_log_end(struct log *l);

/* Date and order all logs. Return: 0 or -EINTR. */
int inputs_sort(struct inputs *in);
