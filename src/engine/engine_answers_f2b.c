/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fail2ban's protocol asks, answered in packed values that the front turns into
 * pickles: the engine says no more than it must. Bans and unbans go the way of our own
 * protocol, so they too wait until the kernel and the store have them.
 */
#include "base/log.h"
#include "engine/engine_role.h"
#include "flow/id.h"

#define ANSWER_MAX_BYTES (64u << 20)
#define MAX_NETS 1024
#define MAX_TEXTS 64

struct f2b_request {
	uint64_t id, generation;
	enum f2b_verb verb;
	uint32_t jail; /* UINT32_MAX: all */
	bool flag;
	struct ids who;
	char *texts[MAX_TEXTS];
	uint32_t n_texts;
};

static struct engine *engine_of(const struct engine_role *er)
{
	return pipeline_engine(er->pipeline);
}

static void request_deinit(struct f2b_request *q)
{
	ids_deinit(&q->who);
	for (uint32_t i = 0; i < q->n_texts; i++)
		free(q->texts[i]);
}

/* Return: false if the message is broken. */
static bool decode(struct unpack *u, struct f2b_request *q)
{
	q->id = unpack_u64(u);
	q->generation = unpack_u64(u);
	q->verb = unpack_u8(u);
	q->jail = unpack_u32(u);
	q->flag = unpack_bool(u);
	bool is_good = ids_unpack(u, MAX_NETS, &q->who) == 0;
	uint32_t n = unpack_count(u, 4);

	if (n > MAX_TEXTS)
		u->bad = true;
	while (q->n_texts < n && !u->bad) {
		q->texts[q->n_texts] = unpack_str(u);
		if (!q->texts[q->n_texts++])
			u->bad = true;
	}
	return is_good && unpack_end(u) == 0;
}

static void fail(struct engine_role *er, uint64_t id, const char *why)
{
	struct buf b = BUF_INIT(1024);

	pack_u8(&b, F2B_FAILED);
	pack_str(&b, why);
	engine_answers_reply(er->answers, id, &b);
	buf_deinit(&b);
}

/* --- questions ---------------------------------------------------------------------
 */

struct list {
	struct buf b;
	uint32_t n;
	uint32_t jail; /* only of this one; UINT32_MAX: all */
	uint32_t which;
	const struct net *within; /* only what bans this; NULL: all */
};

static void pack_who(struct buf *b, const struct order *o)
{
	pack_net(b, &o->net);
	if (o->id)
		pack_str(b, o->id);
}

static void add_banned_net(void *ctx, const struct order *o)
{
	struct list *l = ctx;

	pack_who(&l->b, o);
	l->n++;
}

static void add_ban(void *ctx, const struct order *o)
{
	struct list *l = ctx;

	if ((l->jail != UINT32_MAX && o->jail != l->jail) ||
	    (l->within && !net_contains(&o->net, l->within)))
		return;
	pack_u32(&l->b, l->which);
	pack_u32(&l->b, o->jail);
	pack_who(&l->b, o);
	pack_wall(&l->b, o->at);
	pack_wall(&l->b, o->until);
	l->n++;
}

static void add_status(
    struct engine_role *er, uint32_t jail, bool with_bans, struct buf *out)
{
	struct list files = {.b = BUF_INIT(ANSWER_MAX_BYTES)};
	struct list bans = {.b = BUF_INIT(ANSWER_MAX_BYTES)};
	struct engine_counts c;

	engine_counts(engine_of(er), jail, &c);
	files.n = engine_files_paths(er->files, jail, &files.b);
	if (with_bans)
		engine_each_ban(engine_of(er), (int)jail, add_banned_net, &bans);
	pack_u32(out, jail);
	pack_u64(out, c.failed_now);
	pack_u64(out, c.failed_total);
	pack_u64(out, c.banned_now);
	pack_u64(out, c.banned_total);
	pack_u32(out, files.n);
	buf_add_span(out, buf_span(&files.b));
	pack_u32(out, bans.n);
	buf_add_span(out, buf_span(&bans.b));
	out->failed |= files.b.failed || bans.b.failed;
	buf_deinit(&files.b);
	buf_deinit(&bans.b);
}

