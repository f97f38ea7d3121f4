/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * tail - one open log file, read as it grows
 *
 * Works on a descriptor only: it never opens a path, so it runs where paths are out of
 * reach. It notices truncation (size below the cursor, or another head) and starts
 * again from the top. A renamed or deleted file is simply read on until its owner lets
 * it go. Reads in blocks of TAIL_BLOCK_BYTES, by pread(2): a descriptor that came from
 * another process shares its file position with that one.
 */

#include "base/cleanup.h"
#include "base/decode.h"
#include "base/str.h"
#include "flow/cursor.h"

#define TAIL_BLOCK_BYTES 262144

struct tail;

enum {
	TAIL_MORE = 1,  /* the budget was used up; there may be more to read now */
	TAIL_RESTARTED, /* the file was truncated or rewritten: reading began at its top
			   and went on as far as the budget; again, there may be more */
};

/* @lines: @n_lines of them, as split_feed_runs() gives them. */
typedef void (*tail_fn)(void *ctx, struct span lines, size_t n_lines);

/**
 * tail_new() - begin or go on reading an open file
 * @fd:      readable regular file; owned from here on, also on failure
 * @resume:  where an earlier reader stopped, or NULL
 * @at_end:  without a fitting @resume: begin at the end (after the last line end)
 *           instead of at the top
 *
 * A @resume that belongs to another file (see tail_fits()) is dropped; device and
 * inode alone prove nothing, since a file may have been copied.
 *
 * Return: NULL with errno set on failure.
 */
struct tail *tail_new(int fd, const struct cursor *resume, bool at_end);
void tail_set_unit(struct tail *t, enum decode_unit unit); /* before the first read */
struct tail *tail_free(struct tail *t);
DEFINE_CLEANUP(struct tail *, tail_free)

/**
 * tail_read() - hand out the lines that are complete now
 * @budget_bytes: stop after about so much, so that other files get their turn
 * @fn:           may call tail_cursor(), which then covers the lines just handed out;
 *                it must not free @t
 *
 * Return: 0 at the end of the file, a TAIL_* outcome (call again), or negative errno.
 */
int tail_read(struct tail *t, size_t budget_bytes, tail_fn fn, void *ctx);

/* Does @c describe this file: same head, offset within it and behind a line end? */
bool tail_fits(const struct tail *t, const struct cursor *c);

/* Position behind the last line that was handed out. */
void tail_cursor(const struct tail *t, struct cursor *out);

int tail_fd(const struct tail *t);
uint64_t tail_n_cut(const struct tail *t);
