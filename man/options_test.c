/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manual and the program say the same of each option: bandog.conf.5 must hold the
 * line and the sentence that follow from its entry in conf/schema.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "conf/schema.h"

#define PAGE_MAX_BYTES (1u << 20)

static const char *type_name(enum schema_type t)
{
	static const char *const names[] = {
	    "text", "lines", "list of words", "yes or no", "number", "time"};

	return names[t];
}

static void add_entry(struct buf *b, const struct schema_option *o)
{
	buf_printf(b, "\n.It Ic %s No (", o->name);
	if (o->type == SCHEMA_COUNT)
		buf_printf(b, "%s, %lld to %lld", o->unit, (long long)o->min,
		    (long long)o->max);
	else
		buf_add_str(b, type_name(o->type));
	if (o->initial && *o->initial)
		buf_printf(b, "; default %s", o->initial);
	buf_printf(b, ")\n%s\n", o->help);
}

static char *read_page(const char *path)
{
	static char page[PAGE_MAX_BYTES];
	FILE *f = fopen(path, "r");

	if (!f)
		return NULL;
	size_t n = fread(page, 1, sizeof(page) - 1, f);

	fclose(f);
	page[n] = '\0';
	return page;
}

int main(int argc, char **argv)
{
	const char *page = argc == 2 ? read_page(argv[1]) : NULL;
	int n_missing = 0;

	if (!page) {
		fprintf(stderr, "usage: man-options PAGE\n");
		return 2;
	}
	for (size_t i = 0; i < schema_n_options; i++) {
		struct buf b = BUF_INIT(4096);

		/* Commands of action.d are not built: the page says so of all of them.
		 */
		if (schema_options[i].where == SCHEMA_ACTION)
			continue;
		add_entry(&b, &schema_options[i]);
		if (!strstr(page, buf_str(&b))) {
			fprintf(stderr, "%s lacks:%s", argv[1], buf_str(&b));
			n_missing++;
		}
		buf_deinit(&b);
	}
	return n_missing ? 1 : 0;
}
