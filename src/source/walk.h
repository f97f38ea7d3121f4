/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * walk - from a glob to the files it means, telling every directory asked on the way
 *
 * Goes down from "/" one component at a time and follows symbolic links itself, so that
 * the caller learns each directory (free of links) and each name in it on which the
 * answer depends. As in fail2ban: `*`, `?` and `[...]` do not match a leading dot,
 * there is no backslash escape and no `**`. Keeps no state, opens directories only.
 */

#include "base/str.h"

#define WALK_MAX_LINKS 40 /* as the kernel */

struct walk_identity {
	uint64_t dev, ino;
	int64_t born_ns; /* 0: the file system does not tell. An inode number is used
			    again. */
};

struct walk_found {
	const char *path; /* as the glob spells it */
	const char *real; /* the same without symbolic links */
	struct walk_identity id;
};

enum walk_trouble {
	WALK_CANNOT_LOOK =
	    1,            /* the system failed: what was not found may yet be there */
	WALK_FORBIDDEN,   /* no right to look there */
	WALK_NOT_REGULAR, /* a directory, FIFO, device or socket where a file belongs */
	WALK_TOO_DEEP,    /* links in a circle, or a path that is too long */
};

struct walk_fns {
	void *ctx;
	/* Called before anything in @real_dir is looked at. @is_pattern: @name is one.
	 */
	void (*dir)(void *ctx, const char *real_dir, struct span name, bool is_pattern);
	/* Anything but 0 ends the walk. */
	int (*found)(void *ctx, const struct walk_found *f);
	/* @error: positive errno, 0 for WALK_NOT_REGULAR. */
	void (*trouble)(void *ctx, enum walk_trouble what, const char *path, int error);
};

/* @glob: absolute. Return: 0, -EINVAL (not absolute), -ENOMEM, what found() returned.
 */
int walk_glob(const char *glob, const struct walk_fns *fns);

/* Does the file @name fit one component of a glob? */
bool walk_name_fits(const char *component, bool is_pattern, const char *name);

/* Return: 0, or negative errno of statx(2). @path "" with @dirfd: the descriptor
 * itself. */
int walk_identify(
    int dirfd, const char *path, struct walk_identity *out, unsigned int *mode);
