/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * setup - a configuration turned into each stage's options, checked and portable
 *
 * setup_build() compiles every regex once to find mistakes, looks ports and addresses
 * up, and says what this bandog cannot do for a jail. The result is plain data with a
 * wire form: the loader process makes it, all roles read it. It never changes; a reload
 * makes a new one.
 */

#include "base/cleanup.h"
#include "base/decode.h"
#include "base/log.h"
#include "conf/conf.h"
#include "decide/engine.h"
#include "decide/escalate.h"
#include "decide/steps.h"
#include "enforce/action_text.h"
#include "enforce/nft.h"
#include "match/filter.h"

/* One log path or journal. Jails that name the same one share it: each is read once. */
struct setup_source {
	char *glob; /* of a journal: a name that says which, "journal:..." */
	bool tail;  /* begin at the end of a file that was never read before */
	bool poll;
	enum decode_unit unit; /* in which its lines are written */
	bool is_journal;
	char *journal_match; /* NULL: all entries */
	char *journal_path;  /* NULL: this machine's */
};

#define SETUP_MAX_COMMANDS 64 /* in one jail */

struct setup_hosts_deny {
	char *path;
	char *daemons;
};

/* An action that is run as commands, or (smtp.py) by sending mail. */
struct setup_command {
	char *name; /* unique in the jail: fail2ban's actname */
	char *file; /* in action.d */
	bool is_mail;
	struct action_option *options; /* both texts owned */
	uint32_t n_options;
};

/* Names and texts, for who asks what a jail was configured with. */
struct setup_texts {
	char **items;
	uint32_t n;
};

/* Longer bans for those who come back; the texts are what it was compiled from. */
struct setup_increment {
	bool is_on; /* else all of it is empty */
	bool overalljails;
	char *factor, *formula, *multipliers; /* NULL: not set */
	bool has_maxtime;
	double maxtime_sec, rndtime_sec;
	struct escalate *escalate;
};

#define SETUP_GROUP 4 /* in a jail with rules where nothing is said */

/* How evidence is weighed; what is not set depends on whether the filter has rules. */
struct setup_evidence {
	bool has_adapt, adapt;
	bool has_group;
	uint8_t group, groupprefix4, groupprefix6;
};

/* Weights of rules are in so many parts of a failure. */
#define SETUP_RULE_UNIT 100

/* A section [Rule NAME]; fields that it does not go by are NULL. */
struct setup_rule {
	char *name;
	enum hit_class class;
	int16_t weight;      /* in 1/SETUP_RULE_UNIT */
	int64_t bantime_sec; /* 0: the jail's */
	uint16_t free;
	bool adapt; /* takes part in what a broad attack is */
	char *distinct, *account, *bind, *via;
	char **regex;
	uint32_t n_regex;
};

struct setup_jail {
	char *name;
	char *filter_name; /* NULL: a jail without filter, for bans by hand */
	char *port_text;   /* as configured, for people; NULL: all */
	uint32_t *sources; /* indices in setup.sources */
	uint32_t n_sources;

	char *prefregex;
	char **failregex;
	uint32_t n_failregex;
	char **ignoreregex;
	uint32_t n_ignoreregex;
	struct setup_rule *rules;
	uint32_t n_rules;
	/* What follows from these: one entry a regex of them, and one a regex of all.
	 */
	struct filter_rule *filter_rules;
	uint32_t n_rule_regexes;
	struct engine_rule *engine_rules; /* NULL: there are no rules */
	char *datepattern;
	char *timezone;
	enum filter_usedns usedns;
	char *encoding; /* of its logs; NULL: UTF-8 */
	uint32_t maxlines;
	bool no_date; /* a journal's: lines carry no date of their own */

	double findtime_sec;
	uint32_t maxretry;
	int64_t bantime_sec;
	struct setup_increment increment;
	uint32_t maxmatches;
	struct setup_evidence evidence;
	bool ignoreself;
	struct net *ignore;
	uint32_t n_ignore;
	char **ignore_words; /* names, and files as "file:/path": see ignore_list.h */
	uint32_t n_ignore_words;

