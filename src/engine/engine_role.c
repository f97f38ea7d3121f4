/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine_role.h"

#include <errno.h>
#include <sys/random.h>

#include "base/log.h"

#define MISSED_MAX_BYTES (4u << 20)
#define LIFTED_MIN 1000           /* so many unbans and more are told in one word */
#define TICK_MAX_MS (3600 * 1000) /* the wall clock may be set meanwhile */

static const struct setup_jail *jail_of(const struct engine_role *er, uint32_t jail)
{
	return jail < er->role->setup->n_jails ? &er->role->setup->jails[jail] : NULL;
}

static void rearm(struct engine_role *er)
{
	wall_t next = engine_next(pipeline_engine(er->pipeline));

	if (next.us == WALL_NEVER.us) {
		loop_disarm(er->tick_timer);
		return;
	}
	int64_t ms = (next.us - wall_now().us) / 1000 + 1;

	if (ms < 1)
		ms = 1;
	if (ms > TICK_MAX_MS)
		ms = TICK_MAX_MS;
	loop_arm(er->tick_timer, (uint64_t)ms, 0);
}

bool engine_role_is_lifted(const struct engine_role *er, const struct order *o)
{
	return er->lifted.is_on && o->op == ORDER_UNBAN && o->cause == ORDER_BY_USER &&
	       (er->lifted.jail < 0 || o->jail == (uint32_t)er->lifted.jail);
}

static void store_lifted(struct engine_role *er)
{
	const struct setup *s = er->role->setup;

	for (uint32_t i = 0; i < s->n_jails; i++) {
		if (er->lifted.jail < 0 || i == (uint32_t)er->lifted.jail)
			engine_store_lifted(er->store, s->jails[i].name);
	}
}

uint64_t engine_role_flush_lifted(struct engine_role *er, int jail)
{
	uint64_t seq;

	er->lifted.jail = jail;
	er->lifted.is_on = er->orders.n >= LIFTED_MIN;
	seq = engine_role_flush(er);
	er->lifted.is_on = false;
	return seq;
}

uint64_t engine_role_flush(struct engine_role *er)
{
	uint64_t seq = er->last_seq;

	if (engine_say_events(er))
		rearm(er);
	if (!er->orders.n)
		return 0;
	engine_orders_send(er);
	engine_say_orders(er);
	for (size_t i = 0; i < er->orders.n; i++) {
		const struct order *o = &er->orders.items[i];
		const struct setup_jail *j = jail_of(er, o->jail);

		if (!j)
			continue;
		engine_sums_order(er->sums, o);
		if (!engine_role_is_lifted(er, o))
			engine_store_put(er->store, j->name, o);
	}
	if (er->lifted.is_on)
		store_lifted(er);
	orders_clear(&er->orders);
	rearm(er);
	engine_count_touch(er->count);
	return er->last_seq > seq ? er->last_seq : 0;
}

static void on_tick(void *ctx)
{
	struct engine_role *er = ctx;

	if (engine_tick(pipeline_engine(er->pipeline), wall_now(), &er->orders) < 0)
		log_err(NULL, "out of memory while ending bans");
	(void)engine_role_flush(er);
	rearm(er);
}

void engine_role_resync(struct engine_role *er)
{
	engine_orders_resync(er, ROLE_ENFORCER);
	engine_orders_resync(er, ROLE_RUNNER);
	engine_orders_resync(er, ROLE_POLICY);
	rearm(er);
}

void engine_role_restored(struct engine_role *er)
{
	if (er->is_restored)
		return;
	er->is_restored = true;
	/* Ends that passed while nobody looked. */
	if (engine_tick(pipeline_engine(er->pipeline), wall_now(), &er->orders) < 0)
		log_err(NULL, "out of memory while ending bans");
	(void)engine_role_flush(er);
	engine_say_restored(er);
	engine_role_resync(er);
	engine_role_ignore_known(er);
}

void engine_role_ignore_known(struct engine_role *er)
{
	if (!er->is_restored || er->is_reading || !engine_ignore_is_known(er->ignore))
		return;
	er->is_reading = true;
	engine_files_start(er->files);
	engine_journals_start(er->journals);
}

void engine_role_serving(struct engine_role *er)
{
	if (er->is_serving)
		return;
	er->is_serving = true;
	role_ready(er->role);
}

/* --- the enforcer's answers --------------------------------------------------------
 */

static void take_own(struct engine_role *er, struct message *m)
{
	uint32_t n = 0;
	CLEANUP(freep) struct net *own = unpack_nets(&m->body, UINT32_MAX, &n);

	if (own && engine_set_own(pipeline_engine(er->pipeline), own, n) < 0)
		log_err(NULL, "out of memory: own addresses are not known");
}

static void take_resolved(struct engine_role *er, struct message *m)
{
	struct unpack peek = m->body;

	if (unpack_u64(&peek) & ENGINE_IGNORE_ID)
		engine_ignore_resolved(er->ignore, m);
	else
		engine_names_resolved(er->names, m);
}

