/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What bans have stopped, asked of the enforcer before the kernel forgets it.
 *
 * A counter is gone with its element. So each ban is asked about shortly before it
 * ends, when it is lifted, at a clean stop, and once a minute meanwhile; of a million,
 * a portion each 50 ms, so that the enforcer is never kept from a ban for longer than a
 * millisecond. Without bans there is no timer. One question at a time about a ban, so
 * that no answer is booked on top of another; what a lifted ban had booked is kept with
 * the question. An answer that never comes (the enforcer died) loses what was stopped
 * since the one before, if the element goes too, and nothing else.
 */
#include <bsd/sys/queue.h>

#include "base/log.h"
#include "engine/engine_role.h"

#define PASS_MS 60000 /* from the end of one walk over all bans to the next */
#define PORTION 100
#define PORTION_MS 50
#define LEAD_SEC 2 /* before its end a ban is asked about */
#define ENDINGS_MS 1000
#define MAX_ENDINGS 2000
#define MAX_LIFTED 4000  /* in one go, when all are lifted */
#define MAX_REFRESH 2000 /* for a report that is asked for now */
#define MAX_FINISH 20000
#define MAX_QUESTIONS 8 /* under way, beyond which a walk waits */
#define MAX_PROLONGED PORTION
#define ANSWER_SEC 10 /* later than that none comes */
#define FINISH_MS 2000

struct asked {
	uint32_t jail;
	uint8_t step;
	struct net net;
	struct stopped stopped; /* when it was asked */
};

struct question {
	TAILQ_ENTRY(question) link;
	uint64_t seq;
	mono_t at;
	uint32_t n;
	struct asked items[PORTION];
};

struct engine_count {
	struct engine_role *er;
	struct loop_watch *timer;
	struct loop_watch *patience; /* at a stop */
	TAILQ_HEAD(questions, question) questions;
	size_t n_questions;
	struct question *open; /* being filled, not yet sent */
	struct buf records;    /* of it */
	uint32_t from;         /* where a walk goes on; 0: none is under way */
	mono_t next_walk;
	mono_t endings_at;              /* last looked at */
	uint32_t n_lifted, n_prolonged; /* asked about in this flush */
	void (*on_finished)(struct engine_store *s);
};

static struct engine *engine_of(const struct engine_count *c)
{
	return pipeline_engine(c->er->pipeline);
}

static bool can_ask(const struct engine_count *c)
{
	/* Bans that are being told again are not all in the kernel yet. */
	return c->er->is_restored && !c->er->role->setup->dry_run &&
	       !c->er->resync.is_on && c->er->role->peers[ROLE_ENFORCER];
}

/* --- asking ------------------------------------------------------------------------
 */

/* Return: seq of what was sent, 0: nothing. */
static uint64_t send_open(struct engine_count *c)
{
	struct question *q = c->open;
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);
	uint64_t seq = 0;

	if (!q || !q->n)
		return 0;
	c->open = NULL;
	pack_u64(&b, c->er->role->setup->generation);
	pack_u64(&b, q->seq);
	pack_u32(&b, q->n);
	buf_add_span(&b, buf_span(&c->records));
	if (role_send(c->er->role, ROLE_ENFORCER, MSG_COUNT, &b, -1) == 0) {
		seq = q->seq;
		q->at = mono_now();
		TAILQ_INSERT_TAIL(&c->questions, q, link);
		c->n_questions++;
	} else {
		free(q);
	}
	buf_deinit(&b);
	buf_clear(&c->records);
	return seq;
}

static struct question *find_question(const struct engine_count *c, uint64_t seq)
{
	struct question *q;

	TAILQ_FOREACH (q, &c->questions, link) {
		if (q->seq == seq)
			return q;
	}
	return NULL;
}

static bool is_under_way(const struct engine_count *c, const struct stopped *s)
{
	const struct question *q;

	if (!s->asked)
		return false;
	TAILQ_FOREACH (q, &c->questions, link) {
		if ((uint32_t)q->seq == s->asked)
			return true;
	}
	return c->open && (uint32_t)c->open->seq == s->asked;
}

static bool is_counted(const struct engine_count *c, const struct order *o)
{
	const struct setup *s = c->er->role->setup;

	return !net_is_id(&o->net) && o->jail < s->n_jails &&
	       s->jails[o->jail].n_targets && !setup_only_refuses(s, o->jail, o->step);
}

