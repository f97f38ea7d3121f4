/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of fail2ban-regex: options may stand between arguments, long ones
 * may be shortened as long as it is clear which is meant; wrong usage ends with 2.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/f2b_names.h"
#include "cli/f2b_regex.h"
#include "config.h"

enum kind { FLAG, TEXT, NUMBER, COUNT, HELP, VERSION, SHORT_VERSION, NOTHING };

struct option_spec {
	char letter; /* 0: none */
	const char *names[2];
	enum kind kind;
	size_t offset; /* in struct f2b_regex_options */
};

#define AT(member) offsetof(struct f2b_regex_options, member)

static const struct option_spec specs[] = {
    {'c', {"--config"}, TEXT, AT(config_dir)},
    {'d', {"--datepattern"}, TEXT, AT(datepattern)},
    {0, {"--timezone", "--TZ"}, TEXT, AT(timezone)},
    {'e', {"--encoding"}, TEXT, AT(encoding)},
    {'r', {"--raw"}, FLAG, AT(raw)},
    {0, {"--usedns"}, TEXT, AT(usedns)},
    {'L', {"--maxlines"}, NUMBER, AT(maxlines)},
    {'m', {"--journalmatch"}, TEXT, AT(journalmatch)},
    {'l', {"--log-level"}, TEXT, AT(log_level)},
    {'V', {NULL}, SHORT_VERSION, 0},
    {'v', {"--verbose"}, COUNT, AT(verbose)},
    {0, {"--verbosity"}, NUMBER, AT(verbose)},
    {0, {"--verbose-date", "--VD"}, FLAG, AT(verbose_date)},
    {'D', {"--debuggex"}, FLAG, AT(debuggex)},
    {0, {"--no-check-all"}, FLAG, AT(no_check_all)},
    {'o', {"--out"}, TEXT, AT(out)},
    {0, {"--print-no-missed"}, FLAG, AT(print_no_missed)},
    {0, {"--print-no-ignored"}, FLAG, AT(print_no_ignored)},
    {0, {"--print-all-matched"}, FLAG, AT(print_all_matched)},
    {0, {"--print-all-missed"}, FLAG, AT(print_all_missed)},
    {0, {"--print-all-ignored"}, FLAG, AT(print_all_ignored)},
    {'t', {"--log-traceback"}, NOTHING, 0},
    {0, {"--full-traceback"}, NOTHING, 0},
    {'h', {"--help"}, HELP, 0},
    {0, {"--version"}, VERSION, 0},
};

static const char help[] =
    "\n"
    "Shows what failregexes, or a filter of the configuration, make of a log.\n"
    "\n"
    "LOG:\n"
    "  a file, the text of one or more lines, or systemd-journal[journalpath=...]\n"
    "REGEX:\n"
    "  a failregex, the name of a filter with options (sshd[mode=aggressive]),\n"
    "  or the path of a filter file\n"
    "IGNOREREGEX:\n"
    "  an ignoreregex, in place of the filter's\n"
    "\n"
    "Options:\n"
    "  --version             show the version\n"
    "  -h, --help            show this\n"
    "  -c CONFIG, --config=CONFIG\n"
    "                        configuration folder\n"
    "  -d DATEPATTERN, --datepattern=DATEPATTERN\n"
    "                        how dates are written, in place of the filter's\n"
    "  --timezone=TIMEZONE, --TZ=TIMEZONE\n"
    "                        zone of dates that do not tell theirs\n"
    "  -e ENCODING, --encoding=ENCODING\n"
    "                        of the log; the locale's if not given\n"
    "  -r, --raw             take host names as they stand, look nothing up\n"
    "  --usedns=USEDNS       yes, warn, no (<HOST> takes addresses only) or raw\n"
    "  -L MAXLINES, --maxlines=MAXLINES\n"
    "                        lines that a regex may span\n"
    "  -m JOURNALMATCH, --journalmatch=JOURNALMATCH\n"
    "                        entries of the journal, in place of the filter's\n"
    "  -l LOG_LEVEL, --log-level=LOG_LEVEL\n"
    "                        accepted\n"
    "  -V                    show the version, the number alone\n"
    "  -v, --verbose         say more; may be repeated\n"
    "  --verbosity=VERBOSE   the same as a number (0..4)\n"
    "  --verbose-date, --VD  show patterns and regexes of date templates\n"
    "  -D, --debuggex        show links to debuggex.com\n"
    "  --no-check-all        stop at the first regex that matches\n"
    "  -o OUT, --out=OUT     print only what was found: id, ip, msg, row, the name of\n"
    "                        a group, or text with tags like <ip> and <F-USER>\n"
    "  --print-no-missed     do not print missed lines\n"
    "  --print-no-ignored    do not print ignored lines\n"
    "  --print-all-matched   print all matched lines\n"
    "  --print-all-missed    print all missed lines, no matter how many\n"
    "  --print-all-ignored   print all ignored lines, no matter how many\n"
    "  -t, --log-traceback   accepted\n"
    "  --full-traceback      accepted\n";

