/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * loader - a process that lives for one reading of the configuration
 *
 * It reads, checks and compiles everything and leaves the result in a memory file: what
 * there is to say, and the set-up if it may be used. The supervisor never parses
 * configuration itself.
 */

#include "pipeline/setup.h"

enum loader_verdict {
	LOADER_REFUSED, /* no set-up: it cannot be read, or no jail is left */
	LOADER_PARTLY,  /* jails are left out of it: a start may use it, no reload */
	LOADER_CLEAN,
};

/* The memory file begins with: u8 verdict, string of diagnostics, bytes of the set-up.
 */

/* Return: 0 with malloc'd *out_text; -EBADMSG if the loader died before it was done. */
int loader_read_verdict(int fd, enum loader_verdict *out, char **out_text);

/* Return: 0, -ENODATA if refused, -EBADMSG, -ENOMEM, or negative errno. */
int loader_read_setup(int fd, struct setup **out);
