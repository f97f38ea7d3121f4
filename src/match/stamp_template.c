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

static int template_compile(struct stamp_template *t, struct err *e)
{
	int value;

	t->regex = regex_new(span_of(t->draft.regex), false, e);
	if (!t->regex)
		return -EINVAL;
	if (regex_n_groups(t->regex) == 0)
		return err_set(e, -EINVAL, "nothing in it is a group");
	for (size_t i = 1; i <= regex_n_groups(t->regex); i++) {
		const char *name = regex_group_name(t->regex, i);

		if (stamp_fields_knows(name))
			t->parts[t->n_parts++] =
			    (struct stamp_part){(uint8_t)i, name[0]};
	}
	value = regex_group_number(t->regex, STAMP_VALUE_GROUP);
	t->value_group = value > 0 ? (size_t)value : 0;
	return 0;
}

struct stamp_template *stamp_template_new(
    struct span pattern, bool lazily, struct err *e)
{
	CLEANUP(stamp_template_freep) struct stamp_template *t = calloc(1, sizeof(*t));

	if (!t) {
		(void)err_errno(e, -ENOMEM, "template");
		return NULL;
	}
	t->pattern = span_dup(pattern);
	if (!t->pattern) {
		(void)err_errno(e, -ENOMEM, "template");
		return NULL;
	}
	if (stamp_draft_make(pattern, &t->draft, e) < 0)
		return NULL;
	t->factor = 1;
	t->distance = SIZE_MAX;
	if (!lazily && template_compile(t, e) < 0)
		return NULL;
	return TAKE(t);
}

struct stamp_template *stamp_template_free(struct stamp_template *t)
{
	if (!t)
		return NULL;
	free(t->pattern);
	free(t->draft.name);
	free(t->draft.regex);
	regex_free(t->regex);
	free(t);
	return NULL;
}

static bool is_ready(struct stamp_template *t)
{
	if (!t->regex && !t->is_broken)
		t->is_broken = template_compile(t, NULL) < 0;
	return !t->is_broken;
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
	enum stamp_fast r = t->draft.hand == STAMP_BY_HAND_ISO
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

	if (s->use_hand && t->draft.hand != STAMP_BY_REGEX) {
		enum stamp_fast fast = find_by_hand(t, s->line, out);

		if (fast != STAMP_FAST_UNSURE)
			return fast == STAMP_FAST_YES;
	}
	if (t->draft.first.is_known && !stamp_first_fits(&t->draft.first, s->line))
		return false;
	if (!is_ready(t))
		return false;
	r = is_valid(s)
		? regex_search_valid(t->regex, s->line, 0, s->is_ascii, out->groups)
		: regex_search(t->regex, s->line, 0, out->groups);
	return r == 0 && read_groups(s->line, out);
}

bool stamp_template_find_in(struct stamp_template *t, struct stamp_subject *s,
    size_t from, size_t to, struct stamp_match *out)
{
	struct span part = {s->line.p, to < s->line.n ? to : s->line.n};

	if (!is_ready(t) || regex_search(t->regex, part, from, out->groups) != 0)
		return false;
	return read_groups(s->line, out);
}

static wall_t number_time(const struct stamp_template *t, const struct stamp_match *m)
{
	struct span value;

	if (!regex_match_group(m->groups, t->value_group, &value))
		return WALL_NONE;
	if (t->draft.kind == STAMP_TAI64N)
		return stamp_number_tai64n(value);
	return stamp_number_epoch(value, t->draft.kind == STAMP_LONG_EPOCH);
}

wall_t stamp_template_time(const struct stamp_template *t, struct stamp_match *m,
    struct stamp_home *home, wall_t now)
{
	if (t->draft.kind != STAMP_DATE)
		return number_time(t, m);
	if (!m->by_hand) {
		stamp_fields_init(&m->fields);
		for (size_t i = 0; i < t->n_parts; i++) {
			struct span value;

			if (regex_match_group(m->groups, t->parts[i].group, &value))
				stamp_fields_set(&m->fields, t->parts[i].key, value);
		}
	}
	return stamp_fields_time(&m->fields, home, now);
}
