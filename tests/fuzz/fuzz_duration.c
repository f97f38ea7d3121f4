/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_duration - any text as a time span, and as a time a person types
 */

#include <assert.h>
#include <math.h>

#include "base/clock.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span s = {(const char *)bytes, n};
	struct buf b = BUF_INIT(200);
	double sec = 0;
	wall_t t;

	if (duration_parse(s, &sec) == 0) {
		assert(isfinite(sec));
		if (fabs(sec) < 9e18)
			duration_format(&b, (int64_t)sec);
		t = wall_add_sec(wall_from_sec(1700000000), sec);
		assert(t.us != WALL_NONE.us);
	}
	if (wall_parse(s, wall_from_sec(1700000000), &t) == 0) {
		assert(t.us != WALL_NONE.us);
		wall_format(&b, t);
		buf_add_char(&b, ' ');
		wall_format_iso(&b, t);
	}
	assert(!b.failed);
	buf_deinit(&b);
	return 0;
}
