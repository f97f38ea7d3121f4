/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bandog backtest: what would these policies have done about these logs? */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/backtest_answer.h"
#include "cli/client.h"
#include "cli/report.h"

#define MAX_JAIL_ARGS 256
#define OUT_MAX_BYTES (64u << 20)
#define SIGNAL_CODE 128 /* + its number, as shells have it */

enum {
	OPT_POLICY = CLI_OWN,
	OPT_FACTS,
	OPT_JAIL,
	OPT_HTML,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_NOW,
	OPT_QUIET,
	OPT_NO_FEEDBACK,
};

struct arguments {
	struct backtest_options o;
	const char *specs[BACKTEST_MAX_POLICIES];
	size_t n_specs;
	const char *facts;
	const char *jails[MAX_JAIL_ARGS + 1];
	size_t n_jails;
	const char *since_text, *until_text, *now_text;
};

/* Return: -1 if it was one of ours and fine, else the exit code. */
static int take_option(const struct cli_verb *v, int c, struct arguments *a)
{
	switch (c) {
	case OPT_POLICY:
		if (a->n_specs == BACKTEST_MAX_POLICIES)
			return cli_usage(
			    v, "more than %d policies", BACKTEST_MAX_POLICIES);
		a->specs[a->n_specs++] = optarg;
		return -1;
	case OPT_FACTS:
		a->facts = optarg;
		return -1;
	case OPT_JAIL:
		if (a->n_jails == MAX_JAIL_ARGS)
			return cli_usage(v, "more than %d jails", MAX_JAIL_ARGS);
		a->jails[a->n_jails++] = optarg;
		return -1;
	case OPT_HTML:
		a->o.html = optarg;
		return -1;
	case OPT_SINCE:
		a->since_text = optarg;
		return -1;
	case OPT_UNTIL:
		a->until_text = optarg;
		return -1;
	case OPT_NOW:
		a->now_text = optarg;
		return -1;
	case OPT_QUIET:
		a->o.is_quiet = true;
		return -1;
	case OPT_NO_FEEDBACK:
		a->o.has_feedback = false;
		return -1;
	default:
		return cli_common(v, c, &a->o.common);
	}
}

/* Return: 0 or CLI_USAGE. */
static int settle_times(const struct cli_verb *v, struct arguments *a)
{
	int code = cli_time(v, "--now", a->now_text, &a->o.now);

	a->o.is_now_given = a->now_text;
	a->o.since = WALL_NONE;
	a->o.until = WALL_NEVER;
	if (!code && a->since_text)
		code = cli_time(v, "--since", a->since_text, &a->o.since);
	if (!code && a->until_text)
		code = cli_time(v, "--until", a->until_text, &a->o.until);
	return code;
}

/* Without --policy: ours, and fail2ban's where it is installed. */
static void settle_policies(struct arguments *a)
{
	if (a->n_specs)
		return;
	a->specs[a->n_specs++] = "bandog";
	if (backtest_policy_exists(&a->o.common, "fail2ban"))
		a->specs[a->n_specs++] = "fail2ban";
	else
		fputs("bandog backtest: without fail2ban's defaults: there is no "
		      "/etc/fail2ban/jail.conf\n",
		    stderr);
}

/* --- what was found */

static int print(const json_t *answer, const struct arguments *a)
{
	CLEANUP(buf_deinit) struct buf out = BUF_INIT(OUT_MAX_BYTES);
	int code = CLI_OK;

	if (a->o.html) {
		backtest_html(answer, &out);
		code = report_put_page(&out, a->o.html);
		buf_clear(&out);
	}
	if (a->o.common.json) {
		client_print(answer);
	} else {
		backtest_text(answer, &out);
		if (out.failed)
			return fputs("bandog backtest: out of memory\n", stderr),
			       CLI_FAILED;
		fputs(buf_str(&out), stdout);
	}
	if (fflush(stdout) != 0) {
		if (errno == EPIPE)
			return SIGNAL_CODE + SIGPIPE;
		perror("bandog backtest: standard output");
		return CLI_FAILED;
	}
	return code;
}

static int conclude(const struct backtest_view *view, const struct arguments *a)
{
	json_t *answer = backtest_answer(view);
	int code;

	if (!answer) {
		fputs("bandog backtest: out of memory\n", stderr);
		return CLI_FAILED;
	}
	code = print(answer, a);
	json_decref(answer);
	if (view->outcome->stop && code == CLI_OK)
		return SIGNAL_CODE + view->outcome->stop;
	return view->outcome->has_failed ? CLI_FAILED : code;
}

