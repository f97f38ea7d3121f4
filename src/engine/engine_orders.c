/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders on their way to those who carry them out: as records, gathered into messages.
 * The runner gets those of jails that need it only; where commands are to be run a ban
 * goes with its lines and with what the deciding line named. Ids are for the runner's
 * commands only: neither the kernel nor hosts.deny knows them.
 */
#include "engine/engine_role.h"
#include "pipeline/setup_actions.h"

#define PER_MESSAGE 1000
#define TICKET_BYTES (MESSAGE_MAX_BYTES - 64)
#define FIELD_MAX_BYTES 1024
#define AGAIN_MAX 4096

/* Records for one role, until there are enough for a message. */
struct batch {
	struct engine_role *er;
	enum role_id to;
	struct buf records;
	uint32_t n;
};

static struct batch batch_of(struct engine_role *er, enum role_id to)
{
	return (struct batch){
	    .er = er, .to = to, .records = BUF_INIT(MESSAGE_MAX_BYTES)};
}

static void batch_send(struct batch *t)
{
	struct buf all = BUF_INIT(MESSAGE_MAX_BYTES);

	if (!t->n)
		return;
	pack_u64(&all, t->er->role->setup->generation);
	/* Only the enforcer's answers are waited for. */
	pack_u64(&all, t->to == ROLE_ENFORCER ? ++t->er->last_seq : 0);
	pack_u32(&all, t->n);
	buf_add_span(&all, buf_span(&t->records));
	(void)role_send(t->er->role, t->to, MSG_ORDERS, &all, -1);
	buf_deinit(&all);
	buf_clear(&t->records);
	t->n = 0;
}

static void batch_add(struct batch *t, const struct order *o)
{
	order_encode_record(&t->records, o);
	if (++t->n == PER_MESSAGE)
		batch_send(t);
}

static void batch_end(struct batch *t)
{
	batch_send(t);
	buf_deinit(&t->records);
}

/* --- what has been decided ---------------------------------------------------------
 */

/* Is it a part of what can be told in one word? Maps of XDP are emptied one by one. */
static bool is_lifted(const struct engine_role *er, const struct order *o)
{
	const struct setup *s = er->role->setup;

	return engine_role_is_lifted(er, o) && o->jail < s->n_jails &&
	       !setup_jail_n_xdp(&s->jails[o->jail]);
}

/* The enforcer is to lift all, before it is told all again; until it answers @seq, or
 * in any case (0). */
static void must_empty(struct engine_role *er, uint64_t seq)
{
	er->missed.must_empty = true;
	er->missed.empty_seq = seq;
}

static void send_lift(struct engine_role *er, int jail)
{
	struct buf b = BUF_INIT(32);

	must_empty(er, ++er->last_seq);
	pack_u64(&b, er->role->setup->generation);
	pack_u64(&b, er->last_seq);
	pack_u32(&b, jail < 0 ? UINT32_MAX : (uint32_t)jail);
	(void)role_send(er->role, ROLE_ENFORCER, MSG_LIFT, &b, -1);
	buf_deinit(&b);
}

/*
 * Bans are all told again to an enforcer that is new; what was lifted must not be lost,
 * so it is kept until the enforcer has answered: one that dies may not have heard of
 * it. Too many are as one word. @seq: of the answer; 0: there is no enforcer. What ends
 * by its time does so in the kernel, too.
 */
static void remember_unbans(struct engine_role *er, uint64_t seq)
{
	struct buf *b = &er->missed.unbans;

	for (size_t i = 0; i < er->orders.n; i++) {
		const struct order *o = &er->orders.items[i];

		if (o->op != ORDER_UNBAN || net_is_id(&o->net) || is_lifted(er, o) ||
		    (seq && o->cause == ORDER_EXPIRED))
			continue;
		order_encode_record(b, o);
		er->missed.seq = seq;
	}
	if (!b->failed)
		return;
	buf_clear(b);
	must_empty(er, seq);
}

void engine_orders_answered(struct engine_role *er, uint64_t seq)
{
	if (er->missed.seq && seq >= er->missed.seq) {
		buf_clear(&er->missed.unbans);
		er->missed.seq = 0;
	}
	if (er->missed.empty_seq && seq == er->missed.empty_seq)
		er->missed.must_empty = false;
}

