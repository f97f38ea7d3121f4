/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * rule - what belongs to a name is worked out once, when the rule is made
 */

#include "match/rule.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/scan.h"
#include "match/rewrite.h"
#include "match/rule_tail.h"
#include "match/tags.h"

#define RULE_TEXT_MAX (64 * 1024)
#define TUPLE_TEXT_MAX (1024 * 1024)

static const char *const group_fixed[GROUP_N_FIXED] = {
    [GROUP_FID] = "fid",
    [GROUP_IP4] = "ip4",
    [GROUP_IP6] = "ip6",
    [GROUP_DNS] = "dns",
    [GROUP_CIDR] = "cidr",
    [GROUP_USER] = "user",
    [GROUP_MLFID] = "mlfid",
    [GROUP_MLFFORGET] = "mlfforget",
    [GROUP_MLFGAINED] = "mlfgained",
    [GROUP_NOFAIL] = "nofail",
    [GROUP_CONTENT] = "content",
};

/* "alt_user_1" gives its value to "user", should that have none. */
struct rule_alt {
	uint8_t from, to;
};

/* "id", "tuple_id_1"... are put together to one value of "id". */
struct rule_tuple {
	uint8_t slot;
	uint8_t parts[REGEX_MAX_GROUPS + 1];
	size_t n_parts;
	struct buf text;
};

struct rule {
	struct regex *regex;
	const struct group_names *names;
	struct {
		uint8_t group, slot;
	} named[REGEX_MAX_GROUPS]; /* in the order in which they stand */
	size_t n_named;
	struct rule_alt alts[2 * REGEX_MAX_GROUPS];
	size_t n_alts;
	struct rule_tuple *tuples;
	size_t n_tuples;
	int skiplines[REGEX_MAX_GROUPS];
	size_t n_skiplines;
	char *text; /* with tags expanded; NULL unless it is sieved */
	enum literals_cut cut;
	struct literal_set literals;
	bool has_literals; /* they have been looked for */
	/* Its end was left out, which a single line matches anyway: see rule_tail.h.
	 * For several lines there is the whole regex, once asked for. */
	enum rule_tail tail;
	struct regex *whole;
	bool is_whole_tried;
	bool is_open; /* the last search was without the end */
};

int group_names_find(const struct group_names *names, struct span name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (span_eq(span_of(names->name[i]), name))
			return (int)i;
	}
	return -1;
}

/* Return: the slot of @name, -ENOMEM or -ENOSPC. */
static int group_names_add(struct group_names *names, struct span name)
{
	int slot = group_names_find(names, name);

	if (slot >= 0)
		return slot;
	if (names->n == GROUPS_MAX)
		return -ENOSPC;
	names->name[names->n] = span_dup(name);
	if (!names->name[names->n])
		return -ENOMEM;
	return (int)names->n++;
}

int group_names_init(struct group_names *names)
{
	*names = (struct group_names){0};
	for (size_t i = 0; i < GROUP_N_FIXED; i++) {
		if (group_names_add(names, span_of(group_fixed[i])) < 0) {
			group_names_deinit(names);
			return -ENOMEM;
		}
	}
	return 0;
}

void group_names_deinit(struct group_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->name[i]);
	names->n = 0;
}

bool group_is_internal(const struct group_names *names, size_t slot)
{
	switch (slot) {
	case GROUP_MLFID:
	case GROUP_MLFFORGET:
	case GROUP_MLFGAINED:
	case GROUP_NOFAIL:
	case GROUP_CONTENT:
		return true;
	}
	return span_starts(span_of(names->name[slot]), SPAN("skiplines"));
}

void groups_clear(struct groups *g, size_t n)
{
	memset(g->value, 0, n * sizeof(g->value[0]));
}

void groups_overlay(struct groups *g, const struct groups *above, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (above->value[i].p)
			g->value[i] = above->value[i];
	}
}

static bool rule_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* @s without "_12" at its end (or, with @bare, without "12" or "_12"). */
static struct span rule_base_name(struct span s, bool bare)
{
	size_t n = s.n;

	while (n > 0 && rule_is_digit(s.p[n - 1]))
		n--;
	if (n == s.n)
		return s;
	if (n > 0 && s.p[n - 1] == '_')
		n--;
	else if (!bare)
		n = s.n;
	return (struct span){s.p, n};
}

