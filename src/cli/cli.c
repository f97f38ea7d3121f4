/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/f2b_names.h"
#include "config.h"

static const struct cli_verb *const verbs[] = {&cli_status, &cli_banned, &cli_why,
    &cli_report, &cli_ban, &cli_unban, &cli_reload, &cli_stop, &cli_ping, &cli_check,
    &cli_match, &cli_scan, &cli_backtest, &cli_explain, &cli_import};

static void print_overview(FILE *to)
{
	fputs("usage: bandog VERB [OPTIONS] [ARGUMENTS]\n\n", to);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		fprintf(to, "  %-8s %s\n", verbs[i]->name, verbs[i]->summary);
	fputs("\n"
	      "'bandog fail2ban-regex ...' is that program; see bandog(1).\n"
	      "Every verb knows --help, --json, --config-dir DIR (" BANDOG_CONFIG_DIR
	      "),\n"
	      "--state-dir DIR (" BANDOG_STATE_DIR
	      ") and --run-dir DIR (" BANDOG_RUN_DIR ").\n"
	      "Exit: 0 done, 1 the answer is no, 2 it could not be done, 64 wrong "
	      "usage.\n"
	      "See bandog(1); the daemon is bandogd(8).\n",
	    to);
}

static void print_help(const struct cli_verb *v)
{
	printf("usage: bandog %s%s%s\n\n%s.\n", v->name, *v->synopsis ? " " : "",
	    v->synopsis, v->summary);
	if (*v->help)
		printf("\n%s", v->help);
}

int cli_usage(const struct cli_verb *v, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "bandog %s: ", v->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nTry 'bandog %s --help'.\n", v->name);
	return CLI_USAGE;
}

struct cli_options cli_defaults(void)
{
	return (struct cli_options){
	    .config_dir = BANDOG_CONFIG_DIR,
	    .state_dir = BANDOG_STATE_DIR,
	    .run_dir = BANDOG_RUN_DIR,
	};
}

int cli_common(const struct cli_verb *v, int opt, struct cli_options *o)
{
	switch (opt) {
	case CLI_OPT_CONFIG:
		o->config_dir = optarg;
		return -1;
	case CLI_OPT_STATE:
		o->state_dir = optarg;
		return -1;
	case CLI_OPT_RUN:
		o->run_dir = optarg;
		return -1;
	case CLI_OPT_JSON:
		o->json = true;
		return -1;
	case 'h':
		print_help(v);
		return CLI_OK;
	default: /* getopt has said what is wrong */
		fprintf(stderr, "Try 'bandog %s --help'.\n", v->name);
		return CLI_USAGE;
	}
}

void cli_print_diag(const struct diag *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct buf b = BUF_INIT(1 << 20);

		diag_format(&d->items[i], &b);
		fprintf(stderr, "%s\n", buf_str(&b));
		buf_deinit(&b);
	}
	if (d->n_dropped)
		fprintf(stderr, "... and %zu more\n", d->n_dropped);
}

int cli_time(
    const struct cli_verb *v, const char *option, const char *text, wall_t *out)
{
	*out = wall_now();
	if (!text || wall_parse(span_of(text), *out, out) == 0)
		return 0;
	return cli_usage(v,
	    "%s: '%s' is no time (try 2026-11-24T04:05:06, @1795420764 or -2h)", option,
	    text);
}

int cli_main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	int code;

	if (f2b_names_run(argc, argv, &code) ||
	    (argc > 1 && f2b_names_run(argc - 1, argv + 1, &code)))
		return code;
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		puts("bandog " BANDOG_VERSION);
		return CLI_OK;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		print_overview(stdout);
		return CLI_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (!strcmp(name, verbs[i]->name))
			return verbs[i]->run(verbs[i], argc - 1, argv + 1);
	}
	if (*name)
		fprintf(stderr, "bandog: there is no verb '%s'\n\n", name);
	print_overview(stderr);
	return CLI_USAGE;
}
