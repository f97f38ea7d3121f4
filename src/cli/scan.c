/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bandog scan: replay logs through whole jails, by the pipeline that runs live. Time is
 * that of the log. With --last it does the work of a shell script instead: scan_tail.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/jsonw.h"
#include "cli/cli.h"
#include "cli/input.h"
#include "cli/scan_tail.h"
#include "pipeline/pipeline.h"

#define MAX_JAIL_ARGS 256
#define OUT_FLUSH_BYTES (64 * 1024)

enum {
	OPT_JAIL = CLI_OWN,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_NOW,
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
	struct cli_options common;
	const char *jails[MAX_JAIL_ARGS + 1];
	size_t n_jails;
	const char *since_text, *until_text, *now_text;
	wall_t since, until, now;
	bool is_tail; /* an option of the script's work was given */
	struct scan_tail_options tail;
};

struct banned_once {
	struct net net;
	UT_hash_handle hh;
};

struct scan {
	const struct scan_options *o;
	const struct setup *setup;
	struct pipeline *pipeline;
	struct orders orders;
	struct buf out;
	struct banned_once *banned;
	uint64_t n_lines, n_bans, n_addresses;
};

static void flush_out(struct scan *s)
{
	fwrite(buf_str(&s->out), 1, s->out.n, stdout);
	buf_clear(&s->out);
}

static void note_address(struct scan *s, const struct net *n)
{
	struct banned_once *b;

	HASH_FIND(hh, s->banned, n, sizeof(*n), b);
	if (b)
		return;
	b = calloc(1, sizeof(*b));
	if (!b)
		return;
	b->net = *n;
	HASH_ADD(hh, s->banned, net, sizeof(b->net), b);
	if (!b->hh.tbl) {
		free(b);
		return;
	}
	s->n_addresses++;
}

static void put_json(struct scan *s, const struct order *o)
{
	struct jsonw j = jsonw_of(&s->out);

	jsonw_object(&j);
	jsonw_key(&j, "at");
	jsonw_wall(&j, o->at, false);
	jsonw_key(&j, "do");
	jsonw_str(&j, order_op_name(o->op));
	jsonw_key(&j, "jail");
	jsonw_str(&j, s->setup->jails[o->jail].name);
	jsonw_key(&j, "ip");
	jsonw_net(&j, &o->net);
	jsonw_key(&j, "until");
	jsonw_wall(&j, o->until, false);
	jsonw_key(&j, "failures");
	jsonw_i64(&j, o->failures);
	jsonw_key(&j, "bancount");
	jsonw_i64(&j, o->ban_count);
	jsonw_key(&j, "why");
	jsonw_array(&j);
	for (uint32_t i = 0; i < o->n_why; i++) {
		jsonw_object(&j);
		jsonw_key(&j, "at");
		jsonw_wall(&j, o->why[i].at, false);
		jsonw_key(&j, "rule");
		jsonw_i64(&j, o->why[i].rule);
		jsonw_key(&j, "line");
		jsonw_str(&j, o->why[i].text);
		jsonw_object_end(&j);
	}
	jsonw_array_end(&j);
	jsonw_object_end(&j);
	buf_add_char(&s->out, '\n');
}

static void put_text(struct scan *s, const struct order *o)
{
	const char *jail = s->setup->jails[o->jail].name;

	wall_format(&s->out, o->at);
	buf_printf(&s->out, "  %-8s ", order_op_name(o->op));
	buf_add_net(&s->out, &o->net);
	buf_printf(&s->out, "  %s", jail);
	if (o->op != ORDER_UNBAN) {
		buf_printf(&s->out, "  %u failures, until ", o->failures);
		wall_format(&s->out, o->until);
		if (s->setup->jails[o->jail].increment.is_on)
			buf_printf(&s->out, ", ban number %u", o->ban_count);
	}
	buf_add_char(&s->out, '\n');
}

