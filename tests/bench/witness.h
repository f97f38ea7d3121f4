/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * witness - notice that an address has come into a set of the kernel
 *
 * By subscription to nf_tables' notifications: the kernel sends one at the end of the
 * transaction, when the element is in force. That costs nothing while nothing happens.
 * Where a set is named, by asking for the element over and over instead.
 *
 * A witness that sleeps is woken by the kernel, which takes time; one that spins takes
 * a CPU, best one of its own. Either way what it tells is late by a little: see
 * stopwatch calibrate.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct witness;

struct witness_options {
	bool spins;     /* never sleep */
	bool is_pinned; /* to a CPU, with the process that opens the witness */
	uint32_t cpu;
	const char *table; /* inet; NULL: by subscription */
	const char *set;
};

struct witness *witness_open(const struct witness_options *o); /* NULL with errno */
struct witness *witness_close(struct witness *w);
DEFINE_CLEANUP(struct witness *, witness_close)

/**
 * witness_wait() - until the address is in the kernel
 * @addr_be:    IPv4, network order
 * @timeout_ns: from now on
 * @out_ns:     CLOCK_MONOTONIC, taken as soon as it was noticed
 *
 * Return: 0, -ETIMEDOUT, or negative errno.
 */
int witness_wait(
    struct witness *w, uint32_t addr_be, int64_t timeout_ns, int64_t *out_ns);

int64_t now_ns(void); /* CLOCK_MONOTONIC */
