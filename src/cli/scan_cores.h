/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scan_cores - lines through a pipeline, by more than one core if there are many
 *
 * Lines are copied into slots, which processes of their own search (scan_worker.h); the
 * scan itself takes the slots in their order, decides, and searches for those jails
 * which that cannot be done for apart. Orders, verdicts and counts are exactly those of
 * one core: see filter_feed_known(). A slot whose worker died, or that has more matches
 * than there is room for, is searched by the scan.
 *
 * Bounds: SCAN_CORES_MAX workers, and two slots for each and two more, of 576 KiB of
 * lines and at most 2.2 MiB of what is found in them.
 */

#include "cli/inputs.h"
#include "pipeline/pipeline.h"

#define SCAN_CORES_MAX 64
#define SCAN_CORES_DEFAULT_MAX                                \
	8 /* beyond that deciding takes longer than searching \
	   */

struct scan_cores;

struct scan_cores_options {
	struct pipeline *pipeline; /* of no use to anybody else meanwhile */
	const uint32_t *jails;     /* that see all lines; ascend */
	uint32_t n_jails;
	unsigned int n_cores; /* 0: those that the process may use, if a long log
				 is worth it */
	size_t slot_bytes;    /* for tests: begin at once, with slots so small; or 0 */
};

/* @o->pipeline and @o->jails stay the caller's. Return: NULL: out of memory. */
struct scan_cores *scan_cores_new(const struct scan_cores_options *o);
struct scan_cores *scan_cores_free(struct scan_cores *c);
DEFINE_CLEANUP(struct scan_cores *, scan_cores_free)

/**
 * scan_cores_feed() - as pipeline_feed_block(), a while later
 * @out: orders of these lines, or of those before, are appended
 *
 * Return: 0, or -ENOMEM (some line was not counted).
 */
int scan_cores_feed(
    struct scan_cores *c, const struct inputs_lines *lines, struct orders *out);
int scan_cores_settle(struct scan_cores *c, struct orders *out); /* all of them */

size_t scan_cores_n_workers(const struct scan_cores *c);
size_t scan_cores_n_lost(const struct scan_cores *c); /* of these died */
