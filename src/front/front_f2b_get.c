/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * get: what is configured, from the set-up. A regex is shown as it was written.
 */
#include <math.h>

#include "base/picklew.h"
#include "front/front_f2b_command.h"
#include "match/stamp.h"

#define DEFAULT_CACHE_COUNT 100
#define DEFAULT_CACHE_SEC 300

typedef void (*show_fn)(struct f2b_command *c, const struct setup_jail *j);

static void show_text(struct f2b_command *c, const struct setup_jail *j)
{
	f2b_reply_str(c, setup_find_option(j, c->words[2]));
}

/* Python's value for a command that is not set. */
static void show_ignorecommand(struct f2b_command *c, const struct setup_jail *j)
{
	const char *command = setup_find_option(j, "ignorecommand");

	if (command && *command)
		f2b_reply_str(c, command);
	else
		f2b_reply_bool(c, false);
}

static void show_logencoding(struct f2b_command *c, const struct setup_jail *j)
{
	const char *v = setup_find_option(j, "logencoding");

	f2b_reply_str(c, v && *v && strcmp(v, "auto") != 0 ? v : "UTF-8");
}

static void show_usedns(struct f2b_command *c, const struct setup_jail *j)
{
	static const char *const words[] = {[FILTER_DNS_YES] = "yes",
	    [FILTER_DNS_WARN] = "warn",
	    [FILTER_DNS_NO] = "no",
	    [FILTER_DNS_RAW] = "raw"};

	f2b_reply_str(c, words[j->usedns]);
}

static void show_ignoreself(struct f2b_command *c, const struct setup_jail *j)
{
	f2b_reply_bool(c, j->ignoreself);
}

static void show_prefregex(struct f2b_command *c, const struct setup_jail *j)
{
	f2b_reply_str(c, j->prefregex ? j->prefregex : "");
}

static void show_texts(struct f2b_command *c, char *const *texts, uint32_t n)
{
	f2b_reply_begin(c);
	picklew_list(&c->reply);
	for (uint32_t i = 0; i < n; i++)
		picklew_str(&c->reply, texts[i]);
	picklew_list_end(&c->reply);
	f2b_reply_end(c);
}

static void show_failregex(struct f2b_command *c, const struct setup_jail *j)
{
	show_texts(c, j->failregex, j->n_failregex);
}

static void show_ignoreregex(struct f2b_command *c, const struct setup_jail *j)
{
	show_texts(c, j->ignoreregex, j->n_ignoreregex);
}

static void show_findtime(struct f2b_command *c, const struct setup_jail *j)
{
	f2b_reply_begin(c);
	if (j->findtime_sec == floor(j->findtime_sec))
		picklew_i64(&c->reply, (int64_t)j->findtime_sec);
	else
		picklew_f64(&c->reply, j->findtime_sec);
	f2b_reply_end(c);
}

static void show_bantime(struct f2b_command *c, const struct setup_jail *j)
{
	f2b_reply_i64(c, j->bantime_sec);
}

static void show_maxmatches(struct f2b_command *c, const struct setup_jail *j)
{
	f2b_reply_i64(c, j->maxmatches);
}

static void show_maxretry(struct f2b_command *c, const struct setup_jail *j)
{
	f2b_reply_i64(c, j->maxretry);
}

static void show_maxlines(struct f2b_command *c, const struct setup_jail *j)
{
	f2b_reply_i64(c, j->maxlines);
}

static void show_logtimezone(struct f2b_command *c, const struct setup_jail *j)
{
	f2b_reply_str(c, j->timezone);
}

/* (pattern, its name); None, name for those that are no pattern. */
static void show_datepattern(struct f2b_command *c, const struct setup_jail *j)
{
	struct stamp_options o = {.datepattern = j->datepattern};
	struct err e = {""};
	CLEANUP(stamp_freep) struct stamp *s = stamp_new(&o, &e);
	bool is_pattern = false;
	const char *name = s ? stamp_first_name(s, &is_pattern) : NULL;
	struct span rest = span_trim(span_of(j->datepattern ? j->datepattern : "")),
		    line;

	f2b_reply_begin(c);
	picklew_tuple(&c->reply);
	if (name && is_pattern && span_next_line(&rest, &line))
		picklew_span(&c->reply, span_trim(line));
	else
		picklew_none(&c->reply);
	picklew_str(&c->reply, name ? name : "Default Detectors");
	picklew_tuple_end(&c->reply);
	f2b_reply_end(c);
}

/* --- ignoreip ----------------------------------------------------------------------
 */

static void put_ignored(struct buf *b, struct span word)
{
	char text[NET_TEXT_BYTES];
	struct net n;

	if (net_parse(word, &n) == 0) {
		net_format(&n, text);
		picklew_str(b, text);
	} else {
		picklew_span(b, word);
	}
}

static bool is_one_address(struct span word)
{
	struct net n;

	return net_parse(word, &n) == 0 && net_is_host(&n);
}

