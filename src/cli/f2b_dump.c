/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fail2ban-client -d: the configuration as the commands that fail2ban's client would
 * send to its server, one Python list a line. Here they are only shown: bandogd reads
 * the files itself.
 */
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/f2b_client.h"
#include "cli/f2b_repr.h"
#include "conf/conf.h"

#define LINE_BYTES_MAX (64u << 20)
#define PRETTY_BYTES 1000 /* a command longer than that goes over several lines */

/* A command that is being written. */
struct command {
	struct buf text;
	bool is_pretty;
	size_t n; /* words so far */
	size_t ends[2 * F2B_WORDS_MAX];
};

static void command_begin(struct command *c)
{
	buf_clear(&c->text);
	c->n = 0;
}

/* Before and behind each word, for both forms. */
static void word_begin(struct command *c)
{
	buf_add_str(&c->text, c->n ? ", " : "[");
	if (c->n < ARRAY_LEN(c->ends))
		c->ends[c->n] = c->text.n;
	c->n++;
}

static void add_word(struct command *c, const char *word)
{
	word_begin(c);
	f2b_repr_str(&c->text, span_of(word));
}

static void add_raw(struct command *c, const char *text)
{
	word_begin(c);
	buf_add_str(&c->text, text);
}

static void command_end(struct command *c)
{
	buf_add_char(&c->text, ']');
	if (!c->is_pretty || c->text.n <= PRETTY_BYTES) {
		puts(buf_str(&c->text));
		return;
	}
	for (size_t i = 0; i < c->n && i < ARRAY_LEN(c->ends); i++) {
		size_t end = i + 1 < c->n && i + 1 < ARRAY_LEN(c->ends)
				 ? c->ends[i + 1] - 1
				 : c->text.n;

		fputs(i ? "  " : "[ ", stdout);
		(void)fwrite(c->text.p + c->ends[i], 1, end - c->ends[i], stdout);
		putchar('\n');
	}
}

static void put(struct command *c, const char *const *words)
{
	command_begin(c);
	for (; *words; words++)
		add_word(c, *words);
	command_end(c);
}

/* --- the whole --- */

static void put_number(struct command *c, const char *name, int64_t v)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRId64, v);
	command_begin(c);
	add_word(c, "set");
	add_word(c, name);
	add_raw(c, text);
	command_end(c);
}

static void put_global(struct command *c, const struct conf_global *g)
{
	struct buf age = BUF_INIT(100);

	put(c, (const char *[]){"set", "loglevel",
		   g->loglevel.text ? g->loglevel.text : "INFO", NULL});
	if (g->logtarget.text)
		put(c, (const char *[]){"set", "logtarget", g->logtarget.text, NULL});
	put_number(c, "dbmaxmatches", g->db_max_matches);
	buf_printf(&age, "%.0f", g->dbpurgeage_sec);
	put(c, (const char *[]){"set", "dbpurgeage", buf_str(&age), NULL});
	buf_deinit(&age);
}

/* --- a jail --- */

struct jail_dump {
	struct command *c;
	const struct conf *conf;
	const struct conf_jail *jail;
	size_t index;
	const char *wanted, *found; /* an option */
};

static void put_set(struct jail_dump *j, const char *option, const char *value)
{
	put(j->c, (const char *[]){"set", j->jail->name, option, value, NULL});
}

static int on_option(void *ctx, const char *name, const char *value)
{
	struct jail_dump *j = ctx;

	if (strcmp(name, j->wanted) != 0)
		return 0;
	j->found = value;
	return 1;
}

/* The text of a jail's option as it is in effect; NULL: not set. */
static const char *find_option(struct jail_dump *j, const char *name)
{
	j->wanted = name;
	j->found = NULL;
	(void)conf_each_option(j->conf, j->index, on_option, j);
	return j->found;
}

static void put_regexes(
    struct jail_dump *j, const char *option, const struct conf_values *v)
{
	struct command *c = j->c;

