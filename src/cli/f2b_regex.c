/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fail2ban-regex: what a failregex or a filter makes of a log.
 *
 * The clock stands at 1970 meanwhile, as it does in fail2ban-regex: dates without a
 * year are of that one, and a date serves all lines behind it that have none.
 */
#include "cli/f2b_regex.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "match/ring.h"

#define SHOW_MAX 20

enum { EXIT_GOOD = 0, EXIT_BAD = 255 };

static int bad_pattern(const char *pattern, const struct err *e)
{
	printf("ERROR: Failed to set datepattern '%s' (may be an invalid format or "
	       "unescaped percent char): %s\n",
	    pattern, e->text);
	return -EINVAL;
}

static struct stamp *stamp_of(const char *pattern, const char *timezone, struct err *e)
{
	const struct stamp_options o = {.datepattern = pattern, .timezone = timezone};

	return stamp_new(&o, e);
}

int f2b_say_datepattern(const char *pattern)
{
	struct stamp_template_view first, more;
	struct err e = {""};
	CLEANUP(stamp_freep) struct stamp *s = stamp_of(pattern, NULL, &e);
	const char *name = "Default Detectors";

	if (!s)
		return bad_pattern(pattern, &e);
	if (!stamp_template_at(s, 0, &first))
		name = "^"; /* {NONE}: fits the empty text of any line */
	else if (!stamp_template_at(s, 2, &more))
		name = first.name;
	printf("Use      datepattern : %s : %s\n", pattern, name);
	return 0;
}

static int say_options(const struct f2b_regex_options *o)
{
	struct err e = {""};
	CLEANUP(stamp_freep) struct stamp *s = NULL;

	if (o->maxlines && !o->out)
		printf("Use         maxlines : %d\n", o->maxlines);
	if (o->timezone) {
		s = stamp_of(NULL, o->timezone, &e);
		if (!s) {
			printf("ERROR: Unknown or unsupported time zone: '%s'\n",
			    o->timezone);
			return -EINVAL;
		}
	}
	if (!o->datepattern)
		return 0;
	if (!o->out)
		return f2b_say_datepattern(o->datepattern);
	s = stamp_free(s);
	s = stamp_of(o->datepattern, NULL, &e);
	return s ? 0 : bad_pattern(o->datepattern, &e);
}

static enum filter_usedns usedns_of(const struct f2b_regex_options *o)
{
	if (o->usedns && !strcasecmp(o->usedns, "no"))
		return FILTER_DNS_NO;
	if (o->raw || (o->usedns && !strcasecmp(o->usedns, "raw")))
		return FILTER_DNS_RAW;
	return FILTER_DNS_WARN;
}

static int make_filter(struct f2b_regex *x)
{
	const struct f2b_regex_options *o = x->o;
	const struct f2b_regex_filter *f = x->from;
	struct err e = {""};
	struct filter_options fo = {
	    .prefregex = f->prefregex,
	    .failregex = f->failregex,
	    .n_failregex = f->n_failregex,
	    .rules = f->rules,
	    .n_rules = f->n_rules,
	    .ignoreregex = f->ignoreregex,
	    .n_ignoreregex = f->n_ignoreregex,
	    .datepattern = o->datepattern ? o->datepattern : f->datepattern,
	    .timezone = o->timezone,
	    .usedns = usedns_of(o),
	    .maxlines = x->maxlines,
	    .no_date = x->is_journal,
	};

	x->filter = filter_new(&fo, &e);
	if (!x->filter) {
		printf("ERROR: %s\n", e.text);
		return -EINVAL;
	}
	x->fail = calloc(f->n_failregex + f->n_rules + 1, sizeof(*x->fail));
	x->ignore = calloc(f->n_ignoreregex + 1, sizeof(*x->ignore));
	x->kept = calloc(x->maxlines + 1, sizeof(*x->kept));
	return x->fail && x->ignore && x->kept ? 0 : -ENOMEM;
}

static int run(struct f2b_regex *x, const char *log)
{
	mono_t began;
	int r;

	if (make_filter(x) < 0)
		return EXIT_BAD;
	(void)f2b_regex_input_open(x, log);
	began = mono_now();
	r = f2b_regex_input_run(x, log);
	/* Of a damaged archive what could be read counts. */
	if (r < 0 && r != -EBADMSG)
		return EXIT_BAD;
	if (!x->o->out)
		f2b_regex_print(
		    x, (double)(mono_now().us - began.us) / (double)US_PER_SEC);
	return fflush(stdout) == 0 && r >= 0 ? EXIT_GOOD : EXIT_BAD;
}

static unsigned int maxlines_of(
    const struct f2b_regex_options *o, const struct f2b_regex_filter *f)
{
	unsigned int n = o->maxlines > 0 ? (unsigned int)o->maxlines : f->maxlines;

	return n > RING_LINES_MAX ? RING_LINES_MAX : n;
}

int f2b_regex_main(int argc, char **argv)
{
	struct f2b_regex_options o;
	struct f2b_regex_filter from = {.conf = NULL};
	struct f2b_regex x = {.o = &o, .from = &from};
	int code = f2b_regex_parse(argc, argv, &o);

	if (code >= 0)
		return code;
	(void)setlocale(LC_CTYPE, "");
	if (!o.out)
		puts("\nRunning tests\n=============\n");
	x.is_journal = f2b_regex_is_journal(o.args[0]);
	x.show_max = o.maxlines ? o.maxlines : SHOW_MAX;
	x.out = BUF_INIT(16u << 20);
	x.told_prefix = BUF_INIT(1u << 20);
	code = EXIT_BAD;
	if (say_options(&o) == 0 &&
	    f2b_regex_filter_load(&o, x.is_journal, &from) == 0) {
		x.maxlines = maxlines_of(&o, &from);
		code = run(&x, o.args[0]);
	}
	(void)fflush(stdout);
	f2b_regex_deinit(&x);
	f2b_regex_filter_deinit(&from);
	return code;
}
