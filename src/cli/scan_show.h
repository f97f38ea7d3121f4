/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scan_show - what a replay found, on standard output: text for people, or JSON
 *
 * Gathered, and written in pieces of 64 KiB. The first write that fails is remembered.
 */

#include "cli/scan_progress.h"
#include "pipeline/setup.h"

struct scan_show {
	const struct setup *setup;
	bool json;
	struct buf out;
	struct scan_progress progress; /* gives way to what is written */
	int error;                     /* negative errno of a write */
};

struct scan_totals {
	uint64_t n_lines, n_matched, n_bans, n_addresses;
	double seconds;
	bool is_interrupted;
	struct inputs_progress reached; /* if so */
};

void scan_show_init(struct scan_show *s, const struct setup *setup, bool json);
void scan_show_deinit(struct scan_show *s);
void scan_show_order(struct scan_show *s, const struct order *o);
void scan_show_totals(struct scan_show *s, const struct scan_totals *t);

/* Return: 0 or the negative errno of the first write that failed. */
int scan_show_flush(struct scan_show *s);
