/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/backtest_book.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"

#define DAY_US (24 * 3600 * US_PER_SEC)

struct entry {
	struct backtest_address a;
	UT_hash_handle hh;
	struct backtest_fate fates[];
};

struct networks {
	struct backtest_network *items;
	size_t n, room;
};

struct backtest_book {
	size_t n_policies;
	struct entry *entries;
	uint64_t n_attempts, n_unwritten;
	struct backtest_sums sums[BACKTEST_MAX_POLICIES];
	struct networks networks[BACKTEST_MAX_POLICIES];
};

struct backtest_book *backtest_book_new(size_t n_policies)
{
	struct backtest_book *b = calloc(1, sizeof(*b));

	if (b)
		b->n_policies = n_policies;
	return b;
}

static void policy_deinit(struct backtest_book *b, size_t i)
{
	for (size_t k = 0; k < b->networks[i].n; k++)
		free(b->networks[i].items[k].ban.line);
	free(b->networks[i].items);
	backtest_hours_deinit(&b->sums[i].hours);
}

struct backtest_book *backtest_book_free(struct backtest_book *b)
{
	struct entry *e, *next;

	if (!b)
		return NULL;
	HASH_ITER (hh, b->entries, e, next) {
		HASH_DEL(b->entries, e);
		for (size_t i = 0; i < b->n_policies; i++)
			free(e->fates[i].ban.line);
		free(e);
	}
	for (size_t i = 0; i < b->n_policies; i++)
		policy_deinit(b, i);
	free(b);
	return NULL;
}

static struct entry *find(const struct backtest_book *b, const struct net *who)
{
	struct entry *e;

	HASH_FIND(hh, b->entries, who, sizeof(*who), e);
	return e;
}

/* NULL: there is no room. */
static struct backtest_address *get(struct backtest_book *b, const struct net *who)
{
	struct entry *e = find(b, who);

	if (e)
		return &e->a;
	if (HASH_COUNT(b->entries) < BACKTEST_MAX_ADDRESSES)
		e = calloc(1, sizeof(*e) + b->n_policies * sizeof(e->fates[0]));
	if (e) {
		e->a.net = *who;
		e->a.fates = e->fates;
		e->a.last_good_day = INT64_MIN;
		HASH_ADD(hh, b->entries, a.net, sizeof(e->a.net), e);
	}
	if (e && e->hh.tbl)
		return &e->a;
	free(e);
	b->n_unwritten++;
	return NULL;
}

static bool is_same_try(const struct backtest_try *t, const struct backtest_sign *sign)
{
	int64_t since_us = sign->at.us - t->at.us;

	return t->session == sign->session &&
	       since_us <= BACKTEST_TRY_SEC * US_PER_SEC &&
	       since_us >= -BACKTEST_TRY_SEC * US_PER_SEC &&
	       !(t->kinds >> (sign->kind % 64) & 1);
}

bool backtest_book_attempt(struct backtest_book *b, const struct backtest_sign *sign,
    struct backtest_address **out)
{
	struct backtest_address *a = get(b, &sign->who);
	bool is_same = a && a->n_attempts && is_same_try(&a->last, sign);

	*out = a;
	b->n_attempts += !is_same;
	if (!a)
		return true;
	if (!is_same)
		a->last = (struct backtest_try){.session = sign->session};
	a->last.kinds |= UINT64_C(1) << (sign->kind % 64);
	a->last.at = sign->at;
	if (!is_same && !a->n_attempts++)
		a->first_attempt = sign->at;
	return !is_same;
}

struct backtest_address *backtest_book_good(
    struct backtest_book *b, const struct backtest_sign *sign)
{
	struct backtest_address *a = get(b, &sign->who);
	int64_t day = sign->at.us / DAY_US;

	if (!a)
		return NULL;
	a->n_good++;
	a->n_good_days += day > a->last_good_day;
	if (day > a->last_good_day)
		a->last_good_day = day;
	a->good_kinds |= UINT64_C(1) << (sign->kind % 64);
	return a;
}

