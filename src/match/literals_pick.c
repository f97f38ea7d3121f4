/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * literals_pick - cuts texts into literals, and keeps the cheapest
 *
 * A literal that contains another one of the same pick is left out: where it stands,
 * so does the other.
 */

#include "match/literals_pick.h"

#include "match/literals_cost.h"

/* Of two picks with about the same cost that with fewer literals is better. */
#define COST_OF_ONE_MORE 0.001

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static char lower(char c)
{
	return is_upper(c) ? (char)(c | 0x20) : c;
}

static bool is_letter(char c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z');
}

static bool is_word_byte(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

void literals_texts_copy(struct literals_texts *to, const struct literals_texts *from)
{
	to->n = from->n;
	memcpy(to->items, from->items, from->n * sizeof(to->items[0]));
}

void literals_pick_copy(struct literals_pick *to, const struct literals_pick *from)
{
	to->n = from->n;
	to->cost = from->cost;
	memcpy(to->items, from->items, from->n * sizeof(to->items[0]));
	memcpy(to->costs, from->costs, from->n * sizeof(to->costs[0]));
}

struct literals_text literals_text_of(char c, bool is_nocase)
{
	struct literals_text t = {.n = 1, .is_nocase = is_nocase && is_letter(c)};

	t.bytes[0] = t.is_nocase ? lower(c) : c;
	return t;
}

static void text_lower(struct literals_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		t->bytes[i] = lower(t->bytes[i]);
}

static bool is_same_text(const struct literals_text *a, const struct literals_text *b)
{
	return a->n == b->n && a->is_nocase == b->is_nocase &&
	       memcmp(a->bytes, b->bytes, a->n) == 0;
}

bool literals_texts_add(struct literals_texts *t, const struct literals_text *text)
{
	for (size_t i = 0; i < t->n; i++) {
		if (is_same_text(&t->items[i], text))
			return true;
	}
	if (t->n == LITERALS_TEXTS_MAX)
		return false;
	t->items[t->n++] = *text;
	return true;
}

static size_t at_most(size_t n, size_t max)
{
	return n < max ? n : max;
}

/* Case is forgotten for all of a text when it is for a part. */
static bool text_join(const struct literals_text *a, const struct literals_text *b,
    enum literals_join how, struct literals_text *out)
{
	const size_t max = LITERALS_TEXT_BYTES_MAX;
	size_t n_a = a->n, n_b = b->n;

	if (n_a + n_b > max && how == LITERALS_JOIN_ALL)
		return false;
	if (how == LITERALS_JOIN_AROUND) {
		n_a = at_most(n_a, max / 2);
		n_b = at_most(n_b, max / 2);
	} else if (how == LITERALS_JOIN_TAIL) {
		n_a = at_most(n_a, max - n_b);
	} else {
		n_b = at_most(n_b, max - n_a);
	}
	out->n = (uint8_t)(n_a + n_b);
	out->is_nocase = a->is_nocase || b->is_nocase;
	memcpy(out->bytes, a->bytes + a->n - n_a, n_a);
	memcpy(out->bytes + n_a, b->bytes, n_b);
	if (out->is_nocase)
		text_lower(out);
	return true;
}

bool literals_texts_join(const struct literals_texts *a, const struct literals_texts *b,
    enum literals_join how, struct literals_texts *out)
{
	struct literals_text text;

	out->n = 0;
	for (size_t i = 0; i < a->n; i++) {
		for (size_t j = 0; j < b->n; j++) {
			if (!text_join(&a->items[i], &b->items[j], how, &text) ||
			    !literals_texts_add(out, &text))
				return false;
		}
	}
	return true;
}

/* Does each line that has @whole have @part too? */
static bool is_within(const struct literal *part, const struct literal *whole)
{
	if (part->n > whole->n || (whole->is_nocase && !part->is_nocase))
		return false;
	for (size_t i = 0; i + part->n <= whole->n; i++) {
		struct span at = {whole->text + i, part->n};
		struct span text = {part->text, part->n};

		if (part->is_nocase ? span_eq_nocase(at, text) : span_eq(at, text))
			return true;
	}
	return false;
}

static void pick_remove(struct literals_pick *pick, size_t i)
{
	pick->cost -= pick->costs[i] + COST_OF_ONE_MORE;
	pick->n--;
	pick->items[i] = pick->items[pick->n];
	pick->costs[i] = pick->costs[pick->n];
}

/* Return: false when it is full. */
static bool pick_add(struct literals_pick *pick, const struct literal *l, double cost)
{
	for (size_t i = 0; i < pick->n; i++) {
		if (is_within(&pick->items[i], l))
			return true;
	}
	for (size_t i = pick->n; i-- > 0;) {
		if (is_within(l, &pick->items[i]))
			pick_remove(pick, i);
	}
	if (pick->n == LITERALS_MAX)
		return false;
	pick->items[pick->n] = *l;
	pick->costs[pick->n++] = cost;
	pick->cost += cost + COST_OF_ONE_MORE;
	return true;
}

void literals_pick_better(struct literals_pick *pick, const struct literals_pick *other)
{
	if (other->n > 0 && (pick->n == 0 || other->cost < pick->cost))
		literals_pick_copy(pick, other);
}

void literals_pick_union(struct literals_pick *pick, const struct literals_pick *other)
{
	if (pick->n == 0 || other->n == 0) {
		pick->n = 0;
		return;
	}
	for (size_t i = 0; i < other->n; i++) {
		if (!pick_add(pick, &other->items[i], other->costs[i])) {
			pick->n = 0;
			return;
		}
	}
}

struct best {
	struct literal literal;
	double cost; /* 2: none yet */
	struct literals_fuel *fuel;
};

static void best_weigh(struct best *b, struct span s, bool is_nocase)
{
	struct literal l = {.n = (uint8_t)s.n};
	double cost;

	if (s.n < LITERAL_BYTES_MIN || b->fuel->n_left == 0)
		return;
	b->fuel->n_left--;
	memcpy(l.text, s.p, s.n);
	for (size_t i = 0; is_nocase && i < s.n; i++)
		l.is_nocase |= is_letter(s.p[i]);
	cost = literals_cost(s, l.is_nocase);
	if (cost >= b->cost)
		return;
	b->cost = cost;
	b->literal = l;
}

/* Of what is too long, pieces that begin with a word, and the last one. */
static void best_of_piece(struct best *b, struct span s, bool is_nocase)
{
	const size_t max = LITERAL_BYTES_MAX;

	if (s.n <= max) {
		best_weigh(b, s, is_nocase);
		return;
	}
	for (size_t i = 0; i + max <= s.n; i++) {
		if (i == 0 || i + max == s.n ||
		    (is_word_byte(s.p[i]) && !is_word_byte(s.p[i - 1])))
			best_weigh(b, (struct span){s.p + i, max}, is_nocase);
	}
}

/* A cut at words can only be between two bytes that are no word. */
static size_t uncut_len(struct span s)
{
	size_t n = 1;

	while (n < s.n && (is_word_byte(s.p[n - 1]) || is_word_byte(s.p[n])))
		n++;
	return n;
}

static bool add_best(struct literals_pick *pick, const struct literals_text *t,
    bool is_cut_at_words, struct literals_fuel *fuel)
{
	struct best best = {.cost = 2, .fuel = fuel};
	struct span rest = {t->bytes, t->n};

	while (rest.n > 0) {
		size_t n = is_cut_at_words ? uncut_len(rest) : rest.n;

		best_of_piece(&best, (struct span){rest.p, n}, t->is_nocase);
		rest = span_skip(rest, n);
	}
	return best.cost < 2 && pick_add(pick, &best.literal, best.cost);
}

/* Where halves are worth a look: between words and others, and in the middle. */
static bool is_joint(struct span s, size_t i)
{
	return i == s.n / 2 || is_word_byte(s.p[i - 1]) != is_word_byte(s.p[i]);
}

static bool add_halves(struct literals_pick *pick, const struct literals_text *t,
    struct literals_fuel *fuel)
{
	struct best left = {.cost = 2}, right = {.cost = 2};
	struct span s = {t->bytes, t->n};

	for (size_t i = LITERAL_BYTES_MIN; i + LITERAL_BYTES_MIN <= s.n; i++) {
		struct best l = {.cost = 2, .fuel = fuel},
			    r = {.cost = 2, .fuel = fuel};

		if (!is_joint(s, i))
			continue;
		best_of_piece(&l, (struct span){s.p, i}, t->is_nocase);
		best_of_piece(&r, span_skip(s, i), t->is_nocase);
		if (l.cost + r.cost >= left.cost + right.cost)
			continue;
		left = l;
		right = r;
	}
	return left.cost < 2 && right.cost < 2 &&
	       pick_add(pick, &left.literal, left.cost) &&
	       pick_add(pick, &right.literal, right.cost);
}

static void pick_all(const struct literals_texts *t, bool is_cut_at_words,
    bool is_halved, struct literals_fuel *fuel, struct literals_pick *pick)
{
	struct literals_pick own; /* large */

	own.n = 0;
	own.cost = 0;
	for (size_t i = 0; i < t->n; i++) {
		bool ok = is_halved
			      ? add_halves(&own, &t->items[i], fuel)
			      : add_best(&own, &t->items[i], is_cut_at_words, fuel);

		if (!ok)
			return;
	}
	literals_pick_better(pick, &own);
}

/* Bytes that all of @t begin with, or end with. */
static struct literals_text common(const struct literals_texts *t, bool at_end)
{
	struct literals_text out = t->items[0];

	for (size_t i = 1; i < t->n; i++)
		out.is_nocase |= t->items[i].is_nocase;
	if (out.is_nocase)
		text_lower(&out);
	for (size_t i = 1; i < t->n; i++) {
		struct literals_text o = t->items[i];
		uint8_t n = 0;

		if (out.is_nocase)
			text_lower(&o);
		while (n < out.n && n < o.n &&
		       (at_end ? out.bytes[out.n - 1 - n] == o.bytes[o.n - 1 - n]
			       : out.bytes[n] == o.bytes[n]))
			n++;
		if (at_end)
			memmove(out.bytes, out.bytes + out.n - n, n);
		out.n = n;
	}
	return out;
}

void literals_pick_texts(const struct literals_texts *t, bool is_cut_at_words,
    bool is_halved, struct literals_fuel *fuel, struct literals_pick *pick)
{
	struct literals_texts shared; /* large */

	pick_all(t, is_cut_at_words, is_halved, fuel, pick);
	if (t->n < 2)
		return;
	shared.n = 1;
	for (int at_end = 0; at_end < 2; at_end++) {
		shared.items[0] = common(t, at_end);
		pick_all(&shared, is_cut_at_words, is_halved, fuel, pick);
	}
}
