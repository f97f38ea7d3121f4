/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* scan_apply - put blocks into force: through the daemon, or without one in the kernel.
 */

#include "base/net.h"
#include "cli/scan_tail.h"
#include "enforce/guard.h"

struct scan_block {
	struct net net;
	wall_t until; /* WALL_NEVER: for ever */
};

/* What is never blocked here; says what of it could not be read. NULL: out of memory.
 */
struct guard *scan_guard(void);

/* Return: exit code; says in words what was done and what was refused. */
int scan_apply(const struct cli_options *common, const struct scan_tail_options *o,
    const struct scan_block *blocks, size_t n, wall_t now);
