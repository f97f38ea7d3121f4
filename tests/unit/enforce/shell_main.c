/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shell-main - commands made ready for the shell, for tests/compat/shell_injection.py
 * and shell_plain.py
 *
 * Input, again and again: three strings, each ended by a NUL: the command, the value of
 * its foreign tags <F-...>, that of <matches>. Output for each: the form, the reason
 * (or nothing) and its byte, the script, and the environment (NAME=value, separated by
 * 0x1f, which no value holds), each ended by a NUL.
 */
#include <stdio.h>
#include <stdlib.h>

#include "enforce/action_tag.h"
#include "enforce/shell_script.h"

static bool tag_of(void *ctx, struct span tag, struct shell_value *out)
{
	const struct span *values = ctx;

	if (!action_tag_sample(NULL, tag, out))
		return false;
	if (out->is_foreign)
		out->text = values[out->has_lines ? 1 : 0];
	else if (span_eq(tag, SPAN("ip")))
		out->text = SPAN("192.0.2.1");
	return true;
}

static bool read_string(struct buf *b)
{
	int c;

	buf_clear(b);
	while ((c = getchar()) != EOF && c != '\0')
		buf_add_char(b, (char)c);
	return c != EOF;
}

static void print(struct span s)
{
	(void)fwrite(s.p, 1, s.n, stdout);
	putchar('\0');
}

int main(void)
{
	static const char *const forms[] = {"whole", "word", "inert"};
	struct buf command = BUF_INIT(1 << 20), value = BUF_INIT(1 << 20);
	struct buf lines = BUF_INIT(1 << 20), script = BUF_INIT(1 << 20);
	struct buf env = BUF_INIT(SHELL_ENV_MAX);

	while (read_string(&command) && read_string(&value) && read_string(&lines)) {
		struct span values[] = {buf_span(&value), buf_span(&lines)};
		struct shell_reason reason;
		enum shell_form form =
		    shell_plain(buf_span(&command), tag_of, values, &reason);

		if (shell_script(
			buf_span(&command), tag_of, values, &script, &env, NULL) < 0)
			return 1;
		print(span_of(forms[form]));
		print(span_of(reason.why ? reason.why : ""));
		printf("%zu", reason.at);
		putchar('\0');
		print(buf_span(&script));
		for (size_t i = 0; i < env.n; i++) {
			if (env.p[i] == '\0')
				env.p[i] = '\x1f';
		}
		print(buf_span(&env));
		(void)fflush(stdout);
	}
	buf_deinit(&command);
	buf_deinit(&value);
	buf_deinit(&lines);
	buf_deinit(&script);
	buf_deinit(&env);
	return 0;
}
