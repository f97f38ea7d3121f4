/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration becomes plain data: what each jail wants, checked against what this
 * bandog can do. Everything that is wrong is said with its place; nothing stops early.
 */
#include "pipeline/setup.h"

#include <errno.h>
#include <pwd.h>

#include "pipeline/ignore_list.h"
#include "pipeline/ports.h"
#include "pipeline/setup_actions.h"
#include "pipeline/setup_filter.h"
#include "pipeline/setup_foreign.h"
#include "pipeline/setup_increment.h"
#include "pipeline/setup_rules.h"
#include "pipeline/setup_shown.h"
#include "pipeline/setup_steps.h"

static void command_deinit(struct setup_command *c)
{
	for (uint32_t i = 0; c->options && i < c->n_options; i++) {
		free((void *)(uintptr_t)c->options[i].name);
		free((void *)(uintptr_t)c->options[i].value);
	}
	free(c->options);
	free(c->name);
	free(c->file);
}

static void jail_deinit(struct setup_jail *j)
{
	free(j->name);
	free(j->filter_name);
	free(j->port_text);
	free(j->ignorecommand);
	free(j->ignorecache_key);
	free(j->sources);
	free(j->prefregex);
	for (uint32_t i = 0; j->failregex && i < j->n_failregex; i++)
		free(j->failregex[i]);
	free(j->failregex);
	for (uint32_t i = 0; j->ignoreregex && i < j->n_ignoreregex; i++)
		free(j->ignoreregex[i]);
	free(j->ignoreregex);
	setup_rules_deinit(j);
	free(j->datepattern);
	free(j->timezone);
	setup_increment_deinit(&j->increment);
	free(j->encoding);
	free(j->ignore);
	for (uint32_t i = 0; j->ignore_words && i < j->n_ignore_words; i++)
		free(j->ignore_words[i]);
	free(j->ignore_words);
	free(j->targets);
	for (uint32_t i = 0; j->hosts_deny && i < j->n_hosts_deny; i++) {
		free(j->hosts_deny[i].path);
		free(j->hosts_deny[i].daemons);
	}
	free(j->hosts_deny);
	for (uint32_t i = 0; i < j->n_commands; i++)
		command_deinit(&j->commands[i]);
	free(j->commands);
	setup_shown_deinit(j);
}

static void source_deinit(struct setup_source *s)
{
	free(s->glob);
	free(s->journal_match);
	free(s->journal_path);
}

struct setup *setup_free(struct setup *s)
{
	if (!s)
		return NULL;
	for (uint32_t i = 0; s->jails && i < s->n_jails; i++)
		jail_deinit(&s->jails[i]);
	free(s->jails);
	for (uint32_t i = 0; s->left_out && i < s->n_left_out; i++) {
		free(s->left_out[i].name);
		free(s->left_out[i].why);
	}
	free(s->left_out);
	for (uint32_t i = 0; s->sources && i < s->n_sources; i++)
		source_deinit(&s->sources[i]);
	free(s->sources);
	free(s->log_target);
	free(s->log_how);
	free(s->pid_path);
	free(s->policy_path);
	free(s->refuse_text);
	free(s->user);
	free(s->never_ban);
	free(s);
	return NULL;
}

int setup_find_jail(const struct setup *s, struct span name)
{
	for (uint32_t i = 0; i < s->n_jails; i++) {
		if (span_eq(name, span_of(s->jails[i].name)))
			return (int)i;
	}
	return -1;
}

struct filter_options setup_filter_options(const struct setup_jail *j)
{
	return (struct filter_options){
	    .prefregex = j->prefregex,
	    .failregex = (const char *const *)j->failregex,
	    .n_failregex = j->n_failregex,
	    .rules = j->filter_rules,
	    .n_rules = j->n_rule_regexes,
	    .ignoreregex = (const char *const *)j->ignoreregex,
	    .n_ignoreregex = j->n_ignoreregex,
	    .datepattern = j->datepattern,
	    .timezone = j->timezone,
	    .usedns = j->usedns,
	    .maxlines = j->maxlines,
	    .no_date = j->no_date,
	};
}

