/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * room - what the readers of one configuration share
 *
 * Each of them reports into load.d, marks what it fills as broken, and goes on; they
 * return only 0 or -ENOMEM unless they say otherwise.
 */

#include "conf/conf.h"
#include "conf/definition.h"
#include "conf/layers.h"

struct load {
	struct arena *arena;
	struct diag *d;
	const char *dir;
	struct layers layers;
	bool look_for_logs;
};

/* The options as they are in effect, kept for the dump. */
struct conf_private {
	struct arena *arena;
	struct dict *global_values; /* name -> struct text */
	struct dict **jail_values;  /* one for each jail; NULL for disabled ones */
};

/* values.c: texts to the value types of conf.h. */
struct conf_value value_of(const struct text *t);
/* The same, but an empty text is as good as none. */
struct conf_value value_unless_empty(const struct text *t);
/* Append the lines, or the words between blanks and commas, of @t. */
int values_add_lines(struct load *ld, const struct text *t, struct conf_values *out);
int values_add_words(struct load *ld, const struct text *t, struct conf_values *out);
int values_put(
    struct load *ld, struct dict *to, const char *name, const struct text *t);

/* filter.c: the file of a filter and the parameters for it. */
struct filter_file {
	struct params params;
	const struct layer_set *set;
};

/**
 * filter_open() - find the filter that @spec names
 * @is_path_allowed: NAME may be a path to a .conf file
 *
 * Return: 0, -EINVAL (reported), or -ENOMEM.
 */
int filter_open(struct load *ld, const struct text *spec, bool is_path_allowed,
    struct filter_file *out);
/* Which prefix lines have depends on where they are read from: the parameter logtype,
 * unless the filter or the jail says it. Return: 0 or -ENOMEM. */
int filter_set_logtype(struct load *ld, struct span backend, struct filter_file *f);
/**
 * filter_fill() - the filter as the jail with the options @values uses it
 *
 * @f may be NULL: then all comes from the jail. As filter_open().
 */
int filter_fill(struct load *ld, const struct filter_file *f, const struct dict *values,
    struct conf_filter *out);

/* filter_rules.c: the sections [Rule NAME] of a filter's file. Return: 0 or -ENOMEM. */
int filter_rules_fill(
    struct load *ld, struct definition *def, struct conf_filter *out, bool *is_broken);

/* action.c */
int actions_load(struct load *ld, const struct text *list, const struct dict *values,
    struct conf_jail *j);

/* jail.c: everything is allocated in ld->arena. @values: see conf_private. */
int jail_load(struct load *ld, const struct layer_set *set, const struct ini_section *s,
    const bool *force_enabled, struct conf_jail *out, struct dict **out_values);
void jail_set_defaults(struct conf_jail *j, const char *name, struct conf_place at);

/* hint.c: warnings about names that are nearly those of options. */
void hint_misspelt(struct load *ld, const struct ini *ini, const struct ini_section *s);

/* log_target.c: logtarget, syslogsocket and logstyle, NULL where they are not set, into
 * @out. @is_fail2ban: they stand in a fail2ban.conf. Return: 0 or -ENOMEM. */
int log_target_read(struct load *ld, const struct text *target,
    const struct text *socket, const struct text *style, bool is_fail2ban,
    struct conf_global *out);

/* global.c */
void global_set_defaults(struct conf_global *g);
int global_load(struct load *ld, struct conf_global *out, struct dict **out_values);
