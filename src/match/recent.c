/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * recent - grows by what is new, and is cut to what is needed once in a while
 */

#include "match/recent.h"

#include <errno.h>
#include <stdlib.h>

#define SLACK_BYTES (8 * 1024)

struct recent *recent_new(void)
{
	struct recent *r = calloc(1, sizeof(*r));

	if (r)
		r->text = BUF_INIT(SIZE_MAX / 2);
	return r;
}

struct recent *recent_free(struct recent *r)
{
	if (r)
		buf_deinit(&r->text);
	free(r);
	return NULL;
}

/* The last lines of @lines, RECENT_LINES of them if there are so many. */
static struct span last_lines(struct span lines, bool *out_enough)
{
	const char *p = lines.p + lines.n;
	unsigned int n = 0;

	for (; n < RECENT_LINES && p > lines.p; n++) {
		size_t before = (size_t)(p - lines.p) - 1; /* without its '\n' */
		const char *end = before ? memrchr(lines.p, '\n', before) : NULL;

		p = end ? end + 1 : lines.p;
	}
	*out_enough = n == RECENT_LINES;
	return span_from(p, lines.p + lines.n);
}

int recent_add(struct recent *r, struct span lines)
{
	bool is_enough;
	struct span last = last_lines(lines, &is_enough);

	r->end += lines.n;
	if (is_enough)
		buf_clear(&r->text);
	buf_add_span(&r->text, last);
	if (r->text.failed) {
		buf_clear(&r->text);
		return -ENOMEM;
	}
	if (is_enough) {
		r->n_needed = r->text.n;
	} else if (r->text.n > r->n_needed + SLACK_BYTES) {
		r->n_needed = last_lines(buf_span(&r->text), &is_enough).n;
		buf_consume(&r->text, r->text.n - r->n_needed);
	}
	return 0;
}

struct span recent_part(const struct recent *r, uint64_t from, uint64_t to)
{
	uint64_t kept_from = r->end - r->text.n;

	if (from < kept_from)
		from = kept_from;
	if (to <= from || to > r->end)
		return (struct span){"", 0};
	return (struct span){
	    r->text.p + (size_t)(from - kept_from), (size_t)(to - from)};
}
