/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/scan_replay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "cli/scan_cores.h"
#include "cli/scan_setup.h"
#include "cli/scan_show.h"
#include "cli/scan_stop.h"
#include "pipeline/pipeline.h"

#define SIGNAL_CODE 128 /* + its number, as shells have it */

enum { STOPPED = 1 };

struct banned_once {
	struct net net;
	UT_hash_handle hh;
};

struct replay {
	const struct scan_replay_options *o;
	const struct setup *setup;
	struct pipeline *pipeline;
	uint32_t *jails; /* all of them */
	struct scan_cores *cores;
	struct inputs *inputs;
	struct orders orders;
	struct scan_show show;
	struct banned_once *banned;
	struct scan_totals totals;
	bool has_failed;
};

static void note_address(struct replay *s, const struct net *n)
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
	s->totals.n_addresses++;
}

static void take_orders(struct replay *s)
{
	for (size_t i = 0; i < s->orders.n; i++) {
		const struct order *o = &s->orders.items[i];

		if (o->op == ORDER_BAN) {
			s->totals.n_bans++;
			note_address(s, &o->net);
		}
		scan_show_order(&s->show, o);
	}
	orders_clear(&s->orders);
}

static int on_lines(void *ctx, const struct inputs_lines *lines)
{
	struct replay *s = ctx;
	struct inputs_progress reached;
	int r = scan_cores_feed(s->cores, lines, &s->orders);

	if (s->orders.n)
		take_orders(s);
	s->totals.n_lines += lines->n_lines;
	if (r < 0)
		return r;
	if (s->show.progress.is_wanted) {
		inputs_progress(s->inputs, &reached);
		scan_progress_tick(&s->show.progress, &reached, mono_now());
	}
	return s->show.error || scan_stop_signal() ? STOPPED : 0;
}

static void on_failure(void *ctx, const char *path, const struct err *e)
{
	struct replay *s = ctx;

	s->has_failed = true;
	scan_progress_erase(&s->show.progress);
	(void)scan_show_flush(&s->show); /* told at the end */
	fprintf(stderr, "bandog scan: %s: %s\n", path, e->text);
}

static uint64_t n_matched(const struct replay *s)
{
	struct pipeline_counts c;
	uint64_t n = 0;

	for (uint32_t i = 0; i < s->setup->n_jails; i++) {
		pipeline_counts(s->pipeline, i, &c);
		n += c.failures;
	}
	return n;
}

/* The reader went away: end as SIGPIPE would have it. Others are told. */
static int write_failed(int error)
{
	if (error == -EPIPE)
		return SIGNAL_CODE + SIGPIPE;
	fprintf(stderr, "bandog scan: standard output: %s\n", strerror(-error));
	return CLI_FAILED;
}

/* @r: what inputs_read() gave. */
static int conclude(struct replay *s, int r, const struct err *e, mono_t begun)
{
	struct scan_totals *t = &s->totals;
	int stop = scan_stop_signal();

	t->n_matched = n_matched(s);
	t->seconds = (double)(mono_now().us - begun.us) / 1e6;
	t->is_interrupted = stop && (r == STOPPED || r == -EINTR);
	inputs_progress(s->inputs, &t->reached);
	scan_progress_erase(&s->show.progress);
	if (r < 0 && !t->is_interrupted) {
		(void)scan_show_flush(&s->show); /* what was found; failed anyway */
		fprintf(
		    stderr, "bandog scan: %s\n", e->text[0] ? e->text : strerror(-r));
		return CLI_FAILED;
	}
	scan_show_totals(&s->show, t);
	r = scan_show_flush(&s->show);
	if (r < 0)
		return write_failed(r);
	if (t->is_interrupted)
		return SIGNAL_CODE + stop;
	return s->has_failed ? CLI_FAILED : CLI_OK;
}

