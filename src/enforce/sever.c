/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/sever.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "enforce/sever_link.h"

#define LISTING_SEQ 1

static int hear(void *ctx, const void *bytes, size_t n_bytes)
{
	struct sever_found *f = ctx;
	int r = sever_hear(f, LISTING_SEQ, bytes, n_bytes);

	return r ? r : f->is_over || f->is_full;
}

static int find(struct sever_found *f)
{
	_Alignas(struct nlmsghdr) char question[SEVER_LISTING_MAX_BYTES];

	return sever_list(
	    sever_put_listing(f->bans, f->n_bans, LISTING_SEQ, question), hear, f);
}

static int64_t cut(const struct sever_found *f, struct sever_ban *bans)
{
	int64_t total = sever_cut(f->sockets, f->n);

	for (size_t i = 0; i < f->n; i++)
		bans[f->sockets[i].ban].n_cut += f->sockets[i].is_cut;
	return total;
}

int sever(struct sever_ban *bans, size_t n)
{
	CLEANUP(freep)
	struct sever_socket *sockets = calloc(SEVER_MAX_SOCKETS, sizeof(*sockets));
	struct sever_found f = {
	    .bans = bans, .n_bans = n, .sockets = sockets, .room = SEVER_MAX_SOCKETS};

	assert(n <= SEVER_MAX_BANS);
	for (size_t i = 0; i < n; i++)
		bans[i].n_cut = 0;
	if (!sockets)
		return -ENOMEM;
	int r = n ? find(&f) : 0;

	/* What was found before a failure is to be cut all the same. */
	int64_t total = f.n ? cut(&f, bans) : 0;

	if (r < 0 || total < 0)
		return r < 0 ? r : (int)total;
	return f.is_full && total > 0 ? SEVER_MORE : 0;
}
