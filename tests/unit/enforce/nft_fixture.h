/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the nft tests share: an open nft in a network namespace of the test's own. */

#include "enforce/nft_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "netns.h"

#define HOUR_MS INT64_C(3600000)

struct fixture {
	struct nft *n;
	struct err e;
	bool has_net;
	unsigned int n_failed;
	int last_error;
};

static struct net net(const char *text)
{
	struct net n = {{0}, 0};

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

static int enter(void **state)
{
	static struct fixture f;
	int r = netns_enter();

	f.has_net = r == 0;
	if (r < 0)
		printf("# no network namespace: %s\n", strerror(-r));
	*state = &f;
	return 0;
}

/* Before each test: a fresh rule set. */
static int start(void **state)
{
	struct fixture *f = *state;

	if (!f->has_net)
		return 0;
	assert_int_equal(netns_run("nft flush ruleset"), 0);
	f->n = nft_open(&nft_own_place, &f->e);
	if (!f->n)
		print_error("%s\n", f->e.text);
	f->n_failed = 0;
	f->last_error = 0;
	return f->n ? 0 : -1;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	f->n = nft_close(f->n);
	return 0;
}

static struct fixture *need_net(void **state)
{
	struct fixture *f = *state;

	if (!f->has_net)
		skip();
	return f;
}

static UNUSED void on_failed(void *ctx, const struct nft_change *c, int err)
{
	struct fixture *f = ctx;

	assert_non_null(c);
	f->n_failed++;
	f->last_error = err;
}

static UNUSED int apply(struct fixture *f, const struct nft_change *c, size_t n)
{
	return nft_apply(f->n, c, n, on_failed, f, &f->e);
}

static UNUSED struct nft_change change_add(
    uint32_t target, const char *text, int64_t timeout_ms)
{
	return (struct nft_change){true, target, net(text), timeout_ms};
}

static UNUSED struct nft_change change_remove(uint32_t target, const char *text)
{
	return (struct nft_change){false, target, net(text), 0};
}

static UNUSED void ban(
    struct fixture *f, uint32_t target, const char *text, int64_t timeout_ms)
{
	struct nft_change c = change_add(target, text, timeout_ms);

	assert_int_equal(apply(f, &c, 1), 0);
	assert_int_equal(f->n_failed, 0);
}

static UNUSED void unban(struct fixture *f, uint32_t target, const char *text)
{
	struct nft_change c = change_remove(target, text);

	assert_int_equal(apply(f, &c, 1), 0);
	assert_int_equal(f->n_failed, 0);
}

static UNUSED bool is_banned(struct fixture *f, uint32_t target, const char *text)
{
	struct net n = net(text);
	uint64_t packets, bytes;
	int r = nft_counter(f->n, target, &n, &packets, &bytes);

	assert_true(r == 0 || r == -ENOENT);
	return r == 0;
}

static UNUSED struct nft_elem elem(struct fixture *f, uint32_t target, const char *text)
{
	struct net n = net(text);
	struct nft_set s = nft_set_of(target, &n);
	struct nft_elem out = {0};
	char name[NFT_SET_NAME_ROOM];
	const uint8_t *key;
	size_t n_bytes;

	nft_set_name(&f->n->targets[target], &s, name);
	key = nft_set_key(&n, &n_bytes);
	assert_int_equal(nft_elem_read(f->n, NFT_TABLE, name, key, n_bytes, &out), 0);
	return out;
}
