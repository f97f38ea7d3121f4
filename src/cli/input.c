/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/input.h"

#include <errno.h>

#include "base/fd.h"
#include "cli/input_file.h"

static int read_run(struct span lines, uint64_t number, input_fn fn, void *ctx)
{
	struct span text;
	int r = 0;

	while (!r && span_next_line(&lines, &text))
		r = fn(ctx, text, number++);
	return r;
}

int input_read(const char *path, input_fn fn, void *ctx, struct err *e)
{
	CLEANUP(fd_closep) int fd = input_open(path, e);
	CLEANUP(input_file_freep)
	struct input_file *f = fd < 0 ? NULL : input_file_new(fd);
	uint64_t number = 1;
	struct split_run run = {.n_lines = 0};
	int r = 0;

	if (fd < 0)
		return fd;
	if (!f)
		return err_set(e, -ENOMEM, "out of memory");
	while (!r) {
		r = input_file_next(f, &run, e);
		if (r == INPUT_FILE_END)
			return 0;
		if (r < 0 && r != -EINTR)
			return r;
		r = r ? 0 : read_run(run.lines, number, fn, ctx);
		number += run.n_lines;
	}
	return r < 0 ? err_set(e, r, "%s", strerror(-r)) : r;
}
