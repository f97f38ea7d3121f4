/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bandog ban, unban: by hand. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/client.h"

#define PER_REQUEST 500

static int print_ban(const struct cli_options *o, const json_t *answer)
{
	const json_t *refused = json_object_get(answer, "refused"), *item;
	bool enforced = json_is_true(json_object_get(answer, "enforced"));
	char who[CLIENT_WHO_BYTES];
	size_t i;

	if (o->json) {
		client_print(answer);
	} else {
		json_array_foreach(json_object_get(answer, "banned"), i, item) printf(
		    "banned %s%s\n", client_who(item, who),
		    enforced ? "" : " (but nothing is dropped now; see bandogd's log)");
		if (client_number(answer, "already"))
			printf("%" PRId64 " already banned for at least as long\n",
			    client_number(answer, "already"));
		json_array_foreach(refused, i, item) printf("refused %s: it is %s\n",
		    client_who(json_object_get(item, "ip"), who),
		    client_text(item, "reason"));
	}
	return json_array_size(refused) || !enforced ? CLI_NO : CLI_OK;
}

static json_t *take_ips(int argc, char **argv, int *at)
{
	json_t *ips = json_array();

	while (*at < argc && json_array_size(ips) < PER_REQUEST)
		(void)json_array_append_new(ips, json_string(argv[(*at)++]));
	return ips;
}

static int ban(const struct cli_verb *v, int argc, char **argv)
{
	enum { OPT_FOR = CLI_OWN };
	static const struct option options[] = {CLI_COMMON_OPTIONS,
	    {"for", required_argument, NULL, OPT_FOR}, {NULL, 0, NULL, 0}};
	struct cli_options o = cli_defaults();
	double seconds = 0;
	int c, code, worst = CLI_OK;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == OPT_FOR) {
			if (duration_parse(span_of(optarg), &seconds) < 0 ||
			    seconds > INT32_MAX)
				return cli_usage(v,
				    "--for: '%s' is no duration (try 600, 10m, 1d12h, "
				    "-1)",
				    optarg);
			if (seconds < 0)
				seconds = -1;
		} else if ((code = cli_common(v, c, &o)) >= 0) {
			return code;
		}
	}
	if (optind + 2 > argc)
		return cli_usage(v, "a jail and at least one address are needed");
	const char *jail = argv[optind++];

	for (int at = optind; at < argc;) {
		json_t *answer;
		json_t *ips = take_ips(argc, argv, &at);

		if (client_ask(&o,
			json_pack("{s:s,s:s,s:I,s:o}", "do", "ban", "jail", jail,
			    "seconds", (json_int_t)seconds, "ip", ips),
			&answer))
			return CLI_FAILED;
		code = print_ban(&o, answer);
		if (code > worst)
			worst = code;
		json_decref(answer);
	}
	return worst;
}

static int unban(const struct cli_verb *v, int argc, char **argv)
{
	enum { OPT_ALL = CLI_OWN, OPT_JAIL };
	static const struct option options[] = {CLI_COMMON_OPTIONS,
	    {"all", no_argument, NULL, OPT_ALL},
	    {"jail", required_argument, NULL, OPT_JAIL}, {NULL, 0, NULL, 0}};
	struct cli_options o = cli_defaults();
	const char *jail = NULL;
	bool all = false;
	int64_t n = 0;
	int c, code;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == OPT_ALL)
			all = true;
		else if (c == OPT_JAIL)
			jail = optarg;
		else if ((code = cli_common(v, c, &o)) >= 0)
			return code;
	}
	if (all == (optind < argc))
		return cli_usage(v, "either addresses or --all");
	for (int at = optind; at < argc || all;) {
		json_t *answer;
		json_t *q = all ? json_pack("{s:s,s:b,s:s*}", "do", "unban", "all", 1,
				      "jail", jail)
				: json_pack("{s:s,s:o,s:s*}", "do", "unban", "ip",
				      take_ips(argc, argv, &at), "jail", jail);

		if (client_ask(&o, q, &answer))
			return CLI_FAILED;
		n += client_number(answer, "unbanned");
		json_decref(answer);
		all = false;
	}
	if (o.json)
		printf("{\"unbanned\":%" PRId64 "}\n", n);
	else
		printf("%" PRId64 " unbanned\n", n);
	return n ? CLI_OK : CLI_NO;
}

const struct cli_verb cli_ban = {
    .name = "ban",
    .synopsis = "JAIL IP... [--for TIME] [--json]",
    .summary = "Ban addresses, networks or ids in a jail",
    .help =
	"  --for TIME   10m, 1d12h, -1 (for ever); without it the jail's bantime\n"
	"Any other text is an id, if the jail has an action that is a command.\n"
	"Returns when the kernel drops them. The guard refuses this machine's own "
	"addresses,\n"
	"its gateway and resolvers, from where somebody is logged in now, and what\n"
	"bandog.conf names as neverban.\n"
	"Exit: 0 banned, 1 something was refused or is not dropped (a dry run, or no\n"
	"nftables), 2 no daemon or no such jail.\n",
    .run = ban,
};

const struct cli_verb cli_unban = {
    .name = "unban",
    .synopsis = "IP...|--all [--jail JAIL] [--json]",
    .summary = "Lift bans of addresses, of all inside a network, or all",
    .help = "With --jail also of ids, which are no addresses.\n"
	    "Failures and bans counted so far are forgotten too.\n"
	    "Exit: 0 something was lifted, 1 nothing was, 2 no daemon.\n",
    .run = unban,
};
