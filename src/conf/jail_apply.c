/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jail_apply - the texts of a jail's options into their types
 */

#include <errno.h>

#include "conf/chars.h"
#include "conf/jail.h"
#include "conf/schema.h"

#define LOGPATHS_MAX 10000
#define DURATION_MAX_SEC 1e12

static const struct schema_option *option(const char *name)
{
	return schema_find(span_of(name), SCHEMA_JAIL);
}

void jail_apply_bool(struct jail_reader *rd, const char *name, bool *out)
{
	const struct text *t = jail_find_value(rd, name);

	if (t)
		schema_read_bool(rd->ld->d, option(name), t, out);
}

static void apply_count(struct jail_reader *rd, const char *name, uint32_t *out)
{
	const struct text *t = jail_find_value(rd, name);
	int64_t v;

	if (!t)
		return;
	if (schema_read_count(rd->ld->d, option(name), t, &v) < 0)
		rd->j->is_broken = true;
	else
		*out = (uint32_t)v;
}

static void apply_duration(struct jail_reader *rd, const char *name, double *out_sec)
{
	const struct text *t = jail_find_value(rd, name);
	double v;

	if (!t)
		return;
	if (schema_read_duration(rd->ld->d, option(name), t, &v) < 0) {
		rd->j->is_broken = true;
	} else if (v > DURATION_MAX_SEC) {
		diag_add(rd->ld->d, DIAG_ERROR, text_place(t, 0),
		    "%s: '%s' is too long (-1 is a ban for good)", name,
		    chars_show(text_span(t)).text);
		rd->j->is_broken = true;
	} else {
		*out_sec = v < 0 ? -1 : v;
	}
}

static void apply_value(
    struct jail_reader *rd, const char *name, struct conf_value *out)
{
	const struct text *t = jail_find_value(rd, name);

	if (t)
		*out = value_unless_empty(t);
}

static void apply_times(struct jail_reader *rd)
{
	struct conf_jail *j = rd->j;
	double findtime_sec = j->findtime_sec, bantime_sec = (double)j->bantime_sec;

	apply_duration(rd, "findtime", &findtime_sec);
	apply_duration(rd, "bantime", &bantime_sec);
	j->bantime_sec = (int64_t)bantime_sec;
	if (findtime_sec < 0) {
		diag_add(rd->ld->d, DIAG_ERROR,
		    text_place(jail_find_value(rd, "findtime"), 0),
		    "findtime: '%s' is negative, expected the seconds to look back "
		    "(try 10m)",
		    jail_find_value(rd, "findtime")->p);
		j->is_broken = true;
		return;
	}
	j->findtime_sec = findtime_sec;
}

/* The formulas stay text: what they may say is known further up. */
static void apply_increment(struct jail_reader *rd)
{
	struct conf_increment *x = &rd->j->increment;
	const struct text *maxtime = jail_find_value(rd, "bantime.maxtime");
	const struct text *rndtime = jail_find_value(rd, "bantime.rndtime");

	jail_apply_bool(rd, "bantime.increment", &x->is_on);
	jail_apply_bool(rd, "bantime.overalljails", &x->overalljails);
	apply_value(rd, "bantime.factor", &x->factor);
	apply_value(rd, "bantime.formula", &x->formula);
	apply_value(rd, "bantime.multipliers", &x->multipliers);
	/* Stock jail.conf shows both with nothing behind the "=". */
	if (maxtime && chars_trim(text_span(maxtime)).n) {
		x->has_maxtime = true;
		apply_duration(rd, "bantime.maxtime", &x->maxtime_sec);
	}
	if (rndtime && chars_trim(text_span(rndtime)).n)
		apply_duration(rd, "bantime.rndtime", &x->rndtime_sec);
	if (x->rndtime_sec < 0)
		x->rndtime_sec = 0;
}

void jail_apply_usedns(struct jail_reader *rd, const struct conf_value *v)
{
	static const char *const words[] = {"warn", "yes", "no", "raw"};

	for (size_t i = 0; v->text && i < ARRAY_LEN(words); i++) {
		if (!span_eq_nocase(chars_trim(span_of(v->text)), span_of(words[i])))
			continue;
		rd->j->usedns = (struct conf_value){.text = words[i], .at = v->at};
		return;
	}
	if (!v->text)
		return;
	diag_add(rd->ld->d, DIAG_ERROR, v->at,
	    "usedns: expected yes, warn, no or raw, not '%s'",
	    chars_show(span_of(v->text)).text);
	rd->j->is_broken = true;
}

static int keep_backend_params(struct jail_reader *rd, const struct params *p)
{
	struct conf_param *out = arena_alloc_array(rd->ld->arena, p->n, sizeof(*out));

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < p->n; i++)
		out[i] = (struct conf_param){p->items[i].name, p->items[i].value.p};
	rd->j->backend_params = out;
	rd->j->n_backend_params = p->n;
	return 0;
}

static int apply_backend(struct jail_reader *rd)
{
	static const struct {
		const char *word;
		enum conf_backend backend;
	} backends[] = {
	    {"auto", CONF_AUTO},
	    {"inotify", CONF_INOTIFY},
	    {"pyinotify", CONF_INOTIFY},
	    {"gamin", CONF_INOTIFY},
	    {"polling", CONF_POLLING},
	    {"systemd", CONF_SYSTEMD},
	};
	const struct text *t = jail_find_value(rd, "backend");
	struct params p;
	int r;

	if (!t || !chars_trim(text_span(t)).n)
		return 0;
	rd->j->backend_text = value_of(t);
	r = params_parse(rd->ld->arena, rd->ld->d, "backend", t, &p);
	if (r) {
		rd->j->is_broken = true;
		return r == -ENOMEM ? r : 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		if (!span_eq_nocase(span_of(p.name), span_of(backends[i].word)))
			continue;
		rd->j->backend = backends[i].backend;
		return keep_backend_params(rd, &p);
	}
	diag_add(rd->ld->d, DIAG_ERROR, p.at,
	    "backend: there is no '%s', expected auto, inotify, polling or systemd",
	    chars_show(span_of(p.name)).text);
	rd->j->is_broken = true;
	return 0;
}