static void put_orders(struct scan *s)
{
	for (size_t i = 0; i < s->orders.n; i++) {
		const struct order *o = &s->orders.items[i];

		if (o->op == ORDER_BAN) {
			s->n_bans++;
			note_address(s, &o->net);
		}
		if (s->o->common.json)
			put_json(s, o);
		else
			put_text(s, o);
	}
	orders_clear(&s->orders);
	if (s->out.n > OUT_FLUSH_BYTES)
		flush_out(s);
}

static int on_line(void *ctx, struct span text, uint64_t number)
{
	struct scan *s = ctx;
	struct line l = {
	    .text = text, .number = number, .stamp = WALL_NONE, .read_at = s->o->now};

	s->n_lines++;
	for (uint32_t i = 0; i < s->setup->n_jails; i++) {
		int r = pipeline_feed(s->pipeline, i, &l, WALL_NONE, &s->orders);

		if (r < 0)
			return r;
	}
	if (s->orders.n)
		put_orders(s);
	return 0;
}

static uint64_t n_matched(const struct scan *s)
{
	struct pipeline_counts c;
	uint64_t n = 0;

	for (uint32_t i = 0; i < s->setup->n_jails; i++) {
		pipeline_counts(s->pipeline, i, &c);
		n += c.failures;
	}
	return n;
}

static void put_summary(struct scan *s, double seconds)
{
	struct jsonw j = jsonw_of(&s->out);

	if (!s->o->common.json) {
		buf_printf(&s->out,
		    "%" PRIu64 " lines, %" PRIu64 " failures, %" PRIu64
		    " bans of %" PRIu64 " addresses (%.2f s)\n",
		    s->n_lines, n_matched(s), s->n_bans, s->n_addresses, seconds);
		return;
	}
	jsonw_object(&j);
	jsonw_key(&j, "summary");
	jsonw_object(&j);
	jsonw_key(&j, "lines");
	jsonw_i64(&j, (int64_t)s->n_lines);
	jsonw_key(&j, "matched");
	jsonw_i64(&j, (int64_t)n_matched(s));
	jsonw_key(&j, "bans");
	jsonw_i64(&j, (int64_t)s->n_bans);
	jsonw_key(&j, "addresses");
	jsonw_i64(&j, (int64_t)s->n_addresses);
	jsonw_key(&j, "seconds");
	jsonw_f64(&j, seconds);
	jsonw_object_end(&j);
	jsonw_object_end(&j);
	buf_add_char(&s->out, '\n');
}

static int scan_logs(struct scan *s, char **logs, int n_logs)
{
	mono_t start = mono_now();
	int code = CLI_OK;

	for (int i = 0; i < n_logs; i++) {
		int r = input_read(logs[i], on_line, s);

		if (r < 0) {
			flush_out(s);
			fprintf(stderr, "bandog scan: %s: %s\n", logs[i], strerror(-r));
			code = CLI_FAILED;
		}
	}
	put_summary(s, (double)(mono_now().us - start.us) / 1e6);
	flush_out(s);
	return code;
}

static bool all_found(const struct scan_options *o, const struct setup *s)
{
	bool found = true;

	for (size_t i = 0; i < o->n_jails; i++) {
		if (setup_find_jail(s, span_of(o->jails[i])) >= 0)
			continue;
		fprintf(stderr, "bandog scan: jail '%s' does not exist or cannot run\n",
		    o->jails[i]);
		found = false;
	}
	return found;
}

static void scan_deinit(struct scan *s)
{
	struct banned_once *b, *next;

	HASH_ITER (hh, s->banned, b, next) {
		HASH_DEL(s->banned, b);
		free(b);
	}
	pipeline_free(s->pipeline);
	orders_deinit(&s->orders);
	buf_deinit(&s->out);
}

/* What only the running daemon needs is of no interest here. */
static void print_errors(const struct diag *d)
{
	struct diag errors = *d;
	size_t n = 0;
	struct diag_item *items = calloc(d->n + 1, sizeof(*items));

	for (size_t i = 0; items && i < d->n; i++) {
		if (d->items[i].level == DIAG_ERROR)
			items[n++] = d->items[i];
	}
	errors.items = items;
	errors.n = items ? n : 0;
	cli_print_diag(&errors);
	free(items);
}

