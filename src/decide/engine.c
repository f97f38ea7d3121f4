/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine - what a hit and the passing of time lead to
 *
 * The order of things in a verdict matters: first the order is written down whole, then
 * the ban is placed, then the failures are forgotten. Whatever fails on the way leaves
 * the failures where they are, so that the next one asks again.
 */
#include "decide/engine_private.h"

#include <assert.h>
#include <errno.h>

/* So often a part of all slots is swept: all within the hour. */
#define SWEEP_SEC 10
#define SWEEP_PARTS 360
#define SWEEP_MIN 16
#define CLOCK_STEP_BACK_SEC 3600

struct engine *engine_new(const struct engine_options *o)
{
	CLEANUP(engine_freep) struct engine *e = calloc(1, sizeof(*e));

	if (!e || set_up_init(&e->set, o) < 0)
		return NULL;
	e->tally = tally_new(e->set.max_tracked);
	e->bans = ban_table_new(e->set.max_bans);
	e->offenders = offenders_new(e->set.max_offenders);
	e->credits = credits_new(CREDITS_MAX);
	e->distinct = distinct_new(DISTINCT_MAX);
	e->accounts = accounts_new(ACCOUNT_MAX);
	e->group = group_new(GROUP_MAX);
	e->nets = tally_new(ENGINE_MAX_NETS);
	if (!e->tally || !e->bans || !e->offenders || !e->credits || !e->distinct ||
	    !e->accounts || !e->group || !e->nets)
		return NULL;
	if (engine_name_offenders(e, &e->set) < 0)
		return NULL;
	offenders_set_bounds(
	    e->offenders, e->set.max_offenders, e->set.offenders_keep_sec);
	e->tally_lines = evidence_ring_new(e->set.text_bytes / 2);
	e->ban_lines = evidence_ring_new(e->set.text_bytes / 2);
	if (!e->tally_lines || !e->ban_lines)
		return NULL;
	tally_set_jails(e->tally, e->set.tally_jails);
	tally_set_jails(e->nets, e->set.tally_jails);
	e->clock.us = e->swept_at.us = -ENGINE_MAX_TIME_US;
	return TAKE(e);
}

struct engine *engine_free(struct engine *e)
{
	if (!e)
		return NULL;
	evidence_ring_free(e->ban_lines);
	evidence_ring_free(e->tally_lines);
	tally_free(e->nets);
	group_free(e->group);
	accounts_free(e->accounts);
	distinct_free(e->distinct);
	credits_free(e->credits);
	offenders_free(e->offenders);
	ban_table_free(e->bans);
	tally_free(e->tally);
	set_up_deinit(&e->set);
	free(e);
	return NULL;
}

void engine_set_clock(struct engine *e, wall_t now)
{
	e->n_changes++;
	if (now.us > ENGINE_MAX_TIME_US)
		now.us = ENGINE_MAX_TIME_US;
	if (now.us > e->clock.us)
		e->clock = now;
}

HOT void engine_keep_line(struct engine *e, uint32_t id, const struct hit *h)
{
	uint32_t text;

	if (h->text.n == 0 || e->set.jails[h->jail].maxmatches == 0)
		return;
	text = evidence_ring_add(e->tally_lines, id, tally_text(e->tally, id), h->at,
	    h->rule, h->weight, h->text);
	if (text)
		tally_set_text(e->tally, id, text);
}

static int announce_ban(struct engine *e, uint32_t id, const struct window *w,
    const struct window_part *part, const struct order *verdict, struct orders *out)
{
	struct evidence why[WHY_MAX];
	uint32_t max = e->set.jails[verdict->jail].maxmatches;
	size_t n_why = engine_why_of_tally(e, id, w, part, max, why);

	return engine_announce(verdict, why, n_why, out);
}

/* Is there a ban already that this one would not outlast? */
static bool is_banned(const struct engine *e, const struct hit *h,
    const struct order *verdict, wall_t now, bool *out_prolong)
{
	const struct ban *b = ban_table_find(e->bans, h->jail, &h->net);

	*out_prolong = b != NULL;
	if (b)
		return b->step == verdict->step && b->until.us >= verdict->until.us;
	return ban_table_find_around(e->bans, h->jail, &h->net, now) != NULL;
}

static bool is_other_step(const struct engine *e, const struct order *verdict)
{
	return ban_table_find(e->bans, verdict->jail, &verdict->net)->step !=
	       verdict->step;
}

/* One single failure that is enough where several are the rule. */
static bool is_strong(const struct jail *j, const struct hit *h)
{
	return j->maxretry > 1 && h->weight > 0 &&
	       (uint64_t)h->weight >= (uint64_t)j->maxretry * j->unit;
}

int engine_judge(struct engine *e, const struct hit *h, uint32_t id,
    const struct window *w, const struct window_part *part, wall_t now,
    struct orders *out)
{
	CLEANUP(freep) char *name = h->id ? strdup(h->id) : NULL;
	const struct jail *j = &e->set.jails[h->jail];
	struct order verdict = {.cause = ORDER_BY_RULE,
	    .jail = h->jail,
	    .net = h->net,
	    .id = name,
	    .ip = h->ip,
	    .at = {w->items[part->to - 1].at_us},
	    .failures = engine_failures(part, j->unit)};
	bool prolong, is_next_step;
	int r;

