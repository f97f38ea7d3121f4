/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * rule_tail - an end is one only outside of groups, classes and alternatives
 */

#include "match/rule_tail.h"

#define TAIL_ANY ".*$"
#define TAIL_CONTENT "(?P<content>.+)$"

/* Index behind the class that begins at @i. */
static size_t skip_class(struct span s, size_t i)
{
	i++;
	if (i < s.n && s.p[i] == '^')
		i++;
	if (i < s.n && s.p[i] == ']')
		i++;
	while (i < s.n && s.p[i] != ']')
		i += s.p[i] == '\\' ? 2 : 1;
	return i + 1;
}

/* Flags that change what "." and "$" mean, or how a pattern is read. */
static bool has_odd_flags(struct span s)
{
	for (size_t i = 0; i + 1 < s.n; i++) {
		if (s.p[i] == '\\' && (s.p[i + 1] == 'Q' || s.p[i + 1] == 'K'))
			return true;
		if (s.p[i] != '(' || s.p[i + 1] != '?')
			continue;
		for (i += 2; i < s.n && s.p[i] != ':' && s.p[i] != ')'; i++) {
			if (strchr("smx#|", s.p[i]))
				return true;
			if (strchr("P<=!>('", s.p[i]))
				break;
		}
	}
	return false;
}

/* Do the first @n bytes of @s leave nothing open, and is there no `|` outside? */
static bool is_closed(struct span s, size_t n)
{
	size_t depth = 0, i = 0;

	while (i < n) {
		char c = s.p[i];

		if (c == '[') {
			i = skip_class(s, i);
			continue;
		}
		if (c == '|' && depth == 0)
			return false;
		depth += c == '(';
		if (c == ')' && depth-- == 0)
			return false;
		i += c == '\\' ? 2 : 1;
	}
	return depth == 0 && i == n;
}

enum rule_tail rule_tail_cut(struct span pattern, struct buf *out)
{
	bool is_content = span_ends(pattern, SPAN(TAIL_CONTENT));
	size_t n;

	if (!is_content && !span_ends(pattern, SPAN(TAIL_ANY)))
		return RULE_TAIL_KEPT;
	n = pattern.n - (is_content ? sizeof(TAIL_CONTENT) - 1 : sizeof(TAIL_ANY) - 1);
	if (!is_closed(pattern, n) || has_odd_flags(pattern))
		return RULE_TAIL_KEPT;
	buf_add(out, pattern.p, n);
	if (is_content)
		buf_add_str(out, "(?P<content>(?=.))");
	return is_content ? RULE_TAIL_CONTENT : RULE_TAIL_CUT;
}
