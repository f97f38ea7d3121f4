/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * explain_line - a line of a log with what jails make of it, and how that is shown
 *
 * At most EXPLAIN_MAX_FINDINGS are shown of a line; the rest is counted.
 */

#include "flow/hit.h"
#include "flow/order.h"
#include "pipeline/setup.h"

#define EXPLAIN_MAX_FINDINGS 64

enum explain_kind {
	EXPLAIN_HIT,
	EXPLAIN_HELPED,     /* matched, but says nothing by itself */
	EXPLAIN_EXEMPT,     /* an ignoreregex matched */
	EXPLAIN_NO_ADDRESS, /* matched, but names nobody who can be banned */
	EXPLAIN_LIMIT,      /* a regex gave up */
};

struct explain_finding {
	enum explain_kind kind;
	uint32_t jail;
	/* Of a hit: */
	uint16_t rule;
	uint8_t class;
	int16_t weight;
	struct net net;
	char *id;    /* owned; NULL: an address */
	int outcome; /* ENGINE_* */
	int64_t sum; /* weights in the window, in the threshold's unit; below 0: not
			known */
	struct engine_threshold threshold;
	double findtime_sec;
};

struct explain_line {
	const char *path;
	uint64_t number;
	struct span text;
	struct explain_finding found[EXPLAIN_MAX_FINDINGS];
	size_t n_found, n_more;
	/* What ended before it, and what it led to. */
	const struct orders *orders;
	struct engine_event events[ENGINE_MAX_EVENTS]; /* rules suspended, lifted */
	size_t n_events;
};

void explain_line_clear(struct explain_line *l); /* its findings and events */

/* NULL: there is no room for more. Zeroed. */
struct explain_finding *explain_line_add(struct explain_line *l);

const char *explain_kind_name(enum explain_kind kind);
const char *explain_outcome_name(int outcome); /* in words */

void explain_line_text(const struct explain_line *l, const struct setup *s,
    bool is_coloured, struct buf *out);
void explain_line_json(
    const struct explain_line *l, const struct setup *s, struct buf *out);
