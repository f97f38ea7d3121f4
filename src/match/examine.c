/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * examine - lines are remembered in three parts, as people want to see them whole
 *
 * Of a session's lines and of the lines of the ring copies are kept, as records: three
 * lengths, then the bytes. They are bounded as the session and the ring are.
 */

#include "match/examine.h"

#include <errno.h>
#include <stdlib.h>

#include "match/filter_private.h"

#define SLOT_USERS UINT8_MAX /* among slots: the set of users, not a group */
#define LINES_SHOWN_MAX 4096 /* of one hit; the rest is left out */

struct record_head {
	size_t n_before, n_date, n_after;
};

/* A line that is in the ring. */
struct kept_line {
	uint64_t id;
	struct buf record;
};

struct examine_state {
	struct buf last_date; /* text of the last date, which may serve other lines */
	struct buf record;    /* of this line */
	struct buf taken;     /* records of the lines of this hit */
	struct kept_line kept[RING_LINES_MAX];
	size_t n_kept;
	struct session_slots slots; /* of this hit, when it belongs to no session */
	struct groups prefix;       /* of the prefregex */
	bool has_prefix;
	struct examine_group groups[GROUPS_MAX + 1];
	struct examine_line lines[LINES_SHOWN_MAX];
};

/* One line on its way. */
struct examination {
	struct filter *f;
	struct examine_state *s;
	const struct examine *how;
	wall_t now, at;
	bool is_at_whole;
	struct filter_texts texts;
	bool is_hit, is_ignored;
};

struct examine_state *examine_state_free(struct examine_state *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n_kept; i++)
		buf_deinit(&s->kept[i].record);
	buf_deinit(&s->last_date);
	buf_deinit(&s->record);
	buf_deinit(&s->taken);
	free(s);
	return NULL;
}

static struct examine_state *examine_state(struct filter *f)
{
	if (!f->examine) {
		f->examine = calloc(1, sizeof(*f->examine));
		if (!f->examine)
			return NULL;
		f->examine->last_date = BUF_INIT(SIZE_MAX / 2);
		f->examine->record = BUF_INIT(SIZE_MAX / 2);
		f->examine->taken = BUF_INIT(SIZE_MAX / 2);
	}
	return f->examine;
}

/* --- lines --- */

static void record_add(struct buf *b, const struct examine_line *l)
{
	struct record_head h = {l->before.n, l->date.n, l->after.n};

	buf_add(b, &h, sizeof(h));
	buf_add_span(b, l->before);
	buf_add_span(b, l->date);
	buf_add_span(b, l->after);
}

static struct span record_cut(struct span *rest, size_t n)
{
	struct span part = {rest->p, n};

	*rest = span_skip(*rest, n);
	return part;
}

static bool record_next(struct span *rest, struct examine_line *out)
{
	struct record_head h;

	if (rest->n < sizeof(h))
		return false;
	memcpy(&h, rest->p, sizeof(h));
	*rest = span_skip(*rest, sizeof(h));
	out->before = record_cut(rest, h.n_before);
	out->date = record_cut(rest, h.n_date);
	out->after = record_cut(rest, h.n_after);
	return true;
}

/* Remember the line that came into the ring last; forget those that have left it. */
static int state_keep_line(struct examine_state *s, const struct ring *r)
{
	size_t n_ids = ring_n_lines(r), n = 0;
	const uint64_t *ids = ring_ids(r);
	struct kept_line new = {.record = BUF_INIT(SIZE_MAX / 2)};

	for (size_t i = 0; i < s->n_kept; i++) {
		bool is_there = false;

		for (size_t k = 0; k < n_ids && !is_there; k++)
			is_there = ids[k] == s->kept[i].id;
		if (is_there)
			s->kept[n++] = s->kept[i];
		else
			buf_deinit(&s->kept[i].record);
	}
	s->n_kept = n;
	if (n_ids == 0 || n == RING_LINES_MAX)
		return 0;
	new.id = ids[n_ids - 1];
	buf_add_span(&new.record, buf_span(&s->record));
	if (new.record.failed) {
		buf_deinit(&new.record);
		return -ENOMEM;
	}
	s->kept[s->n_kept++] = new;
	return 0;
}

/* The records of the lines that this hit took. */
static void state_collect_taken(
    struct examine_state *s, const struct ring *r, size_t n_taken)
{
	const uint64_t *ids = r ? ring_taken_ids(r) : NULL;

