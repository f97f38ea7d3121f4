/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_shell_script - any command, and any foreign value: the script must not depend on
 * the value by one byte. Input: a command, a NUL, the value.
 */

#include <assert.h>

#include "enforce/shell_script.h"
#include "fuzz.h"

static bool tag_of(void *ctx, struct span tag, struct shell_value *out)
{
	const struct span *value = ctx;

	if (!span_starts(tag, SPAN("F-")))
		return false;
	*out = (struct shell_value){*value, true};
	return true;
}

/* Values of tags in sums are pasted when they are numbers: not here. */
static bool is_fair(struct span command)
{
	return span_find(command, SPAN("$((")) < 0;
}

static void assert_harmless(const struct buf *env)
{
	for (size_t i = 0; i < env->n; i++)
		assert(env->p[i] != '\x1b' && env->p[i] != '\r');
	assert(env->n == 0 || env->p[env->n - 1] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span input = {(const char *)bytes, n};
	ptrdiff_t end = span_index(input, '\0');
	struct span command = {input.p, end < 0 ? n : (size_t)end};
	struct span value = span_skip(input, command.n + 1), plain = SPAN("x");
	struct buf a = BUF_INIT(1 << 20), b = BUF_INIT(1 << 20);
	struct buf env_a = BUF_INIT(1 << 20), env_b = BUF_INIT(1 << 20);

	int r = shell_script(command, tag_of, &value, &a, &env_a);

	if (r == 0) {
		assert_harmless(&env_a);
		assert(shell_script(command, tag_of, &plain, &b, &env_b) == 0);
		if (is_fair(command))
			assert(span_eq(buf_span(&a), buf_span(&b)));
	}
	buf_deinit(&a);
	buf_deinit(&b);
	buf_deinit(&env_a);
	buf_deinit(&env_b);
	return 0;
}
