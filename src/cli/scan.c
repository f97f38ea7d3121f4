/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bandog scan: replay logs through whole jails (scan_replay.c). With --last it does the
 * work of a shell script instead (scan_tail.c).
 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/scan_replay.h"
#include "cli/scan_tail.h"

#define MAX_JAIL_ARGS 256

enum {
	OPT_JAIL = CLI_OWN,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_NOW,
	OPT_QUIET,
	OPT_CORES,
	OPT_SLOT_BYTES,
	OPT_LAST,
	OPT_HOUR,
	OPT_LIMIT,
	OPT_GREP,
	OPT_APPLY,
	OPT_PORT,
	OPT_INTERFACE,
	OPT_FOR
};

struct scan_options {
	struct scan_replay_options replay;
	const char *jails[MAX_JAIL_ARGS + 1];
	size_t n_jails;
	const char *since_text, *until_text, *now_text;
	int64_t n_cores, slot_bytes;
	bool is_tail; /* an option of the script's work was given */
	struct scan_tail_options tail;
};

static int whole_number(
    const struct cli_verb *v, const char *option, const char *text, int64_t *out)
{
	if (span_to_i64(span_of(text), out) == 0 && *out > 0 && *out <= 10000000)
		return -1;
	return cli_usage(v, "%s: '%s' is not a positive whole number", option, text);
}

/* Return: -1 if it was one of ours and fine, else the exit code. */
static int take_option(const struct cli_verb *v, int c, struct scan_options *o)
{
	struct scan_tail_options *t = &o->tail;

	if (c >= OPT_LAST)
		o->is_tail = true;
	switch (c) {
	case OPT_JAIL:
		if (o->n_jails == MAX_JAIL_ARGS)
			return cli_usage(v, "more than %d jails", MAX_JAIL_ARGS);
		o->jails[o->n_jails++] = optarg;
		return -1;
	case OPT_SINCE:
		o->since_text = optarg;
		return -1;
	case OPT_UNTIL:
		o->until_text = optarg;
		return -1;
	case OPT_NOW:
		o->now_text = optarg;
		return -1;
	case OPT_QUIET:
		o->replay.is_quiet = true;
		return -1;
	case OPT_CORES:
		return whole_number(v, "--cores", optarg, &o->n_cores);
	case OPT_SLOT_BYTES:
		return whole_number(v, "--slot-bytes", optarg, &o->slot_bytes);
	case OPT_LAST:
		return whole_number(v, "--last", optarg, &t->last);
	case OPT_LIMIT:
		return whole_number(v, "--limit", optarg, &t->limit);
	case OPT_HOUR:
		t->this_hour = true;
		return -1;
	case OPT_GREP:
		t->grep = optarg;
		return -1;
	case OPT_APPLY:
		t->apply = true;
		return -1;
	case OPT_PORT:
		t->port = optarg;
		return -1;
	case OPT_INTERFACE:
		t->interface = optarg;
		return -1;
	case OPT_FOR:
		if (duration_parse(span_of(optarg), &t->for_sec) == 0)
			return -1;
		return cli_usage(
		    v, "--for: '%s' is no duration (try 1d, 12h, -1)", optarg);
	default:
		return cli_common(v, c, &o->replay.common);
	}
}

/* Return: 0 or CLI_USAGE. */
static int settle_times(const struct cli_verb *v, struct scan_options *o)
{
	struct scan_replay_options *r = &o->replay;
	int code = cli_time(v, "--now", o->now_text, &r->now);

	r->is_now_given = o->now_text;
	r->since = WALL_NONE;
	r->until = WALL_NEVER;
	if (!code && o->since_text)
		code = cli_time(v, "--since", o->since_text, &r->since);
	if (!code && o->until_text)
		code = cli_time(v, "--until", o->until_text, &r->until);
	return code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
	static const struct option options[] = {CLI_COMMON_OPTIONS,
	    {"jail", required_argument, NULL, OPT_JAIL},
	    {"since", required_argument, NULL, OPT_SINCE},
	    {"until", required_argument, NULL, OPT_UNTIL},
	    {"now", required_argument, NULL, OPT_NOW},
	    {"quiet", no_argument, NULL, OPT_QUIET},
	    {"cores", required_argument, NULL, OPT_CORES},
	    /* For tests: see scan_cores_options. */
	    {"slot-bytes", required_argument, NULL, OPT_SLOT_BYTES},
	    {"last", required_argument, NULL, OPT_LAST},
	    {"this-hour", no_argument, NULL, OPT_HOUR},
	    {"limit", required_argument, NULL, OPT_LIMIT},
	    {"grep", required_argument, NULL, OPT_GREP},
	    {"apply", no_argument, NULL, OPT_APPLY},
	    {"port", required_argument, NULL, OPT_PORT},
	    {"interface", required_argument, NULL, OPT_INTERFACE},
	    {"for", required_argument, NULL, OPT_FOR}, {NULL, 0, NULL, 0}};
	struct scan_options o = {
	    .replay.common = cli_defaults(), .tail = scan_tail_defaults()};
	int c, code;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if ((code = take_option(v, c, &o)) >= 0)
			return code;
	}
	if (optind == argc)
		return cli_usage(
		    v, "at least one log is needed ('-' reads standard input)");
	code = settle_times(v, &o);
	if (code)
		return code;
	o.replay.n_cores = (unsigned int)o.n_cores;
	o.replay.slot_bytes = (size_t)o.slot_bytes;
	o.replay.jails = o.n_jails ? o.jails : NULL;
	if (!o.is_tail)
		return scan_replay(&o.replay, argv + optind, (size_t)(argc - optind));
	if (optind + 1 != argc)
		return cli_usage(
		    v, "with --last, --limit and the like exactly one log");
	return scan_tail(&o.replay.common, &o.tail, o.replay.now, argv[optind]);
}

const struct cli_verb cli_scan = {
    .name = "scan",
    .synopsis =
	"[--jail NAME]... [--since T] [--until T] [--now T] [--quiet] [--json] "
	"LOG...|-\n"
	"       bandog scan --last N --this-hour --limit N [--grep TEXT] [--apply] LOG",
    .summary = "Replay logs through jails and show what would be decided",
    .help =
	"All enabled jails see all lines, whatever their logpath; time is that of the "
	"log.\n"
	"Logs may be compressed, and are read in the order of time, in whatever order "
	"they\n"
	"are named. Ctrl-C shows what was found so far.\n"
	"  --jail NAME   only this jail, enabled or not; may be repeated\n"
	"  --since T     failures before T do not count; --until T: nor those after "
	"it\n"
	"  --now T       the clock, which settles the year of dates without one (else "
	"the\n"
	"                time at which the file was changed last)\n"
	"  --quiet       no progress on the terminal\n"
	"  --cores N     share a long log between so many cores (those there are, up "
	"to 8);\n"
	"                what is decided is the same\n"
	"  --json        one object a decision, then a summary\n"
	"\n"
	"Counting instead of jails, as a shell script run by cron would:\n"
	"  --last N      look at the last N lines (400)\n"
	"  --this-hour   only lines of the current hour\n"
	"  --grep TEXT   only lines with this text ('reject:')\n"
	"  --limit N     from so many lines on an address is blocked (5)\n"
	"  --apply       drop it: through the running daemon's jail 'scan', or without "
	"a\n"
	"                daemon straight in the kernel\n"
	"  --port P      what to close for it (25); --interface I: only there (any)\n"
	"  --for TIME    for how long (1d; -1: for ever)\n"
	"What was blocked is remembered in the state directory from run to run.\n",
    .run = run,
};
