/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_inputs - many logs come as one, in the order of time
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../source/temp.h"
#include "base/buf.h"
#include "cli/inputs.h"

#define MANY (INPUTS_HELD + 44)
#define NOW 1764150000 /* 2025-11-26 10:40 in Berlin */

struct got {
	struct buf text;     /* "line|" each, "/" at the end of what came at once */
	struct buf failures; /* "name: words\n" */
	uint64_t n_lines;
	wall_t read_at; /* of the last */
	size_t stop_after;
	const char *rotated; /* moved away when the first line comes */
};

static int on_lines(void *ctx, const struct inputs_lines *l)
{
	struct got *g = ctx;
	struct span rest = l->lines, line;
	size_t n = 0;

	while (span_next_line(&rest, &line)) {
		buf_add_span(&g->text, line);
		buf_add_char(&g->text, '|');
		n++;
	}
	assert_int_equal(n, l->n_lines);
	buf_add_char(&g->text, '/');
	g->n_lines += n;
	g->read_at = l->read_at;
	if (g->rotated) {
		struct buf other = BUF_INIT(600);

		buf_printf(&other, "%s.1", g->rotated);
		assert_int_equal(rename(g->rotated, buf_str(&other)), 0);
		buf_deinit(&other);
		assert_int_equal(close(creat(g->rotated, 0600)), 0);
		g->rotated = NULL;
	}
	return g->stop_after && g->n_lines >= g->stop_after ? 7 : 0;
}

static void on_failure(void *ctx, const char *path, const struct err *e)
{
	struct got *g = ctx;

	buf_printf(&g->failures, "%s: %s\n", strrchr(path, '/') + 1, e->text);
}

static struct got got_init(void)
{
	return (struct got){.text = BUF_INIT(1 << 22), .failures = BUF_INIT(1 << 16)};
}

static void got_deinit(struct got *g)
{
	assert_false(g->text.failed || g->failures.failed);
	buf_deinit(&g->text);
	buf_deinit(&g->failures);
}

/* Read logs of the folder. Return: what inputs_read() gave. */
static int read_logs(struct temp *t, const char *const *names, size_t n,
    const struct inputs_options *o, struct got *g, struct err *e)
{
	const struct inputs_calls calls = {on_lines, on_failure, g};
	char **paths = calloc(n, sizeof(*paths));

	for (size_t i = 0; i < n; i++)
		paths[i] = strdup(temp_path(t, names[i]));
	struct inputs *in = inputs_new(paths, n, o, &calls, e);

	assert_non_null(in);
	int r = inputs_read(in, e);
	struct inputs_progress p;

	inputs_progress(in, &p);
	assert_int_equal(p.n_lines, g->n_lines);
	if (!r && !g->failures.n)
		assert_int_equal(p.n_bytes, p.n_bytes_all);
	inputs_free(in);
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	free(paths);
	return r;
}

static const struct inputs_options plain = {
    .now = {NOW * INT64_C(1000000)}, .is_now_given = true};

static void expect(
    struct temp *t, const char *const *names, size_t n, const char *wanted)
{
	struct got g = got_init();
	struct err e = {""};

	assert_int_equal(read_logs(t, names, n, &plain, &g, &e), 0);
	assert_string_equal(buf_str(&g.failures), "");
	assert_string_equal(buf_str(&g.text), wanted);
	got_deinit(&g);
}

#define EXPECT(t, wanted, ...)                        \
	expect(t, (const char *const[]){__VA_ARGS__}, \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), wanted)

#define D(clock) "Nov 24 " clock " "

static void test_rotated(void **state)
{
	struct temp *t = *state;
	const char *wanted = D("04:00:00") "a|" D("05:00:00") "b|/" D(
	    "06:00:00") "c|/" D("07:00:00") "d|/";

	temp_put(t, "log.2", D("04:00:00") "a\n" D("05:00:00") "b\n");
	temp_put(t, "log.1", D("06:00:00") "c\n");
	temp_put(t, "log", D("07:00:00") "d"); /* no line end */
	EXPECT(t, wanted, "log", "log.1", "log.2");
	EXPECT(t, wanted, "log", "log.2", "log.1");
	EXPECT(t, wanted, "log.1", "log", "log.2");
	EXPECT(t, wanted, "log.1", "log.2", "log");
	EXPECT(t, wanted, "log.2", "log", "log.1");
	EXPECT(t, wanted, "log.2", "log.1", "log");
}

