/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * promises - what the classes of rules promise, whatever comes and in whatever order
 *
 * Rules, a jail, hits, times, reloads and restarts are read from the bytes. Addresses
 * are of sorts that get evidence of some classes only, so that one knows what must not
 * become of them: who is only careless, or only good, is never banned; no network is
 * that holds an address with credit; what misconfiguration adds has its cap.
 */

#include <stddef.h>
#include <stdint.h>

struct promises_stats {
	uint64_t n_hits, n_bans, n_nets;
};

void promises_run(const uint8_t *bytes, size_t n, struct promises_stats *io);
