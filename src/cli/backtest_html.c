/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a backtest found, as one page. All plots of a kind have one scale, so that
 * policies can be compared by eye.
 */
#include <errno.h>
#include <inttypes.h>

#include "cli/backtest_answer.h"
#include "cli/bars.h"
#include "cli/client.h"
#include "cli/report.h"

#define MAX_COLUMNS 168 /* a week of hours */
#define MAX_ROWS 1000   /* of a list of addresses */

static void add_escaped(struct buf *out, const char *text)
{
	report_html_escape(out, span_of(text));
}

static void add_number(struct buf *out, int64_t n)
{
	buf_add_str(out, "<td class=\"n\">");
	bars_add_number(out, n);
	buf_add_str(out, "</td>");
}

static void add_length(struct buf *out, const json_t *seconds)
{
	buf_add_str(out, "<td class=\"n\">");
	backtest_add_length(out, seconds);
	buf_add_str(out, "</td>");
}

/* --- the policies */

static void add_policy(struct buf *out, const json_t *p)
{
	buf_add_str(out, "<tr><td>");
	add_escaped(out, client_text(p, "name"));
	buf_add_str(out, "<code>");
	add_escaped(out, client_text(p, "config"));
	buf_add_str(out, "</code></td>");
	add_number(out, client_number(p, "stopped"));
	buf_add_str(out, "<td class=\"n\">");
	backtest_add_share(out, p);
	buf_add_str(out, "</td>");
	add_number(out, client_number(p, "addresses"));
	add_number(out, client_number(p, "networks"));
	add_number(out, client_number(p, "bans"));
	add_length(out, json_object_get(p, "mean_seconds"));
	add_length(out, json_object_get(p, "median_seconds"));
	add_length(out, json_object_get(p, "p90_seconds"));
	add_number(
	    out, (int64_t)json_number_value(json_object_get(p, "median_attempts")));
	add_number(out, (int64_t)json_array_size(json_object_get(p, "honest")));
	buf_add_str(out, "</tr>\n");
}

static void add_policies(struct buf *out, const json_t *policies)
{
	static const char *const headings[] = {"stopped", "of all", "addresses banned",
	    "networks", "bans", "each", "to the ban (median)", "(90 %)", "tries",
	    "honest servers hit"};
	const json_t *p;
	size_t i;

	buf_add_str(out, "<table>\n<tr><th>policy</th>");
	for (i = 0; i < ARRAY_LEN(headings); i++)
		buf_printf(out, "<th class=\"n\">%s</th>", headings[i]);
	buf_add_str(out, "</tr>\n");
	json_array_foreach(policies, i, p) add_policy(out, p);
	buf_add_str(out, "</table>\n");
}

/* --- over time */

static void widen(const json_t *policies, wall_t until, int64_t *max, int64_t *active)
{
	const json_t *p;
	size_t i;

	*max = *active = 1;
	json_array_foreach(policies, i, p)
	{
		struct report_series s;

		if (report_series_of(
			json_object_get(p, "hours"), until, MAX_COLUMNS, &s) < 0)
			continue;
		*max = s.max > *max ? s.max : *max;
		*active = s.max_active > *active ? s.max_active : *active;
		report_series_deinit(&s);
	}
}

static void add_plots(struct buf *out, const json_t *policies, wall_t until)
{
	int64_t max, max_active;
	const json_t *p;
	size_t i;

	widen(policies, until, &max, &max_active);
	json_array_foreach(policies, i, p)
	{
		struct report_series s;

		if (report_series_of(
			json_object_get(p, "hours"), until, MAX_COLUMNS, &s) < 0)
			continue;
		buf_add_str(out, "<h2>Policy ");
		add_escaped(out, client_text(p, "name"));
		buf_add_str(out, "</h2>\n");
		report_plot(out, &s, max);
		report_plot_bans(out, &s, max_active);
		report_series_deinit(&s);
	}
}

/* --- addresses */

static void add_code(struct buf *out, const char *text)
{
	if (!*text)
		return;
	buf_add_str(out, "<code>");
	add_escaped(out, text);
	buf_add_str(out, "</code>");
}

