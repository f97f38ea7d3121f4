/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * line - what travels from source to match: bytes, where from, when read
 */

#include "base/clock.h"
#include "base/str.h"

struct line {
	struct span
	    text; /* without line end; may hold NUL and bad UTF-8; dies after use */
	const char *end; /* behind its line end; NULL: it does not lie in a block, whose
			    bytes stay while its lines are gone through */
	bool is_plain;   /* it is known to be ASCII, without '\n' or '\r' at its end */
	uint32_t source; /* index of the source in the running set-up */
	uint64_t number; /* counted from 1 within its file, for people */
	wall_t stamp;    /* time told by the source itself (journal), or WALL_NONE */
	wall_t read_at;  /* the clock when it was read */
	bool live;       /* read as it was written, not while catching up */
};