static void engine_message(struct role *r, enum role_id from, struct message *m)
{
	struct engine_role *er = r->ctx;

	switch (from) {
	case ROLE_READER:
		if (m->type == MSG_LIST)
			engine_ignore_list(er->ignore, m);
		else if (m->type == MSG_JOURNAL || m->type == MSG_LINES)
			engine_journals_message(er->journals, m);
		else
			engine_files_message(er->files, m);
		return;
	case ROLE_KEEPER:
		engine_store_message(er->store, m);
		return;
	case ROLE_FRONT:
		if (m->type == MSG_F2B)
			engine_answers_f2b(er, m);
		else
			engine_answers_request(er->answers, m);
		return;
	default:
		break;
	}
	switch (m->type) {
	case MSG_OWN:
		take_own(er, m);
		return;
	case MSG_PROTECTED:
		engine_guard_message(er, m);
		return;
	case MSG_ENFORCING:
		er->is_enforcing = unpack_bool(&m->body);
		engine_count_touch(er->count);
		return;
	case MSG_ASK_RESYNC:
		engine_orders_resync(er, from);
		if (from == ROLE_RUNNER)
			engine_ask_again(er->ask);
		return;
	case MSG_ASK_BANS:
		engine_orders_again(er, m);
		return;
	case MSG_REFUSED:
		engine_policy_message(er, m);
		return;
	case MSG_SEVERED:
		engine_severed_message(er, m);
		return;
	case MSG_RESOLVED:
		take_resolved(er, m);
		return;
	case MSG_IGNORE_ANSWER:
		engine_ask_answered(er->ask, m);
		return;
	case MSG_COUNTED:
		if (engine_count_message(er->count, m))
			return;
		engine_answers_counted(er->answers, m);
		return;
	default:
		engine_answers_done(er->answers, m);
	}
}

/* --- plumbing ----------------------------------------------------------------------
 */

static void engine_peer(struct role *r, enum role_id who)
{
	struct engine_role *er = r->ctx;

	switch (who) {
	case ROLE_KEEPER:
		engine_store_peer(er->store);
		return;
	case ROLE_ENFORCER:
	case ROLE_RUNNER:
	case ROLE_POLICY:
		engine_orders_resync(er, who);
		return;
	case ROLE_RESOLVER:
		engine_ignore_resolver(er->ignore);
		return;
	default:
		return;
	}
}

static void engine_peer_gone(struct role *r, enum role_id who)
{
	struct engine_role *er = r->ctx;

	switch (who) {
	case ROLE_KEEPER:
		engine_store_peer_gone(er->store);
		return;
	case ROLE_READER:
		engine_files_reader_gone(er->files);
		return;
	case ROLE_FRONT:
		engine_answers_front_gone(er->answers);
		return;
	case ROLE_ENFORCER:
		er->is_enforcing = false;
		engine_count_forget(er->count);
		engine_answers_enforcer_gone(er->answers);
		return;
	case ROLE_RESOLVER:
		engine_names_forget(er->names);
		return;
	case ROLE_RUNNER:
		engine_ask_runner_gone(er->ask);
		return;
	default:
		return;
	}
}

/* What became of a failure. */
static void on_verdict(void *ctx, const struct hit *h, int outcome)
{
	struct engine_role *er = ctx;

	if (h->class != HIT_ABUSE) /* no failure: nobody came to do harm */
		return;
	engine_sums_hit(er->sums, h, outcome);
	engine_suspects_verdict(er->suspects, h, outcome);
	engine_say_verdict(er, h, outcome);
}

