/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layers - lists of files
 */

#include "conf/layers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "conf/interp.h"
#include "conf/merge.h"
#include "conf/override.h"

enum file_state { FILE_MISSING, FILE_UNREADABLE, FILE_READ };

struct file {
	const char *path;
	enum file_state state;
	struct ini ini;
};

/* The files of a set in the order in which they count. */
struct file_list {
	struct file *files[LAYERS_FILES_MAX];
	size_t n;
	bool is_broken;
};

struct chain {
	const struct chain *up;
	const char *path;
	unsigned int depth;
};

static int expand_file(struct layers *ls, struct file_list *list, const char *path,
    const struct chain *up);

void layers_init(struct layers *ls, struct arena *a, struct diag *d, const char *dir)
{
	*ls = (struct layers){.arena = a,
	    .d = d,
	    .dir = dir,
	    .files = DICT_INIT(a),
	    .sets = DICT_INIT(a)};
}

static const char *join(struct arena *a, const char *p, const char *q, const char *r)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(PATH_MAX);

	buf_add_str(&b, p);
	buf_add_str(&b, q);
	buf_add_str(&b, r);
	/* A path that long opens nothing; the empty one does not either. */
	return arena_dup(a, b.failed ? SPAN("") : buf_span(&b));
}

static int read_content(struct layers *ls, struct file *f)
{
	CLEANUP(buf_deinit) struct buf content = BUF_INIT(INI_FILE_MAX);
	struct conf_place at = {.file = f->path};
	int r = *f->path ? fd_read_file(AT_FDCWD, f->path, &content) : -ENOENT;

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		f->state = FILE_UNREADABLE;
		if (r == -EFBIG)
			diag_add(ls->d, DIAG_ERROR, at,
			    "the file is larger than %zu MiB", INI_FILE_MAX >> 20);
		else
			diag_add(
			    ls->d, DIAG_ERROR, at, "cannot be read: %s", strerror(-r));
		return 0;
	}
	f->state = FILE_READ;
	return ini_parse(ls->arena, buf_span(&content), f->path, ls->d, &f->ini);
}

static int get_file(struct layers *ls, const char *path, struct file **out)
{
	struct file *f = dict_find(&ls->files, span_of(path));
	int r;

	if (!f) {
		f = arena_alloc(ls->arena, sizeof(*f));
		if (!f)
			return -ENOMEM;
		f->path = path;
		r = read_content(ls, f);
		if (r < 0 || (r = dict_put(&ls->files, path, f)) < 0)
			return r;
	}
	*out = f;
	return 0;
}

static bool is_on_chain(const struct chain *c, const char *path)
{
	for (; c; c = c->up)
		if (strcmp(c->path, path) == 0)
			return true;
	return false;
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static const char *local_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');
	size_t n =
	    dot && dot > path && dot[-1] != '/' ? (size_t)(dot - path) : strlen(path);
	char *stem = arena_dup(a, (struct span){path, n});

	return stem ? join(a, stem, ".local", "") : NULL;
}

static const char *resolve_include(struct arena *a, const char *from, struct span name)
{
	const char *slash = strrchr(from, '/');
	char *text = arena_dup(a, name);
	char *dir = arena_dup(
	    a, (struct span){
		   from, slash && name.p[0] != '/' ? (size_t)(slash - from + 1) : 0});

	return text && dir ? join(a, dir, text, "") : NULL;
}

static int include(struct layers *ls, struct file_list *list, const char *path,
    const struct chain *up, struct conf_place at)
{
	const char *local;
	struct file *f;
	int r;

	if (is_on_chain(up, path))
		return 0;
	if (up->depth >= LAYERS_DEPTH_MAX) {
		diag_add(ls->d, DIAG_ERROR, at, "includes nest deeper than %d files",
		    LAYERS_DEPTH_MAX);
		list->is_broken = true;
		return 0;
	}
	r = get_file(ls, path, &f);
	if (r < 0)
		return r;
	if (f->state == FILE_MISSING && !span_ends(span_of(path), SPAN(".local")))
		diag_add(
		    ls->d, DIAG_WARNING, at, "there is no file '%s' to include", path);
	r = expand_file(ls, list, path, up);
	if (r < 0)
		return r;
	local = local_of(ls->arena, path);
	if (!local)
		return -ENOMEM;
	if (strcmp(local, path) == 0 || !is_file(local))
		return 0;
	return expand_file(ls, list, local, up);
}

static int include_option(struct layers *ls, struct file_list *list, struct file *f,
    struct span option, const struct chain *chain)
{
	struct interp in = {.arena = ls->arena,
	    .d = ls->d,
	    .ini = &f->ini,
	    .section = ini_find_section(&f->ini, SPAN("INCLUDES"))};
	struct conf_place at;
	struct text value;
	struct span line;
	size_t pos = 0;
	int r;

	if (!in.section)
		return 0;
	r = interp_get(&in, option, &value);
	if (r == -EINVAL)
		list->is_broken = true;
	if (r)
		return r == -ENOMEM ? r : 0;
	while (text_next_line(&value, &pos, &line, &at)) {
		const char *path = resolve_include(ls->arena, f->path, line);

		if (!path)
			return -ENOMEM;
		r = include(ls, list, path, chain, at);
		if (r < 0)
			return r;
	}
	return 0;
}

