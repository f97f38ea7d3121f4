/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_shell_script - any command, and any foreign value: the script must not depend on
 * the value by one byte, and the value must have the form that the command allows.
 * Input: a command, a NUL, the value.
 */

#include <assert.h>

#include "enforce/shell_script.h"
#include "fuzz.h"

static bool tag_of(void *ctx, struct span tag, struct shell_value *out)
{
	const struct span *value = ctx;

	if (!span_starts(tag, SPAN("F-")))
		return false;
	*out = (struct shell_value){*value, true, span_eq(tag, SPAN("F-L"))};
	return true;
}

/* Values of tags in sums are pasted when they are numbers: not here. */
static bool is_fair(struct span command)
{
	return span_find(command, SPAN("$((")) < 0;
}

static void assert_whole(struct span v)
{
	assert(v.n == 0 || !strchr("-+~.@=<>|%&;$`'\"()!#*?{}^,:\\", v.p[0]) ||
	       v.p[0] == '\0');
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		assert(c != '\\' && c != 0x7f);
		assert(c >= 0x20 || c == '\n' || c == '\t');
		assert(c != '\n' || i + 1 == v.n || !strchr("~.#", v.p[i + 1]));
	}
}

static void assert_word(struct span v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (shell_is_alnum(v.p[i]) || v.p[i] == '_')
			continue;
		assert(strchr(".-@", v.p[i]) && i > 0 && i + 1 < v.n);
		assert(shell_is_alnum(v.p[i - 1]) && shell_is_alnum(v.p[i + 1]));
	}
}

static void assert_inert(struct span v)
{
	assert(v.n >= 2 && (v.p[0] == '_' || v.p[0] == 'Z'));
	for (size_t i = 0; i < v.n; i++) {
		assert(shell_is_alnum(v.p[i]) || v.p[i] == v.p[0]);
		assert(i == 0 || v.p[i] != '_' || v.p[i - 1] != '_');
	}
}

static void assert_harmless(const struct buf *env, enum shell_form form)
{
	struct span rest = buf_span(env);

	assert(env->n == 0 || env->p[env->n - 1] == '\0');
	while (rest.n) {
		struct span one = span_of(rest.p);
		struct span v = span_skip(one, (size_t)span_index(one, '=') + 1);

		if (form == SHELL_WHOLE)
			assert_whole(v);
		else if (form == SHELL_WORD)
			assert_word(v);
		else
			assert_inert(v);
		rest = span_skip(rest, one.n + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span input = {(const char *)bytes, n};
	ptrdiff_t end = span_index(input, '\0');
	struct span command = {input.p, end < 0 ? n : (size_t)end};
	struct span value = span_skip(input, command.n + 1), plain = SPAN("x");
	struct buf a = BUF_INIT(1 << 20), b = BUF_INIT(1 << 20);
	struct buf env_a = BUF_INIT(1 << 20), env_b = BUF_INIT(1 << 20);
	enum shell_form form_a, form_b;

	int r = shell_script(command, tag_of, &value, &a, &env_a, &form_a);

	if (r == 0) {
		assert_harmless(&env_a, form_a);
		assert(shell_script(command, tag_of, &plain, &b, &env_b, &form_b) == 0);
		assert(form_a == form_b);
		if (is_fair(command))
			assert(span_eq(buf_span(&a), buf_span(&b)));
	}
	buf_deinit(&a);
	buf_deinit(&b);
	buf_deinit(&env_a);
	buf_deinit(&env_b);
	return 0;
}