	char *ignorecommand;   /* NULL: none */
	char *ignorecache_key; /* NULL: its answers are not kept */
	uint32_t ignorecache_count;
	double ignorecache_sec;
	struct nft_target *targets;
	uint32_t n_targets;
	bool sever; /* a ban ends open connections, too */
	struct steps
	    steps; /* graduated answers; n 0: one answer, that of the actions */
	uint16_t refuse_code;
	bool makeroom; /* while a server is full, silent ones of who failed, too */
	struct setup_hosts_deny *hosts_deny;
	uint32_t n_hosts_deny;
	struct setup_command *commands;
	uint32_t n_commands; /* at most SETUP_MAX_COMMANDS */

	struct setup_texts options; /* name, value, name, value ... as configured */
	/* All actions, whoever carries them out: actname, file, option, value ... */
	struct setup_texts *actions;
	uint32_t n_actions;
};

/* An enabled jail that cannot run, or is skipped. */
struct setup_left_out {
	char *name;
	char *why; /* its first mistake, with its place */
};

struct setup {
	uint64_t generation; /* given by the supervisor: grows with each reload */
	enum log_level log_level;
	char *log_target; /* "SYSLOG", "STDERR" ... or a path */
	char *log_how;    /* as log_options_encode() writes it */
	char *pid_path;   /* NULL: none beside our own */
	bool is_volatile; /* nothing is kept beyond the end of the daemon */
	bool allow_ipv6;  /* in what names stand for */
	uint32_t db_max_matches;
	char *policy_path; /* where a mail server asks whom to refuse */
	char *refuse_text; /* said behind the reason; NULL: nothing */
	char *user;
	bool dry_run;
	uint32_t min_prefix_v4, min_prefix_v6, max_bans_per_sec;
	struct net *never_ban;
	uint32_t n_never_ban;
	bool protect_logins;
	double purge_sec;
	struct setup_source *sources;
	uint32_t n_sources;
	struct setup_jail *jails;
	uint32_t n_jails;
	struct setup_left_out *left_out;
	uint32_t n_left_out;
};

/**
 * setup_build()
 * @c: the configuration; only its enabled jails are taken
 * @d: gets what is wrong: a broken jail is left out (error, see left_out), something
 * that is not to be had here is left out or replaced (warning)
 *
 * Return: 0, or -ENOMEM. Whether @d has errors is for the caller to judge.
 */
int setup_build(const struct conf *c, struct diag *d, struct setup **out);
struct setup *setup_free(struct setup *s);
DEFINE_CLEANUP(struct setup *, setup_free)

void setup_encode(const struct setup *s, struct buf *out);
int setup_decode(struct span bytes, struct setup **out); /* 0, -EBADMSG, -ENOMEM */

/* Index of a jail, or -1. */
int setup_find_jail(const struct setup *s, struct span name);

/* Regexes by number, as hits have it: failregexes, then those of rules. */
uint32_t setup_n_regexes(const struct setup_jail *j);
const char *setup_regex(const struct setup_jail *j, uint32_t i); /* NULL: none */
/* The rule of that regex; NULL: a plain failregex, or none. */
const struct setup_rule *setup_rule_of(const struct setup_jail *j, uint32_t i);
/* "-0.25"; and "NAME (CLASS, weight 0.5)". */
void setup_weight_format(int16_t weight, struct buf *out);
void setup_rule_describe(const struct setup_rule *r, struct buf *out);

/* The filter's options of a jail; they point into it. */
struct filter_options setup_filter_options(const struct setup_jail *j);

/* The engine's view of all jails: malloc'd array that points into @s; NULL: no memory.
 */
struct engine_jail *setup_engine_jails(const struct setup *s);

/* The text that option @name was given in the jail; NULL: none. */
const char *setup_find_option(const struct setup_jail *j, const char *name);

/*
 * Can it ban ids that are no addresses? That needs an action that is a command.
 */
bool setup_jail_takes_ids(const struct setup_jail *j);

/* The drop of this order is for no firewall and no command: step only refuses. */
bool setup_only_refuses(const struct setup *s, uint32_t jail, uint8_t step);

/* May lines of the jail's logs tell of such refusals? Not those of a web server, where
 * a client could write the like himself. */
bool setup_hears_refusals(const struct setup *s, uint32_t jail);

/* Does any jail need this? */
bool setup_uses_policy(const struct setup *s);
bool setup_uses_xdp(const struct setup *s);
bool setup_uses_hosts_deny(const struct setup *s);
/* Actions that are commands, or ignorecommand. */
bool setup_uses_commands(const struct setup *s);
bool setup_uses_names(const struct setup *s);
