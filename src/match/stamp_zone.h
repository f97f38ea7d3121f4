/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_zone - "CET", "+0100", "UTC-04:30" to minutes east of UTC
 *
 * fail2ban's table of abbreviations: fixed offsets, no daylight saving. A name and an
 * offset add up, so that "CET+0100" is two hours east.
 */

#include "base/str.h"

/* Return: 0, or -EINVAL (unknown abbreviation, lower case, not of this shape). */
int stamp_zone_parse(struct span text, int *out_minutes);
