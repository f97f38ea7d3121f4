/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts, and what a real /bin/sh makes of them: the hostile value must come out as one
 * argument, unchanged but for what the header says.
 */
#include "enforce/shell_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOSTILE "-x'\"`touch /tmp/no`$(touch /tmp/no);|&\\ * a  b"

static const char *value;

static bool tag_of(UNUSED void *ctx, struct span tag, struct shell_value *out)
{
	if (span_eq(tag, SPAN("ip")))
		*out = (struct shell_value){SPAN("192.0.2.1"), false};
	else if (span_eq(tag, SPAN("F-USER")))
		*out = (struct shell_value){span_of(value), true};
	else
		return false;
	return true;
}

struct made {
	struct buf script, env;
};

static struct made make(const char *command, const char *v)
{
	struct made m = {BUF_INIT(65536), BUF_INIT(SHELL_ENV_MAX)};

	value = v;
	assert_int_equal(
	    shell_script(span_of(command), tag_of, NULL, &m.script, &m.env), 0);
	return m;
}

static void drop(struct made *m)
{
	buf_deinit(&m->script);
	buf_deinit(&m->env);
}

static void expect(const char *command, const char *script)
{
	struct made m = make(command, "x");

	assert_string_equal(buf_str(&m.script), script);
	drop(&m);
}

/* What sh prints; at most 4 kB. */
static char *run(const struct made *m)
{
	static char out[4096];
	int fds[2];
	size_t n = 0;
	ssize_t got;

	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();

	if (pid == 0) {
		char path[] = "PATH=/usr/bin:/bin";
		char *env[] = {m->env.n ? m->env.p : path, path, NULL};
		char sh[] = "sh", c[] = "-c";
		char *argv[] = {sh, c, (char *)(uintptr_t)buf_str(&m->script), NULL};

		dup2(fds[1], 1);
		execve("/bin/sh", argv, env);
		_exit(127);
	}
	close(fds[1]);
	while ((got = read(fds[0], out + n, sizeof(out) - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	close(fds[0]);
	waitpid(pid, NULL, 0);
	return out;
}

static void test_references(UNUSED void **state)
{
	expect("nft add element { <ip> }", "nft add element { 192.0.2.1 }");
	expect("a <F-USER> b", "a \"${f2bV_F_USER}\" b");
	expect("a \"<F-USER>\" b", "a \"${f2bV_F_USER}\" b");
	expect("a '<F-USER>' b", "a ''\"${f2bV_F_USER}\"'' b");
	expect("a \"`b \"<F-USER>\"`\" <F-USER>",
	    "a \"`b \"${f2bV_F_USER}\"`\" \"${f2bV_F_USER}\"");
	expect("a \"$(b <F-USER>)\"", "a \"$(b \"${f2bV_F_USER}\")\"");
	expect("a # it's <F-USER>\nb <F-USER>", "a # it's \nb \"${f2bV_F_USER}\"");
	expect("a$((1+(2)+<F-USER>))", "a$((1+(2)+0))");
	expect("a <<EOF\n'<F-USER>\nEOF\nb <F-USER>",
	    "a <<EOF\n'${f2bV_F_USER}\nEOF\nb \"${f2bV_F_USER}\"");
	expect("a <<'EOF'\n<F-USER>\nEOF\nb", "a <<'EOF'\n\nEOF\nb");
	expect("a <nosuch> <b", "a <nosuch> <b");
	expect("a \\\"<F-USER>\\\"", "a \\\"\"${f2bV_F_USER}\"\\\"");
}

static void test_one_argument(UNUSED void **state)
{
	static const char *const commands[] = {
	    "printf '[%s]' <F-USER>",
	    "printf '[%s]' \"<F-USER>\"",
	    "printf '[%s]' '<F-USER>'",
	    "printf '[%s]' \"`printf %s \"<F-USER>\"`\"",
	    "printf '[%s]' \"$(printf %s <F-USER>)\"",
	    "x=<F-USER>; printf '[%s]' \"$x\"",
	    "if :; then printf '[%s]' <F-USER>; fi",
	};

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct made m = make(commands[i], HOSTILE);

		assert_string_equal(run(&m), "[ " HOSTILE "]");
		drop(&m);
	}
}

static void test_values(UNUSED void **state)
{
	struct made m = make("x <F-USER>", "a\n~!sh\n.\n-b\x1b[2J\x7f");

	assert_string_equal(m.env.p, "f2bV_F_USER=a\n ~!sh\n .\n-b?[2J?");
	drop(&m);
	m = make("printf %d $((<F-USER>+1))", "41");
	assert_string_equal(run(&m), "42");
	drop(&m);
	m = make("/bin/sh -c \"echo <F-USER>\"", HOSTILE);
	assert_string_equal(
	    m.env.p, "f2bV_F_USER= -x???touch /tmp/no???touch /tmp/no????? ? a  b");
	drop(&m);
}

static void test_same_script(UNUSED void **state)
{
	const char *command = "a <F-USER> '<F-USER>' <<E\n<F-USER>\nE\n";
	struct made a = make(command, "x"), b = make(command, "'\nE\n$(id)");

	assert_string_equal(buf_str(&a.script), buf_str(&b.script));
	drop(&a);
	drop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_references),
	    cmocka_unit_test(test_one_argument),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_same_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