void backtest_book_judge(struct backtest_book *b, size_t policy,
    struct backtest_address *who, wall_t at, bool is_stopped)
{
	struct backtest_sums *s = &b->sums[policy];
	struct backtest_hour *hour = backtest_hours_at(&s->hours, at);

	s->n_passed += !is_stopped;
	s->n_stopped += is_stopped;
	if (hour) {
		hour->passed += !is_stopped;
		hour->stopped += is_stopped;
	}
	if (!who)
		return;
	who->fates[policy].n_met++;
	who->fates[policy].n_stopped += is_stopped;
}

/* --- bans */

static char *keep_line(struct backtest_sums *s, struct span line)
{
	char *kept;

	if (line.n > BACKTEST_LINE_BYTES)
		line.n = BACKTEST_LINE_BYTES;
	if (s->line_bytes + line.n > BACKTEST_LINES_BYTES)
		return NULL;
	kept = span_dup(line);
	s->line_bytes += kept ? line.n : 0;
	return kept;
}

static struct backtest_ban first_ban(struct backtest_sums *s, const struct order *o,
    uint32_t n_attempts, uint16_t rule, struct span line)
{
	return (struct backtest_ban){
	    .at = o->at,
	    .until = o->until,
	    .jail = o->jail,
	    .n_attempts = n_attempts,
	    .rule = rule,
	    .step = o->step,
	    .line = keep_line(s, line),
	};
}

static struct backtest_network *get_network(struct networks *l, const struct net *net)
{
	size_t i = 0;

	while (i < l->n && !net_eq(&l->items[i].net, net))
		i++;
	if (i < l->n)
		return &l->items[i];
	if (l->n == BACKTEST_MAX_NETWORKS)
		return NULL;
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 16;
		void *more = reallocarray(l->items, room, sizeof(*l->items));

		if (!more)
			return NULL;
		l->items = more;
		l->room = room;
	}
	l->items[l->n] = (struct backtest_network){.net = *net};
	return &l->items[l->n++];
}

/* Its length so far, and what is added to it; what is for ever has none. */
static void add_length(
    struct backtest_sums *s, const struct order *o, wall_t until_before)
{
	wall_t from = o->op == ORDER_BAN ? o->at : until_before;

	if (o->until.us == WALL_NEVER.us)
		s->n_permanent++;
	else if (o->until.us > from.us)
		s->total_sec += (double)(o->until.us - from.us) / (double)US_PER_SEC;
}

static void ban_network(struct backtest_book *b, size_t policy, const struct order *o,
    uint16_t rule, struct span line)
{
	struct backtest_sums *s = &b->sums[policy];
	struct backtest_network *n = get_network(&b->networks[policy], &o->net);

	if (!n)
		return;
	add_length(s, o, n->until);
	n->until = o->until;
	if (o->op != ORDER_BAN || n->n_bans++)
		return;
	s->n_networks++;
	n->ban = first_ban(s, o, 0, rule, line);
}

static void ban_address(struct backtest_book *b, size_t policy, const struct order *o,
    uint16_t rule, struct span line)
{
	struct backtest_sums *s = &b->sums[policy];
	struct backtest_address *a = get(b, &o->net);
	struct backtest_fate *f = a ? &a->fates[policy] : NULL;

	if (!f)
		return;
	add_length(s, o, f->until);
	f->until = o->until;
	if (o->op != ORDER_BAN || f->n_bans++)
		return;
	s->n_addresses++;
	f->ban = first_ban(s, o, f->n_met, rule, line);
}

