/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * temp - a folder of its own for each test, and quick ways to put things in it
 *
 * Include after cmocka.h. Paths are relative to the folder, which goes with all that is
 * in it at the end.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct temp {
	char dir[256];
	char path[512]; /* of the last temp_path() */
};

static inline int temp_setup(void **state)
{
	struct temp *t = calloc(1, sizeof(*t));
	const char *base = getenv("TMPDIR");
	char real[PATH_MAX];

	if (!t)
		return -1;
	snprintf(t->dir, sizeof(t->dir), "%s/bandog-test-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(t->dir) || !realpath(t->dir, real) || strlen(real) > 200)
		return -1;
	strcpy(t->dir, real);
	*state = t;
	return 0;
}

static inline int temp_rm(
    const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)kind;
	(void)f;
	return remove(path);
}

static inline int temp_teardown(void **state)
{
	struct temp *t = *state;

	(void)nftw(t->dir, temp_rm, 16, FTW_DEPTH | FTW_PHYS);
	free(t);
	return 0;
}

static inline const char *temp_path(struct temp *t, const char *name)
{
	snprintf(t->path, sizeof(t->path), "%s/%s", t->dir, name);
	return t->path;
}

static inline void temp_write(
    struct temp *t, const char *name, int flags, const char *p, size_t n)
{
	int fd = open(temp_path(t, name), O_WRONLY | O_CREAT | flags, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
}

static inline void temp_put(struct temp *t, const char *name, const char *text)
{
	temp_write(t, name, O_TRUNC, text, strlen(text));
}

static inline void temp_append(struct temp *t, const char *name, const char *text)
{
	temp_write(t, name, O_APPEND, text, strlen(text));
}

static inline void temp_mkdir(struct temp *t, const char *name)
{
	assert_int_equal(mkdir(temp_path(t, name), 0700), 0);
}

static inline void temp_rename(struct temp *t, const char *from, const char *to)
{
	char old[512];

	snprintf(old, sizeof(old), "%s/%s", t->dir, from);
	assert_int_equal(rename(old, temp_path(t, to)), 0);
}

static inline void temp_symlink(struct temp *t, const char *target, const char *name)
{
	assert_int_equal(symlink(target, temp_path(t, name)), 0);
}

static inline void temp_unlink(struct temp *t, const char *name)
{
	assert_int_equal(unlink(temp_path(t, name)), 0);
}
