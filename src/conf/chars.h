/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * chars - what counts as a blank in a configuration file, and what is UTF-8
 *
 * fail2ban's reader strips every Unicode blank, such as the no-break space that comes
 * along when a line is copied from a web page. So does this one.
 */

#include "base/str.h"

/* Offset of the first byte that is not valid UTF-8 or is NUL, or -1. */
ptrdiff_t chars_bad_at(struct span s);

/* Bytes of the blank character that @s begins with; 0: it begins with none. */
size_t chars_blank_bytes(struct span s);
/* Does the part of @s before @off end with a blank? */
bool chars_is_blank_before(struct span s, size_t off);
struct span chars_trim(struct span s);

/* How many characters of @s are before the first one that is not blank. */
size_t chars_indent(struct span s);

/* Some of @s for a message: at most 60 bytes, then "…". */
struct chars_shown {
	char text[72];
};
struct chars_shown chars_show(struct span s);
