/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper owns the database and nothing else. Its root directory is the state
 * directory. It writes what the engine sends between BEGIN and COMMIT as one
 * transaction; if the engine dies in between, that transaction never was.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "keeper/keeper_answers.h"
#include "proc/role.h"
#include "proc/sums.h"

#define DB_NAME "bandog.db"
#define PURGE_MS (3600 * 1000)
#define FIRST_PURGE_MS 60000 /* also where it never lives for an hour */
#define PAST_MAX 20
#define PAST_LINES_BYTES 16384
#define BATCH_BYTES 32768

struct keeper {
	struct role *role;
	char *path;
	struct db *db; /* NULL: cannot be opened now */
	struct loop_watch *purge_timer;
	bool is_open;    /* a transaction is under way */
	bool has_failed; /* something in it was refused */
	bool is_told;
};

static void open_db(struct keeper *k)
{
	struct err e = {""};

	/* dbfile = None: for as long as we live, which is enough to answer "why". */
	k->db = db_open(k->role->setup->is_volatile ? ":memory:" : k->path, &e);
	if (k->db && !e.text[0]) {
		k->is_told = false;
		return;
	}
	if (!k->is_told)
		log_err(DB_NAME, "%s", e.text);
	k->is_told = !k->db;
}

static void forget_transaction(struct keeper *k)
{
	if (k->is_open && k->db)
		db_rollback(k->db);
	k->is_open = k->has_failed = false;
}

static void note(struct keeper *k, int r)
{
	if (r >= 0 || k->has_failed)
		return;
	k->has_failed = true;
	if (!k->is_told)
		log_err(DB_NAME, "cannot be written: %s",
		    k->db ? db_error(k->db) : strerror(-r));
	k->is_told = true;
}

/* --- what the engine stores --------------------------------------------------------
 */

static void begin(struct keeper *k, bool snapshot)
{
	forget_transaction(k);
	if (!k->db)
		open_db(k);
	k->is_open = true;
	int r = k->db ? db_begin(k->db) : -EIO;

	if (!r && snapshot)
		r = db_clear_state(k->db);
	note(k, r);
}

static void put_order(struct keeper *k, struct unpack *u)
{
	CLEANUP(freep) char *jail = unpack_str(u);
	struct order o;

	if (!jail || order_decode(u, &o) < 0) {
		u->bad = true;
		return;
	}
	if (!k->has_failed)
		note(k, o.op == ORDER_UNBAN ? db_put_unban(k->db, jail, &o)
					    : db_put_ban(k->db, jail, &o));
	order_deinit(&o);
}

static void put_lifted(struct keeper *k, struct unpack *u)
{
	CLEANUP(freep) char *jail = unpack_str(u);
	wall_t at = unpack_wall(u);

	if (jail && !u->bad && !k->has_failed)
		note(k, db_put_lifted(k->db, jail, at));
}

static void put_tally(struct keeper *k, struct unpack *u)
{
	CLEANUP(freep) char *jail = unpack_str(u);
	struct net n = unpack_net(u);
	struct span state = unpack_span(u);

	if (jail && !u->bad && !k->has_failed)
		note(k, db_put_tally(k->db, jail, &n, state));
}

static void put_offender(struct keeper *k, struct unpack *u)
{
	CLEANUP(freep) char *jail = unpack_str(u);
	struct offender o;

	if (!jail || offender_decode(u, &o) < 0)
		u->bad = true;
	else if (!k->has_failed)
		note(k, db_put_offender(k->db, jail, &o));
}

static void put_credit(struct keeper *k, struct unpack *u)
{
	struct credit c;

	if (credit_decode(u, &c) < 0)
		u->bad = true;
	else if (!k->has_failed)
		note(k, db_put_credit(k->db, &c));
}

static void put_cursor(struct keeper *k, struct unpack *u)
{
	CLEANUP(freep) char *path = unpack_str(u);
	struct cursor c = cursor_decode(u);

	if (path && !u->bad && !k->has_failed)
		note(k, db_put_cursor(k->db, path, &c));
}

static void put_sums(struct keeper *k, struct unpack *u)
{
	if (!k->has_failed)
		note(k, sums_book(u, k->db));
}

static void commit(struct keeper *k, uint64_t seq)
{
	struct buf b = BUF_INIT(16);
	bool done = false;

	if (k->is_open && !k->has_failed) {
		note(k, db_commit(k->db));
		done = !k->has_failed;
	}
	if (done && k->is_told) {
		log_notice(DB_NAME, "can be written again");
		k->is_told = false;
	}
	if (done)
		k->is_open = false;
	forget_transaction(k);
	pack_u64(&b, seq);
	pack_bool(&b, done);
	(void)role_send(k->role, ROLE_ENGINE, MSG_COMMITTED, &b, -1);
	buf_deinit(&b);
}

/* --- what the engine gets back -----------------------------------------------------
 */

/* Items of one kind, many to a message: a million of them are to be there in seconds.
 */
