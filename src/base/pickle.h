/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * pickle - read Python's pickles as data, for fail2ban's own protocol
 *
 * Only opcodes that make data are known; nothing is ever looked up, imported or called,
 * whatever a pickle asks for. Bounded by the caller's limit of values, by
 * PICKLE_MAX_DEPTH, and by what the values would be if none were shared (so that a
 * small pickle cannot unfold into a large one). No recursion; cycles are refused.
 *
 * Source of the format: Lib/pickletools.py of CPython; protocols 2 to 5.
 */

#include "base/err.h"
#include "base/str.h"

#define PICKLE_MAX_DEPTH 16

enum pickle_kind {
	PICKLE_NONE,
	PICKLE_BOOL,
	PICKLE_INT,
	PICKLE_FLOAT,
	PICKLE_STR, /* as it came: neither checked for UTF-8 nor for NUL */
	PICKLE_BYTES,
	PICKLE_LIST,
	PICKLE_TUPLE,
	PICKLE_SET,
	PICKLE_DICT,   /* items: key, value, key, value ... */
	PICKLE_OBJECT, /* a class in `text` and the arguments it was made with in
			  `items` */
	PICKLE_CLASS,  /* a class in `text`, named but not used */
};

/* How far a reader trusts who is at the other end. */
enum pickle_mode {
	PICKLE_DATA,    /* classes are refused: for requests */
	PICKLE_OBJECTS, /* classes become names: for replies, which may hold exceptions
			 */
};

struct pickle_value {
	enum pickle_kind kind;
	union {
		bool truth;
		int64_t number;
		double real;
		struct span text; /* STR, BYTES: within the input. OBJECT, CLASS:
				     "module.name" */
	};
	const struct pickle_value *const *items; /* LIST, TUPLE, SET, DICT, OBJECT */
	size_t n;                                /* of @items */
};

struct pickle;

/**
 * pickle_read() - read one pickle, all of @bytes
 * @bytes:     must outlive the result, whose texts point into it
 * @max_items: most values, counted as if none were shared
 * @out:       the pickle; its root is pickle_root()
 * @error:     in words, for who sent it
 *
 * In mode PICKLE_OBJECTS, builtins.str("x") and the like, which fail2ban sends for
 * addresses, is the plain value; any other call is a PICKLE_OBJECT.
 *
 * Return: 0, -EBADMSG (not a pickle, or a class in mode PICKLE_DATA), -E2BIG (beyond a
 * limit), -ENOMEM.
 */
int pickle_read(struct span bytes, enum pickle_mode mode, size_t max_items,
    struct pickle **out, struct err *error);
struct pickle *pickle_free(struct pickle *p);
DEFINE_CLEANUP(struct pickle *, pickle_free)

const struct pickle_value *pickle_root(const struct pickle *p);

/* LIST or TUPLE: may be indexed up to its n. */
bool pickle_is_row(const struct pickle_value *v);
