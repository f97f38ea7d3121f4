/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * literals_pick - from the texts that something can match to literals for a scanner
 *
 * Texts are what a piece of a regex matches, all alternatives of it; a pick is a set of
 * literals of which a line with one of the texts has at least one. Both are of fixed
 * size: what does not fit makes the pick empty.
 */

#include "match/literals.h"

#define LITERALS_TEXT_BYTES_MAX 64
#define LITERALS_TEXTS_MAX 24

struct literals_text {
	uint8_t n;
	bool is_nocase; /* .bytes is in lower case then */
	char bytes[LITERALS_TEXT_BYTES_MAX];
};

struct literals_texts {
	size_t n;
	struct literals_text items[LITERALS_TEXTS_MAX];
};

struct literals_pick {
	size_t n; /* 0: none */
	double cost;
	struct literal items[LITERALS_MAX];
	double costs[LITERALS_MAX];
};

/* The work that may still be done for a pattern, counted in literals weighed. */
struct literals_fuel {
	size_t n_left;
};

/* The parts of both that matter for joining: the end of @a, the beginning of @b. */
enum literals_join {
	LITERALS_JOIN_ALL,   /* or not at all */
	LITERALS_JOIN_HEAD,  /* as much as fits, from the front */
	LITERALS_JOIN_TAIL,  /* ... from the end */
	LITERALS_JOIN_AROUND /* ... around the place where they meet */
};

/* What there is of it: most of the room is free. */
void literals_texts_copy(struct literals_texts *to, const struct literals_texts *from);
void literals_pick_copy(struct literals_pick *to, const struct literals_pick *from);

struct literals_text literals_text_of(char c, bool is_nocase);

/* Both of these return false when it does not fit; *t or *out is of no use then. */
bool literals_texts_add(struct literals_texts *t, const struct literals_text *text);
bool literals_texts_join(const struct literals_texts *a, const struct literals_texts *b,
    enum literals_join how, struct literals_texts *out);

/**
 * literals_pick_texts() - the best literals for @t
 * @is_cut_at_words: take literals that no cut at words can go through
 * @is_halved:       take two of each text, of which a cut leaves one whole
 * @pick:            is replaced if these are better
 */
void literals_pick_texts(const struct literals_texts *t, bool is_cut_at_words,
    bool is_halved, struct literals_fuel *fuel, struct literals_pick *pick);

/* *pick becomes @other if that is better. */
void literals_pick_better(
    struct literals_pick *pick, const struct literals_pick *other);

/* Literals of both; empty if one of them is or they are too many. */
void literals_pick_union(struct literals_pick *pick, const struct literals_pick *other);
