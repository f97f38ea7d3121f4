/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipeline_found - lines that were searched in another process
 *
 * What was found there and what is found here, for jails that cannot be searched apart,
 * is gone through as one: line by line, and for each line in the order of the jails.
 */
#include <errno.h>

#include "pipeline/pipeline_private.h"

bool pipeline_is_separable(const struct pipeline *p, uint32_t jail)
{
	const struct lane *l = &p->lanes[jail];

	return l->filter && !l->decoder && !filter_has_memory(l->filter);
}

/* --- the first half */

struct search {
	struct pipeline *p;
	const struct pipeline_block *b;
	struct sieve *sieve;
	pipeline_known_fn fn;
	void *ctx;
};

static int search_line(struct search *s, struct scan_line line)
{
	struct span whole = line.whole;
	struct line l = pipeline_line(s->b, line);
	const uint64_t *rules;
	size_t i;

	while (sieve_next_filter(s->sieve, &i, &rules)) {
		uint32_t jail = s->b->jails[i];
		struct lane *lane = pipeline_lane(s->p, jail);
		struct filter_failure failure;
		struct pipeline_known k = {
		    .offset = (uint32_t)(whole.p - s->b->lines.p),
		    .n_bytes = (uint32_t)whole.n,
		    .jail = jail,
		};
		int r;

		if (!lane)
			continue;
		pipeline_reach(lane, &l, whole);
		r = filter_feed(lane->filter, &l, rules, l.read_at, &failure);
		if (r < 0)
			return r;
		filter_tell(lane->filter, r, &failure, &k.found);
		r = s->fn(s->ctx, &k);
		if (r)
			return r;
	}
	return 0;
}

int pipeline_search_block(
    struct pipeline *p, const struct pipeline_block *b, pipeline_known_fn fn, void *ctx)
{
	struct lens *l = pipeline_lens(p, b->jails, b->n_jails);
	struct search s = {.p = p, .b = b, .fn = fn, .ctx = ctx};
	struct scan_line line;
	int r = 0, settled;

	if (!l || !l->sieve)
		return -ENOMEM;
	s.sieve = l->sieve;
	pipeline_begin(p, b->jails, b->n_jails, b);
	sieve_begin(s.sieve, b->lines);
	while (!r && sieve_next_line(s.sieve, &line))
		r = search_line(&s, line);
	/* In any case: what was skipped must not be looked at later. */
	settled = pipeline_finish(p, b->jails, b->n_jails, b, l->recent);
	return r ? r : settled;
}

/* --- the second half */

static bool is_asked(const struct pipeline_found *f, uint32_t jail)
{
	size_t low = 0, high = f->n_jails;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (f->jails[middle] < jail)
			low = middle + 1;
		else
			high = middle;
	}
	return low < f->n_jails && f->jails[low] == jail;
}

/* Lines one behind the other, and for each its jails. */
static bool is_plausible(const struct pipeline *p, const struct pipeline_block *b,
    const struct pipeline_found *f)
{
	size_t begin = 0, end = 0; /* the line before */

	for (size_t i = 0; i < f->n; i++) {
		const struct pipeline_known *k = &f->items[i];
		bool is_next_jail = i && k->offset == begin &&
				    k->n_bytes == end - begin &&
				    k->jail > f->items[i - 1].jail;

		if (!is_next_jail && (k->offset < end || !k->n_bytes))
			return false;
		begin = k->offset;
		end = begin + k->n_bytes;
		if (end > b->lines.n || !is_asked(f, k->jail) ||
		    !filter_is_plausible(p->lanes[k->jail].filter, &k->found))
			return false;
	}
	return true;
}

/* The next line, and the jail that looks at it, of those that were not asked. */
struct own {
	struct pipeline *p;
	const struct pipeline_block *b;
	struct lens *lens; /* NULL: there is none */
	struct span rest;  /* without a sieve */
	struct scan_line line;
	const uint64_t *rules;
	size_t i; /* jail of the lens */
	bool has_line, is_there;
};

static bool next_line(struct own *o)
{
	o->i = SIZE_MAX;
	if (o->lens->sieve)
		return sieve_next_line(o->lens->sieve, &o->line);
	o->line.is_ascii = false; /* it does not matter */
	return span_next_whole_line(&o->rest, &o->line.whole);
}