	if (h->id && !name)
		return -ENOMEM;
	const struct steps_case c = {.is_strong = is_strong(j, h),
	    .has_credit = j->steps.n && engine_has_credit(e, &h->net)};
	const struct engine_asked asked = engine_asked(j, w, part);

	engine_set_length(e, &verdict, &c, &asked, now);
	if (!engine_is_after(verdict.until, now)) {
		tally_remove(e->tally, id);
		return ENGINE_OVER;
	}
	r = engine_end_if_over(e, h->jail, &h->net, now, out);
	if (r < 0)
		return r;
	if (is_banned(e, h, &verdict, now, &prolong)) {
		tally_remove(e->tally, id);
		return ENGINE_ALREADY_BANNED;
	}
	is_next_step = prolong && is_other_step(e, &verdict);
	verdict.is_next_step = is_next_step;
	verdict.op = prolong ? ORDER_PROLONG : ORDER_BAN;
	r = announce_ban(e, id, w, part, &verdict, out);
	if (r < 0)
		return r;
	r = engine_place_announced(e, out);
	if (r == ENGINE_BANNED || (r == ENGINE_PROLONGED && is_next_step))
		engine_remember(e, &verdict);
	if (r == ENGINE_BANNED || r == ENGINE_PROLONGED)
		tally_remove(e->tally, id);
	return r;
}

/* It counts, and may be the last one needed. */
HOT static int count(
    struct engine *e, const struct hit *h, wall_t now, struct orders *out)
{
	struct window_part part;
	struct window w;
	uint32_t id;
	int r;

	r = tally_feed(e->tally, h, e->clock, &id, &w, &part);
	if (r < 0)
		return r;
	if (r == TALLY_STALE)
		return ENGINE_STALE;
	e->set.jails[h->jail].counts.failed_total += h->weight > 0;
	engine_keep_line(e, id, h);
	if (r != TALLY_REACHED)
		return ENGINE_COUNTED;
	return engine_judge(e, h, id, &w, &part, now, out);
}

HOT void engine_expect(const struct engine *e, struct hit *hits, size_t n)
{
	tally_expect(e->tally, hits, n);
}

static int feed_plain(
    struct engine *e, const struct hit *h, wall_t now, struct orders *out)
{
	int16_t weight = engine_weight(e, h);
	struct hit heavier;

	if (e->set.jails[h->jail].steps.n && engine_is_in_grace(e, h))
		return ENGINE_ALREADY_BANNED;
	if (weight == h->weight)
		return count(e, h, now, out);
	heavier = *h;
	heavier.weight = weight;
	return count(e, &heavier, now, out);
}

HOT int engine_feed(
    struct engine *e, const struct hit *h, wall_t now, struct orders *out)
{
	struct jail *j;
	int r;

	assert(h->jail < e->set.n_jails);
	j = &e->set.jails[h->jail];
	engine_set_clock(e, now);
	if (ignore_find(e->set.ignore, h->jail, &h->net, NULL)) {
		j->counts.ignored_total++;
		return ENGINE_IGNORED;
	}
	if (h->at.us > ENGINE_MAX_TIME_US || h->at.us < -ENGINE_MAX_TIME_US)
		return ENGINE_STALE;
	r = engine_weighs(j) ? engine_weigh(e, h, now, out)
			     : feed_plain(e, h, now, out);
	if ((r == ENGINE_BANNED || r == ENGINE_PROLONGED) && j->group)
		engine_group_banned(e, now, out);
	return r;
}

/* A clock that was far ahead and has been put right: forget by the old one, then
 * follow. */
static void follow_back(struct engine *e, wall_t now)
{
	if (now.us >= wall_add_sec(e->clock, -CLOCK_STEP_BACK_SEC).us)
		return;
	tally_sweep(e->tally, e->clock, SIZE_MAX);
	tally_sweep(e->nets, e->clock, SIZE_MAX);
	engine_forget_ahead(e, now);
	e->clock.us = now.us > -ENGINE_MAX_TIME_US ? now.us : -ENGINE_MAX_TIME_US;
	e->swept_at = e->clock;
}

static size_t sweep_part(size_t n)
{
	return n / SWEEP_PARTS + SWEEP_MIN;
}

int engine_tick(struct engine *e, wall_t now, struct orders *out)
{
	struct ban *b;

	follow_back(e, now);
	engine_set_clock(e, now);
	engine_lift(e, e->clock);
	if (e->clock.us - e->swept_at.us >= SWEEP_SEC * US_PER_SEC) {
		e->swept_at = e->clock;
		tally_sweep(e->tally, e->clock, sweep_part(tally_count(e->tally)));
		tally_sweep(e->nets, e->clock, sweep_part(tally_count(e->nets)));
		offenders_sweep(
		    e->offenders, e->clock, sweep_part(offenders_n(e->offenders)));
		credits_sweep(e->credits, e->clock, sweep_part(credits_n(e->credits)));
	}
	while ((b = ban_table_first(e->bans)) && !engine_is_after(b->until, now)) {
		int r = engine_announce_end(b, ORDER_EXPIRED, b->until, out);

		if (r < 0)
			return r;
		engine_drop_ban(e, b);
	}
	return 0;
}

wall_t engine_next(const struct engine *e)
{
	const struct ban *b = ban_table_first(e->bans);
	wall_t lift = engine_next_lift(e);

	return b && b->until.us < lift.us ? b->until : lift;
}
