/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "duel.h"

#include <inttypes.h>
#include <stdio.h>

#include "bytes.h"
#include "duel_model.h"

#define MAX_STORED 256

/* What the keeper would hold: the last state of each count, and the bans. */
struct stored_tally {
	int jail, net;
	struct buf state;
};

struct duel {
	struct engine *engine;
	struct model model;
	struct orders orders;
	struct bytes in;
	struct duel_stats *stats;
	int64_t now;
	int jail_at[MODEL_JAILS]; /* index to jail */
	int n_jails;
	bool has_good; /* negative weights too */
	struct stored_tally store[MAX_STORED];
	size_t n_store;
};

#define CHECK_EQ(what, a, b)                                                      \
	do {                                                                      \
		int64_t a_ = (int64_t)(a), b_ = (int64_t)(b);                     \
		if (a_ != b_) {                                                   \
			fprintf(stderr,                                           \
			    "%s:%d: %s: engine %" PRId64 ", model %" PRId64 "\n", \
			    __FILE__, __LINE__, what, a_, b_);                    \
			abort();                                                  \
		}                                                                 \
	} while (0)

static const char *const names[MODEL_JAILS] = {
    "sshd", "postfix", "dovecot", "web", "x"};

static int net_index(const struct net *n)
{
	for (int i = 0; i < MODEL_NETS; i++)
		if (net_eq(&model_nets[i], n))
			return i;
	abort();
}

static const int64_t findtimes_ms[] = {0, 1000, 10000, 60000, 60500, 3600000};
static const int64_t bantimes_sec[] = {-1, 0, 1, 30, 600, 86400};

static void choose_jail(struct duel *d, struct model_jail *j, bool is_new)
{
	int64_t findtime =
	    findtimes_ms[bytes_pick(&d->in, ARRAY_LEN(findtimes_ms))] * 1000;

	uint32_t maxretry = 1 + bytes_pick(&d->in, 6);

	/* Good evidence makes long windows; see to it that none is too long to be
	 * exact. */
	if (d->has_good)
		maxretry += 123;
	if (is_new || d->model.windows_change) {
		j->findtime = findtime;
		j->maxretry = maxretry;
	}
	j->bantime_sec = bantimes_sec[bytes_pick(&d->in, ARRAY_LEN(bantimes_sec))];
	j->ignores_first = bytes_pick(&d->in, 4) == 0;
}

static struct engine_options options_of(
    const struct duel *d, struct engine_jail out[MODEL_JAILS])
{
	for (int i = 0; i < d->n_jails; i++) {
		const struct model_jail *j = &d->model.jails[d->jail_at[i]];

		out[i] = (struct engine_jail){.name = names[d->jail_at[i]],
		    .findtime_sec = (double)j->findtime / 1e6,
		    .maxretry = j->maxretry,
		    .bantime_sec = j->bantime_sec,
		    .maxmatches = 3,
		    .ignore = model_nets,
		    .n_ignore = j->ignores_first};
	}
	return (struct engine_options){
	    .jails = out, .n_jails = (size_t)d->n_jails, .text_bytes = 4096};
}

/* A new list of jails: some of all, in some order. */
static void choose_jails(struct duel *d)
{
	bool was_there[MODEL_JAILS], stays[MODEL_JAILS] = {false};
	int n = 1 + (int)bytes_pick(&d->in, MODEL_JAILS);
	int first = (int)bytes_pick(&d->in, MODEL_JAILS);
	int step = 1 + (int)bytes_pick(&d->in, MODEL_JAILS - 1);

	for (int i = 0; i < n; i++)
		stays[(first + i * step) % MODEL_JAILS] = true;
	for (int i = 0; i < MODEL_JAILS; i++) {
		was_there[i] = d->model.jails[i].index >= 0;
		if (was_there[i] && !stays[i])
			model_drop_jail(&d->model, i, d->now);
	}
	/* MODEL_JAILS is prime: every step visits each jail once. */
	for (int i = 0; i < n; i++) {
		int jail = (first + i * step) % MODEL_JAILS;

		d->jail_at[i] = jail;
		d->model.jails[jail].index = i;
		choose_jail(d, &d->model.jails[jail], !was_there[jail]);
	}
	d->n_jails = n;
}

static int cmp_order(const void *pa, const void *pb)
{
	const struct order *a = pa, *b = pb;
	int r;

	if (a->until.us != b->until.us)
		return a->until.us < b->until.us ? -1 : 1;
	r = net_cmp(&a->net, &b->net);
	return r ? r : (a->jail > b->jail) - (a->jail < b->jail);
}

