/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jail - one section of jail.conf into a struct conf_jail
 *
 * In two steps, as in fail2ban: first whether it is enabled and which filter it has,
 * then everything else, for which the filter's values are at hand as %(known/...)s.
 */

#include <errno.h>

#include "conf/chars.h"
#include "conf/interp.h"
#include "conf/room.h"
#include "conf/schema.h"

#define LOGPATHS_MAX 10000
#define DURATION_MAX_SEC 1e12

struct reader {
	struct load *ld;
	struct conf_jail *j;
	struct dict *values; /* name -> struct text */
	struct interp in;
	struct filter_file filter;
	bool has_filter;
	struct definition known; /* the filter as it is without the jail's options */
	struct dict *first_values;
	bool is_known_ready;
};

void jail_set_defaults(struct conf_jail *j, const char *name, struct conf_place at)
{
	*j = (struct conf_jail){
	    .name = name,
	    .at = at,
	    .backend = CONF_AUTO,
	    .filter.maxlines = 1,
	    .maxretry = 3,
	    .findtime_sec = 600,
	    .bantime_sec = 600,
	    .maxmatches = 5,
	    .ignoreself = true,
	    .usedns.text = "warn",
	};
	j->backend_text.text = "auto";
}

/* Return: 0 and the option is in values or is not set, or -ENOMEM. */
static int read_option(struct reader *rd, const char *name)
{
	struct text t;
	int r = interp_get(&rd->in, span_of(name), &t);

	if (r == -EINVAL)
		rd->j->is_broken = true;
	if (r)
		return r == -ENOMEM ? r : 0;
	return values_put(rd->ld, rd->values, name, &t);
}

static const struct text *find_value(const struct reader *rd, const char *name)
{
	return dict_find(rd->values, span_of(name));
}

static struct span value_span(const struct reader *rd, const char *name)
{
	const struct text *t = find_value(rd, name);

	return t ? chars_trim(text_span(t)) : SPAN("");
}

/* The filter's value for %(known/...)s. It is made when the first is asked for. */
static int get_known(void *ctx, struct span name, struct text *out)
{
	struct reader *rd = ctx;

	if (!rd->is_known_ready) {
		int r = definition_init(&rd->known, rd->ld->arena, rd->ld->d,
		    &rd->filter.set->all, SCHEMA_FILTER, &rd->filter.params,
		    rd->first_values);

		if (r < 0)
			return r;
		rd->is_known_ready = true;
	}
	return definition_get_known(&rd->known, name, out);
}

static int copy_first_values(struct reader *rd)
{
	rd->first_values = arena_alloc(rd->ld->arena, sizeof(*rd->first_values));
	if (!rd->first_values)
		return -ENOMEM;
	*rd->first_values = DICT_INIT(rd->ld->arena);
	for (struct dict_item *i = rd->values->first; i; i = i->next)
		if (dict_put(rd->first_values, i->key, i->value) < 0)
			return -ENOMEM;
	return 0;
}

static int open_filter(struct reader *rd)
{
	const struct text *spec = find_value(rd, "filter");
	int r;

	if (!spec || !chars_trim(text_span(spec)).n) {
		diag_add(rd->ld->d, DIAG_WARNING, rd->j->at,
		    "jail '%s' has no filter: only bans by hand reach it", rd->j->name);
		return 0;
	}
	r = filter_open(rd->ld, spec, value_span(rd, "backend"), false, &rd->filter);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		rd->j->is_broken = true;
		return 0;
	}
	rd->has_filter = true;
	rd->in.known = get_known;
	rd->in.known_ctx = rd;
	return copy_first_values(rd);
}

static int read_options(struct reader *rd)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < schema_n_options; i++)
		if ((schema_options[i].where & SCHEMA_JAIL) &&
		    !find_value(rd, schema_options[i].name))
			r = read_option(rd, schema_options[i].name);
	return r;
}

static const struct schema_option *option(const char *name)
{
	return schema_find(span_of(name), SCHEMA_JAIL);
}

