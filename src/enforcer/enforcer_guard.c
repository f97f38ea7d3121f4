/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforcer/enforcer_guard.h"

#include <errno.h>

#include "base/log.h"
#include "proc/guard_watch.h"

#define NETS_PER_MESSAGE 2000
#define LIFT_AT_ONCE 1024

struct enforcer_guard {
	struct role *role;
	struct enforcer_tables *tables;
	struct guard_watch *watch;
	struct guard *guard;
	bool is_told_logins; /* they cannot be read: said once */
};

static void on_change(void *ctx);

struct enforcer_guard *enforcer_guard_new(
    struct role *role, struct enforcer_tables *tables)
{
	struct enforcer_guard *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->role = role;
	g->tables = tables;
	g->watch = guard_watch_new(role->loop, on_change, g);
	return g->watch ? g : enforcer_guard_free(g);
}

struct enforcer_guard *enforcer_guard_free(struct enforcer_guard *g)
{
	if (!g)
		return NULL;
	guard_watch_free(g->watch);
	guard_free(g->guard);
	free(g);
	return NULL;
}

static void refresh(struct enforcer_guard *g, struct guard *guard)
{
	int r = guard_refresh(guard);

	guard_watch_heed(g->watch, r);
	if (r < 0)
		log_warning(NULL,
		    "some of what must never be banned cannot be read: %s",
		    strerror(-r));
}

int enforcer_guard_setup(struct enforcer_guard *g)
{
	const struct setup *s = g->role->setup;
	struct guard_options o = {
	    .min_prefix_v4 = s->min_prefix_v4,
	    .min_prefix_v6 = s->min_prefix_v6,
	    .max_per_sec = s->max_bans_per_sec,
	    .ignore = s->never_ban,
	    .n_ignore = s->n_never_ban,
	    .protect_logins = s->protect_logins,
	};
	struct guard *guard = guard_new(&o);

	if (!guard)
		return -ENOMEM;
	refresh(g, guard);
	guard_free(g->guard);
	g->guard = guard;
	enforcer_guard_tell(g);
	return 0;
}

void enforcer_guard_tell(struct enforcer_guard *g)
{
	const struct net *own;
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);
	size_t n = guard_own(g->guard, &own);

	pack_nets(&b, own, (uint32_t)(n < NETS_PER_MESSAGE ? n : NETS_PER_MESSAGE));
	(void)role_send(g->role, ROLE_ENGINE, MSG_OWN, &b, -1);
	buf_deinit(&b);
}

static enum guard_reason ask(
    struct guard *g, const struct net *n, enum enforcer_guard_how how, mono_t now)
{
	switch (how) {
	case ENFORCER_GUARD_LATE:
		return guard_check_late(g, n, now);
	case ENFORCER_GUARD_AGAIN:
		return guard_check_again(g, n, now);
	default:
		return guard_check(g, n, now);
	}
}

enum guard_reason enforcer_guard_check(struct enforcer_guard *g, const struct net *n,
    enum enforcer_guard_how how, mono_t now)
{
	enum guard_reason verdict = ask(g->guard, n, how, now);
	int r = guard_logins_state(g->guard);

	if (r < 0 && !g->is_told_logins)
		log_warning(NULL,
		    "not all login sessions can be read: %s; the others are protected",
		    strerror(-r));
	g->is_told_logins = r < 0;
	return verdict;
}

/* --- what is protected from now on -------------------------------------------------
 */

/* Removals on their way to the kernel. */
struct lift {
	struct enforcer_guard *g;
	struct nft_change changes[LIFT_AT_ONCE];
	size_t n;
};

static void lift_end(struct lift *l)
{
	int errors[LIFT_AT_ONCE] = {0};
	struct err e = {""};
	int r = l->n ? enforcer_tables_apply(l->g->tables, l->changes, l->n, errors, &e)
		     : 0;

	/* -ENOENT: the table is gone, and all bans with it. */
	if (r < 0 && r != -ENOENT)
		log_err(
		    NULL, "a ban of what is protected now may still stand: %s", e.text);
	l->n = 0;
}

static void lift_one(struct lift *l, uint32_t target, const struct net *net)
{
	if (l->n == LIFT_AT_ONCE)
		lift_end(l);
	l->changes[l->n++] = (struct nft_change){.target = target, .net = *net};
}

/* Of one length, as struct net counts it; the same set is asked for in one go. */
static void lift_length(struct lift *l, uint32_t target, unsigned int bits,
    const struct guard_news *news, size_t n)
{
	const struct setup *s = l->g->role->setup;

	for (size_t i = 0; i < n; i++) {
		struct net net = net_cut(news[i].net, bits);

		/* What is wider was never let through. */
		if (net_is_v4(&news[i].net) ? bits < 96 + s->min_prefix_v4
					    : bits < s->min_prefix_v6)
			continue;
		lift_one(l, target, &net);
	}
}

/* Bans of these, and of networks around them. What is not there costs little: prefix
 * lengths that nobody has banned have no set. */
static void lift_bans(struct enforcer_guard *g, const struct guard_news *news, size_t n)
{
	struct lift l = {.g = g};
	uint32_t last = g->role->setup->n_jails;

	if (!last || !enforcer_tables_any(g->tables))
		return;
	last = enforcer_tables_first(g->tables, last - 1) +
	       enforcer_tables_n(g->tables, last - 1);
	for (uint32_t target = 0; target < last; target++) {
		for (unsigned int bits = 128; bits > 0; bits--)
			lift_length(&l, target, bits, news, n);
	}
	lift_end(&l);
}

/* The engine is told what is protected now, in as many messages as it takes. */
static void tell_protected(
    struct enforcer_guard *g, const struct guard_news *news, size_t n)
{
	for (size_t from = 0, to; from < n; from = to) {
		struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);

		to = from + NETS_PER_MESSAGE < n ? from + NETS_PER_MESSAGE : n;
		pack_u32(&b, (uint32_t)(to - from));
		for (size_t i = from; i < to; i++) {
			pack_u8(&b, (uint8_t)news[i].reason);
			pack_net(&b, &news[i].net);
		}
		(void)role_send(g->role, ROLE_ENGINE, MSG_PROTECTED, &b, -1);
		buf_deinit(&b);
	}
}

static void on_change(void *ctx)
{
	struct enforcer_guard *g = ctx;
	const struct guard_news *news;

	if (!g->guard)
		return;
	refresh(g, g->guard);
	size_t n = guard_news(g->guard, &news);

	if (n)
		lift_bans(g, news, n);
	if (guard_own_changed(g->guard))
		enforcer_guard_tell(g);
	tell_protected(g, news, n);
}
