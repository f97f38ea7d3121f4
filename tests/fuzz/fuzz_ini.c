/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_ini - any text as a configuration file, as a filter and as an action
 *
 * Where a value says it stands, there it must stand.
 */

#include <assert.h>
#include <string.h>

#include "conf/definition.h"
#include "conf/ini.h"
#include "conf/interp.h"
#include "conf/schema.h"
#include "fuzz.h"

#define INPUT_MAX 16384

/* The byte in line @line, column @col of @s; lines end as for ini_parse(). */
static const char *byte_at(struct span s, unsigned int line, unsigned int col)
{
	size_t i = 0;

	/* A byte order mark is no column of the first line. */
	if (span_starts(s, SPAN("\xef\xbb\xbf")))
		i = 3;
	for (; line > 1 && i < s.n; i++) {
		if (s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n')
			continue;
		if (s.p[i] == '\n' || s.p[i] == '\r')
			line--;
	}
	assert(line == 1 && col > 0 && i + col <= s.n + 1);
	return s.p + i + col - 1;
}

static void check_places(struct span content, const struct text *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct conf_place at = text_place(t, i);

		assert(at.line > 0);
		if (t->p[i] != '\n')
			assert(*byte_at(content, at.line, at.col) == t->p[i]);
	}
	for (size_t i = 1; i < t->n_marks; i++)
		assert(t->marks[i - 1].off < t->marks[i].off);
}

static void check_section(struct arena *a, struct diag *d, struct span content,
    const struct ini *ini, const struct ini_section *s)
{
	struct interp in = {.arena = a, .d = d, .ini = ini, .section = s};

	for (const struct dict_item *i = s->options.first; i; i = i->next) {
		const struct ini_option *o = i->value;
		struct text t;

		check_places(content, &o->value);
		if (interp_get(&in, span_of(o->name), &t) == 0)
			assert(t.p[t.n] == '\0' && t.n <= TEXT_MAX);
	}
}

static void check_definition(
    struct arena *a, struct diag *d, const struct ini *ini, unsigned int kind)
{
	struct params_item item = {.name = "mode", .value = {.p = "<word>", .n = 6}};
	struct params params = {.name = "x", .items = &item, .n = 1};
	struct definition def = {.arena = a, .d = d, .ini = ini, .kind = kind};
	struct text t;

	if (definition_init(&def, &params, NULL) < 0)
		return;
	for (const struct dict_item *i = def.combined.first; i; i = i->next)
		if (definition_get(&def, span_of(i->key), &t) == 0)
			assert(t.n <= TEXT_MAX);
	(void)definition_get_known(&def, SPAN("word"), &t); /* any outcome will do */
}

static void check_diag(const struct diag *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct buf b = BUF_INIT(65536);

		diag_format(&d->items[i], &b);
		assert(
		    !b.failed && !memchr(b.p, '\n', b.n) && !memchr(b.p, '\033', b.n));
		buf_deinit(&b);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span s = {(const char *)bytes, n};
	struct arena *a;
	struct diag d = {0};
	struct ini ini;

	if (n > INPUT_MAX)
		return 0;
	a = arena_new((size_t)64 << 20);
	if (a && ini_parse(a, s, "f", &d, &ini) == 0) {
		assert(ini.is_broken == (d.n_errors > 0));
		check_section(a, &d, s, &ini, &ini.defaults);
		for (const struct dict_item *i = ini.sections.first; i; i = i->next)
			check_section(a, &d, s, &ini, i->value);
		check_definition(a, &d, &ini, SCHEMA_FILTER);
		check_definition(a, &d, &ini, SCHEMA_ACTION);
	}
	check_diag(&d);
	diag_deinit(&d);
	arena_free(a);
	return 0;
}
