/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforcer/enforcer_sever.h"

#include <errno.h>

#include "base/log.h"
#include "base/loop.h"
#include "enforce/sever.h"

#define GATHER_MS 1
#define REST_FACTOR 3 /* so many times as long as a round took comes none */
#define ROUNDS_MAX 64

struct waiting {
	struct net net;
	uint32_t jail;
	uint8_t step;
	uint32_t rounds; /* it has been in so many, and was not done */
};

struct enforcer_sever {
	struct role *role;
	struct enforcer_tables *tables;
	struct loop_watch *timer;
	struct waiting *waiting; /* first in, first out */
	size_t n;
	bool is_armed;
	mono_t rest_until;
	bool is_impossible; /* on this kernel; said once */
};

static void on_turn(void *ctx);

struct enforcer_sever *enforcer_sever_new(
    struct role *role, struct enforcer_tables *tables)
{
	struct enforcer_sever *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->role = role;
	s->tables = tables;
	/* Pages of it are there once they are used. */
	s->waiting = calloc(ENFORCER_SEVER_MAX, sizeof(*s->waiting));
	s->timer = loop_add_timer(role->loop, on_turn, s);
	return s->waiting && s->timer ? s : enforcer_sever_free(s);
}

struct enforcer_sever *enforcer_sever_free(struct enforcer_sever *s)
{
	if (!s)
		return NULL;
	loop_watch_free(s->timer);
	free(s->waiting);
	free(s);
	return NULL;
}

void enforcer_sever_reload(struct enforcer_sever *s)
{
	s->n = 0;
	s->is_impossible = false; /* a module may have been loaded */
}

static void arm(struct enforcer_sever *s)
{
	if (s->is_armed || !s->n)
		return;
	int64_t rest_ms = (s->rest_until.us - mono_now().us) / 1000;

	s->is_armed = true;
	loop_arm(s->timer, rest_ms > GATHER_MS ? (uint64_t)rest_ms : GATHER_MS, 0);
}

static void put(struct enforcer_sever *s, const struct waiting *w)
{
	if (s->n < ENFORCER_SEVER_MAX)
		s->waiting[s->n++] = *w;
	else
		log_warning(s->role->setup->jails[w->jail].name,
		    "too many bans at once; connections of one are not cut");
}

void enforcer_sever_add(struct enforcer_sever *s, const struct order *ban)
{
	const struct setup *setup = s->role->setup;

	if (s->is_impossible || ban->jail >= setup->n_jails ||
	    !setup->jails[ban->jail].sever || !setup->jails[ban->jail].n_targets)
		return;
	put(s,
	    &(struct waiting){.net = ban->net, .jail = ban->jail, .step = ban->step});
	arm(s);
}

/* --- a round -----------------------------------------------------------------------
 */

/* Does the kernel drop it now, on all the jail's ports? */
static bool is_dropped(struct enforcer_sever *s, const struct waiting *w)
{
	uint32_t first = enforcer_tables_first(s->tables, w->jail);
	uint32_t n_targets = enforcer_tables_n(s->tables, w->jail);
	const struct setup_jail *j = &s->role->setup->jails[w->jail];
	bool any = false;

	for (uint32_t k = 0; k < n_targets; k++) {
		uint64_t packets, bytes;

		if (!nft_target_serves(&j->targets[k], w->step))
			continue;
		if (enforcer_tables_counter(
			s->tables, first + k, &w->net, &packets, &bytes) < 0)
			return false;
		any = true;
	}
	return any;
}

/* The first of those who wait, as far as they are still wanted. */
static size_t take_round(
    struct enforcer_sever *s, struct waiting *round, struct sever_ban *bans)
{
	size_t i, n = 0;

	for (i = 0; i < s->n && n < SEVER_MAX_BANS; i++) {
		const struct waiting *w = &s->waiting[i];
		const struct setup_jail *j = &s->role->setup->jails[w->jail];

		if (!is_dropped(s, w))
			continue;
		round[n] = *w;
		bans[n++] = (struct sever_ban){.net = w->net,
		    .targets = j->targets,
		    .n_targets = j->n_targets,
		    .step = w->step};
	}
	s->n -= i;
	memmove(s->waiting, s->waiting + i, s->n * sizeof(*s->waiting));
	return n;
}

void enforcer_sever_tell(struct role *r, uint32_t jail, uint32_t n)
{
	struct buf b = BUF_INIT(16);

	pack_u64(&b, r->setup->generation);
	pack_u32(&b, jail);
	pack_u32(&b, n);
	(void)role_send(r, ROLE_ENGINE, MSG_SEVERED, &b, -1);
	buf_deinit(&b);
}

static void tell_cut(struct enforcer_sever *s, const struct waiting *round,
    const struct sever_ban *bans, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char text[NET_TEXT_BYTES];

		if (!bans[i].n_cut)
			continue;
		net_format(&bans[i].net, text);
		log_info(s->role->setup->jails[round[i].jail].name,
		    "severed addr=%s connections=%u", text, bans[i].n_cut);
		enforcer_sever_tell(s->role, round[i].jail, bans[i].n_cut);
	}
}

static void again(struct enforcer_sever *s, struct waiting *round, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (++round[i].rounds < ROUNDS_MAX)
			put(s, &round[i]);
	}
}

static void give_up(struct enforcer_sever *s, int r)
{
	log_warning(NULL,
	    "this kernel does not end connections (%s); bans only drop packets",
	    strerror(-r));
	s->is_impossible = true;
	s->n = 0;
}

static void play_round(struct enforcer_sever *s)
{
	struct waiting round[SEVER_MAX_BANS];
	struct sever_ban bans[SEVER_MAX_BANS];
	size_t n = take_round(s, round, bans);
	int r = n ? sever(bans, n) : 0;

	tell_cut(s, round, bans, n);
	if (r == -EOPNOTSUPP || r == -ENOENT || r == -EPROTONOSUPPORT) {
		give_up(s, r);
		return;
	}
	if (r < 0)
		log_warning(NULL,
		    "connections cannot be cut just now: %s; trying again",
		    strerror(-r));
	if (r)
		again(s, round, n);
}

static void on_turn(void *ctx)
{
	struct enforcer_sever *s = ctx;
	mono_t start = mono_now();

	s->is_armed = false;
	play_round(s);
	mono_t end = mono_now();

	s->rest_until.us = end.us + REST_FACTOR * (end.us - start.us);
	arm(s);
}
