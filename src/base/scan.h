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
