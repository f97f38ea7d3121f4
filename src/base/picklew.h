/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * picklew - write Python pickles (protocol 4) into a buf, without building a tree
 *
 * The caller writes exactly one value between picklew_begin() and picklew_end(); a
 * list, tuple, set or dict is opened, its items are written (a dict's as key, value),
 * and it is closed by the same name. Text that is not valid UTF-8 gets U+FFFD for each
 * bad byte. What does not fit is known by the buf.
 */

#include "base/buf.h"

void picklew_begin(struct buf *b);
void picklew_end(struct buf *b);

void picklew_none(struct buf *b);
void picklew_bool(struct buf *b, bool v);
void picklew_i64(struct buf *b, int64_t v);
void picklew_f64(struct buf *b, double v);
void picklew_span(struct buf *b, struct span v);
void picklew_str(struct buf *b, const char *v); /* NULL gives None */

void picklew_list(struct buf *b);
void picklew_list_end(struct buf *b);
void picklew_tuple(struct buf *b);
void picklew_tuple_end(struct buf *b);
void picklew_set(struct buf *b);
void picklew_set_end(struct buf *b);
void picklew_dict(struct buf *b);
void picklew_dict_end(struct buf *b);

/* An object: class @module.@name made with what is written until the end as arguments.
 * This is how exceptions travel. */
void picklew_object(struct buf *b, const char *module, const char *name);
void picklew_object_end(struct buf *b);