static int engine_start(struct role *r, struct err *e)
{
	struct engine_role *er = r->ctx;
	uint8_t seed[16];

	er->role = r;
	er->missed.unbans = BUF_INIT(MISSED_MAX_BYTES);
	er->pipeline = pipeline_new(r->setup, e);
	if (!er->pipeline)
		return -EINVAL;
	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return err_set(e, -EIO, "the kernel has no random numbers");
	engine_set_seed(pipeline_engine(er->pipeline), seed);
	er->tick_timer = loop_add_timer(r->loop, on_tick, er);
	er->files = engine_files_new(er);
	er->journals = engine_journals_new(er);
	er->ignore = engine_ignore_new(er);
	er->names = engine_names_new(er);
	er->ask = engine_ask_new(er);
	er->count = engine_count_new(er);
	er->sums = engine_sums_new(er);
	er->store = engine_store_new(er);
	er->answers = engine_answers_new(er);
	er->guard = engine_guard_new();
	er->suspects = engine_suspects_new(er);
	if (!er->tick_timer || !er->files || !er->journals || !er->ignore ||
	    !er->names || !er->ask || !er->count || !er->sums || !er->store ||
	    !er->answers || !er->guard || !er->suspects ||
	    engine_severed_setup(er, NULL) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	pipeline_on_verdict(er->pipeline, on_verdict, er);
	engine_say_begin(er);
	return 0;
}

/* Bans of jails that are gone: their names are known to the old set-up only. */
static void record_gone(struct engine_role *er, const struct setup *old)
{
	for (size_t i = 0; i < er->orders.n; i++) {
		const struct order *o = &er->orders.items[i];

		if (o->jail >= old->n_jails)
			continue;
		engine_say_order(&old->jails[o->jail], o);
		engine_store_put(er->store, old->jails[o->jail].name, o);
	}
	orders_clear(&er->orders);
}

static void engine_reload_setup(struct role *r, const struct setup *old)
{
	struct engine_role *er = r->ctx;
	struct buf anew = BUF_INIT(1);
	struct err e = {""};

	engine_sums_freeze(er->sums, old);
	engine_count_forget(er->count);
	int result =
	    pipeline_reload(er->pipeline, r->setup, wall_now(), &er->orders, &e);

	if (!result && engine_severed_setup(er, old) < 0)
		result = err_set(&e, -ENOMEM, "out of memory");
	if (result < 0) {
		/* The loader compiled the same; only memory can be short. The
		 * supervisor starts us again, with the new set-up. */
		log_err(NULL, "cannot take the new configuration: %s; starting anew",
		    e.text);
		loop_stop(r->loop);
		return;
	}
	record_gone(er, old);
	engine_say_reload(er, old);
	engine_ignore_reload(er->ignore);
	engine_files_reload(er->files);
	engine_names_forget(er->names);
	if (engine_ask_setup(er->ask, old) < 0)
		log_err(NULL, "out of memory: ignorecache is off");
	engine_orders_reload(er);
	engine_role_resync(er);
	pack_bool(&anew, true);
	(void)role_send(r, ROLE_READER, MSG_RESCAN, &anew, -1);
	buf_deinit(&anew);
}

static void engine_stop(struct role *r)
{
	struct engine_role *er = r->ctx;

	(void)engine_role_flush(er);
	engine_say_jails(er, "stopped");
	engine_count_finish(er->count, engine_store_finish);
}

static void engine_deinit(struct role *r)
{
	struct engine_role *er = r->ctx;

	engine_answers_free(er->answers);
	engine_guard_free(er->guard);
	engine_suspects_free(er->suspects);
	engine_store_free(er->store);
	engine_sums_free(er->sums);
	engine_count_free(er->count);
	engine_names_free(er->names);
	engine_ask_free(er->ask);
	engine_ignore_free(er->ignore);
	engine_journals_free(er->journals);
	engine_files_free(er->files);
	loop_watch_free(er->tick_timer);
	pipeline_free(er->pipeline);
	orders_deinit(&er->orders);
	buf_deinit(&er->missed.unbans);
	free(er->severed);
}

int engine_main(const struct role_args *args)
{
	static const struct role_permit permits[] = {
	    {ROLE_READER, MSG_WATCH_FD},
	    {ROLE_READER, MSG_FILE},
	    {ROLE_READER, MSG_FILE_GONE},
	    {ROLE_READER, MSG_FILES_DONE},
	    {ROLE_READER, MSG_SIBLINGS},
	    {ROLE_READER, MSG_LIST},
	    {ROLE_READER, MSG_JOURNAL},
	    {ROLE_READER, MSG_LINES},
	    {ROLE_ENFORCER, MSG_DONE},
	    {ROLE_ENFORCER, MSG_COUNTED},
	    {ROLE_ENFORCER, MSG_OWN},
	    {ROLE_ENFORCER, MSG_PROTECTED},
	    {ROLE_ENFORCER, MSG_ENFORCING},
	    {ROLE_ENFORCER, MSG_ASK_RESYNC},
	    {ROLE_ENFORCER, MSG_ASK_BANS},
	    {ROLE_ENFORCER, MSG_SEVERED},
	    {ROLE_POLICY, MSG_REFUSED},
	    {ROLE_POLICY, MSG_ASK_RESYNC},
	    {ROLE_RESOLVER, MSG_RESOLVED},
	    {ROLE_RUNNER, MSG_IGNORE_ANSWER},
	    {ROLE_RUNNER, MSG_ASK_RESYNC},
	    {ROLE_KEEPER, MSG_LOADED_BAN},
	    {ROLE_KEEPER, MSG_LOADED_TALLY},
	    {ROLE_KEEPER, MSG_LOADED_OFFENDER},
	    {ROLE_KEEPER, MSG_LOADED_CREDIT},
	    {ROLE_KEEPER, MSG_LOADED_CURSOR},
	    {ROLE_KEEPER, MSG_LOADED},
	    {ROLE_KEEPER, MSG_COMMITTED},
	    {ROLE_FRONT, MSG_REQUEST},
	    {ROLE_FRONT, MSG_F2B},
	    {0, 0},
	};
	static const struct role_fns fns = {
	    .permits = permits,
	    .start = engine_start,
	    .reload = engine_reload_setup,
	    .peer = engine_peer,
	    .peer_gone = engine_peer_gone,
	    .message = engine_message,
	    .stop = engine_stop,
	    .deinit = engine_deinit,
	};
	struct engine_role er = {0};

	return role_run(args, &fns, &er);
}