/* @sort: where both sides may end several bans, the order among equals is free. */
static void compare_orders(struct duel *d, bool sort)
{
	struct orders *said = &d->orders, *want = &d->model.said;

	for (size_t i = 1; sort && i < said->n; i++)
		if (said->items[i - 1].until.us > said->items[i].until.us) {
			fprintf(stderr, "bans do not end in order\n");
			abort();
		}
	if (sort && said->n) {
		qsort(said->items, said->n, sizeof(struct order), cmp_order);
		qsort(want->items, want->n, sizeof(struct order), cmp_order);
	}
	CHECK_EQ("orders", said->n, want->n);
	for (size_t i = 0; i < said->n; i++) {
		const struct order *a = &said->items[i], *b = &want->items[i];

		CHECK_EQ("op", a->op, b->op);
		CHECK_EQ("cause", a->cause, b->cause);
		CHECK_EQ("jail", a->jail, b->jail);
		CHECK_EQ("net", net_index(&a->net), net_index(&b->net));
		CHECK_EQ("at", a->at.us, b->at.us);
		CHECK_EQ("until", a->until.us, b->until.us);
		CHECK_EQ("failures", a->failures, b->failures);
	}
	orders_clear(said);
	orders_clear(want);
}

static void on_ban(void *ctx, const struct order *o)
{
	struct duel *d = ctx;
	const struct model_jail *j = &d->model.jails[d->jail_at[o->jail]];
	const struct model_ban *b = &j->keys[net_index(&o->net)].ban;
	struct order *seen;

	CHECK_EQ("banned", true, b->on);
	CHECK_EQ("banned at", o->at.us, b->at);
	CHECK_EQ("banned until", o->until.us, b->until);
	CHECK_EQ("banned failures", o->failures, b->failures);
	CHECK_EQ("banned cause", o->cause, b->cause);
	seen = orders_append(&d->orders);
	seen->jail = o->jail;
	seen->net = o->net;
	seen->until = o->until;
}

static void compare_bans(struct duel *d)
{
	size_t n_total = 0;

	for (int i = 0; i < d->n_jails; i++) {
		const struct model_jail *j = &d->model.jails[d->jail_at[i]];
		size_t n = 0;

		for (int k = 0; k < MODEL_NETS; k++)
			n += j->keys[k].ban.on;
		engine_each_ban(d->engine, i, on_ban, d);
		CHECK_EQ("bans of a jail", d->orders.n, n);
		orders_clear(&d->orders);
		n_total += n;
	}
	engine_each_ban(d->engine, -1, on_ban, d);
	CHECK_EQ("bans", d->orders.n, n_total);
	for (size_t i = 1; i < d->orders.n; i++)
		CHECK_EQ("order of bans", true,
		    d->orders.items[i - 1].until.us <= d->orders.items[i].until.us);
	orders_clear(&d->orders);
}

static void compare_found(struct duel *d)
{
	const struct net *n = &model_nets[bytes_pick(&d->in, MODEL_NETS)];
	size_t want = 0;

	for (int i = 0; i < d->n_jails; i++)
		for (int k = 0; k < MODEL_NETS; k++)
			want += d->model.jails[d->jail_at[i]].keys[k].ban.on &&
				(net_contains(n, &model_nets[k]) ||
				    net_contains(&model_nets[k], n));
	engine_find_bans(d->engine, n, on_ban, d);
	CHECK_EQ("found", d->orders.n, want);
	orders_clear(&d->orders);
}

struct account_ctx {
	struct duel *d;
	int net;
	unsigned int seen;
};

static void on_account(void *ctx, const struct engine_account *a)
{
	struct account_ctx *c = ctx;
	int64_t sum = 0, first = 0, last = 0;
	int jail = c->d->jail_at[a->jail];

	CHECK_EQ("speaks", true,
	    model_account(&c->d->model, jail, c->net, &sum, &first, &last));
	CHECK_EQ("sum", a->failures, sum);
	CHECK_EQ("first", a->first.us, first);
	CHECK_EQ("last", a->last.us, last);
	CHECK_EQ("maxretry", a->maxretry, c->d->model.jails[jail].maxretry);
	c->seen |= 1u << jail;
}

static void compare_accounts(struct duel *d)
{
	uint64_t n_failing[MODEL_JAILS] = {0};
	int64_t x, y, z;

	for (int k = 0; k < MODEL_NETS; k++) {
		struct account_ctx c = {.d = d, .net = k};

		engine_account(d->engine, &model_nets[k], on_account, &c);
		for (int i = 0; i < d->n_jails; i++) {
			int jail = d->jail_at[i];
			bool speaks = model_account(&d->model, jail, k, &x, &y, &z);

			CHECK_EQ("account", c.seen >> jail & 1, speaks);
			n_failing[i] += speaks;
		}
	}
	for (int i = 0; i < d->n_jails; i++) {
		struct engine_counts counts;

		engine_counts(d->engine, (uint32_t)i, &counts);
		CHECK_EQ("failing", counts.failed_now, n_failing[i]);
	}
}

