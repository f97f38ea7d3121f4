/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts, and what real shells make of them: the hostile value must come out as one
 * argument, unchanged but for what the header says, and start nothing.
 */
#include "enforce/shell_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOSTILE "-x'\"`touch /tmp/no`$(touch /tmp/no);|& * a  b"

static const char *value;

static bool tag_of(UNUSED void *ctx, struct span tag, struct shell_value *out)
{
	if (span_eq(tag, SPAN("ip")))
		*out = (struct shell_value){SPAN("192.0.2.1"), false, false};
	else if (span_eq(tag, SPAN("F-USER")))
		*out = (struct shell_value){span_of(value), true, true};
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
	    shell_script(span_of(command), tag_of, NULL, &m.script, &m.env, NULL), 0);
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

/* What @shell prints in an empty folder; at most 4 kB. */
static char *run_in(const struct made *m, const char *shell, const char *folder)
{
	static char out[4096];
	int fds[2];
	size_t n = 0;
	ssize_t got;

	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();

	if (pid == 0) {
		char path[] = "PATH=.:/usr/bin:/bin", sh_is[] = "SHELL=/bin/sh";
		char *env[] = {path, sh_is, m->env.n ? m->env.p : NULL, NULL};
		char sh[] = "sh", c[] = "-c";
		char *argv[] = {sh, c, (char *)(uintptr_t)buf_str(&m->script), NULL};

		dup2(fds[1], 1);
		if (freopen("/dev/null", "w", stderr) && chdir(folder) == 0)
			execve(shell, argv, env);
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

static char *run(const struct made *m)
{
	return run_in(m, "/bin/sh", "/");
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
	    "printf '[%b]' <F-USER>",
	};

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct made m = make(commands[i], HOSTILE);

		assert_string_equal(run(&m), "[ " HOSTILE "]");
		drop(&m);
	}
}

static void test_values(UNUSED void **state)
{
	struct made m = make("echo <F-USER>", "a\n~!sh\n.\n-b\x1b[2J\x7f");

	assert_string_equal(m.env.p, "f2bV_F_USER=a\n ~!sh\n .\n-b?[2J?");
	drop(&m);
	m = make("printf %d $((<F-USER>+1))", "41");
	assert_string_equal(run(&m), "42");
	drop(&m);
	m = make("notify <F-USER>", HOSTILE);
	assert_string_equal(m.env.p, "f2bV_F_USER=_x_touch_tmp_no_touch_tmp_no_a_b");
	drop(&m);
	m = make("/bin/sh -c \"echo <F-USER>\"", "a b");
	assert_string_equal(m.env.p, "f2bV_F_USER=_a_b");
	drop(&m);
}

/* Commands that let a value be more than a word, were it not inert, or decode it. "hit"
 * is a program that leaves a file; W counts its words. */
static const char *const holes[] = {
    "eval \"W <F-USER>\"",
    "bash -c \"W <F-USER>\"",
    "sh -c \"W <F-USER>\"",
    "eval \"<F-USER>\"; W a",
    "echo \"W <F-USER>\" |sh>out",
    "sh<<EOF\nW <F-USER>\nEOF\n",
    "\"$SHELL\" -c \"W <F-USER>\"",
    "awk 'BEGIN { print \"<F-USER>\" }'",
    "awk \"BEGIN { <F-USER> }\"",
    "echo b | sed 's/b/<F-USER>/'",
    "echo b | sed 's:b:<F-USER>:'",
    "echo b | sed s_b_<F-USER>_",
    "echo b | sed s.b.<F-USER>.",
    "echo b | sed s-b-<F-USER>-",
    "echo b | sed <F-USER>",
    "echo b | sed \"1<F-USER>\"",
    "((<F-USER>))",
    "[[ <F-USER> -gt 1 ]]",
    "V=abc; echo ${V:0:<F-USER>}",
    "cat <<EOF\n$((<F-USER>))\nEOF\n",
    "cat <<EOF\n$(W <F-USER>)\nEOF\n",
    "W \"$(case x in x) W <F-USER>;; esac)\"",
    "W `printf %s \\\"<F-USER>\\\"`",
    "W \"${V:-\"}\"}<F-USER>\"",
    "W ${V:-<F-USER>}",
    "echo <F-USER> | xargs W",
    "y=<F-USER>; W $y",
    "IFS=.; y=<F-USER>; W $y",
    "printf '%b\\n' '<F-USER>' | grep -c '^~'",
    "SECONDS=<F-USER>; W a",
    "printf '%n' <F-USER>; W a",
    "<F-USER>; W a",
    "W *<F-USER>",
};

static const char *const attacks[] = {"$(hit)", "`hit`", "x\nhit\n", ";hit", "* -x",
    "b/w hit2", "b:w hit2", "b_whit2", "b.whit2", "b-whit2", "whit2", "1whit2", "ehit",
    "a[$(hit)]", "\\012~!hit", "\n~!hit", "hit", "PATH", "", "')hit('",
    "\";system(\"hit\");\"", "system(\"hit\")", "EOF\nhit\n", "x;;esac)\nhit\n", "-x",
    "a.b.c", "3"};

static void write_program(const char *folder, const char *name, const char *text)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0700), 0);
}

/* Removes what is there but our two programs. Return: how many such there were, "out"
 * not counted. */
static int sweep(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "W") ||
		    !strcmp(e->d_name, "hit"))
			continue;
		n += strcmp(e->d_name, "out") != 0;
		assert_int_equal(unlinkat(dirfd(d), e->d_name, 0), 0);
	}
	closedir(d);
	return n;
}

static void try_hole(const char *command, const char *shell, const char *folder)
{
	struct made m = make(command, "x");
	char *want = strdup(run_in(&m, shell, folder));

	assert_int_equal(sweep(folder), 0);
	drop(&m);
	for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
		m = make(command, attacks[i]);
		const char *got = run_in(&m, shell, folder);
		bool counts = strchr(command, 'W') != NULL;

		if (sweep(folder) != 0 || (counts && strcmp(got, want) != 0))
			fail_msg("%s: %s with '%s': '%s', not '%s'", shell, command,
			    attacks[i], got, want);
		drop(&m);
	}
	free(want);
}

static void test_holes(UNUSED void **state)
{
	static const char *const shells[] = {"/bin/sh", "/bin/bash"};
	char folder[] = "/tmp/bandog-test-XXXXXX", path[64];

	assert_non_null(mkdtemp(folder));
	write_program(folder, "hit", "#!/bin/sh\n: > fired\n");
	write_program(folder, "W", "#!/bin/sh\necho $#\n");
	for (size_t s = 0; s < ARRAY_LEN(shells); s++) {
		for (size_t i = 0; access(shells[s], X_OK) == 0 && i < ARRAY_LEN(holes);
		     i++)
			try_hole(holes[i], shells[s], folder);
	}
	for (const char *const *p = (const char *const[]){"hit", "W", NULL}; *p; p++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, *p);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(folder), 0);
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
	    cmocka_unit_test(test_holes),
	    cmocka_unit_test(test_same_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
