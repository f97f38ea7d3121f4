/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * filter_skip - lines that match nothing, and what they mean for those that do
 *
 * A line leaves two things behind: a date, for lines after it that have none, and with
 * maxlines itself, for a match may begin in it. Both are wanted of the last lines only,
 * and mostly of none.
 */

#include "match/filter_private.h"

HOT void filter_skip(
    struct filter *f, struct span lines, const struct line *l, wall_t now)
{
	if (!lines.n)
		return;
	if (!f->skipped_lines.n)
		f->skipped_lines.p = lines.p;
	f->skipped_lines.n = (size_t)(lines.p + lines.n - f->skipped_lines.p);
	f->skipped_line = *l;
	f->skipped_now = now;
}

/* Take the last line, with its line end, off @lines. */
static struct span cut_last_line(struct span *lines)
{
	const char *from = lines->n > 1 ? memrchr(lines->p, '\n', lines->n - 1) : NULL;
	size_t at = from ? (size_t)(from - lines->p) + 1 : 0;
	struct span line = {lines->p + at, lines->n - at};

	lines->n = at;
	return line;
}

void filter_age_date(struct filter *f, unsigned int n)
{
	f->last_date_age += n;
	if (f->last_date_age > FILTER_DATE_REACH)
		f->last_date_age = FILTER_DATE_REACH + 1;
}

/* Return: 1 if one of @lines, or of the last ones, has a date; 0; or -ENOMEM. */
static int find_date(
    struct filter *f, struct span lines, wall_t now, unsigned int *io_n)
{
	struct stamp_result found;
	struct span text;
	bool is_ascii;

	for (; lines.n && *io_n <= FILTER_DATE_REACH; ++*io_n) {
		int r = filter_clean(
		    cut_last_line(&lines), &f->skipped_repaired, &text, &is_ascii);

		if (r < 0)
			return r;
		if (filter_own_date(f, text, now, &found))
			return 1;
	}
	return 0;
}

/* The last date that there is, as far as dates reach. */
static int settle_date(struct filter *f)
{
	const struct filter_earlier *e = &f->earlier;
	unsigned int n = 0;
	int r = find_date(f, f->skipped_lines, f->skipped_now, &n);

	if (r == 0 && e->recent)
		r = find_date(f, recent_part(e->recent, e->from, e->to), e->now, &n);
	filter_age_date(f, n);
	return r < 0 ? r : 0;
}

/* As filter_feed() does it up to the search, which would find nothing. */
static int add_to_ring(struct filter *f, struct span line)
{
	struct filter_date d;
	struct span text, all;
	bool is_ascii;
	int r = filter_clean(line, &f->skipped_repaired, &text, &is_ascii);

	if (r == 0)
		r = filter_date(f, text, &f->skipped_line, f->skipped_now, &d);
	return r < 0 ? r : filter_set_subject(f, d.before, d.after, &all);
}

static int settle_ring(struct filter *f)
{
	struct span lines = f->skipped_lines, rest = lines, line;
	int r = 0;

	for (unsigned int i = 0; i < f->context && lines.n; i++)
		(void)cut_last_line(&lines);
	/* Those before may have the date of the first that matters. */
	f->skipped_lines = lines;
	r = f->stamp ? settle_date(f) : 0;
	f->skipped_lines.n = 0;
	rest = span_skip(rest, lines.n);
	while (r == 0 && span_next_whole_line(&rest, &line))
		r = add_to_ring(f, line);
	return r;
}

int filter_settle(struct filter *f)
{
	int r = 0;

	if (!f->skipped_lines.n && !f->earlier.recent)
		return 0;
	if (f->ring)
		r = settle_ring(f);
	else if (f->stamp)
		r = settle_date(f);
	filter_forget_skipped(f);
	return r;
}

void filter_skip_open(struct filter *f, const struct line *l, wall_t now)
{
	struct span whole = span_from(l->text.p, l->end);

	filter_skip(f, whole, l, now);
}

/* Lines of other blocks came in between: what is known of those before is settled. */
static int settle_earlier(struct filter *f)
{
	struct span later = f->skipped_lines;
	int r;

	f->skipped_lines.n = 0;
	r = filter_settle(f);
	f->skipped_lines = later;
	return r;
}

int filter_carry(struct filter *f, const struct recent *recent)
{
	struct filter_earlier *e = &f->earlier;
	uint64_t from = recent->end - f->skipped_lines.n;
	int r = 0;

	if (f->ring || !f->stamp)
		return filter_settle(f);
	if (!f->skipped_lines.n)
		return 0;
	/* The end of a log: what comes next would seem to be of the same line. */
	if (f->skipped_lines.p[f->skipped_lines.n - 1] != '\n')
		return filter_settle(f);
	if (e->recent && (e->recent != recent || e->to != from))
		r = settle_earlier(f);
	*e = (struct filter_earlier){
	    .recent = recent,
	    .from = e->recent ? e->from : from,
	    .to = recent->end,
	    .now = f->skipped_now,
	};
	f->skipped_lines.n = 0;
	return r;
}

bool filter_wants_next(const struct filter *f)
{
	return f->n_wanted > 0;
}

bool filter_has_memory(const struct filter *f)
{
	return f->ring != NULL;
}

const struct literal_set *filter_literals(const struct filter *f, size_t rule)
{
	const struct literal_set *own = rule_literals(f->rules.failregex[rule]);
	const struct literal_set *pref =
	    f->rules.prefregex ? rule_literals(f->rules.prefregex) : NULL;

	/* With maxlines a prefregex has an effect of its own. */
	if (!pref || (!f->ring && own->n && (own->cost <= pref->cost || !pref->n)))
		return own;
	return pref;
}
