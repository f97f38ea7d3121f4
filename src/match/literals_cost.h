/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * literals_cost - how many lines of a log have a text
 *
 * A guess, made to compare: words that stand in lines of every day cost what they cost
 * there, other words the less the longer they are. More text never costs more, but for
 * the accident that it ends a piece of a rare word as a frequent one.
 */

#include <stdbool.h>

#include "base/str.h"

/* Return: a share of all lines, above 0 and up to 1; @text fits into a literal. */
double literals_cost(struct span text, bool is_nocase);
