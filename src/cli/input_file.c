/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "source/blocks.h"

struct input_file {
	struct blocks *blocks;
	struct split *split;
	struct span block; /* what is left of it */
	int end;           /* once there is no more: INPUT_FILE_END or negative errno */
	struct err error;
};

int input_open(const char *path, struct err *e)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
				   : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? err_errno(e, -errno, "cannot be opened") : fd;
}

struct input_file *input_file_new(int fd)
{
	CLEANUP(input_file_freep) struct input_file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->blocks = blocks_new(fd);
	f->split = split_new(SPLIT_LINE_CAP);
	return f->blocks && f->split ? TAKE(f) : NULL;
}

struct input_file *input_file_free(struct input_file *f)
{
	if (!f)
		return NULL;
	split_free(f->split);
	blocks_free(f->blocks);
	free(f);
	return NULL;
}

int input_file_next(struct input_file *f, struct split_run *out, struct err *e)
{
	while (!split_next_run(f->split, &f->block, out)) {
		int r = f->end ? f->end : blocks_read(f->blocks, &f->block, &f->error);

		if (r == 0)
			continue;
		if (r == -EINTR)
			return r;
		f->end = r == BLOCKS_END ? INPUT_FILE_END : r;
		if (split_last_run(f->split, out))
			return 0;
		if (r < 0 && e)
			*e = f->error;
		return f->end;
	}
	return 0;
}

uint64_t input_file_n_bytes(const struct input_file *f)
{
	return blocks_n_bytes(f->blocks);
}
