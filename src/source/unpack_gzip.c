/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unpack, gzip by zlib: RFC 1952, members behind each other, zeros behind the last. */
#include <errno.h>
#include <stdbool.h>

#define ZLIB_CONST
#include <zlib.h>

#include "source/unpack_way.h"

#define ROOM_BYTES (128 * 1024)
#define ONLY_GZIP \
	(16 + MAX_WBITS) /* and the largest window; as inflateInit2() wants it */

struct gunzip {
	z_stream z;
	unpack_source_fn fn;
	void *ctx;
	bool is_within; /* a member is begun and not ended */
	uint64_t n_members;
	int end; /* once there is no more: UNPACK_END or negative errno */
	struct err error;
	char room[ROOM_BYTES];
};

static void destroy(void *state)
{
	struct gunzip *g = state;

	(void)inflateEnd(&g->z); /* fails for what was never begun */
	free(g);
}

static void *create(
    UNUSED enum unpack_kind kind, unpack_source_fn fn, void *ctx, struct err *e)
{
	struct gunzip *g = calloc(1, sizeof(*g));

	if (!g || inflateInit2(&g->z, ONLY_GZIP) != Z_OK) {
		free(g);
		err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	g->fn = fn;
	g->ctx = ctx;
	return g;
}

/* There is nothing more to unpack in what was read. Return: 0 or -EINTR. */
static int refill(struct gunzip *g)
{
	const char *p = NULL;
	ssize_t n = g->fn(g->ctx, &p);

	if (n == -EINTR)
		return (int)n;
	if (n < 0)
		g->end = err_errno(&g->error, (int)n, "cannot be read");
	else if (n == 0 && g->is_within)
		g->end = err_set(&g->error, -EBADMSG, "cut off: its end is missing");
	else if (n == 0)
		g->end = UNPACK_END;
	g->z.next_in = (const Bytef *)p;
	g->z.avail_in = n > 0 ? (uInt)n : 0;
	return 0;
}

static void begin_member(struct gunzip *g)
{
	while (g->n_members && g->z.avail_in && !*g->z.next_in) {
		g->z.next_in++;
		g->z.avail_in--;
	}
	if (!g->z.avail_in)
		return;
	(void)inflateReset(&g->z);
	g->is_within = true;
}

static void unpack_some(struct gunzip *g)
{
	int r = inflate(&g->z, Z_NO_FLUSH);

	if (r == Z_STREAM_END) {
		g->is_within = false;
		g->n_members++;
	} else if (r != Z_OK && r != Z_BUF_ERROR) {
		g->end = err_set(&g->error, -EBADMSG, "%s: %s",
		    g->n_members && !g->z.total_out ? "what stands behind it"
						    : "damaged",
		    g->z.msg ? g->z.msg : "invalid data");
	}
}

static int read_gzip(void *state, struct span *out, struct err *e)
{
	struct gunzip *g = state;
	int r = 0;

	g->z.next_out = (Bytef *)g->room;
	g->z.avail_out = sizeof(g->room);
	while (!r && !g->end && g->z.avail_out) {
		if (!g->z.avail_in)
			r = refill(g);
		else if (!g->is_within)
			begin_member(g);
		else
			unpack_some(g);
	}
	if (g->z.avail_out < sizeof(g->room)) {
		*out = (struct span){g->room, sizeof(g->room) - g->z.avail_out};
		return 0;
	}
	if (g->end < 0)
		*e = g->error;
	return r ? r : g->end;
}

const struct unpack_way unpack_gzip = {create, destroy, read_gzip};
