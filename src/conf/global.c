/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * global - bandog.conf, or what still makes sense of a fail2ban.conf
 *
 * A fail2ban.conf counts where there is no bandog.conf. Its socket and its database are
 * fail2ban's own; they are not taken over.
 */

#include <errno.h>
#include <syslog.h>

#include "base/fd.h"
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

static int read_bool(struct reader *rd, const char *name, bool *out)
{
	struct text t;
	int r = get(rd, name, &t);

	if (r == 0)
		schema_read_bool(rd->ld->d, option(name), &t, out);
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

/* 0: *@t and *@out = @t, or *@out = NULL; -ENOMEM. */
static int get_text(
    struct reader *rd, const char *name, struct text *t, const struct text **out)
{
	int r = get(rd, name, t);

	*out = r == 0 ? t : NULL;
	return r < 0 ? r : 0;
}

static int read_log(struct reader *rd, bool is_fail2ban, struct conf_global *out)
{
	struct text rooms[3];
	const struct text *target, *socket, *style;
	int r = get_text(rd, "logtarget", &rooms[0], &target);

	if (r == 0)
		r = get_text(rd, "syslogsocket", &rooms[1], &socket);
	if (r == 0)
		r = get_text(rd, "logstyle", &rooms[2], &style);
	if (r == 0 && target && chars_trim(text_span(target)).n)
		out->logtarget = value_of(target);
	return r == 0 ? log_target_read(rd->ld, target, socket, style, is_fail2ban, out)
		      : r;
}

/* None and :memory: are fail2ban's words for no database. */
static int read_dbfile(struct reader *rd, bool is_own, struct conf_global *out)
{
	struct text t;
	int r = get(rd, "dbfile", &t);
	struct span s;

	if (r)
		return r < 0 ? r : 0;
	s = chars_trim(text_span(&t));
	out->is_volatile =
	    span_eq_nocase(s, SPAN("None")) || span_eq(s, SPAN(":memory:"));
	if (s.n && is_own && !out->is_volatile)
		diag_add(rd->ld->d, DIAG_WARNING, text_place(&t, 0),
		    "dbfile: '%s' has no effect: what is kept is in bandogd's state "
		    "directory",
		    chars_show(s).text);
	return 0;
}

static bool has_ipv6(void)
{
	static const char path[] = "/proc/sys/net/ipv6/conf/all/disable_ipv6";
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(16);

	return fd_read_file(-1, path, &text) == 0 && text.n && text.p[0] == '0';
}

static int read_ipv6(struct reader *rd, bool *out)
{
	struct text t;
	int r = get(rd, "allowipv6", &t);

	if (r < 0)
		return r;
	if (r || span_eq_nocase(chars_trim(text_span(&t)), SPAN("auto")))
		*out = has_ipv6();
	else
		schema_read_bool(rd->ld->d, option("allowipv6"), &t, out);
	return 0;
}

/* What fail2ban.conf has too. */
static int read_shared(struct reader *rd, bool is_own, struct conf_global *out)
{
	int r = read_log_level(rd, &out->loglevel);

	if (r == 0)
		r = read_log(rd, !is_own, out);
	if (r == 0)
		r = read_value(rd, "pidfile", &out->pidfile);
	if (r == 0)
		r = read_ipv6(rd, &out->allow_ipv6);
	if (r == 0)
		r = read_dbfile(rd, is_own, out);
	if (r == 0)
		r = read_count(rd, "dbmaxmatches", &out->db_max_matches);
	return r == 0 ? read_purge_age(rd, &out->dbpurgeage_sec) : r;
}

static int read_own(struct reader *rd, struct conf_global *out)
{
	int r = read_value(rd, "user", &out->user);

	if (r == 0)
		r = read_bool(rd, "dryrun", &out->dryrun);
	if (r == 0)
		r = read_count(rd, "minprefix4", &out->min_prefix_v4);
	if (r == 0)
		r = read_count(rd, "minprefix6", &out->min_prefix_v6);
	if (r == 0)
		r = read_count(rd, "maxbanrate", &out->max_bans_per_sec);
	if (r == 0)
		r = read_never_ban(rd, &out->never_ban);
	if (r == 0)
		r = read_bool(rd, "protectlogins", &out->protect_logins);
	if (r == 0)
		r = read_value(rd, "policysocket", &out->policysocket);
	if (r == 0)
		r = read_value(rd, "refusetext", &out->refusetext);
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
	    .log_place = "SYSLOG",
	    .log = {.sink = LOG_TO_SYSLOG,
		.without_time = true,
		.without_padding = true,
		.facility = LOG_DAEMON},
	    .allow_ipv6 = true,
	    .db_max_matches = 10,
	    .user.text = "bandog",
	    .policysocket.text = "/var/spool/postfix/private/bandog",
	    .min_prefix_v4 = 16,
	    .min_prefix_v6 = 32,
	    .max_bans_per_sec = 10000,
	    .protect_logins = true,
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
	/* Without a file there may still be what was set at run time. */
	if (set->is_found || rd.in.section)
		r = read_shared(&rd, is_own || !set->is_found, out);
	if (r == 0 && is_own) {
		r = read_own(&rd, out);
		warn_unknown(&rd);
	}
	return r;
}