static void add_to_list(struct layers *ls, struct file_list *list, struct file *f)
{
	if (list->n == LAYERS_FILES_MAX) {
		diag_add(ls->d, DIAG_ERROR, (struct conf_place){.file = f->path},
		    "more than %d files with their includes", LAYERS_FILES_MAX);
		list->is_broken = true;
		return;
	}
	list->files[list->n++] = f;
}

static int expand_file(
    struct layers *ls, struct file_list *list, const char *path, const struct chain *up)
{
	struct chain chain = {.up = up, .path = path, .depth = up ? up->depth + 1 : 0};
	struct file *f;
	int r;

	/* Files that include two others each would otherwise be walked 2^32 times. */
	if (list->n == LAYERS_FILES_MAX && list->is_broken)
		return 0;
	r = get_file(ls, path, &f);
	if (r < 0)
		return r;
	if (f->state == FILE_UNREADABLE)
		list->is_broken = true;
	if (f->state != FILE_READ)
		return 0;
	r = include_option(ls, list, f, SPAN("before"), &chain);
	if (r < 0)
		return r;
	add_to_list(ls, list, f);
	return include_option(ls, list, f, SPAN("after"), &chain);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The files DIR/x@suffix, sorted by name. */
static int expand_dir(
    struct layers *ls, struct file_list *list, const char *dir, const char *suffix)
{
	const char *paths[LAYERS_FILES_MAX];
	struct dirent *entry;
	size_t n = 0;
	int r = 0;
	DIR *handle = opendir(dir);

	if (!handle)
		return 0;
	while (r == 0 && n < LAYERS_FILES_MAX && (entry = readdir(handle))) {
		if (entry->d_name[0] == '.' ||
		    !span_ends(span_of(entry->d_name), span_of(suffix)))
			continue;
		paths[n] = join(ls->arena, dir, "/", entry->d_name);
		r = paths[n] ? 0 : -ENOMEM;
		n++;
	}
	(void)closedir(handle); /* only read */
	if (r == 0)
		qsort(paths, n, sizeof(paths[0]), compare_paths);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = expand_file(ls, list, paths[i], NULL);
	return r;
}

static int expand_name(struct layers *ls, struct file_list *list, const char *base)
{
	const char *conf = join(ls->arena, base, ".conf", "");
	const char *local = join(ls->arena, base, ".local", "");
	const char *dir = join(ls->arena, base, ".d", "");
	int r;

	if (!conf || !local || !dir)
		return -ENOMEM;
	r = expand_file(ls, list, conf, NULL);
	if (r == 0)
		r = expand_dir(ls, list, dir, ".conf");
	if (r == 0)
		r = expand_file(ls, list, local, NULL);
	if (r == 0)
		r = expand_dir(ls, list, dir, ".local");
	return r;
}

static int merge_list(
    struct layers *ls, const struct file_list *list, struct layer_set *set)
{
	int r = 0;

	ini_init(&set->all, ls->arena);
	for (size_t i = 0; r == 0 && i < list->n; i++)
		r = merge_file(ls->arena, &set->all, &list->files[i]->ini);
	set->n_files = list->n;
	set->is_found = list->n > 0;
	set->is_broken = list->is_broken || set->all.is_broken;
	return r;
}

/* What was set at run time belongs to the jails, or to the file for the whole. */
static int merge_overrides(struct layers *ls, const char *key, struct layer_set *set)
{
	bool is_jails = strcmp(key, "jail") == 0;
	/* Without bandog.conf all is in what fail2ban.conf says, if there is one. */
	bool is_last = strcmp(key, "fail2ban") == 0;

	if (!ls->over || (!is_jails && !is_last && strcmp(key, "bandog") != 0) ||
	    (!is_last && !set->is_found))
		return 0;
	return override_merge(ls->arena, ls->over, !is_jails, &set->all);
}

static int finish_set(struct layers *ls, const char *key, const struct file_list *list,
    const struct layer_set **out)
{
	struct layer_set *set = arena_alloc(ls->arena, sizeof(*set));
	char *copy = arena_dup(ls->arena, span_of(key));
	int r = set && copy ? merge_list(ls, list, set) : -ENOMEM;

	if (r == 0)
		r = merge_overrides(ls, key, set);
	if (r == 0)
		r = dict_put(&ls->sets, copy, set);
	if (r == 0)
		*out = set;
	return r;
}

int layers_read(struct layers *ls, const char *name, const struct layer_set **out)
{
	CLEANUP(freep) struct file_list *list = NULL;
	const char *base;
	int r;

	*out = dict_find(&ls->sets, span_of(name));
	if (*out)
		return 0;
	list = calloc(1, sizeof(*list));
	base = name[0] == '/' ? name : join(ls->arena, ls->dir, "/", name);
	if (!list || !base)
		return -ENOMEM;
	r = expand_name(ls, list, base);
	return r < 0 ? r : finish_set(ls, name, list, out);
}

int layers_read_file(struct layers *ls, const char *path, const struct layer_set **out)
{
	CLEANUP(freep) struct file_list *list = NULL;
	const char *copy, *local;
	int r;

	list = calloc(1, sizeof(*list));
	copy = arena_dup(ls->arena, span_of(path));
	local = copy ? local_of(ls->arena, copy) : NULL;
	if (!list || !local)
		return -ENOMEM;
	r = expand_file(ls, list, copy, NULL);
	if (r == 0 && is_file(local))
		r = expand_file(ls, list, local, NULL);
	return r < 0 ? r : finish_set(ls, path, list, out);
}
