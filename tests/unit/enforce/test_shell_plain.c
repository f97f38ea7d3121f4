/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/shell_plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enforce/action_tag.h"

#define U "<F-USER>"
#define M "<matches>"

static void expect(const char *command, enum shell_form form)
{
	struct shell_reason reason;
	enum shell_form got =
	    shell_plain(span_of(command), action_tag_sample, NULL, &reason);

	if (got != form)
		print_error("%s: %s at %zu\n", command, reason.why, reason.at);
	assert_int_equal(got, form);
	assert_true((reason.why == NULL) == (got == SHELL_WHOLE));
	assert_true(reason.at <= strlen(command));
}

static void expect_all(const char *const *commands, size_t n, enum shell_form form)
{
	for (size_t i = 0; i < n; i++)
		expect(commands[i], form);
}

static void test_whole(UNUSED void **state)
{
	static const char *const commands[] = {
	    "eval whatever <ip> ((", /* nothing foreign in it */
	    "printf %b \"a `LC_ALL=C date +\"%a, %d\"`\\n" M "\" | mail -s \"x " U
	    "\" root",
	    "lgm=$(printf '%.1000s\\n...' \"" M "\"); curl -sSf u --data-urlencode "
	    "\"comment=$lgm\" --data \"ip=<ip>\"",
	    "( printf -- %b \"" M "\"; whois <ip> || echo \"no\"; ) | sendmail -f a b",
	    "if [ '<restored>' = '1' ]; then exit 0; fi; echo " U " >> /tmp/a 2>&1",
	    "if test ! " U " = x; then echo a; elif :; then echo b; else echo c; fi",
	    "{ echo '" U "'; } | logger -t x # that's " U "\n! echo a && true || false",
	    "x=" U "; y=\"$x\"; logger \"is $y\"; [ -n \"$y\" ]",
	    "IFS=,; a=$(echo $b); IFS=$c; echo $a " U,
	    "logger -- " U,
	    "printf %b \"a\\n" U " $x " U " \\012 " U "\"",
	    "echo \"`echo \"$(echo " U ")\"`\"",
	    "curl -d '{\"a\":\"\\u26a0 " U "\"}' u; x=$(printf '%s\\n' " U
	    "); echo \"$x\"",
	    "echo " U " | mail -s \"on $(hostname -f), $(date +%F)\" root",
	    "echo a | { x=$(cat); touch \"$x\"; }; curl -d \"u=" U "@" U "\" u",
	    "x=$(printf '%s %s\\n' \"$y\" " U "); logger \"x=$x $(date)<ip>\"",
	    "grep -m 5 -wF \"<ip>\" $log | tail -n 3; echo " U,
	};

	expect_all(commands, ARRAY_LEN(commands), SHELL_WHOLE);
}

static void test_word(UNUSED void **state)
{
	static const char *const commands[] = {
	    "/usr/local/bin/notify.sh <ip> " U,
	    "notify \"" U "\" --user='" U "' && echo done",
	    "iptables -L; echo " U,
	};

	expect_all(commands, ARRAY_LEN(commands), SHELL_WORD);
}

static void test_handed_on(UNUSED void **state)
{
	static const char *const commands[] = {"eval \"echo " U "\"",
	    "bash -c \"echo " U "\"", "echo " U " |sh>/dev/null", "sh<<EOF\n" U "\nEOF",
	    "\"$SHELL\" -c " U, "$x " U, "awk '{print \"" U "\"}'", "sed s/a/" U "/",
	    "ssh h " U, "echo " U " | xargs echo", "/bin/sh -c " U, "python3.11 -c " U,
	    "env A=" U " b", "echo " U " | notify", "trap " U " EXIT",
	    "alias echo=sh; echo " U, ". /etc/x; echo " U, U " a", "PATH=/tmp; echo " U,
	    "\\echo " U, "'echo' " U, "x=1 echo " U, "exec 3>a; echo " U,
	    "notify user=" U, "notify s:a:" U ":", "notify -u" U, "notify \"$x\"" U,
	    "echo " U " > /tmp/f; notify < /tmp/f", "echo " U " > " U,
	    "echo " U " > $x", "cat " U, "cat < " U, "rm -r /srv/" U,
	    "f() { echo " U "; }; f"};

	expect_all(commands, ARRAY_LEN(commands), SHELL_INERT);
}

static void test_shapes(UNUSED void **state)
{
	static const char *const commands[] = {"((" U "))", "[[ " U " -gt 1 ]]",
	    "echo ${x:0:" U "}", "echo $((" U "))", "echo $[" U "]", "echo $'" U "'",
	    "echo $\"" U "\"", "cat <<E\n" U "\nE",
	    "echo $(case x in x) echo " U ";; esac)", "echo \"`echo \\\"" U "\\\"`\"",
	    "echo \"${x:-\"}\"}" U "\"", "echo *" U, "echo {a,b}" U, "echo " U " &",
	    "for i in a; do echo " U "; done", "while :; do echo " U "; done",
	    "case " U " in a) ;; esac", "echo $1 " U, "echo ${x#a} " U,
	    "echo " U " |& cat", "echo " U " >| a", "echo a)#'\n" U, "(echo a)#'\n" U,
	    "`echo a #'`\n" U, "echo `echo '\\`" U "\\`'`", "echo `echo '`" U "`'`",
	    "echo \"" U, "echo '" U, "( echo " U, "echo " U " )", "echo " U " <> a",
	    "echo " U ";; echo", "if echo " U "; fi", "then echo " U, "{ echo " U "; )",
	    "echo a\\\n#'\n" U, "$(#'\n) " U, "echo $f2bV_F_USER " U, "echo \r" U,
	    "5<" U " x", "a[0]=" U};

	expect_all(commands, ARRAY_LEN(commands), SHELL_INERT);
}

