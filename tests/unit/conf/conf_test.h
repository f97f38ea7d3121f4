/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * conf_test - what the tests of this room share: a folder of files, and mistakes as
 * text
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "conf/diag.h"

static char test_dir[64];

static inline int setup_dir(void **state)
{
	(void)state;
	strcpy(test_dir, "/tmp/bandog-test-XXXXXX");
	return mkdtemp(test_dir) ? 0 : -1;
}

static inline int remove_dir(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", test_dir);
	return system(command);
}

/* Write @content to @name in the test's folder, making the folders on the way. */
static inline void put_file(const char *name, const char *content)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", test_dir, name);
	for (char *p = path + strlen(test_dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		(void)mkdir(path, 0700); /* may be there */
		*p = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, content, strlen(content)), 0);
	close(fd);
}

/* All mistakes, one a line, without the test's folder. */
static inline const char *all_of(const struct diag *d)
{
	static char text[65536];
	size_t n_dir = strlen(test_dir);

	text[0] = '\0';
	for (size_t i = 0; i < d->n; i++) {
		struct buf b = BUF_INIT(4096);
		const char *line;

		diag_format(&d->items[i], &b);
		line = buf_str(&b);
		if (n_dir && strncmp(line, test_dir, n_dir) == 0)
			line += n_dir + (line[n_dir] == '/');
		strncat(text, line, sizeof(text) - strlen(text) - 1);
		strncat(text, "\n", sizeof(text) - strlen(text) - 1);
		buf_deinit(&b);
	}
	return text;
}

static inline void assert_says(const struct diag *d, const char *text)
{
	if (!strstr(all_of(d), text))
		fail_msg("expected \"%s\" in:\n%s", text, all_of(d));
}

static inline void assert_silent(const struct diag *d)
{
	if (d->n)
		fail_msg("expected no mistakes, got:\n%s", all_of(d));
}
