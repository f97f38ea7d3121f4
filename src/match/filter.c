/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * filter - one line through date, prefregex, failregex, ignoreregex and session
 *
 * A line that nothing matches costs a look for bad UTF-8, the date, one copy (fail2ban
 * ends the text it searches with '\n', and cuts the date out of the middle) and the
 * regexes; no memory is taken once the buffers have grown.
 */

#include "match/filter_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/scan.h"
#include "match/utf8.h"

#define FILTER_LAST_DATE_SEC 60 /* so long a date serves lines without one */

static int filter_add_parts(
    struct filter *f, const struct filter_options *o, struct err *e)
{
	if (o->maxlines > RING_LINES_MAX)
		return err_set(e, -EINVAL, "maxlines: no more than %d", RING_LINES_MAX);
	if (o->maxlines > 1) {
		f->ring = ring_new(o->maxlines);
		if (!f->ring)
			return err_errno(e, -ENOMEM, "filter");
	}
	if (f->rules.has_joins) {
		f->join = join_new(0);
		if (!f->join)
			return err_errno(e, -ENOMEM, "filter");
	}
	f->n_hits = calloc(f->rules.n_failregex + 1, sizeof(f->n_hits[0]));
	f->match = regex_match_new();
	f->sessions = sessions_new(&f->rules.names);
	if (!f->n_hits || !f->match || !f->sessions)
		return err_errno(e, -ENOMEM, "filter");
	if (o->n_ignoreregex > 0) {
		f->ignore_match = regex_match_new();
		if (!f->ignore_match)
			return err_errno(e, -ENOMEM, "filter");
	}
	return 0;
}

static int filter_add_stamp(
    struct filter *f, const struct filter_options *o, struct err *e)
{
	const struct stamp_options so = {
	    .datepattern = o->datepattern,
	    .timezone = o->timezone,
	};

	if (o->no_date)
		return 0;
	f->stamp = stamp_new(&so, e);
	return f->stamp ? 0 : -EINVAL;
}

static enum literals_cut filter_cut(const struct filter *f)
{
	if (!f->stamp)
		return LITERALS_CUT_NONE;
	return stamp_keeps_words(f->stamp) ? LITERALS_CUT_WORDS : LITERALS_CUT_ANY;
}

struct filter *filter_new(const struct filter_options *o, struct err *e)
{
	CLEANUP(filter_freep) struct filter *f = calloc(1, sizeof(*f));

	if (!f) {
		(void)err_errno(e, -ENOMEM, "filter");
		return NULL;
	}
	f->usedns = o->usedns;
	f->last_date = f->match_date = WALL_NONE;
	f->context = o->maxlines > 1 ? o->maxlines - 1 : 0;
	f->repaired = f->subject = f->content = BUF_INIT(SIZE_MAX / 2);
	f->skipped_repaired = BUF_INIT(SIZE_MAX / 2);
	f->skipped = f->users = f->folded = BUF_INIT(SIZE_MAX / 2);
	if (filter_add_stamp(f, o, e) < 0 ||
	    rules_init(&f->rules, o, filter_cut(f), e) < 0 ||
	    filter_add_parts(f, o, e) < 0)
		return NULL;
	return TAKE(f);
}

struct filter *filter_free(struct filter *f)
{
	if (!f)
		return NULL;
	buf_deinit(&f->repaired);
	buf_deinit(&f->skipped_repaired);
	buf_deinit(&f->subject);
	buf_deinit(&f->content);
	buf_deinit(&f->skipped);
	buf_deinit(&f->users);
	buf_deinit(&f->folded);
	join_free(f->join);
	ring_free(f->ring);
	sessions_free(f->sessions);
	regex_match_free(f->ignore_match);
	regex_match_free(f->match);
	stamp_free(f->stamp);
	examine_state_free(f->examine);
	free(f->n_hits);
	rules_deinit(&f->rules);
	free(f);
	return NULL;
}

