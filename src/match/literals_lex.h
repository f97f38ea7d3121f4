/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * literals_lex - escapes, classes and quantifiers of PCRE2, read off the front
 *
 * Refused is what a newer or older PCRE2 might read in another way.
 */

#include "base/str.h"

enum literals_token {
	LITERALS_CHAR,      /* one character of ASCII, out->c */
	LITERALS_CLASS,     /* one of few, out->chars */
	LITERALS_NOTHING,   /* a place, like \b */
	LITERALS_ANY,       /* something */
	LITERALS_NOT_KNOWN, /* where it ends is not sure either */
};

#define LITERALS_CHARS_MAX 10

struct literals_char {
	char c;
	bool is_nocase;
};

struct literals_chars {
	size_t n;
	struct literals_char items[LITERALS_CHARS_MAX];
};

/* \x at the front of @rest, outside of classes; @out gets the character. */
enum literals_token literals_lex_escape(struct span *rest, char *out);

/* [...] at the front of @rest. */
enum literals_token literals_lex_class(
    struct span *rest, bool is_nocase, struct literals_chars *out);

enum literals_quantifier {
	LITERALS_ONCE,      /* none there */
	LITERALS_MANY,      /* out_min to out_max times */
	LITERALS_AMBIGUOUS, /* a quantifier or plain text */
};

/* A quantifier at the front of @rest, with what makes it lazy or possessive. */
enum literals_quantifier literals_lex_quantifier(
    struct span *rest, size_t *out_min, size_t *out_max);

/* Can a literal have it? */
bool literals_lex_is_plain(long code);
