/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * sieve - hits of the scanner become lines, and bits of rules
 *
 * Hits come line by line. As long as a filter wants every line (it has a regex without
 * literals, or lines reach into each other), lines are gone through one by one.
 */

#include "match/sieve.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "match/scanner.h"

#define HITS_MIN 512

struct slot {
	struct filter *filter;
	uint64_t *rules;  /* of the line at hand */
	uint64_t *always; /* rules without literals */
	size_t n_words;
	bool sees_all;   /* each line, whatever stands in it */
	bool has_memory; /* lines reach into each other */
};

/* Who waits for a literal. */
struct target {
	uint32_t slot;
	uint32_t rule;
};

struct sieve {
	struct slot *slots;
	size_t n_slots;
	uint64_t *bits; /* all slots' rules and always */
	size_t n_bits;
	uint64_t *touched; /* bit i: slot i must look at the line at hand */
	size_t n_touched_words;
	size_t word; /* how far they have been handed out */
	size_t last; /* slot handed out last */
	bool has_last;

	struct scanner *scanner; /* NULL: there is no literal */
	size_t n_literals;
	uint32_t *first_target; /* of each literal, n_literals + 1 */
	struct target *targets;

	uint32_t *watchers; /* slots that may want a line in which nothing hits */
	size_t n_watchers;

	struct span text;
	size_t at;   /* lines before have been dealt with */
	size_t from; /* where the scanner goes on */
	struct scan_hit *hits;
	size_t hit, n_hits, max_hits;
};

/* --- making it ---------------------------------------------------------------------
 */

/* A literal while they are collected; the same one is searched once. */
struct entry {
	struct literal literal;
	struct target *targets;
	size_t n_targets;
	UT_hash_handle hh;
};

struct collection {
	struct entry *by_text;
	struct entry **all; /* in the order in which they came */
	size_t n, n_targets;
};

static void collection_deinit(struct collection *c)
{
	HASH_CLEAR(hh, c->by_text);
	for (size_t i = 0; i < c->n; i++) {
		free(c->all[i]->targets);
		free(c->all[i]);
	}
	free(c->all);
}

static struct entry *entry_of(struct collection *c, const struct literal *l)
{
	struct entry *e, **all;
	struct literal key = {.n = l->n, .is_nocase = l->is_nocase};

	memcpy(key.text, l->text, l->n);
	HASH_FIND(hh, c->by_text, &key, sizeof(key), e);
	if (e)
		return e;
	all = reallocarray(c->all, c->n + 1, sizeof(struct entry *));
	if (!all)
		return NULL;
	c->all = all;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->literal = key;
	HASH_ADD(hh, c->by_text, literal, sizeof(e->literal), e);
	if (!e->hh.tbl) {
		free(e);
		return NULL;
	}
	c->all[c->n++] = e;
	return e;
}