static void add_victim(struct buf *out, const json_t *row)
{
	char at[40], until[40];

	client_time(row, "at", at, sizeof(at));
	client_time(row, "until", until, sizeof(until));
	buf_add_str(out, "<tr><td>");
	add_escaped(out, client_text(row, "ip"));
	add_code(out, client_text(row, "network"));
	buf_printf(out, "</td><td>%s<br>%s</td><td>", at, until);
	add_escaped(out, client_text(row, "jail"));
	buf_add_char(out, ' ');
	if (*client_text(row, "name"))
		add_escaped(out, client_text(row, "name"));
	else
		buf_printf(out, "%" PRId64, client_number(row, "rule"));
	add_code(out, client_text(row, "reason"));
	add_code(out, client_text(row, "line"));
	buf_add_str(out, "</td>");
	add_number(out, client_number(row, "good_days"));
	add_number(out, client_number(row, "attempts"));
	buf_add_str(out, "</tr>\n");
}

static void add_victims(struct buf *out, const json_t *p)
{
	const json_t *list = json_object_get(p, "honest"), *row;
	size_t i;

	if (!json_array_size(list))
		return;
	buf_add_str(out, "<h2>Honest servers that ");
	add_escaped(out, client_text(p, "name"));
	buf_add_str(out, " bans</h2>\n<table>\n<tr><th>address</th><th>banned</th>"
			 "<th>why</th><th class=\"n\">good days</th>"
			 "<th class=\"n\">attempts</th></tr>\n");
	json_array_foreach(list, i, row)
	{
		if (i < MAX_ROWS)
			add_victim(out, row);
	}
	buf_add_str(out, "</table>\n");
}

static void add_both(struct buf *out, const json_t *list)
{
	const json_t *row;
	size_t i;

	if (!json_array_size(list))
		return;
	buf_add_str(out, "<h2>Not to be told apart</h2>\n<p>Addresses with both, "
			 "attempts and good signs.</p>\n<table>\n<tr><th>address</th>"
			 "<th class=\"n\">attempts</th><th class=\"n\">good days</th>"
			 "<th class=\"n\">good signs</th></tr>\n");
	json_array_foreach(list, i, row)
	{
		if (i >= MAX_ROWS)
			continue;
		buf_add_str(out, "<tr><td>");
		add_escaped(out, client_text(row, "ip"));
		buf_add_str(out, "</td>");
		add_number(out, client_number(row, "attempts"));
		add_number(out, client_number(row, "good_days"));
		add_number(out, client_number(row, "good"));
		buf_add_str(out, "</tr>\n");
	}
	buf_add_str(out, "</table>\n");
}

void backtest_html(const json_t *answer, struct buf *out)
{
	const json_t *facts = json_object_get(answer, "facts"), *p;
	const json_t *policies = json_object_get(answer, "policies");
	wall_t end = wall_from_sec(client_number(answer, "until"));
	char since[40], until[40];
	size_t i;

	client_time(answer, "since", since, sizeof(since));
	client_time(answer, "until", until, sizeof(until));
	report_page_begin(out, "bandog backtest");
	buf_printf(out, "<p>%s to %s: ", since, until);
	bars_add_number(out, client_number(facts, "attempts"));
	buf_add_str(out, " attempts by ");
	bars_add_number(out, client_number(facts, "addresses"));
	buf_add_str(out, " addresses, as the filters of ");
	add_escaped(out, client_text(facts, "profile"));
	buf_add_str(out, " see it; honest servers: ");
	bars_add_number(out, client_number(facts, "honest"));
	buf_add_str(out, ".</p>\n");
	add_policies(out, policies);
	add_plots(out, policies, end);
	json_array_foreach(policies, i, p) add_victims(out, p);
	add_both(out, json_object_get(facts, "both"));
	buf_add_str(out,
	    "<p class=\"faint\">Stopped are attempts of somebody who is banned by "
	    "then: see bandog(1).</p>\n</body>\n</html>\n");
}
