/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump - the effective configuration for people
 *
 * One `option = value  # file:line` a line; further lines of a value are indented, so
 * that the whole can be read in the language it came from. dump_json.c does it for
 * programs.
 */

#include <stdio.h>

#include "conf/dump.h"
#include "conf/schema.h"

void dump_place(struct buf *out, struct conf_place at)
{
	if (!at.file)
		buf_add_str(out, "default");
	else
		buf_printf(out, "%s:%u", at.file, at.line);
}

struct conf_place dump_find_place(const struct dict *values, const char *name)
{
	const struct text *t = dict_find(values, span_of(name));

	return t ? text_place(t, 0) : (struct conf_place){0};
}

static void put_comment(struct buf *out, struct conf_place at)
{
	buf_add_str(out, "  # ");
	dump_place(out, at);
	buf_add_char(out, '\n');
}

/* A '%' is written twice in the language; so one can paste a value back. */
static void put_escaped(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%')
			buf_add_char(out, '%');
		buf_add_char(out, s.p[i]);
	}
}

static void put_lines(
    struct buf *out, const char *name, const char *value, struct conf_place at)
{
	struct span rest = span_of(value), line;
	bool is_first = true;

	buf_printf(out, "%s = ", name);
	while (span_next_line(&rest, &line)) {
		if (!is_first)
			buf_add_str(out, "\n    ");
		put_escaped(out, line);
		is_first = false;
	}
	put_comment(out, at);
}

static void put_value(struct buf *out, const char *name, const struct conf_value *v)
{
	if (v->text)
		put_lines(out, name, v->text, v->at);
}

static void put_number(
    struct buf *out, const char *name, double n, struct conf_place at)
{
	buf_printf(out, "%s = %.15g", name, n);
	put_comment(out, at);
}

static void put_bool(
    struct buf *out, const char *name, bool is_on, struct conf_place at)
{
	buf_printf(out, "%s = %s", name, is_on ? "true" : "false");
	put_comment(out, at);
}

static void put_values(struct buf *out, const char *name, const struct conf_values *v)
{
	for (size_t i = 0; i < v->n; i++) {
		if (i == 0)
			buf_printf(out, "%s = ", name);
		else
			buf_add_str(out, "    ");
		put_escaped(out, span_of(v->items[i].text));
		put_comment(out, v->items[i].at);
	}
}

/* Each option with the name of its rule before it, as those of actions are shown. */
static void put_rule(struct buf *out, const struct conf_rule *r)
{
	const struct {
		const char *name;
		const struct conf_value *value;
	} fields[] = {{"distinct", &r->distinct}, {"account", &r->account},
	    {"bind", &r->bind}, {"via", &r->via}};
	char name[256];

	(void)snprintf(name, sizeof(name), "Rule %s/regex", r->name);
	put_values(out, name, &r->regex);
	buf_printf(out, "Rule %s/class = %s", r->name, hit_class_name(r->class));
	put_comment(out, r->at);
	buf_printf(out, "Rule %s/weight = %.15g", r->name, r->weight / 100.0);
	put_comment(out, r->at);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		(void)snprintf(
		    name, sizeof(name), "Rule %s/%s", r->name, fields[i].name);
		put_value(out, name, fields[i].value);
	}
	if (r->free)
		buf_printf(out, "Rule %s/free = %u\n", r->name, r->free);
	if (r->bantime_sec)
		buf_printf(out, "Rule %s/bantime = %lld\n", r->name,
		    (long long)r->bantime_sec);
}

static void put_filter(
    struct buf *out, const struct conf_filter *f, struct conf_place at)
{
	struct conf_value name = {.text = f->name, .at = at};

	put_value(out, "filter", &name);
	put_value(out, "prefregex", &f->prefregex);
	put_values(out, "failregex", &f->failregex);
	put_values(out, "ignoreregex", &f->ignoreregex);
	for (size_t i = 0; i < f->n_rules; i++)
		put_rule(out, &f->rules[i]);
	put_value(out, "datepattern", &f->datepattern);
	put_value(out, "journalmatch", &f->journalmatch);
	if (f->maxlines != 1)
		buf_printf(out, "maxlines = %u\n", f->maxlines);
}

static void put_action(struct buf *out, const struct conf_action *a)
{
	buf_printf(out, "action = %s[actname=%s]", a->name, a->actname);
	put_comment(out, a->at);
	for (size_t i = 0; i < a->n_options; i++) {
		char name[256];

		(void)snprintf(
		    name, sizeof(name), "%s/%s", a->actname, a->options[i].name);
		put_lines(out, name, a->options[i].value, a->at);
	}
}

static void put_logpaths(struct buf *out, const struct conf_jail *j)
{
	for (size_t i = 0; i < j->n_logpaths; i++) {
		buf_add_str(out, i == 0 ? "logpath = " : "    ");
		put_escaped(out, span_of(j->logpaths[i].glob));
		buf_add_str(out, j->logpaths[i].tail ? " tail" : " head");
		put_comment(out, j->logpaths[i].at);
	}
}

