/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_query - who is banned or failing, why, and how many
 */
#include "decide/engine_private.h"

#include <assert.h>

/* Lines looked at for one answer: an address may own many that no longer matter. */
#define MAX_LINES_READ (4 * ENGINE_MAX_WINDOW)

uint32_t engine_failures(const struct window_part *part, uint16_t unit)
{
	int64_t n = part->sum > 0 ? (part->sum + unit - 1) / unit : 0;

	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* Give the line to the newest failure it fits that has none yet. */
static bool give_text(struct evidence *why, size_t n, const struct evidence_line *line)
{
	for (size_t i = n; i-- > 0;) {
		if (why[i].text || why[i].at.us != line->at.us ||
		    why[i].rule != line->rule || why[i].weight != line->weight)
			continue;
		why[i].text = line->text;
		return true;
	}
	return false;
}

size_t engine_why_of_tally(const struct engine *e, uint32_t id, const struct window *w,
    const struct window_part *part, uint32_t max, struct evidence out[WHY_MAX])
{
	size_t n = part->to - part->from, n_missing;
	uint32_t text = tally_text(e->tally, id);
	struct evidence_line line;

	if (n > max)
		n = max;
	for (size_t i = 0; i < n; i++) {
		const struct window_item *k = &w->items[part->to - n + i];

		out[i] = (struct evidence){
		    {k->at_us}, (uint16_t)(k->rule & ~WINDOW_SOFT), k->weight, NULL};
	}
	n_missing = n;
	for (int i = 0; i < MAX_LINES_READ && n_missing > 0 &&
			evidence_ring_get(e->tally_lines, id, text, &line);
	     i++) {
		n_missing -= give_text(out, n, &line);
		text = line.before;
	}
	return n;
}

/* Oldest first, while the ring leads from the newest back. */
size_t engine_why_of_ban(
    const struct engine *e, const struct ban *b, struct evidence out[WHY_MAX])
{
	uint32_t text = b->text;
	struct evidence_line line;
	size_t n = 0;

	while (n < WHY_MAX && evidence_ring_get(e->ban_lines, b->id, text, &line)) {
		out[n++] =
		    (struct evidence){line.at, line.rule, line.weight, line.text};
		text = line.before;
	}
	for (size_t i = 0; i < n / 2; i++) {
		struct evidence k = out[i];

		out[i] = out[n - 1 - i];
		out[n - 1 - i] = k;
	}
	return n;
}

static void show(
    const struct engine *e, const struct ban *b, engine_ban_fn fn, void *ctx)
{
	struct evidence why[WHY_MAX];
	const struct order o = {.op = ORDER_BAN,
	    .cause = (enum order_cause)b->cause,
	    .jail = b->jail,
	    .net = b->net,
	    .id = b->name ? b->name->text : NULL,
	    .ip = b->name ? b->name->ip : (struct net){.bits = 0},
	    .at = b->at,
	    .until = b->until,
	    .failures = b->failures,
	    .ban_count = b->count,
	    .step = b->step,
	    .stopped = b->stopped,
	    .n_why = (uint32_t)engine_why_of_ban(e, b, why),
	    .why = why};

	fn(ctx, &o);
}

void engine_each_ban(const struct engine *e, int jail, engine_ban_fn fn, void *ctx)
{
	for (const struct ban *b = ban_table_first(e->bans); b; b = ban_table_after(b))
		if (jail < 0 || b->jail == jail)
			show(e, b, fn, ctx);
}

bool engine_next_bans(
    const struct engine *e, uint32_t *io_at, size_t max, engine_ban_fn fn, void *ctx)
{
	for (; max > 0; max--) {
		const struct ban *b = ban_table_next(e->bans, *io_at);

		if (!b)
			return false;
		*io_at = b->id;
		show(e, b, fn, ctx);
	}
	return true;
}

static void find_host_bans(
    const struct engine *e, const struct net *n, engine_ban_fn fn, void *ctx)
{
	for (uint32_t i = 0; i < e->set.n_jails; i++) {
		const struct ban *b = ban_table_find(e->bans, i, n);
		struct net inner = *n;

		if (b)
			show(e, b, fn, ctx);
		while ((b = ban_table_find_around(e->bans, i, &inner, WALL_NONE))) {
			show(e, b, fn, ctx);
			inner = b->net;
		}
	}
}

void engine_find_bans(
    const struct engine *e, const struct net *n, engine_ban_fn fn, void *ctx)
{
	if (net_is_host(n)) {
		find_host_bans(e, n, fn, ctx);
		return;
	}
	for (const struct ban *b = ban_table_first(e->bans); b; b = ban_table_after(b))
		if (net_contains(n, &b->net) || net_contains(&b->net, n))
			show(e, b, fn, ctx);
}

static void account_of(const struct engine *e, uint32_t jail, const struct net *n,
    uint32_t id, engine_account_fn fn, void *ctx)
{
	const struct jail *j = &e->set.jails[jail];
	struct evidence why[WHY_MAX];
	struct engine_account a = {.jail = jail,
	    .maxretry = j->maxretry,
	    .findtime_sec = j->findtime_sec,
	    .why = why};
	struct window_part part;
	struct window w;

	tally_load(e->tally, id, &w);
	engine_threshold(
	    e, jail, n, w.items[w.n - 1].rule & (uint16_t)~WINDOW_SOFT, &a.threshold);
	part = window_latest_capped(&w, e->set.tally_jails[jail].findtime_us,
	    engine_soft_cap(a.threshold.need));
	a.failures = engine_failures(&part, j->unit);
	a.sum = part.sum;
	a.soft = part.soft;
	a.first.us = w.items[part.from].at_us;
	a.last.us = w.items[part.to - 1].at_us;
	a.n_why = engine_why_of_tally(e, id, &w, &part, j->maxmatches, why);
	if (a.threshold.pressure && !a.threshold.has_credit) {
		window_prune(&w, a.first.us);
		a.distinct = engine_take_distinct(j, &w);
	}
	fn(ctx, &a);
}

void engine_account(
    const struct engine *e, const struct net *n, engine_account_fn fn, void *ctx)
{
	for (uint32_t i = 0; i < e->set.n_jails; i++) {
		uint32_t id = tally_find(e->tally, i, n, e->clock);

		if (id && tally_is_failing(e->tally, id, e->clock))
			account_of(e, i, n, id, fn, ctx);
	}
}

bool engine_is_ignored(
    const struct engine *e, uint32_t jail, const struct net *n, struct net *by)
{
	assert(jail < e->set.n_jails);
	return ignore_find(e->set.ignore, jail, n, by);
}

/*
 * All jails at once, as counting means to look at every address; asked for one jail
 * after the other, as people do, it is done once.
 */
static void count_failing(const struct engine *e)
{
	struct failing *f = e->set.failing;

	if (f->counted_at == e->n_changes)
		return;
	for (uint32_t i = 0; i < e->set.n_jails; i++)
		f->n[i] = 0;
	tally_count_failing(e->tally, e->clock, f->n);
	f->counted_at = e->n_changes;
}

void engine_counts(const struct engine *e, uint32_t jail, struct engine_counts *out)
{
	assert(jail < e->set.n_jails);
	count_failing(e);
	*out = e->set.jails[jail].counts;
	out->failed_now = e->set.failing->n[jail];
}

void engine_bounds(const struct engine *e, struct engine_bounds *out)
{
	*out = (struct engine_bounds){
	    .n_tracked = tally_count(e->tally),
	    .n_bans = ban_table_count(e->bans),
	    .n_forgotten = tally_n_forgotten(e->tally),
	    .n_refused = e->n_refused,
	    .n_offenders = offenders_n(e->offenders),
	    .n_unescalated = e->n_unescalated,
	    .n_credits = credits_n(e->credits),
	};
}

void engine_each_dirty(struct engine *e, engine_tally_fn fn, void *ctx)
{
	tally_each_dirty(e->tally, fn, ctx);
}

void engine_mark_dirty(struct engine *e)
{
	tally_mark_dirty(e->tally);
	offenders_mark_dirty(e->offenders);
	credits_mark_dirty(e->credits);
}

void engine_each_failing(
    const struct engine *e, wall_t now, engine_failing_fn fn, void *ctx)
{
	tally_each_failing(e->tally, now, fn, ctx);
}