static int scan_jails(const struct scan_options *o, char **logs, int n_logs)
{
	struct diag d = {0};
	struct err e = {""};
	CLEANUP(conf_freep)
	struct conf *conf =
	    conf_load(o->common.config_dir, o->n_jails ? o->jails : NULL, 0, &d);
	CLEANUP(setup_freep) struct setup *setup = NULL;
	struct scan s = {.o = o, .out = BUF_INIT(256u << 20)};
	int code = CLI_FAILED;

	if (conf)
		(void)setup_build(conf, &d, &setup);
	print_errors(&d);
	if (setup && all_found(o, setup)) {
		s.setup = setup;
		s.pipeline = pipeline_new(setup, &e);
		if (s.pipeline) {
			pipeline_set_window(s.pipeline, o->since, o->until);
			code = scan_logs(&s, logs, n_logs);
		} else {
			fprintf(stderr, "bandog scan: %s\n", e.text);
		}
	}
	if (setup && !setup->n_jails && code == CLI_OK)
		fprintf(stderr, "bandog scan: no jail is enabled in %s\n",
		    o->common.config_dir);
	scan_deinit(&s);
	diag_deinit(&d);
	return code;
}

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
		return cli_common(v, c, &o->common);
	}
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
	static const struct option options[] = {CLI_COMMON_OPTIONS,
	    {"jail", required_argument, NULL, OPT_JAIL},
	    {"since", required_argument, NULL, OPT_SINCE},
	    {"until", required_argument, NULL, OPT_UNTIL},
	    {"now", required_argument, NULL, OPT_NOW},
	    {"last", required_argument, NULL, OPT_LAST},
	    {"this-hour", no_argument, NULL, OPT_HOUR},
	    {"limit", required_argument, NULL, OPT_LIMIT},
	    {"grep", required_argument, NULL, OPT_GREP},
	    {"apply", no_argument, NULL, OPT_APPLY},
	    {"port", required_argument, NULL, OPT_PORT},
	    {"interface", required_argument, NULL, OPT_INTERFACE},
	    {"for", required_argument, NULL, OPT_FOR}, {NULL, 0, NULL, 0}};
	struct scan_options o = {
	    .common = cli_defaults(), .tail = scan_tail_defaults()};
	int c, code;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if ((code = take_option(v, c, &o)) >= 0)
			return code;
	}
	if (optind == argc)
		return cli_usage(
		    v, "at least one log is needed ('-' reads standard input)");
	code = cli_time(v, "--now", o.now_text, &o.now);
	if (!code && o.since_text)
		code = cli_time(v, "--since", o.since_text, &o.since);
	else
		o.since = WALL_NONE;
	if (!code && o.until_text)
		code = cli_time(v, "--until", o.until_text, &o.until);
	else
		o.until = WALL_NEVER;
	if (code)
		return code;
	if (!o.is_tail)
		return scan_jails(&o, argv + optind, argc - optind);
	if (optind + 1 != argc)
		return cli_usage(
		    v, "with --last, --limit and the like exactly one log");
	return scan_tail(&o.common, &o.tail, o.now, argv[optind]);
}

const struct cli_verb cli_scan = {
    .name = "scan",
    .synopsis =
	"[--jail NAME]... [--since T] [--until T] [--now T] [--json] LOG...|-\n"
	"       bandog scan --last N --this-hour --limit N [--grep TEXT] [--apply] LOG",
    .summary = "Replay logs through jails and show what would be decided",
    .help =
	"All enabled jails see all lines, whatever their logpath; time is that of the "
	"log.\n"
	"  --jail NAME   only this jail, enabled or not; may be repeated\n"
	"  --since T     failures before T do not count; --until T: nor those after "
	"it\n"
	"  --now T       the clock, which settles the year of dates without one\n"
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