static void answer_status(
    struct engine_role *er, const struct f2b_request *q, struct buf *out)
{
	uint32_t n = er->role->setup->n_jails;

	if (q->jail != UINT32_MAX) {
		pack_u32(out, 1);
		add_status(er, q->jail, q->flag, out);
		return;
	}
	pack_u32(out, n);
	for (uint32_t i = 0; i < n; i++)
		add_status(er, i, q->flag, out);
}

static void answer_bans(
    struct engine_role *er, const struct f2b_request *q, struct buf *out)
{
	struct list l = {.b = BUF_INIT(ANSWER_MAX_BYTES), .jail = q->jail};

	if (!q->who.n)
		engine_each_ban(engine_of(er),
		    q->jail == UINT32_MAX ? -1 : (int)q->jail, add_ban, &l);
	for (uint32_t i = 0; i < q->who.n; i++) {
		l.which = i;
		l.within = &q->who.nets[i];
		engine_find_bans(engine_of(er), &q->who.nets[i], add_ban, &l);
	}
	pack_u32(out, l.n);
	buf_add_span(out, buf_span(&l.b));
	out->failed |= l.b.failed;
	buf_deinit(&l.b);
}

/* --- orders ------------------------------------------------------------------------
 */

/* By the way of our own protocol: what waits there waits here too. */
static void forward(
    struct engine_role *er, const struct f2b_request *q, enum request_verb verb)
{
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES);
	struct message m = {.type = MSG_REQUEST, .fd = -1};

	pack_u64(&b, q->id);
	pack_u8(&b, (uint8_t)verb);
	pack_str(
	    &b, q->jail == UINT32_MAX ? NULL : er->role->setup->jails[q->jail].name);
	pack_i64(&b, 0);
	pack_u32(&b, 0);
	pack_u32(&b, 0);
	ids_pack(&b, &q->who);
	m.body = unpack_of(buf_span(&b));
	engine_answers_request(er->answers, &m);
	buf_deinit(&b);
}

struct search {
	const struct net *net;
	uint32_t jail;
	bool is_found;
};

/* What engine_unban() would lift. */
static void find_ban(void *ctx, const struct order *o)
{
	struct search *s = ctx;

	if ((s->jail == UINT32_MAX || o->jail == s->jail) &&
	    net_contains(s->net, &o->net))
		s->is_found = true;
}

static bool is_banned(
    const struct engine_role *er, uint32_t jail, const struct net *net)
{
	struct search s = {.net = net, .jail = jail};

	engine_find_bans(engine_of(er), net, find_ban, &s);
	return s.is_found;
}

/* Some are not banned: the others are freed, and these are told. */
static void unban_and_tell(
    struct engine_role *er, const struct f2b_request *q, struct buf *out)
{
	struct list absent = {.b = BUF_INIT(MESSAGE_MAX_BYTES)};
	int r = 0;

	for (uint32_t i = 0; i < q->who.n && r >= 0; i++) {
		if (is_banned(er, q->jail, &q->who.nets[i])) {
			r = engine_unban(engine_of(er),
			    q->jail == UINT32_MAX ? -1 : (int)q->jail, &q->who.nets[i],
			    wall_now(), &er->orders);
		} else {
			pack_net(&absent.b, &q->who.nets[i]);
			absent.n++;
		}
	}
	(void)engine_role_flush(er);
	(void)engine_store_now(er->store);
	pack_u32(out, absent.n);
	buf_add_span(out, buf_span(&absent.b));
	out->failed |= absent.b.failed || r < 0;
	buf_deinit(&absent.b);
}

static bool all_banned(const struct engine_role *er, const struct f2b_request *q)
{
	for (uint32_t i = 0; i < q->who.n; i++) {
		if (!is_banned(er, q->jail, &q->who.nets[i]))
			return false;
	}
	return true;
}

