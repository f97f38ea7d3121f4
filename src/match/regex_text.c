/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/regex_text.h"

size_t regex_text_skip_class(struct span s, size_t i)
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

bool regex_text_is_closed(struct span s)
{
	size_t depth = 0, i = 0;

	while (i < s.n) {
		char c = s.p[i];

		if (c == '[') {
			i = regex_text_skip_class(s, i);
			continue;
		}
		if (c == '|' && depth == 0)
			return false;
		depth += c == '(';
		if (c == ')' && depth-- == 0)
			return false;
		i += c == '\\' ? 2 : 1;
	}
	return depth == 0 && i == s.n;
}
