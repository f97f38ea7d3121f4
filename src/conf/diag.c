/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diag - collects mistakes and prints them as compilers do
 *
 * The same value may be read for many jails (an option of [DEFAULT]); its mistake is
 * one mistake, so an item that says the same of the same place is kept once.
 */

#include "conf/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_same_file(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Return: 1 + index, 0 if nobody has said that yet. */
static size_t find_known(const struct diag *d, struct conf_place at, const char *text)
{
	for (size_t i = d->n; i > 0; i--) {
		const struct diag_item *it = &d->items[i - 1];

		if (it->at.line == at.line && it->at.col == at.col &&
		    is_same_file(it->at.file, at.file) && strcmp(it->text, text) == 0)
			return i;
	}
	return 0;
}

static bool make_room(struct diag *d)
{
	size_t room = d->room ? d->room * 2 : 16;
	struct diag_item *items;

	if (d->n >= DIAG_MAX)
		return false;
	if (d->n < d->room)
		return true;
	items = realloc(d->items, room * sizeof(*items));
	if (!items)
		return false;
	d->items = items;
	d->room = room;
	return true;
}

/* Text and file name live in one block, so that one free() ends both. */
static char *join_with_file(const char *text, const char *file, const char **out_file)
{
	size_t n_text = strlen(text) + 1;
	size_t n_file = file ? strlen(file) + 1 : 0;
	char *block = malloc(n_text + n_file);

	if (!block)
		return NULL;
	memcpy(block, text, n_text);
	if (file)
		memcpy(block + n_text, file, n_file);
	*out_file = file ? block + n_text : NULL;
	return block;
}

static void count(struct diag *d, enum diag_level level)
{
	if (level == DIAG_ERROR) {
		d->n_errors++;
		d->n_fatal += !d->is_in_part;
	} else if (level == DIAG_WARNING) {
		d->n_warnings++;
	}
}

static void note_part_error(struct diag *d, enum diag_level level, size_t item)
{
	if (level == DIAG_ERROR && d->is_in_part && !d->part_error)
		d->part_error = item;
}

void diag_add(
    struct diag *d, enum diag_level level, struct conf_place at, const char *fmt, ...)
{
	CLEANUP(freep) char *text = NULL;
	CLEANUP(freep) char *block = NULL;
	const char *file = NULL;
	va_list ap;

	if (!d)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	size_t known = text ? find_known(d, at, text) : 0;

	if (known) {
		note_part_error(d, level, known);
		return;
	}
	count(d, level);
	if (text && make_room(d))
		block = join_with_file(text, at.file, &file);
	if (!block) {
		d->n_dropped++;
		return;
	}
	at.file = file;
	d->items[d->n++] =
	    (struct diag_item){.level = level, .at = at, .text = TAKE(block)};
	note_part_error(d, level, d->n);
}

void diag_enter(struct diag *d)
{
	if (!d)
		return;
	d->is_in_part = true;
	d->part_error = 0;
}

const struct diag_item *diag_leave(struct diag *d)
{
	if (!d)
		return NULL;
	d->is_in_part = false;
	return d->part_error ? &d->items[d->part_error - 1] : NULL;
}

void diag_deinit(struct diag *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->items[i].text);
	free(d->items);
	*d = (struct diag){0};
}

/* A terminal must not act on what stands in a configuration file. */
static void add_visible(struct buf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n')
			buf_add_str(out, "\\n");
		else if (c < 0x20 || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_add_char(out, *text);
	}
}

void diag_format(const struct diag_item *i, struct buf *out)
{
	static const char *const level_words[] = {
	    [DIAG_ERROR] = "error",
	    [DIAG_WARNING] = "warning",
	    [DIAG_NOTE] = "note",
	};

	if (i->at.file) {
		add_visible(out, i->at.file);
		if (i->at.line)
			buf_printf(out, ":%u", i->at.line);
		if (i->at.line && i->at.col)
			buf_printf(out, ":%u", i->at.col);
		buf_add_str(out, ": ");
	}
	buf_printf(out, "%s: ", level_words[i->level]);
	add_visible(out, i->text);
}