static int collect(struct collection *c, const struct literal *l, struct target t)
{
	struct entry *e = entry_of(c, l);
	struct target *more;

	if (!e)
		return -ENOMEM;
	/* The alternatives of a rule are not the same, but may fold to the same. */
	if (e->n_targets && e->targets[e->n_targets - 1].slot == t.slot &&
	    e->targets[e->n_targets - 1].rule == t.rule)
		return 0;
	more = reallocarray(e->targets, e->n_targets + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	e->targets = more;
	e->targets[e->n_targets++] = t;
	c->n_targets++;
	return 0;
}

static int collect_slot(struct sieve *s, size_t i, struct collection *c)
{
	struct slot *slot = &s->slots[i];

	for (size_t rule = 0; rule < filter_n_rules(slot->filter); rule++) {
		const struct literal_set *set = filter_literals(slot->filter, rule);

		if (!set->n) {
			slot->always[rule / 64] |= UINT64_C(1) << rule % 64;
			slot->sees_all = true;
		}
		for (size_t k = 0; k < set->n; k++) {
			int r = collect(c, &set->items[k],
			    (struct target){(uint32_t)i, (uint32_t)rule});

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int make_slots(struct sieve *s, struct filter *const *filters)
{
	size_t at = 0;

	for (size_t i = 0; i < s->n_slots; i++) {
		s->slots[i].filter = filters[i];
		if (filters[i])
			s->slots[i].n_words = (filter_n_rules(filters[i]) + 63) / 64;
		s->n_bits += 2 * s->slots[i].n_words;
	}
	s->bits = calloc(s->n_bits + 1, sizeof(*s->bits));
	if (!s->bits)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_slots; i++) {
		struct slot *slot = &s->slots[i];

		slot->rules = s->bits + at;
		slot->always = slot->rules + slot->n_words;
		at += 2 * slot->n_words;
	}
	return 0;
}

static int make_scanner(struct sieve *s, const struct collection *c, struct err *e)
{
	CLEANUP(freep) struct scanner_literal *l = calloc(c->n + 1, sizeof(*l));
	uint32_t at = 0;

	s->first_target = calloc(c->n + 1, sizeof(*s->first_target));
	s->targets = calloc(c->n_targets + 1, sizeof(*s->targets));
	if (!l || !s->first_target || !s->targets)
		return err_errno(e, -ENOMEM, "filters");
	for (size_t i = 0; i < c->n; i++) {
		const struct entry *x = c->all[i];

		l[i] = (struct scanner_literal){
		    {x->literal.text, x->literal.n}, x->literal.is_nocase};
		s->first_target[i] = at;
		memcpy(s->targets + at, x->targets, x->n_targets * sizeof(*x->targets));
		at += (uint32_t)x->n_targets;
	}
	s->first_target[c->n] = at;
	s->n_literals = c->n;
	if (!c->n)
		return 0;
	s->scanner = scanner_new(l, c->n, SCANNER_BEST, e);
	if (!s->scanner)
		return -EINVAL;
	s->max_hits = scanner_hits_min(s->scanner);
	if (s->max_hits < HITS_MIN)
		s->max_hits = HITS_MIN;
	s->hits = calloc(s->max_hits, sizeof(*s->hits));
	return s->hits ? 0 : err_errno(e, -ENOMEM, "filters");
}

struct sieve *sieve_new(struct filter *const *filters, size_t n, struct err *e)
{
	CLEANUP(sieve_freep) struct sieve *s = calloc(1, sizeof(*s));
	CLEANUP(collection_deinit) struct collection c = {0};
	int r = s ? 0 : -ENOMEM;

	if (!r) {
		s->n_slots = n;
		s->n_touched_words = (n + 63) / 64;
		s->slots = calloc(n + 1, sizeof(*s->slots));
		s->touched = calloc(s->n_touched_words + 1, sizeof(*s->touched));
		s->watchers = calloc(n + 1, sizeof(*s->watchers));
		r = s->slots && s->touched && s->watchers ? make_slots(s, filters)
							  : -ENOMEM;
	}
	for (size_t i = 0; !r && i < n; i++) {
		if (!filters[i])
			continue;
		r = collect_slot(s, i, &c);
		s->slots[i].has_memory = filter_has_memory(filters[i]);
		if (s->slots[i].sees_all || s->slots[i].has_memory)
			s->watchers[s->n_watchers++] = (uint32_t)i;
	}
	if (r < 0) {
		(void)err_errno(e, r, "filters");
		return NULL;
	}
	return make_scanner(s, &c, e) < 0 ? NULL : TAKE(s);
}

struct sieve *sieve_free(struct sieve *s)
{
	if (!s)
		return NULL;
	scanner_free(s->scanner);
	free(s->hits);
	free(s->targets);
	free(s->first_target);
	free(s->touched);
	free(s->watchers);
	free(s->bits);
	free(s->slots);
	free(s);
	return NULL;
}

/* --- going through a block ---------------------------------------------------------
 */

void sieve_begin(struct sieve *s, struct span lines)
{
	s->text = lines;
	s->at = s->from = 0;
	s->hit = s->n_hits = 0;
	if (!s->scanner)
		s->from = lines.n;
}

static bool find_more(struct sieve *s)
{
	while (s->hit == s->n_hits && s->from < s->text.n) {
		s->hit = 0;
		s->n_hits =
		    scanner_find(s->scanner, s->text, &s->from, s->hits, s->max_hits);
	}
	return s->hit < s->n_hits;
}

/* Is there another hit? It is then hits[hit]. */
static inline bool has_hit(struct sieve *s)
{
	return s->hit < s->n_hits || find_more(s);
}

static void touch(struct sieve *s, size_t i)
{
	uint64_t bit = UINT64_C(1) << i % 64;
	struct slot *slot = &s->slots[i];

	if (s->touched[i / 64] & bit)
		return;
	s->touched[i / 64] |= bit;
	memcpy(slot->rules, slot->always, slot->n_words * sizeof(*slot->rules));
}

static void touch_rules(struct sieve *s, uint32_t literal)
{
	for (uint32_t i = s->first_target[literal]; i < s->first_target[literal + 1];
	     i++) {
		const struct target *t = &s->targets[i];

		touch(s, t->slot);
		s->slots[t->slot].rules[t->rule / 64] |= UINT64_C(1) << t->rule % 64;
	}
}

/* Those that look at the line whatever stands in it. */
static bool touch_others(struct sieve *s)
{
	bool is_any = false;

	for (size_t i = 0; i < s->n_watchers; i++) {
		const struct slot *slot = &s->slots[s->watchers[i]];

		if (!slot->sees_all && !filter_wants_next(slot->filter))
			continue;
		touch(s, s->watchers[i]);
		is_any = true;
	}
	return is_any;
}

HOT bool sieve_next_line(struct sieve *s, struct scan_line *line)
{
	memset(s->touched, 0, s->n_touched_words * sizeof(*s->touched));
	s->word = 0;
	if (s->at >= s->text.n)
		return false;
	if (touch_others(s)) {
		*line = scan_line_around(s->text, s->at, s->at);
	} else {
		if (!has_hit(s)) {
			s->at = s->text.n;
			return false;
		}
		*line = scan_line_around(s->text, s->at, s->hits[s->hit].at);
	}
	s->at = (size_t)(line->whole.p - s->text.p) + line->whole.n;
	while (has_hit(s) && s->hits[s->hit].at < s->at)
		touch_rules(s, s->hits[s->hit++].literal);
	return true;
}

HOT bool sieve_next_filter(struct sieve *s, size_t *out, const uint64_t **rules)
{
	while (s->word < s->n_touched_words && !s->touched[s->word])
		s->word++;
	if (s->word == s->n_touched_words)
		return false;
	size_t i = 64 * s->word + (size_t)__builtin_ctzll(s->touched[s->word]);

	s->touched[s->word] &= s->touched[s->word] - 1;
	*out = i;
	*rules = s->slots[i].rules;
	return true;
}

const char *sieve_scanner_name(const struct sieve *s)
{
	return s->scanner ? scanner_name(s->scanner) : "none";
}

size_t sieve_n_literals(const struct sieve *s)
{
	return s->n_literals;
}
