/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * f2b_regex - the parts of fail2ban-regex
 *
 * A log, a filter and what that makes of each line, with fail2ban's options and words.
 * The filter is the daemon's own (conf_load_filter(), match/), asked for everything it
 * sees; only the printing is here. Lines to be shown are kept up to F2B_REGEX_LINES_MAX
 * of each kind; what is beyond is counted.
 */

#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"
#include "match/examine.h"

#define F2B_REGEX_LINES_MAX 1000000

/* --- options --- */

struct f2b_regex_options {
	const char *config_dir;
	const char *datepattern, *timezone, *encoding, *usedns, *journalmatch, *out;
	int maxlines; /* 0: as the filter says */
	int verbose;
	const char *log_level;
	bool raw, verbose_date, debuggex, no_check_all;
	bool print_no_missed, print_no_ignored;
	bool print_all_matched, print_all_missed, print_all_ignored;
	const char *args[3];
	int n_args;
};

/* @s, or its beginning and "..." when it has more than @max_chars. */
void f2b_add_short(struct buf *b, struct span s, size_t max_chars);

/* "Use datepattern : PATTERN : NAME". Return: -EINVAL, said, when it is none. */
int f2b_say_datepattern(const char *pattern);

/* Return: -1, or the exit code with which to end: help, version, wrong usage. */
int f2b_regex_parse(int argc, char **argv, struct f2b_regex_options *o);

/* --- what to match --- */

struct f2b_regex_filter {
	struct conf *conf; /* NULL: the regex stood on the command line */
	const char **failregex, **ignoreregex;
	size_t n_failregex, n_ignoreregex;
	/* What fail2ban does not have: regexes of [Rule]s, and as what they are shown:
	 * "NAME (CLASS, weight 1): REGEX". Numbered on from the failregexes. */
	struct filter_rule *rules;
	char **shown_rules;
	size_t n_rules;
	const char *prefregex, *datepattern, *journalmatch;
	unsigned int maxlines; /* 0: the filter does not say */
};

/**
 * f2b_regex_filter_load() - what the arguments REGEX and IGNOREREGEX mean
 * @is_journal: the log is the journal
 *
 * Says what is wrong on stdout, as fail2ban-regex does. Return: 0 or -EINVAL.
 */
int f2b_regex_filter_load(
    const struct f2b_regex_options *o, bool is_journal, struct f2b_regex_filter *out);
void f2b_regex_filter_deinit(struct f2b_regex_filter *f);

/* --- lines --- */

struct f2b_regex_lines {
	char **items;
	size_t n;
	uint64_t n_all; /* counted, whether kept or not */
};

/* A hit that --verbose shows. */
struct f2b_regex_id {
	char *text;
	wall_t at;
	bool is_multiple; /* the line was matched by other regexes too */
};

struct f2b_regex_stat {
	uint64_t n_hits;
	struct f2b_regex_id *ids;
	size_t n_ids;
};

/* A line that the filter may still need for the next (maxlines). */
struct f2b_regex_kept {
	uint64_t number;
	char *text, *stripped;
};

struct f2b_regex {
	const struct f2b_regex_options *o;
	const struct f2b_regex_filter *from;
	struct filter *filter;
	unsigned int maxlines;
	int show_max; /* lines of a kind that are printed at the end */
	bool is_journal;
	uint64_t n_examined;

	struct f2b_regex_lines matched, missed, ignored;
	uint64_t n_tested;
	struct f2b_regex_stat *fail, *ignore; /* as many as regexes */
	uint64_t n_prefix_hits;
	struct f2b_regex_lines prefix_groups;
	struct f2b_regex_kept *kept; /* maxlines of them */
	size_t n_kept;

	/* The line in progress. */
	size_t n_found;
	bool is_ignored, is_prefix_told;
	bool has_prefix; /* the prefregex matched when it was last asked */
	struct span line;
	struct buf told_prefix; /* groups of the prefregex, as last told */
	struct buf out;         /* scratch */
	int failed;             /* -ENOMEM */
};

/* @text without line end; @date: its text and time if the source tells them apart. */
int f2b_regex_feed(struct f2b_regex *x, struct span text, struct span date, wall_t at);
void f2b_regex_deinit(struct f2b_regex *x);

/* --- input --- */

/* Does LOG name the journal? */
bool f2b_regex_is_journal(const char *log);

/* Say what the log is; then feed it to @x, also if it is compressed. Return: 0 or
 * negative errno; -EBADMSG: it is damaged, and all that could be read was fed. */
int f2b_regex_input_open(struct f2b_regex *x, const char *log);
int f2b_regex_input_run(struct f2b_regex *x, const char *log);

/* --- output --- */

/* As -o says, for one failure. @id: the text of the failure id. */
void f2b_regex_out(struct f2b_regex *x, const struct examine_hit *hit, struct span id);

/* The items of a Python dict of @groups: 'user': 'bob', 'dns': None. */
void f2b_regex_repr_groups(
    struct buf *b, const struct examine_group *groups, size_t n, bool with_none);

/* Keep a copy of @text to be printed; beyond the bound it is dropped. */
void f2b_regex_lines_add(struct f2b_regex_lines *l, struct span text);

void f2b_regex_print(struct f2b_regex *x, double took_sec);

/* fail2ban-regex; argv[0] is its name. Return: exit code. */
int f2b_regex_main(int argc, char **argv);
