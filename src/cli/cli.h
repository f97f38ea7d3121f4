/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * cli - bandog's verbs: one file each, one table
 *
 * Exit codes of all verbs: 0 done; 1 done, and the answer is no (errors found, not
 * banned, refused); 2 it could not be done (no daemon, no such file); 64 wrong usage.
 */

#include <getopt.h>
#include <stdbool.h>

#include "base/clock.h"
#include "conf/diag.h"

enum { CLI_OK = 0, CLI_NO = 1, CLI_FAILED = 2, CLI_USAGE = 64 };

struct cli_options {
	const char *config_dir;
	const char *state_dir;
	const char *run_dir;
	bool json;
};

/* A verb gets what stands behind its name; argv[0] is the verb. */
struct cli_verb {
	const char *name;
	const char *synopsis; /* after the name */
	const char *summary;  /* one line */
	const char *help;     /* paragraphs and options, for --help */
	int (*run)(const struct cli_verb *v, int argc, char **argv);
};

extern const struct cli_verb cli_check, cli_match, cli_scan, cli_status, cli_banned,
    cli_ban, cli_unban, cli_why, cli_report, cli_reload, cli_stop, cli_ping, cli_import,
    cli_backtest, cli_explain;

int cli_main(int argc, char **argv);

/* Options every verb knows; a verb's own long options have values from CLI_OWN. */
enum { CLI_OPT_CONFIG = 256, CLI_OPT_STATE, CLI_OPT_RUN, CLI_OPT_JSON, CLI_OWN };
#define CLI_COMMON_OPTIONS                                         \
	{"config-dir", required_argument, NULL, CLI_OPT_CONFIG},   \
	    {"state-dir", required_argument, NULL, CLI_OPT_STATE}, \
	    {"run-dir", required_argument, NULL, CLI_OPT_RUN},     \
	    {"json", no_argument, NULL, CLI_OPT_JSON},             \
	{                                                          \
		"help", no_argument, NULL, 'h'                     \
	}

struct cli_options cli_defaults(void);

/**
 * cli_common() - handle an option that every verb knows
 * @opt: what getopt_long() gave
 *
 * Return: -1: handled; else the exit code with which to end (--help, wrong usage).
 */
int cli_common(const struct cli_verb *v, int opt, struct cli_options *o);

int cli_usage(const struct cli_verb *v, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* All diagnostics to stderr. */
void cli_print_diag(const struct diag *d);

/* A time or "now" for @text NULL; prints why not. Return: 0 or CLI_USAGE. */
int cli_time(
    const struct cli_verb *v, const char *option, const char *text, wall_t *out);
