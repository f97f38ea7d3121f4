/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * rule_tail - an end is one only outside of groups, classes and alternatives
 */

#include "match/rule_tail.h"

#include "match/regex_text.h"

#define TAIL_ANY ".*$"
#define TAIL_CONTENT "(?P<content>.+)$"

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

enum rule_tail rule_tail_cut(struct span pattern, struct buf *out)
{
	bool is_content = span_ends(pattern, SPAN(TAIL_CONTENT));
	size_t n;

	if (!is_content && !span_ends(pattern, SPAN(TAIL_ANY)))
		return RULE_TAIL_KEPT;
	n = pattern.n - (is_content ? sizeof(TAIL_CONTENT) - 1 : sizeof(TAIL_ANY) - 1);
	if (!regex_text_is_closed((struct span){pattern.p, n}) ||
	    has_odd_flags(pattern))
		return RULE_TAIL_KEPT;
	buf_add(out, pattern.p, n);
	if (is_content)
		buf_add_str(out, "(?P<content>(?=.))");
	return is_content ? RULE_TAIL_CONTENT : RULE_TAIL_CUT;
}