/* Lines that were read are decided whatever ended the reading. */
static int settle(struct replay *s, int r)
{
	int settled = scan_cores_settle(s->cores, &s->orders);
	size_t n_lost = scan_cores_n_lost(s->cores);

	if (s->orders.n)
		take_orders(s);
	if (n_lost) {
		scan_progress_erase(&s->show.progress);
		fprintf(stderr,
		    "bandog scan: %zu of %zu worker processes died; what they had was "
		    "searched without them\n",
		    n_lost, scan_cores_n_workers(s->cores));
	}
	return settled < 0 ? settled : r;
}

static int read_logs(struct replay *s, char **logs, size_t n_logs)
{
	struct inputs_options io = {
	    .now = s->o->now, .is_now_given = s->o->is_now_given};
	const struct inputs_calls calls = {
	    .on_lines = on_lines, .on_failure = on_failure, .ctx = s};
	mono_t begun = mono_now();
	struct err e = {""};

	scan_setup_dates(s->setup, &io);
	s->inputs = inputs_new(logs, n_logs, &io, &calls, &e);
	if (!s->inputs) {
		fprintf(stderr, "bandog scan: %s\n", e.text);
		return CLI_FAILED;
	}
	scan_progress_init(&s->show.progress, !s->o->is_quiet, begun);
	scan_stop_watch();
	int r = inputs_read(s->inputs, &e);

	return conclude(s, settle(s, r), &e, begun);
}

static bool all_found(const struct scan_replay_options *o, const struct setup *s)
{
	bool found = true;

	for (const char **name = o->jails; name && *name; name++) {
		if (setup_find_jail(s, span_of(*name)) >= 0)
			continue;
		fprintf(stderr, "bandog scan: jail '%s' does not exist or cannot run\n",
		    *name);
		found = false;
	}
	return found;
}

static void replay_deinit(struct replay *s)
{
	struct banned_once *b, *next;

	HASH_ITER (hh, s->banned, b, next) {
		HASH_DEL(s->banned, b);
		free(b);
	}
	inputs_free(s->inputs);
	scan_cores_free(s->cores);
	pipeline_free(s->pipeline);
	free(s->jails);
	orders_deinit(&s->orders);
	scan_show_deinit(&s->show);
}

static struct scan_cores *cores_new(const struct replay *s)
{
	const struct scan_cores_options co = {
	    .pipeline = s->pipeline,
	    .jails = s->jails,
	    .n_jails = s->setup->n_jails,
	    .n_cores = s->o->n_cores,
	    .slot_bytes = s->o->slot_bytes,
	};

	return s->pipeline && s->jails ? scan_cores_new(&co) : NULL;
}

static int with_setup(const struct scan_replay_options *o, const struct setup *setup,
    char **logs, size_t n_logs)
{
	struct replay s = {.o = o, .setup = setup};
	struct err e = {""};
	int code = CLI_FAILED;

	scan_show_init(&s.show, setup, o->common.json);
	s.pipeline = pipeline_new(setup, &e);
	s.jails = calloc(setup->n_jails + 1, sizeof(*s.jails));
	for (uint32_t i = 0; s.jails && i < setup->n_jails; i++)
		s.jails[i] = i;
	s.cores = cores_new(&s);
	if (s.cores) {
		pipeline_set_window(s.pipeline, o->since, o->until);
		code = read_logs(&s, logs, n_logs);
	} else {
		fprintf(
		    stderr, "bandog scan: %s\n", e.text[0] ? e.text : "out of memory");
	}
	replay_deinit(&s);
	return code;
}

int scan_replay(const struct scan_replay_options *o, char **logs, size_t n_logs)
{
	CLEANUP(setup_freep) struct setup *setup = NULL;
	int code = CLI_FAILED;

	if (scan_setup_load(o->common.config_dir, o->jails, &setup) < 0)
		return CLI_FAILED;
	/* Lines are shown with --json alone, and cost a fifth. */
	for (uint32_t i = 0; !o->common.json && i < setup->n_jails; i++)
		setup->jails[i].maxmatches = 0;
	if (all_found(o, setup))
		code = with_setup(o, setup, logs, n_logs);
	if (!setup->n_jails && code == CLI_OK)
		fprintf(stderr, "bandog scan: no jail is enabled in %s\n",
		    o->common.config_dir);
	return code;
}
