/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bandog check: what is wrong with a configuration, or what it comes to. */
#include <stdio.h>

#include "cli/cli.h"
#include "pipeline/setup.h"

enum { OPT_DUMP = CLI_OWN, OPT_ALL };

static int run(const struct cli_verb *v, int argc, char **argv)
{
	static const struct option options[] = {CLI_COMMON_OPTIONS,
	    {"dump", no_argument, NULL, OPT_DUMP}, {"all", no_argument, NULL, OPT_ALL},
	    {NULL, 0, NULL, 0}};
	struct cli_options o = cli_defaults();
	CLEANUP(setup_freep) struct setup *s = NULL;
	struct diag d = {0};
	bool dump = false, all = false;
	int c, code;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == OPT_DUMP)
			dump = true;
		else if (c == OPT_ALL)
			all = true;
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
	if (!dump && o.json)
		printf("{\"errors\":%zu,\"warnings\":%zu,\"jails\":%u,\"logs\":%u}\n",
		    d.n_errors, d.n_warnings, s ? s->n_jails : 0, s ? s->n_sources : 0);
	else if (!dump)
		printf("%s: %zu errors, %zu warnings; %u jails, %u logs\n",
		    o.config_dir, d.n_errors, d.n_warnings, s ? s->n_jails : 0,
		    s ? s->n_sources : 0);
	diag_deinit(&d);
	return code;
}

const struct cli_verb cli_check = {
    .name = "check",
    .synopsis = "[--config-dir DIR] [--dump] [--all] [--json]",
    .summary = "Say what is wrong with the configuration, all of it at once",
    .help = "Reads everything the daemon would read and compiles every regex. Mistakes "
	    "go to\n"
	    "standard error as FILE:LINE:COLUMN: error: what is wrong, what was "
	    "expected.\n\n"
	    "  --dump   print the effective configuration, each value with its file "
	    "and line\n"
	    "  --all    treat all jails as enabled\n"
	    "Exit: 0 no errors (there may be warnings), 1 errors, 2 nothing could be "
	    "read.\n",
    .run = run,
};
