/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_quote - any bytes shown: in a log line, and as a JSON string
 */

#include <assert.h>

#include "base/buf.h"
#include "base/jsonw.h"
#include "fuzz.h"

/* Quoted, valid UTF-8, and nothing in it that ends a line or commands a terminal. */
static void assert_harmless(struct span s)
{
	assert(s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"');
	s = (struct span){s.p + 1, s.n - 2};
	while (s.n > 0) {
		size_t n = span_utf8_len(s);
		unsigned char c = (unsigned char)s.p[0];

		assert(n > 0 && c >= 0x20 && c != 0x7f && c != '"');
		if (c == '\\') {
			assert(s.n > 1);
			n = 2;
		}
		s = span_skip(s, n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span s = {(const char *)bytes, n};
	struct buf b = BUF_INIT(6 * n + 100);
	struct jsonw j = jsonw_of(&b);

	buf_quote(&b, s, SIZE_MAX);
	assert_harmless(buf_span(&b));
	buf_clear(&b);
	buf_quote(&b, s, n / 2);
	assert_harmless(buf_span(&b));
	buf_clear(&b);
	jsonw_span(&j, s);
	assert_harmless(buf_span(&b));
	assert(!b.failed);
	buf_deinit(&b);
	return 0;
}