static void test_overlap(void **state)
{
	struct temp *t = *state;

	temp_put(t, "a",
	    D("04:00:00") "a\n" D("04:00:02") "b\n" D("04:00:03") "c\n" D(
		"04:00:09") "d\n");
	temp_put(t, "b", D("04:00:01") "A\n" D("04:00:04") "B\n" D("04:00:05") "C\n");
	const char *wanted =
	    D("04:00:00") "a|/" D("04:00:01") "A|/" D("04:00:02") "b|" D(
		"04:00:03") "c|/" D("04:00:04") "B|" D("04:00:05") "C|/" D("04:00:"
									   "09") "d"
										 "|"
										 "/";

	EXPECT(t, wanted, "a", "b");
	EXPECT(t, wanted, "b", "a");
}

static void test_same_time(void **state)
{
	struct temp *t = *state;
	const char *wanted = D("04:00:00") "a|" D("04:00:01") "b|" D(
	    "04:00:01") "c|/" D("04:00:01") "A|" D("04:00:01") "B|" D("04:00:02") "C|/";

	/* As a log is rotated: the one that begins later goes on behind the other. */
	temp_put(t, "a", D("04:00:00") "a\n" D("04:00:01") "b\n" D("04:00:01") "c\n");
	temp_put(t, "b", D("04:00:01") "A\n" D("04:00:01") "B\n" D("04:00:02") "C\n");
	EXPECT(t, wanted, "a", "b");
	EXPECT(t, wanted, "b", "a");
	temp_put(t, "b", D("04:00:00") "A\n" D("04:00:01") "B\n");
	EXPECT(t,
	    D("04:00:00") "a|/" D("04:00:00") "A|/" D("04:00:01") "b|" D(
		"04:00:01") "c|/" D("04:00:01") "B|/",
	    "a", "b");
	EXPECT(t,
	    D("04:00:00") "A|/" D("04:00:00") "a|/" D("04:00:01") "B|/" D(
		"04:00:01") "b|" D("04:00:01") "c|/",
	    "b", "a");
}

static void test_lines_without_date(void **state)
{
	struct temp *t = *state;

	/* They stay with what stands before them, also with what is out of order. */
	temp_put(t, "a",
	    "head\n" D("04:00:00") "a\n  more\n" D("04:00:05") "b\n" D(
		"04:00:01") "late\n  tail\n" D("04:00:07") "c\n");
	temp_put(t, "b", D("04:00:02") "A\n  MORE\n" D("04:00:06") "B\n  END\n");
	EXPECT(t,
	    "head|" D("04:00:00") "a|  more|/" D("04:00:02") "A|  MORE|/" D("04:00:05") "b|" D(
		"04:00:01") "late|  tail|/" D("04:00:06") "B|  END|/" D("04:00:07") "c|"
										    "/",
	    "b", "a");
}

static void test_logs_without_date(void **state)
{
	struct temp *t = *state;

	temp_put(t, "x", "x\n");
	temp_put(t, "y", "y\n");
	temp_put(t, "empty", "");
	temp_put(t, "1", D("04:00:00") "1\n");
	temp_put(t, "2", D("05:00:00") "2\n");
	EXPECT(t, "x|/" D("04:00:00") "1|/" D("05:00:00") "2|/y|/", "x", "2", "y", "1");
	EXPECT(t, D("04:00:00") "1|/x|/y|/" D("05:00:00") "2|/", "2", "1", "x", "y");
	EXPECT(t, "x|/y|/" D("04:00:00") "1|/", "x", "empty", "y", "1");
	EXPECT(t, "y|/x|/", "y", "x");
	EXPECT(t, "", "empty", "empty");
}