struct batch {
	struct keeper *k;
	uint16_t type;
	struct buf items;
	struct buf one; /* being packed */
};

static int batch_send(struct batch *t)
{
	int r = 0;

	if (t->items.n)
		r = role_send(t->k->role, ROLE_ENGINE, t->type, &t->items, -1);
	buf_clear(&t->items);
	return r;
}

/* t->one is an item of this kind. Return: 0 or negative errno. */
static int batch_add(struct batch *t, uint16_t type)
{
	int r = 0;

	if (t->type != type || t->items.n + t->one.n > BATCH_BYTES)
		r = batch_send(t);
	t->type = type;
	buf_add_span(&t->items, buf_span(&t->one));
	t->items.failed |= t->one.failed;
	buf_clear(&t->one);
	return r;
}

static int send_ban(void *ctx, const char *jail, const struct order *o)
{
	struct batch *t = ctx;

	pack_str(&t->one, jail);
	order_encode(&t->one, o);
	return batch_add(t, MSG_LOADED_BAN);
}

static int send_tally(
    void *ctx, const char *jail, const struct net *n, struct span state)
{
	struct batch *t = ctx;

	pack_str(&t->one, jail);
	pack_net(&t->one, n);
	pack_span(&t->one, state);
	return batch_add(t, MSG_LOADED_TALLY);
}

static int send_offender(void *ctx, const char *jail, const struct offender *o)
{
	struct batch *t = ctx;

	pack_str(&t->one, jail);
	offender_encode(&t->one, o);
	return batch_add(t, MSG_LOADED_OFFENDER);
}

static int send_credit(void *ctx, const struct credit *c)
{
	struct batch *t = ctx;

	credit_encode(&t->one, c);
	return batch_add(t, MSG_LOADED_CREDIT);
}

static int send_cursor(void *ctx, const char *path, const struct cursor *c)
{
	struct batch *t = ctx;

	pack_str(&t->one, path);
	cursor_encode(&t->one, c);
	return batch_add(t, MSG_LOADED_CURSOR);
}

/* Bans that are over are sent too: the engine ends them and says so. */
static void load(struct keeper *k)
{
	struct batch t = {
	    .k = k,
	    .items = BUF_INIT(MESSAGE_MAX_BYTES - 2),
	    .one = BUF_INIT(MESSAGE_MAX_BYTES - 2),
	};

	if (!k->db)
		open_db(k);
	int r = k->db ? db_each_ban(k->db, WALL_NONE, send_ban, &t) : 0;

	if (!r && k->db)
		r = db_each_tally(k->db, send_tally, &t);
	if (!r && k->db)
		r = db_each_offender(k->db, send_offender, &t);
	if (!r && k->db)
		r = db_each_credit(k->db, send_credit, &t);
	if (!r && k->db)
		r = db_each_cursor(k->db, send_cursor, &t);
	if (!r)
		r = batch_send(&t);
	buf_deinit(&t.one);
	buf_deinit(&t.items);
	if (r < 0)
		log_err(DB_NAME, "was not read whole: %s", strerror(-r));
	(void)role_send(k->role, ROLE_ENGINE, MSG_LOADED, NULL, -1);
}

/* --- what clients ask --------------------------------------------------------------
 */

static void answer_request(struct keeper *k, struct message *m)
{
	uint64_t id = unpack_u64(&m->body);
	uint8_t verb = unpack_u8(&m->body);

	free(unpack_str(&m->body)); /* the jail: of all of them */
	int64_t since_sec = unpack_i64(&m->body);

	(void)unpack_u32(&m->body);
	(void)unpack_u32(&m->body);
	uint32_t n = unpack_count(&m->body, 17);

	if (verb == REQUEST_REPORT && !m->body.bad) {
		keeper_report(k->role, k->db, id, wall_from_sec(since_sec));
		return;
	}
	struct net net = unpack_net(&m->body);

	if (m->body.bad || verb != REQUEST_HISTORY || n != 1) {
		m->body.bad = true;
		return;
	}
	keeper_history(k->role, k->db, id, &net);
}

/* --- what the runner asks ----------------------------------------------------------
 */

struct past {
	struct buf rows;
	uint32_t n;
};

/* A row that does not fit ends it. */
static int put_past(void *ctx, const struct db_history *h)
{
	CLEANUP(buf_deinit) struct buf lines = BUF_INIT(PAST_LINES_BYTES);
	struct past *p = ctx;
	size_t n_before = p->rows.n;

	for (size_t i = 0; i < h->n_why; i++) {
		if (!h->why[i].text)
			continue;
		if (lines.n)
			buf_add_char(&lines, '\n');
		buf_add_str(&lines, h->why[i].text);
	}
	pack_str(&p->rows, h->jail);
	pack_wall(&p->rows, h->at);
	pack_u32(&p->rows, h->failures);
	pack_span(&p->rows, buf_span(&lines));
	if (p->rows.failed) {
		p->rows.n = n_before;
		return 1;
	}
	p->n++;
	return 0;
}