int filter_clean(
    struct span text, struct buf *repaired, struct span *out, bool *out_ascii)
{
	while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	if (text.n == 0)
		text.p = "";
	*out_ascii = scan_is_ascii(text);
	if (!*out_ascii && !utf8_is_valid(text)) {
		buf_clear(repaired);
		utf8_repair(text, repaired);
		if (repaired->failed)
			return -ENOMEM;
		text = buf_span(repaired);
	}
	*out = text;
	return 0;
}

/* The date that serves a line without one; WALL_NONE: none does. */
static wall_t filter_last_date(const struct filter *f)
{
	return f->last_date_age <= FILTER_DATE_REACH ? f->last_date : f->match_date;
}

/*
 * For a line whose date is missing or none, when that of the line before is no longer
 * fresh. What comes as it is written is of now; in a log that is read later nothing is.
 */
static wall_t filter_guess_date(
    const struct filter *f, const struct line *l, wall_t now)
{
	wall_t last = filter_last_date(f);

	return l->live || last.us == WALL_NONE.us ? now : last;
}

static void cut_date(
    struct filter_date *d, struct span text, const struct stamp_result *found)
{
	d->before = (struct span){text.p, found->start};
	d->date = (struct span){text.p + found->start, found->end - found->start};
	d->after = span_skip(text, found->end);
}

static bool is_own_date(const struct stamp_result *r)
{
	return r->start != r->end && r->at.us != WALL_NONE.us;
}

static void filter_remember_date(struct filter *f, const struct stamp_result *r)
{
	f->last_date = r->at;
	f->last_date_age = 0;
	f->is_last_date_whole = r->is_whole;
}

bool filter_own_date(
    struct filter *f, struct span text, wall_t now, struct stamp_result *out)
{
	if (!stamp_find(f->stamp, text, now, out) || !is_own_date(out))
		return false;
	filter_remember_date(f, out);
	return true;
}

/* It has none, or one like 30 February. */
static void date_without(struct filter *f, struct span text, const struct line *l,
    wall_t now, struct filter_date *out)
{
	struct stamp_result found = {0};
	bool is_found = stamp_find(f->stamp, text, now, &found);

	/* A pattern that fits the empty text says: now. */
	out->is_known = is_found && found.start == found.end;
	if (filter_last_date(f).us <= wall_add_sec(now, -FILTER_LAST_DATE_SEC).us) {
		if (is_found && !out->is_known)
			cut_date(out, text, &found);
		out->at = filter_guess_date(f, l, now);
		return;
	}
	/* 30 February stays in the text then: so does fail2ban. */
	out->date.p = NULL;
	out->at = filter_last_date(f);
	out->is_whole = f->is_last_date_whole;
	out->is_known = true;
}

HOT int filter_date_soon(struct filter *f, struct span text, const struct line *l,
    wall_t now, struct filter_date *out)
{
	struct stamp_result found = {0};

	*out = (struct filter_date){
	    .at = now, .before = {text.p, 0}, .date = {text.p, 0}, .after = text};
	if (!f->stamp) {
		out->is_known = true;
		if (l->stamp.us != WALL_NONE.us)
			out->at = l->stamp;
		return 0;
	}
	f->cut_by = -1;
	f->is_cut_fresh = stamp_last_kept(f->stamp) < 0;
	bool is_found = stamp_find(f->stamp, text, now, &found);

	if (is_found && is_own_date(&found)) {
		filter_remember_date(f, &found);
		f->cut_by = stamp_found_by(f->stamp);
		cut_date(out, text, &found);
		out->is_known = true;
		out->at = found.at;
		out->is_whole = found.is_whole;
		return 0;
	}
	f->is_cut_fresh &= !is_found;
	/* Of one like 30 February it depends on the date before whether it is cut out.
	 */
	if (is_found && found.start != found.end)
		return filter_close_date(f, text, l, now, out);
	out->is_open = true;
	return 0;
}

int filter_close_date(struct filter *f, struct span text, const struct line *l,
    wall_t now, struct filter_date *out)
{
	int r = filter_settle(f); /* the date may be in a line that was skipped */

	out->is_open = false;
	filter_age_date(f, 1);
	if (r == 0)
		date_without(f, text, l, now, out);
	return r;
}