void engine_orders_reload(struct engine_role *er)
{
	/* Jails have other numbers now, and who has not answered never will. */
	if (er->missed.unbans.n || er->missed.must_empty)
		must_empty(er, 0);
	buf_clear(&er->missed.unbans);
	er->missed.seq = 0;
}

static void send_to_enforcer(struct engine_role *er)
{
	struct batch t = batch_of(er, ROLE_ENFORCER);
	bool any_lifted = false;

	for (size_t i = 0; i < er->orders.n; i++) {
		const struct order *o = &er->orders.items[i];

		if (is_lifted(er, o))
			any_lifted = true;
		else if (!net_is_id(&o->net))
			batch_add(&t, o);
	}
	batch_end(&t);
	remember_unbans(er, er->last_seq);
	if (any_lifted)
		send_lift(er, er->lifted.jail);
}

static void remember_all(struct engine_role *er)
{
	remember_unbans(er, 0);
	if (er->lifted.is_on)
		must_empty(er, 0);
}

static void pack_fields(struct buf *b, const struct order *o)
{
	pack_u32(b, o->n_fields);
	for (uint32_t i = 0; i < o->n_fields; i++) {
		struct span value = span_of(o->fields[i].value);

		if (value.n > FIELD_MAX_BYTES)
			value.n = FIELD_MAX_BYTES;
		pack_str(b, o->fields[i].name);
		pack_span(b, value);
	}
}

/* All lines, or as many of the last ones as a message holds. */
static void send_ticket(struct batch *t, const struct order *o)
{
	struct order cut = *o;
	struct buf b = BUF_INIT(TICKET_BYTES);

	batch_send(t); /* what was decided before comes before */
	for (;; cut.n_why /= 2) {
		buf_clear(&b);
		pack_u64(&b, t->er->role->setup->generation);
		cut.why = o->why + (o->n_why - cut.n_why);
		order_encode(&b, &cut);
		pack_fields(&b, o);
		if (!b.failed || !cut.n_why)
			break;
	}
	(void)role_send(t->er->role, ROLE_RUNNER, MSG_TICKET, &b, -1);
	buf_deinit(&b);
}

/* Who is only refused is nobody's to ban; the end of it does no harm. */
static bool is_mere_words(const struct setup *s, const struct order *o)
{
	return o->op != ORDER_UNBAN && setup_only_refuses(s, o->jail, o->step);
}

static void send_to_runner(struct engine_role *er)
{
	struct batch t = batch_of(er, ROLE_RUNNER);
	const struct setup *s = er->role->setup;

	for (size_t i = 0; i < er->orders.n; i++) {
		const struct order *o = &er->orders.items[i];

		if (o->jail >= s->n_jails || is_mere_words(s, o))
			continue;
		if (s->jails[o->jail].n_commands && o->op != ORDER_UNBAN)
			send_ticket(&t, o);
		else if (s->jails[o->jail].n_commands || s->jails[o->jail].n_hosts_deny)
			batch_add(&t, o);
	}
	batch_end(&t);
}

/* All that happens in jails that may refuse: a ban that goes on to the next step is to
 * be forgotten. */
static void send_to_policy(struct engine_role *er)
{
	struct batch t = batch_of(er, ROLE_POLICY);
	const struct setup *s = er->role->setup;

	for (size_t i = 0; i < er->orders.n; i++) {
		const struct order *o = &er->orders.items[i];

		if (o->jail < s->n_jails && !net_is_id(&o->net) &&
		    steps_any(&s->jails[o->jail].steps, STEP_REFUSE))
			batch_add(&t, o);
	}
	batch_end(&t);
}

void engine_orders_send(struct engine_role *er)
{
	/* The kernel first: every microsecond counts there. */
	engine_count_lifted(er->count, &er->orders);
	if (er->role->peers[ROLE_ENFORCER])
		send_to_enforcer(er);
	else
		remember_all(er);
	if (er->role->peers[ROLE_POLICY])
		send_to_policy(er);
	if (er->role->peers[ROLE_RUNNER])
		send_to_runner(er);
}