	buf_clear(&s->taken);
	if (!r) {
		buf_add_span(&s->taken, buf_span(&s->record));
		return;
	}
	for (size_t i = 0; i < n_taken; i++) {
		for (size_t k = 0; k < s->n_kept; k++) {
			if (s->kept[k].id == ids[i] && (i == 0 || ids[i - 1] != ids[i]))
				buf_add_span(&s->taken, buf_span(&s->kept[k].record));
		}
	}
}

/* --- the ticket's order --- */

static void slots_add(struct session_slots *o, size_t slot)
{
	if (slot != SLOT_USERS && o->is_there[slot])
		return;
	for (size_t i = 0; slot == SLOT_USERS && i < o->n; i++) {
		if (o->order[i] == SLOT_USERS)
			return;
	}
	if (o->n == GROUPS_MAX)
		return;
	o->order[o->n++] = (uint8_t)slot;
	if (slot != SLOT_USERS)
		o->is_there[slot] = true;
}

static void slots_remove(struct session_slots *o, size_t slot)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++) {
		if (o->order[i] != slot)
			o->order[n++] = o->order[i];
	}
	o->n = n;
	o->is_there[slot] = false;
}

/* The slots of prefregex and failregex, and what <F-ALT_...> gave. */
static void slots_of_line(const struct examination *x, const struct rule *rule,
    const struct groups *g, struct session_slots *out)
{
	uint8_t slots[GROUPS_MAX];
	size_t n;

	*out = (struct session_slots){.n = 0};
	if (x->s->has_prefix) {
		n = rule_slots(x->f->rules.prefregex, slots);
		for (size_t i = 0; i < n; i++) {
			if (slots[i] != GROUP_CONTENT)
				slots_add(out, slots[i]);
		}
	}
	n = rule_slots(rule, slots);
	for (size_t i = 0; i < n; i++)
		slots_add(out, slots[i]);
	for (size_t i = 0; i < x->f->rules.names.n; i++) {
		if (g->value[i].p)
			slots_add(out, i);
	}
}

/* What fail2ban does to the ticket of a session when a line comes. */
static void slots_merge(struct session_slots *old, const struct session_slots *line,
    const struct groups *g, const struct session *session)
{
	bool is_new = old->n == 0;

	if (!is_new) {
		if (session_n_users(session) > 0)
			slots_add(old, SLOT_USERS);
		slots_remove(old, GROUP_NOFAIL);
		slots_remove(old, GROUP_MLFGAINED);
	}
	for (size_t i = 0; i < line->n; i++) {
		size_t slot = line->order[i];

		if (slot != GROUP_MLFFORGET && (is_new || g->value[slot].p))
			slots_add(old, slot);
	}
	if (groups_has(g, GROUP_MLFGAINED))
		slots_add(old, GROUP_NOFAIL);
	if (session_n_users(session) > 0)
		slots_add(old, SLOT_USERS);
	if (old->is_reset) {
		slots_remove(old, GROUP_NOFAIL);
		slots_remove(old, GROUP_MLFGAINED);
	}
}

static size_t fill_groups(struct examination *x, const struct session_slots *o,
    const struct groups *g, const struct rule *rule)
{
	struct examine_group *out = x->s->groups;

	for (size_t i = 0; i < o->n; i++) {
		size_t slot = o->order[i];

		if (slot == SLOT_USERS) {
			out[i] = (struct examine_group){
			    "users", EXAMINE_USERS, buf_span(&x->f->users)};
			continue;
		}
		out[i] = (struct examine_group){
		    x->f->rules.names.name[slot], EXAMINE_NONE, {"", 0}};
		if (!g->value[slot].p)
			continue;
		out[i].text = g->value[slot];
		out[i].kind = rule_is_tuple(rule, slot) ? EXAMINE_TUPLE : EXAMINE_TEXT;
	}
	return o->n;
}

/* --- one hit --- */

static void tell_hit(struct examination *x, enum examine_kind kind,
    const struct session_slots *slots, struct span lines, const struct rule *rule,
    struct filter_failure *failure)
{
	struct examine_hit hit = {
	    .kind = kind, .groups = x->s->groups, .lines = x->s->lines};

	hit.n_groups = fill_groups(x, slots, &x->f->groups, rule);
	while (hit.n_lines < LINES_SHOWN_MAX &&
	       record_next(&lines, &x->s->lines[hit.n_lines]))
		hit.n_lines++;
	failure->at = x->at;
	hit.failure = *failure;
	hit.is_at_whole = x->is_at_whole;
	x->is_hit = true;
	x->how->on_hit(x->how->ctx, &hit);
}

