/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's side of the keeper.
 *
 * A checkpoint is one transaction: positions in the logs, counts, offenders and credit
 * that changed, and the orders decided since the last one. It is taken between two
 * blocks of lines, so all three belong together; after kill -9 the lines behind the
 * stored position are read again and lead to the same decisions. One checkpoint is
 * under way at a time. If it is lost (the keeper died, the disk is full) the next is a
 * snapshot of everything.
 */
#include <errno.h>
#include <malloc.h>

#include "base/log.h"
#include "engine/engine_role.h"

#define CHECKPOINT_MS 100
#define RETRY_MS 5000
#define LOAD_PATIENCE_MS 10000
#define ALL_CURSORS_SEC (12 * 3600)
#define EVENTS_MAX_BYTES (64u << 20)
#define MANY_MESSAGES 10000

struct engine_store {
	struct engine_role *er;
	struct loop_watch *timer;    /* of the next checkpoint */
	struct loop_watch *patience; /* with a keeper that does not answer at start */
	struct buf events;           /* what is not yet stored: see send_events() */
	size_t events_sent;          /* bytes of them in the checkpoint under way */
	bool is_waiting;             /* a checkpoint is under way */
	size_t n_sent;   /* counts and offenders since memory was given back */
	bool is_touched; /* something changed since it was taken */
	bool is_urgent;  /* somebody waits for the next one */
	bool needs_snapshot;
	bool is_failing; /* said once */
	bool is_told_behind;
	bool is_finishing;
	bool was_given_up; /* begun without its memory, which may still come */
	mono_t all_cursors_at;
	uint64_t seq;
};

static struct engine *engine_of(const struct engine_store *s)
{
	return pipeline_engine(s->er->pipeline);
}

static int send_body(
    struct engine_store *s, enum message_type type, const struct buf *b)
{
	return role_send(s->er->role, ROLE_KEEPER, type, b, -1);
}

static void finish(struct engine_store *s)
{
	s->is_finishing = false;
	role_stopped(s->er->role);
}

/* --- what goes into a checkpoint ---------------------------------------------------
 */

/* dbmaxmatches: the newest lines are stored. */
static void encode_put(const struct engine_store *s, struct buf *b, const char *jail,
    const struct order *o)
{
	uint32_t max = s->er->role->setup->db_max_matches;
	struct order cut = *o;

	if (cut.n_why > max) {
		cut.why += cut.n_why - max;
		cut.n_why = max;
	}
	pack_str(b, jail);
	order_encode(b, &cut);
}

static void send_ban(void *ctx, const struct order *o)
{
	struct engine_store *s = ctx;
	const struct setup *setup = s->er->role->setup;
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	if (o->jail >= setup->n_jails)
		return;
	encode_put(s, &b, setup->jails[o->jail].name, o);
	(void)send_body(s, MSG_PUT_ORDER, &b);
	buf_deinit(&b);
}

/* One after the other, as they happened: u16 type, then the body. */
static void send_events(struct engine_store *s)
{
	struct unpack u = unpack_of(buf_span(&s->events));

	while (u.p < u.end && !u.bad) {
		enum message_type type = unpack_u16(&u);
		struct span body = unpack_span(&u);

		if (s->er->role->peers[ROLE_KEEPER])
			(void)channel_send(
			    s->er->role->peers[ROLE_KEEPER], type, body, -1);
	}
	s->events_sent = s->events.n;
}

static void send_tally(void *ctx, uint32_t jail, const struct net *n, struct span state)
{
	struct engine_store *s = ctx;
	const struct setup *setup = s->er->role->setup;
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	if (jail >= setup->n_jails)
		return;
	pack_str(&b, setup->jails[jail].name);
	pack_net(&b, n);
	pack_span(&b, state);
	(void)send_body(s, MSG_PUT_TALLY, &b);
	buf_deinit(&b);
	s->n_sent++;
}

