/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clients ask, answered in JSON that the front passes on as it is.
 *
 * An answer that needs others (did the guard let the ban through? what has it stopped?
 * is it stored, so that even kill -9 does not lose it?) waits for them, at most
 * PATIENCE_MS; then it is given without.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "enforce/guard.h"
#include "engine/engine_answers_private.h"

#define PATIENCE_MS 2000
#define MAX_WAITING 64
#define MAX_NETS 1024
#define MAX_COUNTED 64 /* bans of one address whose counters are asked for */

void engine_answers_reply(struct engine_answers *a, uint64_t id, const struct buf *json)
{
	role_reply(a->er->role, id,
	    json->failed ? SPAN("{\"error\":\"the answer is too large\"}")
			 : buf_span(json));
}

void answers_reply_error(struct engine_answers *a, uint64_t id, const char *fmt, ...)
{
	struct buf b = BUF_INIT(8192);
	struct jsonw j = jsonw_of(&b);
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	jsonw_object(&j);
	jsonw_key(&j, "error");
	jsonw_str(&j, text);
	jsonw_object_end(&j);
	engine_answers_reply(a, id, &b);
	buf_deinit(&b);
}

/* --- answers that wait -------------------------------------------------------------
 */

static struct answer *answer_free(struct answer *w)
{
	if (!w)
		return NULL;
	orders_deinit(&w->bans);
	free(w->name);
	buf_deinit(&w->refused);
	free(w->stopped);
	free(w);
	return NULL;
}

struct answer *answers_new(const struct request *q)
{
	struct answer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->id = q->id;
	w->verb = q->verb;
	w->asked_at = mono_now();
	w->jail = q->jail >= 0 ? (uint32_t)q->jail : 0;
	w->refused = BUF_INIT(1 << 20);
	if (q->who.n)
		w->net = q->who.nets[0];
	if (q->who.n && q->who.texts[0] && !(w->name = strdup(q->who.texts[0])))
		return answer_free(w);
	return w;
}

/* Is what was banned dropped by the kernel, as far as it is to be? */
static bool is_enforced(const struct engine_answers *a, const struct answer *w)
{
	if (a->er->is_enforcing || !answers_setup(a)->jails[w->jail].n_targets)
		return true;
	for (size_t i = 0; i < w->bans.n; i++) {
		if (!w->bans.items[i].id)
			return false;
	}
	return w->bans.n > 0;
}

static void put_ban_result(
    struct engine_answers *a, struct jsonw *j, const struct answer *w)
{
	int64_t n_prolonged = 0;

	jsonw_key(j, "banned");
	jsonw_array(j);
	for (size_t i = 0; i < w->bans.n; i++) {
		answers_put_who(j, &w->bans.items[i].net, w->bans.items[i].id);
		n_prolonged += w->bans.items[i].op == ORDER_PROLONG;
	}
	jsonw_array_end(j);
	answers_put_i64(j, "prolonged", n_prolonged);
	answers_put_i64(j, "already", w->n_already);
	jsonw_key(j, "refused");
	jsonw_array(j);
	jsonw_raw(j, buf_span(&w->refused));
	jsonw_array_end(j);
	jsonw_key(j, "enforced");
	jsonw_bool(j, is_enforced(a, w));
}

/* Bans before, and what they lead to; "next" -1: for good. */
static void put_offence(void *ctx, const struct engine_offence *o)
{
	struct listing *l = ctx;

	jsonw_object(&l->j);
	answers_put_str(&l->j, "jail", answers_jail_name(l->a, o->jail));
	answers_put_i64(&l->j, "bancount", o->count);
	answers_put_wall(&l->j, "at", o->at);
	answers_put_i64(&l->j, "next", o->next_sec < 0 ? -1 : (int64_t)o->next_sec);
	if (o->step)
		answers_put_str(&l->j, "answer",
		    step_answer_name(
			steps_at(&answers_setup(l->a)->jails[o->jail].steps, o->step)
			    ->answer));
	answers_put_i64(&l->j, "weight", o->weight);
	jsonw_object_end(&l->j);
}

