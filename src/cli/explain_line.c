/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/explain_line.h"

#include <math.h>

#include "base/jsonw.h"

#define SHOWN_BYTES 8192 /* of a line */

void explain_line_clear(struct explain_line *l)
{
	for (size_t i = 0; i < l->n_found; i++)
		free(l->found[i].id);
	l->n_found = l->n_more = l->n_events = 0;
}

struct explain_finding *explain_line_add(struct explain_line *l)
{
	if (l->n_found == EXPLAIN_MAX_FINDINGS) {
		l->n_more++;
		return NULL;
	}
	l->found[l->n_found] = (struct explain_finding){0};
	return &l->found[l->n_found++];
}

/* --- names */

const char *explain_kind_name(enum explain_kind kind)
{
	static const char *const names[] = {
	    [EXPLAIN_HIT] = "hit",
	    [EXPLAIN_HELPED] = "helps other lines",
	    [EXPLAIN_EXEMPT] = "exempt by ignoreregex",
	    [EXPLAIN_NO_ADDRESS] = "names nobody who can be banned",
	    [EXPLAIN_LIMIT] = "a regex gave up",
	};

	return names[kind];
}

const char *explain_outcome_name(int outcome)
{
	switch (outcome) {
	case ENGINE_COUNTED:
		return "counted";
	case ENGINE_BANNED:
		return "banned";
	case ENGINE_PROLONGED:
		return "prolonged";
	case ENGINE_ALREADY_BANNED:
		return "banned already";
	case ENGINE_IGNORED:
		return "never banned here";
	case ENGINE_STALE:
		return "too old to count";
	case ENGINE_OVER:
		return "enough, but over by now";
	case ENGINE_FULL:
		return "enough, but there is no room for bans";
	case ENGINE_NOTED:
		return "noted";
	case ENGINE_REPEATED:
		return "counted today, or still free";
	case ENGINE_SUSPENDED:
		return "not counted: the fault may be ours";
	default:
		return "not counted";
	}
}

/* --- text */

enum { FAINT, MARKED, LOUD };

static void add_colour(struct buf *out, bool is_coloured, int what)
{
	static const char *const codes[] = {
	    [FAINT] = "\033[2m", [MARKED] = "\033[36m", [LOUD] = "\033[1;31m"};

	if (is_coloured)
		buf_add_str(out, codes[what]);
}

static void end_colour(struct buf *out, bool is_coloured)
{
	buf_add_str(out, is_coloured ? "\033[0m\n" : "\n");
}

/* As it is, if that does no harm to a terminal; else quoted. */
static void add_foreign(struct buf *out, struct span text, size_t max_bytes)
{
	CLEANUP(buf_deinit) struct buf quoted = BUF_INIT(8 * SHOWN_BYTES);
	size_t n_escaped = 0;

	buf_quote(&quoted, text, max_bytes);
	for (size_t i = 0; i < text.n; i++)
		n_escaped += text.p[i] == '"' || text.p[i] == '\\';
	if (quoted.n == text.n + n_escaped + 2)
		buf_add_span(out, text);
	else
		buf_add_span(out, buf_span(&quoted));
}

static void add_who(struct buf *out, const struct explain_finding *f)
{
	char net[NET_TEXT_BYTES];

	if (f->id) {
		buf_quote(out, span_of(f->id), NET_ID_MAX_BYTES);
		return;
	}
	net_format(&f->net, net);
	buf_add_str(out, net);
}

static double unit_of(const struct explain_finding *f)
{
	return f->threshold.unit ? f->threshold.unit : 1;
}

/* "5", "2.5", "2.25": parts are hundredths. */
static void add_parts(struct buf *out, double n)
{
	long hundredths = lround(100 * n);
	int n_places = hundredths % 100 == 0 ? 0 : hundredths % 10 == 0 ? 1 : 2;

	buf_printf(out, "%.*f", n_places, n);
}

static void add_weight(struct buf *out, const struct explain_finding *f)
{
	buf_add_str(out, f->weight < 0 ? " " : " +");
	add_parts(out, f->weight / unit_of(f));
}

static void add_rule(struct buf *out, const struct setup_jail *j, uint16_t rule)
{
	const struct setup_rule *r = setup_rule_of(j, rule);

	if (r)
		buf_add_str(out, r->name);
	else
		buf_printf(out, "failregex %u", rule);
}