static void apply_bool(struct reader *rd, const char *name, bool *out)
{
	const struct text *t = find_value(rd, name);

	if (t)
		schema_read_bool(rd->ld->d, option(name), t, out);
}

static void apply_count(struct reader *rd, const char *name, uint32_t *out)
{
	const struct text *t = find_value(rd, name);
	int64_t v;

	if (!t)
		return;
	if (schema_read_count(rd->ld->d, option(name), t, &v) < 0)
		rd->j->is_broken = true;
	else
		*out = (uint32_t)v;
}

static void apply_duration(struct reader *rd, const char *name, double *out_sec)
{
	const struct text *t = find_value(rd, name);
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

static void apply_value(struct reader *rd, const char *name, struct conf_value *out)
{
	const struct text *t = find_value(rd, name);

	if (t)
		*out = value_unless_empty(t);
}

static void apply_times(struct reader *rd)
{
	struct conf_jail *j = rd->j;
	double findtime_sec = j->findtime_sec, bantime_sec = (double)j->bantime_sec;

	apply_duration(rd, "findtime", &findtime_sec);
	apply_duration(rd, "bantime", &bantime_sec);
	j->bantime_sec = (int64_t)bantime_sec;
	if (findtime_sec < 0) {
		diag_add(rd->ld->d, DIAG_ERROR,
		    text_place(find_value(rd, "findtime"), 0),
		    "findtime: '%s' is negative, expected the seconds to look back "
		    "(try 10m)",
		    find_value(rd, "findtime")->p);
		j->is_broken = true;
		return;
	}
	j->findtime_sec = findtime_sec;
}

/* What bandog does not do is checked all the same, and said when it is asked for. */
static void check_increment(struct reader *rd)
{
	double unused_sec = 0;
	bool is_on = false, unused = false;

	apply_bool(rd, "bantime.increment", &is_on);
	apply_bool(rd, "bantime.overalljails", &unused);
	apply_duration(rd, "bantime.maxtime", &unused_sec);
	apply_duration(rd, "bantime.rndtime", &unused_sec);
	if (is_on)
		diag_add(rd->ld->d, DIAG_WARNING,
		    text_place(find_value(rd, "bantime.increment"), 0),
		    "bantime.increment: every ban lasts for bantime; bandog does not "
		    "lengthen the bans of those who come back");
}

static void apply_usedns(struct reader *rd, const struct conf_value *v)
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

static int apply_backend(struct reader *rd)
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
	const struct text *t = find_value(rd, "backend");
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
		return 0;
	}
	diag_add(rd->ld->d, DIAG_ERROR, p.at,
	    "backend: there is no '%s', expected auto, inotify, polling or systemd",
	    chars_show(span_of(p.name)).text);
	rd->j->is_broken = true;
	return 0;
}

/* "/var/log/x" or "/var/log/x tail"; the last blank separates both. */
static int add_logpath(struct reader *rd, struct span line, struct conf_place at)
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

static int apply_logpath(struct reader *rd)
{
	const struct text *t = find_value(rd, "logpath");
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
	if (r == 0 && !n && rd->j->backend != CONF_SYSTEMD)
		diag_add(rd->ld->d, DIAG_WARNING, rd->j->at,
		    "jail '%s' has no logpath, expected logpath = FILE or backend = "
		    "systemd",
		    rd->j->name);
	return r;
}

/* Not fail2ban's options, but what its jails give to their actions. */
static int apply_material(struct reader *rd, const char *name, struct conf_value *out)
{
	struct text t;
	int r = interp_get(&rd->in, span_of(name), &t);

	if (r == -EINVAL)
		rd->j->is_broken = true;
	if (r == 0)
		*out = value_unless_empty(&t);
	return r == -ENOMEM ? r : 0;
}

