/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * input - the lines of a file or of standard input ("-"), plain or compressed, once,
 * from top to end
 */

#include "base/err.h"
#include "base/str.h"

/* @number counts from 1. A non-zero return ends the reading. */
typedef int (*input_fn)(void *ctx, struct span text, uint64_t number);

/* Return: 0, the callback's value, or negative errno with @e (all lines before that
 * were handed out). */
int input_read(const char *path, input_fn fn, void *ctx, struct err *e);