/* The slot that "alt_<name>" or "tuple_<name>" works for. */
static int rule_target(struct group_names *names, struct span name)
{
	if (span_eq(name, SPAN("id")))
		return GROUP_FID;
	if (span_eq(name, SPAN("port")))
		name = SPAN("fport");
	return group_names_add(names, name);
}

/*
 * fail2ban's manual gives the value of <F-ALT_USER1> to <F-USER>, its code to
 * <F-USER1>: here it is for both.
 */
static int rule_add_alt(struct rule *r, struct group_names *names, size_t from)
{
	struct span name = span_skip(span_of(names->name[from]), strlen("alt_"));
	struct span targets[2] = {
	    rule_base_name(name, false), rule_base_name(name, true)};

	for (size_t i = 0; i < 2; i++) {
		int to;

		if (i == 1 && span_eq(targets[0], targets[1]))
			break;
		to = rule_target(names, targets[i]);
		if (to < 0)
			return to;
		r->alts[r->n_alts++] = (struct rule_alt){(uint8_t)from, (uint8_t)to};
	}
	return 0;
}

static int rule_add_tuple(struct rule *r, struct group_names *names, size_t from)
{
	struct span name = span_skip(span_of(names->name[from]), strlen("tuple_"));
	int to = rule_target(names, rule_base_name(name, false));
	struct rule_tuple *t = NULL;

	if (to < 0)
		return to;
	for (size_t i = 0; i < r->n_tuples && !t; i++) {
		if (r->tuples[i].slot == to)
			t = &r->tuples[i];
	}
	if (!t) {
		t = reallocarray(r->tuples, r->n_tuples + 1, sizeof(*t));
		if (!t)
			return -ENOMEM;
		r->tuples = t;
		t = &r->tuples[r->n_tuples++];
		*t = (struct rule_tuple){
		    .slot = (uint8_t)to,
		    .parts = {(uint8_t)to},
		    .n_parts = 1,
		    .text = BUF_INIT(TUPLE_TEXT_MAX),
		};
	}
	t->parts[t->n_parts++] = (uint8_t)from;
	return 0;
}

static int rule_cmp_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Alternates and tuples are taken in the order of their names. */
static int rule_add_complex(struct rule *r, struct group_names *names)
{
	const char *sorted[REGEX_MAX_GROUPS];
	size_t n = 0;

	for (size_t i = 1; i <= regex_n_groups(r->regex); i++) {
		if (regex_group_name(r->regex, i))
			sorted[n++] = regex_group_name(r->regex, i);
	}
	qsort(sorted, n, sizeof(sorted[0]), rule_cmp_names);
	for (size_t i = 0; i < n; i++) {
		struct span name = span_of(sorted[i]);
		int slot = 0;

		if (span_starts(name, SPAN("alt_")) && name.n > strlen("alt_"))
			slot = rule_add_alt(
			    r, names, (size_t)group_names_add(names, name));
		else if (span_starts(name, SPAN("tuple_")) && name.n > strlen("tuple_"))
			slot = rule_add_tuple(
			    r, names, (size_t)group_names_add(names, name));
		if (slot < 0)
			return slot;
	}
	return 0;
}

static int rule_add_groups(struct rule *r, struct group_names *names)
{
	char skip[24];

	for (size_t i = 1; i <= regex_n_groups(r->regex); i++) {
		const char *name = regex_group_name(r->regex, i);
		int slot = name ? group_names_add(names, span_of(name)) : 0;

		if (slot < 0)
			return slot;
		if (!name)
			continue;
		r->named[r->n_named].group = (uint8_t)i;
		r->named[r->n_named++].slot = (uint8_t)slot;
	}
	for (; r->n_skiplines < REGEX_MAX_GROUPS; r->n_skiplines++) {
		(void)snprintf(skip, sizeof(skip), "skiplines%zu", r->n_skiplines);
		r->skiplines[r->n_skiplines] = regex_group_number(r->regex, skip);
		if (r->skiplines[r->n_skiplines] < 0)
			break;
	}
	return rule_add_complex(r, names);
}

