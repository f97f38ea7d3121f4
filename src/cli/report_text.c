/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report in a terminal. A line is a name, a bar and four numbers: 80 columns.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/bars.h"
#include "cli/client.h"
#include "cli/report.h"

#define NAME_CELLS 18
#define BAR_CELLS 20
#define NUMBER_CELLS 10
#define MAX_ROWS 10   /* of the greatest of something */
#define TEXT_BYTES 72 /* of a reason */
#define NAME_BYTES 200

int64_t report_percent(int64_t part, int64_t whole)
{
	return whole > 0 ? (int64_t)((double)part * 100 / (double)whole + 0.5) : 0;
}

/* --- names of rows -----------------------------------------------------------------
 */

/* Foreign text as it is, if that does no harm; else quoted, and cut. */
static void add_foreign(struct buf *out, const char *text, size_t max_bytes)
{
	CLEANUP(buf_deinit) struct buf quoted = BUF_INIT(4096);
	size_t n_escaped = 0;

	buf_quote(&quoted, span_of(text), max_bytes);
	for (const char *p = text; *p; p++)
		n_escaped += *p == '"' || *p == '\\';
	if (quoted.n == strlen(text) + n_escaped + 2)
		buf_add_str(out, text);
	else
		buf_add_span(out, buf_span(&quoted));
}

void report_reason_name(const json_t *row, struct buf *out)
{
	int64_t rule = client_number(row, "rule");

	add_foreign(out, client_text(row, "jail"), NAME_BYTES);
	if (rule >= 0)
		buf_printf(out, " %" PRId64, rule);
}

void report_reason_text(const json_t *row, struct buf *out)
{
	const char *text = client_text(row, "reason");
	int64_t rule = client_number(row, "rule");

	if (rule == -2)
		buf_add_str(out, "banned by hand");
	else if (rule < 0)
		buf_add_str(out, "not known any more");
	else if (*text)
		add_foreign(out, text, TEXT_BYTES);
}

/* --- lines -------------------------------------------------------------------------
 */

struct printer {
	struct buf *out;
	struct bars_style style;
	int64_t max;
};

/* Characters of UTF-8, each taken to be one cell wide. */
static size_t cells_of(const struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += ((uint8_t)b->p[i] & 0xc0) != 0x80;
	return n;
}

static void add_padded(struct buf *out, const struct buf *text, size_t n_cells)
{
	buf_add_span(out, buf_span(text));
	for (size_t i = cells_of(text); i < n_cells; i++)
		buf_add_char(out, ' ');
}

static void add_right(struct buf *out, const char *text, size_t n_cells)
{
	for (size_t i = strlen(text); i < n_cells; i++)
		buf_add_char(out, ' ');
	buf_add_str(out, text);
}

static void add_number(struct buf *out, int64_t n)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(64);

	bars_add_number(&b, n);
	add_right(out, buf_str(&b), NUMBER_CELLS);
}

static void add_line(struct printer *p, const struct buf *name, int64_t passed,
    int64_t stopped, int64_t bans)
{
	add_padded(p->out, name, NAME_CELLS);
	/* A long name has a line to itself. */
	if (cells_of(name) > NAME_CELLS) {
		buf_add_char(p->out, '\n');
		for (size_t i = 0; i < NAME_CELLS; i++)
			buf_add_char(p->out, ' ');
	}
	buf_add_char(p->out, ' ');
	bars_add(p->out, &p->style, BAR_CELLS, passed, stopped, p->max);
	add_number(p->out, passed + stopped);
	add_number(p->out, passed);
	add_number(p->out, stopped);
	add_number(p->out, bans);
	buf_add_char(p->out, '\n');
}

static void add_heading(struct printer *p, const char *what)
{
	CLEANUP(buf_deinit) struct buf name = BUF_INIT(80);

	buf_add_char(p->out, '\n');
	buf_add_str(&name, what);
	add_padded(p->out, &name, NAME_CELLS + 1 + BAR_CELLS);
	add_right(p->out, "HITS", NUMBER_CELLS);
	add_right(p->out, "PASSED", NUMBER_CELLS);
	add_right(p->out, "STOPPED", NUMBER_CELLS);
	add_right(p->out, "BANS", NUMBER_CELLS);
	buf_add_char(p->out, '\n');
}

