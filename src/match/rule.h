/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * rule - one regex of a filter: tags expanded, its groups known by name
 *
 * All rules of a filter share one table of names, so that groups of prefregex,
 * failregex and earlier lines of a session lie in the same slots and are merged without
 * looking at a name. <F-ALT_...> and <F-TUPLE_...> are settled here.
 */

#include "base/err.h"
#include "match/literals.h"
#include "match/regex.h"

#define GROUPS_MAX 128 /* different names in one filter */

/* Names that mean something to us have their slot from the start. */
enum group_slot {
	GROUP_FID,
	GROUP_IP4,
	GROUP_IP6,
	GROUP_DNS,
	GROUP_CIDR,
	GROUP_USER,
	GROUP_MLFID,
	GROUP_MLFFORGET,
	GROUP_MLFGAINED,
	GROUP_NOFAIL,
	GROUP_CONTENT,
	GROUP_N_FIXED,
};

struct group_names {
	char *name[GROUPS_MAX];
	size_t n;
};

/* .p is NULL where the group took no part. Only the first group_names.n are in use. */
struct groups {
	struct span value[GROUPS_MAX];
};

struct rule;

struct rule_options {
	bool with_names; /* see tags_expand() */
	bool multiline;  /* see regex_new() */
	bool is_sieved;  /* rule_literals() is wanted */
	enum literals_cut cut;
};

int group_names_init(struct group_names *names); /* -ENOMEM */
void group_names_deinit(struct group_names *names);

/* Part of the bookkeeping, not of what a line says. */
bool group_is_internal(const struct group_names *names, size_t slot);

/* Took part and is not empty. */
static inline bool groups_has(const struct groups *g, size_t slot)
{
	return g->value[slot].p && g->value[slot].n > 0;
}

void groups_clear(struct groups *g, size_t n);
void groups_overlay(struct groups *g, const struct groups *above, size_t n);

/**
 * rule_new()
 * @names: gains the names of this regex; must outlive the rule
 *
 * Return: NULL with @e.
 */
struct rule *rule_new(const char *regex, const struct rule_options *o,
    struct group_names *names, struct err *e);
struct rule *rule_free(struct rule *r);
DEFINE_CLEANUP(struct rule *, rule_free)

/* For its names and numbers of groups, and how often it ran into limits. */
struct regex *rule_regex(struct rule *r);

/* What the caller has seen, once for all searches of a line. */
struct rule_subject_is {
	bool ascii;
	bool one_line; /* no '\n' but at the end */
};
struct rule_subject_is rule_subject_is(struct span subject);

/**
 * rule_search() - as regex_search_valid() from the start
 * @subject: ends with '\n'
 */
int rule_search(struct rule *r, struct span subject, struct rule_subject_is is,
    struct regex_match *m);
uint64_t rule_n_limits(const struct rule *r);

/* What the line must have, whatever else; none when it was not asked for. They are
 * looked for with the first call, which takes longer than to compile the regex. */
const struct literal_set *rule_literals(struct rule *r);

/* Return: the slot of @name, or -1. */
int group_names_find(const struct group_names *names, struct span name);

/* May @r give a value to that slot? */
bool rule_has_slot(const struct rule *r, size_t slot);

/* May what it matches be a failure: is there a fid, ip4, ip6, dns or mlfid group? */
bool rule_has_failure_id(const struct rule *r);

/**
 * rule_read() - the groups of the match in @m
 * @out: all slots are set; spans point into the subject, or into @r until the next call
 */
void rule_read(struct rule *r, const struct regex_match *m, struct groups *out);

/* The same, but slots of groups that took no part stay as they are in @io. */
void rule_overlay(struct rule *r, const struct regex_match *m, struct groups *io);

/*
 * The slots of @r's groups in the order in which they stand, without repeats: at most
 * GROUPS_MAX. Return: how many.
 */
size_t rule_slots(const struct rule *r, uint8_t out[GROUPS_MAX]);

/* Is its value put together, as text like "('a', 'b')"? */
bool rule_is_tuple(const struct rule *r, size_t slot);

/* What the @i-th <SKIPLINES> took; false when there are not so many. */
bool rule_skipped(
    const struct rule *r, const struct regex_match *m, size_t i, struct span *out);
