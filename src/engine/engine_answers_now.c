/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers that the engine has at hand.
 */
#include "config.h"
#include "engine/engine_answers_private.h"

/* --- pieces ------------------------------------------------------------------------
 */

void answers_put_i64(struct jsonw *j, const char *key, int64_t v)
{
	jsonw_key(j, key);
	jsonw_i64(j, v);
}

void answers_put_str(struct jsonw *j, const char *key, const char *v)
{
	jsonw_key(j, key);
	jsonw_str(j, v);
}

void answers_put_wall(struct jsonw *j, const char *key, wall_t v)
{
	jsonw_key(j, key);
	jsonw_wall(j, v, false);
}

void answers_put_who(struct jsonw *j, const struct net *n, const char *id)
{
	if (id)
		jsonw_str(j, id);
	else
		jsonw_net(j, n);
}

/* Which of the jail's graduated answers it is, and for how long the next will be. */
static void put_step(struct engine_answers *a, struct jsonw *j, const struct order *o)
{
	const struct steps *s = &answers_setup(a)->jails[o->jail].steps;
	const struct step *now = steps_at(s, o->step), *next;

	if (!now)
		return;
	jsonw_key(j, "step");
	jsonw_object(j);
	answers_put_i64(j, "number", now - s->items + 1);
	answers_put_i64(j, "of", s->n);
	answers_put_str(j, "answer", step_answer_name(now->answer));
	if (now->answer == STEP_REFUSE)
		answers_put_i64(j, "refused", o->stopped.refused);
	next = steps_at(s, (uint8_t)(now - s->items + 2));
	jsonw_key(j, "next");
	jsonw_object(j);
	answers_put_str(j, "answer", step_answer_name(next->answer));
	answers_put_i64(j, "for", next->sec);
	/* Who is kept out has to come back for it. */
	jsonw_key(j, "while_it_lasts");
	jsonw_bool(j, now->answer == STEP_REFUSE);
	jsonw_object_end(j);
	jsonw_object_end(j);
}

void answers_put_ban(struct engine_answers *a, struct jsonw *j, const struct order *o,
    const uint64_t *stopped)
{
	jsonw_object(j);
	answers_put_str(j, "jail", answers_jail_name(a, o->jail));
	jsonw_key(j, "ip");
	answers_put_who(j, &o->net, o->id);
	if (o->id && id_has_ip(&o->ip)) {
		jsonw_key(j, "address");
		jsonw_net(j, &o->ip);
	}
	answers_put_wall(j, "at", o->at);
	answers_put_wall(j, "until", o->until);
	answers_put_i64(j, "failures", o->failures);
	answers_put_i64(j, "bancount", o->ban_count);
	answers_put_str(j, "by", order_cause_name(o->cause));
	put_step(a, j, o);
	answers_put_why(a, j, o->jail, o->why, o->n_why);
	if (stopped) {
		jsonw_key(j, "stopped");
		jsonw_object(j);
		answers_put_i64(j, "packets", (int64_t)stopped[0]);
		answers_put_i64(j, "bytes", (int64_t)stopped[1]);
		jsonw_object_end(j);
	}
	jsonw_object_end(j);
}

static void put_counts(struct engine_answers *a, struct jsonw *j, uint32_t jail)
{
	struct engine_counts c;
	struct pipeline_counts p;

	engine_counts(answers_engine(a), jail, &c);
	pipeline_counts(a->er->pipeline, jail, &p);
	answers_put_i64(j, "failed_now", (int64_t)c.failed_now);
	answers_put_i64(j, "failed_total", (int64_t)c.failed_total);
	answers_put_i64(j, "banned_now", (int64_t)c.banned_now);
	answers_put_i64(j, "banned_total", (int64_t)c.banned_total);
	answers_put_i64(j, "ignored_total", (int64_t)c.ignored_total);
	answers_put_i64(j, "unescalated_total", (int64_t)c.unescalated_total);
	answers_put_i64(j, "severed_total", (int64_t)a->er->severed[jail]);
	answers_put_i64(j, "lines", (int64_t)p.lines);
	answers_put_i64(j, "matched", (int64_t)p.failures);
	answers_put_i64(j, "no_address", (int64_t)p.no_address);
	answers_put_i64(j, "regex_limits", (int64_t)p.limits);
	answers_put_i64(j, "undecoded", (int64_t)p.undecoded);
	answers_put_pressure(a, j, jail);
}

/* --- questions without waiting -----------------------------------------------------
 */

void answers_ping(struct engine_answers *a, const struct request *q)
{
	struct buf b = BUF_INIT(256);
	struct jsonw j = jsonw_of(&b);

	jsonw_object(&j);
	jsonw_key(&j, "pong");
	jsonw_bool(&j, true);
	answers_put_str(&j, "version", BANDOG_VERSION);
	jsonw_object_end(&j);
	engine_answers_reply(a, q->id, &b);
	buf_deinit(&b);
}