static void send_offender(void *ctx, const char *jail, const struct offender *o)
{
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	pack_str(&b, jail);
	offender_encode(&b, o);
	(void)send_body(ctx, MSG_PUT_OFFENDER, &b);
	buf_deinit(&b);
}

static void send_credit(void *ctx, const struct credit *c)
{
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	credit_encode(&b, c);
	(void)send_body(ctx, MSG_PUT_CREDIT, &b);
	buf_deinit(&b);
}

static void send_cursor(void *ctx, const char *path, const struct cursor *c)
{
	struct engine_store *s = ctx;
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	pack_str(&b, path);
	cursor_encode(&b, c);
	(void)send_body(s, MSG_PUT_CURSOR, &b);
	buf_deinit(&b);
}

/* Positions of logs in which nothing happens must not grow old and be forgotten. */
static bool is_time_for_all(struct engine_store *s)
{
	mono_t now = mono_now();

	if (now.us - s->all_cursors_at.us < ALL_CURSORS_SEC * US_PER_SEC)
		return false;
	s->all_cursors_at = now;
	return true;
}

static void checkpoint(struct engine_store *s)
{
	struct buf b = BUF_INIT(16);
	bool snapshot = s->needs_snapshot;

	if (s->is_waiting || s->was_given_up || !s->er->is_restored ||
	    !s->er->role->peers[ROLE_KEEPER])
		return;
	s->is_touched = false;
	s->is_urgent = false;
	s->needs_snapshot = false;
	pack_bool(&b, snapshot);
	(void)send_body(s, MSG_BEGIN, &b);
	/* What happened first, then what is: an event may end a ban of the snapshot's
	 * past. */
	send_events(s);
	if (snapshot) {
		engine_mark_dirty(engine_of(s));
		engine_each_ban(engine_of(s), -1, send_ban, s);
	}
	engine_sums_send(s->er->sums);
	engine_each_dirty(engine_of(s), send_tally, s);
	engine_each_dirty_offender(engine_of(s), send_offender, s);
	engine_each_dirty_credit(engine_of(s), send_credit, s);
	bool all = snapshot || is_time_for_all(s);

	engine_files_each_cursor(s->er->files, all, send_cursor, s);
	engine_journals_each_cursor(s->er->journals, all, send_cursor, s);
	buf_clear(&b);
	pack_u64(&b, ++s->seq);
	s->is_waiting = true;
	if (send_body(s, MSG_COMMIT, &b) < 0)
		engine_store_peer_gone(s);
	buf_deinit(&b);
}

static void on_timer(void *ctx)
{
	checkpoint(ctx);
}

void engine_store_touch(struct engine_store *s)
{
	if (s->is_touched)
		return;
	s->is_touched = true;
	if (!s->is_waiting)
		loop_arm(s->timer, s->is_failing ? RETRY_MS : CHECKPOINT_MS, 0);
}

uint64_t engine_store_now(struct engine_store *s)
{
	if (s->was_given_up || !s->er->is_restored || !s->er->role->peers[ROLE_KEEPER])
		return 0;
	s->is_touched = true;
	if (s->is_waiting) {
		s->is_urgent = true;
		return s->seq + 1;
	}
	checkpoint(s);
	return s->is_waiting ? s->seq : 0;
}

static void put_event(struct engine_store *s, enum message_type type, const char *jail,
    const struct buf *body)
{
	size_t before = s->events.n;

	pack_u16(&s->events, (uint16_t)type);
	pack_span(&s->events, buf_span(body));
	if (body->failed || s->events.failed) {
		/* Too much history while nothing can be stored: the bans themselves are
		 * in the next snapshot. */
		s->events.failed = false;
		s->events.n = before;
		s->needs_snapshot = true;
		if (!s->is_told_behind)
			log_warning(jail, "the store is behind; history is being lost");
		s->is_told_behind = true;
	}
	engine_store_touch(s);
}

