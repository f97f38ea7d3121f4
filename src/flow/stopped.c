/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/stopped.h"

static uint64_t attempts(uint64_t packets, uint32_t per_attempt)
{
	return packets / per_attempt + (packets % per_attempt > 0);
}

struct stopped_more stopped_book(
    struct stopped *s, uint64_t packets, uint64_t bytes, uint32_t per_attempt)
{
	struct stopped_more more = {0};

	if (packets < s->packets || bytes < s->bytes)
		s->packets = s->bytes = 0;
	if (s->is_known) {
		more.packets = packets - s->packets;
		more.bytes = bytes - s->bytes;
		/* Differences of rounded totals: no remainder is lost or counted twice.
		 */
		more.attempts =
		    attempts(packets, per_attempt) - attempts(s->packets, per_attempt);
	}
	s->packets = packets;
	s->bytes = bytes;
	s->is_known = true;
	return more;
}
