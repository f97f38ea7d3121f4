/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/backtest_replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "cli/backtest_reach.h"
#include "cli/scan_progress.h"
#include "cli/scan_setup.h"
#include "cli/scan_stop.h"
#include "pipeline/pipeline.h"

enum { STOPPED = 1 };

/* An attempt in the block at hand. */
struct mark {
	size_t line; /* where its line begins in the block */
	struct net net;
	wall_t at;
	const struct setup_jail *jail; /* that saw it */
	struct backtest_address *who;  /* NULL: not written down */
};

struct runner {
	struct replay *replay;
	size_t number; /* of the policy */
	const struct setup *setup;
	struct pipeline *pipeline;
	uint32_t *jails; /* all of them */
	uint32_t n_jails;
	struct orders orders;
	size_t n_judged; /* of the marks */
	/* While a ban is looked for. */
	wall_t asked_at;
	const struct net *asked;
	const struct setup_jail *through;
	bool is_banned;
};

struct replay {
	const struct backtest_options *o;
	struct backtest_book *book;
	struct backtest_outcome *out;
	const struct setup *setup; /* of the facts */
	struct runner facts; /* without a pipeline: that of runners[is_facts] serves */
	struct runner runners[BACKTEST_MAX_POLICIES];
	size_t n_runners;
	int is_facts;
	struct inputs *inputs;
	struct scan_progress progress;
	struct span block;
	struct mark *marks;
	size_t n_marks, max_marks;
	size_t line;                   /* of the hit at hand */
	struct backtest_address *good; /* who it speaks for, if it is such a fact */
	int error;
};

/* --- facts */

/* Texts of another encoding lie elsewhere, and come line by line: they stay behind the
 * line before. */
static void reach(struct replay *s, const struct hit *h)
{
	if (h->text.p >= s->block.p && h->text.p < s->block.p + s->block.n)
		s->line = (size_t)(h->text.p - s->block.p);
}

static struct mark *grow_marks(struct replay *s)
{
	size_t more = s->max_marks ? 2 * s->max_marks : 1024;
	void *grown;

	if (s->n_marks < s->max_marks)
		return &s->marks[s->n_marks++];
	grown = reallocarray(s->marks, more, sizeof(*s->marks));
	if (!grown) {
		s->error = -ENOMEM;
		return NULL;
	}
	s->marks = grown;
	s->max_marks = more;
	return &s->marks[s->n_marks++];
}

static void add_mark(
    struct replay *s, const struct hit *h, const struct backtest_sign *sign)
{
	const struct mark *last = s->n_marks ? &s->marks[s->n_marks - 1] : NULL;
	struct backtest_address *who;
	struct mark *m;

	/* What two jails say of one line is one attempt. */
	if (last && last->line == s->line && net_eq(&last->net, &sign->who))
		return;
	if (!backtest_book_attempt(s->book, sign, &who))
		return;
	m = grow_marks(s);
	if (m)
		*m = (struct mark){
		    .line = s->line,
		    .net = sign->who,
		    .at = sign->at,
		    .jail = &s->setup->jails[h->jail],
		    .who = who,
		};
}

/* A rule may have several regexes, and jails are few. */
static unsigned int kind_of(const struct replay *s, const struct hit *h)
{
	const struct setup_jail *j = &s->setup->jails[h->jail];
	bool has_rules = j->engine_rules && h->rule < setup_n_regexes(j);

	return h->jail * 23 + (has_rules ? j->engine_rules[h->rule].id : h->rule);
}

/* "postfix/smtpd[123]" of a line of the system's log: the word before the first colon
 * that a blank follows. Programs that run for all clients have one session a client. */
static uint64_t session_of(struct span line)
{
	ptrdiff_t end = span_find(line, SPAN(": "));
	const char *begin;

	if (end < 0)
		return 0;
	begin = memrchr(line.p, ' ', (size_t)end);
	line = span_from(begin ? begin : line.p, line.p + end);
	return hash_keyed(line.p, line.n);
}

static void take_fact(struct replay *s, const struct hit *h)
{
	const struct backtest_sign sign = {
	    .who = net_is_id(&h->net) ? h->ip : h->net,
	    .at = h->at,
	    .kind = kind_of(s, h),
	    .session = session_of(h->text),
	};

	reach(s, h);
	s->good = NULL;
	if (!net_is_host(&sign.who) || net_is_id(&sign.who) || h->at.us == WALL_NONE.us)
		return;
	if (s->out->first.us == WALL_NONE.us || h->at.us < s->out->first.us)
		s->out->first = h->at;
	if (h->at.us > s->out->last.us)
		s->out->last = h->at;
	if (h->class == HIT_ABUSE)
		add_mark(s, h, &sign);
	else if (h->class == HIT_GOOD)
		s->good = backtest_book_good(s->book, &sign);
}