static void answer_past(struct keeper *k, struct message *m)
{
	struct past p = {BUF_INIT(MESSAGE_MAX_BYTES - 64), 0};
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);
	uint64_t id = unpack_u64(&m->body);
	struct net net = unpack_net(&m->body);

	if (!m->body.bad && k->db)
		(void)db_each_history(k->db, &net, PAST_MAX, put_past, &p);
	pack_u64(&b, id);
	pack_u32(&b, p.n);
	buf_add_span(&b, buf_span(&p.rows));
	(void)role_send(k->role, ROLE_RUNNER, MSG_PAST, &b, -1);
	buf_deinit(&b);
	buf_deinit(&p.rows);
}

/* --- plumbing ----------------------------------------------------------------------
 */

static void keeper_message(struct role *r, UNUSED enum role_id from, struct message *m)
{
	struct keeper *k = r->ctx;

	switch (m->type) {
	case MSG_LOAD:
		load(k);
		return;
	case MSG_BEGIN:
		begin(k, unpack_bool(&m->body));
		return;
	case MSG_PUT_ORDER:
		put_order(k, &m->body);
		return;
	case MSG_PUT_LIFTED:
		put_lifted(k, &m->body);
		return;
	case MSG_PUT_TALLY:
		put_tally(k, &m->body);
		return;
	case MSG_PUT_OFFENDER:
		put_offender(k, &m->body);
		return;
	case MSG_PUT_CREDIT:
		put_credit(k, &m->body);
		return;
	case MSG_PUT_CURSOR:
		put_cursor(k, &m->body);
		return;
	case MSG_PUT_SUMS:
		put_sums(k, &m->body);
		return;
	case MSG_COMMIT:
		commit(k, unpack_u64(&m->body));
		return;
	case MSG_ASK_PAST:
		answer_past(k, m);
		return;
	default:
		answer_request(k, m);
	}
}

static void on_purge(void *ctx)
{
	struct keeper *k = ctx;

	if (!k->db || k->is_open)
		return;
	(void)db_fold_sums(k->db, wall_now());
	if (k->role->setup->purge_sec > 0)
		(void)db_purge(
		    k->db, wall_add_sec(wall_now(), -k->role->setup->purge_sec));
}

static int keeper_start(struct role *r, struct err *e)
{
	struct keeper *k = r->ctx;

	k->role = r;
	/* As root the sandbox made the state directory our root. */
	if (asprintf(&k->path, "%s/" DB_NAME,
		access(r->args->state_dir, F_OK) == 0 ? r->args->state_dir : "") < 0)
		return err_set(e, -ENOMEM, "out of memory");
	k->purge_timer = loop_add_timer(r->loop, on_purge, k);
	if (!k->purge_timer)
		return err_set(e, -ENOMEM, "out of memory");
	open_db(k);
	loop_arm(k->purge_timer, FIRST_PURGE_MS, PURGE_MS);
	role_ready(r);
	return 0;
}

static void keeper_reload(UNUSED struct role *r, UNUSED const struct setup *old)
{
}

static void keeper_peer(UNUSED struct role *r, UNUSED enum role_id who)
{
}

static void keeper_peer_gone(struct role *r, enum role_id who)
{
	if (who == ROLE_ENGINE)
		forget_transaction(r->ctx);
}

static void keeper_stop(struct role *r)
{
	struct keeper *k = r->ctx;

	forget_transaction(k);
	k->db = db_close(k->db);
	role_stopped(r);
}

static void keeper_deinit(struct role *r)
{
	struct keeper *k = r->ctx;

	forget_transaction(k);
	loop_watch_free(k->purge_timer);
	db_close(k->db);
	free(k->path);
}

int keeper_main(const struct role_args *args)
{
	static const struct role_permit permits[] = {
	    {ROLE_ENGINE, MSG_LOAD},
	    {ROLE_ENGINE, MSG_BEGIN},
	    {ROLE_ENGINE, MSG_PUT_ORDER},
	    {ROLE_ENGINE, MSG_PUT_LIFTED},
	    {ROLE_ENGINE, MSG_PUT_TALLY},
	    {ROLE_ENGINE, MSG_PUT_OFFENDER},
	    {ROLE_ENGINE, MSG_PUT_CREDIT},
	    {ROLE_ENGINE, MSG_PUT_CURSOR},
	    {ROLE_ENGINE, MSG_PUT_SUMS},
	    {ROLE_ENGINE, MSG_COMMIT},
	    {ROLE_FRONT, MSG_REQUEST},
	    {ROLE_RUNNER, MSG_ASK_PAST},
	    {0, 0},
	};
	static const struct role_fns fns = {
	    .permits = permits,
	    .start = keeper_start,
	    .reload = keeper_reload,
	    .peer = keeper_peer,
	    .peer_gone = keeper_peer_gone,
	    .message = keeper_message,
	    .stop = keeper_stop,
	    .deinit = keeper_deinit,
	};
	struct keeper k = {0};

	return role_run(args, &fns, &k);
}