int filter_date(struct filter *f, struct span text, const struct line *l, wall_t now,
    struct filter_date *out)
{
	int r = filter_date_soon(f, text, l, now, out);

	return r == 0 && out->is_open ? filter_close_date(f, text, l, now, out) : r;
}

int filter_set_subject(
    struct filter *f, struct span before, struct span after, struct span *out)
{
	if (f->ring) {
		int r = ring_add(f->ring, before, after);

		*out = ring_text(f->ring);
		return r;
	}
	buf_clear(&f->subject);
	buf_add_span(&f->subject, before);
	buf_add_span(&f->subject, after);
	buf_add_char(&f->subject, '\n');
	*out = buf_span(&f->subject);
	return f->subject.failed ? -ENOMEM : 0;
}

/* The text behind <F-CONTENT>, with a '\n' at its end. */
static int filter_set_content(
    struct filter *f, struct span content, struct filter_texts *t)
{
	const char *end = content.p + content.n;

	t->has_content = true;
	if (end < t->whole.p + t->whole.n && *end == '\n') {
		t->content = (struct span){content.p, content.n + 1};
		return 0;
	}
	buf_clear(&f->content);
	buf_add_span(&f->content, content);
	buf_add_char(&f->content, '\n');
	t->content = buf_span(&f->content);
	return f->content.failed ? -ENOMEM : 0;
}

HOT int filter_run_prefregex(struct filter *f, struct filter_texts *t)
{
	struct span content;
	int r;

	groups_clear(&f->groups, f->rules.names.n);
	if (!f->rules.prefregex)
		return 0;
	r = rule_search(f->rules.prefregex, t->whole, t->is, f->match);
	if (r != 0)
		return r;
	rule_overlay(f->rules.prefregex, f->match, &f->groups);
	content = f->groups.value[GROUP_CONTENT];
	f->groups.value[GROUP_CONTENT] = (struct span){NULL, 0};
	if (content.n == 0)
		return 0;
	return filter_set_content(f, content, t);
}

/* Return: 0 with *out_rule, REGEX_MISS, or REGEX_LIMIT (no match, and one gave up). */
static int filter_run_failregex(struct filter *f, const struct filter_texts *t,
    const uint64_t *rules, size_t *out_rule)
{
	int result = REGEX_MISS;

	for (size_t i = t->first_rule; i < f->rules.n_failregex; i++) {
		if (rules && !(rules[i / 64] >> i % 64 & 1))
			continue;
		int r = rule_search(f->rules.failregex[i], t->content, t->is, f->match);

		if (r == 0) {
			f->n_hits[i]++;
			*out_rule = i;
			return 0;
		}
		if (r == REGEX_LIMIT)
			result = r;
	}
	return result;
}

HOT int filter_take_lines(
    struct filter *f, const struct rule *rule, struct filter_texts *t)
{
	struct ring_match m = {.subject = t->content};
	struct span part;

	if (!f->ring)
		return 1;
	(void)regex_match_group(f->match, 0, &part);
	m.start = (size_t)(part.p - t->content.p);
	m.end = m.start + part.n;
	buf_clear(&f->skipped);
	for (size_t i = 0; rule_skipped(rule, f->match, i, &part); i++)
		buf_add_span(&f->skipped, part);
	if (f->skipped.failed)
		return -ENOMEM;
	m.skipped = buf_span(&f->skipped);
	return ring_take(f->ring, &m, &t->whole);
}

bool filter_ignores(struct filter *f, size_t i, const struct filter_texts *t)
{
	struct rule *r = f->rules.ignoreregex[i];

	return rule_search(r, t->whole, t->is, f->ignore_match) == 0 ||
	       (t->has_content &&
		   rule_search(r, t->content, t->is, f->ignore_match) == 0);
}

static bool filter_is_ignored(struct filter *f, const struct filter_texts *t)
{
	for (size_t i = 0; i < f->rules.n_ignoreregex; i++) {
		if (filter_ignores(f, i, t))
			return true;
	}
	return false;
}

