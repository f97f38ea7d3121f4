/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_filter - any lines through filters of the usual shapes
 *
 * The first byte picks the filter, the rest are lines. What comes out must be text that
 * can be shown: valid UTF-8, whatever went in.
 */

#include <assert.h>

#include "fuzz.h"
#include "match/filter.h"
#include "match/utf8.h"

static const char *const plain[] = {
    "^login failed for <F-USER>.*?</F-USER> from <HOST>(?: port <F-PORT/>)?$",
    "^reject(?:ed)?: .*?\\[<ADDR>\\]: \\d{3} (?:<F-ID>\\w+</F-ID>|no)",
};
static const char *const session[] = {
    "^<F-NOFAIL>connect</F-NOFAIL> from <HOST>$",
    "^auth failed for <F-USER>\\S+</F-USER>(?: or <F-ALT_USER_1>\\S+</F-ALT_USER_1>)?$",
    "^<F-MLFGAINED>welcome <F-USER>\\S+</F-USER></F-MLFGAINED>$",
    "^<F-NOFAIL><F-MLFFORGET>bye</F-MLFFORGET></F-NOFAIL>",
};
static const char *const several[] = {
    "^\\[(\\d+)\\] peer <HOST>$<SKIPLINES>^\\[\\1\\] auth failed$",
    "^\\[\\d+\\] alone <F-ID/>",
};
static const char *const subnet[] = {
    "net <SUBNET>",
    "pair <F-ID>\\w</F-ID> <F-TUPLE_ID>\\S+</F-TUPLE_ID>",
    "(?iu)^name <DNS>\\Z",
};
static const struct filter_rule rules[] = {
    {.name = "c", .bind = "qid", .regex = "^c <F-QID>\\S*</F-QID> <HOST>$"},
    {.name = "s",
	.via = "qid",
	.distinct = "rcpt",
	.regex = "^s <F-QID>\\S*</F-QID> <F-RCPT>.*</F-RCPT>$"},
    {.name = "p",
	.via = "pid",
	.bind = "qid",
	.regex = "^p <F-PID>\\S*</F-PID> <F-QID>\\S*</F-QID>(?: <ADDR>)?"},
};
static const char *const ignored[] = {"user nagios", "^spare"};

#define REGEXES(list) .failregex = (list), .n_failregex = ARRAY_LEN(list)

static const struct filter_options filters[] = {
    {REGEXES(plain)},
    {REGEXES(plain), .no_date = true, .ignoreregex = ignored, .n_ignoreregex = 2,
	.prefregex = "^\\S+ app\\[\\d+\\]: <F-CONTENT>.+</F-CONTENT>$"},
    {REGEXES(session), .no_date = true,
	.prefregex = "^<F-MLFID>\\w+</F-MLFID>: <F-CONTENT>.+</F-CONTENT>$"},
    {REGEXES(several), .no_date = true, .maxlines = 4, .ignoreregex = ignored,
	.n_ignoreregex = 2},
    {REGEXES(subnet), .no_date = true, .usedns = FILTER_DNS_NO},
    {REGEXES(plain), .rules = rules, .n_rules = ARRAY_LEN(rules)},
};

static void check(struct filter *f, int outcome, const struct filter_failure *x)
{
	const struct filter_field *fields;
	size_t n;

	assert(outcome >= FILTER_MISS && outcome <= FILTER_LIMIT);
	if (outcome != FILTER_FAILURE && outcome != FILTER_NO_ADDRESS)
		return;
	assert(x->rule < filter_n_rules(f) && filter_n_hits(f, x->rule) > 0);
	assert(x->attempts >= 1 && x->at.us != WALL_NONE.us);
	assert(x->id.p && utf8_is_valid(x->id));
	assert(x->host.p && utf8_is_valid(x->host));
	assert(!(x->has_net && x->is_name));
	assert(outcome == FILTER_FAILURE || !x->has_net);
	n = filter_fields(f, &fields);
	for (size_t i = 0; i < n; i++) {
		assert(fields[i].name && fields[i].value.p);
		assert(utf8_is_valid(fields[i].value));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	CLEANUP(filter_freep) struct filter *f = NULL;
	struct line l = {.stamp = WALL_NONE};
	struct span rest = {(const char *)bytes + 1, n - 1};
	struct filter_failure x;
	struct err e = {""};

	if (n == 0)
		return 0;
	f = filter_new(&filters[bytes[0] % ARRAY_LEN(filters)], &e);
	assert(f);
	while (span_next_line(&rest, &l.text)) {
		x = (struct filter_failure){0};
		check(f, filter_feed(f, &l, NULL, wall_from_sec(1124013600), &x), &x);
	}
	return 0;
}
