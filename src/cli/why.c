/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bandog why: everything that is known about an address. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/client.h"

#define NUMBER_BYTES 32

/* "0.25", "3" */
static const char *number(const json_t *o, const char *key, char out[NUMBER_BYTES])
{
	double v = json_number_value(json_object_get(o, key));

	snprintf(out, NUMBER_BYTES, "%.2f", v);
	for (size_t n = strlen(out); n && (out[n - 1] == '0' || out[n - 1] == '.');) {
		bool is_point = out[--n] == '.';

		out[n] = '\0';
		if (is_point)
			break;
	}
	return out;
}

/* Why it weighs other than its rule says. */
static const char *why_other(const json_t *e)
{
	double weight = json_number_value(json_object_get(e, "weight"));

	if (weight < json_number_value(json_object_get(e, "rule_weight")))
		return "as of a program with an old password";
	if (!strcmp(client_text(e, "class"), "abuse"))
		return "the account is under attack, or it was banned before";
	return "several lines as one";
}

/* "rule 3", and of a [Rule] its name, class and weight. */
static void print_rule(const json_t *e)
{
	const char *name = json_string_value(json_object_get(e, "name"));
	char weight[NUMBER_BYTES], its[NUMBER_BYTES];

	printf("rule %" PRId64, client_number(e, "rule"));
	if (!json_object_get(e, "class"))
		return;
	printf(" %s (%s, weight %s", name ? name : "failregex", client_text(e, "class"),
	    number(e, "weight", weight));
	if (json_object_get(e, "rule_weight"))
		printf(
		    " instead of %s: %s", number(e, "rule_weight", its), why_other(e));
	putchar(')');
}

static void print_lines(const json_t *why)
{
	const json_t *e;
	size_t i;

	json_array_foreach(why, i, e)
	{
		char at[40];
		struct buf b = BUF_INIT(4096);
		const char *line = json_string_value(json_object_get(e, "line"));

		client_time(e, "at", at, sizeof(at));
		if (line)
			buf_quote(&b, span_of(line), 600);
		printf("    %s  ", at);
		print_rule(e);
		printf("  %s\n", line ? buf_str(&b) : "(the line is no longer held)");
		buf_deinit(&b);
	}
}

/* What a step does, for people. */
static const char *step_words(const char *answer)
{
	static const char *const words[][2] = {
	    {"refuse", "the mail server refuses it"},
	    {"reject", "its ports answer with a reset"},
	    {"drop", "what it sends to the jail's ports is dropped"},
	    {"dropall", "all that it sends is dropped"},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcmp(answer, words[i][0]))
			return words[i][1];
	}
	return answer;
}

static void print_step(const json_t *step)
{
	const json_t *next = json_object_get(step, "next");
	struct buf time = BUF_INIT(64);

	duration_format(&time, client_number(next, "for"));
	printf("    step %" PRId64 " of %" PRId64 ": %s", client_number(step, "number"),
	    client_number(step, "of"), step_words(client_text(step, "answer")));
	if (json_object_get(step, "refused"))
		printf(" (%" PRId64 " times so far)", client_number(step, "refused"));
	printf("; %s: %s%s%s\n",
	    json_is_true(json_object_get(next, "while_it_lasts"))
		? "if it goes on, or comes back later"
		: "if it comes back afterwards",
	    step_words(client_text(next, "answer")),
	    client_number(next, "for") < 0 ? " " : ", for ", buf_str(&time));
	buf_deinit(&time);
}

static void print_ban(const json_t *ban)
{
	const json_t *stopped = json_object_get(ban, "stopped");
	char at[40], until[40], who[CLIENT_WHO_BYTES];

	client_time(ban, "at", at, sizeof(at));
	client_time(ban, "until", until, sizeof(until));
	printf("%s is banned in %s since %s until %s\n",
	    client_who(json_object_get(ban, "ip"), who), client_text(ban, "jail"), at,
	    until);
	printf("    by %s, %" PRId64 " failures", client_text(ban, "by"),
	    client_number(ban, "failures"));
	if (client_number(ban, "bancount") > 1)
		printf(", ban number %" PRId64, client_number(ban, "bancount"));
	if (stopped)
		printf("; stopped since: %" PRId64 " packets, %" PRId64 " bytes",
		    client_number(stopped, "packets"), client_number(stopped, "bytes"));
	putchar('\n');
	if (!strcmp(client_text(ban, "by"), "group"))
		puts("    as a network: many of its addresses were banned, or have "
		     "failed as often; the last of them:");
	if (json_object_get(ban, "step"))
		print_step(json_object_get(ban, "step"));
	print_lines(json_object_get(ban, "why"));
}

