/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bandog check: what is wrong with a configuration, or what it comes to. */
#include <stdio.h>

#include "cli/check_regexes.h"
#include "cli/cli.h"
#include "pipeline/setup.h"

enum { OPT_DUMP = CLI_OWN, OPT_ALL, OPT_VERBOSE };

static void show_counts(const struct cli_options *o, const struct diag *d,
    const struct setup *s, const struct check_regexes *r)
{
	uint32_t n_jails = s ? s->n_jails : 0, n_logs = s ? s->n_sources : 0;

	if (o->json) {
		printf("{\"errors\":%zu,\"warnings\":%zu,\"jails\":%u,\"logs\":%u",
		    d->n_errors, d->n_warnings, n_jails, n_logs);
		if (r)
			printf(
			    ",\"regexes\":%zu,\"on_every_line\":%zu,\"literals\":%zu,"
			    "\"scanner\":\"%s\"",
			    r->n_regexes, r->n_on_every_line, r->n_literals,
			    r->scanner);
		puts("}");
		return;
	}
	printf("%s: %zu errors, %zu warnings; %u jails, %u logs\n", o->config_dir,
	    d->n_errors, d->n_warnings, n_jails, n_logs);
	if (r)
		printf(
		    "%zu regexes, %zu of them tried on every line; the others wait for "
		    "%zu literals (%s)\n",
		    r->n_regexes, r->n_on_every_line, r->n_literals, r->scanner);
}

/* With --verbose: what the regexes cost. Return: the exit code. */
static int show_verbose(
    const struct cli_options *o, const struct diag *d, const struct setup *s)
{
	struct buf out = BUF_INIT(64u << 20);
	struct check_regexes counts;
	struct err e = {""};
	int r = check_regexes(s, &counts, &out, &e);

	if (!o->json)
		fwrite(buf_str(&out), 1, out.n, stdout);
	buf_deinit(&out);
	if (r < 0)
		fprintf(stderr, "bandog check: %s\n", e.text);
	show_counts(o, d, s, r < 0 ? NULL : &counts);
	return r < 0 ? CLI_FAILED : CLI_OK;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
	static const struct option options[] = {CLI_COMMON_OPTIONS,
	    {"dump", no_argument, NULL, OPT_DUMP}, {"all", no_argument, NULL, OPT_ALL},
	    {"verbose", no_argument, NULL, OPT_VERBOSE}, {NULL, 0, NULL, 0}};
	struct cli_options o = cli_defaults();
	CLEANUP(setup_freep) struct setup *s = NULL;
	struct diag d = {0};
	bool dump = false, all = false, verbose = false;
	int c, code;

	while ((c = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		if (c == OPT_DUMP)
			dump = true;
		else if (c == OPT_ALL)
			all = true;
		else if (c == OPT_VERBOSE || c == 'v')
			verbose = true;
		else if ((code = cli_common(v, c, &o)) >= 0)
			return code;
	}
	if (optind < argc)
		return cli_usage(v, "unexpected argument '%s'", argv[optind]);
	CLEANUP(conf_freep)
	struct conf *conf = conf_load(
	    o.config_dir, NULL, (all ? CONF_ALL : 0) | CONF_LOOK_FOR_LOGS, &d);

	if (conf && setup_build(conf, &d, &s) < 0)
		fputs("bandog check: out of memory\n", stderr);
	cli_print_diag(&d);
	if (conf && dump) {
		struct buf b = BUF_INIT(64u << 20);

		conf_dump(conf, o.json, &b);
		fwrite(buf_str(&b), 1, b.n, stdout);
		buf_deinit(&b);
	}
	code = !s ? CLI_FAILED : d.n_errors ? CLI_NO : CLI_OK;
	if (d.n_errors)
		code = CLI_NO;
	if (!dump && verbose && s) {
		int more = show_verbose(&o, &d, s);

		code = more != CLI_OK ? more : code;
	} else if (!dump) {
		show_counts(&o, &d, s, NULL);
	}
	diag_deinit(&d);
	return code;
}

const struct cli_verb cli_check = {
    .name = "check",
    .synopsis = "[--config-dir DIR] [--dump] [--all] [--verbose] [--json]",
    .summary = "Say what is wrong with the configuration, all of it at once",
    .help = "Reads everything the daemon would read and compiles every regex. Mistakes "
	    "go to\n"
	    "standard error as FILE:LINE:COLUMN: error: what is wrong, what was "
	    "expected.\n\n"
	    "  --dump   print the effective configuration, each value with its file "
	    "and line\n"
	    "  --all    treat all jails as enabled\n"
	    "  -v, --verbose  also name regexes that have to be tried on every line\n"
	    "Exit: 0 no errors (there may be warnings), 1 errors, 2 nothing could be "
	    "read.\n",
    .run = run,
};
