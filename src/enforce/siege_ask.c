/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/sever_link.h"
#include "enforce/siege_wire.h"

#define SEQ 1

static int hear_listeners(void *ctx, const void *bytes, size_t n_bytes)
{
	struct siege_waiting *w = ctx;
	int r = siege_hear_listeners(w, SEQ, bytes, n_bytes);

	return r ? r : w->is_over;
}

static int hear_connections(void *ctx, const void *bytes, size_t n_bytes)
{
	struct siege_found *f = ctx;
	int r = siege_hear_connections(f, SEQ, bytes, n_bytes);

	return r ? r : f->is_over || f->is_full;
}

int siege_ask_waiting(struct siege_waiting *w)
{
	_Alignas(struct nlmsghdr) char question[SIEGE_QUESTION_BYTES];

	return sever_list(siege_put_listeners(SEQ, question), hear_listeners, w);
}

int siege_ask_silent(struct siege_found *f)
{
	_Alignas(struct nlmsghdr) char question[SIEGE_QUESTION_BYTES];

	return sever_list(
	    siege_put_connections(f->siege, SEQ, question), hear_connections, f);
}
