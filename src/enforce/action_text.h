/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * action_text - the commands of a fail2ban action with its own options put in
 *
 * An action is a list of options, as action.d and the jail give them. A tag <name> in a
 * value stands for the option `name`; for an address family the option `name?family=F`
 * comes first. What is left after that (<ip>, <F-USER>, <nosuch>) is for
 * shell_script.h. Source of the rules: fail2ban's jail.conf(5) and its action files.
 */

#include <stdbool.h>

#include "base/buf.h"

struct action_option {
	const char *name;
	const char *value;
};

struct action_options {
	const struct action_option *items;
	size_t n;
};

#define ACTION_TEXT_MAX 65536

/* Length of the tag `<name>` that @text begins with, 0 if it begins with none. */
size_t text_tag(struct span text, struct span *tag);

/* For @family ("inet4", "inet6", or "" for none). NULL: there is no such option. */
const char *action_option(
    const struct action_options *o, const char *name, const char *family);

/* As fail2ban reads a truth value; @fallback when it is not set. */
bool action_option_is_true(
    const struct action_options *o, const char *name, bool fallback);

/* Is any option given for one family only? */
bool action_is_conditional(const struct action_options *o);

/**
 * action_text() - the value of option @name with all other options put in
 * @out: cleared, then filled; its cap bounds the text
 *
 * Return: 0 (also when there is no such option: empty), -ELOOP when options contain
 * themselves, -E2BIG when it does not fit, -ENOMEM.
 */
int action_text(const struct action_options *o, const char *name, const char *family,
    struct buf *out);