static void answer_attempt(
    struct engine_role *er, const struct f2b_request *q, struct buf *out)
{
	CLEANUP(buf_deinit) struct buf lines = BUF_INIT(MESSAGE_MAX_BYTES);
	struct hit h = {.jail = q->jail};
	bool is_counted = false;
	int r = 0;

	/* One failure, which weighs as much as there are lines. */
	for (uint32_t k = 0; k < q->n_texts; k++)
		buf_printf(&lines, "%s%s", k ? "\n" : "", q->texts[k]);
	h.text = buf_span(&lines);
	h.weight = (int16_t)(q->n_texts ? q->n_texts : 1);
	if (engine_unit(engine_of(er), q->jail) > 1)
		h.rule = ENGINE_NO_RULE;
	for (uint32_t i = 0; i < q->who.n && r >= 0; i++) {
		h.net = q->who.nets[i];
		h.id = q->who.texts[i];
		h.at = wall_now();
		if (h.id && !setup_jail_takes_ids(&er->role->setup->jails[q->jail]))
			continue;
		r = engine_feed(engine_of(er), &h, h.at, &er->orders);
		is_counted |= r >= 0 && r != ENGINE_IGNORED;
	}
	(void)engine_role_flush(er);
	engine_store_touch(er->store);
	pack_bool(out, is_counted);
	out->failed |= r < 0;
}

static void answer_idle(
    struct engine_role *er, const struct f2b_request *q, struct buf *out)
{
	for (uint32_t i = 0; i < er->role->setup->n_jails; i++) {
		if (q->jail == UINT32_MAX || i == q->jail)
			pipeline_set_idle(er->pipeline, i, q->flag);
	}
	pack_bool(out, q->flag);
}

/* --- requests ----------------------------------------------------------------------
 */

static bool needs_jail(enum f2b_verb verb)
{
	return verb == F2B_BAN || verb == F2B_ATTEMPT;
}

/* Return: false if the answer comes by another way. */
static bool answer(struct engine_role *er, const struct f2b_request *q, struct buf *out)
{
	switch (q->verb) {
	case F2B_STATUS:
		answer_status(er, q, out);
		return true;
	case F2B_BANS:
		answer_bans(er, q, out);
		return true;
	case F2B_ATTEMPT:
		answer_attempt(er, q, out);
		return true;
	case F2B_IDLE:
		answer_idle(er, q, out);
		return true;
	case F2B_UNBAN:
		if (q->flag && !all_banned(er, q)) {
			unban_and_tell(er, q, out);
			return true;
		}
		forward(er, q, REQUEST_UNBAN);
		return false;
	default:
		forward(er, q, REQUEST_BAN);
		return false;
	}
}

static void dispatch(struct engine_role *er, const struct f2b_request *q)
{
	struct buf b = BUF_INIT(ANSWER_MAX_BYTES);

	pack_u8(&b, F2B_DONE);
	if (!answer(er, q, &b))
		;
	else if (b.failed)
		fail(er, q->id, "out of memory");
	else
		engine_answers_reply(er->answers, q->id, &b);
	buf_deinit(&b);
}

static void tell_other(struct engine_role *er, uint64_t id)
{
	struct buf b = BUF_INIT(1);

	pack_u8(&b, F2B_OTHER);
	engine_answers_reply(er->answers, id, &b);
	buf_deinit(&b);
}

void engine_answers_f2b(struct engine_role *er, struct message *m)
{
	struct f2b_request q = {0};
	const struct setup *s = er->role->setup;

	if (!decode(&m->body, &q) || q.verb < F2B_STATUS || q.verb > F2B_IDLE ||
	    (needs_jail(q.verb) && q.jail == UINT32_MAX))
		m->body.bad = true;
	else if (!er->is_serving || q.generation != s->generation ||
		 (q.verb == F2B_STATUS && !engine_files_are_named(er->files)))
		tell_other(er, q.id);
	else if (q.jail != UINT32_MAX && q.jail >= s->n_jails)
		m->body.bad = true;
	else
		dispatch(er, &q);
	request_deinit(&q);
}
