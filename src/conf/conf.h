/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * conf - a configuration folder in fail2ban's language, read whole into typed structs
 *
 * Reads bandog.conf (or fail2ban.conf where there is none), jail.conf, jail.d/,
 * filter.d/ and action.d/ with .local layering, interpolation, includes and tags
 * resolved. What is wrong with one jail spoils that jail only; what cannot be parsed at
 * all is an error of the whole. Text stays text: regexes are not compiled here, ports
 * not looked up.
 *
 * All strings belong to the struct conf and live as long as it does.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "conf/diag.h"
#include "flow/hit.h"

struct conf_value {
	const char *text; /* NULL: not set */
	struct conf_place at;
};

struct conf_values {
	struct conf_value *items;
	size_t n;
};

struct conf_logpath {
	const char *glob;
	bool tail; /* begin at the end */
	struct conf_place at;
};

struct conf_param {
	const char *name; /* lower case; "port?family=inet6" for conditional ones */
	const char *value;
};

/* A section [Rule NAME] of a filter, in the filter's mode. Names of fields (<F-RCPT>)
 * are in lower case ("rcpt"). */
struct conf_rule {
	const char *name;
	struct conf_place at;
	struct conf_values regex;
	enum hit_class class;
	int16_t weight;      /* in 1/100 of a failure */
	int64_t bantime_sec; /* 0: the jail's; negative: permanent */
	struct conf_value distinct, account, bind, via;
	uint16_t free;
	bool adapt;
};

/* A filter with its parameters, ready to be compiled. */
struct conf_filter {
	const char *name; /* NULL: the jail has none */
	struct conf_value prefregex;
	struct conf_values failregex; /* one item a regex, empty lines left out */
	struct conf_values ignoreregex;
	struct conf_rule *rules; /* as they stand in the file */
	size_t n_rules;
	struct conf_value datepattern;
	struct conf_value journalmatch;
	struct conf_value usedns;
	unsigned int maxlines; /* 1 if not set */
	bool is_maxlines_set;
};

/* One entry of a jail's `action`. */
struct conf_action {
	const char *name;    /* file name in action.d without .conf */
	const char *actname; /* unique in the jail */
	struct conf_place at;
	struct conf_param *params; /* as given by the jail */
	size_t n_params;
	bool has_file;              /* action.d/NAME.conf was found */
	struct conf_param *options; /* of the file and the jail, tags resolved */
	size_t n_options;
};

/* bantime.increment and what belongs to it. */
struct conf_increment {
	bool is_on;
	bool overalljails;
	struct conf_value factor, formula, multipliers;
	bool has_maxtime;
	double maxtime_sec; /* negative: for good */
	double rndtime_sec;
};

/* How long answers of ignorecommand are kept. */
struct conf_ignorecache {
	const char *key; /* tags as in commands; NULL: not at all */
	uint32_t max_count;
	double max_time_sec;
};

/* How evidence is weighed beyond counting it. What is not set depends on the filter: it
 * is as if yes and 4 had been said where it has rules, no and 0 elsewhere. */
struct conf_evidence {
	bool has_adapt, adapt;
	bool has_group;
	uint32_t group; /* 0: off */
	uint32_t groupprefix4, groupprefix6;
};

enum conf_backend { CONF_AUTO, CONF_INOTIFY, CONF_POLLING, CONF_SYSTEMD };

struct conf_jail {
	const char *name;
	struct conf_place at; /* its section header */
	bool enabled;
	bool is_broken;  /* an error of this jail was reported: do not run it */
	const char *why; /* ... and the first of them, with its place; else NULL */
	bool is_skipped; /* skip_if_nologs, and there is none: why says it */
	enum conf_backend backend;
	struct conf_value backend_text;
	struct conf_param *backend_params; /* systemd[journalpath=...] */
	size_t n_backend_params;
	struct conf_filter filter; /* with the jail's own failregex etc. applied */
	struct conf_logpath *logpaths;
	size_t n_logpaths;
	uint32_t maxretry;
	double findtime_sec;
	int64_t bantime_sec; /* negative: permanent */
	struct conf_increment increment;
	uint32_t maxmatches;
	struct conf_evidence evidence;
	bool ignoreself;
	struct conf_values ignoreip; /* one item a word: address, name, file:PATH */
	struct conf_value ignorecommand;
	struct conf_ignorecache ignorecache;
	struct conf_value usedns;
	struct conf_value logtimezone;
	struct conf_value logencoding;
	struct conf_value port; /* as in the jail, interpolated; NULL: not set */
	struct conf_value protocol;
	bool native; /* carry out ourselves what we can, instead of running commands */
	bool sever;  /* a ban ends open connections */
	struct conf_value steps;      /* "refuse 1h, drop 1d"; NULL: none */
	struct conf_value refusecode; /* NULL: the default */
	bool makeroom; /* while a server is full: of those who failed, too */
	struct conf_action *actions;
	size_t n_actions;
};