/* "/var/log/x" or "/var/log/x tail"; the last blank separates both. */
static int add_logpath(struct jail_reader *rd, struct span line, struct conf_place at)
{
	struct conf_jail *j = rd->j;
	struct conf_logpath *new = &j->logpaths[j->n_logpaths];
	size_t n = line.n;
	char *glob;

	while (n && line.p[n - 1] != ' ')
		n--;
	if (n) {
		struct span word = span_skip(line, n);

		new->tail = span_eq(word, SPAN("tail"));
		if (!new->tail && !span_eq(word, SPAN("head"))) {
			at.col += at.col ? (unsigned int)n : 0;
			diag_add(rd->ld->d, DIAG_ERROR, at,
			    "logpath: expected 'head' or 'tail' behind the path, not "
			    "'%s' (a "
			    "path with blanks needs one of them)",
			    chars_show(word).text);
			j->is_broken = true;
			return 0;
		}
		line = chars_trim((struct span){line.p, n - 1});
	}
	glob = arena_dup(rd->ld->arena, line);
	if (!glob)
		return -ENOMEM;
	new->glob = glob;
	new->at = at;
	j->n_logpaths++;
	return 0;
}

static int apply_logpath(struct jail_reader *rd)
{
	const struct text *t = jail_find_value(rd, "logpath");
	struct conf_place at;
	struct span line;
	size_t pos = 0, n = 0;
	int r = 0;

	while (t && text_next_line(t, &pos, &line, &at))
		n++;
	if (n > LOGPATHS_MAX) {
		diag_add(rd->ld->d, DIAG_ERROR, text_place(t, 0),
		    "logpath: more than %d lines", LOGPATHS_MAX);
		rd->j->is_broken = true;
		return 0;
	}
	rd->j->logpaths = arena_alloc_array(rd->ld->arena, n, sizeof(*rd->j->logpaths));
	if (!rd->j->logpaths)
		return -ENOMEM;
	for (pos = 0; r == 0 && t && text_next_line(t, &pos, &line, &at);)
		r = add_logpath(rd, line, at);
	/* With neither filter nor logpath it is meant for bans by hand. */
	if (r == 0 && n && !rd->has_filter && !jail_find_value(rd, "failregex") &&
	    !rd->j->is_broken)
		diag_add(rd->ld->d, DIAG_WARNING, rd->j->at,
		    "jail '%s' has a logpath but no filter: only bans by hand reach it",
		    rd->j->name);
	if (r == 0 && !n && rd->has_filter && rd->j->backend != CONF_SYSTEMD)
		diag_add(rd->ld->d, DIAG_WARNING, rd->j->at,
		    "jail '%s' has no logpath, expected logpath = FILE or backend = "
		    "systemd",
		    rd->j->name);
	return r;
}

/* Not fail2ban's options, but what its jails give to their actions. */
static int apply_material(
    struct jail_reader *rd, const char *name, struct conf_value *out)
{
	struct text t;
	int r = interp_get(&rd->in, span_of(name), &t);

	if (r == -EINVAL)
		rd->j->is_broken = true;
	if (r == 0)
		*out = value_unless_empty(&t);
	return r == -ENOMEM ? r : 0;
}

static void apply_evidence(struct jail_reader *rd)
{
	struct conf_evidence *v = &rd->j->evidence;

	v->has_adapt = jail_find_value(rd, "adapt") != NULL;
	jail_apply_bool(rd, "adapt", &v->adapt);
	v->has_group = jail_find_value(rd, "group") != NULL;
	apply_count(rd, "group", &v->group);
	apply_count(rd, "groupprefix4", &v->groupprefix4);
	apply_count(rd, "groupprefix6", &v->groupprefix6);
}

int jail_apply_options(struct jail_reader *rd)
{
	const struct text *ignoreip = jail_find_value(rd, "ignoreip");
	int r = apply_backend(rd);

	if (rd->reads_journal)
		rd->j->backend = CONF_SYSTEMD;
	jail_apply_bool(rd, "ignoreself", &rd->j->ignoreself);
	jail_apply_bool(rd, "native", &rd->j->native);
	jail_apply_bool(rd, "sever", &rd->j->sever);
	jail_apply_bool(rd, "makeroom", &rd->j->makeroom);
	apply_count(rd, "maxretry", &rd->j->maxretry);
	apply_count(rd, "maxmatches", &rd->j->maxmatches);
	apply_times(rd);
	apply_evidence(rd);
	apply_value(rd, "steps", &rd->j->steps);
	apply_value(rd, "refusecode", &rd->j->refusecode);
	apply_value(rd, "ignorecommand", &rd->j->ignorecommand);
	if (r == 0)
		r = jail_apply_ignorecommand(rd);
	apply_value(rd, "logtimezone", &rd->j->logtimezone);
	apply_value(rd, "logencoding", &rd->j->logencoding);
	apply_increment(rd);
	if (r == 0)
		r = apply_logpath(rd);
	if (r == 0 && ignoreip)
		r = values_add_words(rd->ld, ignoreip, &rd->j->ignoreip);
	if (r == 0)
		r = apply_material(rd, "port", &rd->j->port);
	if (r == 0)
		r = apply_material(rd, "protocol", &rd->j->protocol);
	return r;
}
