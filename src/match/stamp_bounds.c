/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stamp_bounds - looks at both ends of a regex, without parsing it
 *
 * fail2ban decides by a few regexes over the regex, and users depend on what those see:
 * `(^` counts as anchored, `((?:^` does too, `[(]` counts as a group. So nothing
 * cleverer is done here either. "Flags" are (?i) and the like.
 */

#include "match/stamp_bounds.h"

#define WORD_BEGIN "(?=^|\\b|\\W)"
#define NOT_BEHIND_WORD "(?<![0-9A-Za-z_])"
#define WORD_END "(?=\\b|\\W|$)"
#define LINE_BEGIN "^(?:\\W{0,2})?"

static bool is_flag_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Length of "(?letters)" at the start of @s, or 0. */
static size_t flags_len(struct span s)
{
	size_t n = 2;

	if (!span_starts(s, SPAN("(?")))
		return 0;
	while (n < s.n && is_flag_char(s.p[n]))
		n++;
	return n > 2 && n < s.n && s.p[n] == ')' ? n + 1 : 0;
}

static struct span find_flags(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		size_t n = flags_len(span_skip(s, i));

		if (n)
			return (struct span){s.p + i, n};
	}
	return (struct span){s.p, 0};
}

static size_t parens_len(struct span s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] == '(')
		n++;
	return n;
}

static bool starts_bounded(struct span s)
{
	return span_starts(s, SPAN("^")) || span_starts(s, SPAN("(^")) ||
	       span_starts(s, SPAN("(?:^")) ||
	       span_starts(span_skip(s, parens_len(s)), SPAN("**"));
}

static bool has_own_begin(struct span s)
{
	size_t n_parens = parens_len(s);

	for (size_t i = 0; i <= n_parens; i++) {
		struct span rest = span_skip(s, i);

		if (starts_bounded(rest) ||
		    starts_bounded(span_skip(rest, flags_len(rest))))
			return true;
	}
	return false;
}

/* Does @s end with @tail, and is the byte before that none of @not_after? */
static bool ends_after(struct span s, struct span tail, const char *not_after)
{
	if (!span_ends(s, tail))
		return false;
	return s.n == tail.n || !strchr(not_after, s.p[s.n - tail.n - 1]);
}

/* @s without the `)` that end it. */
static struct span before_parens(struct span s)
{
	while (s.n > 0 && s.p[s.n - 1] == ')')
		s.n--;
	return s;
}

static bool has_own_end(struct span s)
{
	return ends_after(s, SPAN("$"), "\\") || ends_after(s, SPAN("$)"), "\\") ||
	       ends_after(s, SPAN("\\b"), "\\") || ends_after(s, SPAN("\\s"), "\\") ||
	       ends_after(before_parens(s), SPAN("**"), "\\");
}

static bool has_group(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		struct span before = {s.p, i};

		if (s.p[i] != '(' || span_starts(span_skip(s, i + 1), SPAN("?")))
			continue;
		if (!span_ends(before, SPAN("\\")) && !span_ends(before, SPAN("(?")))
			return true;
	}
	return false;
}

/* All of @s as a group, but for flags and ^ at its start and $ at its end. */
static void add_as_group(struct buf *b, struct span s)
{
	size_t head = flags_len(s);
	bool has_tail = ends_after(s, SPAN("$"), "\\");

	if (head < s.n && s.p[head] == '^')
		head++;
	head += flags_len(span_skip(s, head));
	if (head == s.n)
		has_tail = false;
	buf_add(b, s.p, head);
	buf_add_char(b, '(');
	buf_add(b, s.p + head, s.n - head - has_tail);
	buf_add_char(b, ')');
	if (has_tail)
		buf_add_char(b, '$');
}

static bool is_at_line_begin(struct span s)
{
	s = span_skip(s, flags_len(s));
	if (span_starts(s, SPAN("^")))
		return true;
	if (!span_starts(s, SPAN("(^")) && !span_starts(s, SPAN("(?:^")))
		return false;
	return !span_starts(s, SPAN("(^|")) && !span_starts(s, SPAN("(?:^|"));
}

static bool is_at_line_end(struct span s)
{
	return ends_after(s, SPAN("$"), "\\|") || ends_after(s, SPAN("$)"), "\\|");
}

/* @s into @b, without the `**` at either end that only said "no boundary". */
static void add_without_stars(struct buf *b, struct span s)
{
	struct span body = before_parens(s);
	size_t head = parens_len(s), flags;

	/* The last of the parentheses may be that of flags. */
	flags = head > 0 ? flags_len(span_skip(s, head - 1)) : 0;
	if (flags)
		head += flags - 1;
	head += parens_len(span_skip(s, head));
	if (span_starts(span_skip(s, head), SPAN("**"))) {
		buf_add(b, s.p, head);
		head += 2;
	} else {
		head = 0;
	}
	if (ends_after(body, SPAN("**"), "\\") && body.n >= head + 2) {
		buf_add(b, s.p + head, body.n - 2 - head);
		head = body.n;
	}
	buf_add_span(b, span_skip(s, head));
}

struct stamp_bounded stamp_bounds_add(
    struct span regex, const struct stamp_bounds *bounds, struct buf *out)
{
	struct buf bare = BUF_INIT(out->cap), full = BUF_INIT(out->cap);
	struct stamp_bounded r = {false};
	struct span flags;

	/* The first flags go to the very front, where they mean all of the regex. */
	flags = find_flags(regex);
	buf_add(&bare, regex.p, (size_t)(flags.p - regex.p));
	buf_add_span(&bare, span_from(flags.p + flags.n, regex.p + regex.n));
	regex = buf_span(&bare);
	r.took_begin = bounds->begin != STAMP_BEGIN_FREE && !has_own_begin(regex);
	if (r.took_begin && bounds->begin == STAMP_BEGIN_LINE) {
		buf_add_str(&full, LINE_BEGIN);
	} else if (r.took_begin) {
		stamp_first_add(&bounds->first, &full);
		if (stamp_first_kind(&bounds->first) == STAMP_FIRST_LOOSE)
			buf_add_str(&full, NOT_BEHIND_WORD);
		buf_add_str(&full, WORD_BEGIN);
	}
	r.has_groups = has_group(regex);
	if (r.has_groups)
		buf_add_span(&full, regex);
	else
		add_as_group(&full, regex);
	r.took_end = !bounds->is_free_end && !has_own_end(regex);
	if (r.took_end)
		buf_add_str(&full, WORD_END);
	r.is_at_begin = is_at_line_begin(buf_span(&full));
	r.is_anchored = r.is_at_begin || is_at_line_end(buf_span(&full));
	buf_add_span(out, flags);
	add_without_stars(out, buf_span(&full));
	out->failed |= bare.failed || full.failed;
	buf_deinit(&bare);
	buf_deinit(&full);
	return r;
}

static bool strip(struct span *s, struct span prefix)
{
	if (!span_starts(*s, prefix))
		return false;
	*s = span_skip(*s, prefix.n);
	return true;
}

struct span stamp_bounds_strip(struct span pattern)
{
	(void)strip(&pattern, SPAN("{UNB}"));
	(void)strip(&pattern, SPAN("{^LN-BEG}"));
	if (!strip(&pattern, SPAN("(^|\\b|\\W)")))
		(void)strip(&pattern, SPAN("(?:^|\\b|\\W)"));
	if (span_ends(pattern, SPAN(WORD_END)))
		pattern.n -= sizeof(WORD_END) - 1;
	return pattern;
}
