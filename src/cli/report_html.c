/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report as one page: tables, and plots in SVG. It loads nothing, and says so to
 * the browser; what comes from configuration or logs goes through report_html_escape().
 */
#include <inttypes.h>

#include "cli/bars.h"
#include "cli/client.h"
#include "cli/report.h"

/* The plot over time; units of its viewBox. */
#define PLOT_WIDTH 960
#define PLOT_HEIGHT 260
#define PLOT_LEFT 64
#define PLOT_TOP 10
#define PLOT_BOTTOM 40
#define N_LINES 4  /* across */
#define N_LABELS 8 /* below */
#define BAR_WIDTH 240
#define BAR_HEIGHT 12

static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>bandog report</title>\n<style>\n"
    ":root { color-scheme: light dark; --passed: #c77d00; --stopped: #2b8a4b;"
    " --line: #ccc; --faint: #666; }\n"
    "@media (prefers-color-scheme: dark) { :root { --passed: #e8a33d;"
    " --stopped: #4fb673; --line: #444; --faint: #999; } }\n"
    "body { font: 15px/1.45 system-ui, sans-serif; max-width: 64em;"
    " margin: 2em auto; padding: 0 1em; }\n"
    "table { border-collapse: collapse; width: 100%; }\n"
    "th, td { text-align: left; padding: .25em .6em;"
    " border-bottom: 1px solid var(--line); vertical-align: top; }\n"
    "th { font-weight: 600; }\n"
    "td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }\n"
    "td code { color: var(--faint); overflow-wrap: anywhere; display: block; }\n"
    "svg { display: block; max-width: 100%; height: auto; }\n"
    "svg text { fill: var(--faint); font: 12px system-ui, sans-serif; }\n"
    ".passed { fill: var(--passed); } .stopped { fill: var(--stopped); }\n"
    ".rule { stroke: var(--line); }\n"
    ".tiles { display: flex; flex-wrap: wrap; gap: 2.5em; margin: 1.5em 0; }\n"
    ".tiles b { display: block; font-size: 2em; line-height: 1.1; }\n"
    ".faint { color: var(--faint); }\n"
    "</style>\n</head>\n<body>\n";

void report_html_escape(struct buf *out, struct span text)
{
	while (text.n) {
		size_t n = span_utf8_len(text);
		uint8_t c = (uint8_t)text.p[0];

		if (!n || (c < 0x20 && c != '\t') || c == 0x7f)
			buf_add_str(out, "\xef\xbf\xbd");
		else if (c == '&')
			buf_add_str(out, "&amp;");
		else if (c == '<')
			buf_add_str(out, "&lt;");
		else if (c == '>')
			buf_add_str(out, "&gt;");
		else if (c == '"')
			buf_add_str(out, "&quot;");
		else if (c == '\'')
			buf_add_str(out, "&#39;");
		else
			buf_add(out, text.p, n);
		text = span_skip(text, n ? n : 1);
	}
}

static void add_escaped(struct buf *out, const char *text)
{
	report_html_escape(out, span_of(text));
}

/* --- head --------------------------------------------------------------------------
 */

static void add_tile(struct buf *out, int64_t n, const char *what)
{
	buf_add_str(out, "<div><b>");
	bars_add_number(out, n);
	buf_printf(out, "</b>%s</div>\n", what);
}

static void add_share(struct buf *out, const json_t *a, const char *key)
{
	CLEANUP(buf_deinit) struct buf what = BUF_INIT(128);
	int64_t n = client_number(a, key);

	buf_printf(&what, "%s (%" PRId64 " %%)", key,
	    report_percent(n, client_number(a, "hits")));
	add_tile(out, n, buf_str(&what));
}

