/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * dump - what both forms of the dump share
 */

#include "conf/room.h"

void dump_json(const struct conf *c, struct buf *out);

/* "file:line", or "default" for what nobody said. */
void dump_place(struct buf *out, struct conf_place at);
/* @values may be NULL. */
struct conf_place dump_find_place(const struct dict *values, const char *name);
