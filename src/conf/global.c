/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * global - bandog.conf, or what still makes sense of a fail2ban.conf
 *
 * fail2ban's log file, socket, pid file and database are its own; they are not taken
 * over.
 */

#include <errno.h>

#include "base/log.h"
#include "base/net.h"
#include "conf/chars.h"
#include "conf/interp.h"
#include "conf/room.h"
#include "conf/schema.h"

#define FAIL2BAN_PURGE_AGE_SEC 86400

struct reader {
	struct load *ld;
	struct interp in;
	struct dict *values;
};

static const struct schema_option *option(const char *name)
{
	return schema_find(span_of(name), SCHEMA_GLOBAL);
}

/* 0: *@out, 1: not set or wrong, -ENOMEM. */
static int get(struct reader *rd, const char *name, struct text *out)
{
	int r = interp_get(&rd->in, span_of(name), out);

	if (r == 0)
		r = values_put(rd->ld, rd->values, name, out);
	return r == -EINVAL ? 1 : r;
}

static int read_value(struct reader *rd, const char *name, struct conf_value *out)
{
	struct text t;
	int r = get(rd, name, &t);

	if (r == 0 && chars_trim(text_span(&t)).n)
		*out = value_of(&t);
	return r < 0 ? r : 0;
}

static int read_count(struct reader *rd, const char *name, unsigned int *out)
{
	struct text t;
	int64_t v;
	int r = get(rd, name, &t);

	if (r == 0 && schema_read_count(rd->ld->d, option(name), &t, &v) == 0)
		*out = (unsigned int)v;
	return r < 0 ? r : 0;
}

static int read_purge_age(struct reader *rd, double *out_sec)
{
	struct text t;
	double v;
	int r = get(rd, "dbpurgeage", &t);

	if (r == 0 &&
	    schema_read_duration(rd->ld->d, option("dbpurgeage"), &t, &v) == 0) {
		if (v >= 0)
			*out_sec = v;
		else
			diag_add(rd->ld->d, DIAG_ERROR, text_place(&t, 0),
			    "dbpurgeage: '%s' is negative (try 30d)", t.p);
	}
	return r < 0 ? r : 0;
}

static int read_dryrun(struct reader *rd, bool *out)
{
	struct text t;
	int r = get(rd, "dryrun", &t);

	if (r == 0)
		schema_read_bool(rd->ld->d, option("dryrun"), &t, out);
	return r < 0 ? r : 0;
}

static int read_never_ban(struct reader *rd, struct conf_values *out)
{
	struct text t;
	struct net n;
	int r = get(rd, "neverban", &t);

	if (r == 0)
		r = values_add_words(rd->ld, &t, out);
	for (size_t i = 0; r == 0 && i < out->n; i++)
		if (net_parse(span_of(out->items[i].text), &n) < 0)
			diag_add(rd->ld->d, DIAG_ERROR, out->items[i].at,
			    "neverban: '%s' is no address or network (try "
			    "192.0.2.0/24)",
			    chars_show(span_of(out->items[i].text)).text);
	return r < 0 ? r : 0;
}

static int read_log_level(struct reader *rd, struct conf_value *out)
{
	enum log_level level;
	int r = read_value(rd, "loglevel", out);

	if (r == 0 && log_level_parse(out->text, &level) < 0)
		diag_add(rd->ld->d, DIAG_ERROR, out->at,
		    "loglevel: '%s' is no level, expected CRITICAL, ERROR, WARNING, "
		    "NOTICE, "
		    "INFO or DEBUG",
		    chars_show(span_of(out->text)).text);
	return r;
}

static int read_own(struct reader *rd, struct conf_global *out)
{
	int r = read_value(rd, "logtarget", &out->logtarget);

	if (r == 0)
		r = read_value(rd, "user", &out->user);
	if (r == 0)
		r = read_dryrun(rd, &out->dryrun);
	if (r == 0)
		r = read_count(rd, "minprefix4", &out->min_prefix_v4);
	if (r == 0)
		r = read_count(rd, "minprefix6", &out->min_prefix_v6);
	if (r == 0)
		r = read_count(rd, "maxbanrate", &out->max_bans_per_sec);
	if (r == 0)
		r = read_never_ban(rd, &out->never_ban);
	return r;
}

/* Here a name that is not known has no use: variables belong into [DEFAULT]. */
static void warn_unknown(struct reader *rd)
{
	const struct ini_section *s = rd->in.section;

	for (const struct dict_item *i = s ? s->options.first : NULL; i; i = i->next) {
		const struct ini_option *o = i->value;
		struct span name = span_of(o->name);
		const struct schema_option *near;

		if (schema_find(name, SCHEMA_GLOBAL))
			continue;
		near = schema_find_near(name, SCHEMA_GLOBAL);
		if (near)
			diag_add(rd->ld->d, DIAG_WARNING, o->at,
			    "there is no option '%s'; did you mean '%s'?",
			    chars_show(name).text, near->name);
		else
			diag_add(rd->ld->d, DIAG_WARNING, o->at,
			    "there is no option '%s'; it has no effect",
			    chars_show(name).text);
	}
}

void global_set_defaults(struct conf_global *g)
{
	*g = (struct conf_global){
	    .loglevel.text = "INFO",
	    .logtarget.text = "SYSLOG",
	    .user.text = "bandog",
	    .min_prefix_v4 = 16,
	    .min_prefix_v6 = 32,
	    .max_bans_per_sec = 10000,
	    .dbpurgeage_sec = 30 * 86400,
	};
}

int global_load(struct load *ld, struct conf_global *out, struct dict **out_values)
{
	struct reader rd = {.ld = ld};
	const struct layer_set *set = NULL;
	bool is_own;
	int r = layers_read(&ld->layers, "bandog", &set);

	global_set_defaults(out);
	is_own = r == 0 && set->is_found;
	if (r == 0 && !is_own)
		r = layers_read(&ld->layers, "fail2ban", &set);
	rd.values = arena_alloc(ld->arena, sizeof(*rd.values));
	if (r < 0 || !rd.values)
		return -ENOMEM;
	*rd.values = DICT_INIT(ld->arena);
	*out_values = rd.values;
	rd.in = (struct interp){.arena = ld->arena,
	    .d = ld->d,
	    .ini = &set->all,
	    .section = ini_find_section(&set->all, SPAN("Definition"))};
	if (!is_own && set->is_found)
		out->dbpurgeage_sec = FAIL2BAN_PURGE_AGE_SEC;
	r = read_log_level(&rd, &out->loglevel);
	if (r == 0)
		r = read_purge_age(&rd, &out->dbpurgeage_sec);
	if (r == 0 && is_own) {
		r = read_own(&rd, out);
		warn_unknown(&rd);
	}
	return r;
}