static int rule_find_literals(struct rule *r)
{
	struct buf text = BUF_INIT(RULE_TEXT_MAX);
	bool is_ascii;
	int n = rewrite_python(span_of(r->text), &text, &is_ascii, NULL);

	if (n == 0)
		n = literals_of(buf_span(&text), r->cut, &r->literals);
	buf_deinit(&text);
	return n;
}

/* Without its end, where that saves a walk to the end of each line. */
static struct regex *rule_compile(
    struct rule *r, struct span pattern, const struct rule_options *o, struct err *e)
{
	struct buf text = BUF_INIT(RULE_TEXT_MAX);
	struct regex *regex = NULL;

	r->tail = o->is_sieved && !o->multiline ? rule_tail_cut(pattern, &text)
						: RULE_TAIL_KEPT;
	if (o->is_sieved)
		r->text = span_dup(pattern);
	if (r->tail != RULE_TAIL_KEPT && r->text)
		regex = regex_new(
		    buf_span(&text), (struct regex_options){.named_only = true}, NULL);
	buf_deinit(&text);
	if (regex)
		return regex;
	r->tail = RULE_TAIL_KEPT; /* and what is wrong is told of the text as it is */
	return regex_new(pattern, (struct regex_options){o->multiline, true}, e);
}

struct rule *rule_new(const char *regex, const struct rule_options *o,
    struct group_names *names, struct err *e)
{
	CLEANUP(rule_freep) struct rule *r = calloc(1, sizeof(*r));
	struct buf text = BUF_INIT(RULE_TEXT_MAX);
	int n;

	if (!r) {
		(void)err_errno(e, -ENOMEM, "regex");
		return NULL;
	}
	r->names = names;
	r->cut = o->cut;
	if (tags_expand(span_of(regex), o->with_names, &text, e) == 0)
		r->regex = rule_compile(r, buf_span(&text), o, e);
	buf_deinit(&text);
	if (!r->regex)
		return NULL;
	n = rule_add_groups(r, names);
	if (n == -ENOSPC)
		(void)err_set(e, n, "more than %d different groups", GROUPS_MAX);
	else if (n < 0)
		(void)err_errno(e, n, "regex");
	return n < 0 ? NULL : TAKE(r);
}

struct rule *rule_free(struct rule *r)
{
	if (!r)
		return NULL;
	for (size_t i = 0; i < r->n_tuples; i++)
		buf_deinit(&r->tuples[i].text);
	free(r->tuples);
	literal_set_deinit(&r->literals);
	regex_free(r->whole);
	free(r->text);
	regex_free(r->regex);
	free(r);
	return NULL;
}

const struct literal_set *rule_literals(struct rule *r)
{
	if (!r->has_literals && r->text) {
		r->has_literals = true;
		/* Short of memory there are none, and all lines are looked at. */
		(void)rule_find_literals(r);
	}
	return &r->literals;
}

struct regex *rule_regex(struct rule *r)
{
	return r->regex;
}

/* The regex for several lines; groups have the same numbers. NULL: out of memory. */
static struct regex *rule_whole(struct rule *r)
{
	if (!r->is_whole_tried) {
		r->is_whole_tried = true;
		r->whole = regex_new(
		    span_of(r->text), (struct regex_options){.named_only = true}, NULL);
	}
	return r->whole;
}

struct rule_subject_is rule_subject_is(struct span subject)
{
	return (struct rule_subject_is){
	    .ascii = scan_is_ascii(subject),
	    .one_line = !memchr(subject.p, '\n', subject.n - (subject.n > 0)),
	};
}

HOT int rule_search(struct rule *r, struct span subject, struct rule_subject_is is,
    struct regex_match *m)
{
	struct regex *regex = r->regex;

	r->is_open = r->tail != RULE_TAIL_KEPT && is.one_line;
	if (r->tail != RULE_TAIL_KEPT && !r->is_open)
		regex = rule_whole(r);
	return regex ? regex_search_valid(regex, subject, 0, is.ascii, m) : REGEX_LIMIT;
}

uint64_t rule_n_limits(const struct rule *r)
{
	return regex_n_limits(r->regex) + (r->whole ? regex_n_limits(r->whole) : 0);
}