static void put_why_result(
    struct engine_answers *a, struct jsonw *j, const struct answer *w)
{
	struct listing l = {.a = a, .j = *j};
	struct net by;

	jsonw_key(&l.j, "ip");
	answers_put_who(&l.j, &w->net, w->name);
	jsonw_key(&l.j, "bans");
	jsonw_array(&l.j);
	for (size_t i = 0; i < w->bans.n; i++)
		answers_put_ban(
		    a, &l.j, &w->bans.items[i], w->stopped ? &w->stopped[2 * i] : NULL);
	jsonw_array_end(&l.j);
	answers_put_evidence(a, &l.j, &w->net);
	jsonw_key(&l.j, "before");
	jsonw_array(&l.j);
	engine_offences(answers_engine(a), &w->net, put_offence, &l);
	jsonw_array_end(&l.j);
	jsonw_key(&l.j, "ignored");
	jsonw_array(&l.j);
	for (uint32_t i = 0; i < answers_setup(a)->n_jails; i++) {
		if (!engine_is_ignored(answers_engine(a), i, &w->net, &by))
			continue;
		jsonw_object(&l.j);
		answers_put_str(&l.j, "jail", answers_jail_name(a, i));
		jsonw_key(&l.j, "by");
		jsonw_net(&l.j, &by);
		jsonw_object_end(&l.j);
	}
	jsonw_array_end(&l.j);
	engine_guard_put_last(a->er, &w->net, &l.j);
	*j = l.j;
}

/* Takes @w. */
static void answer_give(struct engine_answers *a, struct answer *w)
{
	struct buf b = BUF_INIT(ANSWER_MAX_BYTES);
	struct jsonw j = jsonw_of(&b);

	jsonw_object(&j);
	if (w->verb == REQUEST_BAN)
		put_ban_result(a, &j, w);
	else if (w->verb == REQUEST_REPORT)
		; /* all that was counted is stored: the keeper tells the rest */
	else if (w->verb == REQUEST_UNBAN)
		answers_put_i64(&j, "unbanned", w->n_unbanned);
	else
		put_why_result(a, &j, w);
	jsonw_object_end(&j);
	engine_answers_reply(a, w->id, &b);
	buf_deinit(&b);
	answer_free(w);
}

void answers_wait_or_give(struct engine_answers *a, struct answer *w)
{
	if (!a->er->role->peers[ROLE_ENFORCER])
		w->last_seq = 0;
	if ((!w->last_seq && !w->store_seq) || a->n_waiting >= MAX_WAITING) {
		answer_give(a, w);
		return;
	}
	TAILQ_INSERT_TAIL(&a->waiting, w, link);
	if (!a->n_waiting++)
		loop_arm(a->patience, PATIENCE_MS, PATIENCE_MS);
}

void answers_check(struct engine_answers *a, struct answer *w)
{
	if (w->last_seq || w->store_seq)
		return;
	TAILQ_REMOVE(&a->waiting, w, link);
	if (!--a->n_waiting)
		loop_disarm(a->patience);
	answer_give(a, w);
}

static int copy_order(struct orders *to, const struct order *o)
{
	struct order *c = orders_append(to);

	if (!c)
		return -ENOMEM;
	*c = *o;
	c->n_why = c->n_fields = 0;
	c->fields = NULL;
	c->id = o->id ? strdup(o->id) : NULL;
	c->why = o->n_why ? calloc(o->n_why, sizeof(*c->why)) : NULL;
	for (uint32_t i = 0; c->why && i < o->n_why; i++) {
		c->why[i] = o->why[i];
		c->why[i].text = o->why[i].text ? strdup(o->why[i].text) : NULL;
		c->n_why = i + 1;
	}
	return o->id && !c->id ? -ENOMEM : 0;
}

