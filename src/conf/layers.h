/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * layers - which files make up "jail" or "filter.d/sshd", and what they say together
 *
 * fail2ban-compat 1.1: NAME.conf, NAME.d/x.conf, NAME.local, NAME.d/x.local, each with
 * the files it includes. Later files overwrite earlier ones option by option; the value
 * that was overwritten stays reachable as ini_option.prev. Each file is read once, each
 * set is merged once. Bounded by files in a set, files in all, and depth of includes.
 */

#include "conf/ini.h"

#define LAYERS_FILES_MAX 1000 /* in one set */
#define LAYERS_DEPTH_MAX 32   /* of includes */

struct override_list;

struct layers {
	struct arena *arena;
	struct diag *d;
	const char *dir;
	struct dict files;                /* path -> struct file */
	struct dict sets;                 /* name -> struct layer_set */
	const struct override_list *over; /* over all files; or NULL */
};

struct layer_set {
	struct ini all;
	bool is_found;  /* at least one file could be read */
	bool is_broken; /* a mistake in one of the files was reported */
	size_t n_files;
};

void layers_init(struct layers *ls, struct arena *a, struct diag *d, const char *dir);

/**
 * layers_read() - the set @name ("jail", "action.d/dummy"; absolute paths without
 * .conf)
 *
 * No file at all is no mistake here: is_found tells.
 *
 * Return: 0 or -ENOMEM.
 */
int layers_read(struct layers *ls, const char *name, const struct layer_set **out);

/* One named file with its includes and its .local. As above. */
int layers_read_file(struct layers *ls, const char *path, const struct layer_set **out);
