/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * tags - <HOST>, <ADDR>, <F-USER>... in a failregex become named groups
 *
 * A tag that is not known stays as it is written. Afterwards "((?i)" and "(?:(?i)"
 * become
 * "(?i:", as fail2ban does it, since flags in the middle of a regex mean something else
 * in Python and PCRE2.
 */

#include "base/buf.h"
#include "base/err.h"

/**
 * tags_expand()
 * @with_names: <HOST> also takes a host name, not only addresses (usedns is not "no")
 *
 * Return: 0, or -EINVAL with @e: nothing there, or too long.
 */
int tags_expand(struct span regex, bool with_names, struct buf *out, struct err *e);
