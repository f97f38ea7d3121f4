/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_literals - no match without a literal
 *
 * The input is a pattern up to the first empty line (or the first line, when there is
 * none), then the subject. Where PCRE2 finds a match, one of the pattern's literals
 * must be in the subject, and on one side of each place where a date may have been cut
 * out.
 */

#include <assert.h>
#include <ctype.h>

#include "fuzz.h"
#include "match/literals.h"
#include "match/regex.h"
#include "match/rewrite.h"
#include "match/tags.h"

/* A long pattern with nested counts takes PCRE2 long to compile: not our matter. */
#define PATTERN_BYTES_MAX 600
#define SUBJECT_BYTES_MAX 2000

/* Where the first literal ends and the last one begins. */
struct seen {
	size_t first_end, last_start;
	bool is_any;
};

static bool is_at(const struct literal *l, struct span s, size_t i)
{
	struct span text = {l->text, l->n}, at = {s.p + i, l->n};

	return l->is_nocase ? span_eq_nocase(at, text) : span_eq(at, text);
}

static struct seen look(const struct literal_set *set, struct span s)
{
	struct seen seen = {.first_end = SIZE_MAX};

	for (size_t k = 0; k < set->n; k++) {
		const struct literal *l = &set->items[k];

		for (size_t i = 0; i + l->n <= s.n; i++) {
			if (!is_at(l, s, i))
				continue;
			if (i + l->n < seen.first_end)
				seen.first_end = i + l->n;
			if (i > seen.last_start)
				seen.last_start = i;
			seen.is_any = true;
		}
	}
	return seen;
}

static bool is_word(char c)
{
	return (uint8_t)c < 0x80 && (isalnum(c) || c == '_');
}

static bool is_place(enum literals_cut cut, struct span s, size_t i)
{
	if (cut == LITERALS_CUT_ANY)
		return true;
	return cut == LITERALS_CUT_WORDS && (i == 0 || !is_word(s.p[i - 1])) &&
	       (i == s.n || !is_word(s.p[i]));
}

static void check_match(
    const struct literal_set *set, enum literals_cut cut, struct span s)
{
	struct seen seen = look(set, s);

	if (set->n == 0)
		return;
	assert(seen.is_any);
	for (size_t i = 0; i <= s.n; i++)
		assert(!is_place(cut, s, i) || seen.first_end <= i ||
		       seen.last_start >= i);
}

static void check_set(const struct literal_set *set)
{
	assert(set->n <= LITERALS_MAX && set->cost > 0 && set->cost <= 1);
	assert(set->n > 0 || set->cost == 1);
	for (size_t k = 0; k < set->n; k++) {
		const struct literal *l = &set->items[k];
		bool has_letter = false;

		assert(l->n >= LITERAL_BYTES_MIN && l->n <= LITERAL_BYTES_MAX);
		for (size_t i = 0; i < l->n; i++) {
			char c = l->text[i];

			assert(
			    (uint8_t)c < 0x80 && c != '\0' && c != '\n' && c != '\r');
			assert(!l->is_nocase || !isupper(c));
			has_letter |= isalpha(c) != 0;
		}
		assert(!l->is_nocase || has_letter);
	}
}

static void check(struct span pattern, struct span text, struct span subject)
{
	CLEANUP(regex_match_freep) struct regex_match *m = regex_match_new();
	bool has_match = false;
	struct err e;

	assert(m);
	regex_match_set_limits(m, 5000, 200, 64);
	for (int multiline = 0; multiline < 2; multiline++) {
		CLEANUP(regex_freep)
		struct regex *r =
		    regex_new(pattern, (struct regex_options){multiline == 1}, &e);

		has_match |= r && regex_search(r, subject, 0, m) == 0;
	}
	for (enum literals_cut cut = 0; cut <= LITERALS_CUT_ANY; cut++) {
		struct literal_set set;

		assert(literals_of(text, cut, &set) == 0);
		check_set(&set);
		if (has_match)
			check_match(&set, cut, subject);
		literal_set_deinit(&set);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span in = {(const char *)bytes, n};
	ptrdiff_t end = span_find(in, SPAN("\n\n")), n_between = 2;
	struct buf pattern = BUF_INIT(8 * PATTERN_BYTES_MAX);
	struct buf text = BUF_INIT(16 * PATTERN_BYTES_MAX);
	bool is_ascii;
	struct err e;

	if (end < 0) {
		end = span_index(in, '\n');
		n_between = 1;
	}
	if (end < 0 || end > PATTERN_BYTES_MAX || n > SUBJECT_BYTES_MAX)
		return 0;
	if (tags_expand((struct span){in.p, (size_t)end}, true, &pattern, &e) == 0 &&
	    rewrite_python(buf_span(&pattern), &text, &is_ascii, &e) == 0)
		check(buf_span(&pattern), buf_span(&text),
		    span_skip(in, (size_t)(end + n_between)));
	buf_deinit(&pattern);
	buf_deinit(&text);
	return 0;
}