/* The ledger has the good sign: has it made credit? It may decay before the end. */
static void take_credit(struct replay *s, struct pipeline *p)
{
	if (s->good && !s->good->is_honest)
		s->good->is_honest =
		    engine_has_credit(pipeline_engine(p), &s->good->net);
	s->good = NULL;
}

/* --- policies */

static void note_ban(void *ctx, const struct order *o)
{
	struct runner *p = ctx;

	p->is_banned = p->is_banned || (o->until.us > p->asked_at.us &&
					   net_contains(&o->net, p->asked) &&
					   backtest_reach(p->setup, o, p->through));
}

/* Does a ban that lasts at @at keep @n, or a network around it, away from there? */
static bool is_banned(
    struct runner *p, const struct net *n, wall_t at, const struct setup_jail *through)
{
	struct engine_bounds bounds;

	engine_bounds(pipeline_engine(p->pipeline), &bounds);
	if (!bounds.n_bans) /* then a look at all prefixes is not worth it */
		return false;
	p->asked_at = at;
	p->asked = n;
	p->through = through;
	p->is_banned = false;
	engine_find_bans(pipeline_engine(p->pipeline), n, note_ban, p);
	return p->is_banned;
}

/* Attempts up to this line meet the bans that there are now. */
static void judge(struct runner *p, size_t line)
{
	struct replay *s = p->replay;

	for (; p->n_judged < s->n_marks && s->marks[p->n_judged].line <= line;
	     p->n_judged++) {
		const struct mark *m = &s->marks[p->n_judged];

		backtest_book_judge(s->book, p->number, m->who, m->at,
		    is_banned(p, &m->net, m->at, m->jail));
	}
}

static bool on_policy_hit(void *ctx, const struct hit *h)
{
	struct runner *p = ctx;
	struct replay *s = p->replay;

	if ((int)p->number == s->is_facts)
		take_fact(s, h);
	else
		reach(s, h);
	judge(p, s->line);
	/* That we deliver to somebody, say, does not end with a ban. */
	return h->class == HIT_GOOD || !s->o->has_feedback ||
	       !is_banned(p, &h->net, h->at, &p->setup->jails[h->jail]);
}

/* The ledger is all that is wanted of this engine. */
static bool on_facts_hit(void *ctx, const struct hit *h)
{
	struct runner *p = ctx;

	take_fact(p->replay, h);
	return h->class == HIT_GOOD;
}

static void on_facts_verdict(void *ctx, UNUSED const struct hit *h, UNUSED int outcome)
{
	struct runner *p = ctx;

	take_credit(p->replay, p->pipeline);
}

static void take_orders(struct runner *p, uint16_t rule, struct span line)
{
	for (size_t i = 0; i < p->orders.n; i++)
		backtest_book_order(
		    p->replay->book, p->number, &p->orders.items[i], rule, line);
	orders_clear(&p->orders);
}

static void on_verdict(void *ctx, const struct hit *h, UNUSED int outcome)
{
	struct runner *p = ctx;

	if ((int)p->number == p->replay->is_facts)
		take_credit(p->replay, p->pipeline);
	if (p->orders.n)
		take_orders(p, h->rule, h->text);
}

/* --- blocks */

static int feed(struct runner *p, const struct inputs_lines *lines)
{
	const struct pipeline_block b = {
	    .lines = lines->lines,
	    .n_lines = lines->n_lines,
	    .jails = p->jails,
	    .n_jails = p->n_jails,
	    .read_at = lines->read_at,
	};

	p->replay->line = 0;
	return pipeline_feed_block(p->pipeline, &b, WALL_NONE, &p->orders);
}

static int feed_policy(struct runner *p, const struct inputs_lines *lines)
{
	int r;

	p->n_judged = 0;
	r = feed(p, lines);
	judge(p, SIZE_MAX);
	take_orders(p, 0, (struct span){"", 0});
	return r;
}

static int feed_all(struct replay *s, const struct inputs_lines *lines)
{
	struct runner *first = s->is_facts < 0 ? NULL : &s->runners[s->is_facts];
	int r;

	s->block = lines->lines;
	s->n_marks = 0;
	r = first ? feed_policy(first, lines) : feed(&s->facts, lines);
	for (size_t i = 0; r >= 0 && i < s->n_runners; i++) {
		if ((int)i != s->is_facts)
			r = feed_policy(&s->runners[i], lines);
	}
	return r < 0 ? r : s->error;
}