void engine_store_put(struct engine_store *s, const char *jail, const struct order *o)
{
	struct buf body = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	encode_put(s, &body, jail, o);
	put_event(s, MSG_PUT_ORDER, jail, &body);
	buf_deinit(&body);
}

void engine_store_lifted(struct engine_store *s, const char *jail)
{
	struct buf body = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	pack_str(&body, jail);
	pack_wall(&body, wall_now());
	put_event(s, MSG_PUT_LIFTED, jail, &body);
	buf_deinit(&body);
}

/* --- what the keeper says ----------------------------------------------------------
 */

/* Thousands of messages that waited for a slow keeper leave holes in the heap, half as
 * much as the counts themselves take. Only when nothing goes on: it takes milliseconds.
 */
static void give_memory_back(struct engine_store *s)
{
	if (s->n_sent < MANY_MESSAGES || s->is_touched)
		return;
	s->n_sent = 0;
	(void)malloc_trim(0);
}

static void committed(struct engine_store *s, struct message *m)
{
	uint64_t seq = unpack_u64(&m->body);
	bool done = unpack_bool(&m->body);

	if (!s->is_waiting || seq != s->seq)
		return;
	s->is_waiting = false;
	engine_sums_committed(s->er->sums, done);
	if (done) {
		buf_consume(&s->events, s->events_sent);
		s->is_told_behind = false;
		if (s->is_failing)
			log_notice(NULL, "the store works again");
		s->is_failing = false;
	} else {
		if (!s->is_failing)
			log_err(NULL,
			    "the store refuses (see keeper); bans go on, trying again");
		s->is_failing = true;
		s->needs_snapshot = true;
		s->is_touched = true;
	}
	s->events_sent = 0;
	give_memory_back(s);
	/* One that was refused too: whoever waits has waited long enough. */
	engine_answers_stored(s->er->answers, seq);
	if (s->is_finishing && (!s->is_touched || !done))
		finish(s);
	else if (s->is_finishing)
		checkpoint(s);
	else if (s->is_urgent && done)
		checkpoint(s);
	else if (s->is_touched)
		loop_arm(s->timer, s->is_failing ? RETRY_MS : CHECKPOINT_MS, 0);
}

static void loaded_ban(struct engine_store *s, struct unpack *u)
{
	CLEANUP(freep) char *jail = unpack_str(u);
	struct order o;

	if (!jail || order_decode(u, &o) < 0) {
		u->bad = true;
		return;
	}
	int at = setup_find_jail(s->er->role->setup, span_of(jail));

	if (at >= 0) {
		o.jail = (uint32_t)at;
		if (engine_restore_ban(engine_of(s), &o) != 0)
			log_warning(jail, "a ban could not be restored");
	}
	order_deinit(&o);
}

static void loaded_tally(struct engine_store *s, struct unpack *u)
{
	CLEANUP(freep) char *jail = unpack_str(u);
	struct net n = unpack_net(u);
	struct span state = unpack_span(u);
	int at =
	    jail && !u->bad ? setup_find_jail(s->er->role->setup, span_of(jail)) : -1;

	/* One that cannot be read is a count begun anew. */
	if (at >= 0)
		(void)engine_restore_tally(engine_of(s), (uint32_t)at, &n, state);
}

static void loaded_offender(struct engine_store *s, struct unpack *u)
{
	CLEANUP(freep) char *jail = unpack_str(u);
	struct offender o;

	if (!jail || offender_decode(u, &o) < 0)
		u->bad = true;
	else if (engine_restore_offender(engine_of(s), jail, &o) < 0)
		log_warning(jail, "out of memory: bans before are not known");
}

static void loaded_credit(struct engine_store *s, struct unpack *u)
{
	struct credit c;

	if (credit_decode(u, &c) < 0)
		u->bad = true;
	else if (engine_restore_credit(engine_of(s), &c) < 0)
		log_warning(NULL, "out of memory: what speaks for some is not known");
}

