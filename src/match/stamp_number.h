/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_number - times written as one number
 */

#include "base/clock.h"

/* "1138049999" or "1138049999.5": seconds since 1970, with up to 6 digits behind the
   point. @is_long: from 13 bytes on milliseconds, from 16 without a point microseconds.
   Return: WALL_NONE if it is no such number. */
wall_t stamp_number_epoch(struct span s, bool is_long);

/* "@4000000041f4104f00000000". Leap seconds are not counted, as in fail2ban. */
wall_t stamp_number_tai64n(struct span s);
