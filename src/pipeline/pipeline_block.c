/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipeline_block - many lines at once
 *
 * The jails that read the same logs share a sieve, which is made with the first block
 * that they are fed. Decisions fall in the order in which they would fall line by line.
 */
#include <errno.h>

#include "pipeline/pipeline_private.h"

struct lens {
	uint32_t *jails;
	uint32_t n_jails;
	struct sieve *sieve;  /* NULL: line by line, a log is in another encoding */
	const char **seen_to; /* of each jail, while a block is fed */
};

static void lens_deinit(struct lens *l)
{
	sieve_free(l->sieve);
	free(l->jails);
	free(l->seen_to);
}

void pipeline_forget_lenses(struct pipeline *p)
{
	for (size_t i = 0; i < p->n_lenses; i++)
		lens_deinit(&p->lenses[i]);
	free(p->lenses);
	p->lenses = NULL;
	p->n_lenses = 0;
}

static int make_sieve(struct pipeline *p, struct lens *l)
{
	CLEANUP(freep)
	struct filter **filters = calloc(l->n_jails + 1, sizeof(struct filter *));
	struct err e;

	if (!filters)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->n_jails; i++) {
		if (p->lanes[l->jails[i]].decoder)
			return 0;
		filters[i] = p->lanes[l->jails[i]].filter;
	}
	l->sieve = sieve_new(filters, l->n_jails, &e);
	return l->sieve ? 0 : -ENOMEM;
}

static int lens_init(
    struct pipeline *p, const struct pipeline_block *b, struct lens *out)
{
	struct lens l = {.n_jails = b->n_jails};
	int r = -ENOMEM;

	l.jails = calloc(b->n_jails + 1, sizeof(*l.jails));
	l.seen_to = calloc(b->n_jails + 1, sizeof(const char *));
	if (l.jails && l.seen_to) {
		memcpy(l.jails, b->jails, b->n_jails * sizeof(*l.jails));
		r = make_sieve(p, &l);
	}
	if (r < 0)
		lens_deinit(&l);
	else
		*out = l;
	return r;
}

/* NULL: out of memory. */
static struct lens *lens_of(struct pipeline *p, const struct pipeline_block *b)
{
	size_t bytes = b->n_jails * sizeof(*b->jails);
	struct lens *l;

	for (size_t i = 0; i < p->n_lenses; i++) {
		l = &p->lenses[i];
		if (l->n_jails == b->n_jails && !memcmp(l->jails, b->jails, bytes))
			return l;
	}
	l = reallocarray(p->lenses, p->n_lenses + 1, sizeof(*l));
	if (!l)
		return NULL;
	p->lenses = l;
	l += p->n_lenses;
	if (lens_init(p, b, l) < 0)
		return NULL;
	p->n_lenses++;
	return l;
}

static struct line line_of(const struct pipeline_block *b, struct span text)
{
	return (struct line){
	    .text = text,
	    .stamp = WALL_NONE,
	    .read_at = b->read_at,
	    .live = b->live,
	};
}

static struct span without_end(struct span line)
{
	line.n -= line.n && line.p[line.n - 1] == '\n';
	line.n -= line.n && line.p[line.n - 1] == '\r';
	return line;
}

static int feed_line_by_line(
    struct pipeline *p, const struct pipeline_block *b, wall_t now, struct orders *out)
{
	struct span rest = b->lines;
	int result = 0;

	while (rest.n) {
		/* In UTF-16 the byte may stand within a line, but such come alone. */
		const char *end = b->n_lines > 1 ? memchr(rest.p, '\n', rest.n) : NULL;
		size_t n = end ? (size_t)(end - rest.p) + 1 : rest.n;
		struct line l = line_of(b, without_end((struct span){rest.p, n}));

		rest = span_skip(rest, n);
		for (uint32_t i = 0; i < b->n_jails; i++) {
			int r = pipeline_feed(p, b->jails[i], &l, now, out);

			result = r < 0 ? r : result;
		}
	}
	return result;
}

static struct lane *lane_of(struct pipeline *p, const struct lens *l, size_t i)
{
	struct lane *lane = &p->lanes[l->jails[i]];

	return lane->filter && !lane->is_idle ? lane : NULL;
}

/* All up to @p is behind jail @i, and nothing of it matched. */
static void skip_to(
    struct lens *l, size_t i, struct lane *lane, const struct line *meta, const char *p)
{
	filter_skip(lane->filter, span_from(l->seen_to[i], p), meta, meta->read_at);
	l->seen_to[i] = p;
}

static int feed_candidate(struct pipeline *p, struct lens *lens, struct span whole,
    const struct pipeline_block *b, wall_t now, struct orders *out)
{
	struct line l = line_of(b, without_end(whole));
	const uint64_t *rules;
	int result = 0;
	size_t i;

	while (sieve_next_filter(lens->sieve, &i, &rules)) {
		struct lane *lane = lane_of(p, lens, i);

		if (!lane)
			continue;
		skip_to(lens, i, lane, &l, whole.p);
		lens->seen_to[i] = whole.p + whole.n;
		int r = pipeline_feed_rules(p, lens->jails[i], &l, rules, now, out);

		result = r < 0 ? r : result;
	}
	return result;
}

/* What is behind the last line that was looked at. */
static int finish(struct pipeline *p, struct lens *l, const struct pipeline_block *b)
{
	struct line meta = line_of(b, (struct span){"", 0});
	int result = 0;

	for (uint32_t i = 0; i < l->n_jails; i++) {
		struct lane *lane = lane_of(p, l, i);

		if (!lane)
			continue;
		lane->counts.lines += b->n_lines;
		skip_to(l, i, lane, &meta, b->lines.p + b->lines.n);
		int r = filter_settle(lane->filter);

		result = r < 0 ? r : result;
	}
	return result;
}

int pipeline_feed_block(
    struct pipeline *p, const struct pipeline_block *b, wall_t now, struct orders *out)
{
	struct lens *l = lens_of(p, b);
	struct span line;
	int result = 0, r;

	if (!l || !l->sieve)
		return feed_line_by_line(p, b, now, out);
	for (uint32_t i = 0; i < l->n_jails; i++)
		l->seen_to[i] = b->lines.p;
	p->gathers = true;
	sieve_begin(l->sieve, b->lines);
	while (sieve_next_line(l->sieve, &line)) {
		r = feed_candidate(p, l, line, b, now, out);
		result = r < 0 ? r : result;
	}
	p->gathers = false;
	r = pipeline_weigh_gathered(p, now, out);
	result = r < 0 ? r : result;
	r = finish(p, l, b);
	return r < 0 ? r : result;
}
