/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump_json - the effective configuration for programs
 *
 * Names and shapes are an interface: tests/compat and `bandog check --dump --json` read
 * them.
 */

#include "base/jsonw.h"
#include "conf/dump.h"

static void put_text(struct jsonw *j, const char *name, const char *value)
{
	jsonw_key(j, name);
	jsonw_str(j, value);
}

static void put_texts(struct jsonw *j, const char *name, const struct conf_values *v)
{
	jsonw_key(j, name);
	jsonw_array(j);
	for (size_t i = 0; i < v->n; i++)
		jsonw_str(j, v->items[i].text);
	jsonw_array_end(j);
}

static void put_i64(struct jsonw *j, const char *name, int64_t v)
{
	jsonw_key(j, name);
	jsonw_i64(j, v);
}

static void put_f64(struct jsonw *j, const char *name, double v)
{
	jsonw_key(j, name);
	jsonw_f64(j, v);
}

static void put_bool(struct jsonw *j, const char *name, bool v)
{
	jsonw_key(j, name);
	jsonw_bool(j, v);
}

static void put_place(struct jsonw *j, struct conf_place at)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(8192);

	dump_place(&b, at);
	jsonw_span(j, buf_span(&b));
}

static void put_places(struct jsonw *j, const char *name, const struct conf_values *v)
{
	jsonw_key(j, name);
	jsonw_array(j);
	for (size_t i = 0; i < v->n; i++)
		put_place(j, v->items[i].at);
	jsonw_array_end(j);
}

static void put_value_places(struct jsonw *j, const struct dict *values)
{
	jsonw_key(j, "places");
	jsonw_object(j);
	for (const struct dict_item *i = values ? values->first : NULL; i;
	     i = i->next) {
		jsonw_key(j, i->key);
		put_place(j, text_place(i->value, 0));
	}
	jsonw_object_end(j);
}

static void put_params(
    struct jsonw *j, const char *name, const struct conf_param *params, size_t n)
{
	jsonw_key(j, name);
	jsonw_object(j);
	for (size_t i = 0; i < n; i++)
		put_text(j, params[i].name, params[i].value);
	jsonw_object_end(j);
}

static void put_rule(struct jsonw *j, const struct conf_rule *r)
{
	jsonw_object(j);
	put_text(j, "name", r->name);
	jsonw_key(j, "place");
	put_place(j, r->at);
	put_texts(j, "regex", &r->regex);
	put_text(j, "class", hit_class_name(r->class));
	put_f64(j, "weight", r->weight / 100.0);
	if (r->bantime_sec)
		put_i64(j, "bantime", r->bantime_sec);
	put_text(j, "distinct", r->distinct.text);
	put_i64(j, "free", r->free);
	put_bool(j, "adapt", r->adapt);
	put_text(j, "bind", r->bind.text);
	put_text(j, "via", r->via.text);
	put_text(j, "account", r->account.text);
	jsonw_object_end(j);
}

/* A filter that is plain fail2ban's has no such key. */
static void put_rules(struct jsonw *j, const struct conf_filter *f)
{
	if (!f->n_rules)
		return;
	jsonw_key(j, "rules");
	jsonw_array(j);
	for (size_t i = 0; i < f->n_rules; i++)
		put_rule(j, &f->rules[i]);
	jsonw_array_end(j);
}

static void put_filter(struct jsonw *j, const struct conf_filter *f)
{
	jsonw_key(j, "filter");
	jsonw_object(j);
	put_text(j, "name", f->name);
	put_text(j, "prefregex", f->prefregex.text);
	put_texts(j, "failregex", &f->failregex);
	put_texts(j, "ignoreregex", &f->ignoreregex);
	put_rules(j, f);
	put_text(j, "datepattern", f->datepattern.text);
	put_text(j, "journalmatch", f->journalmatch.text);
	put_text(j, "usedns", f->usedns.text);
	put_i64(j, "maxlines", f->maxlines);
	jsonw_key(j, "places");
	jsonw_object(j);
	put_places(j, "failregex", &f->failregex);
	put_places(j, "ignoreregex", &f->ignoreregex);
	jsonw_object_end(j);
	jsonw_object_end(j);
}