static int apply_options(struct reader *rd)
{
	const struct text *ignoreip = find_value(rd, "ignoreip");
	int r = apply_backend(rd);

	apply_bool(rd, "ignoreself", &rd->j->ignoreself);
	apply_count(rd, "maxretry", &rd->j->maxretry);
	apply_count(rd, "maxmatches", &rd->j->maxmatches);
	apply_times(rd);
	apply_value(rd, "ignorecommand", &rd->j->ignorecommand);
	apply_value(rd, "logtimezone", &rd->j->logtimezone);
	apply_value(rd, "logencoding", &rd->j->logencoding);
	check_increment(rd);
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

static int apply_filter(struct reader *rd)
{
	int r = filter_fill(
	    rd->ld, rd->has_filter ? &rd->filter : NULL, rd->values, &rd->j->filter);

	if (r == -EINVAL)
		rd->j->is_broken = true;
	apply_usedns(rd, &rd->j->filter.usedns);
	rd->j->filter.usedns = rd->j->usedns;
	if (rd->has_filter && !rd->j->filter.failregex.n && !rd->j->is_broken)
		diag_add(rd->ld->d, DIAG_WARNING, rd->filter.params.at,
		    "filter: '%s' has no failregex, so jail '%s' finds nothing",
		    rd->filter.params.name, rd->j->name);
	return r == -ENOMEM ? r : 0;
}

/* What the filter and the actions may use when the jail says nothing. */
static int put_initial(struct reader *rd, const char *name)
{
	const char *initial = option(name)->initial;
	struct text t = {.p = initial, .n = strlen(initial)};

	return find_value(rd, name) ? 0 : values_put(rd->ld, rd->values, name, &t);
}

static int read_first(struct reader *rd, const bool *force_enabled)
{
	const struct text *t;
	int r = read_option(rd, "enabled");

	if (r == 0)
		r = read_option(rd, "backend");
	if (r == 0)
		r = read_option(rd, "filter");
	if (r == 0)
		r = put_initial(rd, "backend");
	if (r < 0)
		return r;
	apply_bool(rd, "enabled", &rd->j->enabled);
	if (force_enabled)
		rd->j->enabled = *force_enabled;
	t = find_value(rd, "backend");
	rd->j->backend_text = value_of(t);
	return 0;
}

static int read_rest(struct reader *rd)
{
	const struct text *actions;
	int r = open_filter(rd);

	if (r == 0)
		r = read_options(rd);
	if (r == 0)
		r = put_initial(rd, "filter");
	if (r == 0)
		r = put_initial(rd, "action");
	if (r == 0)
		r = apply_options(rd);
	if (r == 0)
		r = apply_filter(rd);
	actions = r == 0 ? find_value(rd, "action") : NULL;
	return actions ? actions_load(rd->ld, actions, rd->values, rd->j) : r;
}

static int make_constants(struct load *ld, struct dict *out)
{
	struct text version = {.p = "1.1.0", .n = 5};
	struct text dir = {.p = ld->dir, .n = strlen(ld->dir)};
	int r;

	*out = DICT_INIT(ld->arena);
	r = values_put(ld, out, "fail2ban_version", &version);
	return r == 0 ? values_put(ld, out, "fail2ban_confpath", &dir) : r;
}

int jail_load(struct load *ld, const struct layer_set *set, const struct ini_section *s,
    const bool *force_enabled, struct conf_jail *out, struct dict **out_values)
{
	struct reader rd = {.ld = ld, .j = out};
	struct dict vars;
	int r = make_constants(ld, &vars);

	jail_set_defaults(out, s->name, s->at);
	out->is_broken = s->is_broken;
	rd.in = (struct interp){.arena = ld->arena,
	    .d = ld->d,
	    .ini = &set->all,
	    .section = s,
	    .vars = &vars};
	rd.values = arena_alloc(ld->arena, sizeof(*rd.values));
	if (r < 0 || !rd.values)
		return -ENOMEM;
	*rd.values = DICT_INIT(ld->arena);
	r = read_first(&rd, force_enabled);
	if (r < 0 || !out->enabled)
		return r;
	*out_values = rd.values;
	hint_misspelt(ld, &set->all, s);
	return read_rest(&rd);
}
