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
 * And the value itself is made harmless for the programs that get it: bytes that mean
 * something to a terminal become "?", a blank is put before a leading "-" (no option)
 * and before a line's leading "~" or "." (no command of mail or end of a letter). Where
 * the command hands text on to another shell (eval, sh -c, ssh, su ...), all but
 * letters, digits, blanks and ".:,_@/+=-" is replaced by "?".
 */

#include <stdbool.h>

#include "base/buf.h"

#define SHELL_VALUE_MAX 60000 /* bytes of one value; the rest is cut off */
#define SHELL_ENV_MAX (128 * 1024)

struct shell_value {
	struct span text;
	bool is_foreign; /* somebody else may have chosen it */
};

/* The value of a tag. Return: false: there is none, and the tag stays as it is. */
typedef bool (*shell_tag_fn)(void *ctx, struct span tag, struct shell_value *out);

/**
 * shell_script()
 * @command: with all options put in: see action_text()
 * @script:  gets the text for sh -c; its cap bounds it
 * @env:     gets NAME=value strings, each ended by a NUL
 *
 * Return: 0, or -E2BIG when one of them does not hold it.
 */
int shell_script(struct span command, shell_tag_fn tag, void *ctx, struct buf *script,
    struct buf *env);
