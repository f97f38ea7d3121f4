/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/blocks.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

struct blocks {
	int fd;
	bool is_begun; /* its kind is known */
	struct unpack *unpack;
	size_t n_head; /* bytes in room that were read to learn the kind */
	uint64_t n_bytes;
	char room[BLOCKS_BYTES];
};

struct blocks *blocks_new(int fd)
{
	struct blocks *b = malloc(sizeof(*b));

	if (!b)
		return NULL;
	b->fd = fd;
	b->is_begun = false;
	b->unpack = NULL;
	b->n_head = 0;
	b->n_bytes = 0;
	return b;
}

struct blocks *blocks_free(struct blocks *b)
{
	if (!b)
		return NULL;
	unpack_free(b->unpack);
	free(b);
	return NULL;
}

/* Return: bytes behind the first @at of the room, 0 at the end, or negative errno. */
static ssize_t read_room(struct blocks *b, size_t at)
{
	ssize_t n = read(b->fd, b->room + at, sizeof(b->room) - at);

	if (n < 0)
		return -errno;
	b->n_bytes += (uint64_t)n;
	return n;
}

/* The head first, then what follows. */
static ssize_t next_stored(void *ctx, const char **out)
{
	struct blocks *b = ctx;
	size_t n = b->n_head;

	*out = b->room;
	b->n_head = 0;
	return n ? (ssize_t)n : read_room(b, 0);
}

/* Return: 0 or negative errno. */
static int begin(struct blocks *b, struct err *e)
{
	enum unpack_kind kind;
	ssize_t n = 1;

	while (n > 0 && b->n_head < UNPACK_HEAD_BYTES) {
		n = read_room(b, b->n_head);
		if (n < 0)
			return n == -EINTR ? (int)n
					   : err_errno(e, (int)n, "cannot be read");
		b->n_head += (size_t)n;
	}
	kind = unpack_kind_of((struct span){b->room, b->n_head});
	if (kind != UNPACK_PLAIN) {
		b->unpack = unpack_new(kind, next_stored, b, e);
		if (!b->unpack)
			return -ENOSYS;
	}
	b->is_begun = true;
	return 0;
}

static int read_unpacked(struct blocks *b, struct span *out, struct err *e)
{
	int r;

	do {
		r = unpack_read(b->unpack, out, e);
	} while (r == 0 && out->n == 0);
	return r == UNPACK_END ? BLOCKS_END : r;
}

int blocks_read(struct blocks *b, struct span *out, struct err *e)
{
	int r = b->is_begun ? 0 : begin(b, e);
	const char *p;
	ssize_t n;

	if (r < 0)
		return r;
	if (b->unpack)
		return read_unpacked(b, out, e);
	n = next_stored(b, &p);
	if (n < 0)
		return n == -EINTR ? (int)n : err_errno(e, (int)n, "cannot be read");
	if (n == 0)
		return BLOCKS_END;
	*out = (struct span){p, (size_t)n};
	return 0;
}

uint64_t blocks_n_bytes(const struct blocks *b)
{
	return b->n_bytes;
}
