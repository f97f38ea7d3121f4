/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * shell_programs - which programs may get foreign text, and where
 *
 * For shell_plain.c. A program that is listed treats the arguments and the standard
 * input that the list allows as data: it neither runs nor opens what they name;
 * elsewhere it is given nothing foreign that means something. One that is not listed
 * may get a foreign value in the form "word", as an argument of its own; not if it is
 * known to run or interpret its arguments.
 */

#include "enforce/shell_value.h"

#define SHELL_MAX_WORDS 64

struct shell_word {
	size_t at;
	char head[64];     /* the literal bytes before the first expansion, unquoted */
	size_t n_head;     /* may be more than head holds */
	size_t n_literals; /* bytes that are no expansion */
	size_t n_expansions; /* tags, variables, substitutions */
	bool is_quoted;      /* any part of it */
	bool is_in_conversion;
	bool is_odd_format;    /* no good as a format of printf */
	unsigned int n_escape; /* bytes of a backslash's sequence that is still open */
	bool is_odd_escape;    /* foreign text could continue one */
	bool has_backslash;    /* it could, did it come next */
	bool is_unknown_last;  /* its last part is derived, and not foreign */
	char first_literal;    /* also behind an expansion, which may be empty */
	bool has_glob;         /* unquoted * or ? or [ */
	bool is_foreign;       /* holds foreign text */
	bool has_lines;        /* and that may have line ends */
	bool has_derived;      /* by a variable or a substitution */
	bool starts_derived;   /* and may begin with that */
	bool has_bare;         /* an unquoted variable or substitution */
	bool has_bare_foreign;
	bool is_tag_last; /* its last part is a tag */
};

/**
 * shell_program_form() - the form that foreign text must have in one simple command
 * @words:            its name, then its arguments
 * @is_stdin_foreign: its standard input may hold foreign text
 * @out_reason:       the word and why, where the form is not SHELL_WHOLE
 */
enum shell_form shell_program_form(const struct shell_word *words, size_t n,
    bool is_stdin_foreign, size_t *out_at, const char **out_why);

/* Is its output nothing that it read? */
bool shell_program_ignores_stdin(const struct shell_word *name);

/* Does it write what it reads to a file that an argument names? */
bool shell_program_writes_file(const struct shell_word *name);