/* --- policies */

struct loaded {
	struct backtest_policy facts, policies[BACKTEST_MAX_POLICIES];
	int is_facts; /* which of the policies reads what the facts read; or -1 */
};

static int load(const struct arguments *a, struct loaded *l)
{
	int r = backtest_policy_load(&a->o.common, a->facts, NULL, &l->facts);

	l->is_facts = -1;
	for (size_t i = 0; !r && i < a->n_specs; i++) {
		struct backtest_policy *p = &l->policies[i];

		r = backtest_policy_load(
		    &a->o.common, a->specs[i], a->n_jails ? a->jails : NULL, p);
		if (!r && !a->n_jails && !strcmp(a->specs[i], a->facts))
			l->is_facts = (int)i;
	}
	return r;
}

static int backtest(const struct arguments *a, char **logs, size_t n_logs)
{
	struct loaded l = {0};
	struct backtest_outcome out = {0};
	int code = CLI_FAILED;

	if (load(a, &l) == 0 && backtest_replay(&a->o, &l.facts, l.policies, a->n_specs,
				    l.is_facts, logs, n_logs, &out) == 0) {
		const struct backtest_view view = {
		    .outcome = &out,
		    .facts = &l.facts,
		    .policies = l.policies,
		    .n_policies = a->n_specs,
		    .has_feedback = a->o.has_feedback,
		};

		code = conclude(&view, a);
	}
	backtest_book_free(out.book);
	backtest_policy_deinit(&l.facts);
	for (size_t i = 0; i < BACKTEST_MAX_POLICIES; i++)
		backtest_policy_deinit(&l.policies[i]);
	return code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
	static const struct option options[] = {CLI_COMMON_OPTIONS,
	    {"policy", required_argument, NULL, OPT_POLICY},
	    {"facts", required_argument, NULL, OPT_FACTS},
	    {"jail", required_argument, NULL, OPT_JAIL},
	    {"html", required_argument, NULL, OPT_HTML},
	    {"since", required_argument, NULL, OPT_SINCE},
	    {"until", required_argument, NULL, OPT_UNTIL},
	    {"now", required_argument, NULL, OPT_NOW},
	    {"quiet", no_argument, NULL, OPT_QUIET},
	    {"no-feedback", no_argument, NULL, OPT_NO_FEEDBACK}, {NULL, 0, NULL, 0}};
	struct arguments a = {
	    .o.common = cli_defaults(), .o.has_feedback = true, .facts = "bandog"};
	int c, code;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if ((code = take_option(v, c, &a)) >= 0)
			return code;
	}
	if (optind == argc)
		return cli_usage(
		    v, "at least one log is needed ('-' reads standard input)");
	code = settle_times(v, &a);
	if (code)
		return code;
	(void)setlocale(LC_CTYPE, "");
	settle_policies(&a);
	return backtest(&a, argv + optind, (size_t)(argc - optind));
}

const struct cli_verb cli_backtest = {
    .name = "backtest",
    .synopsis = "[--policy P]... [--jail NAME]... [--json] [--html FILE]\n"
		"                       [--since T] [--until T] LOG...|-",
    .summary = "Replay logs under several policies, side by side",
    .help =
	"What each policy would have stopped and whom it would have banned. Nothing "
	"is\n"
	"blocked; logs are read as by scan.\n"
	"  --policy P     bandog (the configuration), fail2ban (Debian's defaults for "
	"mail\n"
	"                 and ssh), sshguard, a configuration folder, or NAME=FOLDER; "
	"may "
	"be\n"
	"                 repeated (bandog and, where it is installed, fail2ban)\n"
	"  --facts P      whose filters say what an attempt is, and a good sign "
	"(bandog)\n"
	"  --jail NAME    only this jail of each policy, enabled or not; may be "
	"repeated\n"
	"  --html FILE    also a page with plots, which needs no network\n"
	"  --since T      what was before T does not count; --until T: nor what was "
	"after "
	"it\n"
	"  --now T        as for scan\n"
	"  --no-feedback  show a policy also those lines that its bans would have kept "
	"away\n"
	"  --quiet        no progress on the terminal\n"
	"  --json         one object with all there is, the hours too\n",
    .run = run,
};
