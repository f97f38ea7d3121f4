/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/backtest_answer.h"

#include <errno.h>

#include "match/utf8.h"

/* Foreign text; what is not UTF-8 becomes U+FFFD. */
static json_t *foreign(const char *text)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(8 * BACKTEST_LINE_BYTES + 65536);

	if (!text)
		return json_null();
	if (utf8_is_valid(span_of(text)))
		return json_stringn(text, strlen(text));
	utf8_repair(span_of(text), &b);
	return json_stringn(buf_str(&b), b.n);
}

static json_t *time_of(wall_t t)
{
	if (t.us == WALL_NONE.us)
		return json_null();
	return json_integer(t.us == WALL_NEVER.us ? -1 : t.us / US_PER_SEC);
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *net_of(const struct net *n)
{
	char text[NET_TEXT_BYTES];

	net_format(n, text);
	return json_string(text);
}

static json_t *seconds_of(bool is_known, double sec)
{
	return is_known ? json_real(sec) : json_null();
}

/* Set @key of @o. Out of memory: it is missing, and asked for at the end. */
static void set(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
}

/* --- facts */

struct signs {
	json_t *both;
	uint64_t n_attackers, n_good, n_honest, n_both;
};

static void set_signs(json_t *o, const struct backtest_address *a)
{
	set(o, "ip", net_of(&a->net));
	set(o, "attempts", number(a->n_attempts));
	set(o, "good", number(a->n_good));
	set(o, "good_days", number(a->n_good_days));
	set(o, "good_kinds", number((uint64_t)__builtin_popcountll(a->good_kinds)));
}

static void count_signs(void *ctx, const struct backtest_address *a)
{
	struct signs *s = ctx;
	json_t *o;

	s->n_attackers += a->n_attempts > 0;
	s->n_good += a->n_good > 0;
	s->n_honest += a->is_honest;
	if (!a->n_attempts || !a->is_honest)
		return;
	o = json_object();
	set_signs(o, a);
	set(o, "first_attempt", time_of(a->first_attempt));
	(void)json_array_append_new(s->both, o);
}

static json_t *facts_of(const struct backtest_view *v)
{
	const struct backtest_outcome *out = v->outcome;
	struct signs s = {.both = json_array()};
	json_t *o = json_object();

	backtest_book_each(out->book, count_signs, &s);
	set(o, "profile", foreign(v->facts->name));
	set(o, "config", foreign(v->facts->dir));
	set(o, "attempts", number(backtest_book_n_attempts(out->book)));
	set(o, "addresses", number(s.n_attackers));
	set(o, "after_first",
	    number(backtest_book_n_attempts(out->book) - s.n_attackers));
	set(o, "good", number(s.n_good));
	set(o, "honest", number(s.n_honest));
	set(o, "not_kept", number(backtest_book_n_unwritten(out->book)));
	set(o, "both", s.both);
	return o;
}

/* --- policies */

/* A list of addresses, for one policy. */
struct listing {
	const struct backtest_view *v;
	size_t policy;
	json_t *list;
};

static void set_reason(
    json_t *o, const struct backtest_policy *p, const struct backtest_ban *b)
{
	const struct setup_jail *j = &p->setup->jails[b->jail];
	const struct setup_rule *r = setup_rule_of(j, b->rule);
	const struct step *step = steps_at(&j->steps, b->step);

	set(o, "at", time_of(b->at));
	set(o, "until", time_of(b->until));
	set(o, "jail", foreign(j->name));
	set(o, "answer",
	    step ? json_string(step_answer_name(step->answer)) : json_null());
	set(o, "rule", number(b->rule));
	set(o, "name", r ? foreign(r->name) : json_null());
	set(o, "reason", foreign(setup_regex(j, b->rule)));
	set(o, "line", foreign(b->line));
}

static void note_honest(void *ctx, const struct backtest_address *a)
{
	struct listing *l = ctx;
	const struct backtest_ban *b;
	struct net net;
	json_t *o;

	if (!a->is_honest)
		return;
	b = backtest_book_ban_of(l->v->outcome->book, l->policy, a, &net);
	if (!b)
		return;
	o = json_object();
	set_signs(o, a);
	if (!net_eq(&net, &a->net))
		set(o, "network", net_of(&net));
	set_reason(o, &l->v->policies[l->policy], b);
	(void)json_array_append_new(l->list, o);
}

static json_t *honest_of(const struct backtest_view *v, size_t policy)
{
	struct listing l = {.v = v, .policy = policy, .list = json_array()};

	backtest_book_each(v->outcome->book, note_honest, &l);
	return l.list;
}

/* --- everybody who was banned */

static json_t *banned_row(
    const struct backtest_policy *p, const struct net *n, const struct backtest_ban *b)
{
	json_t *o = json_object();

	set(o, "ip", net_of(n));
	set(o, "at", time_of(b->at));
	set(o, "until", time_of(b->until));
	set(o, "jail", foreign(p->setup->jails[b->jail].name));
	set(o, "rule", number(b->rule));
	set(o, "attempts", number(b->n_attempts));
	return o;
}

static void note_banned(void *ctx, const struct backtest_address *a)
{
	struct listing *l = ctx;
	const struct backtest_fate *f = &a->fates[l->policy];
	json_t *o;

	if (!f->n_bans)
		return;
	o = banned_row(&l->v->policies[l->policy], &a->net, &f->ban);
	set(o, "bans", number(f->n_bans));
	set(o, "stopped", number(f->n_stopped));
	(void)json_array_append_new(l->list, o);
}

static void note_network(void *ctx, const struct backtest_network *n)
{
	struct listing *l = ctx;
	json_t *o = banned_row(&l->v->policies[l->policy], &n->net, &n->ban);

	set(o, "bans", number(n->n_bans));
	(void)json_array_append_new(l->list, o);
}

static json_t *banned_of(const struct backtest_view *v, size_t policy)
{
	struct listing l = {.v = v, .policy = policy, .list = json_array()};

	backtest_book_each_network(v->outcome->book, policy, note_network, &l);
	backtest_book_each(v->outcome->book, note_banned, &l);
	return l.list;
}

static json_t *hours_of(const struct backtest_hours *h)
{
	json_t *list = json_array();
	uint64_t lasting = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct backtest_hour *row = &h->rows[i];
		wall_t at;
		uint64_t active = backtest_hours_row(h, i, &at, &lasting);
		json_t *o;

		if (!active && !row->passed && !row->stopped)
			continue;
		o = json_object();
		set(o, "at", time_of(at));
		set(o, "passed", number(row->passed));
		set(o, "stopped", number(row->stopped));
		set(o, "bans", number(row->begun));
		set(o, "active", number(active));
		(void)json_array_append_new(list, o);
	}
	return list;
}