/* What looks like one thing here, and is another to a shell or a program. */
static void test_mistaken(UNUSED void **state)
{
	static const char *const commands[] = {
	    /* bash: the last argument of the command before */
	    "echo " U "; touch \"$_\"", "echo " U "; touch ${_}",
	    /* a substitution reads what the command around it reads */
	    "echo " U " | { x=$(cat); touch \"$x\"; }",
	    "echo " U " | mail -s \"$(cat)\" root", "echo " U " | touch `cat`",
	    /* bash: what is in the file */
	    "echo " U " > a; x=$(< a); touch \"$x\"", "echo " U " > a; touch $(<a)",
	    /* past the variable, to the pipe */
	    "{ x=$(echo " U " >&2); } 2>&1 | { y=$(cat); touch \"$y\"; }",
	    "{ echo " U " >&2 | :; } 2>&1 | { y=$(cat); touch \"$y\"; }",
	    /* a descriptor's number, which is no argument */
	    "curl -o <failures>>a -d " U, "curl -o 2\\\n>a -d " U,
	    /* another variable */
	    "echo " U "; touch \"$x<ip>\"", "xy=" U "; touch $x\\\ny",
	    "xy=" U "; touch \"$x\\\ny\"",
	    /* a word of the grammar */
	    "fo\\\nr x in " U "; d\\\no rm $x; d\\\none",
	    /* a file that curl reads; the first value may be empty */
	    "curl -d @" U " u", "curl -d \"@/srv/" U "\" u",
	    "curl --data-binary " U "@" U " u", "logger " U "-" U,
	    "logger \"" U "-f\"" U,
	    /* a backslash and a value that meet in a substitution */
	    "printf %b \"$(printf %s '\\'; printf %s " U ")\"",
	    "echo \"$(printf '%s%s' '\\' " U ")\"", "echo \"$(printf '\\%s' " U ")\"",
	    "x='\\'; echo \"$(printf %s \"$x\" " U ")\"",
	    "echo \"$( (echo '\\0'; echo " U ") | cat)\""};

	expect_all(commands, ARRAY_LEN(commands), SHELL_INERT);
}

static void test_values_moved(UNUSED void **state)
{
	static const char *const commands[] = {"printf \"%s " U "\"", "printf -v x " U,
	    "printf '%*d' " U " 1", "printf '%s%n' a " U, "printf \"$x\" " U,
	    "x=" U "; echo $x", "echo $(printf %s " U ")", "echo `echo " U "`",
	    "x=" U "; logger \"$x\"", "x=" U "; curl -d \"$x\" u",
	    "x=`echo " U "`; curl -d \"$e$x\" u", "SECONDS=" U, "IFS=" U,
	    "LC_ALL=" U " date", "f2bV_F_USER=" U, "curl --data-urlencode \"a" U "\" u",
	    "curl -F \"a=" U "\" u", "curl \"http://h/" U "\"", "curl -K " U,
	    "curl $o -d a=" U, "curl -H \"A: " U "\" u", "mail -s \"a " M "\" root",
	    "mail \"a" U "\"", "sendmail \"a" U "\"", "echo " U " | sendmail -t",
	    "echo " U " | mail -~ a", "[ -f " U " ]", "logger -f \"a" U "\"",
	    "whois \"a" U "\"", "y=$(echo " U "); notify \"$y\"", "printf %b '\\" U "'",
	    "printf %b \"\\\\" U "\"", "echo '\\01" U "'",
	    "printf %b \"`whois a`" U "\"", "x='\\x" U "'", "printf '\\\\%s' " U,
	    "printf '\\0%s' " U};

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct shell_reason reason;

		if (shell_plain(span_of(commands[i]), action_tag_sample, NULL,
			&reason) == SHELL_WHOLE)
			fail_msg("%s", commands[i]);
	}
	/* What moves bytes about could put one at the start of a line. */
	expect("echo " U " | cut -c2- | mail -s x root", SHELL_INERT);
	expect("echo " U " > f; cut -c2- f | mail -s x root", SHELL_INERT);
	expect("echo " U " > /dev/null; cut -c2- f | mail -s x root", SHELL_WHOLE);
	expect("test -v " U, SHELL_INERT);
}

static void test_bounds(UNUSED void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(65536);

	for (int depth = 0; depth < 17; depth++)
		buf_add_str(&b, "( ");
	buf_add_str(&b, "echo " U);
	for (int depth = 0; depth < 17; depth++)
		buf_add_str(&b, " )");
	expect(buf_str(&b), SHELL_INERT);
	expect(buf_str(&b) + 2, SHELL_INERT); /* one too many at its end */
	buf_consume(&b, 2);
	b.p[b.n - 2] = '\0';
	expect(buf_str(&b), SHELL_WHOLE);
	buf_clear(&b);
	buf_add_str(&b, "echo " U);
	for (int i = 0; i < 62; i++)
		buf_add_str(&b, " a");
	expect(buf_str(&b), SHELL_WHOLE);
	buf_add_str(&b, " a");
	expect(buf_str(&b), SHELL_INERT);
	buf_clear(&b);
	for (int i = 0; i < 33; i++)
		buf_printf(&b, "v%d=" U "; ", i);
	expect(buf_str(&b), SHELL_INERT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_word),
	    cmocka_unit_test(test_handed_on),
	    cmocka_unit_test(test_shapes),
	    cmocka_unit_test(test_mistaken),
	    cmocka_unit_test(test_values_moved),
	    cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
