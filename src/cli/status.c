/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bandog status: how the daemon is, and each jail. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/client.h"
#include "cli/table.h"
#include "decide/pressure.h"
#include "enforce/guard.h"

/* What the guard has not let through, by reason; nothing if there is none. */
static void print_guard(const json_t *guard)
{
	bool any = false;

	for (int i = GUARD_OK + 1; i < GUARD_N_REASONS; i++) {
		enum guard_reason reason = (enum guard_reason)i;
		int64_t n = client_number(guard, guard_reason_name(reason));

		if (!n)
			continue;
		printf("%s%7" PRId64 "  %s\n", any ? "" : "\nbans refused, or late:\n",
		    n, guard_reason_text(reason));
		any = true;
	}
}

/* What is not as configured just now, and why. */
static void print_pressure(const json_t *jail)
{
	int64_t level = client_number(jail, "pressure");
	const char *rule = json_string_value(json_object_get(jail, "pressure_rule"));

	if (level)
		printf("jail %s%s%s: %s of maxretry bans, since there is a broad "
		       "attack or was one within six hours; %" PRId64
		       " addresses%s offended in the last one\n",
		    client_text(jail, "name"), rule ? ", rule " : "", rule ? rule : "",
		    level > 1 ? "a quarter" : "a half",
		    client_number(jail, "offenders"),
		    client_number(jail, "offenders") >= PRESSURE_ROOM ? " or more"
								      : "");
}

static void print_suspended(const json_t *s)
{
	const char *name = json_string_value(json_object_get(s, "name"));

	printf("jail %s: rule %s (%" PRId64
	       ") counts against nobody now: the fault may "
	       "be ours\n",
	    client_text(s, "jail"), name ? name : "failregex",
	    client_number(s, "rule"));
}

static void print_all(const json_t *a)
{
	struct table *t = table_new((const char *[]){"JAIL", "BANNED",
	    "BANNED SINCE START", "FAILING", "FAILURES", "LINES", NULL});
	struct buf up = BUF_INIT(64);
	const json_t *jail;
	size_t i;

	duration_format(&up, client_number(a, "uptime"));
	printf("bandogd %s, up %s; %" PRId64 " bans, %" PRId64
	       " addresses under watch%s\n\n",
	    client_text(a, "version"), buf_str(&up), client_number(a, "bans"),
	    client_number(a, "tracked"),
	    json_is_true(json_object_get(a, "dry_run"))
		? "; dry run: nothing is blocked"
		: "");
	buf_deinit(&up);
	if (!json_is_true(json_object_get(a, "enforcing")) &&
	    !json_is_true(json_object_get(a, "dry_run")))
		puts("Not all new bans are carried out just now: see bandogd's log.\n");
	json_array_foreach(json_object_get(a, "jails"), i, jail)
	{
		static const char *const keys[] = {"banned_now", "banned_total",
		    "failed_now", "failed_total", "lines"};
		char cell[ARRAY_LEN(keys)][24];

		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			snprintf(cell[k], sizeof(cell[k]), "%" PRId64,
			    client_number(jail, keys[k]));
		table_row(t, (const char *[]){client_text(jail, "name"), cell[0],
				 cell[1], cell[2], cell[3], cell[4]});
	}
	table_print(t);
	table_free(t);
	json_array_foreach(json_object_get(a, "jails"), i, jail) print_pressure(jail);
	json_array_foreach(json_object_get(a, "suspended"), i, jail)
	    print_suspended(jail);
	print_guard(json_object_get(a, "guard"));
	json_array_foreach(json_object_get(a, "left_out"), i, jail)
	    printf("%sjail %s is left out: %s\n", i ? "" : "\n",
		client_text(jail, "name"), client_text(jail, "why"));
}

static void print_steps(const json_t *steps)
{
	const json_t *step;
	size_t i;

	json_array_foreach(steps, i, step)
	{
		struct buf time = BUF_INIT(64);

		duration_format(&time, client_number(step, "for"));
		printf("%s%s %s", i ? ", " : "steps     ", client_text(step, "answer"),
		    buf_str(&time));
		buf_deinit(&time);
	}
	if (json_array_size(steps))
		putchar('\n');
}

static void print_jail(const json_t *a)
{
	const json_t *j = json_object_get(a, "jail"), *file;
	struct buf find = BUF_INIT(64), ban = BUF_INIT(64);
	size_t i;

	duration_format(&find, client_number(j, "findtime"));
	duration_format(&ban, client_number(j, "bantime"));
	printf("jail      %s\nfilter    %s\nports     %s\n", client_text(j, "name"),
	    json_is_string(json_object_get(j, "filter")) ? client_text(j, "filter")
							 : "none",
	    json_is_string(json_object_get(j, "port")) ? client_text(j, "port")
						       : "all");
	printf("rule      %" PRId64 " failures within %s: banned for %s\n",
	    client_number(j, "maxretry"), buf_str(&find), buf_str(&ban));
	print_steps(json_object_get(j, "steps"));
	printf("now       %" PRId64 " banned, %" PRId64 " addresses with failures\n",
	    client_number(j, "banned_now"), client_number(j, "failed_now"));
	printf("so far    %" PRId64 " bans, %" PRId64 " failures in %" PRId64
	       " lines, %" PRId64 " ignored\n",
	    client_number(j, "banned_total"), client_number(j, "failed_total"),
	    client_number(j, "lines"), client_number(j, "ignored_total"));
	if (client_number(j, "severed_total"))
		printf("          %" PRId64 " connections ended\n",
		    client_number(j, "severed_total"));
	if (client_number(j, "no_address"))
		printf("          %" PRId64
		       " matches named no address (names are not resolved)\n",
		    client_number(j, "no_address"));
	if (client_number(j, "regex_limits"))
		printf("          %" PRId64 " lines ran into a regex limit\n",
		    client_number(j, "regex_limits"));
	if (client_number(j, "undecoded"))
		printf("          %" PRId64
		       " lines had bytes that mean nothing in logencoding\n",
		    client_number(j, "undecoded"));
	json_array_foreach(json_object_get(j, "files"), i, file)
	{
		printf("%s %s (%" PRId64 " bytes read%s%s)\n",
		    i ? "         " : "logs     ", client_text(file, "path"),
		    client_number(file, "offset"),
		    json_is_true(json_object_get(file, "polled")) ? ", polled" : "",
		    json_is_true(json_object_get(file, "rotated")) ? ", rotated away"
								   : "");
	}
	if (!json_array_size(json_object_get(j, "files")))
		puts("logs      none is there yet");
	buf_deinit(&find);
	buf_deinit(&ban);
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
	static const struct option options[] = {CLI_COMMON_OPTIONS, {NULL, 0, NULL, 0}};
	struct cli_options o = cli_defaults();
	json_t *answer;
	int c, code;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if ((code = cli_common(v, c, &o)) >= 0)
			return code;
	}
	if (optind + 1 < argc)
		return cli_usage(v, "one jail at most");
	const char *jail = optind < argc ? argv[optind] : NULL;

	if (client_ask(
		&o, json_pack("{s:s,s:s*}", "do", "status", "jail", jail), &answer))
		return CLI_FAILED;
	if (o.json)
		client_print(answer);
	else if (jail)
		print_jail(answer);
	else
		print_all(answer);
	json_decref(answer);
	return CLI_OK;
}

const struct cli_verb cli_status = {
    .name = "status",
    .synopsis = "[JAIL] [--json]",
    .summary = "Show all jails, or one in detail",
    .help = "",
    .run = run,
};
