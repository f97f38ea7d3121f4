/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * str - spans: a pointer and a length for any text that comes from outside
 *
 * A span owns nothing and is not terminated. Blank means ASCII space, \t, \r, \n,
 * \v, \f, whatever the locale.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *p;
	size_t n;
};

#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})
#define SPAN_FMT "%.*s"
#define SPAN_ARG(s) (int)(s).n, (s).p

static inline struct span span_of(const char *cstr)
{
	return (struct span){cstr, cstr ? strlen(cstr) : 0};
}

static inline struct span span_from(const char *p, const char *end)
{
	return (struct span){p, (size_t)(end - p)};
}

static inline struct span span_skip(struct span s, size_t n)
{
	return n >= s.n ? (struct span){s.p + s.n, 0} : (struct span){s.p + n, s.n - n};
}

bool span_eq(struct span a, struct span b);
bool span_eq_nocase(struct span a, struct span b); /* ASCII only */
bool span_starts(struct span s, struct span prefix);
bool span_ends(struct span s, struct span suffix);
struct span span_trim(struct span s);

/* Index of the first @c in @s, or -1. */
ptrdiff_t span_index(struct span s, char c);
/* Index of the first @needle in @s, or -1; an empty needle is at 0. */
ptrdiff_t span_find(struct span s, struct span needle);

/**
 * span_next_word() - cut the next word off the front of @rest
 * @rest:  text; moved behind the word
 * @seps:  bytes that separate words, besides blanks
 * @out:   the word
 *
 * Return: false when nothing but separators was left.
 */
bool span_next_word(struct span *rest, const char *seps, struct span *out);

/**
 * span_next_line() - cut the next line (without its '\n' or "\r\n") off @rest
 *
 * Return: false when @rest was empty.
 */
bool span_next_line(struct span *rest, struct span *out);

/**
 * span_next_whole_line() - cut the next line off @rest, with its '\n' if it has one
 *
 * Return: false when @rest was empty.
 */
bool span_next_whole_line(struct span *rest, struct span *out);

/**
 * span_to_i64() - a whole decimal number with optional sign, nothing around it
 *
 * Return: 0, -EINVAL for anything else, -ERANGE when it does not fit.
 */
int span_to_i64(struct span s, int64_t *out);

/* A malloc'd, terminated copy; NULL when out of memory. NULs are kept as they are. */
char *span_dup(struct span s);

/* Bytes of the valid UTF-8 character that @s begins with; 0 when it is none. */
size_t span_utf8_len(struct span s);
