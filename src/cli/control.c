/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bandog ping, reload, stop: what one tells the daemon itself. */
#include <stdio.h>

#include "cli/client.h"

/* Options without own ones. Return: -1 to go on, else the exit code. */
static int parse(const struct cli_verb *v, int argc, char **argv, struct cli_options *o)
{
	static const struct option options[] = {CLI_COMMON_OPTIONS, {NULL, 0, NULL, 0}};
	int c, code;

	*o = cli_defaults();
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if ((code = cli_common(v, c, o)) >= 0)
			return code;
	}
	if (optind < argc)
		return cli_usage(v, "unexpected argument '%s'", argv[optind]);
	return -1;
}

static int ping(const struct cli_verb *v, int argc, char **argv)
{
	struct cli_options o;
	json_t *answer;
	int code = parse(v, argc, argv, &o);

	if (code >= 0)
		return code;
	if (client_ask(&o, json_pack("{s:s}", "do", "ping"), &answer))
		return CLI_FAILED;
	if (o.json)
		client_print(answer);
	else
		printf("bandogd %s answers\n", client_text(answer, "version"));
	json_decref(answer);
	return CLI_OK;
}

static int reload(const struct cli_verb *v, int argc, char **argv)
{
	struct cli_options o;
	json_t *answer;
	int code = parse(v, argc, argv, &o);

	if (code >= 0)
		return code;
	if (client_ask(&o, json_pack("{s:s}", "do", "reload"), &answer))
		return CLI_FAILED;
	bool done = json_is_true(json_object_get(answer, "reloaded"));

	if (o.json) {
		client_print(answer);
	} else {
		fputs(client_text(answer, "messages"), stderr);
		puts(done ? "reloaded"
			  : "not reloaded: the old configuration stays in force");
	}
	json_decref(answer);
	return done ? CLI_OK : CLI_NO;
}

static int stop(const struct cli_verb *v, int argc, char **argv)
{
	struct cli_options o;
	json_t *answer;
	int code = parse(v, argc, argv, &o);

	if (code >= 0)
		return code;
	if (client_ask(&o, json_pack("{s:s}", "do", "stop"), &answer))
		return CLI_FAILED;
	if (o.json)
		client_print(answer);
	else
		puts("stopping");
	json_decref(answer);
	return CLI_OK;
}

const struct cli_verb cli_ping = {
    .name = "ping",
    .synopsis = "[--json]",
    .summary = "Ask whether the daemon answers",
    .help = "Exit: 0 it does, 2 it does not.\n",
    .run = ping,
};

const struct cli_verb cli_reload = {
    .name = "reload",
    .synopsis = "[--json]",
    .summary = "Have the daemon read its configuration again",
    .help = "Everything is checked first: if anything is wrong all mistakes are shown "
	    "and the\n"
	    "old configuration stays in force. Bans are kept.\n"
	    "Exit: 0 reloaded, 1 refused, 2 no daemon.\n",
    .run = reload,
};

const struct cli_verb cli_stop = {
    .name = "stop",
    .synopsis = "[--json]",
    .summary =
	"Stop the daemon; its drops are lifted, and come back with its next start",
    .help = "",
    .run = stop,
};
