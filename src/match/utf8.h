/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * utf8 - is it UTF-8 (RFC 3629), and if not, make it so
 *
 * Log lines are ASCII nearly always, so that case is looked at eight bytes at a time.
 */

#include "base/buf.h"
#include "base/str.h"

/* No overlong forms, no surrogates, nothing beyond U+10FFFF. NUL is a character. */
bool utf8_is_valid(struct span s);

/* Length of the character at the front of @s, or 0 when it is not a valid one. */
size_t utf8_char_len(struct span s);

/**
 * utf8_repair() - add @s with U+FFFD for what is not UTF-8
 *
 * One U+FFFD stands for the longest piece that could have begun a character, as Python
 * and the Unicode standard (chapter 3, "U+FFFD Substitution of Maximal Subparts") do
 * it.
 */
void utf8_repair(struct span s, struct buf *out);
