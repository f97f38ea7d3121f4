/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * reader_journal - the reader's journals: entries as lines, in batches, to the engine
 *
 * libsystemd reads the journal's files, so here the reader does read what others wrote;
 * it makes lines of it and nothing else. The engine says behind which entry to begin,
 * and at most BATCHES_UNDERWAY batches are on their way to it, so a long journal
 * neither fills a queue nor delays other logs.
 */

#include "proc/role.h"

struct reader_journals;

struct reader_journals *reader_journals_new(struct role *r); /* NULL: no memory */
struct reader_journals *reader_journals_free(struct reader_journals *js);

/* Forget all and name the set-up's journals to the engine. */
void reader_journals_begin(struct reader_journals *js);
void reader_journals_stop(struct reader_journals *js);

/* MSG_JOURNAL_FROM, MSG_LINES_TAKEN. */
void reader_journals_message(struct reader_journals *js, struct message *m);