/* Networks and names first, then the addresses, as fail2ban has them. */
static void show_ignoreip(struct f2b_command *c, const struct setup_jail *j)
{
	const char *text = setup_find_option(j, "ignoreip");

	f2b_reply_begin(c);
	picklew_list(&c->reply);
	for (int hosts = 0; hosts < 2; hosts++) {
		struct span rest = span_of(text ? text : ""), word;

		while (span_next_word(&rest, ",", &word)) {
			if (is_one_address(word) == hosts)
				put_ignored(&c->reply, word);
		}
	}
	picklew_list_end(&c->reply);
	f2b_reply_end(c);
}

static bool find_param(struct span text, struct span name, struct span *out)
{
	struct span word;

	while (span_next_word(&text, ",", &word)) {
		ptrdiff_t at = span_index(word, '=');

		if (at < 0 || !span_eq((struct span){word.p, (size_t)at}, name))
			continue;
		*out = span_skip(word, (size_t)at + 1);
		if (out->n >= 2 && (out->p[0] == '"' || out->p[0] == '\''))
			*out = (struct span){out->p + 1, out->n - 2};
		return true;
	}
	return false;
}

/* [key, how many answers, how long] */
static void show_ignorecache(struct f2b_command *c, const struct setup_jail *j)
{
	const char *text = setup_find_option(j, "ignorecache");
	struct span all = span_of(text ? text : ""), key, v;
	int64_t count = DEFAULT_CACHE_COUNT;
	double sec = DEFAULT_CACHE_SEC;

	if (!find_param(all, SPAN("key"), &key)) {
		f2b_reply_none(c);
		return;
	}
	if (find_param(all, SPAN("max-count"), &v))
		(void)span_to_i64(v, &count); /* stays as it is */
	if (find_param(all, SPAN("max-time"), &v))
		(void)duration_parse(v, &sec);
	f2b_reply_begin(c);
	picklew_list(&c->reply);
	picklew_span(&c->reply, key);
	picklew_i64(&c->reply, count);
	picklew_i64(&c->reply, (int64_t)sec);
	picklew_list_end(&c->reply);
	f2b_reply_end(c);
}

/* --- the journal -------------------------------------------------------------------
 */

const char *f2b_journal_match(const struct setup *s, uint32_t jail, bool *is_journal)
{
	*is_journal = false;
	if (jail >= s->n_jails)
		return NULL;
	const struct setup_jail *j = &s->jails[jail];

	for (uint32_t i = 0; i < j->n_sources; i++) {
		const struct setup_source *o = &s->sources[j->sources[i]];

		if (!o->is_journal)
			continue;
		*is_journal = true;
		return o->journal_match;
	}
	return NULL;
}

static void put_matches(struct buf *b, const char *match)
{
	struct span rest = span_of(match), word;
	bool is_open = false;

	while (span_next_word(&rest, "", &word)) {
		bool is_or = span_eq(word, SPAN("+"));

		if (is_or == is_open) {
			if (is_or)
				picklew_list_end(b);
			else
				picklew_list(b);
			is_open = !is_open;
		}
		if (!is_or)
			picklew_span(b, word);
	}
	if (is_open)
		picklew_list_end(b);
}

static void show_journalmatch(struct f2b_command *c, const struct f2b_world *w)
{
	int jail = f2b_jail(c, w, 1);
	bool is_journal;

	if (jail < 0)
		return;
	const char *match = f2b_journal_match(w->setup, (uint32_t)jail, &is_journal);

	f2b_reply_begin(c);
	picklew_list(&c->reply);
	if (match)
		put_matches(&c->reply, match);
	picklew_list_end(&c->reply);
	f2b_reply_end(c);
}

/* --- bantime.X ---------------------------------------------------------------------
 */

static bool is_true(const char *text)
{
	static const char *const words[] = {"1", "on", "true", "yes"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (span_eq_nocase(span_of(text), span_of(words[i])))
			return true;
	}
	return false;
}

static void show_bantime_more(struct f2b_command *c, const struct setup_jail *j)
{
	const char *option = c->words[2] + strlen("bantime.");
	const char *v = setup_find_option(j, c->words[2]);
	double sec;

	if (!v || !*v)
		f2b_reply_none(c);
	else if (!strcmp(option, "increment"))
		f2b_reply_bool(c, is_true(v));
	else if ((!strcmp(option, "maxtime") || !strcmp(option, "rndtime")) &&
		 duration_parse(span_of(v), &sec) == 0)
		f2b_reply_i64(c, (int64_t)sec);
	else
		f2b_reply_str(c, v);
}

/* --- the table of a jail's options -------------------------------------------------
 */

