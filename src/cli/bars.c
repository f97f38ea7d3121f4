/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/bars.h"

#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PASSED, STOPPED, N_PARTS };

static const struct {
	const char *utf8, *ascii, *colour;
} looks[N_PARTS] = {
    [PASSED] = {"█", "#", "\033[33m"},
    [STOPPED] = {"░", "-", "\033[32m"},
};
static const char colour_off[] = "\033[0m";

struct bars_style bars_style_of_output(void)
{
	const char *term = getenv("TERM");
	bool is_terminal = isatty(STDOUT_FILENO);

	return (struct bars_style){
	    .is_utf8 = is_terminal && !strcmp(nl_langinfo(CODESET), "UTF-8"),
	    .is_coloured =
		is_terminal && !getenv("NO_COLOR") && term && strcmp(term, "dumb") != 0,
	};
}

static void add_cells(struct buf *b, const struct bars_style *s, int part, size_t n)
{
	if (!n)
		return;
	if (s->is_coloured)
		buf_add_str(b, looks[part].colour);
	for (size_t i = 0; i < n; i++)
		buf_add_str(b, s->is_utf8 ? looks[part].utf8 : looks[part].ascii);
	if (s->is_coloured)
		buf_add_str(b, colour_off);
}

/* Rounded, but at least one of something. */
static size_t cells(size_t width, int64_t n, int64_t max)
{
	if (n <= 0 || max <= 0)
		return 0;
	double exact = (double)width * (double)n / (double)max;

	if (exact >= (double)width)
		return width;
	return exact < 1 ? 1 : (size_t)(exact + 0.5);
}

void bars_add(struct buf *b, const struct bars_style *s, size_t width, int64_t passed,
    int64_t stopped, int64_t max)
{
	size_t n_passed = cells(width, passed, max);
	size_t n_stopped = cells(width, stopped, max);

	if (n_passed + n_stopped > width && n_passed > n_stopped)
		n_passed = width - n_stopped;
	else if (n_passed + n_stopped > width)
		n_stopped = width - n_passed;
	add_cells(b, s, PASSED, n_passed);
	add_cells(b, s, STOPPED, n_stopped);
	for (size_t i = n_passed + n_stopped; i < width; i++)
		buf_add_char(b, ' ');
}

void bars_add_legend(struct buf *b, const struct bars_style *s)
{
	add_cells(b, s, PASSED, 1);
	buf_add_str(b, " passed  ");
	add_cells(b, s, STOPPED, 1);
	buf_add_str(b, " stopped");
}

void bars_add_number(struct buf *b, int64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, n);

	for (int i = 0; i < len; i++) {
		buf_add_char(b, digits[i]);
		if (i + 1 < len && (len - 1 - i) % 3 == 0 && digits[i] != '-')
			buf_add_char(b, ',');
	}
}