/* Return: 0 with *@out NULL when the hit belongs to no session, or -ENOMEM. */
static int merge_session(struct examination *x, const struct session_slots *line,
    uint32_t n_lines, struct session **out, const struct session_slots **out_slots)
{
	struct filter *f = x->f;
	struct groups g = f->groups;
	struct session_slots *slots;
	int r;

	*out = NULL;
	*out_slots = line;
	if (!f->groups.value[GROUP_MLFID].p)
		return 0;
	sessions_give_lines(f->sessions, buf_span(&x->s->taken));
	r = sessions_merge(f->sessions, &f->groups, n_lines, x->now, out);
	if (r < 0)
		return r;
	slots = session_slots(*out);
	if (!slots)
		return -ENOMEM;
	slots_merge(slots, line, &g, *out);
	*out_slots = slots;
	buf_clear(&f->users);
	session_add_users(*out, &f->users);
	return 0;
}

/* Return: 1 when no other failregex is to be tried, 0, or -ENOMEM. */
static int conclude(
    struct examination *x, size_t index, const struct groups *found, int n_lines)
{
	struct filter *f = x->f;
	const struct rule *rule = f->rules.failregex[index];
	struct filter_failure failure = {
	    .at = x->at.us == WALL_NONE.us ? x->now : x->at,
	    .rule = (uint16_t)index,
	    .attempts = 1};
	const struct session_slots *slots;
	struct session *session;
	bool is_nofail;
	int r;

	f->groups = x->s->prefix;
	groups_overlay(&f->groups, found, f->rules.names.n);
	slots_of_line(x, rule, &f->groups, &x->s->slots);
	r = merge_session(x, &x->s->slots, (uint32_t)n_lines, &session, &slots);
	if (r < 0)
		return r;
	is_nofail = groups_has(&f->groups, GROUP_NOFAIL);
	if (is_nofail && session && !x->how->all)
		return 1;
	r = failid_find(&f->groups, f->usedns, f->id_text, &failure);
	if (f->rules.uses && !is_nofail)
		r = filter_use(f, r, &failure);
	if (r < 0)
		return r;
	if (r == FAILID_NOTHING) {
		failure.id = failure.host = (struct span){"", 0};
		if (session)
			session_set_pending(session);
		if (session && !x->how->all && !x->how->tells_waiting)
			return 1;
	}
	tell_hit(x,
	    is_nofail                        ? EXAMINE_NO_FAILURE
	    : r == FAILID_FOUND              ? EXAMINE_FAILURE
	    : session && r == FAILID_NOTHING ? EXAMINE_WAITS
					     : EXAMINE_REFUSED,
	    slots, session ? session_lines(session) : buf_span(&x->s->taken), rule,
	    &failure);
	return !x->how->all;
}

/* --- one line --- */

/* Is @t ignored? Tells each ignoreregex that says so; or the first only. */
static bool ask_ignoreregexes(struct examination *x, const struct filter_texts *t)
{
	struct filter *f = x->f;
	bool is_ignored = false;

	for (size_t i = 0; i < f->rules.n_ignoreregex; i++) {
		if (!filter_ignores(f, i, t))
			continue;
		is_ignored = x->is_ignored = true;
		x->how->on_ignored(x->how->ctx, i);
		if (!x->how->all)
			break;
	}
	return is_ignored;
}

/* Return: 0, REGEX_MISS, REGEX_LIMIT or -ENOMEM. */
static int run_prefregex(struct examination *x)
{
	struct filter *f = x->f;
	uint8_t slots[GROUPS_MAX];
	size_t n;
	struct groups all;
	int r = filter_run_prefregex(f, &x->texts);

	x->s->has_prefix = r == 0 && f->rules.prefregex;
	x->s->prefix = f->groups;
	if (!x->s->has_prefix)
		return r;
	rule_read(f->rules.prefregex, f->match, &all);
	n = rule_slots(f->rules.prefregex, slots);
	for (size_t i = 0; i < n; i++) {
		struct span v = all.value[slots[i]];

		x->s->groups[i] = (struct examine_group){
		    f->rules.names.name[slots[i]],
		    v.p ? EXAMINE_TEXT : EXAMINE_NONE,
		    v.p ? v : (struct span){"", 0},
		};
	}
	if (x->how->on_prefregex)
		x->how->on_prefregex(x->how->ctx, x->s->groups, n);
	return 0;
}