struct conf_global {
	struct conf_value loglevel;  /* "INFO" */
	struct conf_value logtarget; /* "SYSLOG", a path, with its [parameters] */
	const char *log_place;       /* without: a path, or a word in upper case */
	struct log_options log;
	struct conf_value pidfile; /* NULL: none beside our own */
	bool is_volatile;          /* dbfile: nothing is kept */
	bool allow_ipv6;           /* in answers of the DNS */
	unsigned int db_max_matches;
	struct conf_value policysocket; /* NULL: the default */
	struct conf_value refusetext;   /* NULL: none */
	struct conf_value user;         /* "bandog" */
	bool dryrun;                    /* decide and tell, touch no firewall */
	unsigned int min_prefix_v4, min_prefix_v6; /* guard */
	unsigned int max_bans_per_sec;             /* guard */
	struct conf_values never_ban; /* guard: networks, one item a word */
	bool protect_logins;          /* guard */
	double dbpurgeage_sec;
};

struct conf {
	const char *dir;
	struct conf_global global;
	struct conf_jail *jails; /* in order of first appearance, disabled ones too */
	size_t n_jails;
	void *priv;
};

enum { CONF_ALL = 1, CONF_LOOK_FOR_LOGS = 2 };

/**
 * conf_load()
 * @dir:  the folder
 * @only: NULL, or names (NULL-terminated) to treat as enabled, all others as disabled
 * @how:  CONF_ALL: treat every jail as enabled (for tests of whole configurations);
 *        CONF_LOOK_FOR_LOGS: what a jail says for the case that none of its logs exists
 *        (skip_if_nologs, systemd_if_nologs) is done
 * @d:    gets every mistake
 *
 * Filters and actions are read for enabled jails only, as fail2ban does.
 *
 * Return: the configuration, also when @d has errors; NULL when nothing usable could be
 * read (@d says why) or out of memory.
 */
struct conf *conf_load(
    const char *dir, const char *const *only, unsigned int how, struct diag *d);
struct conf *conf_free(struct conf *c);
DEFINE_CLEANUP(struct conf *, conf_free)

/**
 * conf_load_filter() - one filter outside of any jail
 * @spec: `NAME[opt="value",...]`; NAME may be a path to a .conf file
 *
 * Return: a configuration of one jail named NAME that has this filter; NULL with @d.
 */
struct conf *conf_load_filter(const char *dir, const char *spec, struct diag *d);

/* An option that somebody set at run time, over what the files say. */
struct conf_override {
	const char *jail; /* NULL: one of the whole, as in bandog.conf */
	const char *option;
	const char *value; /* taken as it is: a '%' refers to nothing */
};

/* conf_load() of the whole folder, with overrides as the last layer over the files. A
 * jail that no file has comes into being by them. */
struct conf *conf_load_over(
    const char *dir, const struct conf_override *overrides, size_t n, struct diag *d);

/* The options of a jail that are set, with their text as it is in effect. */
typedef int (*conf_option_fn)(void *ctx, const char *name, const char *value);
/* Return: 0, or what @fn returned when that was not 0. */
int conf_each_option(const struct conf *c, size_t jail, conf_option_fn fn, void *ctx);

/**
 * conf_dump() - the effective configuration, one `option = value  # file:line` a line,
 *               grouped in sections; @json: the same as JSON
 */
void conf_dump(const struct conf *c, bool json, struct buf *out);
