/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * watch - which files do the log paths mean now? (the reader's half of the source)
 *
 * Keeps the globs of all sources under watch through directories: files that appear,
 * are renamed, deleted or replaced. Opens them read-only and hands descriptors out; it
 * never reads a byte of them. Where a directory does not exist yet its nearest ancestor
 * is watched. Where inotify cannot serve (no inotify, out of watches, a network or FUSE
 * file system by statfs(2)) the source is polled, and the callback says so.
 *
 * Two inotify instances: `dirs`, read here; and `files`, whose events the engine reads
 * itself (see tail.h), so that between a write and its decision there is no hop. This
 * module only adds watches to `files`. Such a watch belongs to the inode, not to a
 * source: two sources with the same file get two descriptors and the same `wd`, and one
 * event means both. So whoever holds the descriptors takes the watch away
 * (inotify_rm_watch(2)) when the last one of that `wd` is let go, not before.
 *
 * Under one source an inode is handed out once, however many paths lead to it, and is
 * `gone` when the last of them is. A file that was deleted and made anew, or whose path
 * now leads elsewhere, is another inode: first `gone`, then `opened`.
 *
 * Bounded by WATCH_MAX_FILES, WATCH_MAX_DIRS and WATCH_MAX_NOTES; what is over, is left
 * out and told once (directories: the source is polled instead; notes: silence).
 */

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

#define WATCH_MAX_FILES 4096
#define WATCH_MAX_DIRS 8192
#define WATCH_MAX_NOTES 1024
#define WATCH_POLL_MS 1000
#define WATCH_CALM_MS 60000 /* mounting over a watched directory gives no event */

struct watch;

struct watch_source {
	const char *glob; /* an absolute path or glob(7) pattern: * ? [...] */
};

struct watch_file {
	uint32_t source;  /* index in the array given to watch_new() */
	const char *path; /* dies after the callback */
	int fd;           /* owned by the callee */
	int wd; /* watch descriptor in the `files` instance, -1: poll this one */
	uint64_t dev, ino; /* as fstat(2) tells them */
	bool first_scan;   /* it was there when watching began */
};

/* None of them may call back into the watch. */
struct watch_fns {
	void *ctx;
	void (*opened)(void *ctx, const struct watch_file *f);
	/* The path no longer leads to that inode; whoever holds the descriptor may
	 * finish. */
	void (*gone)(
	    void *ctx, uint32_t source, const char *path, uint64_t dev, uint64_t ino);
	/* Something to tell people once: cannot open, too many files, polling and why.
	 */
	void (*note)(void *ctx, uint32_t source, const char *path, const char *text);
};

/**
 * watch_new()
 * @files_fd:     inotify instance for file watches (IN_MODIFY), or -1: poll everything
 * @poll_always:  use no inotify at all (backend = polling)
 *
 * @sources is copied. Nothing is opened before the first watch_rescan().
 * Return: NULL with @e filled.
 */
struct watch *watch_new(int files_fd, bool poll_always,
    const struct watch_source *sources, size_t n_sources, const struct watch_fns *fns,
    struct err *e);
struct watch *watch_free(struct watch *w);
DEFINE_CLEANUP(struct watch *, watch_free)

/* Open fewer than WATCH_MAX_FILES: the process may not hold so many descriptors. */
void watch_set_max_files(struct watch *w, size_t max_files);

/* The descriptor to poll for reading, or -1 when everything is polled. */
int watch_fd(const struct watch *w);

/*
 * Its descriptor is readable: look at what changed. Takes a bounded number of events,
 * so it may stay readable. Return: 0 or negative errno.
 */
int watch_on_readable(struct watch *w);

/* Look at every path anew: at start, after an event overflow, and when polling. */
void watch_rescan(struct watch *w);

/* Milliseconds after which watch_rescan() should be called again; may change with it.
 */
unsigned int watch_poll_ms(const struct watch *w);