static bool next_jail(struct own *o)
{
	if (o->lens->sieve)
		return sieve_next_filter(o->lens->sieve, &o->i, &o->rules);
	return ++o->i < o->lens->n_jails;
}

/* What the one before left in a filter says what is next: so it has been fed. */
static void own_next(struct own *o)
{
	o->is_there = false;
	while (o->lens && !o->is_there) {
		if (o->has_line && next_jail(o))
			o->is_there = pipeline_lane(o->p, o->lens->jails[o->i]);
		else if (!(o->has_line = next_line(o)))
			return;
	}
}

static int own_init(struct own *o, struct pipeline *p, const struct pipeline_block *b)
{
	*o = (struct own){.p = p, .b = b, .rest = b->lines};
	if (!b->n_jails)
		return 0;
	o->lens = pipeline_lens(p, b->jails, b->n_jails);
	if (!o->lens)
		return -ENOMEM;
	pipeline_begin(p, b->jails, b->n_jails, b);
	if (o->lens->sieve)
		sieve_begin(o->lens->sieve, b->lines);
	own_next(o);
	return 0;
}

static int own_feed(struct own *o, wall_t now, struct orders *out)
{
	uint32_t jail = o->lens->jails[o->i];
	struct line l = pipeline_line(o->b, o->line);

	if (!o->lens->sieve)
		return pipeline_feed(o->p, jail, &l, now, out);
	pipeline_reach(&o->p->lanes[jail], &l, o->line.whole);
	return pipeline_feed_rules(o->p, jail, &l, o->rules, now, out);
}

static bool is_own_first(const struct own *o, const struct pipeline_known *k)
{
	size_t offset = (size_t)(o->line.whole.p - o->b->lines.p);

	return offset != k->offset ? offset < k->offset
				   : o->lens->jails[o->i] < k->jail;
}

static int feed_known(struct pipeline *p, const struct pipeline_block *b,
    const struct pipeline_known *k, wall_t now, struct orders *out)
{
	struct span whole = {b->lines.p + k->offset, k->n_bytes};
	struct line l =
	    pipeline_line(b, (struct scan_line){whole, scan_is_ascii(whole)});
	struct lane *lane = pipeline_lane(p, k->jail);
	struct filter_failure failure;
	int r;

	if (!lane || filter_is_sure_miss(lane->filter, &k->found))
		return 0;
	pipeline_reach(lane, &l, whole);
	r = filter_feed_known(lane->filter, &l, &k->found, l.read_at, &failure);
	return pipeline_conclude(p, k->jail, &l, r, &failure, now, out);
}

static int finish(struct own *o, const struct pipeline_found *f)
{
	int r = pipeline_finish(o->p, f->jails, f->n_jails, o->b, o->p->found);
	int own = 0;

	if (o->lens && o->lens->sieve)
		own = pipeline_finish(
		    o->p, o->b->jails, o->b->n_jails, o->b, o->lens->recent);
	return r < 0 ? r : own;
}

int pipeline_feed_found(struct pipeline *p, const struct pipeline_block *b,
    const struct pipeline_found *found, wall_t now, struct orders *out)
{
	struct own own;
	size_t i = 0;
	int result = 0, r;

	if (!is_plausible(p, b, found))
		return -EINVAL;
	result = own_init(&own, p, b);
	if (result < 0)
		return result;
	pipeline_begin(p, found->jails, found->n_jails, b);
	/* Not what a decoder holds: it is gone with the next line. */
	p->gathers = !own.lens || own.lens->sieve;
	while (own.is_there || i < found->n) {
		const struct pipeline_known *k = &found->items[i];

		if (own.is_there && (i == found->n || is_own_first(&own, k))) {
			r = own_feed(&own, now, out);
			own_next(&own);
		} else {
			r = feed_known(p, b, k, now, out);
			i++;
		}
		result = r < 0 ? r : result;
	}
	p->gathers = false;
	r = pipeline_weigh_gathered(p, now, out);
	result = r < 0 ? r : result;
	r = finish(&own, found);
	return r < 0 ? r : result;
}
