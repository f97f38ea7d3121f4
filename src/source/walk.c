/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk - from a glob to the files it means, telling every directory asked on the way
 *
 * Two paths grow and shrink together with the recursion: `path` as the glob spells it,
 * and `real`, which never has a symbolic link in it, so that ".." is simply its parent.
 * What is still to go is a string; the target of a link is put in front of it, and
 * `literal_end` remembers up to where a `*` is only a `*`.
 */
#include "source/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Components of a path, those of links on the way included. */
#define MAX_DEPTH 256

struct walk {
	const struct walk_fns *fns;
	unsigned int depth;
	unsigned int n_links;
	size_t path_n, real_n;
	char path[PATH_MAX];
	char real[PATH_MAX];
};

struct todo {
	const char *p;
	const char *literal_end; /* components that begin before it are no patterns */
};

static int walk_on(struct walk *k, struct todo todo);

static void dir_closep(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool has_magic(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '*' || s.p[i] == '?' || s.p[i] == '[')
			return true;
	return false;
}

bool walk_name_fits(const char *component, bool is_pattern, const char *name)
{
	if (!is_pattern)
		return !strcmp(component, name);
	return !fnmatch(component, name, FNM_NOESCAPE | FNM_PERIOD);
}

int walk_identify(
    int dirfd, const char *path, struct walk_identity *out, unsigned int *mode)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*path ? 0 : AT_EMPTY_PATH);
	unsigned int want = STATX_TYPE | STATX_INO | STATX_BTIME;
	struct statx sx;

	if (statx(dirfd, path, flags, want, &sx) < 0)
		return -errno;
	*out = (struct walk_identity){
	    .dev = makedev(sx.stx_dev_major, sx.stx_dev_minor),
	    .ino = sx.stx_ino,
	};
	if (sx.stx_mask & STATX_BTIME)
		out->born_ns =
		    sx.stx_btime.tv_sec * INT64_C(1000000000) + sx.stx_btime.tv_nsec;
	*mode = sx.stx_mode;
	return 0;
}

/* Return: 0 or -ENAMETOOLONG, then nothing is changed. */
static int push(char *path, size_t *path_n, struct span name)
{
	size_t slash = *path_n > 1; /* "/" has it already */

	if (*path_n + slash + name.n >= PATH_MAX)
		return -ENAMETOOLONG;
	if (slash)
		path[(*path_n)++] = '/';
	memcpy(path + *path_n, name.p, name.n);
	*path_n += name.n;
	path[*path_n] = '\0';
	return 0;
}

static void cut(char *path, size_t *path_n, size_t to)
{
	*path_n = to;
	path[to] = '\0';
}

static size_t parent_bytes(const char *path, size_t n)
{
	while (n > 1 && path[n - 1] != '/')
		n--;
	return n > 1 ? n - 1 : 1;
}

static void tell_trouble(struct walk *k, enum walk_trouble what, int error)
{
	k->fns->trouble(k->fns->ctx, what, k->path, error);
}

/*
 * Not being there is no trouble. A path that is too long or not allowed counts as not
 * being there, with a note: those a stranger with a folder of his own can make, and he
 * must not keep the caller from seeing what else is gone.
 */
static void tell_errno(struct walk *k, int error)
{
	if (error == ENOENT || error == ENOTDIR)
		return;
	if (error == EACCES || error == EPERM)
		tell_trouble(k, WALK_FORBIDDEN, error);
	else if (error == ELOOP || error == ENAMETOOLONG)
		tell_trouble(k, WALK_TOO_DEEP, error);
	else
		tell_trouble(k, WALK_CANNOT_LOOK, error);
}

/* Return: malloc'd "target/rest" and where the target's part of it ends; or NULL. */
static char *put_in_front(
    const char *target, size_t target_n, struct todo rest, struct todo *out)
{
	size_t rest_n = strlen(rest.p);
	size_t literal_n =
	    rest.literal_end > rest.p ? (size_t)(rest.literal_end - rest.p) : 0;
	char *s = malloc(target_n + 1 + rest_n + 1);

	if (!s)
		return NULL;
	memcpy(s, target, target_n);
	s[target_n] = '/';
	memcpy(s + target_n + 1, rest.p, rest_n + 1);
	*out = (struct todo){s, s + target_n + 1 + literal_n};
	return s;
}

/* `real` is the link itself, and is it again afterwards. */
static int follow_link(struct walk *k, struct todo rest)
{
	CLEANUP(freep) char *saved = NULL;
	CLEANUP(freep) char *joined = NULL;
	char target[PATH_MAX];
	size_t saved_n = k->real_n;
	ssize_t n = readlink(k->real, target, sizeof(target) - 1);
	struct todo todo;
	int r;

	if (n < 0) {
		tell_errno(k, errno);
		return 0;
	}
	if (k->n_links == WALK_MAX_LINKS) {
		tell_errno(k, ELOOP);
		return 0;
	}
	saved = strdup(k->real);
	joined = put_in_front(target, (size_t)n, rest, &todo);
	if (!saved || !joined)
		return -ENOMEM;
	cut(k->real, &k->real_n, *target == '/' ? 1 : parent_bytes(k->real, k->real_n));
	k->n_links++;
	r = walk_on(k, todo);
	k->n_links--;
	memcpy(k->real, saved, saved_n + 1);
	k->real_n = saved_n;
	return r;
}