static void weigh_as(const struct setup_evidence *v, struct engine_jail *out)
{
	out->adapt = v->has_adapt ? v->adapt : out->rules != NULL;
	out->group = v->has_group ? v->group : out->rules ? SETUP_GROUP : 0;
	out->groupprefix4 = v->groupprefix4;
	out->groupprefix6 = v->groupprefix6;
}

struct engine_jail *setup_engine_jails(const struct setup *s)
{
	struct engine_jail *jails = calloc(s->n_jails + 1, sizeof(*jails));

	for (uint32_t i = 0; jails && i < s->n_jails; i++) {
		const struct setup_jail *j = &s->jails[i];

		jails[i] = (struct engine_jail){
		    .name = j->name,
		    .findtime_sec = j->findtime_sec,
		    .maxretry = j->maxretry,
		    .unit = j->n_rules ? SETUP_RULE_UNIT : 1,
		    .rules = j->engine_rules,
		    .n_rules = j->n_rules ? setup_n_regexes(j) : 0,
		    .bantime_sec = j->bantime_sec,
		    .escalate = j->increment.escalate,
		    .overalljails = j->increment.overalljails,
		    .steps = j->steps,
		    .maxmatches = j->maxmatches,
		    .ignoreself = j->ignoreself,
		    .ignore = j->ignore,
		    .n_ignore = j->n_ignore,
		};
		weigh_as(&j->evidence, &jails[i]);
	}
	return jails;
}

bool setup_uses_commands(const struct setup *s)
{
	for (uint32_t i = 0; i < s->n_jails; i++) {
		if (s->jails[i].n_commands || s->jails[i].ignorecommand)
			return true;
	}
	return false;
}

bool setup_jail_takes_ids(const struct setup_jail *j)
{
	return j->n_commands > 0;
}

bool setup_uses_hosts_deny(const struct setup *s)
{
	for (uint32_t i = 0; i < s->n_jails; i++) {
		if (s->jails[i].n_hosts_deny)
			return true;
	}
	return false;
}

/* Can a filter of this jail catch a name, and is it to be looked up? */
static bool jail_uses_names(const struct setup_jail *j)
{
	static const char *const tags[] = {"<HOST>", "<DNS>", "<F-DNS"};

	if (j->usedns != FILTER_DNS_YES && j->usedns != FILTER_DNS_WARN)
		return false;
	for (uint32_t i = 0; i < setup_n_regexes(j); i++) {
		for (size_t t = 0; t < ARRAY_LEN(tags); t++) {
			if (strstr(setup_regex(j, i), tags[t]) ||
			    (j->prefregex && strstr(j->prefregex, tags[t])))
				return true;
		}
	}
	return false;
}

static bool ignores_names(const struct setup_jail *j)
{
	struct net unused;

	for (uint32_t i = 0; i < j->n_ignore_words; i++) {
		if (ignore_kind_of(span_of(j->ignore_words[i]), &unused) == IGNORE_NAME)
			return true;
	}
	return false;
}

bool setup_uses_xdp(const struct setup *s)
{
	for (uint32_t i = 0; i < s->n_jails; i++) {
		if (setup_jail_n_xdp(&s->jails[i]))
			return true;
	}
	return false;
}

bool setup_uses_names(const struct setup *s)
{
	for (uint32_t i = 0; i < s->n_jails; i++) {
		if (jail_uses_names(&s->jails[i]) || ignores_names(&s->jails[i]))
			return true;
	}
	return false;
}

/* --- from configuration ------------------------------------------------------------
 */