static void compare_counts(struct duel *d)
{
	for (int i = 0; i < d->n_jails; i++) {
		const struct model_jail *j = &d->model.jails[d->jail_at[i]];
		struct engine_counts counts;
		size_t n_bans = 0;

		for (int k = 0; k < MODEL_NETS; k++)
			n_bans += j->keys[k].ban.on;
		engine_counts(d->engine, (uint32_t)i, &counts);
		CHECK_EQ("banned now", counts.banned_now, n_bans);
		CHECK_EQ("failed total", counts.failed_total, j->failed_total);
		CHECK_EQ("banned total", counts.banned_total, j->banned_total);
		CHECK_EQ("ignored total", counts.ignored_total, j->ignored_total);
	}
}

static void store_tally(
    void *ctx, uint32_t index, const struct net *n, struct span state)
{
	struct duel *d = ctx;
	int jail = d->jail_at[index], net = net_index(n);
	struct stored_tally *t = d->store;

	while (t < d->store + d->n_store && (t->jail != jail || t->net != net))
		t++;
	if (t == d->store + d->n_store) {
		*t = (struct stored_tally){jail, net, BUF_INIT(1 << 16)};
		d->n_store++;
	}
	buf_clear(&t->state);
	buf_add_span(&t->state, state);
}

/* A jail that went takes its stored counts along. */
static void purge_store(struct duel *d)
{
	for (size_t i = 0; i < d->n_store; i++)
		if (d->model.jails[d->store[i].jail].index < 0)
			buf_clear(&d->store[i].state);
}

static void restore_bans(struct duel *d, struct engine *e)
{
	for (int i = 0; i < d->n_jails; i++)
		for (int k = 0; k < MODEL_NETS; k++) {
			const struct model_ban *b =
			    &d->model.jails[d->jail_at[i]].keys[k].ban;
			const struct order o = {.op = ORDER_BAN,
			    .cause = (enum order_cause)b->cause,
			    .jail = (uint32_t)i,
			    .net = model_nets[k],
			    .at = {b->at},
			    .until = {b->until},
			    .failures = b->failures};

			if (b->on)
				CHECK_EQ("restored", engine_restore_ban(e, &o), 0);
		}
}

static void do_restart(struct duel *d)
{
	struct engine_jail jails[MODEL_JAILS];
	struct engine_options o = options_of(d, jails);
	struct engine *e = engine_new(&o);

	engine_each_dirty(d->engine, store_tally, d);
	restore_bans(d, e);
	for (size_t i = 0; i < d->n_store; i++) {
		const struct stored_tally *t = &d->store[i];
		int index = d->model.jails[t->jail].index;

		if (index < 0 || t->state.n == 0)
			continue;
		CHECK_EQ("restored",
		    engine_restore_tally(
			e, (uint32_t)index, &model_nets[t->net], buf_span(&t->state)),
		    0);
	}
	engine_free(d->engine);
	d->engine = e;
	for (int i = 0; i < MODEL_JAILS; i++)
		d->model.jails[i].failed_total = d->model.jails[i].banned_total =
		    d->model.jails[i].ignored_total = 0;
	d->stats->n_restarts++;
	engine_tick(d->engine, (wall_t){d->now}, &d->orders);
	model_tick(&d->model, d->now);
	compare_orders(d, true);
}

static void do_reload(struct duel *d)
{
	struct engine_jail jails[MODEL_JAILS];
	struct engine_options o;

	/* Marks that are set before a reload are told after it, under the new numbers.
	 */
	if (d->now > d->model.clock)
		d->model.clock = d->now;
	model_forget(&d->model);
	choose_jails(d);
	o = options_of(d, jails);
	CHECK_EQ(
	    "reload", engine_reload(d->engine, &o, (wall_t){d->now}, &d->orders), 0);
	purge_store(d);
	d->stats->n_reloads++;
	compare_orders(d, true);
}

static int choose_weight(struct duel *d)
{
	uint8_t c = bytes_next(&d->in);

	if (d->has_good)
		return c % 8 == 0 ? -(int)(c / 8) : c % 70;
	return c < 200 ? 1 : 1 + c % 3;
}

