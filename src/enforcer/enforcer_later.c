/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforcer/enforcer_later.h"

#include <string.h>

#include "base/log.h"

#define TRY_MS 100
#define AT_ONCE 1000 /* their refusals fit a message */

struct enforcer_later {
	struct loop_watch *timer;
	struct orders list; /* records: they own nothing */
	size_t head;        /* the first that waits */
	enforcer_later_fn fn;
	void *ctx;
};

static void on_timer(void *ctx);

struct enforcer_later *enforcer_later_new(
    struct loop *l, enforcer_later_fn fn, void *ctx)
{
	struct enforcer_later *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->fn = fn;
	w->ctx = ctx;
	w->timer = loop_add_timer(l, on_timer, w);
	return w->timer ? w : enforcer_later_free(w);
}

struct enforcer_later *enforcer_later_free(struct enforcer_later *l)
{
	if (!l)
		return NULL;
	loop_watch_free(l->timer);
	orders_deinit(&l->list);
	free(l);
	return NULL;
}

bool enforcer_later_any(const struct enforcer_later *l)
{
	return l->head < l->list.n;
}

void enforcer_later_clear(struct enforcer_later *l)
{
	/* A storm's memory is not kept for a quiet year. */
	orders_deinit(&l->list);
	l->head = 0;
	loop_disarm(l->timer);
}

void enforcer_later_forget(struct enforcer_later *l, uint32_t jail)
{
	size_t n = l->head;

	for (size_t i = l->head; i < l->list.n; i++) {
		if (l->list.items[i].jail != jail)
			l->list.items[n++] = l->list.items[i];
	}
	l->list.n = n;
	if (!enforcer_later_any(l))
		enforcer_later_clear(l);
}

void enforcer_later_add(struct enforcer_later *l, const struct order *record)
{
	bool is_first = !enforcer_later_any(l);
	struct order *kept =
	    l->list.n - l->head < ENFORCER_LATER_MAX ? orders_append(&l->list) : NULL;

	if (!kept) {
		log_err(NULL, "too many bans a second; one order is lost");
		return;
	}
	*kept = *record;
	if (is_first)
		loop_arm(l->timer, TRY_MS, 0);
}

/* Those that are done go when they are the half: each is moved twice at most. */
static void forget_done(struct enforcer_later *l)
{
	if (l->head < l->list.n / 2)
		return;
	l->list.n -= l->head;
	memmove(
	    l->list.items, l->list.items + l->head, l->list.n * sizeof(*l->list.items));
	l->head = 0;
}

static void on_timer(void *ctx)
{
	struct enforcer_later *l = ctx;
	size_t n, done;

	do {
		n = l->list.n - l->head;
		n = n < AT_ONCE ? n : AT_ONCE;
		done = l->fn(l->ctx, l->list.items + l->head, (uint32_t)n);
		l->head += done;
	} while (enforcer_later_any(l) && done == n);
	if (!enforcer_later_any(l)) {
		enforcer_later_clear(l);
		return;
	}
	forget_done(l);
	loop_arm(l->timer, TRY_MS, 0);
}
