/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bandog explain: a log, line by line, with what the jails make of it. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/bars.h"
#include "cli/explain_line.h"
#include "cli/inputs.h"
#include "cli/scan_setup.h"
#include "cli/scan_stop.h"
#include "pipeline/pipeline.h"

#define MAX_JAIL_ARGS 256
#define OUT_FLUSH_BYTES (64 * 1024)
#define OUT_MAX_BYTES (16u << 20)
#define SIGNAL_CODE 128 /* + its number, as shells have it */

enum { OPT_JAIL = CLI_OWN, OPT_NOW, OPT_MATCHED };
enum { STOPPED = 1 };

struct explaining {
	struct cli_options common;
	const char *jails[MAX_JAIL_ARGS + 1];
	size_t n_jails;
	const char *now_text;
	wall_t now;
	bool only_matched;

	struct setup *setup;
	struct pipeline *pipeline;
	struct orders orders;
	struct explain_line line;
	bool is_coloured;
	struct buf out;
	int error; /* of writing */
	bool has_failed;
};

/* --- a line */

struct asked {
	struct explain_finding *f;
	uint32_t jail;
};

static void note_account(void *ctx, const struct engine_account *a)
{
	struct asked *asked = ctx;

	if (a->jail == asked->jail)
		asked->f->sum = a->sum;
}

/* In failures, rounded up: what is exact was forgotten with the verdict. */
static int64_t banned_with(const struct explaining *x, const struct hit *h)
{
	for (size_t i = x->orders.n; i-- > 0;) {
		const struct order *o = &x->orders.items[i];

		if (o->op != ORDER_UNBAN && o->jail == h->jail)
			return o->failures;
	}
	return -1;
}

static void on_verdict(void *ctx, const struct hit *h, int outcome)
{
	struct explaining *x = ctx;
	const struct setup_jail *j = &x->setup->jails[h->jail];
	struct explain_finding *f = explain_line_add(&x->line);
	struct asked asked = {.f = f, .jail = h->jail};
	const struct engine *e = pipeline_engine(x->pipeline);

	if (!f)
		return;
	*f = (struct explain_finding){
	    .kind = EXPLAIN_HIT,
	    .jail = h->jail,
	    .rule = h->rule,
	    .class = h->class,
	    .weight = h->weight,
	    .net = h->net,
	    .id = h->id ? strdup(h->id) : NULL,
	    .outcome = outcome,
	    .sum = -1,
	    .findtime_sec = j->findtime_sec,
	};
	engine_threshold(e, h->jail, &h->net, h->rule, &f->threshold);
	/* After a verdict the count begins anew. */
	if (outcome == ENGINE_BANNED || outcome == ENGINE_PROLONGED)
		f->sum = banned_with(x, h) * f->threshold.unit;
	else
		engine_account(e, &h->net, note_account, &asked);
}

static void take_events(struct explaining *x)
{
	struct explain_line *l = &x->line;

	while (l->n_events < ARRAY_LEN(l->events) &&
	       engine_next_event(pipeline_engine(x->pipeline), &l->events[l->n_events]))
		l->n_events++;
}

static void note_kind(struct explaining *x, uint32_t jail, enum explain_kind kind)
{
	struct explain_finding *f = explain_line_add(&x->line);

	if (!f)
		return;
	f->kind = kind;
	f->jail = jail;
}

static int feed_jail(struct explaining *x, uint32_t jail, const struct line *l)
{
	struct pipeline_counts before, after;
	int r;

	pipeline_counts(x->pipeline, jail, &before);
	r = pipeline_feed(x->pipeline, jail, l, WALL_NONE, &x->orders);
	pipeline_counts(x->pipeline, jail, &after);
	if (after.helped > before.helped)
		note_kind(x, jail, EXPLAIN_HELPED);
	if (after.ignored > before.ignored)
		note_kind(x, jail, EXPLAIN_EXEMPT);
	if (after.no_address > before.no_address)
		note_kind(x, jail, EXPLAIN_NO_ADDRESS);
	if (after.limits > before.limits)
		note_kind(x, jail, EXPLAIN_LIMIT);
	return r;
}

static void flush_out(struct explaining *x)
{
	if (x->out.n && !x->error)
		x->error = fd_write_all(STDOUT_FILENO, buf_str(&x->out), x->out.n);
	buf_clear(&x->out);
}

static void show(struct explaining *x)
{
	if (!x->only_matched || x->line.n_found) {
		if (x->common.json)
			explain_line_json(&x->line, x->setup, &x->out);
		else
			explain_line_text(&x->line, x->setup, x->is_coloured, &x->out);
	}
	if (x->out.n > OUT_FLUSH_BYTES)
		flush_out(x);
	explain_line_clear(&x->line);
	orders_clear(&x->orders);
}

static int explain(struct explaining *x, struct span text, wall_t read_at)
{
	const struct line l = {.text = text, .stamp = WALL_NONE, .read_at = read_at};
	int r = 0;

	x->line.text = text;
	for (uint32_t i = 0; r >= 0 && i < x->setup->n_jails; i++)
		r = feed_jail(x, i, &l);
	take_events(x);
	show(x);
	return r;
}

/* --- logs */

static int on_lines(void *ctx, const struct inputs_lines *lines)
{
	struct explaining *x = ctx;
	struct span rest = lines->lines, text;
	int r = 0;

	x->line.path = lines->path;
	x->line.number = lines->number;
	for (; r >= 0 && span_next_line(&rest, &text); x->line.number++)
		r = explain(x, text, lines->read_at);
	if (r < 0)
		return r;
	return x->error || scan_stop_signal() ? STOPPED : 0;
}