/* Return: true, and the reply is sent: one is an id, which the jail cannot ban. */
static bool refuse_useless(struct engine_answers *a, const struct request *q)
{
	if (setup_jail_takes_ids(&answers_setup(a)->jails[q->jail]))
		return false;
	for (uint32_t i = 0; i < q->who.n; i++) {
		if (!q->who.texts[i])
			continue;
		answers_reply_error(a, q->id,
		    "'%.64s' is no address or network, and jail '%s' has no action "
		    "that is a command, which could ban something else",
		    q->who.texts[i], q->jail_name);
		return true;
	}
	return false;
}

static void answer_ban(struct engine_answers *a, const struct request *q)
{
	if (refuse_useless(a, q))
		return;
	struct answer *w = answers_new(q);
	int r = w ? 0 : -ENOMEM;

	if (w)
		w->first_seq = a->er->last_seq + 1;
	for (uint32_t i = 0; i < q->who.n && r >= 0; i++) {
		r = engine_ban(answers_engine(a), (uint32_t)q->jail, &q->who.nets[i],
		    q->who.texts[i], wall_now(), q->seconds, &a->er->orders);
		if (r == ENGINE_ALREADY_BANNED)
			w->n_already++;
		else if (r == ENGINE_FULL)
			break;
	}
	for (size_t i = 0; w && i < a->er->orders.n && r >= 0; i++)
		r = copy_order(&w->bans, &a->er->orders.items[i]) < 0 ? -ENOMEM : r;
	uint64_t seq = engine_role_flush(a->er);

	if (r < 0 || r == ENGINE_FULL) {
		answer_free(w);
		answers_reply_error(a, q->id, "%s",
		    r < 0 ? "out of memory" : "the table of bans is full");
		return;
	}
	w->last_seq = seq;
	w->store_seq = engine_store_now(a->er->store);
	answers_wait_or_give(a, w);
}

static void answer_unban(struct engine_answers *a, const struct request *q)
{
	struct answer *w = answers_new(q);
	int64_t n = w ? 0 : -ENOMEM;

	if (w)
		w->first_seq = a->er->last_seq + 1;
	if (w && !q->who.n)
		n = engine_unban(
		    answers_engine(a), q->jail, NULL, wall_now(), &a->er->orders);
	for (uint32_t i = 0; i < q->who.n && n >= 0; i++) {
		int r = engine_unban(answers_engine(a), q->jail, &q->who.nets[i],
		    wall_now(), &a->er->orders);

		n = r < 0 ? r : n + r;
	}
	/* All that was banned there has been lifted, so it can be told as one. */
	uint64_t seq = n >= 0 && !q->who.n ? engine_role_flush_lifted(a->er, q->jail)
					   : engine_role_flush(a->er);

	if (n < 0) {
		answer_free(w);
		answers_reply_error(a, q->id, "out of memory");
		return;
	}
	w->n_unbanned = n;
	w->last_seq = seq;
	w->store_seq = engine_store_now(a->er->store);
	answers_wait_or_give(a, w);
}

static void collect_ban(void *ctx, const struct order *o)
{
	(void)copy_order(ctx, o);
}

static void answer_why(struct engine_answers *a, const struct request *q)
{
	struct answer *w = answers_new(q);
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	if (!w) {
		answers_reply_error(a, q->id, "%s", "out of memory");
		return;
	}
	engine_find_bans(answers_engine(a), &w->net, collect_ban, &w->bans);
	uint32_t n = w->bans.n < MAX_COUNTED && !w->name ? (uint32_t)w->bans.n : 0;

	if (n) {
		w->first_seq = w->last_seq = ++a->er->last_seq;
		pack_u64(&b, answers_setup(a)->generation);
		pack_u64(&b, w->last_seq);
		pack_u32(&b, n);
		for (uint32_t i = 0; i < n; i++)
			order_encode_record(&b, &w->bans.items[i]);
		(void)role_send(a->er->role, ROLE_ENFORCER, MSG_COUNT, &b, -1);
	}
	buf_deinit(&b);
	answers_wait_or_give(a, w);
}