/* --- sections ----------------------------------------------------------------------
 */

static void add_share(struct printer *p, const char *what, int64_t n, int64_t of)
{
	buf_printf(p->out, "%-9s", what);
	add_number(p->out, n);
	if (of > 0)
		buf_printf(p->out, " %5" PRId64 " %%", report_percent(n, of));
	else
		buf_add_str(p->out, "        ");
}

static void add_head(struct printer *p, const json_t *a)
{
	int64_t hits = client_number(a, "hits");
	CLEANUP(buf_deinit) struct buf packets = BUF_INIT(64);
	char since[40];

	client_time(a, "since", since, sizeof(since));
	buf_printf(p->out, "since %s\n\n", since);
	add_share(p, "hits", hits, 0);
	buf_add_str(p->out, "  on the server\n");
	add_share(p, "passed", client_number(a, "passed"), hits);
	buf_add_str(p->out, "  failures that the logs show\n");
	add_share(p, "stopped", client_number(a, "stopped"), hits);
	bars_add_number(&packets, client_number(a, "packets"));
	buf_printf(
	    p->out, "  attempts, estimated from %s packets\n", buf_str(&packets));
	add_share(p, "blocked", client_number(a, "blocked"), 0);
	buf_add_str(p->out, "  addresses\n\n");
	bars_add_legend(p->out, &p->style);
	buf_add_char(p->out, '\n');
}

static void add_hours(struct printer *p, const struct report_series *s)
{
	static const char *const headings[] = {"BY HOUR", "BY DAY", "BY MONTH"};

	p->max = s->max;
	add_heading(p, headings[s->unit]);
	for (size_t i = 0; i < s->n; i++) {
		CLEANUP(buf_deinit) struct buf name = BUF_INIT(64);
		const struct report_bar *b = &s->bars[i];

		report_series_name(s, i, &name);
		add_line(p, &name, b->passed, b->stopped, b->bans);
	}
}

static void add_row(struct printer *p, const json_t *row, const char *key)
{
	CLEANUP(buf_deinit) struct buf name = BUF_INIT(2048);
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(2048);

	if (!strcmp(key, "reason")) {
		report_reason_name(row, &name);
		report_reason_text(row, &text);
	} else {
		add_foreign(&name, client_text(row, key), NAME_BYTES);
	}
	add_line(p, &name, client_number(row, "passed"), client_number(row, "stopped"),
	    client_number(row, "bans"));
	if (text.n)
		buf_printf(p->out, "   " SPAN_FMT "\n", SPAN_ARG(buf_span(&text)));
}

static void add_greatest(
    struct printer *p, const json_t *list, const char *heading, const char *key)
{
	size_t n = json_array_size(list), i;
	const json_t *row;

	if (!n)
		return;
	p->max = 1;
	json_array_foreach(list, i, row)
	{
		if (client_number(row, "hits") > p->max)
			p->max = client_number(row, "hits");
	}
	add_heading(p, heading);
	json_array_foreach(list, i, row)
	{
		if (i == MAX_ROWS)
			break;
		add_row(p, row, key);
	}
	if (n > MAX_ROWS)
		buf_printf(p->out, "and more, see --json or --html\n");
}

void report_text(const struct report_view *v, struct buf *out)
{
	const json_t *a = v->answer;
	struct printer p = {.out = out, .style = bars_style_of_output()};

	add_head(&p, a);
	if (v->hours.n)
		add_hours(&p, &v->hours);
	add_greatest(&p, json_object_get(a, "jails"), "BY JAIL", "jail");
	add_greatest(&p, json_object_get(a, "reasons"), "BY REASON", "reason");
	add_greatest(&p, json_object_get(a, "networks"), "BY NETWORK", "network");
	add_greatest(&p, json_object_get(a, "addresses"), "BY ADDRESS", "ip");
}
