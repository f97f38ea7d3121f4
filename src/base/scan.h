/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scan - what is asked of each byte of a block, at the speed of memory
 *
 * With AVX2 where the processor has it. No byte beside the text is read.
 */

#include "base/str.h"

/* How many '\n' there are. */
size_t scan_count_lines(struct span text);
/* Is no byte above 127? */
bool scan_is_ascii(struct span text);

struct scan_line {
	struct span whole; /* with its '\n', if it has one */
	bool is_ascii;
};

/* The line that holds byte @at of @text, from byte @from on, where one begins. */
struct scan_line scan_line_around(struct span text, size_t from, size_t at);