/* Why the threshold is not maxretry. */
static void add_threshold(struct buf *out, const struct engine_threshold *t)
{
	if (t->has_credit)
		buf_add_str(out, " (it has credit)");
	else if (t->pressure)
		buf_printf(out, " (halved %u times: %u addresses attack)", t->pressure,
		    t->offenders);
}

static void add_sum(struct buf *out, const struct explain_finding *f)
{
	buf_add_str(out, ": ");
	add_parts(out, (double)f->sum / unit_of(f));
	buf_add_str(out, " of ");
	add_parts(out, f->threshold.need / unit_of(f));
	add_threshold(out, &f->threshold);
	buf_add_str(out, " within ");
	duration_format(out, (int64_t)f->findtime_sec);
}

/* A sum that began anew, or did not count, says nothing. */
static bool is_summed(int outcome)
{
	return outcome == ENGINE_COUNTED || outcome == ENGINE_BANNED ||
	       outcome == ENGINE_PROLONGED || outcome == ENGINE_OVER;
}

static void add_hit(
    struct buf *out, const struct explain_finding *f, const struct setup_jail *j)
{
	add_rule(out, j, f->rule);
	buf_printf(out, ", %s", hit_class_name(f->class));
	add_weight(out, f);
	buf_add_str(out, " for ");
	add_who(out, f);
	if (f->sum >= 0 && is_summed(f->outcome))
		add_sum(out, f);
	buf_printf(out, ", %s", explain_outcome_name(f->outcome));
}

static void add_finding(struct buf *out, const struct explain_finding *f,
    const struct setup *s, bool is_coloured)
{
	add_colour(out, is_coloured, MARKED);
	buf_printf(out, "    %s: ", s->jails[f->jail].name);
	if (f->kind == EXPLAIN_HIT)
		add_hit(out, f, &s->jails[f->jail]);
	else
		buf_add_str(out, explain_kind_name(f->kind));
	end_colour(out, is_coloured);
}

static void add_order(
    struct buf *out, const struct order *o, const struct setup *s, bool is_coloured)
{
	add_colour(out, is_coloured, o->op == ORDER_UNBAN ? FAINT : LOUD);
	/* An end came before the line, and is no part of it. */
	buf_printf(out, "%s%s: %s ", o->op == ORDER_UNBAN ? "" : "    ",
	    s->jails[o->jail].name, order_op_name(o->op));
	order_add_who(out, o);
	if (o->op == ORDER_UNBAN)
		buf_add_str(out, ", its time was over at ");
	else
		buf_add_str(out, " until ");
	wall_format(out, o->op == ORDER_UNBAN ? o->at : o->until);
	end_colour(out, is_coloured);
}

static void add_orders(struct buf *out, const struct explain_line *l,
    const struct setup *s, bool is_coloured, bool is_unban)
{
	for (size_t i = 0; i < l->orders->n; i++) {
		const struct order *o = &l->orders->items[i];

		if ((o->op == ORDER_UNBAN) == is_unban)
			add_order(out, o, s, is_coloured);
	}
}

static void add_event(struct buf *out, const struct engine_event *e,
    const struct setup *s, bool is_coloured)
{
	const struct engine_suspended *w = &e->what;

	add_colour(out, is_coloured, LOUD);
	buf_printf(out, "    %s: ", s->jails[w->jail].name);
	add_rule(out, &s->jails[w->jail], w->rule);
	if (!e->is_suspended)
		buf_add_str(out, " counts again");
	else if (w->n_credited > 1)
		buf_printf(out,
		    " does not count for now: %u addresses with credit within a minute",
		    w->n_credited);
	else
		buf_printf(out, " does not count for now: %u clients within a minute",
		    w->n_clients);
	end_colour(out, is_coloured);
}

void explain_line_text(const struct explain_line *l, const struct setup *s,
    bool is_coloured, struct buf *out)
{
	bool is_faint = is_coloured && !l->n_found;

	add_orders(out, l, s, is_coloured, true);
	add_colour(out, is_faint, FAINT);
	add_foreign(out, l->text, SHOWN_BYTES);
	end_colour(out, is_faint);
	for (size_t i = 0; i < l->n_found; i++)
		add_finding(out, &l->found[i], s, is_coloured);
	if (l->n_more)
		buf_printf(out, "    and %zu more\n", l->n_more);
	for (size_t i = 0; i < l->n_events; i++)
		add_event(out, &l->events[i], s, is_coloured);
	add_orders(out, l, s, is_coloured, false);
	if (l->n_found)
		return;
	add_colour(out, is_coloured, FAINT);
	buf_add_str(out, "    nothing");
	end_colour(out, is_coloured);
}