static void put_actions(struct jsonw *j, const struct conf_jail *jail)
{
	jsonw_key(j, "actions");
	jsonw_array(j);
	for (size_t i = 0; i < jail->n_actions; i++) {
		const struct conf_action *a = &jail->actions[i];

		jsonw_object(j);
		put_text(j, "name", a->name);
		put_text(j, "actname", a->actname);
		put_bool(j, "has_file", a->has_file);
		jsonw_key(j, "place");
		put_place(j, a->at);
		put_params(j, "params", a->params, a->n_params);
		put_params(j, "options", a->options, a->n_options);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

static void put_logpaths(struct jsonw *j, const struct conf_jail *jail)
{
	jsonw_key(j, "logpath");
	jsonw_array(j);
	for (size_t i = 0; i < jail->n_logpaths; i++) {
		jsonw_object(j);
		put_text(j, "glob", jail->logpaths[i].glob);
		put_bool(j, "tail", jail->logpaths[i].tail);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

static void put_increment(struct jsonw *j, const struct conf_increment *x)
{
	if (!x->is_on)
		return;
	put_bool(j, "bantime.increment", x->is_on);
	put_text(j, "bantime.factor", x->factor.text);
	put_text(j, "bantime.formula", x->formula.text);
	put_text(j, "bantime.multipliers", x->multipliers.text);
	if (x->has_maxtime)
		put_f64(j, "bantime.maxtime", x->maxtime_sec);
	put_f64(j, "bantime.rndtime", x->rndtime_sec);
	put_bool(j, "bantime.overalljails", x->overalljails);
}

static void put_jail_options(struct jsonw *j, const struct conf_jail *jail)
{
	put_text(j, "backend", jail->backend_text.text);
	put_logpaths(j, jail);
	put_i64(j, "maxretry", jail->maxretry);
	put_f64(j, "findtime", jail->findtime_sec);
	put_i64(j, "bantime", jail->bantime_sec);
	put_increment(j, &jail->increment);
	if (jail->evidence.has_adapt)
		put_bool(j, "adapt", jail->evidence.adapt);
	if (jail->evidence.has_group) {
		put_i64(j, "group", jail->evidence.group);
		put_i64(j, "groupprefix4", jail->evidence.groupprefix4);
		put_i64(j, "groupprefix6", jail->evidence.groupprefix6);
	}
	put_i64(j, "maxmatches", jail->maxmatches);
	put_bool(j, "ignoreself", jail->ignoreself);
	put_texts(j, "ignoreip", &jail->ignoreip);
	put_text(j, "ignorecommand", jail->ignorecommand.text);
	put_text(j, "usedns", jail->usedns.text);
	put_text(j, "logtimezone", jail->logtimezone.text);
	put_text(j, "logencoding", jail->logencoding.text);
	put_text(j, "port", jail->port.text);
	put_text(j, "protocol", jail->protocol.text);
	put_text(j, "steps", jail->steps.text);
	put_text(j, "refusecode", jail->refusecode.text);
	put_filter(j, &jail->filter);
	put_actions(j, jail);
}

static void put_jail(
    struct jsonw *j, const struct conf_jail *jail, const struct dict *values)
{
	jsonw_object(j);
	put_text(j, "name", jail->name);
	put_bool(j, "enabled", jail->enabled);
	put_bool(j, "broken", jail->is_broken);
	jsonw_key(j, "place");
	put_place(j, jail->at);
	if (jail->enabled)
		put_jail_options(j, jail);
	put_value_places(j, values);
	jsonw_object_end(j);
}

static void put_global(
    struct jsonw *j, const struct conf_global *g, const struct dict *values)
{
	jsonw_key(j, "global");
	jsonw_object(j);
	put_text(j, "loglevel", g->loglevel.text);
	put_text(j, "logtarget", g->logtarget.text);
	put_text(j, "user", g->user.text);
	put_bool(j, "dryrun", g->dryrun);
	put_i64(j, "minprefix4", g->min_prefix_v4);
	put_i64(j, "minprefix6", g->min_prefix_v6);
	put_i64(j, "maxbanrate", g->max_bans_per_sec);
	put_text(j, "policysocket", g->policysocket.text);
	put_text(j, "refusetext", g->refusetext.text);
	put_texts(j, "neverban", &g->never_ban);
	put_bool(j, "protectlogins", g->protect_logins);
	put_f64(j, "dbpurgeage", g->dbpurgeage_sec);
	put_value_places(j, values);
	jsonw_object_end(j);
}

void dump_json(const struct conf *c, struct buf *out)
{
	const struct conf_private *priv = c->priv;
	struct jsonw j = jsonw_of(out);

	jsonw_object(&j);
	put_text(&j, "dir", c->dir);
	put_global(&j, &c->global, priv->global_values);
	jsonw_key(&j, "jails");
	jsonw_array(&j);
	for (size_t i = 0; i < c->n_jails; i++)
		put_jail(&j, &c->jails[i], priv->jail_values[i]);
	jsonw_array_end(&j);
	jsonw_object_end(&j);
}
