/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_policy - a question is read alike whole and from its own bytes, and a refusal of
 * ours is one whatever comes behind it */

#include <assert.h>
#include <stdlib.h>

#include "enforce/policy_wire.h"
#include "fuzz.h"

static void read_all(struct span in)
{
	struct policy_question q, same;
	size_t n, n_same;

	while (policy_read(in, &q, &n) == 0) {
		assert(n > 0 && n <= in.n);
		assert(policy_read((struct span){in.p, n}, &same, &n_same) == 0);
		assert(n_same == n && same.has_client == q.has_client);
		assert(policy_read((struct span){in.p, n - 1}, &same, &n_same) != 0);
		in = span_skip(in, n);
	}
}

static void read_line(struct span line)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1 << 20);

	if (!policy_is_own_refusal(line))
		return;
	buf_add_span(&b, line);
	buf_add_str(&b, "; from=<a> to=<b>: reject: 554 5.7.1");
	assert(policy_is_own_refusal(buf_span(&b)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	/* Of exact size, so that reading beyond it is noticed. */
	char *copy = malloc(n + !n);

	assert(copy);
	memcpy(copy, bytes, n);
	read_all((struct span){copy, n});
	read_line((struct span){copy, n});
	free(copy);
	return 0;
}
