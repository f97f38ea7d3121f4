/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * reader_lists - the files that ignoreip names (file:PATH)
 *
 * Opened here, read by the engine, and handed over again when they change: at most once
 * a second, at the latest after LISTS_CHECK_MS also where nothing tells of writes.
 */

#include "proc/role.h"

struct reader_lists;

struct reader_lists *reader_lists_new(struct role *r); /* NULL: no memory */
struct reader_lists *reader_lists_free(struct reader_lists *ls);

/* Forget all and hand the set-up's lists to the engine. */
void reader_lists_begin(struct reader_lists *ls);
void reader_lists_stop(struct reader_lists *ls);
