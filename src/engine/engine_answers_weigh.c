/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What speaks against an address and what for it, and what is made of it.
 *
 * Weights are in failures here, as people write them; the engine counts in parts.
 */
#include "engine/engine_answers_private.h"

static double failures(int64_t weight, uint16_t unit)
{
	return (double)weight / unit;
}

static void put_f64(struct jsonw *j, const char *key, double v)
{
	jsonw_key(j, key);
	jsonw_f64(j, v);
}

/* A rule has a name and a class; "rule_weight" only where this one weighed other. */
static void put_rule(struct jsonw *j, const struct engine_rule *rule,
    const struct evidence *e, uint16_t unit)
{
	put_f64(j, "weight", failures(e->weight, unit));
	if (rule->name)
		answers_put_str(j, "name", rule->name);
	answers_put_str(j, "class", hit_class_name(rule->class));
	if (rule->weight != e->weight)
		put_f64(j, "rule_weight", failures(rule->weight, unit));
}

static void put_evidence(
    struct engine_answers *a, struct jsonw *j, uint32_t jail, const struct evidence *e)
{
	struct engine_rule rule = engine_rule(answers_engine(a), jail, e->rule);
	uint16_t unit = engine_unit(answers_engine(a), jail);

	jsonw_object(j);
	answers_put_wall(j, "at", e->at);
	answers_put_i64(j, "rule", e->rule);
	if (unit > 1)
		put_rule(j, &rule, e, unit);
	else
		answers_put_i64(j, "weight", e->weight);
	answers_put_str(j, "line", e->text);
	jsonw_object_end(j);
}

void answers_put_why(struct engine_answers *a, struct jsonw *j, uint32_t jail,
    const struct evidence *why, size_t n)
{
	jsonw_key(j, "why");
	jsonw_array(j);
	for (size_t i = 0; i < n; i++)
		put_evidence(a, j, jail, &why[i]);
	jsonw_array_end(j);
}

/* Where it may be other than maxretry. */
static void put_threshold(struct jsonw *j, const struct engine_account *ac)
{
	const struct engine_threshold *t = &ac->threshold;

	if (!t->is_weighed)
		return;
	put_f64(j, "sum", failures(ac->sum, t->unit));
	put_f64(j, "misconfiguration", failures(ac->soft, t->unit));
	put_f64(j, "distinct", failures(ac->distinct, t->unit));
	put_f64(j, "threshold", failures(t->need, t->unit));
	jsonw_key(j, "credit");
	jsonw_bool(j, t->has_credit);
	answers_put_i64(j, "pressure", t->pressure);
	answers_put_i64(j, "offenders", t->offenders);
}

static void put_account(void *ctx, const struct engine_account *ac)
{
	struct listing *l = ctx;

	jsonw_object(&l->j);
	answers_put_str(&l->j, "jail", answers_jail_name(l->a, ac->jail));
	answers_put_i64(&l->j, "failures", ac->failures);
	answers_put_i64(&l->j, "maxretry", ac->maxretry);
	put_threshold(&l->j, ac);
	answers_put_i64(&l->j, "findtime", (int64_t)ac->findtime_sec);
	answers_put_wall(&l->j, "first", ac->first);
	answers_put_wall(&l->j, "last", ac->last);
	answers_put_why(l->a, &l->j, ac->jail, ac->why, ac->n_why);
	jsonw_object_end(&l->j);
}

static void put_kind(
    struct engine_answers *a, struct jsonw *j, const struct credit_kind *k)
{
	jsonw_object(j);
	answers_put_str(j, "name", engine_credit_name(answers_engine(a), k->kind));
	put_f64(j, "points", (double)k->points / CREDIT_POINT);
	answers_put_i64(j, "days", k->n_days);
	answers_put_wall(j, "last", wall_from_sec((int64_t)k->hour * 3600));
	jsonw_object_end(j);
}

/* null: nothing is known. */
static void put_credit(struct engine_answers *a, struct jsonw *j, const struct net *n)
{
	struct credit c;
	uint64_t sum = 0;

	jsonw_key(j, "credit");
	if (!engine_credit(answers_engine(a), n, &c)) {
		jsonw_null(j);
		return;
	}
	for (uint8_t i = 0; i < c.n_kinds; i++)
		sum += c.kinds[i].points;
	jsonw_object(j);
	jsonw_key(j, "suffices");
	jsonw_bool(j, engine_has_credit(answers_engine(a), n));
	put_f64(j, "points", (double)sum / CREDIT_POINT);
	answers_put_i64(j, "days", c.n_days);
	jsonw_key(j, "kinds");
	jsonw_array(j);
	for (uint8_t i = 0; i < c.n_kinds; i++)
		put_kind(a, j, &c.kinds[i]);
	jsonw_array_end(j);
	jsonw_object_end(j);
}

static void put_suspended(void *ctx, const struct engine_suspended *s)
{
	struct listing *l = ctx;

	jsonw_object(&l->j);
	answers_put_str(&l->j, "jail", answers_jail_name(l->a, s->jail));
	answers_put_i64(&l->j, "rule", s->rule);
	answers_put_str(&l->j, "name", s->name);
	answers_put_wall(&l->j, "since", s->since);
	answers_put_i64(&l->j, "clients", s->n_clients);
	answers_put_i64(&l->j, "with_credit", s->n_credited);
	jsonw_object_end(&l->j);
}

void answers_put_suspended(struct engine_answers *a, struct jsonw *j)
{
	struct listing l = {.a = a, .j = *j};

	jsonw_key(&l.j, "suspended");
	jsonw_array(&l.j);
	engine_each_suspended(answers_engine(a), put_suspended, &l);
	jsonw_array_end(&l.j);
	*j = l.j;
}

void answers_put_pressure(struct engine_answers *a, struct jsonw *j, uint32_t jail)
{
	struct engine_pressure p;

	if (!engine_pressure(answers_engine(a), jail, &p))
		return;
	answers_put_i64(j, "pressure", p.level);
	answers_put_str(j, "pressure_rule", p.rule);
	answers_put_i64(j, "offenders", p.offenders);
}

void answers_put_evidence(
    struct engine_answers *a, struct jsonw *j, const struct net *n)
{
	struct listing l = {.a = a, .j = *j};

	jsonw_key(&l.j, "account");
	jsonw_array(&l.j);
	engine_account(answers_engine(a), n, put_account, &l);
	jsonw_array_end(&l.j);
	put_credit(a, &l.j, n);
	*j = l.j;
	answers_put_suspended(a, j);
}