/* --- what comes back from the enforcer ---------------------------------------------
 */

static struct answer *find_waiting(struct engine_answers *a, uint64_t seq)
{
	struct answer *w;

	TAILQ_FOREACH (w, &a->waiting, link) {
		if (seq >= w->first_seq && seq <= w->last_seq)
			return w;
	}
	return NULL;
}

static void drop_ban(struct answer *w, const struct net *n)
{
	for (size_t i = 0; i < w->bans.n; i++) {
		if (!net_eq(&w->bans.items[i].net, n))
			continue;
		order_deinit(&w->bans.items[i]);
		w->bans.items[i] = w->bans.items[--w->bans.n];
		return;
	}
}

/* The guard said no: then it is no ban, whoever wanted it. */
static void take_refusal(struct engine_answers *a, struct answer *w,
    const struct order *o, enum guard_reason reason)
{
	char net[NET_TEXT_BYTES];

	net_format(&o->net, net);
	if (engine_refuse(
		answers_engine(a), o->jail, &o->net, wall_now(), &a->er->orders) < 0)
		log_err(NULL, "out of memory: %s stays in the list of bans", net);
	if (!w)
		return;
	struct jsonw j = jsonw_of(&w->refused);

	drop_ban(w, &o->net);
	j.need_comma = w->refused.n > 0;
	jsonw_object(&j);
	jsonw_key(&j, "ip");
	jsonw_net(&j, &o->net);
	answers_put_str(&j, "reason", guard_reason_text(reason));
	jsonw_object_end(&j);
}

void engine_answers_done(struct engine_answers *a, struct message *m)
{
	uint64_t generation = unpack_u64(&m->body);
	uint64_t seq = unpack_u64(&m->body);
	uint32_t n = unpack_count(&m->body, ORDER_RECORD_BYTES + 9);
	/* 0: of bans that had to wait; their answers are given. */
	struct answer *w = seq ? find_waiting(a, seq) : NULL;

	engine_orders_answered(a->er, seq);
	for (uint32_t i = 0; i < n; i++) {
		struct order o;

		if (order_decode_record(&m->body, &o) < 0) {
			m->body.bad = true;
			return;
		}
		enum guard_reason reason = unpack_u8(&m->body);
		int64_t error = unpack_i64(&m->body);

		if (generation != answers_setup(a)->generation || o.op == ORDER_UNBAN ||
		    o.jail >= answers_setup(a)->n_jails)
			continue;
		engine_guard_refused(a->er, &o, (uint8_t)reason);
		if (reason > GUARD_OK && reason < GUARD_TOO_FAST)
			take_refusal(a, w, &o, reason);
		else if (error)
			log_err(answers_jail_name(a, o.jail),
			    "the kernel refuses a ban: %s", strerror((int)-error));
	}
	(void)engine_role_flush(a->er);
	engine_orders_done(a->er, seq);
	/* Either may have lost the front, and with it who waits. */
	w = seq ? find_waiting(a, seq) : NULL;
	if (w && seq == w->last_seq) {
		w->last_seq = 0;
		answers_check(a, w);
	}
}

void engine_answers_counted(struct engine_answers *a, struct message *m)
{
	uint64_t seq = unpack_u64(&m->body);
	uint32_t n = unpack_count(&m->body, 16);
	struct answer *w = find_waiting(a, seq);

	if (!w || n != w->bans.n)
		return;
	w->stopped = calloc(2 * (size_t)n, sizeof(*w->stopped));
	for (uint32_t i = 0; w->stopped && i < 2 * n; i++) {
		uint64_t v = unpack_u64(&m->body);

		w->stopped[i] = v == MESSAGE_NOT_KNOWN ? 0 : v;
	}
	w->last_seq = 0;
	answers_check(a, w);
}