bool rule_has_slot(const struct rule *r, size_t slot)
{
	for (size_t i = 0; i < r->n_named; i++) {
		if (r->named[i].slot == slot)
			return true;
	}
	for (size_t i = 0; i < r->n_alts; i++) {
		if (r->alts[i].to == slot)
			return true;
	}
	return rule_is_tuple(r, slot);
}

bool rule_has_failure_id(const struct rule *r)
{
	static const char *const ids[] = {"fid", "ip4", "ip6", "dns", "mlfid"};

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		if (regex_group_number(r->regex, ids[i]) >= 0)
			return true;
	}
	return false;
}

/* As Python shows a str: 'text', with the odd characters escaped. */
static void rule_add_repr(struct buf *b, struct span s)
{
	char quote = span_index(s, '\'') >= 0 && span_index(s, '"') < 0 ? '"' : '\'';

	buf_add_char(b, quote);
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];

		if (c == (uint8_t)quote || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c == '\t' || c == '\n' || c == '\r')
			buf_add_str(b, c == '\t' ? "\\t" : c == '\n' ? "\\n" : "\\r");
		else if (c < 0x20 || c == 0x7f)
			buf_printf(b, "\\x%02x", c);
		else
			buf_add_char(b, (char)c);
	}
	buf_add_char(b, quote);
}

static void rule_join_tuple(struct rule_tuple *t, struct groups *g)
{
	bool is_any = false;

	buf_clear(&t->text);
	buf_add_char(&t->text, '(');
	for (size_t i = 0; i < t->n_parts; i++) {
		struct span v = g->value[t->parts[i]];

		if (i > 0)
			buf_add_str(&t->text, ", ");
		if (v.p)
			rule_add_repr(&t->text, v);
		else
			buf_add_str(&t->text, "None");
		is_any = is_any || v.p;
	}
	buf_add_char(&t->text, ')');
	if (is_any && !t->text.failed)
		g->value[t->slot] = buf_span(&t->text);
}

static void read_named(
    const struct rule *r, const struct regex_match *m, struct groups *out)
{
	for (size_t i = 0; i < r->n_named; i++)
		(void)regex_match_group(
		    m, r->named[i].group, &out->value[r->named[i].slot]);
	if (r->is_open && r->tail == RULE_TAIL_CONTENT && out->value[GROUP_CONTENT].p) {
		struct span subject = regex_match_subject(m);
		const char *from = out->value[GROUP_CONTENT].p;

		out->value[GROUP_CONTENT] = span_from(from, subject.p + subject.n - 1);
	}
}

void rule_read(struct rule *r, const struct regex_match *m, struct groups *out)
{
	groups_clear(out, r->names->n);
	read_named(r, m, out);
	for (size_t i = 0; i < r->n_alts; i++) {
		struct rule_alt alt = r->alts[i];

		if (groups_has(out, alt.from) && !groups_has(out, alt.to))
			out->value[alt.to] = out->value[alt.from];
	}
	for (size_t i = 0; i < r->n_tuples; i++)
		rule_join_tuple(&r->tuples[i], out);
}

HOT void rule_overlay(struct rule *r, const struct regex_match *m, struct groups *io)
{
	struct groups own;

	/* These ask which groups of this very regex took part. */
	if (r->n_alts || r->n_tuples) {
		rule_read(r, m, &own);
		groups_overlay(io, &own, r->names->n);
	} else {
		read_named(r, m, io);
	}
}

size_t rule_slots(const struct rule *r, uint8_t out[GROUPS_MAX])
{
	for (size_t i = 0; i < r->n_named; i++)
		out[i] = r->named[i].slot;
	return r->n_named;
}

bool rule_is_tuple(const struct rule *r, size_t slot)
{
	for (size_t i = 0; i < r->n_tuples; i++) {
		if (r->tuples[i].slot == slot)
			return true;
	}
	return false;
}

bool rule_skipped(
    const struct rule *r, const struct regex_match *m, size_t i, struct span *out)
{
	if (i >= r->n_skiplines)
		return false;
	if (!regex_match_group(m, (size_t)r->skiplines[i], out))
		*out = (struct span){"", 0};
	return true;
}
