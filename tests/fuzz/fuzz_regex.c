/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_regex - any pattern over any subject, under tiny limits
 *
 * The input is the pattern up to the first newline, then the subject. It goes the way
 * of a failregex: tags, Python's spelling, compiling, searching.
 */

#include <assert.h>

#include "base/scan.h"
#include "fuzz.h"
#include "match/regex.h"
#include "match/rule.h"
#include "match/utf8.h"

/* A long pattern with nested counts takes PCRE2 long to compile: not our matter. */
#define PATTERN_BYTES_MAX 300

static void check_groups(struct rule *r, struct regex_match *m, struct span subject)
{
	struct span got;

	for (size_t i = 0; i <= regex_n_groups(rule_regex(r)); i++) {
		if (!regex_match_group(m, i, &got))
			continue;
		assert(got.p >= subject.p && got.p + got.n <= subject.p + subject.n);
		assert(!utf8_is_valid(subject) || utf8_is_valid(got));
	}
}

/* In ASCII the byte by byte search finds the very same. */
static void check_ascii(
    struct rule *r, struct regex_match *m, struct span subject, size_t start, int found)
{
	CLEANUP(regex_match_freep) struct regex_match *other = regex_match_new();
	struct span a, b;

	assert(other);
	regex_match_set_limits(other, 1000, 100, 64);
	int again = regex_search_valid(rule_regex(r), subject, start, true, other);

	if (found == REGEX_LIMIT || again == REGEX_LIMIT)
		return;
	assert(found == again);
	for (size_t i = 0; found == 0 && i <= regex_n_groups(rule_regex(r)); i++) {
		bool has_a = regex_match_group(m, i, &a);

		assert(has_a == regex_match_group(other, i, &b));
		assert(!has_a || (a.p == b.p && a.n == b.n));
	}
}

static void search(struct rule *r, struct span subject, const struct group_names *names)
{
	CLEANUP(regex_match_freep) struct regex_match *m = regex_match_new();
	struct groups g;

	assert(m);
	regex_match_set_limits(m, 1000, 100, 64);
	for (size_t start = 0; start <= subject.n + 1; start += 1 + start) {
		uint64_t n_limits = regex_n_limits(rule_regex(r));
		int found = regex_search(rule_regex(r), subject, start, m);

		assert(found == 0 || found == REGEX_MISS || found == REGEX_LIMIT);
		assert((found == REGEX_LIMIT) ==
		       (regex_n_limits(rule_regex(r)) == n_limits + 1));
		if (scan_is_ascii(subject) && start <= subject.n)
			check_ascii(r, m, subject, start, found);
		if (found != 0)
			continue;
		check_groups(r, m, subject);
		rule_read(r, m, &g);
		for (size_t i = 0; i < names->n; i++)
			assert(g.value[i].p || g.value[i].n == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span in = {(const char *)bytes, n};
	ptrdiff_t end = span_index(in, '\n');
	CLEANUP(group_names_deinit) struct group_names names = {0};
	CLEANUP(freep) char *pattern = NULL;
	struct err e = {""};

	if (end < 0 || end > PATTERN_BYTES_MAX)
		return 0;
	pattern = span_dup((struct span){in.p, (size_t)end});
	assert(pattern && group_names_init(&names) == 0);
	for (int i = 0; i < 2; i++) {
		CLEANUP(rule_freep)
		struct rule *r = rule_new(pattern,
		    &(struct rule_options){.with_names = i == 0, .multiline = i == 1},
		    &names, &e);

		if (r)
			search(r, span_skip(in, (size_t)end + 1), &names);
		else
			assert(e.text[0]);
	}
	return 0;
}
