/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_setup - any bytes as a set-up: refused, or what comes out encodes to the same.
 */
#include <assert.h>

#include "fuzz.h"
#include "pipeline/setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = {(const char *)data, size};
	struct setup *setup = NULL;

	if (setup_decode(s, &setup) < 0) {
		assert(!setup);
		return 0;
	}
	struct buf b = BUF_INIT(1 << 24);

	setup_encode(setup, &b);
	assert(!b.failed);
	setup_free(setup);
	setup = NULL;
	assert(setup_decode(buf_span(&b), &setup) == 0);
	setup_free(setup);
	buf_deinit(&b);
	return 0;
}