void backtest_book_order(struct backtest_book *b, size_t policy, const struct order *o,
    uint16_t rule, struct span line)
{
	struct backtest_sums *s = &b->sums[policy];
	struct backtest_hour *hour = NULL;

	if (o->op != ORDER_PROLONG)
		hour = backtest_hours_at(&s->hours, o->at);
	if (hour && o->op == ORDER_BAN)
		hour->begun++;
	else if (hour)
		hour->ended++;
	if (o->op == ORDER_UNBAN)
		return;
	s->n_bans += o->op == ORDER_BAN;
	if (net_is_id(&o->net))
		return;
	if (net_is_host(&o->net))
		ban_address(b, policy, o, rule, line);
	else
		ban_network(b, policy, o, rule, line);
}

/* --- what came of it */

uint64_t backtest_book_n_attempts(const struct backtest_book *b)
{
	return b->n_attempts;
}

uint64_t backtest_book_n_unwritten(const struct backtest_book *b)
{
	return b->n_unwritten;
}

const struct backtest_sums *backtest_book_sums(
    const struct backtest_book *b, size_t policy)
{
	return &b->sums[policy];
}

void backtest_book_each(
    const struct backtest_book *b, backtest_address_fn fn, void *ctx)
{
	struct entry *e, *next;

	HASH_ITER (hh, b->entries, e, next)
		fn(ctx, &e->a);
}

void backtest_book_each_network(
    const struct backtest_book *b, size_t policy, backtest_network_fn fn, void *ctx)
{
	for (size_t i = 0; i < b->networks[policy].n; i++)
		fn(ctx, &b->networks[policy].items[i]);
}

const struct backtest_ban *backtest_book_ban_of(const struct backtest_book *b,
    size_t policy, const struct backtest_address *a, struct net *out_net)
{
	const struct networks *l = &b->networks[policy];

	*out_net = a->net;
	if (a->fates[policy].n_bans)
		return &a->fates[policy].ban;
	for (size_t i = 0; i < l->n; i++) {
		if (!net_contains(&l->items[i].net, &a->net))
			continue;
		*out_net = l->items[i].net;
		return &l->items[i].ban;
	}
	return NULL;
}

struct delays {
	size_t policy, n, n_unseen;
	double *sec, *attempts;
};

static void note_delay(void *ctx, const struct backtest_address *a)
{
	struct delays *d = ctx;
	const struct backtest_fate *f = &a->fates[d->policy];

	if (!f->n_bans)
		return;
	d->n_unseen += !a->n_attempts;
	if (!f->ban.n_attempts || f->ban.at.us < a->first_attempt.us)
		return;
	d->sec[d->n] =
	    (double)(f->ban.at.us - a->first_attempt.us) / (double)US_PER_SEC;
	d->attempts[d->n++] = f->ban.n_attempts;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The smallest value that @share of all do not exceed. */
static double quantile(const double *sorted, size_t n, double share)
{
	size_t i = (size_t)((double)n * share);

	if (!n)
		return 0;
	if (i && (double)i >= (double)n * share)
		i--;
	return sorted[i < n ? i : n - 1];
}

int backtest_book_delays(
    const struct backtest_book *b, size_t policy, struct backtest_delays *out)
{
	size_t n = HASH_COUNT(b->entries);
	CLEANUP(freep) double *sec = calloc(n + 1, sizeof(*sec));
	CLEANUP(freep) double *attempts = calloc(n + 1, sizeof(*attempts));
	struct delays d = {.policy = policy, .sec = sec, .attempts = attempts};

	if (!sec || !attempts)
		return -ENOMEM;
	backtest_book_each(b, note_delay, &d);
	qsort(sec, d.n, sizeof(*sec), ascending);
	qsort(attempts, d.n, sizeof(*attempts), ascending);
	*out = (struct backtest_delays){
	    .n = d.n,
	    .median_sec = quantile(sec, d.n, 0.5),
	    .p90_sec = quantile(sec, d.n, 0.9),
	    .median_attempts = quantile(attempts, d.n, 0.5),
	    .n_unseen = d.n_unseen,
	};
	return 0;
}
