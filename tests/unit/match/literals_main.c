/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * literals-main - regexes from stdin, their literals as JSON
 *
 * For tests/compat and for looking: each regex is "<cut> <bytes>\n<regex>\n", with cut
 * being none, words or any, and fail2ban's tags still in the regex. One object a line:
 * cost, and texts with their case, or an error.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/jsonw.h"
#include "match/literals.h"
#include "match/rewrite.h"
#include "match/tags.h"

#define MAIN_REGEX_MAX (64 * 1024)
#define MAIN_MILLION 1e6

static void print_set(const struct literal_set *set, const struct err *e)
{
	struct buf b = BUF_INIT(1024 * 1024);
	struct jsonw j = jsonw_of(&b);

	jsonw_object(&j);
	if (e->text[0]) {
		jsonw_key(&j, "error");
		jsonw_str(&j, e->text);
	}
	jsonw_key(&j, "cost_ppm");
	jsonw_i64(&j, (int64_t)(set->cost * MAIN_MILLION));
	jsonw_key(&j, "literals");
	jsonw_array(&j);
	for (size_t i = 0; i < set->n; i++) {
		jsonw_object(&j);
		jsonw_key(&j, "text");
		jsonw_span(&j, (struct span){set->items[i].text, set->items[i].n});
		jsonw_key(&j, "is_nocase");
		jsonw_bool(&j, set->items[i].is_nocase);
		jsonw_object_end(&j);
	}
	jsonw_array_end(&j);
	jsonw_object_end(&j);
	(void)puts(buf_str(&b)); /* the reader of a broken pipe is gone anyway */
	buf_deinit(&b);
}

static int show(struct span regex, enum literals_cut cut)
{
	struct buf expanded = BUF_INIT(MAIN_REGEX_MAX);
	struct buf pattern = BUF_INIT(MAIN_REGEX_MAX);
	struct literal_set set = {.cost = 1};
	struct err e = {""};
	bool is_ascii;
	int r = 0;

	if (tags_expand(regex, true, &expanded, &e) == 0 &&
	    rewrite_python(buf_span(&expanded), &pattern, &is_ascii, &e) == 0)
		r = literals_of(buf_span(&pattern), cut, &set);
	if (r == 0)
		print_set(&set, &e);
	literal_set_deinit(&set);
	buf_deinit(&expanded);
	buf_deinit(&pattern);
	return r;
}

static enum literals_cut cut_of(const char *word)
{
	if (strcmp(word, "none") == 0)
		return LITERALS_CUT_NONE;
	return strcmp(word, "words") == 0 ? LITERALS_CUT_WORDS : LITERALS_CUT_ANY;
}

int main(void)
{
	CLEANUP(freep) char *text = malloc(MAIN_REGEX_MAX);
	char cut[8];
	size_t n;

	if (!text)
		return 2;
	while (scanf("%7s %zu", cut, &n) == 2) {
		if (n >= MAIN_REGEX_MAX || getchar() != '\n' ||
		    fread(text, 1, n, stdin) != n)
			return 2;
		if (show((struct span){text, n}, cut_of(cut)) < 0)
			return 2;
	}
	return feof(stdin) ? 0 : 2;
}
