/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * err - why a set-up step failed, in words
 *
 * Return values follow one rule everywhere: 0 is success, a positive value is an
 * outcome named by the function's own enum, a negative errno is a failure that is
 * passed up unchanged. A struct err carries the sentence that belongs to a failure;
 * it has fixed storage, so reporting cannot fail. It is untouched on success.
 */

#include "base/cleanup.h"

#define ERR_TEXT_BYTES 512

struct err {
	char text[ERR_TEXT_BYTES];
};

/**
 * err_set() - state the fact
 * @e:   where to put the sentence, or NULL
 * @r:   the negative errno to return
 * @fmt: the sentence; truncated to ERR_TEXT_BYTES
 *
 * Return: @r, so that `return err_set(e, -EINVAL, ...)` reads well.
 */
int err_set(struct err *e, int r, const char *fmt, ...) PRINTF_LIKE(3, 4);

/**
 * err_wrap() - add the circumstance in front: "outer: inner"
 *
 * Return: @r.
 */
int err_wrap(struct err *e, int r, const char *fmt, ...) PRINTF_LIKE(3, 4);

/**
 * err_errno() - like err_set(), with ": " and the text of errno -@r appended
 *
 * Return: @r.
 */
int err_errno(struct err *e, int r, const char *fmt, ...) PRINTF_LIKE(3, 4);