size_t filter_fields(struct filter *f, const struct filter_field **out)
{
	const struct session *session = f->session;
	size_t n = 0;

	*out = f->fields;
	if (!f->has_fields)
		return 0;
	for (size_t i = 0; i < f->rules.names.n; i++) {
		if (!f->groups.value[i].p || group_is_internal(&f->rules.names, i))
			continue;
		f->fields[n++] = (struct filter_field){
		    .name = f->rules.names.name[i],
		    .value = f->groups.value[i],
		};
	}
	if (session && session_n_users(session) > 1) {
		buf_clear(&f->users);
		session_add_users(session, &f->users);
		f->fields[n++] = (struct filter_field){"users", buf_span(&f->users)};
	}
	return n;
}

static bool is_by_id(const struct filter *f, size_t rule)
{
	return f->rules.uses && f->rules.uses[rule].via != RULE_NO_SLOT;
}

/* f->groups has what the line said; what becomes of it? Return: as filter_feed(). */
HOT static int filter_conclude(
    struct filter *f, uint32_t n_lines, wall_t now, struct filter_failure *out)
{
	struct session *session = NULL;
	int r;

	out->attempts = n_lines;
	if (f->groups.value[GROUP_MLFID].p) {
		r = sessions_merge(f->sessions, &f->groups, n_lines, now, &session);
		if (r < 0)
			return r;
		out->attempts = session_n_lines(session);
	}
	if (groups_has(&f->groups, GROUP_NOFAIL))
		return FILTER_HELPED;
	if (out->attempts == 0)
		out->attempts = 1;
	r = failid_find(&f->groups, f->usedns, f->id_text, out);
	if (f->rules.uses)
		r = filter_use(f, r, out);
	if (r < 0)
		return r;
	if (r == FAILID_NOTHING && is_by_id(f, out->rule))
		return FILTER_HELPED;
	if (r == FAILID_NOTHING && session) {
		session_set_pending(session);
		return FILTER_HELPED;
	}
	if (r == FAILID_NOTHING)
		out->id = out->host = (struct span){"", 0};
	f->session = session;
	f->has_fields = true;
	return r == FAILID_FOUND ? FILTER_FAILURE : FILTER_NO_ADDRESS;
}

int filter_keep_content(struct filter *f, struct filter_texts *t)
{
	if (!f->ring || !t->has_content)
		return 0;
	t->content.n--; /* its newline */
	return ring_reset(f->ring, t->content);
}

HOT void filter_learn(struct filter *f, wall_t now_of_date)
{
	if (!f->stamp)
		return;
	stamp_keep(f->stamp, now_of_date);
	if (f->last_date_age == 0)
		f->match_date = f->last_date;
}

HOT int filter_search(struct filter *f, struct filter_texts *t, struct filter_date *d,
    const uint64_t *rules, wall_t now, struct filter_failure *out)
{
	size_t rule = 0;
	int r, n_lines;

	t->content = t->whole;
	r = filter_run_prefregex(f, t);
	if (r < 0)
		return r;
	if (r == 0)
		r = filter_run_failregex(f, t, rules, &rule);
	if (r != 0) {
		if (t->has_content)
			f->n_wanted = f->context;
		if (filter_keep_content(f, t) < 0)
			return -ENOMEM;
		if (d->is_open)
			filter_skip_open(f, t->line, now);
		return r == REGEX_LIMIT ? FILTER_LIMIT : FILTER_MISS;
	}
	if (d->is_open) {
		r = filter_close_date(f, t->clean, t->line, now, d);
		if (r < 0)
			return r;
	}
	out->at = d->at;
	filter_learn(f, now);
	out->rule = (uint16_t)rule;
	out->value = out->account = 0;
	f->is_used = false;
	rule_overlay(f->rules.failregex[rule], f->match, &f->groups);
	n_lines = filter_take_lines(f, f->rules.failregex[rule], t);
	if (n_lines < 0)
		return n_lines;
	if (f->rules.n_ignoreregex > 0 && filter_is_ignored(f, t))
		return FILTER_IGNORED;
	/* Sessions of a log that is read later lasted as long as its own dates say. */
	return filter_conclude(f, (uint32_t)n_lines, t->line->live ? now : d->at, out);
}

