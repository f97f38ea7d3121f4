/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stamp_list - lines of a datepattern option
 */

#include "match/stamp_list.h"

#include <errno.h>

#include "base/buf.h"
#include "match/stamp_bounds.h"

#define ANCHORED_FACTOR 100 /* templates at the line's start win over others */
#define DATE_TAG "{DATE}"

/* What to do with a default template. */
struct wish {
	bool only_at_begin;
	bool skips_known;
};

void stamp_list_deinit(struct stamp_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		stamp_template_free(l->all[i]);
	free(l->all);
	*l = (struct stamp_list){NULL};
}

static bool is_known(const struct stamp_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->all[i]->form->draft.name, name) == 0)
			return true;
	}
	return false;
}

/* Takes @t over, whatever comes of it. */
static int append(
    struct stamp_list *l, struct stamp_template *t, bool skips_known, struct err *e)
{
	CLEANUP(stamp_template_freep) struct stamp_template *own = t;
	struct stamp_template **all;

	if (!own)
		return -EINVAL;
	if (is_known(l, own->form->draft.name))
		return skips_known
			   ? 0
			   : err_set(e, -EINVAL, "the template %s is there twice",
				 own->form->draft.name);
	if (l->n == STAMP_TEMPLATES_MAX)
		return err_set(
		    e, -EINVAL, "more than %d templates", STAMP_TEMPLATES_MAX);
	all = realloc(l->all, (l->n + 1) * sizeof(struct stamp_template *));
	if (!all)
		return err_errno(e, -ENOMEM, "template");
	l->all = all;
	l->all[l->n++] = TAKE(own);
	return 0;
}

static int append_default(
    struct stamp_list *l, size_t i, bool anchor, struct wish w, struct err *e)
{
	struct stamp_template *t = stamp_template_default(i, anchor, e);

	if (t && anchor)
		t->factor = ANCHORED_FACTOR;
	if (t && w.only_at_begin && !t->form->draft.is_at_begin) {
		stamp_template_free(t);
		return 0;
	}
	return append(l, t, w.skips_known, e);
}

static bool begins_line(const char *pattern)
{
	return span_starts(span_of(pattern), SPAN("{^LN-BEG}")) || pattern[0] == '^';
}

static int add_defaults(struct stamp_list *l, bool only_at_begin, struct err *e)
{
	struct wish w = {only_at_begin, l->n > 0};
	int r = 0;

	for (size_t i = 0; i < STAMP_DEFAULTS && r == 0; i++) {
		if (!begins_line(stamp_defaults[i]))
			r = append_default(l, i, true, w, e);
	}
	for (size_t i = 0; i < STAMP_DEFAULTS && r == 0; i++)
		r = append_default(l, i, false, w, e);
	return r;
}

/* Where the next {DATE} is at or behind @from, or the end. */
static size_t find_date_tag(struct span s, size_t from)
{
	const size_t n = sizeof(DATE_TAG) - 1;

	for (size_t i = from; i + n <= s.n; i++) {
		if (span_eq_nocase((struct span){s.p + i, n}, SPAN(DATE_TAG)) &&
		    (i == 0 || s.p[i - 1] != '\\'))
			return i;
	}
	return s.n;
}

/*
 * The text that a default template puts in place of {DATE}. EPOCH and TAI64N are words
 * only as a whole pattern; within others they are tags.
 */
static void add_default_body(struct buf *b, const char *pattern, bool is_alone)
{
	bool is_word = !strchr(pattern, '%');

	if (is_word && !is_alone)
		buf_add_char(b, '{');
	buf_add_span(b, stamp_bounds_strip(span_of(pattern)));
	if (is_word && !is_alone)
		buf_add_char(b, '}');
}

static bool is_date_alone(struct span s)
{
	if (span_starts(s, SPAN("{^LN-BEG}")))
		s = span_skip(s, 9);
	else if (span_starts(s, SPAN("^")))
		s = span_skip(s, 1);
	return span_eq_nocase(s, SPAN(DATE_TAG));
}

static int add_dates(struct stamp_list *l, struct span pattern, struct err *e)
{
	bool skips_known = l->n > 0, is_alone = is_date_alone(pattern);
	int r = 0;

	for (size_t i = 0; i < STAMP_DEFAULTS && r == 0; i++) {
		struct buf full = BUF_INIT(STAMP_PATTERN_MAX);
		size_t from = 0, at;

		while ((at = find_date_tag(pattern, from)) < pattern.n) {
			buf_add(&full, pattern.p + from, at - from);
			add_default_body(&full, stamp_defaults[i], is_alone);
			from = at + sizeof(DATE_TAG) - 1;
		}
		buf_add(&full, pattern.p + from, pattern.n - from);
		if (full.failed)
			r = err_set(e, -EINVAL, "too long");
		else
			r = append(
			    l, stamp_template_new(buf_span(&full), e), skips_known, e);
		buf_deinit(&full);
	}
	return r;
}

static int add_pattern(struct stamp_list *l, struct span pattern, struct err *e)
{
	if (span_eq_nocase(pattern, SPAN("{^LN-BEG}")))
		return add_defaults(l, true, e);
	if (span_eq_nocase(pattern, SPAN("{DEFAULT}")))
		return add_defaults(l, false, e);
	if (find_date_tag(pattern, 0) < pattern.n)
		return add_dates(l, pattern, e);
	/* In fail2ban a template that fits every line and, once used, is never left. */
	if (span_eq_nocase(pattern, SPAN("{NONE}")))
		return 0;
	return append(l, stamp_template_new(pattern, e), false, e);
}

int stamp_list_add(struct stamp_list *l, struct span datepattern, struct err *e)
{
	struct span line;
	bool is_empty = true;

	while (span_next_line(&datepattern, &line)) {
		int r;

		line = span_trim(line);
		if (line.n == 0)
			continue;
		is_empty = false;
		r = add_pattern(l, line, e);
		if (r < 0)
			return err_wrap(
			    e, r, "datepattern '" SPAN_FMT "'", SPAN_ARG(line));
	}
	return is_empty ? add_defaults(l, false, e) : 0;
}
