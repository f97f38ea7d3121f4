/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_promises - any evidence in a jail with rules: what their classes promise holds
 */

#include "../unit/decide/promises.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct promises_stats stats = {0};

	promises_run(bytes, n, &stats);
	return 0;
}
