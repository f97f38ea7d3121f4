/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * shell_plain - is a command understood so completely that foreign text may go into it?
 *
 * It recognises what is safe, never what is dangerous: a small subset of the shell's
 * grammar (lists, pipelines, groups, if, assignments, quotes, $name, command
 * substitution, redirections to literal paths), programs that are known to treat what
 * they get as data (shell_programs.h), and no way for a foreign value, or for what was
 * made from one, to be split, globbed, or taken for an option, a format, a path or a
 * name. All else - here-documents, arithmetic, loops, case, functions, eval, operators
 * in ${} - is refused, whether or not it would do harm.
 *
 * Bounded: nesting, words of a command, tainted variables. What exceeds is refused.
 */

#include "enforce/shell_value.h"

struct shell_reason {
	size_t at;       /* byte of the command */
	const char *why; /* a static text; NULL where the form is SHELL_WHOLE */
};

/* The form that all foreign values of @command must have. A command without any gets
 * SHELL_WHOLE, whatever it says. */
enum shell_form shell_plain(
    struct span command, shell_tag_fn tag, void *ctx, struct shell_reason *out_reason);
