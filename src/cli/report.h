/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * report - what came, got through and was stopped: the daemon's numbers, for people
 *
 *   report.c         the verb
 *   report_series.c  hours made into as many rows or columns as eyes can take in
 *   report_text.c    for the terminal, 80 columns
 *   report_html.c    one page that needs no network, no script, nothing else
 *   report_page.c, report_plot.c  what it has in common with other pages
 *
 * Reasons are texts of regexes and jails are named by people: foreign text, quoted in
 * the terminal and escaped in the page.
 */

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"

enum report_unit { REPORT_HOURS, REPORT_DAYS, REPORT_MONTHS };

struct report_bar {
	wall_t from; /* local time's hour, day or month begins */
	int64_t passed, stopped, bans;
	int64_t active; /* the most bans at a time, where that is told */
};

struct report_series {
	enum report_unit unit;
	struct report_bar *bars; /* without gaps */
	size_t n;
	int64_t max;        /* of passed and stopped together, at least 1 */
	int64_t max_active; /* at least 1 */
};

/**
 * report_series_of() - the rows of @hours, in units that give at most @max_bars
 * @hours: rows of the answer, each with "at"; those that make no sense are left out
 *
 * From the first with anything in it to @until. Months may be more than @max_bars.
 *
 * Return: 0, -EINVAL (no row makes sense), -ENOMEM.
 */
int report_series_of(
    const json_t *hours, wall_t until, size_t max_bars, struct report_series *out);
void report_series_deinit(struct report_series *s);
/* "2026-11-26 05:00", "2026-11-26", "2026-11" */
void report_series_name(const struct report_series *s, size_t i, struct buf *out);

/* What rows of the answer are called: a jail's rule by its number, an id by its hash.
 */
void report_reason_name(const json_t *row, struct buf *out);
/* The text behind it, quoted; nothing where there is none. */
void report_reason_text(const json_t *row, struct buf *out);

struct report_view {
	const json_t *answer;
	wall_t now;
	struct report_series hours; /* as few as fit */
};

int64_t report_percent(int64_t part, int64_t whole);

void report_text(const struct report_view *v, struct buf *out);
void report_html(const struct report_view *v, struct buf *out);

/* Foreign text into HTML, as content or within a quoted attribute. Bytes that are no
 * UTF-8 and control characters become U+FFFD. */
void report_html_escape(struct buf *out, struct span text);

/* A page begins, up to its heading. */
void report_page_begin(struct buf *out, const char *title);
void report_rect(
    struct buf *out, const char *kind, double x, double y, double w, double h);

/* What passed and was stopped over time, with a heading; and the bans. @max: what the
 * greatest column is measured by, at least 1. */
void report_plot(struct buf *out, const struct report_series *s, int64_t max);
void report_plot_bans(struct buf *out, const struct report_series *s, int64_t max);

/* Put a page in its place, whole or not at all. Return: exit code; says why not. */
int report_put_page(const struct buf *page, const char *path);
