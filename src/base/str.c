/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * str - looking at, cutting and copying spans
 *
 * Everything here is ASCII-only on purpose: the meaning of a log line must not depend
 * on the locale the daemon was started in.
 */

#include "base/str.h"

#include <errno.h>
#include <stdlib.h>

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool span_eq_nocase(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool span_starts(struct span s, struct span prefix)
{
	return s.n >= prefix.n && span_eq((struct span){s.p, prefix.n}, prefix);
}

bool span_ends(struct span s, struct span suffix)
{
	return s.n >= suffix.n && span_eq(span_skip(s, s.n - suffix.n), suffix);
}

struct span span_trim(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

ptrdiff_t span_index(struct span s, char c)
{
	const char *hit = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

	return hit ? hit - s.p : -1;
}

ptrdiff_t span_find(struct span s, struct span needle)
{
	const char *hit;

	if (needle.n == 0)
		return 0;
	if (needle.n > s.n)
		return -1;
	hit = memmem(s.p, s.n, needle.p, needle.n);
	return hit ? hit - s.p : -1;
}

/* strchr() would take the NUL of a foreign text for the end of @seps. */
static bool is_separator(char c, const char *seps)
{
	return is_blank(c) || (c != '\0' && strchr(seps, c));
}

bool span_next_word(struct span *rest, const char *seps, struct span *out)
{
	struct span s = *rest;
	size_t n = 0;

	while (s.n > 0 && is_separator(s.p[0], seps))
		s = span_skip(s, 1);
	while (n < s.n && !is_separator(s.p[n], seps))
		n++;
	*rest = span_skip(s, n);
	if (n == 0)
		return false;
	*out = (struct span){s.p, n};
	return true;
}

bool span_next_line(struct span *rest, struct span *out)
{
	struct span s = *rest;
	ptrdiff_t end;

	if (s.n == 0)
		return false;
	end = span_index(s, '\n');
	if (end < 0) {
		*out = s;
		*rest = span_skip(s, s.n);
		return true;
	}
	*rest = span_skip(s, (size_t)end + 1);
	if (end > 0 && s.p[end - 1] == '\r')
		end--;
	*out = (struct span){s.p, (size_t)end};
	return true;
}

bool span_next_whole_line(struct span *rest, struct span *out)
{
	ptrdiff_t end = span_index(*rest, '\n');

	if (rest->n == 0)
		return false;
	*out = (struct span){rest->p, end < 0 ? rest->n : (size_t)end + 1};
	*rest = span_skip(*rest, out->n);
	return true;
}

int span_to_i64(struct span s, int64_t *out)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	uint64_t v = 0;
	bool fits = true;

	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
		s = span_skip(s, 1);
	if (s.n == 0)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		unsigned int digit = (unsigned int)(unsigned char)s.p[i] - '0';

		if (digit > 9)
			return -EINVAL;
		if (v > (limit - digit) / 10)
			fits = false;
		if (fits)
			v = v * 10 + digit;
	}
	if (!fits)
		return -ERANGE;
	*out = negative ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

char *span_dup(struct span s)
{
	char *copy = s.n < SIZE_MAX ? malloc(s.n + 1) : NULL;

	if (!copy)
		return NULL;
	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

/* The well-formed sequences of Unicode 15, table 3-7: no overlong, no surrogate. */
size_t span_utf8_len(struct span s)
{
	unsigned char c[4] = {0};
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (s.n == 0)
		return 0;
	memcpy(c, s.p, s.n < 4 ? s.n : 4);
	if (c[0] < 0x80)
		return 1;
	if (c[0] < 0xc2 || c[0] > 0xf4)
		return 0;
	n = c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
	if (s.n < n)
		return 0;
	if (c[0] == 0xe0)
		low = 0xa0;
	else if (c[0] == 0xed)
		high = 0x9f;
	else if (c[0] == 0xf0)
		low = 0x90;
	else if (c[0] == 0xf4)
		high = 0x8f;
	if (c[1] < low || c[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return n;
}
