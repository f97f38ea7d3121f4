/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "source/split.h"

#define BLOCK_BYTES (256 * 1024)

struct reading {
	input_fn fn;
	void *ctx;
	uint64_t number;
	int result;
};

static void on_line(void *ctx, struct span text, UNUSED size_t whole_bytes)
{
	struct reading *r = ctx;

	r->number++;
	if (!r->result)
		r->result = r->fn(r->ctx, text, r->number);
}

static int read_blocks(int fd, struct split *s, char *block, struct reading *r)
{
	for (;;) {
		ssize_t n = read(fd, block, BLOCK_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		int e = split_feed(s, (struct span){block, (size_t)n}, on_line, r);

		if (e < 0 || r->result)
			return e;
	}
}

int input_read(const char *path, input_fn fn, void *ctx)
{
	struct reading r = {.fn = fn, .ctx = ctx};
	bool is_stdin = !strcmp(path, "-");
	CLEANUP(fd_closep)
	int fd =
	    is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	struct split *s = split_new(SPLIT_LINE_CAP);
	CLEANUP(freep) char *block = malloc(BLOCK_BYTES);
	int e = s && block ? read_blocks(fd, s, block, &r) : -ENOMEM;

	if (!e && !r.result)
		split_finish(s, on_line, &r);
	split_free(s);
	return e ? e : r.result;
}