static int set_delays(json_t *o, const struct backtest_book *b, size_t policy)
{
	struct backtest_delays d;
	int r = backtest_book_delays(b, policy, &d);

	if (r < 0)
		return r;
	set(o, "median_seconds", seconds_of(d.n, d.median_sec));
	set(o, "p90_seconds", seconds_of(d.n, d.p90_sec));
	set(o, "median_attempts", seconds_of(d.n, d.median_attempts));
	set(o, "without_attempts", number(d.n_unseen));
	return 0;
}

static json_t *policy_of(const struct backtest_view *v, size_t i)
{
	const struct backtest_sums *s = backtest_book_sums(v->outcome->book, i);
	uint64_t n_ending = s->n_bans - s->n_permanent;
	json_t *o = json_object();

	set(o, "name", foreign(v->policies[i].name));
	set(o, "config", foreign(v->policies[i].dir));
	set(o, "attempts", number(s->n_passed + s->n_stopped));
	set(o, "passed", number(s->n_passed));
	set(o, "stopped", number(s->n_stopped));
	set(o, "addresses", number(s->n_addresses));
	set(o, "networks", number(s->n_networks));
	set(o, "bans", number(s->n_bans));
	set(o, "permanent", number(s->n_permanent));
	set(o, "mean_seconds",
	    seconds_of(s->n_bans > s->n_permanent, s->total_sec / (double)n_ending));
	if (set_delays(o, v->outcome->book, i) < 0)
		return json_decref(o), NULL;
	set(o, "honest", honest_of(v, i));
	set(o, "banned", banned_of(v, i));
	set(o, "hours", hours_of(&s->hours));
	return o;
}

static json_t *interrupted_at(const struct inputs_progress *reached)
{
	json_t *o = json_object();

	set(o, "at", time_of(reached->last));
	set(o, "bytes", number(reached->n_bytes));
	if (reached->n_bytes_all)
		set(o, "of", number(reached->n_bytes_all));
	return o;
}

json_t *backtest_answer(const struct backtest_view *v)
{
	const struct backtest_outcome *out = v->outcome;
	json_t *o = json_object(), *list = json_array();

	set(o, "lines", number(out->n_lines));
	set(o, "since", time_of(out->first));
	set(o, "until", time_of(out->last));
	set(o, "seconds", json_real(out->seconds));
	set(o, "feedback", json_boolean(v->has_feedback));
	if (out->stop)
		set(o, "interrupted", interrupted_at(&out->reached));
	set(o, "facts", facts_of(v));
	for (size_t i = 0; i < v->n_policies; i++)
		(void)json_array_append_new(list, policy_of(v, i));
	set(o, "policies", list);
	if (json_array_size(list) == v->n_policies)
		return o;
	json_decref(o);
	return NULL;
}
