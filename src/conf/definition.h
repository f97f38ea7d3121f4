/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * definition - the options of a filter or action file, combined with a jail's
 * parameters
 *
 * fail2ban-compat 1.4 and 1.5: jail parameter before [Init] before [Definition] before
 * [DEFAULT]; the jail's options are variables for %(...)s; tags are resolved last.
 */

#include "conf/layers.h"
#include "conf/params.h"

struct definition {
	/* filled in by the caller: */
	struct arena *arena;
	struct diag *d;
	const struct ini *ini;
	unsigned int kind; /* SCHEMA_FILTER or SCHEMA_ACTION */
	/*
	 * fail2ban reads a filter twice, and only the second time are the jail's
	 * options and those of [Init] seen by %(...)s.
	 */
	bool is_second;

	struct dict vars;       /* name -> struct text, for %(...)s */
	struct dict early_vars; /* the same as they were the first time */
	struct dict combined;   /* name -> struct text, tags not yet resolved */
	struct dict kept;       /* tags that have variants like "port?family=inet6" */
	struct dict found;      /* tags looked up elsewhere -> struct text */
	bool is_broken;         /* a mistake was reported */
};

/**
 * definition_init()
 * @params: of the jail; values are used as they are
 * @jail:   name -> struct text, the jail's options; or NULL
 *
 * Return: 0 (see is_broken), or -ENOMEM.
 */
int definition_init(
    struct definition *def, const struct params *params, const struct dict *jail);

/* An option with its tags resolved. Return: 0, 1 (not set), -EINVAL (reported),
 * -ENOMEM. */
int definition_get(struct definition *def, struct span name, struct text *out);

/* What <name> stands for, wherever that is said. As definition_get(). */
int definition_find(struct definition *def, struct span name, struct text *out);

/* An option of a section of the filter's own, which sees those of [Definition] as well,
 * with its tags resolved. @s: has both. Return: 0, -EINVAL (reported) or -ENOMEM. */
int definition_resolve(struct definition *def, const struct ini_section *s,
    const struct ini_option *o, struct text *out);

/*
 * For %(known/@name)s of a jail: also what is only material in [Definition]. @ctx is a
 * struct definition. As definition_get().
 */
int definition_get_known(void *ctx, struct span name, struct text *out);
