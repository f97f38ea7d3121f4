/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/table.h"

#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <unistd.h>

struct table {
	struct libscols_table *t;
	size_t n_columns;
};

struct table *table_new(const char *const *headings)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->t = scols_new_table();
	if (!t->t)
		return table_free(t);
	for (size_t i = 0; headings[i]; i++) {
		int flags = headings[i + 1] ? 0 : SCOLS_FL_TRUNC;

		if (!scols_table_new_column(t->t, headings[i], 0, flags))
			return table_free(t);
		t->n_columns++;
	}
	return t;
}

struct table *table_free(struct table *t)
{
	if (!t)
		return NULL;
	scols_unref_table(t->t);
	free(t);
	return NULL;
}

void table_row(struct table *t, const char *const *cells)
{
	struct libscols_line *line = t ? scols_table_new_line(t->t, NULL) : NULL;

	for (size_t i = 0; line && i < t->n_columns; i++)
		(void)scols_line_set_data(line, i, cells[i] ? cells[i] : "");
}

void table_print(struct table *t)
{
	if (!t)
		return;
	/* Cutting is for eyes: a pipe gets everything. */
	if (!isatty(STDOUT_FILENO))
		scols_table_set_termforce(t->t, SCOLS_TERMFORCE_NEVER);
	(void)scols_print_table(t->t);
}