/* Many blocks: those between are handed on whole, whatever stands in them. */
static void test_blocks(void **state)
{
	struct temp *t = *state;
	struct buf a = BUF_INIT(1 << 21), b = BUF_INIT(1 << 21);
	struct got g = got_init();
	struct err e = {""};

	for (int i = 0; i < 20000; i++) {
		struct buf *to = i < 9000 || i > 9004 ? &a : &b;

		buf_printf(to, "Nov 24 %02d:%02d:%02d line %d\n", i / 3600, i / 60 % 60,
		    i % 60, i);
	}
	temp_put(t, "a", buf_str(&a));
	temp_put(t, "b", buf_str(&b));
	assert_int_equal(
	    read_logs(t, (const char *[]){"b", "a"}, 2, &plain, &g, &e), 0);
	assert_int_equal(g.n_lines, 20000);
	const char *p = buf_str(&g.text);
	size_t n_pieces = 0;

	for (int i = 0; i < 20000; i++) {
		p = strstr(p, "line ") + 5;
		assert_int_equal(strtol(p, NULL, 10), i);
	}
	for (p = buf_str(&g.text); *p; p++)
		n_pieces += *p == '/';
	assert_in_range(n_pieces, 4, 10);
	buf_deinit(&a);
	buf_deinit(&b);
	got_deinit(&g);
}

static void test_stop(void **state)
{
	struct temp *t = *state;
	struct got g = got_init();
	struct err e = {""};

	g.stop_after = 1;
	temp_put(t, "a", D("04:00:00") "a\n");
	temp_put(t, "b", D("05:00:00") "b\n");
	assert_int_equal(
	    read_logs(t, (const char *[]){"b", "a"}, 2, &plain, &g, &e), 7);
	assert_string_equal(buf_str(&g.text), D("04:00:00") "a|/");
	got_deinit(&g);
}

static void test_failures(void **state)
{
	struct temp *t = *state;
	struct got g = got_init();
	struct err e = {""};

	temp_put(t, "a", D("04:00:00") "a\n");
	temp_put(t, "cut", "\x1f\x8b\x08");
	temp_mkdir(t, "dir");
	assert_int_equal(read_logs(t, (const char *[]){"none", "cut", "a", "dir"}, 4,
			     &plain, &g, &e),
	    0);
	assert_string_equal(buf_str(&g.text), D("04:00:00") "a|/");
	assert_string_equal(buf_str(&g.failures),
	    "none: cannot be opened: No such file or directory\n"
	    "cut: cut off: its end is missing\n"
	    "dir: cannot be read: Is a directory\n");
	got_deinit(&g);
}

/* More logs than descriptors are kept for; one of them is rotated while others are
 * read. */
static void test_many(void **state)
{
	struct temp *t = *state;
	struct got g = got_init();
	struct err e = {""};
	char names[MANY][8], text[64], rotated[512];
	const char *list[MANY];

	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "l%d", i);
		snprintf(text, sizeof(text), "Nov 24 05:%02d:%02d %d\n",
		    (MANY - i) / 60, (MANY - i) % 60, MANY - i);
		temp_put(t, names[i], text);
		list[i] = names[i];
	}
	assert_int_equal(read_logs(t, list, MANY, &plain, &g, &e), 0);
	assert_string_equal(buf_str(&g.failures), "");
	const char *p = buf_str(&g.text);

	for (int i = 1; i <= MANY; i++, p = strchr(p, '/') + 1)
		assert_int_equal(strtol(p + 15, NULL, 10), i);
	got_deinit(&g);

	/* Number 2 is held open, so it does not matter; the last but one is not. */
	g = got_init();
	snprintf(rotated, sizeof(rotated), "%s", temp_path(t, names[2]));
	g.rotated = rotated;
	assert_int_equal(read_logs(t, list, MANY, &plain, &g, &e), 0);
	assert_string_equal(buf_str(&g.failures), "");
	assert_int_equal(g.n_lines, MANY);
	got_deinit(&g);
	g = got_init();
	snprintf(rotated, sizeof(rotated), "%s", temp_path(t, names[MANY - 2]));
	g.rotated = rotated;
	assert_int_equal(read_logs(t, list, MANY, &plain, &g, &e), 0);
	assert_string_equal(buf_str(&g.failures),
	    "l298: is another file now: the log was rotated meanwhile\n");
	assert_int_equal(g.n_lines, MANY - 2); /* that, and the empty one */
	got_deinit(&g);
}

