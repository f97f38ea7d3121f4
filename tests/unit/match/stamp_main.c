/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stamp-main - dates of the lines on stdin, one answer per line
 *
 * For tests/compat/stamp_oracle.py. Prints "start end epoch", the epoch with six digits
 * behind the point or "none" where there is no such date, or "-" for a line without a
 * date. With -T each line begins with the time it is read at and a tab.
 */

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "match/stamp.h"

static int usage(void)
{
	(void)fputs(
	    "usage: stamp-main [-p datepattern] [-z timezone] [-n now] [-s] [-T] "
	    "[-v]\n",
	    stderr);
	return 2;
}

static void answer(struct stamp *s, struct span line, wall_t now, bool is_verbose)
{
	struct stamp_result r = {0};

	if (!stamp_find(s, line, now, &r))
		(void)printf("-");
	else if (r.at.us == WALL_NONE.us)
		(void)printf("%zu %zu none", r.start, r.end);
	else
		(void)printf("%zu %zu %" PRId64 ".%06" PRId64, r.start, r.end,
		    r.at.us / US_PER_SEC, r.at.us % US_PER_SEC);
	stamp_keep(s, now);
	if (is_verbose)
		(void)printf(
		    "\t%s", stamp_template_name(s) ? stamp_template_name(s) : "-");
	(void)printf("\n");
}

int main(int argc, char **argv)
{
	struct stamp_options o = {NULL};
	struct err e;
	CLEANUP(stamp_freep) struct stamp *s = NULL;
	CLEANUP(freep) char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int64_t now_sec = 0;
	bool by_regex = false, has_times = false, is_verbose = false;
	int c;

	while ((c = getopt(argc, argv, "p:z:n:sTv")) != -1) {
		if (c == 'p')
			o.datepattern = optarg;
		else if (c == 'z')
			o.timezone = optarg;
		else if (c == 's')
			by_regex = true;
		else if (c == 'T')
			has_times = true;
		else if (c == 'v')
			is_verbose = true;
		else if (c != 'n' || span_to_i64(span_of(optarg), &now_sec) < 0)
			return usage();
	}
	tzset();
	s = stamp_new(&o, &e);
	if (!s) {
		(void)fprintf(stderr, "stamp-main: %s\n", e.text);
		return 1;
	}
	stamp_use_hand(s, !by_regex);
	while ((n = getline(&line, &room, stdin)) > 0) {
		struct span text = {line, (size_t)n};
		ptrdiff_t tab = has_times ? span_index(text, '\t') : -1;

		if (text.p[text.n - 1] == '\n')
			text.n--;
		if (tab >= 0) {
			(void)span_to_i64((struct span){text.p, (size_t)tab}, &now_sec);
			text = span_skip(text, (size_t)tab + 1);
		}
		answer(s, text, wall_from_sec(now_sec), is_verbose);
	}
	return 0;
}
