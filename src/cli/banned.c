/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bandog banned: who is banned now, until when, and by which jail. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/client.h"
#include "cli/table.h"

#define PAGE 5000

static void add_rows(struct table *t, const json_t *bans)
{
	const json_t *ban;
	size_t i;

	json_array_foreach(bans, i, ban)
	{
		char at[40], until[40], failures[24], who[CLIENT_WHO_BYTES];

		client_time(ban, "at", at, sizeof(at));
		client_time(ban, "until", until, sizeof(until));
		snprintf(failures, sizeof(failures), "%" PRId64,
		    client_number(ban, "failures"));
		table_row(
		    t, (const char *[]){client_who(json_object_get(ban, "ip"), who),
			   client_text(ban, "jail"), at, until, failures});
	}
}

/* All pages in one list. Return: exit code. */
static int fetch(
    const struct cli_options *o, json_t *ips, const char *jail, json_t *all)
{
	for (size_t offset = 0;; offset += PAGE) {
		json_t *answer;
		json_t *q = json_pack("{s:s,s:s*,s:O*,s:I,s:i}", "do", "banned", "jail",
		    jail, "ip", ips, "offset", (json_int_t)offset, "limit", PAGE);

		if (client_ask(o, q, &answer))
			return CLI_FAILED;
		json_t *bans = json_object_get(answer, "bans");
		size_t n = json_array_size(bans);

		(void)json_array_extend(all, bans);
		json_decref(answer);
		if (n < PAGE)
			return CLI_OK;
	}
}

static int print(const struct cli_options *o, json_t *all, bool asked_for_one)
{
	size_t n = json_array_size(all);

	if (o->json) {
		json_t *whole =
		    json_pack("{s:O,s:I}", "bans", all, "total", (json_int_t)n);

		client_print(whole);
		json_decref(whole);
	} else if (!n) {
		puts(asked_for_one ? "not banned" : "nobody is banned");
	} else {
		struct table *t = table_new((const char *[]){
		    "ADDRESS", "JAIL", "SINCE", "UNTIL", "FAILURES", NULL});

		add_rows(t, all);
		table_print(t);
		table_free(t);
	}
	return asked_for_one && !n ? CLI_NO : CLI_OK;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
	enum { OPT_JAIL = CLI_OWN };
	static const struct option options[] = {CLI_COMMON_OPTIONS,
	    {"jail", required_argument, NULL, OPT_JAIL}, {NULL, 0, NULL, 0}};
	struct cli_options o = cli_defaults();
	const char *jail = NULL;
	json_t *ips = NULL;
	int c, code;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == OPT_JAIL)
			jail = optarg;
		else if ((code = cli_common(v, c, &o)) >= 0)
			return code;
	}
	if (optind < argc)
		ips = json_array();
	for (int i = optind; i < argc; i++)
		(void)json_array_append_new(ips, json_string(argv[i]));
	json_t *all = json_array();

	code = fetch(&o, ips, jail, all);
	if (code == CLI_OK)
		code = print(&o, all, ips != NULL);
	json_decref(all);
	json_decref(ips);
	return code;
}

const struct cli_verb cli_banned = {
    .name = "banned",
    .synopsis = "[IP...] [--jail JAIL] [--json]",
    .summary = "List what is banned, or say whether an address is",
    .help =
	"With --jail it may be an id, which is no address.\n"
	"An address is also banned when a network around it is.\n"
	"Exit: 0 something is banned, 1 the address asked for is not, 2 no daemon.\n",
    .run = run,
};
