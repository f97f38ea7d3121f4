/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/guard_watch.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "enforce/guard_changes.h"
#include "enforce/guard_file.h"
#include "enforce/guard_sources.h"

#define REST_FACTOR 3 /* so many times as long as a call took comes none */
#define BLIND_MS 60000
#define RETRY_MS 1000

struct guard_watch {
	struct loop *loop;
	int changes_fd;
	struct guard_file *resolvers;
	struct loop_watch *on_changes, *on_resolvers, *timer;
	loop_fn fn;
	void *ctx;
	bool is_due;
	bool is_blind;     /* something is not followed */
	uint64_t retry_ms; /* 0: the last reading went well */
	mono_t rest_until;
};

static void blind(struct guard_watch *w, const char *what, int r)
{
	if (!w->is_blind)
		log_warning(NULL,
		    "%s cannot be followed: %s; they are read each minute", what,
		    strerror(-r));
	w->is_blind = true;
	if (!w->is_due)
		loop_arm(w->timer, BLIND_MS, BLIND_MS);
}

static void arm_resolvers(struct guard_watch *w)
{
	int r = w->resolvers ? guard_file_arm(w->resolvers) : 0;

	if (r < 0)
		blind(w, "changes of resolvers", r);
}

static void be_due(struct guard_watch *w)
{
	int64_t ms = (w->rest_until.us - mono_now().us) / 1000;

	if (w->is_due)
		return;
	w->is_due = true;
	loop_arm(w->timer,
	    ms > GUARD_WATCH_GATHER_MS ? (uint64_t)ms : GUARD_WATCH_GATHER_MS,
	    w->is_blind ? BLIND_MS : 0);
}

static void on_timer(void *ctx)
{
	struct guard_watch *w = ctx;
	mono_t start = mono_now();

	w->is_due = false;
	/* First watch, then read: what comes in between is heard. */
	arm_resolvers(w);
	w->fn(w->ctx);
	mono_t end = mono_now();

	w->rest_until.us = end.us + REST_FACTOR * (end.us - start.us);
}

static void on_changes(void *ctx, int events)
{
	struct guard_watch *w = ctx;
	int r = guard_changes_hear(w->changes_fd);

	(void)events;
	if (r)
		be_due(w); /* also for the last time */
	if (r < 0) {
		w->on_changes = loop_watch_free(w->on_changes);
		blind(w, "changes of addresses and routes", r);
	}
}

static void on_resolvers(void *ctx, int events)
{
	struct guard_watch *w = ctx;
	int r = guard_file_hear(w->resolvers);

	(void)events;
	if (r)
		be_due(w);
	if (r < 0) {
		w->on_resolvers = loop_watch_free(w->on_resolvers);
		blind(w, "changes of resolvers", r);
	}
}

static void follow_changes(struct guard_watch *w)
{
	int fd = guard_changes_open();

	if (fd < 0) {
		blind(w, "changes of addresses and routes", fd);
		return;
	}
	w->changes_fd = fd;
	w->on_changes = loop_add_fd(w->loop, fd, LOOP_READ, on_changes, w);
	if (!w->on_changes)
		blind(w, "changes of addresses and routes", -errno);
}

static void follow_resolvers(struct guard_watch *w)
{
	w->resolvers = guard_file_new(GUARD_RESOLV_CONF);
	if (w->resolvers)
		w->on_resolvers = loop_add_fd(
		    w->loop, guard_file_fd(w->resolvers), LOOP_READ, on_resolvers, w);
	if (!w->on_resolvers)
		blind(w, "changes of resolvers", -errno);
	arm_resolvers(w);
}

void guard_watch_heed(struct guard_watch *w, int result)
{
	if (result >= 0) {
		w->retry_ms = 0;
		return;
	}
	w->retry_ms = w->retry_ms ? 2 * w->retry_ms : RETRY_MS;
	if (w->retry_ms > BLIND_MS)
		w->retry_ms = BLIND_MS;
	/* A change comes first: its reading is due sooner. */
	if (!w->is_due)
		loop_arm(w->timer, w->retry_ms, w->is_blind ? BLIND_MS : 0);
}

struct guard_watch *guard_watch_new(struct loop *l, loop_fn fn, void *ctx)
{
	struct guard_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	*w = (struct guard_watch){.loop = l, .changes_fd = -1, .fn = fn, .ctx = ctx};
	w->timer = loop_add_timer(l, on_timer, w);
	if (!w->timer)
		return guard_watch_free(w);
	follow_changes(w);
	follow_resolvers(w);
	return w;
}

struct guard_watch *guard_watch_free(struct guard_watch *w)
{
	if (!w)
		return NULL;
	loop_watch_free(w->on_changes);
	loop_watch_free(w->on_resolvers);
	loop_watch_free(w->timer);
	guard_file_free(w->resolvers);
	fd_closep(&w->changes_fd);
	free(w);
	return NULL;
}
