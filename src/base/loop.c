/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop - libuv behind four kinds of watcher
 *
 * libuv gives a handle's memory back only in its close callback, some turns after
 * uv_close(). So a freed watcher is made mute at once and released there; loop_free()
 * turns the loop until all of them are gone.
 */

#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <uv.h>

struct loop {
	uv_loop_t uv;
	size_t n_watches; /* not yet given to loop_watch_free() */
};

struct loop_watch {
	struct loop *loop;
	void *ctx;
	int events; /* LOOP_*: what a descriptor is watched for */
	union {
		loop_fd_fn on_fd;
		loop_fn on_call;
		loop_signal_fn on_signal;
	} fn;
	union {
		uv_handle_t any;
		uv_poll_t poll;
		uv_timer_t timer;
		uv_signal_t signal;
		uv_prepare_t prepare;
	} h;
};

struct loop *loop_new(void)
{
	CLEANUP(freep) struct loop *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return NULL;
	r = uv_loop_init(&l->uv);
	if (r < 0) {
		errno = -r;
		return NULL;
	}
	return TAKE(l);
}

struct loop *loop_free(struct loop *l)
{
	int r;

	if (!l)
		return NULL;
	assert(l->n_watches == 0);
	/* Only closing handles are left; the first turn may eat an old loop_stop(). */
	while (uv_run(&l->uv, UV_RUN_DEFAULT) != 0)
		continue;
	r = uv_loop_close(&l->uv);
	assert(r == 0);
	(void)r;
	free(l);
	return NULL;
}

int loop_run(struct loop *l)
{
	(void)uv_run(&l->uv, UV_RUN_DEFAULT);
	return 0;
}

void loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
}

static struct loop_watch *watch_new(struct loop *l, void *ctx)
{
	struct loop_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->loop = l;
	w->ctx = ctx;
	w->h.any.data = w;
	return w;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

struct loop_watch *loop_watch_free(struct loop_watch *w)
{
	if (!w)
		return NULL;
	assert(!uv_is_closing(&w->h.any));
	w->loop->n_watches--;
	uv_close(&w->h.any, on_closed);
	return NULL;
}

/* A handle that was initialised must go the long way, also when starting it failed. */
static struct loop_watch *watch_started(struct loop_watch *w, int r)
{
	w->loop->n_watches++;
	if (r == 0)
		return w;
	(void)loop_watch_free(w);
	errno = -r;
	return NULL;
}

/* One whose initialising failed is unknown to the loop. */
static struct loop_watch *watch_refused(struct loop_watch *w, int r)
{
	free(w);
	errno = -r;
	return NULL;
}

static void on_poll(uv_poll_t *h, int status, int uv_events);

static int poll_start(struct loop_watch *w, int events)
{
	int uv_events = 0;

	w->events = events;
	if (events & LOOP_READ)
		uv_events |= UV_READABLE;
	if (events & LOOP_WRITE)
		uv_events |= UV_WRITABLE;
	if (uv_events == 0)
		return uv_poll_stop(&w->h.poll);
	return uv_poll_start(&w->h.poll, uv_events, on_poll);
}

static void on_poll(uv_poll_t *h, int status, int uv_events)
{
	struct loop_watch *w = h->data;
	int events = 0;

	if (uv_events & UV_READABLE)
		events |= LOOP_READ;
	if (uv_events & UV_WRITABLE)
		events |= LOOP_WRITE;
	/*
	 * At POLLERR libuv gives up the descriptor. For us it is nothing final (a
	 * netlink socket that overran is in that state until it is read), so watch on,
	 * and let the owner meet the error in its read() or write().
	 */
	if (status < 0) {
		events = w->events;
		(void)poll_start(w, w->events);
	}
	w->fn.on_fd(w->ctx, events);
}

struct loop_watch *loop_add_fd(
    struct loop *l, int fd, int events, loop_fd_fn fn, void *ctx)
{
	struct loop_watch *w = watch_new(l, ctx);
	int r;

	if (!w)
		return NULL;
	w->fn.on_fd = fn;
	r = uv_poll_init(&l->uv, &w->h.poll, fd);
	if (r < 0)
		return watch_refused(w, r);
	return watch_started(w, poll_start(w, events));
}

void loop_set_events(struct loop_watch *w, int events)
{
	/* Fails only for a handle that is closing, which has no owner any more. */
	(void)poll_start(w, events);
}

static void on_timer(uv_timer_t *h)
{
	struct loop_watch *w = h->data;

	w->fn.on_call(w->ctx);
}

struct loop_watch *loop_add_timer(struct loop *l, loop_fn fn, void *ctx)
{
	struct loop_watch *w = watch_new(l, ctx);

	if (!w)
		return NULL;
	w->fn.on_call = fn;
	return watch_started(w, uv_timer_init(&l->uv, &w->h.timer));
}

void loop_arm(struct loop_watch *w, uint64_t delay_ms, uint64_t repeat_ms)
{
	/* libuv counts from the start of the turn; a callback may be far past it. */
	uv_update_time(&w->loop->uv);
	/* With 0, a timer that arms itself would keep libuv 1.44 from ever polling. */
	if (delay_ms == 0)
		delay_ms = 1;
	(void)uv_timer_start(&w->h.timer, on_timer, delay_ms, repeat_ms);
}

void loop_disarm(struct loop_watch *w)
{
	(void)uv_timer_stop(&w->h.timer);
}

static void on_signal(uv_signal_t *h, int signo)
{
	struct loop_watch *w = h->data;

	w->fn.on_signal(w->ctx, signo);
}

struct loop_watch *loop_add_signal(
    struct loop *l, int signo, loop_signal_fn fn, void *ctx)
{
	struct loop_watch *w = watch_new(l, ctx);
	int r;

	if (!w)
		return NULL;
	w->fn.on_signal = fn;
	r = uv_signal_init(&l->uv, &w->h.signal);
	if (r < 0)
		return watch_refused(w, r);
	return watch_started(w, uv_signal_start(&w->h.signal, on_signal, signo));
}

static void on_prepare(uv_prepare_t *h)
{
	struct loop_watch *w = h->data;

	w->fn.on_call(w->ctx);
}

struct loop_watch *loop_add_prepare(struct loop *l, loop_fn fn, void *ctx)
{
	struct loop_watch *w = watch_new(l, ctx);
	int r;

	if (!w)
		return NULL;
	w->fn.on_call = fn;
	r = uv_prepare_init(&l->uv, &w->h.prepare);
	if (r < 0)
		return watch_refused(w, r);
	return watch_started(w, uv_prepare_start(&w->h.prepare, on_prepare));
}
