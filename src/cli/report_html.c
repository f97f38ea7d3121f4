/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report as one page: tables and plots. What comes from configuration or logs goes
 * through report_html_escape().
 */
#include <inttypes.h>

#include "cli/bars.h"
#include "cli/client.h"
#include "cli/report.h"

#define BAR_WIDTH 240
#define BAR_HEIGHT 12

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
	report_page_begin(out, "bandog report");
	buf_printf(out, "<p>%s to %s</p>\n", since, buf_str(&now));
	buf_add_str(out, "<div class=\"tiles\">\n");
	add_tile(out, client_number(v->answer, "hits"), "hits");
	add_share(out, v->answer, "passed");
	add_share(out, v->answer, "stopped");
	add_tile(out, client_number(v->answer, "blocked"), "addresses blocked");
	buf_add_str(out, "</div>\n");
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
	report_rect(out, "passed", 0, 0, passed, BAR_HEIGHT);
	report_rect(out, "stopped", passed, 0, stopped, BAR_HEIGHT);
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
	report_plot(out, &v->hours, v->hours.max);
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
