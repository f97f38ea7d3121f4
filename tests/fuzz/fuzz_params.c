/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_params - any text as a list of name[option=value] items
 *
 * The reader always comes to an end, and a value is found where it says it stands.
 */

#include <assert.h>
#include <errno.h>

#include "conf/params.h"
#include "fuzz.h"

#define INPUT_MAX 65536

static void check_item(const struct text *t, const struct params *p)
{
	assert(p->name[0] != '\0');
	for (size_t i = 0; i < p->n; i++) {
		const struct params_item *item = &p->items[i];
		struct conf_place at = text_place(&item->value, 0);

		assert(item->name[0] != '\0');
		/* All of it stands in one line here, so the column is the offset. */
		assert(
		    at.line == 1 && at.col >= 1 && at.col - 1 + item->value.n <= t->n);
		assert(memcmp(t->p + at.col - 1, item->value.p, item->value.n) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct text_mark mark = {.at = {"f", 1, 1}};
	struct text t = {
	    .p = (const char *)bytes, .n = n, .marks = &mark, .n_marks = 1};
	struct arena *a;
	struct diag d = {0};
	struct params p;
	size_t pos = 0, before = 0;
	int r;

	/* Text comes from ini_parse(), which lets no NUL through. */
	if (n > INPUT_MAX || memchr(bytes, 0, n))
		return 0;
	a = arena_new((size_t)64 << 20);
	while (a && (r = params_next(a, &d, "action", &t, &pos, &p)) != PARAMS_END) {
		assert(pos > before && pos <= n);
		before = pos;
		if (r == 0)
			check_item(&t, &p);
		else
			assert(r == -ENOMEM || d.n > 0);
		if (r == -ENOMEM)
			break;
	}
	if (a)
		(void)params_parse(a, &d, "filter", &t, &p); /* any outcome will do */
	diag_deinit(&d);
	arena_free(a);
	return 0;
}
