/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"

static const char *const folders[] = {"filter.d", "action.d"};
static const char *const names[] = {"jail.conf", "jail.local", "bandog.conf",
    "filter.d/postfix.conf", "filter.d/other.conf", "action.d/iptables.conf",
    "action.d/plain.conf", "action.d/word.conf", "action.d/inert.conf",
    "action.d/mine.conf", "filter.d/postfix.local"};

void config_folder_make(struct config_folder *f)
{
	char path[96];
	const char *tmp = getenv("TMPDIR");

	snprintf(
	    f->dir, sizeof(f->dir), "%.30s/bandog-test-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
}

void config_folder_write(struct config_folder *f, const char *name, const char *text)
{
	char path[128];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(fd_replace_file(path, span_of(text), 0600, &e), 0);
}

void config_folder_remove(struct config_folder *f)
{
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		(void)unlink(path);
	}
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, folders[i]);
		assert_int_equal(rmdir(path), 0);
	}
	assert_int_equal(rmdir(f->dir), 0);
}

static void print_diag(const struct diag *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct buf b = BUF_INIT(4096);

		diag_format(&d->items[i], &b);
		print_message("# %s\n", buf_str(&b));
		buf_deinit(&b);
	}
}

struct setup *config_folder_setup(struct config_folder *f, struct diag *d)
{
	struct diag own = {0};
	struct diag *used = d ? d : &own;
	struct conf *c = conf_load(f->dir, NULL, 0, used);
	struct setup *s = NULL;

	assert_non_null(c);
	assert_int_equal(setup_build(c, used, &s), 0);
	assert_non_null(s);
	if (!d) {
		print_diag(&own);
		assert_int_equal(own.n_errors, 0);
	}
	diag_deinit(&own);
	conf_free(c);
	return s;
}