static int on_lines(void *ctx, const struct inputs_lines *lines)
{
	struct replay *s = ctx;
	struct inputs_progress reached;
	int r = feed_all(s, lines);

	if (r < 0)
		return r;
	s->out->n_lines += lines->n_lines;
	if (s->progress.is_wanted) {
		inputs_progress(s->inputs, &reached);
		scan_progress_tick(&s->progress, &reached, mono_now());
	}
	return scan_stop_signal() ? STOPPED : 0;
}

static void on_failure(void *ctx, const char *path, const struct err *e)
{
	struct replay *s = ctx;

	s->out->has_failed = true;
	scan_progress_erase(&s->progress);
	fprintf(stderr, "bandog backtest: %s: %s\n", path, e->text);
}

/* --- begin and end */

static int runner_init(struct runner *p, struct replay *s, size_t number,
    const struct backtest_policy *policy)
{
	struct err e = {""};

	*p = (struct runner){.replay = s,
	    .number = number,
	    .setup = policy->setup,
	    .n_jails = policy->setup->n_jails};
	p->pipeline = pipeline_new(policy->setup, &e);
	p->jails = calloc(p->n_jails + 1, sizeof(*p->jails));
	if (!p->pipeline || !p->jails) {
		fprintf(stderr, "bandog backtest: policy %s: %s\n", policy->name,
		    e.text[0] ? e.text : "out of memory");
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < p->n_jails; i++)
		p->jails[i] = i;
	pipeline_set_window(p->pipeline, s->o->since, s->o->until);
	pipeline_on_hit(p->pipeline, on_policy_hit, p);
	pipeline_on_verdict(p->pipeline, on_verdict, p);
	return 0;
}

static void runner_deinit(struct runner *p)
{
	pipeline_free(p->pipeline);
	free(p->jails);
	orders_deinit(&p->orders);
}

static int read_logs(struct replay *s, char **logs, size_t n_logs)
{
	struct inputs_options io = {
	    .now = s->o->now, .is_now_given = s->o->is_now_given};
	const struct inputs_calls calls = {
	    .on_lines = on_lines, .on_failure = on_failure, .ctx = s};
	mono_t begun = mono_now();
	struct err e = {""};
	int r = -ENOMEM;

	scan_setup_dates(s->setup, &io);
	s->inputs = inputs_new(logs, n_logs, &io, &calls, &e);
	if (s->inputs) {
		scan_progress_init(&s->progress, !s->o->is_quiet, begun);
		scan_stop_watch();
		r = inputs_read(s->inputs, &e);
		inputs_progress(s->inputs, &s->out->reached);
	}
	scan_progress_erase(&s->progress);
	s->out->seconds = (double)(mono_now().us - begun.us) / 1e6;
	if (r == STOPPED || r == -EINTR) {
		s->out->stop = scan_stop_signal();
		return 0;
	}
	if (r < 0)
		fprintf(
		    stderr, "bandog backtest: %s\n", e.text[0] ? e.text : strerror(-r));
	return r;
}

static int begin(struct replay *s, const struct backtest_policy *facts,
    const struct backtest_policy *policies, size_t n)
{
	int r = 0;

	if (s->is_facts < 0) {
		r = runner_init(&s->facts, s, 0, facts);
		if (!r) {
			pipeline_on_hit(s->facts.pipeline, on_facts_hit, &s->facts);
			pipeline_on_verdict(
			    s->facts.pipeline, on_facts_verdict, &s->facts);
		}
	}
	for (; !r && s->n_runners < n; s->n_runners++)
		r = runner_init(&s->runners[s->n_runners], s, s->n_runners,
		    &policies[s->n_runners]);
	return r;
}

int backtest_replay(const struct backtest_options *o,
    const struct backtest_policy *facts, const struct backtest_policy *policies,
    size_t n_policies, int is_facts, char **logs, size_t n_logs,
    struct backtest_outcome *out)
{
	CLEANUP(freep) struct replay *s = calloc(1, sizeof(*s));
	CLEANUP(backtest_book_freep)
	struct backtest_book *book = backtest_book_new(n_policies);
	int r;

	if (!s || !book)
		return -ENOMEM;
	*out = (struct backtest_outcome){.first = WALL_NONE, .last = WALL_NONE};
	*s = (struct replay){.o = o,
	    .book = book,
	    .out = out,
	    .setup = facts->setup,
	    .is_facts = is_facts};
	r = begin(s, facts, policies, n_policies);
	if (!r)
		r = read_logs(s, logs, n_logs);
	for (size_t i = 0; i < ARRAY_LEN(s->runners); i++)
		runner_deinit(&s->runners[i]);
	runner_deinit(&s->facts);
	inputs_free(s->inputs);
	free(s->marks);
	if (!r)
		out->book = TAKE(book);
	return r;
}