static void answer_status_all(struct engine_answers *a, struct jsonw *j)
{
	const struct setup *s = answers_setup(a);
	struct engine_bounds bounds;

	engine_bounds(answers_engine(a), &bounds);
	answers_put_str(j, "version", BANDOG_VERSION);
	answers_put_i64(j, "uptime", (mono_now().us - a->started.us) / US_PER_SEC);
	jsonw_key(j, "dry_run");
	jsonw_bool(j, s->dry_run);
	jsonw_key(j, "enforcing");
	jsonw_bool(j, a->er->is_enforcing);
	answers_put_i64(j, "tracked", (int64_t)bounds.n_tracked);
	answers_put_i64(j, "bans", (int64_t)bounds.n_bans);
	answers_put_i64(j, "forgotten", (int64_t)bounds.n_forgotten);
	answers_put_i64(j, "refused", (int64_t)bounds.n_refused);
	answers_put_i64(j, "offenders", (int64_t)bounds.n_offenders);
	answers_put_i64(j, "credits", (int64_t)bounds.n_credits);
	engine_guard_put_counts(a->er, j);
	jsonw_key(j, "jails");
	jsonw_array(j);
	for (uint32_t i = 0; i < s->n_jails; i++) {
		jsonw_object(j);
		answers_put_str(j, "name", s->jails[i].name);
		put_counts(a, j, i);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
	answers_put_suspended(a, j);
	jsonw_key(j, "left_out");
	jsonw_array(j);
	for (uint32_t i = 0; i < s->n_left_out; i++) {
		jsonw_object(j);
		answers_put_str(j, "name", s->left_out[i].name);
		answers_put_str(j, "why", s->left_out[i].why);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

static void put_steps(struct jsonw *j, const struct steps *s)
{
	if (!s->n)
		return;
	jsonw_key(j, "steps");
	jsonw_array(j);
	for (uint8_t i = 0; i < s->n; i++) {
		jsonw_object(j);
		answers_put_str(j, "answer", step_answer_name(s->items[i].answer));
		answers_put_i64(j, "for", s->items[i].sec);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

static void answer_status_jail(struct engine_answers *a, struct jsonw *j, uint32_t jail)
{
	const struct setup_jail *s = &answers_setup(a)->jails[jail];

	jsonw_key(j, "jail");
	jsonw_object(j);
	answers_put_str(j, "name", s->name);
	answers_put_str(j, "filter", s->filter_name);
	answers_put_str(j, "port", s->port_text);
	answers_put_i64(j, "maxretry", s->maxretry);
	answers_put_i64(j, "findtime", (int64_t)s->findtime_sec);
	answers_put_i64(j, "bantime", s->bantime_sec);
	put_counts(a, j, jail);
	jsonw_key(j, "files");
	jsonw_array(j);
	(void)engine_files_describe(a->er->files, jail, j->b);
	jsonw_array_end(j);
	put_steps(j, &s->steps);
	jsonw_key(j, "sets");
	jsonw_array(j);
	for (uint32_t i = 0; i < s->n_targets; i++)
		jsonw_str(j, s->targets[i].name);
	jsonw_array_end(j);
	jsonw_object_end(j);
}

void answers_status(struct engine_answers *a, const struct request *q)
{
	struct buf b = BUF_INIT(ANSWER_MAX_BYTES);
	struct jsonw j = jsonw_of(&b);

	jsonw_object(&j);
	if (q->jail >= 0)
		answer_status_jail(a, &j, (uint32_t)q->jail);
	else
		answer_status_all(a, &j);
	jsonw_object_end(&j);
	engine_answers_reply(a, q->id, &b);
	buf_deinit(&b);
}

static void list_ban(void *ctx, const struct order *o)
{
	struct listing *l = ctx;

	if (l->jail >= 0 && o->jail != (uint32_t)l->jail)
		return;
	if (l->n >= l->offset && l->n < l->offset + l->limit)
		answers_put_ban(l->a, &l->j, o, NULL);
	l->n++;
}

void answers_banned(struct engine_answers *a, const struct request *q)
{
	struct buf b = BUF_INIT(ANSWER_MAX_BYTES);
	struct listing l = {.a = a,
	    .j = jsonw_of(&b),
	    .jail = q->jail,
	    .offset = q->offset,
	    .limit = q->limit};

	jsonw_object(&l.j);
	jsonw_key(&l.j, "bans");
	jsonw_array(&l.j);
	if (q->who.n) {
		for (uint32_t i = 0; i < q->who.n; i++)
			engine_find_bans(
			    answers_engine(a), &q->who.nets[i], list_ban, &l);
	} else {
		engine_each_ban(answers_engine(a), q->jail, list_ban, &l);
	}
	jsonw_array_end(&l.j);
	answers_put_i64(&l.j, "total", (int64_t)l.n);
	jsonw_object_end(&l.j);
	engine_answers_reply(a, q->id, &b);
	buf_deinit(&b);
}