static void on_failure(void *ctx, const char *path, const struct err *e)
{
	struct explaining *x = ctx;

	flush_out(x);
	x->has_failed = true;
	fprintf(stderr, "bandog explain: %s: %s\n", path, e->text);
}

static int conclude(struct explaining *x, int r, const struct err *e)
{
	flush_out(x);
	if (x->error == -EPIPE)
		return SIGNAL_CODE + SIGPIPE;
	if (x->error)
		fprintf(stderr, "bandog explain: standard output: %s\n",
		    strerror(-x->error));
	else if (r < 0 && !scan_stop_signal())
		fprintf(stderr, "bandog explain: %s\n",
		    e->text[0] ? e->text : strerror(-r));
	else if (scan_stop_signal())
		return SIGNAL_CODE + scan_stop_signal();
	else
		return x->has_failed ? CLI_FAILED : CLI_OK;
	return CLI_FAILED;
}

static int read_logs(struct explaining *x, char **logs, size_t n_logs)
{
	struct inputs_options io = {.now = x->now, .is_now_given = x->now_text};
	const struct inputs_calls calls = {
	    .on_lines = on_lines, .on_failure = on_failure, .ctx = x};
	struct err e = {""};
	int r = -ENOMEM;

	scan_setup_dates(x->setup, &io);
	CLEANUP(inputs_freep)
	struct inputs *in = inputs_new(logs, n_logs, &io, &calls, &e);

	scan_stop_watch();
	if (in)
		r = inputs_read(in, &e);
	return conclude(x, r, &e);
}

static bool all_found(const struct explaining *x)
{
	bool found = true;

	for (size_t i = 0; i < x->n_jails; i++) {
		if (setup_find_jail(x->setup, span_of(x->jails[i])) >= 0)
			continue;
		fprintf(stderr,
		    "bandog explain: jail '%s' does not exist or cannot run\n",
		    x->jails[i]);
		found = false;
	}
	return found;
}

static int with_setup(struct explaining *x, char **logs, size_t n_logs)
{
	struct err e = {""};
	int code = CLI_FAILED;

	for (uint32_t i = 0; i < x->setup->n_jails; i++)
		x->setup->jails[i].maxmatches = 0;
	x->pipeline = pipeline_new(x->setup, &e);
	x->line.orders = &x->orders;
	x->out = BUF_INIT(OUT_MAX_BYTES);
	x->is_coloured = !x->common.json && bars_style_of_output().is_coloured;
	if (x->pipeline) {
		pipeline_on_verdict(x->pipeline, on_verdict, x);
		code = read_logs(x, logs, n_logs);
	} else {
		fprintf(stderr, "bandog explain: %s\n", e.text);
	}
	pipeline_free(x->pipeline);
	orders_deinit(&x->orders);
	buf_deinit(&x->out);
	return code;
}

/* --- the verb */

/* Return: -1 if it was one of ours and fine, else the exit code. */
static int take_option(const struct cli_verb *v, int c, struct explaining *x)
{
	switch (c) {
	case OPT_JAIL:
		if (x->n_jails == MAX_JAIL_ARGS)
			return cli_usage(v, "more than %d jails", MAX_JAIL_ARGS);
		x->jails[x->n_jails++] = optarg;
		return -1;
	case OPT_NOW:
		x->now_text = optarg;
		return -1;
	case OPT_MATCHED:
		x->only_matched = true;
		return -1;
	default:
		return cli_common(v, c, &x->common);
	}
}

static int run_with(struct explaining *x, char **logs, size_t n_logs)
{
	int code = CLI_FAILED;

	(void)setlocale(LC_CTYPE, "");
	if (scan_setup_load(
		x->common.config_dir, x->n_jails ? x->jails : NULL, &x->setup) < 0)
		return CLI_FAILED;
	if (all_found(x))
		code = with_setup(x, logs, n_logs);
	setup_free(x->setup);
	return code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
	static const struct option options[] = {CLI_COMMON_OPTIONS,
	    {"jail", required_argument, NULL, OPT_JAIL},
	    {"now", required_argument, NULL, OPT_NOW},
	    {"only-matched", no_argument, NULL, OPT_MATCHED}, {NULL, 0, NULL, 0}};
	CLEANUP(freep) struct explaining *x = calloc(1, sizeof(*x));
	int c, code;

	if (!x)
		return CLI_FAILED;
	x->common = cli_defaults();
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if ((code = take_option(v, c, x)) >= 0)
			return code;
	}
	if (optind == argc)
		return cli_usage(
		    v, "at least one log is needed ('-' reads standard input)");
	code = cli_time(v, "--now", x->now_text, &x->now);
	return code ? code : run_with(x, argv + optind, (size_t)(argc - optind));
}

const struct cli_verb cli_explain = {
    .name = "explain",
    .synopsis = "[--jail NAME]... [--only-matched] [--now T] [--json] LOG...|-",
    .summary = "Show line by line what the jails make of a log",
    .help =
	"Each line, and under it: which jail has a rule for it, what it says and of "
	"whom,\n"
	"the sum after it against the threshold, and what was decided; or 'nothing'.\n"
	"Logs are read as by scan, and nothing is blocked.\n"
	"  --jail NAME     only this jail, enabled or not; may be repeated\n"
	"  --only-matched  leave out lines that mean nothing to any jail\n"
	"  --now T         as for scan\n"
	"  --json          one object a line\n",
    .run = run,
};