static void add_head(struct buf *out, const struct report_view *v)
{
	CLEANUP(buf_deinit) struct buf now = BUF_INIT(64);
	char since[40];

	client_time(v->answer, "since", since, sizeof(since));
	wall_format(&now, v->now);
	buf_add_str(out, page_head);
	buf_printf(
	    out, "<h1>bandog report</h1>\n<p>%s to %s</p>\n", since, buf_str(&now));
	buf_add_str(out, "<div class=\"tiles\">\n");
	add_tile(out, client_number(v->answer, "hits"), "hits");
	add_share(out, v->answer, "passed");
	add_share(out, v->answer, "stopped");
	add_tile(out, client_number(v->answer, "blocked"), "addresses blocked");
	buf_add_str(out, "</div>\n");
}

/* --- over time ---------------------------------------------------------------------
 */

static void add_rect(
    struct buf *out, const char *kind, double x, double y, double w, double h)
{
	if (h > 0 && w > 0)
		buf_printf(out,
		    "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" "
		    "height=\"%.2f\"/>",
		    kind, x, y, w, h);
}

/* The next of 1, 2, 5, 10, 20, 50 ... that is not less. */
static int64_t round_up(int64_t n)
{
	for (int64_t unit = 1; unit <= INT64_MAX / 10; unit *= 10) {
		if (n <= unit)
			return unit;
		if (n <= 2 * unit)
			return 2 * unit;
		if (n <= 5 * unit)
			return 5 * unit;
	}
	return n;
}

static void add_lines_across(struct buf *out, int64_t top)
{
	double height = PLOT_HEIGHT - PLOT_TOP - PLOT_BOTTOM;
	int64_t n_lines = top < N_LINES ? top : N_LINES;

	for (int64_t i = 0; i <= n_lines; i++) {
		CLEANUP(buf_deinit) struct buf n = BUF_INIT(64);
		double y = PLOT_TOP + height - height * (double)i / (double)n_lines;

		bars_add_number(&n, top * i / n_lines);
		buf_printf(out,
		    "<line class=\"rule\" x1=\"%d\" x2=\"%d\" y1=\"%.2f\" y2=\"%.2f\"/>"
		    "<text x=\"%d\" y=\"%.2f\" text-anchor=\"end\">%s</text>\n",
		    PLOT_LEFT, PLOT_WIDTH, y, y, PLOT_LEFT - 8, y + 4, buf_str(&n));
	}
}

static void add_column(
    struct buf *out, const struct report_series *s, size_t i, int64_t top)
{
	CLEANUP(buf_deinit) struct buf name = BUF_INIT(64);
	const struct report_bar *b = &s->bars[i];
	double height = PLOT_HEIGHT - PLOT_TOP - PLOT_BOTTOM;
	double step = (double)(PLOT_WIDTH - PLOT_LEFT) / (double)s->n;
	double x = PLOT_LEFT + step * (double)i, width = step * 0.8;
	double passed = height * (double)b->passed / (double)top;
	double stopped = height * (double)b->stopped / (double)top;
	size_t every = (s->n + N_LABELS - 1) / N_LABELS;

	report_series_name(s, i, &name);
	buf_printf(out,
	    "<g><title>%s: %" PRId64 " passed, %" PRId64 " stopped, %" PRId64
	    " bans</title>",
	    buf_str(&name), b->passed, b->stopped, b->bans);
	add_rect(out, "passed", x, PLOT_TOP + height - passed, width, passed);
	add_rect(
	    out, "stopped", x, PLOT_TOP + height - passed - stopped, width, stopped);
	buf_add_str(out, "</g>");
	if (i % every == 0)
		buf_printf(out, "<text x=\"%.2f\" y=\"%d\">%s</text>", x,
		    PLOT_HEIGHT - PLOT_BOTTOM + 18, buf_str(&name));
	buf_add_char(out, '\n');
}

static void add_plot(struct buf *out, const struct report_series *s)
{
	static const char *const units[] = {"hour", "day", "month"};
	int64_t top = round_up(s->max);

	if (!s->n)
		return;
	buf_printf(out,
	    "<h2>By %s</h2>\n<p><span style=\"color: "
	    "var(--passed)\">\xe2\x96\xa0</span>"
	    " passed <span style=\"color: var(--stopped)\">\xe2\x96\xa0</span> stopped"
	    "</p>\n<svg role=\"img\" aria-label=\"hits by %s\" viewBox=\"0 0 %d "
	    "%d\">\n",
	    units[s->unit], units[s->unit], PLOT_WIDTH, PLOT_HEIGHT);
	add_lines_across(out, top);
	for (size_t i = 0; i < s->n; i++)
		add_column(out, s, i, top);
	buf_add_str(out, "</svg>\n");
}