static bool may_match(const struct filter *f, const uint64_t *rules)
{
	for (size_t i = 0; rules && i < (f->rules.n_failregex + 63) / 64; i++) {
		if (rules[i])
			return true;
	}
	return !rules || !f->n_wanted;
}

static int clean_line(struct filter *f, const struct line *l, struct filter_texts *t)
{
	int r;

	if (l->is_plain) {
		t->clean = l->text;
		t->is = (struct rule_subject_is){.ascii = true, .one_line = true};
		return 0;
	}
	r = filter_clean(l->text, &f->repaired, &t->clean, &t->is.ascii);
	t->is.one_line = r == 0 && !memchr(t->clean.p, '\n', t->clean.n);
	return r;
}

HOT int filter_cut_date(struct filter *f, const struct line *l, wall_t now,
    struct filter_texts *t, struct filter_date *date)
{
	int r = clean_line(f, l, t);

	f->has_fields = false;
	if (r == 0)
		r = filter_date_soon(f, t->clean, l, now, date);
	if (r == 0 && date->is_open && (f->ring || !l->end))
		r = filter_close_date(f, t->clean, l, now, date);
	if (r < 0)
		return r;
	t->line = l;
	f->cut_start = (uint32_t)date->before.n;
	f->cut_n = (uint32_t)date->date.n;
	if (!date->is_open)
		filter_forget_skipped(f);
	return 0;
}

/* In a block the line may be searched where it lies, with the '\n' that ends it. */
static bool ends_in_place(const struct filter_texts *t, const struct filter_date *d)
{
	const char *end = d->after.p + d->after.n;

	return d->before.n == 0 && t->line->is_plain && t->line->end == end + 1 &&
	       *end == '\n';
}

HOT int filter_feed(struct filter *f, const struct line *l, const uint64_t *rules,
    wall_t now, struct filter_failure *out)
{
	struct filter_texts t = {0};
	struct filter_date date;
	int r = f->ring ? filter_settle(f) : 0;

	if (r == 0)
		r = filter_cut_date(f, l, now, &t, &date);
	if (r == 0 && !f->ring && ends_in_place(&t, &date))
		t.whole = (struct span){date.after.p, date.after.n + 1};
	else if (r == 0)
		r = filter_set_subject(f, date.before, date.after, &t.whole);
	if (r < 0)
		return r;
	if (f->ring) {
		t.is = rule_subject_is(t.whole);
		/* What is missing in this line may stand in one before it, and what
		 * stands in it may serve those after it. */
		f->n_wanted = may_match(f, rules) ? f->context : f->n_wanted - 1;
		rules = NULL;
	}
	return filter_search(f, &t, &date, rules, now, out);
}

uint64_t filter_n_unbound(const struct filter *f)
{
	return f->n_unbound;
}

size_t filter_n_rules(const struct filter *f)
{
	return f->rules.n_failregex;
}

uint64_t filter_n_hits(const struct filter *f, size_t rule)
{
	assert(rule < f->rules.n_failregex);
	return f->n_hits[rule];
}

uint64_t filter_n_limits(const struct filter *f, size_t rule)
{
	assert(rule <= f->rules.n_failregex);
	if (rule < f->rules.n_failregex)
		return rule_n_limits(f->rules.failregex[rule]);
	return f->rules.prefregex ? rule_n_limits(f->rules.prefregex) : 0;
}

int filter_check_failregex(
    const char *regex, const char *prefregex, enum filter_usedns d, struct err *e)
{
	return rules_check_failregex(regex, prefregex, d != FILTER_DNS_NO, e);
}

int filter_check_regex(const char *regex, enum filter_usedns d, struct err *e)
{
	return rules_check_regex(regex, d != FILTER_DNS_NO, e);
}

int filter_check_rule(const struct filter_rule *rule, enum filter_rule_part part,
    const char *prefregex, enum filter_usedns d, struct err *e)
{
	return rules_check_rule(rule, part, prefregex, d != FILTER_DNS_NO, e);
}