void engine_answers_stored(struct engine_answers *a, uint64_t seq)
{
	struct answer *w, *next;

	TAILQ_FOREACH_SAFE (w, &a->waiting, link, next) {
		if (!w->store_seq || w->store_seq > seq)
			continue;
		w->store_seq = 0;
		answers_check(a, w);
	}
}

static void on_patience(void *ctx)
{
	struct engine_answers *a = ctx;
	mono_t now = mono_now();
	struct answer *w, *next;

	TAILQ_FOREACH_SAFE (w, &a->waiting, link, next) {
		if (now.us - w->asked_at.us < PATIENCE_MS * 1000)
			continue;
		w->last_seq = w->store_seq = 0;
		answers_check(a, w);
	}
}

void engine_answers_enforcer_gone(struct engine_answers *a)
{
	struct answer *w, *next;

	TAILQ_FOREACH_SAFE (w, &a->waiting, link, next) {
		w->last_seq = 0;
		answers_check(a, w);
	}
}

void engine_answers_front_gone(struct engine_answers *a)
{
	struct answer *w;

	while ((w = TAILQ_FIRST(&a->waiting))) {
		TAILQ_REMOVE(&a->waiting, w, link);
		answer_free(w);
	}
	a->n_waiting = 0;
	loop_disarm(a->patience);
}

/* --- requests ----------------------------------------------------------------------
 */

/* Return: false if the message is broken. */
static bool decode_request(struct unpack *u, struct request *q)
{
	q->id = unpack_u64(u);
	q->verb = unpack_u8(u);
	q->jail_name = unpack_str(u);
	q->seconds = unpack_i64(u);
	q->offset = unpack_u32(u);
	q->limit = unpack_u32(u);
	return ids_unpack(u, MAX_NETS, &q->who) == 0 && unpack_end(u) == 0;
}

static void dispatch(struct engine_answers *a, const struct request *q)
{
	switch (q->verb) {
	case REQUEST_PING:
		answers_ping(a, q);
		return;
	case REQUEST_STATUS:
		answers_status(a, q);
		return;
	case REQUEST_BANNED:
		answers_banned(a, q);
		return;
	case REQUEST_BAN:
		if (q->jail < 0 || !q->who.n)
			answers_reply_error(
			    a, q->id, "%s", "a ban needs a jail and an address");
		else
			answer_ban(a, q);
		return;
	case REQUEST_UNBAN:
		answer_unban(a, q);
		return;
	case REQUEST_WHY:
		if (!q->who.n)
			answers_reply_error(a, q->id, "%s", "which address?");
		else
			answer_why(a, q);
		return;
	case REQUEST_REPORT:
		answers_report(a, q);
		return;
	default:
		answers_reply_error(a, q->id, "%s", "unknown request");
	}
}

void engine_answers_request(struct engine_answers *a, struct message *m)
{
	struct request q = {.jail = -1};

	if (!decode_request(&m->body, &q)) {
		m->body.bad = true;
	} else if (!a->er->is_serving) {
		answers_reply_error(
		    a, q.id, "bandogd is starting; try again in a moment");
	} else {
		if (q.jail_name)
			q.jail =
			    setup_find_jail(answers_setup(a), span_of(q.jail_name));
		if (q.jail_name && q.jail < 0)
			answers_reply_error(
			    a, q.id, "there is no jail '%s'", q.jail_name);
		else
			dispatch(a, &q);
	}
	free(q.jail_name);
	ids_deinit(&q.who);
}

struct engine_answers *engine_answers_new(struct engine_role *er)
{
	struct engine_answers *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->er = er;
	a->started = mono_now();
	TAILQ_INIT(&a->waiting);
	a->patience = loop_add_timer(er->role->loop, on_patience, a);
	return a->patience ? a : engine_answers_free(a);
}

struct engine_answers *engine_answers_free(struct engine_answers *a)
{
	if (!a)
		return NULL;
	engine_answers_front_gone(a);
	loop_watch_free(a->patience);
	free(a);
	return NULL;
}
