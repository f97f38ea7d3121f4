/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * rule_tail - the end of a regex that every single line matches
 *
 * Many regexes end with `.*$`, prefregexes with `<F-CONTENT>.+</F-CONTENT>$`. In one
 * line, with its '\n' at the end, the first matches whatever is left, the second if
 * there is anything left; to see it costs a walk over the line, often longer than all
 * that was before. Where it is certain that such an end is one, it is left out.
 */

#include "base/buf.h"

enum rule_tail {
	RULE_TAIL_KEPT,
	RULE_TAIL_CUT,     /* `.*$` */
	RULE_TAIL_CONTENT, /* the group `content` only marks where it begins */
};

/* @pattern: tags expanded. *@out: without its end, if that can be. */
enum rule_tail rule_tail_cut(struct span pattern, struct buf *out);
