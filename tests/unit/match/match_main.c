/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * match-main - a filter from a plain file, lines from stdin, failures as JSON
 *
 * For tests/compat: the filter has been read by somebody else, so that the matching can
 * be judged alone. The file has "<option> <bytes>\n<value>\n" for each value.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/jsonw.h"
#include "match/filter.h"

#define MAIN_MAX_REGEX 200
#define MAIN_NOW 1124013600 /* the day fail2ban's samples were written for */
#define MAIN_FILE_MAX (1024 * 1024)

struct definition {
	char *failregex[MAIN_MAX_REGEX];
	char *ignoreregex[MAIN_MAX_REGEX];
	char *prefregex;
	char *datepattern;
	struct filter_options o;
};

static void definition_set(struct definition *d, struct span key, struct span value)
{
	char *copy = span_dup(value);

	if (span_eq(key, SPAN("addfailregex")) && d->o.n_failregex < MAIN_MAX_REGEX)
		d->failregex[d->o.n_failregex++] = TAKE(copy);
	if (span_eq(key, SPAN("addignoreregex")) && d->o.n_ignoreregex < MAIN_MAX_REGEX)
		d->ignoreregex[d->o.n_ignoreregex++] = TAKE(copy);
	if (span_eq(key, SPAN("prefregex")) && !d->prefregex)
		d->prefregex = TAKE(copy);
	if (span_eq(key, SPAN("datepattern")) && !d->datepattern)
		d->datepattern = TAKE(copy);
	if (span_eq(key, SPAN("maxlines")))
		d->o.maxlines = (unsigned int)strtoul(copy, NULL, 10);
	free(copy);
}

static int definition_read(struct definition *d, const char *path)
{
	struct buf b = BUF_INIT(MAIN_FILE_MAX);
	int r = fd_read_file(AT_FDCWD, path, &b);
	struct span rest = buf_span(&b), head, key;
	int64_t n;

	while (r == 0 && rest.n > 0) {
		if (!span_next_line(&rest, &head) || !span_next_word(&head, "", &key) ||
		    span_to_i64(span_trim(head), &n) != 0 || n < 0 ||
		    (size_t)n >= rest.n) {
			r = -EBADMSG;
			break;
		}
		definition_set(d, key, (struct span){rest.p, (size_t)n});
		rest = span_skip(rest, (size_t)n + 1);
	}
	buf_deinit(&b);
	d->o.failregex = (const char *const *)d->failregex;
	d->o.ignoreregex = (const char *const *)d->ignoreregex;
	d->o.prefregex = d->prefregex;
	d->o.datepattern = d->datepattern;
	return r;
}

static void definition_deinit(struct definition *d)
{
	for (size_t i = 0; i < MAIN_MAX_REGEX; i++) {
		free(d->failregex[i]);
		free(d->ignoreregex[i]);
	}
	free(d->prefregex);
	free(d->datepattern);
}

static void print_failure(
    uint64_t line, struct filter *f, const struct filter_failure *x)
{
	const struct filter_field *fields;
	size_t n;
	struct buf b = BUF_INIT(16 * 1024 * 1024);
	struct jsonw j = jsonw_of(&b);

	jsonw_object(&j);
	jsonw_key(&j, "line");
	jsonw_i64(&j, (int64_t)line);
	jsonw_key(&j, "time");
	jsonw_wall(&j, x->at, true);
	jsonw_key(&j, "id");
	jsonw_span(&j, x->id);
	jsonw_key(&j, "host");
	jsonw_span(&j, x->host);
	jsonw_key(&j, "rule");
	jsonw_i64(&j, x->rule);
	if (x->attempts > 1) {
		jsonw_key(&j, "attempts");
		jsonw_i64(&j, x->attempts);
	}
	jsonw_key(&j, "fields");
	jsonw_object(&j);
	n = filter_fields(f, &fields);
	for (size_t i = 0; i < n; i++) {
		jsonw_key(&j, fields[i].name);
		jsonw_span(&j, fields[i].value);
	}
	jsonw_object_end(&j);
	jsonw_object_end(&j);
	(void)puts(buf_str(&b)); /* the reader of a broken pipe is gone anyway */
	buf_deinit(&b);
}

static int run(struct filter *f, bool is_quiet)
{
	CLEANUP(freep) char *text = NULL;
	size_t room = 0;
	ssize_t n;
	struct line l = {.stamp = WALL_NONE};
	struct filter_failure x;

	while ((n = getline(&text, &room, stdin)) >= 0) {
		int r;

		l.text = (struct span){text, (size_t)n};
		l.number++;
		r = filter_feed(f, &l, NULL, wall_from_sec(MAIN_NOW), &x);
		if (r < 0)
			return r;
		if (r == FILTER_LIMIT)
			(void)fprintf(
			    stderr, "%ju: a limit was hit\n", (uintmax_t)l.number);
		if (r == FILTER_FAILURE && !is_quiet)
			print_failure(l.number, f, &x);
	}
	return 0;
}

int main(int argc, char **argv)
{
	CLEANUP(definition_deinit)
	struct definition d = {.o = {.usedns = FILTER_DNS_RAW}};
	CLEANUP(filter_freep) struct filter *f = NULL;
	bool is_quiet = false;
	struct err e = {""};
	int r;

	if (argc < 2) {
		(void)fprintf(
		    stderr, "usage: match-main FILE [--journal] [--quiet] <LINES\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--journal") == 0)
			d.o.no_date = true;
		if (strcmp(argv[i], "--quiet") == 0)
			is_quiet = true;
	}
	r = definition_read(&d, argv[1]);
	if (r < 0) {
		(void)fprintf(stderr, "%s: %s\n", argv[1], strerror(-r));
		return 2;
	}
	f = filter_new(&d.o, &e);
	if (!f) {
		(void)fprintf(stderr, "%s: %s\n", argv[1], e.text);
		return 2;
	}
	return run(f, is_quiet) < 0 ? 2 : 0;
}
