/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tail - one open log file, read as it grows
 *
 * The order in tail_read() is read first, then look whether the file is still the same,
 * then hand out. Asking before reading would leave a moment in which the file can be
 * truncated and written anew, and a block of the new file would be taken for the
 * continuation of the old.
 *
 * What is compared is all of the head that was ever read, whole lines or not. What goes
 * into the cursor covers whole lines only, since a later reader begins behind them.
 */
#include "source/tail.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "source/split.h"

/* A log that is watched live grows by a few lines at a time. */
#define SMALL_BLOCK_BYTES 16384

struct tail {
	int fd;
	struct split *split;
	struct cursor at;           /* but for the head, which tail_cursor() adds */
	uint64_t read_to;           /* at.offset + the unfinished line */
	char head[CURSOR_HEAD_MAX]; /* as it was read, up to min(read_to, its size) */
};

struct tail_call {
	struct tail *t;
	tail_fn fn;
	void *ctx;
};

/* Return: bytes, fewer than @n where the file ends; or negative errno. */
static ssize_t read_once(int fd, char *p, size_t n, uint64_t offset)
{
	ssize_t r;

	do {
		r = pread(fd, p, n, (off_t)offset);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/* As read_once(), but a file system that gives less at a time is asked again. */
static ssize_t read_at(int fd, char *p, size_t n, uint64_t offset)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = read_once(fd, p + done, n - done, offset + done);

		if (r < 0)
			return r;
		if (!r)
			break;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

static size_t head_bytes_of(uint64_t offset)
{
	return offset < CURSOR_HEAD_MAX ? (size_t)offset : CURSOR_HEAD_MAX;
}

/* Return: 0, or negative errno; *@out is where the last whole line ends. */
static int find_last_line_end(int fd, uint64_t size, uint64_t *out)
{
	CLEANUP(freep) char *block = malloc(SMALL_BLOCK_BYTES);
	uint64_t end = size;

	if (!block)
		return -ENOMEM;
	while (end) {
		size_t n = end < SMALL_BLOCK_BYTES ? (size_t)end : SMALL_BLOCK_BYTES;
		ssize_t r = read_at(fd, block, n, end - n);
		const char *nl;

		if (r < 0)
			return (int)r;
		nl = memrchr(block, '\n', (size_t)r);
		if (nl) {
			char next = 1;

			*out = end - n + (uint64_t)(nl - block) + 1;
			/* The second byte of a line end in UTF-16. */
			if (*out < size && read_at(fd, &next, 1, *out) == 1 && !next)
				++*out;
			return 0;
		}
		end -= n;
	}
	*out = 0;
	return 0;
}

/* Go to a known place: what lies before it has been handed out already. */
static int start_at(struct tail *t, uint64_t offset, uint64_t lines)
{
	size_t n = head_bytes_of(offset);
	ssize_t r = read_at(t->fd, t->head, n, 0);

	if (r < 0)
		return (int)r;
	/* Truncated at this very moment: the next read begins anew. */
	if ((size_t)r < n)
		memset(t->head + r, 0, n - (size_t)r);
	t->at.offset = t->read_to = offset;
	t->at.lines = lines;
	return 0;
}

static void restart(struct tail *t)
{
	split_reset(t->split);
	t->at.offset = t->read_to = 0;
	t->at.lines = 0;
}

static int choose_start(
    struct tail *t, const struct cursor *resume, bool at_end, uint64_t size)
{
	uint64_t offset = 0;
	int r;

	if (resume && tail_fits(t, resume))
		return start_at(t, resume->offset, resume->lines);
	if (at_end) {
		r = find_last_line_end(t->fd, size, &offset);
		if (r)
			return r;
	}
	return start_at(t, offset, 0);
}

struct tail *tail_new(int fd, const struct cursor *resume, bool at_end)
{
	CLEANUP(fd_closep) int own_fd = fd;
	CLEANUP(tail_freep) struct tail *t = NULL;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return NULL;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->fd = TAKE_FD(own_fd);
	t->at.dev = st.st_dev;
	t->at.ino = st.st_ino;
	t->split = split_new(SPLIT_LINE_CAP);
	r = t->split ? choose_start(t, resume, at_end, (uint64_t)st.st_size) : -ENOMEM;
	if (r) {
		t = tail_free(t);
		errno = -r;
		return NULL;
	}
	return TAKE(t);
}

struct tail *tail_free(struct tail *t)
{
	if (!t)
		return NULL;
	split_free(t->split);
	fd_closep(&t->fd);
	free(t);
	return NULL;
}

/* Return: 1 yes, 0 no (truncated or rewritten), or negative errno. */
static int is_same_file(const struct tail *t, bool at_end)
{
	char now[CURSOR_HEAD_MAX];
	size_t n = head_bytes_of(t->read_to);
	struct stat st;
	ssize_t r;

	if (at_end) {
		if (fstat(t->fd, &st) < 0)
			return -errno;
		if ((uint64_t)st.st_size < t->read_to)
			return 0;
	}
	r = read_at(t->fd, now, n, 0);
	if (r < 0)
		return (int)r;
	return (size_t)r == n && !memcmp(now, t->head, n);
}

void tail_set_unit(struct tail *t, enum decode_unit unit)
{
	split_set_unit(t->split, unit);
}

static void on_run(void *ctx, struct span lines, size_t n_lines, size_t whole_bytes)
{
	struct tail_call *c = ctx;

	c->t->at.offset += whole_bytes;
	c->t->at.lines += n_lines;
	c->fn(c->ctx, lines, n_lines);
}

static void take_block(struct tail_call *c, const char *block, size_t n)
{
	struct tail *t = c->t;

	if (t->read_to < CURSOR_HEAD_MAX) {
		size_t room = CURSOR_HEAD_MAX - (size_t)t->read_to;

		memcpy(t->head + t->read_to, block, n < room ? n : room);
	}
	t->read_to += n;
	split_feed_runs(t->split, (struct span){block, n}, on_run, c);
}

int tail_read(struct tail *t, size_t budget_bytes, tail_fn fn, void *ctx)
{
	CLEANUP(freep) char *big = NULL;
	char small[SMALL_BLOCK_BYTES];
	struct tail_call call = {t, fn, ctx};
	char *block = small;
	size_t room = sizeof(small);
	size_t left = budget_bytes;
	bool restarted = false;

	while (left) {
		size_t n = left < room ? left : room;
		ssize_t got = read_once(t->fd, block, n, t->read_to);
		int r;

		if (got < 0)
			return (int)got;
		r = is_same_file(t, !got);
		if (r < 0)
			return r;
		if (!r) {
			/* The other attempt is for a file that changes under our hands.
			 */
			if (restarted)
				return TAIL_RESTARTED;
			restart(t);
			restarted = true;
			continue;
		}
		take_block(&call, block, (size_t)got);
		left -= (size_t)got;
		if ((size_t)got < n)
			return restarted ? TAIL_RESTARTED : 0;
		if (!big && left && (big = malloc(TAIL_BLOCK_BYTES))) {
			block = big;
			room = TAIL_BLOCK_BYTES;
		}
	}
	return restarted ? TAIL_RESTARTED : TAIL_MORE;
}

bool tail_fits(const struct tail *t, const struct cursor *c)
{
	char head[CURSOR_HEAD_MAX];
	struct stat st;
	char end[2] = {0, 0};

	if (!c->offset)
		return !c->head_bytes;
	if (!c->head_bytes || c->head_bytes > CURSOR_HEAD_MAX ||
	    c->head_bytes > c->offset)
		return false;
	if (fstat(t->fd, &st) < 0 || c->offset > (uint64_t)st.st_size)
		return false;
	if (read_at(t->fd, head, c->head_bytes, 0) != (ssize_t)c->head_bytes)
		return false;
	if (hash_stable(head, c->head_bytes) != c->head_hash)
		return false;
	/* A little-endian line end of UTF-16 has a zero behind it. */
	uint64_t n = c->offset < 2 ? 1 : 2;

	return read_at(t->fd, end + 2 - n, n, c->offset - n) == (ssize_t)n &&
	       (end[1] == '\n' || (end[0] == '\n' && !end[1]));
}

void tail_cursor(const struct tail *t, struct cursor *out)
{
	*out = t->at;
	out->head_bytes = (uint32_t)head_bytes_of(t->at.offset);
	out->head_hash = out->head_bytes ? hash_stable(t->head, out->head_bytes) : 0;
}

int tail_fd(const struct tail *t)
{
	return t->fd;
}

uint64_t tail_n_cut(const struct tail *t)
{
	return split_n_cut(t->split);
}
