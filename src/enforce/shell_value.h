/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * shell_value - what a stranger's text looks like when a command gets it
 *
 * A command is read as a whole (shell_plain.h), and all foreign values in it then have
 * one of three forms:
 *
 *   whole   for commands whose every part is understood. Backslashes and bytes that
 *           mean something to a terminal become "?"; a blank is put before a first
 *           byte that could mean something ("-", "@", "~" ...), and before "~", "." and
 *           "#" at the start of any line.
 *   word    for plain arguments of programs that are not known: letters and digits,
 *           and "." "-" "@" between two of these; all else becomes "_".
 *   inert   for everything else: the filler "_", then letters and digits only, each run
 *           of other bytes becoming the filler. Never empty. It is one word without
 *           meaning to a shell, to arithmetic, awk, sed, perl, SQL, and is no name of a
 *           program, variable or option. Where the command has a "_" of its own, which
 *           might be a separator, the filler is "Z".
 *
 * Bounded by SHELL_VALUE_MAX; the rest is cut off.
 */

#include <stdbool.h>

#include "base/buf.h"

#define SHELL_VALUE_MAX 60000

struct shell_value {
	struct span text;
	bool is_foreign; /* somebody else may have chosen it */
	bool has_lines;  /* its line ends are wanted */
};

/* The value of a tag. Return: false: there is none, and the tag stays as it is. */
typedef bool (*shell_tag_fn)(void *ctx, struct span tag, struct shell_value *out);

enum shell_form { SHELL_WHOLE, SHELL_WORD, SHELL_INERT };

void shell_value_add(
    struct buf *b, const struct shell_value *v, enum shell_form form, char filler);

/* The filler for values in @command. */
char shell_value_filler(struct span command, shell_tag_fn tag, void *ctx);

bool shell_is_alnum(char c); /* ASCII */
