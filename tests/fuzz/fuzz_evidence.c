/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_evidence - any bytes as the evidence of a ban, as a damaged database may hold
 * them
 *
 * What is taken keeps to the caps and is written as the very same bytes.
 */

#include <assert.h>
#include <errno.h>

#include "fuzz.h"
#include "record/db_evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span s = {(const char *)bytes, n};
	struct buf b = BUF_INIT(DB_EVIDENCE_MAX_BYTES);
	struct order o = {0};
	int r = db_evidence_decode(s, &o);

	assert(r == 0 || (r == -EBADMSG && !o.why && !o.n_why));
	assert(o.n_why <= DB_EVIDENCE_MAX_LINES);
	assert(db_evidence_encode(&b, &o) == 0);
	if (o.n_why)
		assert(span_eq(buf_span(&b), s));
	buf_deinit(&b);
	order_deinit(&o);
	return 0;
}