static void do_hit(struct duel *d)
{
	int i = (int)bytes_pick(&d->in, (unsigned int)d->n_jails);
	int net = (int)bytes_pick(&d->in, 16);
	int64_t back_ms = bytes_pick(&d->in, 4);
	struct hit h;
	int r, want;

	/* Half of all hits are of one address, so that something comes of them. */
	net = net < MODEL_NETS ? net : 1;
	if (back_ms == 1)
		back_ms = bytes_next(&d->in) * INT64_C(125);
	else if (back_ms == 2)
		back_ms = bytes_next(&d->in) * INT64_C(1000);
	else if (back_ms == 3)
		back_ms = bytes_pick(&d->in, 64) * INT64_C(60000);
	h = (struct hit){.jail = (uint32_t)i,
	    .net = model_nets[net],
	    .weight = (int16_t)choose_weight(d),
	    .at = {d->now - back_ms * 1000},
	    .text = SPAN("a line")};
	r = engine_feed(d->engine, &h, (wall_t){d->now}, &d->orders);
	want = model_feed(&d->model, d->jail_at[i], net, h.at.us, h.weight, d->now);
	CHECK_EQ("feed", r, want);
	compare_orders(d, false);
	d->stats->n_hits++;
	d->stats->n_bans += r == ENGINE_BANNED;
	d->stats->n_prolonged += r == ENGINE_PROLONGED;
	d->stats->n_stale += r == ENGINE_STALE;
}

static void do_tick(struct duel *d)
{
	int64_t steps_ms[] = {250, 1000, 10000, 60000, 3600000};

	d->now += steps_ms[bytes_pick(&d->in, ARRAY_LEN(steps_ms))] * 1000;
	engine_tick(d->engine, (wall_t){d->now}, &d->orders);
	model_tick(&d->model, d->now);
	compare_orders(d, true);
	CHECK_EQ("next", true,
	    engine_next(d->engine).us == WALL_NEVER.us ||
		engine_next(d->engine).us > d->now);
}

static void do_ban(struct duel *d)
{
	static const int64_t secs[] = {0, -1, 1, 60, 7200};
	int i = (int)bytes_pick(&d->in, (unsigned int)d->n_jails);
	int net = (int)bytes_pick(&d->in, MODEL_NETS);
	int64_t sec = secs[bytes_pick(&d->in, ARRAY_LEN(secs))];
	int r = engine_ban(d->engine, (uint32_t)i, &model_nets[net], NULL,
	    (wall_t){d->now}, sec, &d->orders);

	CHECK_EQ("ban", r, model_ban(&d->model, d->jail_at[i], net, d->now, sec));
	compare_orders(d, false);
}

static void do_unban(struct duel *d)
{
	int i = (int)bytes_pick(&d->in, (unsigned int)d->n_jails + 1) - 1;
	int net = (int)bytes_pick(&d->in, MODEL_NETS + 1) - 1;
	int r = engine_unban(d->engine, i, net < 0 ? NULL : &model_nets[net],
	    (wall_t){d->now}, &d->orders);

	CHECK_EQ("unban", r,
	    model_unban(&d->model, i < 0 ? -1 : d->jail_at[i], net, d->now));
	/* A host has one ban a jail; the engine goes by jail then, and not by end. */
	if (d->orders.n && net >= 0 && net_is_host(&model_nets[net]))
		qsort(d->orders.items, d->orders.n, sizeof(struct order), cmp_order);
	compare_orders(d, true);
}

static void do_query(struct duel *d)
{
	compare_bans(d);
	compare_found(d);
	compare_accounts(d);
	compare_counts(d);
}

static void step(struct duel *d)
{
	unsigned int op = bytes_pick(&d->in, 64);

	if (op < 44)
		do_hit(d);
	else if (op < 52)
		do_tick(d);
	else if (op < 53)
		do_ban(d);
	else if (op < 54)
		do_unban(d);
	else if (op < 55)
		do_reload(d);
	else if (op < 58)
		do_restart(d);
	else if (op < 60)
		engine_each_dirty(d->engine, store_tally, d);
	else if (op < 61)
		engine_mark_dirty(d->engine);
	else
		do_query(d);
}

void duel_run(const uint8_t *bytes, size_t n, struct duel_stats *io_stats)
{
	struct duel *d = calloc(1, sizeof(*d));
	struct engine_jail jails[MODEL_JAILS];
	struct engine_options o;

	d->in = (struct bytes){bytes, n};
	d->stats = io_stats;
	d->now = INT64_C(1795000000) * US_PER_SEC;
	model_init(&d->model);
	d->has_good = bytes_pick(&d->in, 4) == 0;
	d->model.windows_change = bytes_pick(&d->in, 2);
	choose_jails(d);
	o = options_of(d, jails);
	d->engine = engine_new(&o);
	while (d->in.n > 0)
		step(d);
	do_query(d);

	engine_free(d->engine);
	for (size_t i = 0; i < d->n_store; i++)
		buf_deinit(&d->store[i].state);
	orders_deinit(&d->orders);
	model_deinit(&d->model);
	free(d);
}
