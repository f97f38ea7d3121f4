/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * record_test - what the tests of this room share: short ways to make bans
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* wants the above before it */

#include "record/db.h"

#define T0 INT64_C(1795420764123456)

static inline struct net net_of(const char *text)
{
	struct net n;

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

/* A ban from @at_sec to @until_sec after T0, without evidence. */
static inline struct order ban_of(const char *net, int64_t at_sec, int64_t until_sec)
{
	return (struct order){
	    .op = ORDER_BAN,
	    .cause = ORDER_BY_RULE,
	    .net = net_of(net),
	    .at = {T0 + at_sec * US_PER_SEC},
	    .until = {T0 + until_sec * US_PER_SEC},
	    .failures = 5,
	};
}

static inline wall_t t_plus(int64_t sec)
{
	return (wall_t){T0 + sec * US_PER_SEC};
}

/* A folder of its own per test, gone with it. */
struct place {
	char dir[64];
	char path[96];
};

static inline int place_set_up(void **state)
{
	static struct place p;

	/* In memory where that is possible: the disk under test may be busy. */
	(void)snprintf(p.dir, sizeof(p.dir), "/dev/shm/bandog-record-XXXXXX");
	if (!mkdtemp(p.dir)) {
		(void)snprintf(p.dir, sizeof(p.dir), "/tmp/bandog-record-XXXXXX");
		if (!mkdtemp(p.dir))
			return -1;
	}
	(void)snprintf(p.path, sizeof(p.path), "%s/bandog.db", p.dir);
	*state = &p;
	return 0;
}

static inline int place_tear_down(void **state)
{
	struct place *p = *state;
	char command[96];

	(void)snprintf(command, sizeof(command), "rm -rf %s", p->dir);
	return system(command);
}
