/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * regex - PCRE2 behind a few functions, with limits
 *
 * Python's dialect as far as fail2ban's filters use it: UTF and UCP, '\n' the only
 * newline. `{,n}`, `\Z`, `(?iu)` and `\uXXXX` are rewritten before compiling
 * (rewrite.h); \C and (*VERB) are refused. A byte of the subject that is not UTF-8
 * counts as one odd character, neither blank nor part of a word. A match that runs into
 * a limit counts as no match, and is counted.
 */

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

#define REGEX_MATCH_LIMIT 200000
#define REGEX_DEPTH_LIMIT 20000
#define REGEX_HEAP_LIMIT_KIB 8192
#define REGEX_MAX_GROUPS 64

struct regex;
struct regex_match; /* where the groups are; reused from call to call */

enum {
	REGEX_MISS = 1,
	REGEX_LIMIT, /* gave up; to be treated as a miss */
};

struct regex_options {
	bool multiline;  /* ^ and $ also match at line ends inside the subject */
	bool named_only; /* other groups are not asked for: they may have no number */
};

/**
 * regex_new()
 * @pattern: Python syntax, fail2ban's tags already expanded
 *
 * Return: NULL with @e: what PCRE2 says and at which offset of the pattern.
 */
struct regex *regex_new(struct span pattern, struct regex_options o, struct err *e);
struct regex *regex_free(struct regex *r);
DEFINE_CLEANUP(struct regex *, regex_free)

struct regex_match *regex_match_new(void);
struct regex_match *regex_match_free(struct regex_match *m);
DEFINE_CLEANUP(struct regex_match *, regex_match_free)

/* Other limits than the ones above, which a new one has. */
void regex_match_set_limits(
    struct regex_match *m, uint32_t n_matches, uint32_t depth, uint32_t heap_kib);

/**
 * regex_search() - the leftmost match at or behind @start
 *
 * @subject is seen from its beginning by ^, \b and look-behind, and ends at subject.n.
 *
 * Return: 0, REGEX_MISS, REGEX_LIMIT. Never negative.
 */
int regex_search(
    struct regex *r, struct span subject, size_t start, struct regex_match *m);

/*
 * The same for a @subject known to be valid UTF-8, with @start at a character: saves
 * looking at it again. Anything else here is undefined behaviour. One that is known to
 * be ASCII (@is_ascii; it is up to the caller to look) is searched twice as fast.
 */
int regex_search_valid(struct regex *r, struct span subject, size_t start,
    bool is_ascii, struct regex_match *m);

size_t regex_n_groups(const struct regex *r); /* without the whole match */
const char *regex_group_name(const struct regex *r, size_t group); /* NULL: unnamed */
int regex_group_number(const struct regex *r, const char *name);   /* -1: none */
uint64_t regex_n_limits(const struct regex *r);

/* Text of a group (0: the whole match); false if it took no part. Points into the
   subject. Only after a search that returned 0. */
struct span regex_match_subject(const struct regex_match *m);
bool regex_match_group(const struct regex_match *m, size_t group, struct span *out);
