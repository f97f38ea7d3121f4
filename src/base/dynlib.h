/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * dynlib - a library that is loaded by name, by the process that needs it alone
 *
 * What was loaded stays loaded. The caller keeps a struct of function pointers, and a
 * table that says which function belongs where.
 */

#include <stddef.h>

#include "base/err.h"

struct dynlib_symbol {
	const char *name;
	size_t offset; /* of its pointer in the caller's struct */
};

/**
 * dynlib_load()
 * @names: to be tried one after the other; ends with NULL
 * @out:   the struct; all or nothing is to be used
 *
 * Return: 0, or -ENOSYS with @e: not installed, or without one of the functions.
 */
int dynlib_load(const char *const *names, const struct dynlib_symbol *symbols, size_t n,
    void *out, struct err *e);
