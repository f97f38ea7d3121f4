/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guard has refused: counted by reason, told, and kept for who asks why an
 * address is not banned. And what it protects from now on: bans of that are lifted.
 *
 * The same address is told once in TOLD_AGAIN_SEC, for one reason. Kept are SLOTS
 * addresses; where two fall on one place the later one has it, and the other is told
 * again. The hash is keyed, so nobody can choose that. Like the bans themselves these
 * lines are not limited further.
 */
#include <errno.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "enforce/guard.h"
#include "engine/engine_role.h"

#define SLOTS 1024
#define TOLD_AGAIN_SEC 600

struct refusal {
	struct net net;
	enum guard_reason reason; /* GUARD_OK: a free place */
	uint64_t n;
	wall_t at;      /* the last one */
	mono_t told_at; /* when it was last in the log */
};

struct engine_guard {
	uint64_t counts[GUARD_N_REASONS];
	mono_t told_fast_at;
	bool is_told_fast;
	struct refusal slots[SLOTS];
};

struct engine_guard *engine_guard_new(void)
{
	return calloc(1, sizeof(struct engine_guard));
}

struct engine_guard *engine_guard_free(struct engine_guard *g)
{
	free(g);
	return NULL;
}

static bool is_long_ago(mono_t then, mono_t now)
{
	return now.us - then.us >= TOLD_AGAIN_SEC * US_PER_SEC;
}

/* Return: false if it is in the log already, and not long ago. */
static bool note(
    struct engine_guard *g, const struct net *net, enum guard_reason reason, mono_t now)
{
	struct refusal *s = &g->slots[net_hash(net) % SLOTS];
	bool is_known = s->reason == reason && net_eq(&s->net, net);
	bool is_to_tell = !is_known || is_long_ago(s->told_at, now);

	if (!is_known)
		*s = (struct refusal){.net = *net, .reason = reason};
	s->n++;
	s->at = wall_now();
	if (is_to_tell)
		s->told_at = now;
	return is_to_tell;
}

static void note_fast(struct engine_guard *g, mono_t now)
{
	if (g->is_told_fast && !is_long_ago(g->told_fast_at, now))
		return;
	log_warning(NULL, "more bans a second than maxbanrate: some have to wait");
	g->is_told_fast = true;
	g->told_fast_at = now;
}

void engine_guard_refused(struct engine_role *er, const struct order *o, uint8_t number)
{
	enum guard_reason reason = number;
	mono_t now = mono_now();
	char net[NET_TEXT_BYTES];

	if (reason <= GUARD_OK || reason >= GUARD_N_REASONS)
		return;
	er->guard->counts[reason]++;
	if (reason == GUARD_TOO_FAST) {
		note_fast(er->guard, now);
		return;
	}
	if (!note(er->guard, &o->net, reason, now))
		return;
	net_format(&o->net, net);
	log_event(LOG_L_WARNING, er->role->setup->jails[o->jail].name,
	    "not banned: %s is %s", net, guard_reason_text(reason));
}

/* --- what is protected from now on -------------------------------------------------
 */

struct found {
	struct net net;
	uint32_t jail;
};

struct finding {
	struct found *items;
	size_t n;
	bool failed;
};

static void find(void *ctx, const struct order *o)
{
	struct finding *f = ctx;
	struct found *more = reallocarray(f->items, f->n + 1, sizeof(*more));

	if (!more) {
		f->failed = true;
		return;
	}
	f->items = more;
	more[f->n++] = (struct found){o->net, o->jail};
}

/* Found first, lifted then: the table changes under the walk. */
static void lift(struct engine_role *er, enum guard_reason reason, const struct net *n)
{
	struct engine *e = pipeline_engine(er->pipeline);
	struct finding f = {0};

	engine_find_bans(e, n, find, &f);
	for (size_t i = 0; i < f.n; i++) {
		const char *jail = er->role->setup->jails[f.items[i].jail].name;
		char ban[NET_TEXT_BYTES], why[NET_TEXT_BYTES];
		int r = engine_refuse(
		    e, f.items[i].jail, &f.items[i].net, wall_now(), &er->orders);

		net_format(&f.items[i].net, ban);
		net_format(n, why);
		f.failed |= r < 0;
		if (r > 0)
			log_event(LOG_L_WARNING, jail,
			    "no longer banned: %s, since %s is %s now", ban, why,
			    guard_reason_text(reason));
	}
	if (f.failed)
		log_err(NULL, "out of memory: not all bans of what is protected now "
			      "are lifted");
	free(f.items);
}

void engine_guard_message(struct engine_role *er, struct message *m)
{
	struct unpack *u = &m->body;
	uint32_t n = unpack_count(u, 18);

	for (uint32_t i = 0; i < n; i++) {
		enum guard_reason reason = unpack_u8(u);
		struct net net = unpack_net(u);

		if (u->bad || reason <= GUARD_OK || reason >= GUARD_TOO_FAST ||
		    net_is_id(&net)) {
			u->bad = true;
			return;
		}
		lift(er, reason, &net);
	}
	u->bad |= unpack_end(u) < 0;
	(void)engine_role_flush(er);
}

/* --- what is told of it ------------------------------------------------------------
 */

void engine_guard_put_counts(const struct engine_role *er, struct jsonw *j)
{
	jsonw_key(j, "guard");
	jsonw_object(j);
	for (int i = GUARD_OK + 1; i < GUARD_N_REASONS; i++) {
		jsonw_key(j, guard_reason_name((enum guard_reason)i));
		jsonw_i64(j, (int64_t)er->guard->counts[i]);
	}
	jsonw_object_end(j);
}

void engine_guard_put_last(
    const struct engine_role *er, const struct net *net, struct jsonw *j)
{
	const struct refusal *s = &er->guard->slots[net_hash(net) % SLOTS];

	jsonw_key(j, "refused");
	if (s->reason == GUARD_OK || !net_eq(&s->net, net)) {
		jsonw_null(j);
		return;
	}
	jsonw_object(j);
	jsonw_key(j, "reason");
	jsonw_str(j, guard_reason_text(s->reason));
	jsonw_key(j, "at");
	jsonw_wall(j, s->at, false);
	jsonw_key(j, "times");
	jsonw_i64(j, (int64_t)s->n);
	jsonw_object_end(j);
}
