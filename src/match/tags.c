/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * tags - the expansions are an interface: failregexes in the field count on the names
 * of the groups and on which text they take
 */

#include "match/tags.h"

#include <errno.h>

#define TAGS_OPEN_MAX 64 /* more groups than that no regex may have anyway */

#define IP4_TEXT "(?:\\d{1,3}\\.){3}\\d{1,3}"
#define IP6_TEXT "(?:[0-9a-fA-F]{1,4}::?|:){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):)"
#define IP4 "(?:::f{4,6}:)?(?P<ip4>" IP4_TEXT ")"
#define IP6 "(?P<ip6>" IP6_TEXT ")"
#define DNS "(?P<dns>[\\w\\-.^_]*\\w)"
#define ADDR "\\[?(?:" IP4 "|" IP6 ")\\]?"
#define CIDR "(?P<cidr>\\d+)"
#define SUBNET "\\[?(?:" IP4 "|" IP6 ")(?:/" CIDR ")?\\]?"

static const struct {
	const char *tag, *expansion;
} tags_known[] = {
    {"IP4", IP4},
    {"F-IP4/", IP4},
    {"IP6", IP6},
    {"F-IP6/", IP6},
    {"DNS", DNS},
    {"F-DNS/", DNS},
    {"ADDR", ADDR},
    {"F-ADDR/", ADDR},
    {"CIDR", CIDR},
    {"F-CIDR/", CIDR},
    {"SUBNET", SUBNET},
    {"F-SUBNET/", SUBNET},
    {"F-ID/", "(?P<fid>\\S+)"},
    {"F-PORT/", "(?P<fport>\\w+)"},
};

struct tags {
	struct buf *out;
	bool with_names;
	unsigned int n_skiplines;
	struct span open[TAGS_OPEN_MAX]; /* names of <F-...> seen so far */
	size_t n_open;
};

static bool tags_is_upper(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool tags_is_name(char c)
{
	return tags_is_upper(c) || (c >= 'a' && c <= 'z');
}

/* Length of the tag at the front of @s, with its brackets; 0: none. */
static size_t tags_len(struct span s)
{
	size_t i = 1, from;

	if (s.n > i && s.p[i] == '/')
		i++;
	from = i;
	while (i < s.n && tags_is_name(s.p[i]))
		i++;
	if (i == from)
		return 0;
	if (i < s.n && s.p[i] == '/')
		i++;
	return i < s.n && s.p[i] == '>' ? i + 1 : 0;
}

static bool tags_was_opened(const struct tags *t, struct span name)
{
	for (size_t i = 0; i < t->n_open; i++) {
		if (span_eq(t->open[i], name))
			return true;
	}
	return false;
}

static void tags_add_group(struct tags *t, struct span name)
{
	buf_add_str(t->out, "(?P<");
	if (span_eq(name, SPAN("ID"))) {
		buf_add_str(t->out, "fid");
	} else if (span_eq(name, SPAN("PORT"))) {
		buf_add_str(t->out, "fport");
	} else {
		for (size_t i = 0; i < name.n; i++) {
			char c = name.p[i];

			buf_add_char(
			    t->out, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
		}
	}
	buf_add_char(t->out, '>');
}

/* <F-NAME> and </F-NAME>; true when it was one of them. */
static bool tags_custom(struct tags *t, struct span tag)
{
	bool is_end = tag.p[0] == '/';
	struct span name = span_skip(tag, is_end ? 3 : 2);

	if (!span_starts(tag, is_end ? SPAN("/F-") : SPAN("F-")) || name.n == 0)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		if (!tags_is_upper(name.p[i]))
			return false;
	}
	if (is_end) {
		if (!tags_was_opened(t, name))
			return false;
		buf_add_char(t->out, ')');
		return true;
	}
	if (t->n_open < TAGS_OPEN_MAX)
		t->open[t->n_open++] = name;
	tags_add_group(t, name);
	return true;
}

/* @tag is without its brackets. Return: false when it is not known. */
static bool tags_replace(struct tags *t, struct span tag)
{
	if (span_eq(tag, SPAN("HOST"))) {
		buf_add_str(t->out, t->with_names ? "(?:" ADDR "|" DNS ")" : ADDR);
		return true;
	}
	if (span_eq(tag, SPAN("SKIPLINES"))) {
		buf_printf(
		    t->out, "\\n(?P<skiplines%u>(?:(?:.*\\n)*?))", t->n_skiplines++);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(tags_known); i++) {
		if (span_eq(tag, span_of(tags_known[i].tag))) {
			buf_add_str(t->out, tags_known[i].expansion);
			return true;
		}
	}
	return tags_custom(t, tag);
}

static void tags_replace_all(struct tags *t, struct span s)
{
	while (s.n > 0) {
		ptrdiff_t at = span_index(s, '<');
		size_t before = at < 0 ? s.n : (size_t)at;
		size_t n;

		buf_add(t->out, s.p, before);
		s = span_skip(s, before);
		if (s.n == 0)
			break;
		n = tags_len(s);
		if (n == 0 || !tags_replace(t, (struct span){s.p + 1, n - 2})) {
			n = n ? n : 1;
			buf_add(t->out, s.p, n);
		}
		s = span_skip(s, n);
	}
}

/* Length of "((?i)" or "(?:(?i)" at the front of @s and the span of "(?i"; 0: none. */
static size_t tags_flags_len(struct span s, struct span *flags)
{
	size_t from = span_starts(s, SPAN("(?:")) ? 3 : 1;
	size_t i = from + 2;

	if (!span_starts(s, SPAN("(")) || !span_starts(span_skip(s, from), SPAN("(?")))
		return 0;
	while (i < s.n && s.p[i] >= 'a' && s.p[i] <= 'z')
		i++;
	if (i == from + 2 || i >= s.n || s.p[i] != ')')
		return 0;
	*flags = (struct span){s.p + from, i - from};
	return i + 1;
}

static void tags_localize_flags(struct span s, struct buf *out)
{
	bool is_escaped = false;
	struct span flags;

	while (s.n > 0) {
		size_t n = is_escaped ? 0 : tags_flags_len(s, &flags);

		if (n > 0) {
			buf_add_span(out, flags);
			buf_add_char(out, ':');
		} else {
			n = 1;
			buf_add(out, s.p, n);
		}
		is_escaped = s.p[0] == '\\';
		s = span_skip(s, n);
	}
}

int tags_expand(struct span regex, bool with_names, struct buf *out, struct err *e)
{
	struct buf expanded = BUF_INIT(out->cap);
	struct tags t = {.out = &expanded, .with_names = with_names};
	bool is_empty, is_too_long;

	tags_replace_all(&t, regex);
	tags_localize_flags(buf_span(&expanded), out);
	is_empty = span_trim(buf_span(&expanded)).n == 0;
	is_too_long = expanded.failed || out->failed;
	buf_deinit(&expanded);
	if (is_too_long)
		return err_set(e, -EINVAL, "longer than %zu bytes", out->cap);
	if (is_empty)
		return err_set(e, -EINVAL, "an empty regex");
	return 0;
}
