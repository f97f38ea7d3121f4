/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * shell_script - a command of an action made ready for /bin/sh -c
 *
 * The command is the administrator's text and is trusted; so are values that we made
 * ourselves (an address in canonical form, numbers, the jail's name): they are pasted.
 * A value that a stranger may have chosen (a user name, lines of a log) never becomes
 * text of the script. It goes into the environment, and the script gets a reference to
 * it, quoted as the place wants it:
 *
 *   outside of quotes   "${f2bV_x}"       one word, whatever blanks or * it holds
 *   in "..."            ${f2bV_x}
 *   in '...'            '"${f2bV_x}"'     the quote is left for it
 *   in <<EOF            ${f2bV_x}
 *   in $((...))         only a decimal number, else 0
 *   in # comment, in <<'EOF'              nothing
 *
 * Where the command is understood completely (shell_plain.h) that is exact. Where it is
 * not, the quotes may be wrong: then no value holds a byte that needs them
 * (shell_value.h).
 */

#include "enforce/shell_plain.h"

#define SHELL_ENV_MAX (128 * 1024)

/**
 * shell_script()
 * @command:  with all options put in: see action_text()
 * @script:   gets the text for sh -c; its cap bounds it
 * @env:      gets NAME=value strings, each ended by a NUL
 * @out_form: the form that its foreign values have; NULL: not wanted
 *
 * Return: 0, or -E2BIG when one of them does not hold it.
 */
int shell_script(struct span command, shell_tag_fn tag, void *ctx, struct buf *script,
    struct buf *env, enum shell_form *out_form);