/* Return: 1 when no other failregex is to be tried, 0, or -ENOMEM. */
static int try_failregex(struct examination *x, size_t i)
{
	struct filter *f = x->f;
	struct rule *rule = f->rules.failregex[i];
	struct filter_texts t = x->texts;
	struct groups found;
	int n;

	if (rule_search(rule, t.content, t.is, f->match) != 0)
		return 0;
	f->n_hits[i]++;
	rule_read(rule, f->match, &found);
	n = filter_take_lines(f, rule, &t);
	if (n < 0)
		return n;
	state_collect_taken(x->s, f->ring, (size_t)n);
	if (f->rules.n_ignoreregex > 0 && ask_ignoreregexes(x, &t))
		n = x->how->all ? 0 : 1;
	else
		n = conclude(x, i, &found, n);
	if (f->ring) {
		x->texts.whole = x->texts.content = ring_text(f->ring);
		x->texts.has_content = false;
	}
	return n;
}

static int run_failregexes(struct examination *x)
{
	struct filter *f = x->f;
	int r = 0;

	for (size_t i = 0; i < f->rules.n_failregex && r == 0; i++)
		r = try_failregex(x, i);
	if (r < 0)
		return r;
	if (!x->is_hit && !x->is_ignored && filter_keep_content(f, &x->texts) < 0)
		return -ENOMEM;
	return 0;
}

/* Few ignoreregexes beside many failregexes are cheaper asked first. */
static bool is_ignored_early(struct examination *x)
{
	const struct rules *r = &x->f->rules;

	return x->how->all && r->n_ignoreregex > 0 &&
	       r->n_ignoreregex + 2 < r->n_failregex && ask_ignoreregexes(x, &x->texts);
}

static int prepare(struct examination *x, const struct line *l, struct span given)
{
	struct filter *f = x->f;
	struct filter_date d;
	struct examine_line parts;
	struct span text;
	bool is_ascii;
	int r = filter_clean(l->text, &f->repaired, &text, &is_ascii);

	if (r == 0)
		r = filter_date(f, text, l, x->now, &d);
	if (r < 0)
		return r;
	if (f->stamp) { /* what is shown is learnt from */
		stamp_keep(f->stamp, x->now);
		if (f->last_date_age == 0)
			f->match_date = f->last_date;
	}
	if (d.date.n > 0 && d.is_known && d.at.us == f->last_date.us) {
		buf_clear(&x->s->last_date);
		buf_add_span(&x->s->last_date, d.date);
	}
	parts = (struct examine_line){d.before, d.date, d.after};
	if (given.n > 0)
		parts.date = given;
	else if (!d.date.p)
		parts.date = buf_span(&x->s->last_date);
	buf_clear(&x->s->record);
	record_add(&x->s->record, &parts);
	x->at = d.is_known ? d.at : WALL_NONE;
	x->is_at_whole = d.is_whole;
	r = filter_set_subject(f, d.before, d.after, &x->texts.whole);
	if (r < 0 || x->s->record.failed || x->s->last_date.failed)
		return -ENOMEM;
	x->texts.content = x->texts.whole;
	x->texts.is = rule_subject_is(x->texts.whole);
	return f->ring ? state_keep_line(x->s, f->ring) : 0;
}

int filter_examine(struct filter *f, const struct line *l, struct span date, wall_t now,
    const struct examine *how)
{
	struct examination x = {.f = f, .s = examine_state(f), .how = how, .now = now};
	int r;

	if (!x.s)
		return -ENOMEM;
	r = prepare(&x, l, date);
	if (r < 0)
		return r;
	if (is_ignored_early(&x))
		return FILTER_IGNORED;
	r = run_prefregex(&x);
	if (r == 0)
		r = run_failregexes(&x);
	if (r < 0)
		return r;
	return x.is_hit ? FILTER_FAILURE : x.is_ignored ? FILTER_IGNORED : FILTER_MISS;
}

void filter_examined_line(const struct filter *f, struct examine_line *out)
{
	struct span record =
	    f->examine ? buf_span(&f->examine->record) : (struct span){"", 0};

	if (!record_next(&record, out))
		*out = (struct examine_line){{"", 0}, {"", 0}, {"", 0}};
}

const uint64_t *filter_kept_lines(const struct filter *f, size_t *out_n)
{
	*out_n = f->ring ? ring_n_lines(f->ring) : 0;
	return f->ring ? ring_ids(f->ring) : NULL;
}

bool filter_template(const struct filter *f, size_t i, struct stamp_template_view *out)
{
	return f->stamp && stamp_template_at(f->stamp, i, out);
}
