/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * text - a value together with the place where each part of it stands
 *
 * Interpolation and tags stitch a value together from many lines of many files. A
 * mistake in the third regex of a list must still be shown in the line where a person
 * wrote it, so the places travel with the bytes. Bounded by TEXT_MAX.
 */

#include "base/buf.h"
#include "conf/arena.h"
#include "conf/diag.h"

#define TEXT_MAX ((size_t)1 << 20)

/* From @off on, until the next mark, the bytes stand at @at and right of it. */
struct text_mark {
	uint32_t off;
	bool is_fixed; /* all of them come from the one place @at */
	struct conf_place at;
};

struct text {
	const char *p; /* terminated when it comes from text_out_keep() */
	size_t n;
	const struct text_mark *marks; /* by rising offset */
	size_t n_marks;
};

struct conf_place text_place(const struct text *t, size_t off);

static inline struct span text_span(const struct text *t)
{
	return (struct span){t->p, t->n};
}

/**
 * text_next_line() - walk the lines of @t that are not blank
 * @pos: 0 at first; moved
 * @out: the line, without blanks around it; @at: where it stands
 */
bool text_next_line(
    const struct text *t, size_t *pos, struct span *out, struct conf_place *at);

/* A text being built. */
struct text_out {
	struct buf b;
	struct text_mark *marks;
	size_t n_marks, room;
	bool is_too_long, is_out_of_memory;
};

#define TEXT_OUT_INIT ((struct text_out){.b = BUF_INIT(TEXT_MAX)})

void text_out_deinit(struct text_out *o);
void text_out_clear(struct text_out *o);
void text_out_add(
    struct text_out *o, struct span s, struct conf_place at, bool is_fixed);
/* The bytes from @from to @to of @t, with their places. */
void text_out_add_part(
    struct text_out *o, const struct text *t, size_t from, size_t to);

/**
 * text_out_insert() - put @value where @host has a reference from @from to @to
 *
 * What fills whole lines keeps its own places. What ends up inside a line of @host gets
 * the place of the reference: that line is where a person looks.
 */
void text_out_insert(struct text_out *o, const struct text *host, size_t from,
    size_t to, const struct text *value);

/* What was built so far; valid until @o changes. */
struct text text_out_view(const struct text_out *o);

/* 0, -E2BIG or -ENOMEM. */
int text_out_state(const struct text_out *o);

/* Copy what was built to @a. Return: 0, -E2BIG (TEXT_MAX), -ENOMEM. */
int text_out_keep(const struct text_out *o, struct arena *a, struct text *out);

/* A copy of a part of @t in @a. Return: 0 or -ENOMEM. */
int text_slice(
    struct arena *a, const struct text *t, size_t from, size_t to, struct text *out);