static void ask(void *ctx, const struct order *o, struct stopped *s)
{
	struct engine_count *c = ctx;
	struct order plain = {.op = ORDER_BAN,
	    .cause = ORDER_RESTORED,
	    .jail = o->jail,
	    .net = o->net,
	    .at = o->at,
	    .until = o->until,
	    .step = o->step};

	if (!is_counted(c, o) || is_under_way(c, s))
		return;
	if (!c->open) {
		c->open = calloc(1, sizeof(*c->open));
		if (!c->open)
			return; /* asked the next time */
		c->open->seq = ++c->er->last_seq;
	}
	s->asked = (uint32_t)c->open->seq;
	c->open->items[c->open->n++] = (struct asked){o->jail, o->step, o->net, *s};
	order_encode_record(&c->records, &plain);
	if (c->open->n == PORTION)
		(void)send_open(c);
}

static void ask_last_time(void *ctx, const struct order *o, struct stopped *s)
{
	s->is_final = true;
	ask(ctx, o, s);
}

/* --- when --------------------------------------------------------------------------
 */

static int64_t ms_until(mono_t t)
{
	return (t.us - mono_now().us) / 1000 + 1;
}

/* Until the next ban is near its end; endings are looked at once a second at most. */
static int64_t ms_until_ending(const struct engine_count *c)
{
	wall_t first = engine_next(engine_of(c));
	int64_t again =
	    ms_until((mono_t){c->endings_at.us + ENDINGS_MS * US_PER_SEC / 1000});

	if (first.us == WALL_NEVER.us)
		return PASS_MS;
	int64_t near = (first.us - wall_now().us) / 1000 - LEAD_SEC * 1000;

	return near > again ? near : again;
}

void engine_count_touch(struct engine_count *c)
{
	struct engine_bounds bounds;
	int64_t ms, ending;

	engine_bounds(engine_of(c), &bounds);
	if (!bounds.n_bans || !can_ask(c)) {
		loop_disarm(c->timer);
		return;
	}
	ms = c->from ? PORTION_MS : ms_until(c->next_walk);
	ending = ms_until_ending(c);
	if (ending < ms)
		ms = ending;
	if (c->n_questions >= MAX_QUESTIONS && ms < PORTION_MS)
		ms = PORTION_MS;
	if (ms < 1)
		ms = 1;
	loop_arm(c->timer, (uint64_t)(ms < PASS_MS ? ms : PASS_MS), 0);
}

static void forget(struct engine_count *c, struct question *q)
{
	TAILQ_REMOVE(&c->questions, q, link);
	c->n_questions--;
	free(q);
}

/* The enforcer leaves unanswered what is of another set-up than its own. */
static void forget_old(struct engine_count *c)
{
	int64_t before = mono_now().us - ANSWER_SEC * US_PER_SEC;
	struct question *q;

	while ((q = TAILQ_FIRST(&c->questions)) && q->at.us < before)
		forget(c, q);
}

static void walk(struct engine_count *c)
{
	if (!c->from && ms_until(c->next_walk) > 1)
		return;
	forget_old(c);
	if (c->n_questions >= MAX_QUESTIONS)
		return;
	c->from = engine_each_stopped(engine_of(c), c->from, PORTION, ask, c);
	if (!c->from)
		c->next_walk = (mono_t){mono_now().us + PASS_MS * US_PER_SEC / 1000};
}

static void on_timer(void *ctx)
{
	struct engine_count *c = ctx;

	if (can_ask(c)) {
		c->endings_at = mono_now();
		engine_each_ending(engine_of(c),
		    wall_add_sec(wall_now(), LEAD_SEC + ENDINGS_MS / 1000), MAX_ENDINGS,
		    ask_last_time, c);
		walk(c);
		(void)send_open(c);
	}
	engine_count_touch(c);
}

void engine_count_all(struct engine_count *c)
{
	c->from = 0;
	c->next_walk = mono_now();
	engine_count_touch(c);
}

static void ask_lifted(struct engine_count *c, const struct order *o)
{
	struct engine *e = engine_of(c);
	struct stopped gone = o->stopped, *s = &gone;

	/* A kernel that cannot change an element makes it anew. */
	if (o->op == ORDER_PROLONG && c->n_prolonged++ < MAX_PROLONGED)
		s = engine_find_stopped(e, o->jail, &o->net);
	else if (o->op != ORDER_UNBAN || o->cause != ORDER_BY_USER ||
		 c->n_lifted++ >= MAX_LIFTED)
		return;
	if (s)
		ask(c, o, s);
}

void engine_count_lifted(struct engine_count *c, const struct orders *l)
{
	if (!can_ask(c))
		return;
	c->n_lifted = c->n_prolonged = 0;
	for (size_t i = 0; i < l->n; i++)
		ask_lifted(c, &l->items[i]);
	(void)send_open(c);
}

