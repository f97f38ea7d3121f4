/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * shell_plain_private - what shell_plain.c and shell_plain_word.c share
 *
 * A place in the command that is read, and what is known of it so far. Functions that
 * take something return false when it is not understood: the reason is set then, and
 * the whole command is inert.
 */

#include "enforce/shell_plain.h"
#include "enforce/shell_programs.h"

#define PLAIN_MAX_TAINTED 32

struct plain {
	struct span text;
	size_t at;
	shell_tag_fn tag;
	void *ctx;
	size_t depth;
	bool is_in_backtick;
	bool is_stdin_foreign; /* of the command at hand; its substitutions share it */
	bool has_foreign_file; /* foreign text was written to one: any may hold it */
	bool has_backslash;    /* a variable may, and end in it */
	struct span tainted[PLAIN_MAX_TAINTED];
	size_t n_tainted;
	enum shell_form form;
	struct shell_reason *reason;
};

/* What a part of the command puts out. */
struct part {
	bool is_foreign;
	bool has_lines;
	bool has_backslash; /* and a value may follow it */
};

/* Returns false. */
bool plain_refuse(struct plain *p, size_t at, const char *why);
bool plain_not_known(struct plain *p);
char plain_peek_at(const struct plain *p, size_t i);
char plain_peek(const struct plain *p);
struct span plain_rest_of(const struct plain *p);
bool plain_is_at(const struct plain *p, const char *text);
size_t plain_tag_at(const struct plain *p, struct shell_value *out, struct span *name);
bool plain_is_name_byte(char c);
bool plain_enter(struct plain *p);
bool plain_is_tainted(const struct plain *p, struct span name);

/* Up to the blank or operator that ends it; it may be empty. */
bool plain_take_word(struct plain *p, struct shell_word *w);
bool plain_is_word_end(const struct plain *p);

/* Up to what ends the construct that it stands in. */
bool plain_take_list(struct plain *p, bool is_stdin_foreign, struct part *out);

#define PLAIN_OWN_PREFIX SPAN("f2bV_") /* of our variables in the environment */
