/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * engine_files - what engine_files.c (reading) and engine_files_named.c (what the
 * reader says of files, and what follows from it) share; nobody else includes it
 */

#include <bsd/sys/queue.h>

#include "engine/engine_role.h"
#include "source/tail.h"
#include "source/watch.h"

#define MAX_FILES (2 * WATCH_MAX_FILES)
/* Positions of renamed logs are stored under the old path, this, and their inode. */
#define RENAMED_MARK "\n(renamed) "

struct file {
	TAILQ_ENTRY(file) link;
	TAILQ_ENTRY(file) ready_link;
	char *path;
	uint64_t dev, ino;
	int wd; /* -1: polled */
	struct tail *tail;
	uint32_t *jails;
	uint32_t n_jails;
	bool is_ready;   /* stands in the queue */
	bool is_renamed; /* its path leads elsewhere now */
	bool is_live;    /* the end was reached once: lines come as they are written */
	bool is_seen;    /* named by the reader since it last began anew */
	bool is_moved;   /* its cursor differs from the stored one */
	bool is_skew_told;
	bool is_resumed; /* it was known when it was opened */
	mono_t grown_at;
};

struct known_cursor {
	char *path;
	struct cursor cursor;
};

struct engine_files {
	struct engine_role *er;
	TAILQ_HEAD(, file) all;
	TAILQ_HEAD(ready_head, file) ready;
	size_t n_files;
	int files_fd;
	struct loop_watch *on_events;
	struct loop_watch *turn_timer;
	struct loop_watch *poll_timer;
	struct known_cursor *known; /* from the store */
	size_t n_known;
	bool is_started;
	bool is_paused; /* the reader is naming all files: none has its jails yet */
	bool is_behind_known; /* of the siblings that are being named: see
				 is_wanted_sibling() */
	uint64_t generation;  /* of the reader's set-up */
};

struct file *engine_file_free(struct file *f);
DEFINE_CLEANUP(struct file *, engine_file_free)
bool engine_file_has_jail(const struct file *f, uint32_t jail);

/* Close it; its position is remembered in case it comes back. */
void engine_files_drop(struct engine_files *fs, struct file *f);
/* Let it stand in the queue; engine_files_run() gives each its turn. */
void engine_files_make_ready(struct engine_files *fs, struct file *f);
void engine_files_ready_all(struct engine_files *fs);
void engine_files_run(struct engine_files *fs);
/* The inotify instance of file watches has something to tell. */
void engine_files_on_events(void *ctx, int events);
