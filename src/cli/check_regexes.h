/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * check_regexes - which regexes must be tried on every line
 *
 * Those of which no text is known that a line must have. They are right, only slow; who
 * writes a filter may want to know.
 */

#include "base/buf.h"
#include "base/err.h"
#include "pipeline/setup.h"

struct check_regexes {
	size_t n_regexes;
	size_t n_on_every_line; /* of these */
	size_t n_literals;      /* different ones, of all jails together */
	const char *scanner;    /* its kind */
};

/**
 * check_regexes()
 * @out: a line for each regex that is tried on every line, with a hint
 *
 * Return: 0, or negative with @e.
 */
int check_regexes(const struct setup *s, struct check_regexes *counts, struct buf *out,
    struct err *e);