static void loaded_cursor(struct engine_store *s, struct unpack *u)
{
	CLEANUP(freep) char *path = unpack_str(u);
	struct cursor c = cursor_decode(u);

	if (!path || u->bad)
		return;
	int r = path[0] == '/' ? engine_files_restore(s->er->files, path, &c)
			       : engine_journals_restore(s->er->journals, path, &c);

	if (r < 0)
		log_err(path, "out of memory: its position is not known");
}

static void loaded_one(struct engine_store *s, uint16_t type, struct unpack *u)
{
	switch (type) {
	case MSG_LOADED_BAN:
		loaded_ban(s, u);
		return;
	case MSG_LOADED_TALLY:
		loaded_tally(s, u);
		return;
	case MSG_LOADED_OFFENDER:
		loaded_offender(s, u);
		return;
	case MSG_LOADED_CREDIT:
		loaded_credit(s, u);
		return;
	default:
		loaded_cursor(s, u);
	}
}

static void loaded_all(struct engine_store *s)
{
	loop_disarm(s->patience);
	if (s->was_given_up) {
		log_notice(NULL, "the store answers again; its bans are back");
		s->was_given_up = false;
		s->needs_snapshot = true;
		s->is_touched = true;
		engine_role_resync(s->er);
	}
	engine_role_restored(s->er);
	if (s->is_touched)
		loop_arm(s->timer, CHECKPOINT_MS, 0);
}

void engine_store_message(struct engine_store *s, struct message *m)
{
	if (m->type == MSG_COMMITTED) {
		committed(s, m);
		return;
	}
	if (s->er->is_restored && !s->was_given_up)
		return;
	if (m->type == MSG_LOADED) {
		loaded_all(s);
		return;
	}
	while (m->body.p < m->body.end && !m->body.bad)
		loaded_one(s, m->type, &m->body);
}

static void on_patience_over(void *ctx)
{
	struct engine_store *s = ctx;

	log_err(NULL, "the store does not answer; going on without what it knew");
	s->was_given_up = true;
	engine_role_restored(s->er);
}

void engine_store_peer(struct engine_store *s)
{
	if (!s->er->is_restored || s->was_given_up) {
		(void)send_body(s, MSG_LOAD, NULL);
		return;
	}
	/* A keeper that was restarted: it has all that was committed, and gets the
	 * rest. */
	s->needs_snapshot = true;
	s->is_touched = true;
	checkpoint(s);
}

void engine_store_peer_gone(struct engine_store *s)
{
	if (s->is_waiting)
		s->needs_snapshot = true;
	s->is_waiting = false;
	s->events_sent = 0;
	engine_sums_committed(s->er->sums, false);
	engine_answers_stored(s->er->answers, UINT64_MAX);
	if (s->is_finishing)
		finish(s);
}

void engine_store_finish(struct engine_store *s)
{
	if (!s->er->role->peers[ROLE_KEEPER] || !s->er->is_restored) {
		role_stopped(s->er->role);
		return;
	}
	s->is_finishing = true;
	s->is_touched = true;
	checkpoint(s);
}

struct engine_store *engine_store_new(struct engine_role *er)
{
	struct engine_store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->er = er;
	s->events = BUF_INIT(EVENTS_MAX_BYTES);
	s->timer = loop_add_timer(er->role->loop, on_timer, s);
	s->patience = loop_add_timer(er->role->loop, on_patience_over, s);
	if (!s->timer || !s->patience)
		return engine_store_free(s);
	loop_arm(s->patience, LOAD_PATIENCE_MS, 0);
	return s;
}

struct engine_store *engine_store_free(struct engine_store *s)
{
	if (!s)
		return NULL;
	loop_watch_free(s->timer);
	loop_watch_free(s->patience);
	buf_deinit(&s->events);
	free(s);
	return NULL;
}
