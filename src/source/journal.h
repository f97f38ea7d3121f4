/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * journal - systemd's journal as a source of lines
 *
 * An entry becomes "HOST IDENT[PID]: MESSAGE" and the time the journal gives it, as
 * fail2ban has it, so that filters match with logtype = journal. libsystemd is loaded
 * when the first journal is opened (dlopen), so only the process that reads one carries
 * it, and a machine without it still runs everything else.
 */

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "flow/cursor.h"

#define JOURNAL_LINE_CAP 16384

struct journal;

struct journal_options {
	const char *match; /* journalmatch: FIELD=value words, '+' and line ends mean
			      or; NULL: all */
	const char
	    *path; /* a directory, or a glob of files; NULL: this machine's journal */
};

enum { JOURNAL_MORE = 1 };

/* @text dies after the callback. A non-zero return ends the reading, after this entry.
 */
typedef int (*journal_fn)(void *ctx, struct span text, wall_t at);

/**
 * journal_open()
 * @resume: behind which entry to go on (see journal_cursor()), or NULL
 * @since:  without @resume: entries from then on
 *
 * Return: NULL with @e: no libsystemd, no right, a match that cannot be understood.
 */
struct journal *journal_open(const struct journal_options *o,
    const struct cursor *resume, wall_t since, struct err *e);
struct journal *journal_close(struct journal *j);
DEFINE_CLEANUP(struct journal *, journal_close)

/* To poll for reading; -1: it must be polled by time. */
int journal_fd(const struct journal *j);

/* Its descriptor is readable, or a while has passed: take notice of new and lost files.
 */
int journal_process(struct journal *j);

/* Return: 0 at the end, JOURNAL_MORE, negative errno. */
int journal_read(struct journal *j, size_t max_entries, journal_fn fn, void *ctx);

/*
 * The entry handed out last: offset is its time in microseconds, lines its number,
 * head_hash its checksum. Time and number find it again, or the place where it was
 * when it has been vacuumed away.
 */
void journal_cursor(const struct journal *j, struct cursor *out);
