/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * pickle_private - the machine that pickle.c is and pickle_run.c drives
 *
 * The functions report in words through the reader and return 0 or negative errno.
 */

#include <stdalign.h>

#include "base/pickle.h"

struct cell {
	struct pickle_value v; /* first: items are pointers to these */
	const struct pickle_value **room;
	size_t n_room;
	size_t weight;
	unsigned int depth;
	bool is_shared;
};

struct chunk {
	struct chunk *next;
	size_t used, size;
	alignas(max_align_t) char bytes[];
};

struct pickle {
	struct chunk *chunks;
	const struct pickle_value *root;
};

struct cells {
	struct cell **at;
	size_t n, room;
};

struct reader {
	const uint8_t *p, *end;
	enum pickle_mode mode;
	size_t max_items;
	size_t n_made;
	struct cells stack, memo;
	size_t marks[PICKLE_MAX_DEPTH * 2]; /* depths of the stack */
	size_t n_marks;
	struct pickle *out;
	struct err *error;
	bool is_done;
};

int pickle_bad(struct reader *r, const char *why);
int pickle_too_big(struct reader *r, const char *why);
int pickle_no_memory(struct reader *r);
void *pickle_take_bytes(struct pickle *p, size_t n);
int pickle_cells_push(struct reader *r, struct cells *s, struct cell *c);
int pickle_push_new(struct reader *r, struct pickle_value v, struct cell **out);
int pickle_push_value(struct reader *r, struct pickle_value v);
const uint8_t *pickle_cut(struct reader *r, uint64_t n);
int pickle_read_number(struct reader *r, unsigned int n_bytes, uint64_t *out);
size_t pickle_ground(const struct reader *r);
int pickle_make_of_last(struct reader *r, enum pickle_kind kind, size_t n);
int pickle_make_from_mark(struct reader *r, enum pickle_kind kind);
int pickle_add_last(struct reader *r, enum pickle_kind kind, size_t n);
int pickle_add_from_mark(struct reader *r, enum pickle_kind kind);
int pickle_memo_put(struct reader *r, uint64_t at);
int pickle_memo_get(struct reader *r, unsigned int n_bytes);
int pickle_run_all(struct reader *r);