static const struct {
	const char *name;
	show_fn show;       /* from the set-up's jail */
	f2b_begin_fn begin; /* or by more than that */
} jail_options[] = {
    {"banned", NULL, f2b_get_banned},
    {"logpath", NULL, f2b_get_logpath},
    {"logencoding", show_logencoding, NULL},
    {"journalmatch", NULL, show_journalmatch},
    {"ignoreself", show_ignoreself, NULL},
    {"ignoreip", show_ignoreip, NULL},
    {"ignorecommand", show_ignorecommand, NULL},
    {"ignorecache", show_ignorecache, NULL},
    {"prefregex", show_prefregex, NULL},
    {"failregex", show_failregex, NULL},
    {"ignoreregex", show_ignoreregex, NULL},
    {"usedns", show_usedns, NULL},
    {"findtime", show_findtime, NULL},
    {"datepattern", show_datepattern, NULL},
    {"logtimezone", show_logtimezone, NULL},
    {"maxmatches", show_maxmatches, NULL},
    {"maxretry", show_maxretry, NULL},
    {"maxlines", show_maxlines, NULL},
    {"bantime", show_bantime, NULL},
    {"banip", NULL, f2b_get_banip},
    {"actions", NULL, f2b_get_actions},
    {"action", NULL, f2b_get_action},
    {"actionproperties", NULL, f2b_get_actionproperties},
    {"actionmethods", NULL, f2b_get_actionmethods},
    /* what they are called when something is added or taken away */
    {"addignoreip", show_ignoreip, NULL},
    {"delignoreip", show_ignoreip, NULL},
    {"addfailregex", show_failregex, NULL},
    {"delfailregex", show_failregex, NULL},
    {"addignoreregex", show_ignoreregex, NULL},
    {"delignoreregex", show_ignoreregex, NULL},
    {"addjournalmatch", NULL, show_journalmatch},
    {"deljournalmatch", NULL, show_journalmatch},
    {"port", show_text, NULL},
    {"backend", show_text, NULL},
};

static bool find_option(
    const char *name, bool is_get, show_fn *out_show, f2b_begin_fn *out_begin)
{
	*out_show = !strncmp(name, "bantime.", 8) ? show_bantime_more : NULL;
	*out_begin = NULL;
	for (size_t i = 0; !*out_show && i < ARRAY_LEN(jail_options); i++) {
		if (strcmp(name, jail_options[i].name) != 0)
			continue;
		*out_show = jail_options[i].show;
		*out_begin = jail_options[i].begin;
		break;
	}
	if (is_get && (!strncmp(name, "add", 3) || !strncmp(name, "del", 3)))
		return false;
	return *out_show || *out_begin;
}

void f2b_show_option(struct f2b_command *c, const struct f2b_world *w)
{
	f2b_begin_fn begin;
	show_fn show;

	if (!find_option(c->words[2], false, &show, &begin)) {
		f2b_reply_none(c);
	} else if (begin) {
		begin(c, w);
	} else {
		int jail = f2b_jail(c, w, 1);

		if (jail >= 0)
			show(c, &w->setup->jails[jail]);
	}
}

/* --- get ---------------------------------------------------------------------------
 */

static const char *level_name(enum log_level level)
{
	static const char *const names[] = {[LOG_L_ERR] = "ERROR",
	    [LOG_L_WARNING] = "WARNING",
	    [LOG_L_NOTICE] = "NOTICE",
	    [LOG_L_INFO] = "INFO",
	    [LOG_L_DEBUG] = "DEBUG"};

	return names[level];
}

static void get_dbfile(struct f2b_command *c, const struct f2b_world *w)
{
	CLEANUP(buf_deinit) struct buf path = BUF_INIT(8192);

	if (w->setup->is_volatile) {
		f2b_reply_none(c);
		return;
	}
	buf_printf(&path, "%s/bandog.db", w->state_dir);
	f2b_reply_str(c, buf_str(&path));
}

static void get_thread(struct f2b_command *c)
{
	f2b_reply_begin(c);
	picklew_dict(&c->reply);
	picklew_str(&c->reply, "stacksize");
	picklew_i64(&c->reply, 0);
	picklew_dict_end(&c->reply);
	f2b_reply_end(c);
}

/* Return: false if there is no such option of the whole. */
static bool get_global(
    struct f2b_command *c, const struct f2b_world *w, const char *name)
{
	if (!strcmp(name, "loglevel"))
		f2b_reply_str(c, level_name(w->setup->log_level));
	else if (!strcmp(name, "logtarget"))
		f2b_reply_str(c, w->setup->log_target);
	else if (!strcmp(name, "syslogsocket"))
		f2b_reply_str(c, "auto");
	else if (!strcmp(name, "allowipv6"))
		f2b_reply_str(c, w->setup->allow_ipv6 ? "auto" : "no");
	else if (!strcmp(name, "thread"))
		get_thread(c);
	else if (!strcmp(name, "dbfile"))
		get_dbfile(c, w);
	else if (!strcmp(name, "dbmaxmatches"))
		f2b_reply_i64(c, w->setup->db_max_matches);
	else if (!strcmp(name, "dbpurgeage"))
		f2b_reply_i64(c, (int64_t)w->setup->purge_sec);
	else
		return false;
	return true;
}

void f2b_do_get(struct f2b_command *c, const struct f2b_world *w)
{
	const char *name = f2b_word(c, 1);
	f2b_begin_fn begin;
	show_fn show;

	if (!name || get_global(c, w, name))
		return;
	const char *option = f2b_word(c, 2);

	if (!option)
		return;
	if (find_option(option, true, &show, &begin))
		f2b_show_option(c, w);
	else
		f2b_raise(c, "Exception",
		    "Invalid command (no get action or not yet implemented)");
}
