/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * loop - descriptors, timers and signals of one process, on libuv
 *
 * Watchers are heap objects owned by the caller; freeing one inside its own callback is
 * allowed. libuv stays behind this file: its handles close asynchronously, which the
 * loop hides. A watched descriptor becomes non-blocking; free its watcher before
 * closing it. An error condition is reported as the events that were asked for.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct loop;
struct loop_watch;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

typedef void (*loop_fd_fn)(void *ctx, int events);
typedef void (*loop_fn)(void *ctx);
typedef void (*loop_signal_fn)(void *ctx, int signo);

struct loop *loop_new(void);            /* NULL: out of memory or descriptors */
struct loop *loop_free(struct loop *l); /* all watches must be freed before */
DEFINE_CLEANUP(struct loop *, loop_free)

/* Return: 0 after loop_stop(), or when nothing is left to wait for. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* All four: NULL when out of memory or refused by the kernel (errno is set). */
struct loop_watch *loop_add_fd(
    struct loop *l, int fd, int events, loop_fd_fn fn, void *ctx);
struct loop_watch *loop_add_timer(
    struct loop *l, loop_fn fn, void *ctx); /* not armed */
struct loop_watch *loop_add_signal(
    struct loop *l, int signo, loop_signal_fn fn, void *ctx);
struct loop_watch *loop_add_prepare(
    struct loop *l, loop_fn fn, void *ctx); /* before each sleep */

void loop_set_events(struct loop_watch *w, int events); /* of a descriptor; 0 pauses */
/* Fire after @delay_ms (0 counts as 1), then every @repeat_ms; 0: once. */
void loop_arm(struct loop_watch *w, uint64_t delay_ms, uint64_t repeat_ms);
void loop_disarm(struct loop_watch *w);
struct loop_watch *loop_watch_free(struct loop_watch *w); /* NULL-safe, returns NULL */