static bool is_at_end(struct todo todo)
{
	return !todo.p[strspn(todo.p, "/")];
}

/* `real` and `path` have just got a name that may or may not be there. */
static int look(struct walk *k, struct todo rest, bool by_pattern)
{
	struct walk_found f = {.path = k->path, .real = k->real};
	unsigned int mode;
	int r = walk_identify(AT_FDCWD, k->real, &f.id, &mode);

	if (r) {
		tell_errno(k, -r);
		return 0;
	}
	if (S_ISLNK(mode))
		return follow_link(k, rest);
	if (!is_at_end(rest))
		return S_ISDIR(mode) ? walk_on(k, rest) : 0;
	if (S_ISREG(mode))
		return k->fns->found(k->fns->ctx, &f);
	/* A pattern like "*" means the files of a directory; folders among them are
	 * usual. */
	if (!S_ISDIR(mode) || !by_pattern)
		tell_trouble(k, WALK_NOT_REGULAR, 0);
	return 0;
}

/* @in_path: the name belongs to the glob, not to the target of a link. */
static int step(
    struct walk *k, struct span name, struct todo rest, bool in_path, bool by_pattern)
{
	size_t real_n = k->real_n;
	size_t path_n = k->path_n;
	int r = push(k->real, &k->real_n, name);

	if (!r && in_path)
		r = push(k->path, &k->path_n, name);
	if (r) {
		tell_errno(k, -r);
		r = 0;
	} else {
		r = look(k, rest, by_pattern);
	}
	cut(k->real, &k->real_n, real_n);
	cut(k->path, &k->path_n, path_n);
	return r;
}

static int step_all(struct walk *k, struct span pattern, struct todo rest)
{
	CLEANUP(freep) char *component = span_dup(pattern);
	CLEANUP(dir_closep) DIR *d = NULL;
	const struct dirent *e;
	int r = 0;

	if (!component)
		return -ENOMEM;
	d = opendir(k->real);
	if (!d) {
		tell_errno(k, errno);
		return 0;
	}
	while (!r && (errno = 0, e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (walk_name_fits(component, true, e->d_name))
			r = step(k, span_of(e->d_name), rest, true, true);
	}
	if (!r && errno)
		tell_errno(k, errno);
	return r;
}

static int step_up(struct walk *k, struct todo rest, bool in_path)
{
	CLEANUP(freep) char *saved = strdup(k->real);
	size_t saved_n = k->real_n;
	size_t path_n = k->path_n;
	int r;

	if (!saved)
		return -ENOMEM;
	cut(k->real, &k->real_n, parent_bytes(k->real, k->real_n));
	if (in_path && push(k->path, &k->path_n, SPAN("..")))
		tell_errno(k, ENAMETOOLONG);
	r = walk_on(k, rest);
	memcpy(k->real, saved, saved_n + 1);
	k->real_n = saved_n;
	cut(k->path, &k->path_n, path_n);
	return r;
}

static int walk_on(struct walk *k, struct todo todo)
{
	const char *p = todo.p + strspn(todo.p, "/");
	struct span name = {p, strcspn(p, "/")};
	struct todo rest = {p + name.n, todo.literal_end};
	bool in_path = p >= todo.literal_end;
	bool is_pattern = in_path && has_magic(name);
	int r;

	if (!name.n) {
		tell_trouble(k, WALK_NOT_REGULAR, 0);
		return 0;
	}
	if (k->depth == MAX_DEPTH) {
		tell_errno(k, ENAMETOOLONG);
		return 0;
	}
	k->depth++;
	if (span_eq(name, SPAN("."))) {
		r = walk_on(k, rest);
	} else if (span_eq(name, SPAN(".."))) {
		r = step_up(k, rest, in_path);
	} else {
		k->fns->dir(k->fns->ctx, k->real, name, is_pattern);
		r = is_pattern ? step_all(k, name, rest)
			       : step(k, name, rest, in_path, false);
	}
	k->depth--;
	return r;
}

int walk_glob(const char *glob, const struct walk_fns *fns)
{
	CLEANUP(freep) struct walk *k = NULL;

	if (*glob != '/')
		return -EINVAL;
	k = malloc(sizeof(*k));
	if (!k)
		return -ENOMEM;
	*k = (struct walk){.fns = fns, .path_n = 1, .real_n = 1};
	strcpy(k->path, "/");
	strcpy(k->real, "/");
	return walk_on(k, (struct todo){glob, glob});
}