static int dup_text(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

static int add_net(struct net **nets, uint32_t *n, const struct net *one)
{
	struct net *more = realloc(*nets, (*n + 1) * sizeof(**nets));

	if (!more)
		return -ENOMEM;
	*nets = more;
	more[(*n)++] = *one;
	return 0;
}

/* What is none was told by conf. */
static int take_never_ban(const struct conf_values *words, struct setup *s)
{
	struct net one;

	for (size_t i = 0; i < words->n; i++) {
		if (net_parse(span_of(words->items[i].text), &one) == 0 &&
		    add_net(&s->never_ban, &s->n_never_ban, &one) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_ignore_word(struct setup_jail *j, const struct conf_value *v)
{
	if (dup_text(&j->ignore_words[j->n_ignore_words], v->text) < 0)
		return -ENOMEM;
	j->n_ignore_words++;
	return 0;
}

static int take_ignore(
    const struct conf_values *words, struct diag *d, struct setup_jail *j)
{
	j->ignore_words = calloc(words->n + 1, sizeof(*j->ignore_words));
	if (!j->ignore_words)
		return -ENOMEM;
	for (size_t i = 0; i < words->n; i++) {
		const struct conf_value *v = &words->items[i];
		struct net one;
		int r = 0;

		switch (ignore_kind_of(span_of(v->text), &one)) {
		case IGNORE_NET:
			r = add_net(&j->ignore, &j->n_ignore, &one);
			break;
		case IGNORE_FILE:
		case IGNORE_NAME:
			r = add_ignore_word(j, v);
			break;
		case IGNORE_WRONG:
			diag_add(d, DIAG_WARNING, v->at,
			    "ignoreip: '%s' is no address, network, name or "
			    "file:/PATH; it is left out",
			    v->text);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Return: index of the source of that name, which is empty when *@is_new; or -ENOMEM.
 */
static int find_source(struct setup *s, const char *name, bool *is_new)
{
	*is_new = false;
	for (uint32_t i = 0; i < s->n_sources; i++) {
		if (!strcmp(s->sources[i].glob, name))
			return (int)i;
	}
	struct setup_source *more =
	    realloc(s->sources, (s->n_sources + 1) * sizeof(*s->sources));

	if (!more)
		return -ENOMEM;
	s->sources = more;
	more[s->n_sources] = (struct setup_source){0};
	if (dup_text(&more[s->n_sources].glob, name) < 0)
		return -ENOMEM;
	*is_new = true;
	return (int)s->n_sources++;
}

static const char *backend_param(const struct conf_jail *c, const char *name)
{
	for (size_t i = 0; i < c->n_backend_params; i++) {
		if (!strcmp(c->backend_params[i].name, name))
			return c->backend_params[i].value;
	}
	return NULL;
}

/* The journal is one source per place and match. */
static int take_journal(
    const struct conf_jail *c, struct setup *s, struct setup_jail *j)
{
	const char *match = c->filter.journalmatch.text;
	const char *path = backend_param(c, "journalpath");
	struct buf name = BUF_INIT(65536);
	bool is_new;

	if (!path)
		path = backend_param(c, "journalfiles");
	buf_printf(&name, "journal:%s:%s", path ? path : "", match ? match : "");
	int source = name.failed ? -ENOMEM : find_source(s, buf_str(&name), &is_new);

	buf_deinit(&name);
	if (source < 0)
		return source;
	struct setup_source *o = &s->sources[source];

	j->no_date = true;
	j->sources = calloc(1, sizeof(*j->sources));
	if (!j->sources)
		return -ENOMEM;
	j->sources[j->n_sources++] = (uint32_t)source;
	if (!is_new)
		return 0;
	o->is_journal = true;
	return dup_text(&o->journal_match, match) < 0 ||
		       dup_text(&o->journal_path, path) < 0
		   ? -ENOMEM
		   : 0;
}

static int take_sources(
    const struct conf_jail *c, struct diag *d, struct setup *s, struct setup_jail *j)
{
	j->sources = calloc(c->n_logpaths + 1, sizeof(*j->sources));
	if (!j->sources)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_logpaths; i++) {
		const struct conf_logpath *l = &c->logpaths[i];

		if (l->glob[0] != '/') {
			diag_add(d, DIAG_ERROR, l->at,
			    "logpath: '%s' must be an absolute path", l->glob);
			return 1;
		}
		bool is_new;
		int source = find_source(s, l->glob, &is_new);

		if (source < 0)
			return source;
		if (!is_new && s->sources[source].unit != decode_unit_of(j->encoding)) {
			diag_add(d, DIAG_ERROR, l->at,
			    "logencoding: another jail reads '%s' in another encoding",
			    l->glob);
			return 1;
		}
		if (is_new) {
			s->sources[source].unit = decode_unit_of(j->encoding);
			s->sources[source].tail = l->tail;
			s->sources[source].poll = c->backend == CONF_POLLING;
		}
		j->sources[j->n_sources++] = (uint32_t)source;
	}
	return 0;
}

/* A mistake does not hide the next one; being short of memory ends it all. */
static int worse(int so_far, int next)
{
	return next ? next : so_far;
}

/* What comes from the journal is UTF-8. */
static int take_encoding(
    const struct conf_jail *c, struct diag *d, struct setup_jail *j)
{
	struct err e = {""};

	if (c->backend == CONF_SYSTEMD || decode_is_utf8(c->logencoding.text))
		return 0;
	CLEANUP(decoder_freep)
	struct decoder *try = decoder_new(c->logencoding.text, &e);

	if (!try) {
		diag_add(d, DIAG_ERROR, c->logencoding.at, "logencoding: %s", e.text);
		return 1;
	}
	return dup_text(&j->encoding, c->logencoding.text);
}

/* Return: 0, 1 if the jail cannot run here, -ENOMEM. */
static int take_jail(
    const struct conf_jail *c, struct diag *d, struct setup *s, struct setup_jail *j)
{
	j->findtime_sec = c->findtime_sec;
	j->maxretry = c->maxretry ? c->maxretry : 1;
	j->bantime_sec = c->bantime_sec;
	j->maxmatches = c->maxmatches;
	j->evidence = (struct setup_evidence){
	    .has_adapt = c->evidence.has_adapt,
	    .adapt = c->evidence.adapt,
	    .has_group = c->evidence.has_group,
	    .group = (uint8_t)c->evidence.group,
	    .groupprefix4 = (uint8_t)c->evidence.groupprefix4,
	    .groupprefix6 = (uint8_t)c->evidence.groupprefix6,
	};
	j->ignoreself = c->ignoreself;
	j->sever = c->sever;
	j->makeroom = c->makeroom;
	if (c->ignorecommand.text && *c->ignorecommand.text) {
		j->ignorecache_count = c->ignorecache.max_count;
		j->ignorecache_sec = c->ignorecache.max_time_sec;
		if (dup_text(&j->ignorecommand, c->ignorecommand.text) < 0 ||
		    dup_text(&j->ignorecache_key, c->ignorecache.key) < 0)
			return -ENOMEM;
	}
	if (dup_text(&j->name, c->name) < 0 ||
	    dup_text(&j->port_text, c->port.text) < 0)
		return -ENOMEM;
	int r = setup_take_filter(c, d, j);

	if (r >= 0 && j->ignorecommand)
		setup_tell_foreign(
		    j, "ignorecommand", j->ignorecommand, c->ignorecommand.at, d);
	if (r >= 0)
		r = worse(r, take_encoding(c, d, j));
	if (r >= 0)
		r = worse(r, c->backend == CONF_SYSTEMD ? take_journal(c, s, j)
							: take_sources(c, d, s, j));
	if (r >= 0)
		r = worse(r, take_ignore(&c->ignoreip, d, j));
	if (r >= 0)
		r = worse(r, setup_take_increment(c, d, j));
	if (r >= 0)
		r = worse(r, setup_take_actions(c, d, j));
	if (r >= 0)
		r = worse(r, setup_take_steps(c, d, j));
	if (r >= 0)
		r = worse(r, setup_check_xdp(s, c, d, j));
	return r < 0 ? r : worse(r, setup_check_tables(s, c, d, j));
}

static int take_global(const struct conf_global *g, struct diag *d, struct setup *s)
{
	s->log_level = LOG_L_INFO;
	/* conf has said what is wrong with it. */
	if (g->loglevel.text)
		(void)log_level_parse(g->loglevel.text, &s->log_level);
	CLEANUP(buf_deinit) struct buf how = BUF_INIT(8192);

	log_options_encode(&g->log, &how);
	s->dry_run = g->dryrun;
	s->min_prefix_v4 = g->min_prefix_v4;
	s->min_prefix_v6 = g->min_prefix_v6;
	s->max_bans_per_sec = g->max_bans_per_sec;
	s->protect_logins = g->protect_logins;
	s->purge_sec = g->dbpurgeage_sec;
	s->is_volatile = g->is_volatile;
	s->allow_ipv6 = g->allow_ipv6;
	s->db_max_matches = g->db_max_matches;
	setup_check_policy(g, d);
	if (g->pidfile.text && g->pidfile.text[0] != '/')
		diag_add(d, DIAG_ERROR, g->pidfile.at,
		    "pidfile: '%s' must be an absolute path", g->pidfile.text);
	if (how.failed || dup_text(&s->log_target, g->log_place) < 0 ||
	    dup_text(&s->log_how, buf_str(&how)) < 0 ||
	    dup_text(&s->pid_path, g->pidfile.text) < 0 ||
	    dup_text(&s->policy_path, g->policysocket.text) < 0 ||
	    dup_text(&s->refuse_text, g->refusetext.text) < 0 ||
	    dup_text(&s->user, g->user.text ? g->user.text : "bandog") < 0)
		return -ENOMEM;
	return take_never_ban(&g->never_ban, s);
}

/* @item: the jail's first mistake here; what the configuration itself is wrong in comes
 * first. Room for all jails is there. What only this jail reads, @n_sources on, goes.
 */
static int leave_out(const struct conf_jail *c, const struct diag_item *item,
    uint32_t n_sources, struct setup *s)
{
	CLEANUP(buf_deinit) struct buf why = BUF_INIT(8192);
	struct setup_left_out *o = &s->left_out[s->n_left_out++];

	while (s->n_sources > n_sources)
		source_deinit(&s->sources[--s->n_sources]);
	if (c->why)
		buf_add_str(&why, c->why);
	else if (item)
		diag_format(item, &why);
	return dup_text(&o->name, c->name) < 0 || dup_text(&o->why, buf_str(&why)) < 0
		   ? -ENOMEM
		   : 0;
}

int setup_build(const struct conf *c, struct diag *d, struct setup **out)
{
	CLEANUP(setup_freep) struct setup *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->jails = calloc(c->n_jails + 1, sizeof(*s->jails));
	s->left_out = calloc(c->n_jails + 1, sizeof(*s->left_out));
	if (!s->jails || !s->left_out || take_global(&c->global, d, s) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_jails; i++) {
		const struct conf_jail *from = &c->jails[i];
		struct setup_jail j = {0};
		uint32_t n_sources = s->n_sources;

		if (!from->enabled)
			continue;
		if (from->is_skipped) {
			if (leave_out(from, NULL, n_sources, s) < 0)
				return -ENOMEM;
			continue;
		}
		/* A broken one too: what else is wrong with it is told. */
		diag_enter(d);
		int r = take_jail(from, d, s, &j);

		if (r >= 0 && setup_take_shown(c, i, &j) < 0)
			r = -ENOMEM;
		const struct diag_item *item = diag_leave(d);

		if (r || from->is_broken) {
			jail_deinit(&j);
			if (r < 0 || leave_out(from, item, n_sources, s) < 0)
				return -ENOMEM;
			continue;
		}
		s->jails[s->n_jails++] = j;
	}
	setup_settle_places(s);
	*out = TAKE(s);
	return 0;
}