uint64_t engine_count_now(struct engine_count *c)
{
	const struct question *last;

	if (!can_ask(c))
		return 0;
	(void)engine_each_stopped(engine_of(c), 0, MAX_REFRESH, ask, c);
	(void)send_open(c);
	last = TAILQ_LAST(&c->questions, questions);
	return last ? last->seq : 0;
}

/* --- answers -----------------------------------------------------------------------
 */

/* Whoever sends datagrams, or is answered that there is nobody, says it once. */
static uint32_t packets_per_attempt(const struct setup_jail *j, uint8_t step)
{
	for (uint32_t i = 0; i < j->n_targets; i++) {
		const struct nft_target *t = &j->targets[i];

		if (nft_target_serves(t, step) && t->protocol != IPPROTO_UDP &&
		    t->answer == NFT_DROP)
			return STOPPED_PACKETS_PER_ATTEMPT;
	}
	return 1;
}

static void book(struct engine_count *c, const struct question *q,
    const struct asked *a, uint64_t packets, uint64_t bytes)
{
	const struct setup_jail *j = &c->er->role->setup->jails[a->jail];
	struct stopped *s = engine_find_stopped(engine_of(c), a->jail, &a->net);
	struct stopped gone = a->stopped;

	/* Lifted meanwhile, and perhaps banned anew: that one was not asked about. */
	if (!s || s->asked != (uint32_t)q->seq)
		s = &gone;
	struct stopped_more more =
	    stopped_book(s, packets, bytes, packets_per_attempt(j, a->step));

	engine_sums_stopped(
	    c->er->sums, wall_now(), a->jail, a->stopped.rule, &a->net, &more);
}

static void check_finished(struct engine_count *c)
{
	if (!c->on_finished || c->n_questions)
		return;
	void (*fn)(struct engine_store * s) = c->on_finished;

	c->on_finished = NULL;
	loop_disarm(c->patience);
	fn(c->er->store);
}

bool engine_count_message(struct engine_count *c, struct message *m)
{
	struct unpack u = m->body;
	struct question *q = find_question(c, unpack_u64(&u));
	uint32_t n = unpack_count(&u, 16);

	if (!q)
		return false;
	if (n != q->n) {
		m->body.bad = true;
		return true;
	}
	for (uint32_t i = 0; i < n; i++) {
		uint64_t packets = unpack_u64(&u), bytes = unpack_u64(&u);

		/* Not known: not in the kernel, or not all of it. Nothing was counted.
		 */
		if (packets != MESSAGE_NOT_KNOWN)
			book(c, q, &q->items[i], packets, bytes);
	}
	m->body = u;
	uint64_t seq = q->seq;

	forget(c, q);
	engine_store_touch(c->er->store);
	engine_answers_sampled(c->er->answers, seq);
	check_finished(c);
	return true;
}

void engine_count_forget(struct engine_count *c)
{
	struct question *q;

	while ((q = TAILQ_FIRST(&c->questions)))
		forget(c, q);
	c->from = 0;
	engine_count_touch(c);
	check_finished(c);
}

static void on_patience(void *ctx)
{
	engine_count_forget(ctx);
}

void engine_count_finish(
    struct engine_count *c, void (*on_finished)(struct engine_store *s))
{
	c->on_finished = on_finished;
	loop_disarm(c->timer);
	if (can_ask(c)) {
		(void)engine_each_stopped(engine_of(c), 0, MAX_FINISH, ask, c);
		(void)send_open(c);
	}
	if (c->n_questions)
		loop_arm(c->patience, FINISH_MS, 0);
	check_finished(c);
}

struct engine_count *engine_count_new(struct engine_role *er)
{
	struct engine_count *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->er = er;
	c->records = BUF_INIT(MESSAGE_MAX_BYTES - 64);
	TAILQ_INIT(&c->questions);
	c->timer = loop_add_timer(er->role->loop, on_timer, c);
	c->patience = loop_add_timer(er->role->loop, on_patience, c);
	return c->timer && c->patience ? c : engine_count_free(c);
}

struct engine_count *engine_count_free(struct engine_count *c)
{
	struct question *q;

	if (!c)
		return NULL;
	while ((q = TAILQ_FIRST(&c->questions)))
		forget(c, q);
	free(c->open);
	buf_deinit(&c->records);
	loop_watch_free(c->timer);
	loop_watch_free(c->patience);
	free(c);
	return NULL;
}