	if (v->n == 1)
		put_set(j, option, v->items[0].text);
	if (v->n < 2)
		return;
	command_begin(c);
	add_word(c, "multi-set");
	add_word(c, j->jail->name);
	add_word(c, option);
	word_begin(c);
	for (size_t i = 0; i < v->n; i++) {
		buf_add_str(&c->text, i ? ", " : "[");
		f2b_repr_str(&c->text, span_of(v->items[i].text));
	}
	buf_add_char(&c->text, ']');
	command_end(c);
}

/* Words separated by blanks, quotes taken off; each line is a command. */
static void put_journalmatch(struct jail_dump *j, const char *text)
{
	struct span rest = span_of(text), line, word;

	while (span_next_line(&rest, &line)) {
		if (span_trim(line).n == 0)
			continue;
		command_begin(j->c);
		add_word(j->c, "set");
		add_word(j->c, j->jail->name);
		add_word(j->c, "addjournalmatch");
		while (span_next_word(&line, "", &word)) {
			word_begin(j->c);
			f2b_repr_str(&j->c->text, word);
		}
		command_end(j->c);
	}
}

static void put_filter(struct jail_dump *j)
{
	const struct conf_filter *f = &j->jail->filter;

	if (j->jail->usedns.text)
		put_set(j, "usedns", j->jail->usedns.text);
	if (f->prefregex.text)
		put_set(j, "prefregex", f->prefregex.text);
	if (f->is_maxlines_set) {
		char text[32];

		(void)snprintf(text, sizeof(text), "%u", f->maxlines);
		command_begin(j->c);
		add_word(j->c, "set");
		add_word(j->c, j->jail->name);
		add_word(j->c, "maxlines");
		add_raw(j->c, text);
		command_end(j->c);
	}
	put_regexes(j, "addfailregex", &f->failregex);
	put_regexes(j, "addignoreregex", &f->ignoreregex);
	if (f->datepattern.text)
		put_set(j, "datepattern", f->datepattern.text);
	if (f->journalmatch.text)
		put_journalmatch(j, f->journalmatch.text);
}

static void put_ignoreip(struct jail_dump *j)
{
	const struct conf_values *v = &j->jail->ignoreip;

	if (!find_option(j, "ignoreip"))
		return;
	command_begin(j->c);
	add_word(j->c, "set");
	add_word(j->c, j->jail->name);
	add_word(j->c, "addignoreip");
	for (size_t i = 0; i < v->n; i++)
		add_word(j->c, v->items[i].text);
	command_end(j->c);
}

enum option_kind { OPTION_TEXT, OPTION_NUMBER, OPTION_TRUTH, OPTION_LIST };

static const struct {
	const char *name;
	enum option_kind kind;
} options[] = {
    {"maxretry", OPTION_NUMBER},
    {"maxmatches", OPTION_NUMBER},
    {"findtime", OPTION_TEXT},
    {"bantime", OPTION_TEXT},
    {"bantime.increment", OPTION_TRUTH},
    {"bantime.factor", OPTION_TEXT},
    {"bantime.formula", OPTION_TEXT},
    {"bantime.multipliers", OPTION_TEXT},
    {"bantime.maxtime", OPTION_TEXT},
    {"bantime.rndtime", OPTION_TEXT},
    {"bantime.overalljails", OPTION_TRUTH},
    {"ignorecommand", OPTION_TEXT},
    {"ignoreself", OPTION_TRUTH},
    {"ignoreip", OPTION_LIST},
    {"ignorecache", OPTION_TEXT},
    {"logtimezone", OPTION_TEXT},
    {"logencoding", OPTION_TEXT},
};

static bool is_true(const char *text)
{
	static const char *const words[] = {"1", "on", "true", "yes"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (span_eq_nocase(span_of(text), span_of(words[i])))
			return true;
	}
	return false;
}

static void put_options(struct jail_dump *j)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const char *value = find_option(j, options[i].name);

		if (options[i].kind == OPTION_LIST)
			put_ignoreip(j);
		if (!value || options[i].kind == OPTION_LIST)
			continue;
		if (options[i].kind == OPTION_TEXT) {
			put_set(j, options[i].name, value);
			continue;
		}
		command_begin(j->c);
		add_word(j->c, "set");
		add_word(j->c, j->jail->name);
		add_word(j->c, options[i].name);
		if (options[i].kind == OPTION_TRUTH)
			value = is_true(value) ? "True" : "False";
		add_raw(j->c, value);
		command_end(j->c);
	}
}