static const char *program;

static void print_usage(FILE *to)
{
	fprintf(to, "Usage: %s [OPTIONS] <LOG> <REGEX> [IGNOREREGEX]\n", program);
}

static int wrong(const char *fmt, ...) PRINTF_LIKE(1, 2);

static int wrong(const char *fmt, ...)
{
	va_list ap;

	print_usage(stderr);
	fprintf(stderr, "\n%s: error: ", f2b_base_name(program));
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 2;
}

static int wrong_ambiguous(struct span name)
{
	const char *found[2 * ARRAY_LEN(specs)];
	struct buf list = BUF_INIT(4096);
	size_t n = 0;
	int code;

	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		for (size_t k = 0; k < 2 && specs[i].names[k]; k++) {
			if (span_starts(span_of(specs[i].names[k]), name))
				found[n++] = specs[i].names[k];
		}
	}
	qsort(found, n, sizeof(found[0]), f2b_compare_texts);
	for (size_t i = 0; i < n; i++)
		buf_printf(&list, "%s%s", i ? ", " : "", found[i]);
	code = wrong(
	    "ambiguous option: " SPAN_FMT " (%s?)", SPAN_ARG(name), buf_str(&list));
	buf_deinit(&list);
	return code;
}

/* Return: how many options @name may mean; @out is one of them. */
static size_t find_long(struct span name, const struct option_spec **out)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		for (size_t k = 0; k < 2 && specs[i].names[k]; k++) {
			struct span full = span_of(specs[i].names[k]);

			if (span_eq(full, name)) {
				*out = &specs[i];
				return 1;
			}
			if (span_starts(full, name)) {
				*out = &specs[i];
				n++;
			}
		}
	}
	return n;
}

static const struct option_spec *find_short(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		if (specs[i].letter == letter)
			return &specs[i];
	}
	return NULL;
}

static bool takes_value(const struct option_spec *s)
{
	return s->kind == TEXT || s->kind == NUMBER;
}

static int set_number(int *at, struct span name, const char *value)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(value, &end, 0);
	if (errno || end == value || *end || v < INT_MIN || v > INT_MAX)
		return wrong("option " SPAN_FMT ": invalid integer value: '%s'",
		    SPAN_ARG(name), value);
	*at = (int)v;
	return -1;
}

static int print_help(void)
{
	print_usage(stdout);
	fputs(help, stdout);
	return 0;
}

/* Return: -1 or an exit code. */
static int apply(struct f2b_regex_options *o, const struct option_spec *s,
    struct span name, const char *value)
{
	void *at = (char *)o + s->offset;

