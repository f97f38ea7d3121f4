/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_guard - any bytes as what the guard reads of this machine: a session of logind,
 * records of utmp, messages of rtnetlink
 *
 * Whatever they say, who is logged in is one address that a stranger can have, and has
 * a process; and a gateway is an address.
 */

#include <assert.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <utmp.h>

#include "enforce/guard_changes.h"
#include "enforce/guard_logins.h"
#include "enforce/guard_sources.h"
#include "fuzz.h"

static void check(const struct guard_login *l)
{
	assert(l->pid > 0 && net_is_host(&l->net) && !net_is_id(&l->net));
	assert(!net_is_special(&l->net));
}

static int on_gateway(void *ctx, const struct net *n)
{
	size_t *left = ctx;

	assert(net_is_host(n) && !net_is_id(n));
	assert(*left > 0);
	--*left;
	return 0;
}

/* From memory of exactly that size, so that a sanitizer sees every step beyond it. */
static void read_route(const uint8_t *bytes, size_t n)
{
	struct nlmsghdr *h = malloc(n);
	size_t left = n / 8; /* the least that an address takes */

	assert(h);
	memcpy(h, bytes, n);
	if (h->nlmsg_len >= sizeof(*h) && h->nlmsg_len <= n)
		assert(guard_gateways_of_route(h, on_gateway, &left) == 0);
	free(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct guard_login l;

	if (guard_login_of_session((struct span){(const char *)bytes, n}, &l))
		check(&l);
	for (size_t i = 0; n - i >= sizeof(struct utmp); i += sizeof(struct utmp)) {
		if (guard_login_of_utmp(bytes + i, &l))
			check(&l);
	}
	bool matters = guard_changes_matter(bytes, n);

	assert(n > 0 || !matters);
	if (n >= sizeof(struct nlmsghdr))
		read_route(bytes, n);
	return 0;
}