/* --- JSON */

static void key_str(struct jsonw *j, const char *key, const char *text)
{
	jsonw_key(j, key);
	jsonw_str(j, text);
}

static void key_i64(struct jsonw *j, const char *key, int64_t n)
{
	jsonw_key(j, key);
	jsonw_i64(j, n);
}

static void key_f64(struct jsonw *j, const char *key, double n)
{
	jsonw_key(j, key);
	jsonw_f64(j, n);
}

static void put_hit(
    struct jsonw *j, const struct explain_finding *f, const struct setup_jail *jail)
{
	const struct setup_rule *r = setup_rule_of(jail, f->rule);

	key_i64(j, "rule", f->rule);
	key_str(j, "name", r ? r->name : NULL);
	key_str(j, "reason", setup_regex(jail, f->rule));
	key_str(j, "class", hit_class_name(f->class));
	key_f64(j, "weight", f->weight / unit_of(f));
	jsonw_key(j, "ip");
	if (f->id)
		jsonw_str(j, f->id);
	else
		jsonw_net(j, &f->net);
	jsonw_key(j, "failures");
	if (f->sum < 0)
		jsonw_null(j);
	else
		jsonw_f64(j, (double)f->sum / unit_of(f));
	key_f64(j, "needed", f->threshold.need / unit_of(f));
	jsonw_key(j, "credit");
	jsonw_bool(j, f->threshold.has_credit);
	key_i64(j, "pressure", f->threshold.pressure);
	key_f64(j, "findtime", f->findtime_sec);
	key_str(j, "verdict", explain_outcome_name(f->outcome));
}

static void put_finding(
    struct jsonw *j, const struct explain_finding *f, const struct setup *s)
{
	jsonw_object(j);
	key_str(j, "jail", s->jails[f->jail].name);
	key_str(j, "kind", explain_kind_name(f->kind));
	if (f->kind == EXPLAIN_HIT)
		put_hit(j, f, &s->jails[f->jail]);
	jsonw_object_end(j);
}

static void put_order(struct jsonw *j, const struct order *o, const struct setup *s)
{
	jsonw_object(j);
	key_str(j, "do", order_op_name(o->op));
	key_str(j, "jail", s->jails[o->jail].name);
	jsonw_key(j, "ip");
	if (o->id)
		jsonw_str(j, o->id);
	else
		jsonw_net(j, &o->net);
	jsonw_key(j, "at");
	jsonw_wall(j, o->at, false);
	jsonw_key(j, "until");
	jsonw_wall(j, o->until, false);
	jsonw_object_end(j);
}

static void put_event(
    struct jsonw *j, const struct engine_event *e, const struct setup *s)
{
	jsonw_object(j);
	key_str(j, "jail", s->jails[e->what.jail].name);
	key_i64(j, "rule", e->what.rule);
	key_str(j, "do", e->is_suspended ? "suspend" : "lift");
	key_i64(j, "clients", e->what.n_clients);
	key_i64(j, "with_credit", e->what.n_credited);
	jsonw_object_end(j);
}

void explain_line_json(
    const struct explain_line *l, const struct setup *s, struct buf *out)
{
	struct jsonw j = jsonw_of(out);

	jsonw_object(&j);
	key_str(&j, "log", l->path);
	key_i64(&j, "line", (int64_t)l->number);
	jsonw_key(&j, "text");
	jsonw_span(&j, l->text);
	jsonw_key(&j, "found");
	jsonw_array(&j);
	for (size_t i = 0; i < l->n_found; i++)
		put_finding(&j, &l->found[i], s);
	jsonw_array_end(&j);
	jsonw_key(&j, "orders");
	jsonw_array(&j);
	for (size_t i = 0; i < l->orders->n; i++)
		put_order(&j, &l->orders->items[i], s);
	jsonw_array_end(&j);
	jsonw_key(&j, "rules");
	jsonw_array(&j);
	for (size_t i = 0; i < l->n_events; i++)
		put_event(&j, &l->events[i], s);
	jsonw_array_end(&j);
	jsonw_object_end(&j);
	buf_add_char(out, '\n');
}
