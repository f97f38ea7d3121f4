/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_engine - any sequence of calls to the engine: against the model, or in a storm
 */

#include "../unit/decide/duel.h"
#include "../unit/decide/storm.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct duel_stats stats = {0};

	if (n == 0)
		return 0;
	if (bytes[0] % 2)
		storm_run(bytes + 1, n - 1);
	else
		duel_run(bytes + 1, n - 1, &stats);
	return 0;
}
