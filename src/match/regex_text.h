/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * regex_text - questions about the text of a regex that need no parser
 *
 * Escapes, classes and parentheses are seen, and no more. \Q...\E, comments and
 * extended syntax are not: who may meet them looks for them first.
 */

#include "base/str.h"

/* Index behind the class that begins at @i of @s; may be beyond the end. */
size_t regex_text_skip_class(struct span s, size_t i);

/* Is everything that is opened in @s closed again, and no `|` outside of groups? */
bool regex_text_is_closed(struct span s);
