/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has failed and is not banned: told to the enforcer, which ends their silent
 * connections while a server is full. Who is one: proc/suspect_rules.
 *
 * Gathered for SEND_MS; nobody fails: nothing is sent, and nothing wakes. Where more
 * fail in that time than there is room for (enforce/suspects.h) the newest are told.
 * What is told is not kept here: the tally has it, from which all are told again when
 * the enforcer is new or has another set-up.
 */
#include "base/loop.h"
#include "engine/engine_role.h"
#include "proc/suspect_rules.h"

#define SEND_MS 500
#define PER_MESSAGE 2000

struct engine_suspects {
	struct engine_role *er;
	struct suspects *list; /* not told yet */
	struct loop_watch *timer;
	bool is_armed;
	mono_t sent_at;
};

static void on_turn(void *ctx);

struct engine_suspects *engine_suspects_new(struct engine_role *er)
{
	struct engine_suspects *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->er = er;
	s->list = suspects_new();
	s->timer = loop_add_timer(er->role->loop, on_turn, s);
	return s->list && s->timer ? s : engine_suspects_free(s);
}

struct engine_suspects *engine_suspects_free(struct engine_suspects *s)
{
	if (!s)
		return NULL;
	loop_watch_free(s->timer);
	suspects_free(s->list);
	free(s);
	return NULL;
}

static void arm(struct engine_suspects *s, mono_t now)
{
	int64_t wait_ms = SEND_MS - (now.us - s->sent_at.us) / 1000;

	if (s->is_armed)
		return;
	s->is_armed = true;
	loop_arm(s->timer, wait_ms > 1 ? (uint64_t)wait_ms : 1, 0);
}

static void add(struct engine_suspects *s, uint32_t jail, const struct net *net,
    wall_t at, wall_t now)
{
	mono_t mono = mono_now();
	struct suspect w;

	if (!suspect_of(s->er->role->setup, jail, net, at, now, mono, &w))
		return;
	suspects_put(s->list, &w);
	arm(s, mono);
}

void engine_suspects_verdict(
    struct engine_suspects *s, const struct hit *h, int outcome)
{
	/* Without an enforcer: all are told when it is there. */
	if (!s->er->role->peers[ROLE_ENFORCER] || h->weight <= 0 ||
	    !suspect_makes_room(s->er->role->setup, h->jail))
		return;
	if (outcome == ENGINE_COUNTED)
		add(s, h->jail, &h->net, h->at, wall_now());
	else if (s->is_armed && outcome == ENGINE_BANNED && !net_is_id(&h->net))
		suspects_forget(s->list, h->jail, &h->net);
}

/* --- a message ---------------------------------------------------------------------
 */

/* The next of them after @w. Return: the last one sent, or NULL: that was all. */
static const struct suspect *send_some(
    struct engine_suspects *s, const struct suspect *w)
{
	struct buf all = BUF_INIT(MESSAGE_MAX_BYTES - 2);
	struct buf records = BUF_INIT(PER_MESSAGE * SUSPECT_RECORD_BYTES);
	uint32_t n = 0;

	while (n < PER_MESSAGE && (w = suspects_next(s->list, s->sent_at, w))) {
		suspect_pack(&records, w, s->sent_at);
		n++;
	}
	pack_u64(&all, s->er->role->setup->generation);
	pack_u32(&all, n);
	buf_add_span(&all, buf_span(&records));
	if (n)
		(void)role_send(s->er->role, ROLE_ENFORCER, MSG_SUSPECTS, &all, -1);
	buf_deinit(&records);
	buf_deinit(&all);
	return w;
}

static void on_turn(void *ctx)
{
	struct engine_suspects *s = ctx;
	const struct suspect *last = NULL;

	s->is_armed = false;
	s->sent_at = mono_now();
	do
		last = send_some(s, last);
	while (last);
	suspects_forget_all(s->list);
}

/* --- all again ---------------------------------------------------------------------
 */

struct telling {
	struct engine_suspects *s;
	wall_t now;
};

static void tell(void *ctx, uint32_t jail, const struct net *net, wall_t newest)
{
	const struct telling *t = ctx;

	add(t->s, jail, net, newest, t->now);
}

void engine_suspects_resync(struct engine_suspects *s)
{
	const struct setup *setup = s->er->role->setup;
	struct telling t = {s, wall_now()};
	bool any = false;

	suspects_forget_all(s->list); /* their jails may have other numbers now */
	for (uint32_t i = 0; i < setup->n_jails && !any; i++)
		any = suspect_makes_room(setup, i);
	if (any)
		engine_each_failing(pipeline_engine(s->er->pipeline), t.now, tell, &t);
}