/* --- tables ------------------------------------------------------------------------
 */

static void add_cell(struct buf *out, const json_t *row, const char *key)
{
	buf_add_str(out, "<td class=\"n\">");
	bars_add_number(out, client_number(row, key));
	buf_add_str(out, "</td>");
}

static void add_bar(struct buf *out, const json_t *row, int64_t max)
{
	double passed = BAR_WIDTH * (double)client_number(row, "passed") / (double)max;
	double stopped =
	    BAR_WIDTH * (double)client_number(row, "stopped") / (double)max;

	buf_printf(out,
	    "<td><svg aria-hidden=\"true\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d "
	    "%d\">",
	    BAR_WIDTH, BAR_HEIGHT, BAR_WIDTH, BAR_HEIGHT);
	add_rect(out, "passed", 0, 0, passed, BAR_HEIGHT);
	add_rect(out, "stopped", passed, 0, stopped, BAR_HEIGHT);
	buf_add_str(out, "</svg></td>");
}

static void add_name(struct buf *out, const json_t *row, const char *key)
{
	CLEANUP(buf_deinit) struct buf name = BUF_INIT(4096);
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(4096);

	buf_add_str(out, "<td>");
	if (strcmp(key, "reason") != 0) {
		add_escaped(out, client_text(row, key));
	} else {
		report_reason_name(row, &name);
		report_reason_text(row, &text);
		add_escaped(out, buf_str(&name));
		if (text.n) {
			buf_add_str(out, "<code>");
			add_escaped(out, buf_str(&text));
			buf_add_str(out, "</code>");
		}
	}
	buf_add_str(out, "</td>");
}

static int64_t greatest(const json_t *list)
{
	const json_t *row;
	int64_t max = 1;
	size_t i;

	json_array_foreach(list, i, row)
	{
		if (client_number(row, "hits") > max)
			max = client_number(row, "hits");
	}
	return max;
}

static void add_table(
    struct buf *out, const json_t *list, const char *what, const char *key)
{
	static const char *const numbers[] = {
	    "hits", "passed", "stopped", "bans", "packets"};
	int64_t max = greatest(list);
	const json_t *row;
	size_t i;

	if (!json_array_size(list))
		return;
	buf_printf(
	    out, "<h2>By %s</h2>\n<table>\n<tr><th>%s</th><th></th>", what, what);
	for (size_t k = 0; k < ARRAY_LEN(numbers); k++)
		buf_printf(out, "<th class=\"n\">%s</th>", numbers[k]);
	buf_add_str(out, "</tr>\n");
	json_array_foreach(list, i, row)
	{
		buf_add_str(out, "<tr>");
		add_name(out, row, key);
		add_bar(out, row, max);
		for (size_t k = 0; k < ARRAY_LEN(numbers); k++)
			add_cell(out, row, numbers[k]);
		buf_add_str(out, "</tr>\n");
	}
	buf_add_str(out, "</table>\n");
}

void report_html(const struct report_view *v, struct buf *out)
{
	const json_t *a = v->answer;

	add_head(out, v);
	add_plot(out, &v->hours);
	add_table(out, json_object_get(a, "jails"), "jail", "jail");
	add_table(out, json_object_get(a, "reasons"), "reason", "reason");
	add_table(out, json_object_get(a, "networks"), "network", "network");
	add_table(out, json_object_get(a, "addresses"), "address", "ip");
	buf_add_str(out,
	    "<p class=\"faint\">Passed are failures that the logs show. Stopped are "
	    "attempts to connect that the kernel dropped, estimated from ");
	bars_add_number(out, client_number(a, "packets"));
	buf_add_str(
	    out, " packets that it counted: see bandog(1).</p>\n</body>\n</html>\n");
}
