/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stamp_template - looks into lines, by hand where that is certain, else by the regex
 */

#include "match/stamp_template.h"

#include <errno.h>

#include "base/scan.h"
#include "match/stamp_fast.h"
#include "match/stamp_number.h"
#include "match/utf8.h"

/* Takes @f over. */
static struct stamp_template *template_of(struct stamp_form *f, struct err *e)
{
	struct stamp_template *t = f ? calloc(1, sizeof(*t)) : NULL;

	if (!t) {
		if (f)
			(void)err_errno(e, -ENOMEM, "template");
		stamp_form_free(f);
		return NULL;
	}
	t->form = f;
	t->factor = 1;
	t->distance = SIZE_MAX;
	return t;
}

struct stamp_template *stamp_template_new(struct span pattern, struct err *e)
{
	return template_of(stamp_form_new(pattern, e), e);
}

struct stamp_template *stamp_template_default(size_t i, bool is_anchored, struct err *e)
{
	return template_of(stamp_form_default(i, is_anchored, e), e);
}

struct stamp_template *stamp_template_free(struct stamp_template *t)
{
	if (!t)
		return NULL;
	stamp_form_free(t->form);
	free(t);
	return NULL;
}

static bool read_groups(struct span line, struct stamp_match *out)
{
	struct span whole, cut;

	if (!regex_match_group(out->groups, 0, &whole))
		return false;
	/* A group 1 that took no part cuts nothing. */
	if (!regex_match_group(out->groups, 1, &cut))
		cut = (struct span){line.p, 0};
	out->start = (size_t)(whole.p - line.p);
	out->end = out->start + whole.n;
	out->cut_start = (size_t)(cut.p - line.p);
	out->cut_end = out->cut_start + cut.n;
	out->seen = 0;
	out->by_hand = false;
	return true;
}

static enum stamp_fast find_by_hand(
    struct stamp_template *t, struct span line, struct stamp_match *out)
{
	struct stamp_fast_match m;
	enum stamp_fast r = t->form->draft.hand == STAMP_BY_HAND_ISO
				? stamp_fast_iso(line, &m, &out->fields)
				: stamp_fast_syslog(line, &m, &out->fields);

	if (r != STAMP_FAST_YES)
		return r;
	out->start = 0;
	out->end = m.end;
	out->cut_start = m.start;
	out->cut_end = m.end;
	out->seen = m.seen;
	out->by_hand = true;
	return r;
}

static bool is_valid(struct stamp_subject *s)
{
	if (!s->is_checked) {
		s->is_ascii = scan_is_ascii(s->line);
		s->is_valid = s->is_ascii || utf8_is_valid(s->line);
		s->is_checked = true;
	}
	return s->is_valid;
}

bool stamp_template_find(
    struct stamp_template *t, struct stamp_subject *s, struct stamp_match *out)
{
	int r;

	if (s->use_hand && t->form->draft.hand != STAMP_BY_REGEX) {
		enum stamp_fast fast = find_by_hand(t, s->line, out);

		if (fast != STAMP_FAST_UNSURE)
			return fast == STAMP_FAST_YES;
	}
	if (t->form->draft.first.is_known &&
	    !stamp_first_fits(&t->form->draft.first, s->line))
		return false;
	if (!stamp_form_is_ready(t->form))
		return false;
	r = is_valid(s) ? regex_search_valid(
			      t->form->regex, s->line, 0, s->is_ascii, out->groups)
			: regex_search(t->form->regex, s->line, 0, out->groups);
	return r == 0 && read_groups(s->line, out);
}

bool stamp_template_find_in(struct stamp_template *t, struct stamp_subject *s,
    size_t from, size_t to, struct stamp_match *out)
{
	struct span part = {s->line.p, to < s->line.n ? to : s->line.n};

	if (!stamp_form_is_ready(t->form) ||
	    regex_search(t->form->regex, part, from, out->groups) != 0)
		return false;
	return read_groups(s->line, out);
}

static wall_t number_time(const struct stamp_template *t, const struct stamp_match *m)
{
	struct span value;

	if (!regex_match_group(m->groups, t->form->value_group, &value))
		return WALL_NONE;
	if (t->form->draft.kind == STAMP_TAI64N)
		return stamp_number_tai64n(value);
	return stamp_number_epoch(value, t->form->draft.kind == STAMP_LONG_EPOCH);
}

wall_t stamp_template_time(const struct stamp_template *t, struct stamp_match *m,
    struct stamp_home *home, wall_t now)
{
	if (t->form->draft.kind != STAMP_DATE)
		return number_time(t, m);
	if (!m->by_hand) {
		stamp_fields_init(&m->fields);
		for (size_t i = 0; i < t->form->n_parts; i++) {
			struct span value;

			if (regex_match_group(
				m->groups, t->form->parts[i].group, &value))
				stamp_fields_set(
				    &m->fields, t->form->parts[i].key, value);
		}
	}
	return stamp_fields_time(&m->fields, home, now);
}
