/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stamp - dates of one log
 *
 * Most lines begin with the very bytes of the line before, up to and a little beyond
 * the date. Those are remembered with their result, for all logs of that form: as the
 * reader by hand says how many bytes it looked at, the same bytes have the same date.
 * Only the year is guessed from now, so a memory serves within one minute of the clock:
 * no year begins within it. It is asked where the search would begin with that form and
 * end with it: a reader by hand that comes before says no by the same bytes.
 */

#include "match/stamp.h"

#include <errno.h>

#include "match/stamp_learn.h"
#include "match/stamp_zone.h"

#define MINUTE_US (60 * US_PER_SEC)
#define HOUR_US (60 * MINUTE_US)
#define DAY_US (24 * HOUR_US)

struct stamp {
	struct stamp_learn learn;
	struct stamp_home home;
	const struct stamp_template *used; /* last; NULL before */
	const struct stamp_found *found; /* by the last search; NULL: nothing to keep */
	bool use_hand;
};

static int set_timezone(struct stamp *s, const char *zone, struct err *e)
{
	if (!zone || !*zone)
		return 0;
	s->home.has_zone = true;
	if (stamp_zone_parse(span_of(zone), &s->home.zone_minutes) < 0)
		return err_set(e, -EINVAL,
		    "logtimezone: '%s' is no zone (try UTC, CET, +0100 or UTC-04:30)",
		    zone);
	return 0;
}

struct stamp *stamp_new(const struct stamp_options *o, struct err *e)
{
	CLEANUP(stamp_freep) struct stamp *s = calloc(1, sizeof(*s));

	if (!s) {
		(void)err_errno(e, -ENOMEM, "datepattern");
		return NULL;
	}
	s->use_hand = true;
	if (set_timezone(s, o->timezone, e) < 0)
		return NULL;
	if (stamp_list_add(&s->learn.list, span_of(o->datepattern), e) < 0)
		return NULL;
	if (stamp_learn_init(&s->learn) < 0) {
		(void)err_errno(e, -ENOMEM, "datepattern");
		return NULL;
	}
	return TAKE(s);
}

struct stamp *stamp_free(struct stamp *s)
{
	if (!s)
		return NULL;
	stamp_learn_deinit(&s->learn);
	free(s);
	return NULL;
}

static bool serves(const struct stamp_memo *m, const struct stamp_home *h,
    struct span line, wall_t now)
{
	return m->n > 0 && line.n >= m->n && now.us >= m->from_us &&
	       now.us < m->to_us && memcmp(line.p, m->text, m->n) == 0 &&
	       m->has_zone == h->has_zone && m->zone_minutes == h->zone_minutes;
}

static bool recall(
    struct stamp *s, struct span line, wall_t now, struct stamp_result *out)
{
	struct stamp_template *t;

	for (size_t i = 0; s->use_hand && (t = stamp_learn_early(&s->learn, i)); i++) {
		const struct stamp_memo *m = &t->form->memo;

		if (!serves(m, &s->home, line, now))
			continue;
		stamp_learn_find_early(&s->learn, t, &m->place);
		s->found = &s->learn.found;
		s->used = t;
		*out = m->result;
		return true;
	}
	return false;
}

static void remember(
    const struct stamp *s, struct span line, wall_t now, const struct stamp_result *r)
{
	struct stamp_memo *m = &s->learn.found.template->form->memo;
	size_t n = s->learn.match.seen;

	m->n = 0;
	if (!s->learn.match.by_hand || n == 0 || n > STAMP_MEMO_BYTES ||
	    r->at.us == WALL_NONE.us)
		return;
	/* Near a day ahead, of this year or the one before, the guess of the year may
	 * change within the minute; offsets of zones are less than 16 hours. */
	if (s->learn.match.fields.year == STAMP_ABSENT &&
	    (r->at.us - now.us > 8 * HOUR_US || r->at.us - now.us < -300 * DAY_US))
		return;
	m->n = n;
	memcpy(m->text, line.p, n);
	m->from_us = now.us - now.us % MINUTE_US;
	m->to_us = m->from_us + MINUTE_US;
	m->has_zone = s->home.has_zone;
	m->zone_minutes = s->home.zone_minutes;
	m->place = s->learn.found.place;
	m->result = *r;
}

/* Apart, so that it does not lie in the way of the others. */
static __attribute__((noinline)) bool search(
    struct stamp *s, struct span line, wall_t now, struct stamp_result *out)
{
	struct stamp_subject subject = {.line = line, .use_hand = s->use_hand};
	struct stamp_match *m = &s->learn.match;
	struct stamp_template *t;

	s->found = NULL;
	t = stamp_learn_find(&s->learn, &subject);
	if (!t)
		return false;
	s->used = t;
	s->found = &s->learn.found;
	*out = (struct stamp_result){
	    .start = m->cut_start,
	    .end = m->cut_end,
	    .at = stamp_template_time(t, m, &s->home, now),
	};
	out->is_whole = t->form->draft.kind == STAMP_TAI64N ||
			(t->form->draft.kind == STAMP_DATE &&
			    (s->home.has_zone || m->fields.has_zone));
	remember(s, line, now, out);
	return true;
}

HOT bool stamp_find(
    struct stamp *s, struct span line, wall_t now, struct stamp_result *out)
{
	return recall(s, line, now, out) || search(s, line, now, out);
}

HOT void stamp_keep(struct stamp *s, wall_t now)
{
	if (!s->found)
		return;
	stamp_learn_keep(&s->learn, s->found, now);
	s->found = NULL;
}

int stamp_found_by(const struct stamp *s)
{
	/* The one used last is tried first; others depend on places in lines before. */
	return s->found && s->found->template->form->draft.is_anchored
		   ? (int)s->found->template->id
		   : -1;
}

int stamp_last_kept(const struct stamp *s)
{
	const struct stamp_learn *l = &s->learn;

	return l->last < l->list.n ? (int)l->list.all[l->last]->id : -1;
}

bool stamp_keeps_words(const struct stamp *s)
{
	for (size_t i = 0; i < s->learn.list.n; i++) {
		if (!s->learn.list.all[i]->form->draft.keeps_words)
			return false;
	}
	return true;
}

const char *stamp_template_name(const struct stamp *s)
{
	return s->used ? s->used->form->draft.name : NULL;
}

const char *stamp_first_name(const struct stamp *s, bool *is_pattern)
{
	const struct stamp_list *l = &s->learn.list;

	if (l->n < 1 || l->n > 2)
		return NULL;
	*is_pattern = l->all[0]->form->draft.kind == STAMP_DATE;
	return l->all[0]->form->draft.name;
}

bool stamp_template_at(const struct stamp *s, size_t i, struct stamp_template_view *out)
{
	const struct stamp_template *t;

	if (i >= s->learn.list.n)
		return false;
	t = s->learn.list.all[i];
	*out = (struct stamp_template_view){
	    .name = t->form->draft.name,
	    .pattern = t->form->draft.kind == STAMP_DATE ? t->form->pattern : "",
	    .regex = t->form->draft.regex,
	    .n_hits = t->n_hits,
	    .weight = stamp_learn_weight(t),
	    .factor = t->factor,
	};
	return true;
}

void stamp_use_hand(struct stamp *s, bool yes)
{
	s->use_hand = yes;
}