/* --- all bans again ----------------------------------------------------------------
 */

/* Lift what no enforcer is known to have lifted. */
static void send_missed(struct engine_role *er)
{
	struct batch t = batch_of(er, ROLE_ENFORCER);
	struct unpack u = unpack_of(buf_span(&er->missed.unbans));
	struct order o;

	if (er->missed.must_empty)
		send_lift(er, -1);
	while (u.p < u.end && order_decode_record(&u, &o) == 0)
		batch_add(&t, &o);
	batch_end(&t);
	if (er->missed.unbans.n)
		er->missed.seq = er->last_seq;
}

static void add_restored(void *ctx, const struct order *o)
{
	struct batch *t = ctx;
	struct order restored = *o;

	restored.cause = ORDER_RESTORED;
	restored.n_why = 0; /* told when it was new */
	if (t->to == ROLE_RUNNER && is_mere_words(t->er->role->setup, o))
		return;
	if (t->to == ROLE_POLICY && !is_mere_words(t->er->role->setup, o))
		return;
	if (!net_is_id(&o->net))
		batch_add(t, &restored);
	else if (t->to == ROLE_RUNNER)
		send_ticket(t, &restored);
}

static void tell(struct engine_role *er, enum role_id to, enum message_type type)
{
	struct buf body = BUF_INIT(16);

	pack_u64(&body, er->role->setup->generation);
	(void)role_send(er->role, to, type, &body, -1);
	buf_deinit(&body);
}

/* The next message of bans to the enforcer; two are under way at a time, so that it
 * need not wait for us. */
static void resync_next(struct engine_role *er)
{
	struct batch t = batch_of(er, ROLE_ENFORCER);

	er->resync.wait_for = er->resync.last_seq;
	er->resync.is_on = engine_next_bans(pipeline_engine(er->pipeline),
	    &er->resync.at, PER_MESSAGE, add_restored, &t);
	batch_end(&t);
	er->resync.last_seq = er->last_seq;
	if (er->resync.is_on)
		return;
	tell(er, ROLE_ENFORCER, MSG_RESYNCED);
	engine_count_all(er->count);
}

void engine_orders_done(struct engine_role *er, uint64_t seq)
{
	/* Nothing was sent if all of them were ids: nothing will be answered. */
	while (er->resync.is_on && seq >= er->resync.wait_for)
		resync_next(er);
}

static void resync_enforcer(struct engine_role *er)
{
	send_missed(er);
	er->resync.at = 0;
	er->resync.is_on = true;
	er->resync.last_seq = er->last_seq;
	resync_next(er);
	engine_orders_done(er, er->resync.wait_for);
}

static void tell_all(struct engine_role *er, enum role_id to)
{
	struct batch t = batch_of(er, to);

	engine_each_ban(pipeline_engine(er->pipeline), -1, add_restored, &t);
	batch_end(&t);
}

/* One of the networks that were asked for. */
struct again {
	struct batch batch;
	struct net net;
};

static void add_again(void *ctx, const struct order *o)
{
	struct again *a = ctx;

	if (net_eq(&o->net, &a->net))
		add_restored(&a->batch, o);
}

void engine_orders_again(struct engine_role *er, struct message *m)
{
	uint32_t n = 0;
	CLEANUP(freep) struct net *nets = unpack_nets(&m->body, AGAIN_MAX, &n);
	struct again a = {.batch = batch_of(er, ROLE_ENFORCER)};

	for (uint32_t i = 0; nets && i < n; i++) {
		a.net = nets[i];
		engine_find_bans(pipeline_engine(er->pipeline), &a.net, add_again, &a);
	}
	batch_end(&a.batch);
}

void engine_orders_resync(struct engine_role *er, enum role_id to)
{
	if (!er->is_restored || !er->role->peers[to])
		return;
	tell(er, to, MSG_RESYNC);
	if (to == ROLE_ENFORCER) {
		resync_enforcer(er);
		engine_suspects_resync(er->suspects);
		return;
	}
	tell_all(er, to);
	if (to == ROLE_RUNNER)
		tell(er, to, MSG_RESYNCED);
}
