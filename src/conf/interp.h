/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * interp - the value of an option with its %(references)s resolved
 *
 * fail2ban-compat 1.3. Two things go better than in the original: %(known/x)s is
 * resolved layer by layer, so that several overriding files may each extend the one
 * before, and
 * %(Section/x)s works with upper-case section names. Bounded in depth, in the number of
 * references and in the size of the value.
 */

#include "conf/ini.h"

enum {
	INTERP_NONE = 1, /* no such option here or in [DEFAULT] */
};

/* A filter's value for %(known/@name)s. Return: 0, INTERP_NONE, or negative errno. */
typedef int (*interp_known_fn)(void *ctx, struct span name, struct text *out);

struct interp {
	struct arena *arena;
	struct diag *d;
	const struct ini *ini;
	const struct ini_section *section; /* the context; NULL: [DEFAULT] only */
	const struct dict *vars; /* name -> struct text; before the rest; or NULL */
	interp_known_fn known;   /* asked first for known/...; or NULL */
	void *known_ctx;
};

/**
 * interp_get()
 * @name: lower case
 *
 * Return: 0, INTERP_NONE, -EINVAL (reported), or -ENOMEM.
 */
int interp_get(const struct interp *in, struct span name, struct text *out);

/* The value of that very option, whatever vars say of its name. Return: as above,
 * without INTERP_NONE. */
int interp_resolve(
    const struct interp *in, const struct ini_option *o, struct text *out);

/* The value that %(known/@name)s means in the context of @in, resolved. As above. */
int interp_get_known(const struct interp *in, struct span name, struct text *out);

/* Is there anything named @name here, in vars or in [DEFAULT]? */
bool interp_has(const struct interp *in, struct span name);

/* "sect/opt" at the '/'; false if @name is not of this form. */
bool interp_split(struct span name, struct span *section, struct span *option);
