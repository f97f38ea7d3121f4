/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * rewrite - Python's way to write a regex into PCRE2's
 *
 * Only where the same text means something else, or nothing: `{,n}` becomes `{0,n}`, \Z
 * becomes \z, \v (vertical tab) \x0b, \uXXXX \x{XXXX}, `[` inside of a class \[ (Python
 * has no POSIX classes), the flags u and L go, a global (?a) is told to the caller.
 * (*VERB) is refused. Left alone: Python counts U+001C..U+001F as blank, PCRE2 does
 * not.
 */

#include "base/buf.h"
#include "base/err.h"

/**
 * rewrite_python()
 * @out_ascii: set when \w, \d, \s and \b are to know ASCII only
 *
 * Return: 0, or -EINVAL with @e.
 */
int rewrite_python(
    struct span pattern, struct buf *out, bool *out_ascii, struct err *e);

/* Where in @pattern the text came from that now stands at @offset of the result. */
size_t rewrite_origin(struct span pattern, size_t offset);