static void put_logs(struct jail_dump *j)
{
	if (j->jail->backend == CONF_SYSTEMD)
		return;
	for (size_t i = 0; i < j->jail->n_logpaths; i++) {
		const struct conf_logpath *l = &j->jail->logpaths[i];
		glob_t found;

		if (glob(l->glob, GLOB_NOSORT, NULL, &found) != 0)
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++)
			put(j->c,
			    (const char *[]){"set", j->jail->name, "addlogpath",
				found.gl_pathv[k], l->tail ? "tail" : "head", NULL});
		globfree(&found);
	}
}

/* What an action does comes first, then what it is told. */
static bool is_property(const char *name)
{
	return !strncmp(name, "action", 6) || !strcmp(name, "norestored");
}

static void add_properties(
    struct command *c, const struct conf_action *a, bool is_first_part, size_t *n)
{
	for (size_t i = 0; i < a->n_options; i++) {
		if (is_property(a->options[i].name) != is_first_part)
			continue;
		buf_add_str(&c->text, (*n)++ ? ", [" : "[");
		f2b_repr_str(&c->text, span_of(a->options[i].name));
		buf_add_str(&c->text, ", ");
		f2b_repr_str(&c->text, span_of(a->options[i].value));
		buf_add_char(&c->text, ']');
	}
}

static void put_action(struct jail_dump *j, const struct conf_action *a)
{
	struct command *c = j->c;
	size_t n = 0;

	put(c, (const char *[]){"set", j->jail->name, "addaction", a->actname, NULL});
	command_begin(c);
	add_word(c, "multi-set");
	add_word(c, j->jail->name);
	add_word(c, "action");
	add_word(c, a->actname);
	word_begin(c);
	buf_add_char(&c->text, '[');
	add_properties(c, a, true, &n);
	add_properties(c, a, false, &n);
	buf_add_char(&c->text, ']');
	command_end(c);
}

static void put_jail(struct jail_dump *j)
{
	const struct conf_jail *jail = j->jail;

	if (jail->is_broken) {
		struct buf b = BUF_INIT(1 << 20);

		buf_printf(&b, "Jail '%s' skipped, because of wrong configuration: %s",
		    jail->name, jail->why ? jail->why : "");
		put(j->c, (const char *[]){"config-error", buf_str(&b), NULL});
		buf_deinit(&b);
		return;
	}
	put(j->c,
	    (const char *[]){"add", jail->name,
		jail->backend_text.text ? jail->backend_text.text : "auto", NULL});
	put_filter(j);
	put_options(j);
	put_logs(j);
	for (size_t i = 0; i < jail->n_actions; i++)
		put_action(j, &jail->actions[i]);
}

static void put_all(const struct conf *conf, bool is_pretty)
{
	struct command *c = calloc(1, sizeof(*c));

	if (!c)
		return;
	c->text = BUF_INIT(LINE_BYTES_MAX);
	c->is_pretty = is_pretty;
	put_global(c, &conf->global);
	for (size_t i = 0; i < conf->n_jails; i++) {
		struct jail_dump j = {
		    .c = c, .conf = conf, .jail = &conf->jails[i], .index = i};

		if (conf->jails[i].enabled)
			put_jail(&j);
	}
	for (size_t i = 0; i < conf->n_jails; i++) {
		if (conf->jails[i].enabled && !conf->jails[i].is_broken)
			put(c, (const char *[]){"start", conf->jails[i].name, NULL});
	}
	buf_deinit(&c->text);
	free(c);
}

int f2b_client_dump(const struct f2b_client_options *o)
{
	struct diag d = {0};
	CLEANUP(conf_freep)
	struct conf *conf = conf_load(o->config_dir, NULL, 0, &d);
	bool is_good = conf && !d.n_fatal;

	if (!is_good || o->verbose > 1)
		cli_print_diag(&d);
	if (is_good)
		put_all(conf, o->dump_pretty);
	else
		puts("ERROR: The configuration stream failed because of the invalid "
		     "syntax.");
	diag_deinit(&d);
	return is_good ? F2B_GOOD : F2B_BAD;
}
