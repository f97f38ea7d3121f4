/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * split - bytes to lines
 *
 * A line ends at '\n' (a '\r' before it is cut). A line longer than the cap is cut
 * there, the rest of it is skipped and counted. The last, unfinished line is kept for
 * the next call. Lines inside the caller's block are not copied (but for UTF-16, whose
 * lines end with a unit of two bytes). Any byte may stand in
 * a line, NUL too. How the input is cut into blocks makes no difference to the lines.
 */

#include "base/cleanup.h"
#include "base/decode.h"
#include "base/str.h"

#define SPLIT_LINE_CAP 16384

struct split;

/* @text without line end; @whole_bytes: what the line took in the input, its end
 * included. */
typedef void (*split_fn)(void *ctx, struct span text, size_t whole_bytes);

/* @line_cap: longest text handed out; 0: SPLIT_LINE_CAP. Return: NULL out of memory. */
struct split *split_new(size_t line_cap);
struct split *split_free(struct split *s);
DEFINE_CLEANUP(struct split *, split_free)

/* In which units lines are written; before the first byte of a line. */
void split_set_unit(struct split *s, enum decode_unit unit);

/*
 * Return: 0 or -ENOMEM (the unfinished line is lost, and counted). The room for an
 * unfinished line is there from the start, so today it is always 0.
 */
int split_feed(struct split *s, struct span block, split_fn fn, void *ctx);

/* Many lines at a time. */
struct split_run {
	struct span lines; /* each with a '\n' at its end; a '\r' may stand before it */
	size_t n_lines;
	size_t whole_bytes; /* what they took in the input */
};

/**
 * split_next_run() - lines of @block, which is moved behind them
 *
 * Lines within the block are not copied and not looked at; @out is good until the next
 * call. Lines of units of two bytes come alone, as they are but with a '\n' behind
 * them. Return: false: there are none, and the rest of the block is kept as an
 * unfinished line.
 */
bool split_next_run(struct split *s, struct span *block, struct split_run *out);

/* At the true end of input: the unfinished line. Return: false: there is none. */
bool split_last_run(struct split *s, struct split_run *out);

/* The same, all at once. */
typedef void (*split_run_fn)(
    void *ctx, struct span lines, size_t n_lines, size_t whole_bytes);
void split_feed_runs(struct split *s, struct span block, split_run_fn fn, void *ctx);
void split_finish_runs(struct split *s, split_run_fn fn, void *ctx);

/* At the true end of input: hand out the unfinished line, if there is one. */
void split_finish(struct split *s, split_fn fn, void *ctx);

void split_reset(struct split *s); /* forget the unfinished line */
size_t split_pending_bytes(
    const struct split *s);                  /* of the unfinished line, all of it */
uint64_t split_n_cut(const struct split *s); /* lines that were over the cap */
