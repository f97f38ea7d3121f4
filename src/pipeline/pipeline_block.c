/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipeline_block - many lines at once
 *
 * The jails that read the same logs share a sieve, which is made with the first block
 * that they are fed. Decisions fall in the order in which they would fall line by line.
 */
#include <errno.h>

#include "base/scan.h"
#include "pipeline/pipeline_private.h"

static void lens_deinit(struct lens *l)
{
	recent_free(l->recent);
	sieve_free(l->sieve);
	free(l->jails);
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
    struct pipeline *p, const uint32_t *jails, uint32_t n_jails, struct lens *out)
{
	struct lens l = {.n_jails = n_jails};
	int r = -ENOMEM;

	l.jails = calloc(n_jails + 1, sizeof(*l.jails));
	l.recent = recent_new();
	if (l.jails && l.recent) {
		memcpy(l.jails, jails, n_jails * sizeof(*l.jails));
		r = make_sieve(p, &l);
	}
	if (r < 0)
		lens_deinit(&l);
	else
		*out = l;
	return r;
}

struct lens *pipeline_lens(struct pipeline *p, const uint32_t *jails, uint32_t n_jails)
{
	size_t bytes = n_jails * sizeof(*jails);
	struct lens *l;

	for (size_t i = 0; i < p->n_lenses; i++) {
		l = &p->lenses[i];
		if (l->n_jails == n_jails && !memcmp(l->jails, jails, bytes))
			return l;
	}
	l = reallocarray(p->lenses, p->n_lenses + 1, sizeof(*l));
	if (!l)
		return NULL;
	p->lenses = l;
	l += p->n_lenses;
	if (lens_init(p, jails, n_jails, l) < 0)
		return NULL;
	p->n_lenses++;
	return l;
}

static struct span without_end(struct span line)
{
	line.n -= line.n && line.p[line.n - 1] == '\n';
	line.n -= line.n && line.p[line.n - 1] == '\r';
	return line;
}

HOT struct line pipeline_line(const struct pipeline_block *b, struct scan_line line)
{
	struct span whole = line.whole, text = without_end(whole);

	return (struct line){
	    .text = text,
	    .end = whole.p + whole.n,
	    .is_plain = line.is_ascii && text.n && text.p[text.n - 1] != '\r',
	    .stamp = WALL_NONE,
	    .read_at = b->read_at,
	    .live = b->live,
	};
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
		/* There may be a decoder: so it is not known what is plain. */
		struct line l = pipeline_line(
		    b, (struct scan_line){.whole = {rest.p, n}, .is_ascii = false});

		rest = span_skip(rest, n);
		l.end = NULL;
		for (uint32_t i = 0; i < b->n_jails; i++) {
			int r = pipeline_feed(p, b->jails[i], &l, now, out);

			result = r < 0 ? r : result;
		}
	}
	return result;
}

struct lane *pipeline_lane(struct pipeline *p, uint32_t jail)
{
	struct lane *lane = &p->lanes[jail];

	return lane->filter && !lane->is_idle ? lane : NULL;
}

void pipeline_begin(struct pipeline *p, const uint32_t *jails, uint32_t n_jails,
    const struct pipeline_block *b)
{
	for (uint32_t i = 0; i < n_jails; i++)
		p->lanes[jails[i]].seen_to = b->lines.p;
}

/* All up to @p is behind the lane, and nothing of it matched. */
static void skip_to(struct lane *lane, const struct line *meta, const char *p)
{
	filter_skip(lane->filter, span_from(lane->seen_to, p), meta, meta->read_at);
	lane->seen_to = p;
}

HOT void pipeline_reach(struct lane *lane, const struct line *l, struct span whole)
{
	skip_to(lane, l, whole.p);
	lane->seen_to = whole.p + whole.n;
}

HOT static int feed_candidate(struct pipeline *p, const struct lens *lens,
    struct scan_line line, const struct pipeline_block *b, wall_t now,
    struct orders *out)
{
	struct line l = pipeline_line(b, line);
	const uint64_t *rules;
	int result = 0;
	size_t i;

	while (sieve_next_filter(lens->sieve, &i, &rules)) {
		struct lane *lane = pipeline_lane(p, lens->jails[i]);

		if (!lane)
			continue;
		pipeline_reach(lane, &l, line.whole);
		int r = pipeline_feed_rules(p, lens->jails[i], &l, rules, now, out);

		result = r < 0 ? r : result;
	}
	return result;
}

int pipeline_finish(struct pipeline *p, const uint32_t *jails, uint32_t n_jails,
    const struct pipeline_block *b, struct recent *recent)
{
	struct line meta = pipeline_line(b, (struct scan_line){.whole = {"", 0}});
	int result = recent_add(recent, b->lines);

	for (uint32_t i = 0; i < n_jails; i++) {
		struct lane *lane = pipeline_lane(p, jails[i]);

		if (!lane)
			continue;
		lane->counts.lines += b->n_lines;
		skip_to(lane, &meta, b->lines.p + b->lines.n);
		int r = filter_carry(lane->filter, recent);

		result = r < 0 ? r : result;
	}
	return result;
}

HOT int pipeline_feed_block(
    struct pipeline *p, const struct pipeline_block *b, wall_t now, struct orders *out)
{
	struct lens *l = pipeline_lens(p, b->jails, b->n_jails);
	struct scan_line line;
	int result = 0, r;

	if (!l || !l->sieve)
		return feed_line_by_line(p, b, now, out);
	pipeline_begin(p, b->jails, b->n_jails, b);
	p->gathers = true;
	sieve_begin(l->sieve, b->lines);
	while (sieve_next_line(l->sieve, &line)) {
		r = feed_candidate(p, l, line, b, now, out);
		result = r < 0 ? r : result;
	}
	p->gathers = false;
	r = pipeline_weigh_gathered(p, now, out);
	result = r < 0 ? r : result;
	r = pipeline_finish(p, b->jails, b->n_jails, b, l->recent);
	return r < 0 ? r : result;
}