/* Why it is not maxretry, and what of the sum is misconfiguration. */
static void print_threshold(const json_t *a)
{
	int64_t level = client_number(a, "pressure");
	char soft[NUMBER_BYTES], distinct[NUMBER_BYTES];

	if (json_is_true(json_object_get(a, "credit")))
		printf("    maxretry is %" PRId64 ", three times that for its credit\n",
		    client_number(a, "maxretry"));
	else if (level)
		printf("    maxretry is %" PRId64
		       ", %s: there is a broad attack or was one within six hours "
		       "(%" PRId64 " addresses offended in the last one)\n",
		    client_number(a, "maxretry"), level > 1 ? "quartered" : "halved",
		    client_number(a, "offenders"));
	if (json_number_value(json_object_get(a, "misconfiguration")) > 0)
		printf("    misconfiguration adds %s, and never more than a quarter of "
		       "what bans\n",
		    number(a, "misconfiguration", soft));
	if (json_number_value(json_object_get(a, "distinct")) > 0)
		printf("    distinct values add %s, which only count towards all of "
		       "maxretry\n",
		    number(a, "distinct", distinct));
}

static void print_account(const json_t *a)
{
	bool is_weighed = json_object_get(a, "threshold") != NULL;
	struct buf find = BUF_INIT(64);
	char sum[NUMBER_BYTES], need[NUMBER_BYTES];

	duration_format(&find, client_number(a, "findtime"));
	printf("in %s it has %s of the %s failures within %s that ban\n",
	    client_text(a, "jail"), number(a, is_weighed ? "sum" : "failures", sum),
	    number(a, is_weighed ? "threshold" : "maxretry", need), buf_str(&find));
	buf_deinit(&find);
	if (is_weighed)
		print_threshold(a);
	print_lines(json_object_get(a, "why"));
}

static void print_credit(const json_t *c)
{
	const json_t *kinds = json_object_get(c, "kinds"), *k;
	int64_t days = client_number(c, "days");
	char points[NUMBER_BYTES];
	size_t i;

	printf("it has %scredit: %s points from %" PRId64 " %s",
	    json_is_true(json_object_get(c, "suffices")) ? "" : "too little for ",
	    number(c, "points", points), days, days == 1 ? "day" : "days");
	json_array_foreach(kinds, i, k)
	{
		const char *name = json_string_value(json_object_get(k, "name"));

		printf("%s %s %s", i ? "," : ":", name ? name : "(an earlier rule)",
		    number(k, "points", points));
	}
	putchar('\n');
}

static void print_suspended(const json_t *s)
{
	const char *name = json_string_value(json_object_get(s, "name"));
	char since[40];

	client_time(s, "since", since, sizeof(since));
	printf("rule %s (%" PRId64 ") of %s counts against nobody since %s: the fault "
	       "may be ours\n",
	    name ? name : "failregex", client_number(s, "rule"), client_text(s, "jail"),
	    since);
}

static void print_before(const json_t *o)
{
	int64_t n = client_number(o, "bancount"), weight = client_number(o, "weight");
	struct buf next = BUF_INIT(64);

	duration_format(&next, client_number(o, "next"));
	printf("%" PRId64 " %s before count in %s: the next lasts %s%s", n,
	    n == 1 ? "ban" : "bans", client_text(o, "jail"),
	    client_number(o, "next") < 0 ? "" : "for ", buf_str(&next));
	if (json_object_get(o, "answer"))
		printf(" (%s)", step_words(client_text(o, "answer")));
	if (weight > 1)
		printf(", each failure counts as %" PRId64, weight);
	putchar('\n');
	buf_deinit(&next);
}

