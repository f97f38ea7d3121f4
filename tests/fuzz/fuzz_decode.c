/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_decode - any bytes become UTF-8; the first byte chooses the encoding */

#include <assert.h>
#include <stdlib.h>

#include "base/decode.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char *const encodings[] = {"latin-1", "utf-16", "utf_16_be",
	    "iso2022_jp", "cp1252", "gb18030", "big5"};
	static struct decoder *decoders[ARRAY_LEN(encodings)];
	struct span out;
	size_t n_replaced;

	if (!n)
		return 0;
	size_t which = bytes[0] % ARRAY_LEN(encodings);
	/* Of exact size, so that reading beyond it is noticed. */
	char *copy = malloc(n);
	struct err e;

	assert(copy);
	memcpy(copy, bytes + 1, n - 1);
	if (!decoders[which])
		decoders[which] = decoder_new(encodings[which], &e);
	assert(decoders[which]);
	assert(decoder_run(decoders[which], (struct span){copy, n - 1}, &out,
		   &n_replaced) == 0);
	assert(n_replaced <= n && out.n >= 3 * n_replaced);
	for (size_t at = 0; at < out.n;) {
		size_t len = span_utf8_len(span_skip(out, at));

		assert(len);
		at += len;
	}
	free(copy);
	return 0;
}
