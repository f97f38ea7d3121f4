/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scan_worker - a process that searches the lines of slots, which both sides see
 *
 * A fork of the scan with its filters as they are. It decides nothing and has nothing
 * open but its end of a socket and standard error: slot numbers come in, and go back
 * when their lines have been searched. It ends when the socket does, or with the scan.
 */

#include <sys/types.h>

#include "pipeline/pipeline.h"

#define SCAN_SLOTS_MAX 255 /* a number is one byte */

/* Memory that is shared; lives at the same place in all processes. */
struct scan_slot {
	char *text;
	size_t n_bytes, n_lines;
	wall_t read_at;
	struct pipeline_known *found;
	uint32_t n_found, max_found;
	int result; /* of the search: 0, -ENOSPC (more than max_found), or -ENOMEM */
};

struct scan_work {
	struct pipeline *pipeline;
	const uint32_t *jails; /* that are searched */
	uint32_t n_jails;
	struct scan_slot *slots;
	size_t n_slots;
};

struct scan_worker {
	pid_t pid;
	int fd; /* -1: there is none */
};

int scan_worker_start(struct scan_worker *w, const struct scan_work *work);
void scan_worker_end(struct scan_worker *w); /* waits for what it does */

/* Return: 0, or negative errno: it is gone, and was ended. */
int scan_worker_give(struct scan_worker *w, uint8_t slot);

/* Wait until it is done with the slot that it was given first. Return: its number, or
 * negative errno: it is gone, and was ended. */
int scan_worker_wait(struct scan_worker *w);
