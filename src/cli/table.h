/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* table - text tables that fit the terminal (libsmartcols); the last column is the one
 * that is cut when there is not room for all. */

struct table;

struct table *table_new(
    const char *const *headings); /* NULL-terminated; NULL: no memory */
struct table *table_free(struct table *t);

/* One text per heading; copied. NULL cells stay empty. A NULL table is fine everywhere.
 */
void table_row(struct table *t, const char *const *cells);
void table_print(struct table *t); /* to standard output */
