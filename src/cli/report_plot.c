/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plots over time, in SVG. */
#include <inttypes.h>

#include "cli/bars.h"
#include "cli/report.h"

/* Units of the viewBox. */
#define PLOT_WIDTH 960
#define PLOT_HEIGHT 260
#define PLOT_LEFT 64
#define PLOT_TOP 10
#define PLOT_BOTTOM 40
#define N_LINES 4  /* across */
#define N_LABELS 8 /* below */

struct plot {
	struct buf *out;
	const struct report_series *s;
	int64_t top;
	bool is_of_bans;
};

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

static void add_title(struct plot *p, size_t i)
{
	const struct report_bar *b = &p->s->bars[i];

	buf_add_str(p->out, "<title>");
	report_series_name(p->s, i, p->out);
	if (p->is_of_bans)
		buf_printf(p->out, ": %" PRId64 " bans active", b->active);
	else
		buf_printf(p->out,
		    ": %" PRId64 " passed, %" PRId64 " stopped, %" PRId64 " bans",
		    b->passed, b->stopped, b->bans);
	buf_add_str(p->out, "</title>");
}

/* The part of a column above @below; in units of what is counted. */
static void add_part(
    struct plot *p, const char *kind, size_t i, int64_t below, int64_t n)
{
	double height = PLOT_HEIGHT - PLOT_TOP - PLOT_BOTTOM;
	double step = (double)(PLOT_WIDTH - PLOT_LEFT) / (double)p->s->n;
	double unit = height / (double)p->top;

	report_rect(p->out, kind, PLOT_LEFT + step * (double)i,
	    PLOT_TOP + height - unit * (double)(below + n), step * 0.8,
	    unit * (double)n);
}

static void add_label(struct plot *p, size_t i)
{
	size_t every = (p->s->n + N_LABELS - 1) / N_LABELS;
	double step = (double)(PLOT_WIDTH - PLOT_LEFT) / (double)p->s->n;

	if (i % every)
		return;
	buf_printf(p->out, "<text x=\"%.2f\" y=\"%d\">", PLOT_LEFT + step * (double)i,
	    PLOT_HEIGHT - PLOT_BOTTOM + 18);
	report_series_name(p->s, i, p->out);
	buf_add_str(p->out, "</text>");
}

static void add_column(struct plot *p, size_t i)
{
	const struct report_bar *b = &p->s->bars[i];

	buf_add_str(p->out, "<g>");
	add_title(p, i);
	if (p->is_of_bans) {
		add_part(p, "active", i, 0, b->active);
	} else {
		add_part(p, "passed", i, 0, b->passed);
		add_part(p, "stopped", i, b->passed, b->stopped);
	}
	buf_add_str(p->out, "</g>");
	add_label(p, i);
	buf_add_char(p->out, '\n');
}

static const char *unit_name(const struct report_series *s)
{
	static const char *const units[] = {"hour", "day", "month"};

	return units[s->unit];
}

static void add_plot(struct plot *p, const char *what)
{
	buf_printf(p->out,
	    "<svg role=\"img\" aria-label=\"%s by %s\" viewBox=\"0 0 %d %d\">\n", what,
	    unit_name(p->s), PLOT_WIDTH, PLOT_HEIGHT);
	add_lines_across(p->out, p->top);
	for (size_t i = 0; i < p->s->n; i++)
		add_column(p, i);
	buf_add_str(p->out, "</svg>\n");
}

void report_plot(struct buf *out, const struct report_series *s, int64_t max)
{
	struct plot p = {.out = out, .s = s, .top = round_up(max)};

	if (!s->n)
		return;
	buf_printf(out,
	    "<h2>By %s</h2>\n<p><span style=\"color: "
	    "var(--passed)\">\xe2\x96\xa0</span>"
	    " passed <span style=\"color: var(--stopped)\">\xe2\x96\xa0</span> stopped"
	    "</p>\n",
	    unit_name(s));
	add_plot(&p, "hits");
}

void report_plot_bans(struct buf *out, const struct report_series *s, int64_t max)
{
	struct plot p = {.out = out, .s = s, .top = round_up(max), .is_of_bans = true};

	if (!s->n)
		return;
	buf_printf(out, "<h2>Bans active, by %s</h2>\n", unit_name(s));
	add_plot(&p, "bans active");
}