static void put_increment(
    struct buf *out, const struct conf_increment *x, const struct dict *values)
{
	if (!x->is_on)
		return;
	put_bool(out, "bantime.increment", x->is_on,
	    dump_find_place(values, "bantime.increment"));
	put_value(out, "bantime.factor", &x->factor);
	put_value(out, "bantime.formula", &x->formula);
	put_value(out, "bantime.multipliers", &x->multipliers);
	if (x->has_maxtime)
		put_number(out, "bantime.maxtime", x->maxtime_sec,
		    dump_find_place(values, "bantime.maxtime"));
	if (x->rndtime_sec > 0)
		put_number(out, "bantime.rndtime", x->rndtime_sec,
		    dump_find_place(values, "bantime.rndtime"));
	put_bool(out, "bantime.overalljails", x->overalljails,
	    dump_find_place(values, "bantime.overalljails"));
}

static void put_evidence(
    struct buf *out, const struct conf_evidence *v, const struct dict *values)
{
	if (v->has_adapt)
		put_bool(out, "adapt", v->adapt, dump_find_place(values, "adapt"));
	if (!v->has_group)
		return;
	put_number(out, "group", v->group, dump_find_place(values, "group"));
	put_number(out, "groupprefix4", v->groupprefix4,
	    dump_find_place(values, "groupprefix4"));
	put_number(out, "groupprefix6", v->groupprefix6,
	    dump_find_place(values, "groupprefix6"));
}

static void put_jail(
    struct buf *out, const struct conf_jail *j, const struct dict *values)
{
	buf_printf(out, "\n[%s]", j->name);
	put_comment(out, j->at);
	put_bool(out, "enabled", j->enabled, dump_find_place(values, "enabled"));
	if (!j->enabled)
		return;
	put_value(out, "backend", &j->backend_text);
	put_logpaths(out, j);
	put_value(out, "logencoding", &j->logencoding);
	put_value(out, "logtimezone", &j->logtimezone);
	put_number(out, "maxretry", j->maxretry, dump_find_place(values, "maxretry"));
	put_number(
	    out, "findtime", j->findtime_sec, dump_find_place(values, "findtime"));
	put_number(
	    out, "bantime", (double)j->bantime_sec, dump_find_place(values, "bantime"));
	put_increment(out, &j->increment, values);
	put_evidence(out, &j->evidence, values);
	put_number(
	    out, "maxmatches", j->maxmatches, dump_find_place(values, "maxmatches"));
	put_bool(
	    out, "ignoreself", j->ignoreself, dump_find_place(values, "ignoreself"));
	put_values(out, "ignoreip", &j->ignoreip);
	put_value(out, "ignorecommand", &j->ignorecommand);
	put_value(out, "usedns", &j->usedns);
	put_value(out, "port", &j->port);
	put_value(out, "protocol", &j->protocol);
	put_bool(out, "native", j->native, dump_find_place(values, "native"));
	put_bool(out, "sever", j->sever, dump_find_place(values, "sever"));
	put_bool(out, "makeroom", j->makeroom, dump_find_place(values, "makeroom"));
	put_value(out, "steps", &j->steps);
	put_value(out, "refusecode", &j->refusecode);
	put_filter(out, &j->filter, dump_find_place(values, "filter"));
	for (size_t i = 0; i < j->n_actions; i++)
		put_action(out, &j->actions[i]);
}

static void put_global(
    struct buf *out, const struct conf_global *g, const struct dict *values)
{
	buf_add_str(out, "[Definition]\n");
	put_value(out, "loglevel", &g->loglevel);
	put_value(out, "logtarget", &g->logtarget);
	put_value(out, "user", &g->user);
	put_bool(out, "dryrun", g->dryrun, dump_find_place(values, "dryrun"));
	put_number(
	    out, "minprefix4", g->min_prefix_v4, dump_find_place(values, "minprefix4"));
	put_number(
	    out, "minprefix6", g->min_prefix_v6, dump_find_place(values, "minprefix6"));
	put_number(out, "maxbanrate", g->max_bans_per_sec,
	    dump_find_place(values, "maxbanrate"));
	put_value(out, "policysocket", &g->policysocket);
	put_value(out, "refusetext", &g->refusetext);
	put_values(out, "neverban", &g->never_ban);
	put_bool(out, "protectlogins", g->protect_logins,
	    dump_find_place(values, "protectlogins"));
	put_number(out, "dbpurgeage", g->dbpurgeage_sec,
	    dump_find_place(values, "dbpurgeage"));
}

void conf_dump(const struct conf *c, bool json, struct buf *out)
{
	const struct conf_private *priv = c->priv;

	if (json) {
		dump_json(c, out);
		return;
	}
	put_global(out, &c->global, priv->global_values);
	for (size_t i = 0; i < c->n_jails; i++)
		put_jail(out, &c->jails[i], priv->jail_values[i]);
}