	switch (s->kind) {
	case FLAG:
		*(bool *)at = true;
		break;
	case TEXT:
		*(const char **)at = value;
		break;
	case NUMBER:
		return set_number(at, name, value);
	case COUNT:
		++*(int *)at;
		break;
	case HELP:
		return print_help();
	case VERSION:
		printf("%s %s\n", f2b_base_name(program), F2B_VERSION);
		return 0;
	case SHORT_VERSION:
		puts(F2B_VERSION);
		return 0;
	case NOTHING:
		break;
	}
	return -1;
}

static int parse_long(struct f2b_regex_options *o, char **argv, int argc, int *i)
{
	struct span arg = span_of(argv[*i]), name = arg;
	ptrdiff_t eq = span_index(arg, '=');
	const char *value = NULL;
	const struct option_spec *s = NULL;
	size_t n;

	if (eq >= 0) {
		name.n = (size_t)eq;
		value = arg.p + eq + 1;
	}
	n = find_long(name, &s);
	if (n == 0)
		return wrong("no such option: " SPAN_FMT, SPAN_ARG(name));
	if (n > 1)
		return wrong_ambiguous(name);
	if (s->names[0] && span_starts(span_of(s->names[0]), name))
		name = span_of(s->names[0]);
	else if (s->names[1])
		name = span_of(s->names[1]);
	if (takes_value(s) && !value) {
		if (*i + 1 >= argc)
			return wrong(
			    SPAN_FMT " option requires 1 argument", SPAN_ARG(name));
		value = argv[++*i];
	} else if (!takes_value(s) && value) {
		return wrong(SPAN_FMT " option does not take a value", SPAN_ARG(name));
	}
	return apply(o, s, name, value);
}

static int parse_short(struct f2b_regex_options *o, char **argv, int argc, int *i)
{
	const char *arg = argv[*i];

	for (const char *p = arg + 1; *p; p++) {
		const struct option_spec *s = find_short(*p);
		char name[3] = {'-', *p, 0};
		int code;

		if (!s)
			return wrong("no such option: %s", name);
		if (takes_value(s)) {
			const char *value = p[1] ? p + 1 : NULL;

			if (!value && *i + 1 >= argc)
				return wrong("%s option requires 1 argument", name);
			return apply(o, s, span_of(name), value ? value : argv[++*i]);
		}
		code = apply(o, s, span_of(name), NULL);
		if (code >= 0)
			return code;
	}
	return -1;
}

static int check(const struct f2b_regex_options *o)
{
	struct buf b = BUF_INIT(4096);

	if (o->print_no_missed && o->print_all_missed)
		buf_add_str(&b, "ERROR: --print-no-missed and --print-all-missed are "
				"mutually exclusive.\n");
	if (o->print_no_ignored && o->print_all_ignored)
		buf_add_str(&b, "ERROR: --print-no-ignored and --print-all-ignored are "
				"mutually exclusive.\n");
	if (o->n_args != 2 && o->n_args != 3)
		buf_add_str(&b, "ERROR: provide both <LOG> and <REGEX>.\n");
	if (b.n == 0)
		return -1;
	(void)print_help();
	fflush(stdout);
	fprintf(stderr, "\n%s", buf_str(&b));
	buf_deinit(&b);
	return 255;
}

int f2b_regex_parse(int argc, char **argv, struct f2b_regex_options *o)
{
	bool is_over = false;

	program = argv[0];
	*o = (struct f2b_regex_options){
	    .config_dir = f2b_config_dir(), .encoding = "UTF-8"};
	for (int i = 1; i < argc; i++) {
		int code = -1;

		if (is_over || argv[i][0] != '-' || !argv[i][1]) {
			if (o->n_args < 3)
				o->args[o->n_args] = argv[i];
			o->n_args++;
		} else if (!strcmp(argv[i], "--")) {
			is_over = true;
		} else if (argv[i][1] == '-') {
			code = parse_long(o, argv, argc, &i);
		} else {
			code = parse_short(o, argv, argc, &i);
		}
		if (code >= 0)
			return code;
	}
	return check(o);
}