static void print_refused(const json_t *r)
{
	int64_t n = client_number(r, "times");
	char at[40];

	client_time(r, "at", at, sizeof(at));
	printf("the guard refused to ban it, %" PRId64 " %s, at last at %s: it is %s\n",
	    n, n == 1 ? "time" : "times", at, client_text(r, "reason"));
}

static void print_history(const json_t *list)
{
	const json_t *h;
	size_t i;

	json_array_foreach(list, i, h)
	{
		char at[40], ended[40], who[CLIENT_WHO_BYTES];

		if (json_is_null(json_object_get(h, "ended")))
			continue; /* it lasts, and was shown */
		client_time(h, "at", at, sizeof(at));
		client_time(h, "ended", ended, sizeof(ended));
		printf("earlier: %s in %s from %s to %s (%s), %" PRId64 " failures\n",
		    client_who(json_object_get(h, "ip"), who), client_text(h, "jail"),
		    at, ended, client_text(h, "ended_by"),
		    client_number(h, "failures"));
	}
}

/* What its bans have stopped, also before a restart. */
static void print_month(const json_t *m)
{
	if (client_number(m, "hits"))
		printf("in 30 days: %" PRId64 " failures passed; about %" PRId64
		       " attempts (%" PRId64 " packets) were stopped\n",
		    client_number(m, "passed"), client_number(m, "stopped"),
		    client_number(m, "packets"));
}

static void print(const json_t *a)
{
	const json_t *bans = json_object_get(a, "bans");
	const json_t *account = json_object_get(a, "account");
	const json_t *before = json_object_get(a, "before");
	const json_t *ignored = json_object_get(a, "ignored"), *item;
	char who[CLIENT_WHO_BYTES];
	size_t i;

	json_array_foreach(bans, i, item) print_ban(item);
	json_array_foreach(account, i, item) print_account(item);
	if (json_is_object(json_object_get(a, "credit")))
		print_credit(json_object_get(a, "credit"));
	json_array_foreach(json_object_get(a, "suspended"), i, item)
	    print_suspended(item);
	json_array_foreach(before, i, item) print_before(item);
	json_array_foreach(ignored, i, item) printf("%s never bans it: it lies in %s\n",
	    client_text(item, "jail"), client_who(json_object_get(item, "by"), who));
	if (json_is_object(json_object_get(a, "refused")))
		print_refused(json_object_get(a, "refused"));
	if (!json_array_size(bans) && !json_array_size(account))
		printf("nothing speaks against %s now\n",
		    client_who(json_object_get(a, "ip"), who));
	print_month(json_object_get(a, "month"));
	print_history(json_object_get(a, "history"));
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
	enum { OPT_JAIL = CLI_OWN };
	static const struct option options[] = {CLI_COMMON_OPTIONS,
	    {"jail", required_argument, NULL, OPT_JAIL}, {NULL, 0, NULL, 0}};
	struct cli_options o = cli_defaults();
	const char *jail = NULL;
	json_t *answer;
	int c, code;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == OPT_JAIL)
			jail = optarg;
		else if ((code = cli_common(v, c, &o)) >= 0)
			return code;
	}
	if (optind + 1 != argc)
		return cli_usage(v, "exactly one address is needed");
	if (client_ask(&o,
		json_pack(
		    "{s:s,s:[s],s:s*}", "do", "why", "ip", argv[optind], "jail", jail),
		&answer))
		return CLI_FAILED;
	if (o.json)
		client_print(answer);
	else
		print(answer);
	json_decref(answer);
	return CLI_OK;
}

const struct cli_verb cli_why = {
    .name = "why",
    .synopsis = "IP [--jail JAIL] [--json]",
    .summary = "Say why an address is banned, until when, and what that has stopped",
    .help = "  --jail JAIL   IP may be an id, which is no address, of this jail\n"
	    "Also shows what speaks against it without a ban, and its earlier bans.\n",
    .run = run,
};