static void test_too_many_at_once(void **state)
{
	struct temp *t = *state;
	struct got g = got_init();
	struct err e = {""};
	char names[INPUTS_MERGED + 1][8];
	const char *list[INPUTS_MERGED + 1];

	for (int i = 0; i <= INPUTS_MERGED; i++) {
		snprintf(names[i], sizeof(names[i]), "l%d", i);
		temp_put(t, names[i], D("04:00:00") "a\n" D("05:00:00") "b\n");
		list[i] = names[i];
	}
	assert_int_equal(read_logs(t, list, INPUTS_MERGED, &plain, &g, &e), 0);
	assert_int_equal(g.n_lines, 2 * INPUTS_MERGED);
	got_deinit(&g);
	g = got_init();
	assert_int_equal(
	    read_logs(t, list, INPUTS_MERGED + 1, &plain, &g, &e), -EMFILE);
	assert_non_null(strstr(e.text, "of the same time"));
	got_deinit(&g);
}

/* --- the clock --- */

static void set_changed(struct temp *t, const char *name, const char *at)
{
	wall_t when;

	assert_int_equal(wall_parse(span_of(at), (wall_t){0}, &when), 0);
	const struct timespec times[2] = {
	    {when.us / US_PER_SEC, 0}, {when.us / US_PER_SEC, 0}};

	assert_int_equal(utimensat(AT_FDCWD, temp_path(t, name), times, 0), 0);
}

/* The clock for a log with that line that was changed last at that time. */
static void expect_clock(struct temp *t, const char *line, const char *changed,
    bool is_now_given, const char *wanted)
{
	struct inputs_options o = plain;
	struct got g = got_init();
	struct err e = {""};
	wall_t at;

	o.is_now_given = is_now_given;
	temp_put(t, "log", line);
	set_changed(t, "log", changed);
	assert_int_equal(read_logs(t, (const char *[]){"log"}, 1, &o, &g, &e), 0);
	assert_int_equal(wall_parse(span_of(wanted), (wall_t){0}, &at), 0);
	assert_int_equal(g.read_at.us, at.us);
	got_deinit(&g);
}

static void test_clock(void **state)
{
	const char *now = "@1764150000";

	expect_clock(*state, "Dec 31 10:00:00 a\n", "2024-12-31 23:59:59", false,
	    "2025-01-01 23:59:59");
	expect_clock(*state, "Dec 31 10:00:00 a\n", "2024-12-31 23:59:59", true, now);
	/* Written now; or tomorrow, or restored from somewhere without its times. */
	expect_clock(*state, "Nov 26 10:00:00 a\n", "2025-11-26 10:00:00", false, now);
	expect_clock(*state, "Nov 26 10:00:00 a\n", "2027-11-26 10:00:00", false, now);
	expect_clock(
	    *state, "2025-11-24 10:00:00 a\n", "2001-02-03 04:05:06", false, now);
	expect_clock(*state, "Nov 24 10:00:00 a\n", "@0", false, now);
	expect_clock(
	    *state, "no date\n", "2001-02-03 04:05:06", false, "2001-02-04 04:05:06");
}

static void test_years(void **state)
{
	struct temp *t = *state;
	struct inputs_options o = plain;
	struct got g = got_init();
	struct err e = {""};

	o.is_now_given = false;
	temp_put(t, "log", "Nov 20 00:00:00 5\n");
	set_changed(t, "log", "2025-11-26 10:00:00");
	temp_put(t, "log.1", "Jan  3 00:00:00 4\n");
	set_changed(t, "log.1", "2025-01-03 00:00:01");
	temp_put(t, "log.2", "Dec 30 00:00:00 2\nJan  2 00:00:00 3\n");
	set_changed(t, "log.2", "2025-01-02 00:00:01");
	temp_put(t, "log.3", "Nov 30 00:00:00 1\n");
	set_changed(t, "log.3", "2023-11-30 00:00:00");
	assert_int_equal(
	    read_logs(
		t, (const char *[]){"log", "log.1", "log.2", "log.3"}, 4, &o, &g, &e),
	    0);
	assert_string_equal(buf_str(&g.text),
	    "Nov 30 00:00:00 1|/Dec 30 00:00:00 2|Jan  2 00:00:00 3|/"
	    "Jan  3 00:00:00 4|/Nov 20 00:00:00 5|/");
	got_deinit(&g);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, temp_setup, temp_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_rotated), TEST(test_overlap),
	    TEST(test_same_time), TEST(test_lines_without_date),
	    TEST(test_logs_without_date), TEST(test_blocks), TEST(test_stop),
	    TEST(test_failures), TEST(test_many), TEST(test_too_many_at_once),
	    TEST(test_clock), TEST(test_years)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
