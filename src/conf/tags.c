/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tags - all occurrences of one tag at a time, then on from the same place
 */

#include "conf/tags.h"

#include <errno.h>

#include "conf/chars.h"

#define REPLACED_MAX 25   /* of one tag in one value, as in fail2ban */
#define DIFFERENT_MAX 500 /* tags in one value */
#define COPIED_MAX ((size_t)32 << 20)

struct seen {
	const char *name;
	unsigned int n;
};

struct run {
	const struct tags *tags;
	struct span name;
	struct text value; /* as it stands: the input, or a view of @now */
	struct text_out now, next;
	struct seen seen[DIFFERENT_MAX];
	size_t n_seen;
	size_t n_copied;
};

/* The first <tag> at or behind @from: any bytes but blank, '<' and '>' between both. */
static bool find_tag(
    const struct text *t, size_t from, size_t *out_at, struct span *out)
{
	size_t open = SIZE_MAX;

	for (size_t i = from; i < t->n; i++) {
		char c = t->p[i];

		if (c == '<') {
			open = i;
		} else if (c == ' ') {
			open = SIZE_MAX;
		} else if (c == '>' && open != SIZE_MAX && i > open + 1) {
			*out_at = open;
			*out = (struct span){t->p + open + 1, i - open - 1};
			return true;
		} else if (c == '>') {
			open = SIZE_MAX;
		}
	}
	return false;
}

static int complain(struct run *run, size_t at, const char *what, struct span tag)
{
	diag_add(run->tags->d, DIAG_ERROR, text_place(&run->value, at), "%s: <%s> %s",
	    chars_show(run->name).text, chars_show(tag).text, what);
	return -EINVAL;
}

static int count_tag(struct run *run, size_t at, struct span tag)
{
	struct seen *s = NULL;

	if (span_eq(tag, run->name))
		return complain(run, at, "leads back to itself", tag);
	for (size_t i = 0; i < run->n_seen && !s; i++)
		if (span_eq(span_of(run->seen[i].name), tag))
			s = &run->seen[i];
	if (!s) {
		if (run->n_seen == DIFFERENT_MAX)
			return complain(
			    run, at, "is one tag too many in one value", tag);
		s = &run->seen[run->n_seen];
		s->name = arena_dup(run->tags->arena, tag);
		if (!s->name)
			return -ENOMEM;
		run->n_seen++;
	}
	if (++s->n > REPLACED_MAX)
		return complain(run, at, "leads back to itself", tag);
	return 0;
}

static void swap_outs(struct run *run)
{
	struct text_out old = run->now;

	run->now = run->next;
	run->next = old;
	run->value = text_out_view(&run->now);
}

/* Replace <@tag> everywhere. */
static int replace(
    struct run *run, size_t at, struct span tag, const struct text *value)
{
	struct span whole = {tag.p - 1, tag.n + 2};
	struct text *host = &run->value;
	size_t done = 0;
	int r;

	text_out_clear(&run->next);
	for (;;) {
		ptrdiff_t n = span_find(span_skip(text_span(host), done), whole);
		size_t from = done + (size_t)(n < 0 ? 0 : n);

		if (n < 0)
			break;
		text_out_add_part(&run->next, host, done, from);
		text_out_insert(&run->next, host, from, from + whole.n, value);
		done = from + whole.n;
	}
	text_out_add_part(&run->next, host, done, host->n);
	r = text_out_state(&run->next);
	run->n_copied += run->next.b.n;
	if (r == -E2BIG || run->n_copied > COPIED_MAX)
		return complain(run, at, "makes the value too large", tag);
	if (r < 0)
		return r;
	swap_outs(run);
	return 0;
}

/* One walk over the value. Return: 1 something was replaced, 0 nothing, or an error. */
static int walk(struct run *run)
{
	const struct tags *t = run->tags;
	size_t from = 0, at;
	struct span tag;
	int r, changed = 0;

	while (find_tag(&run->value, from, &at, &tag)) {
		struct text value;

		from = at + tag.n + 2;
		if (t->is_kept(t->ctx, tag))
			continue;
		r = t->find(t->ctx, tag, &value);
		if (r == 1)
			continue;
		if (r == 0)
			r = count_tag(run, at, tag);
		if (r == 0)
			r = replace(run, at, tag, &value);
		if (r < 0)
			return r;
		from = at;
		changed = 1;
	}
	return changed;
}

static int run_all(struct run *run, struct text *out)
{
	int r, n_walks = 0;

	/* A replaced inner tag makes a new outer one in front of it: <a-<b>>. */
	do {
		r = walk(run);
	} while (r > 0 && ++n_walks);
	if (r < 0)
		return r;
	if (!n_walks) {
		*out = run->value;
		return 0;
	}
	if (!run->now.b.n)
		text_out_add(
		    &run->now, (struct span){"", 0}, (struct conf_place){0}, true);
	return text_out_keep(&run->now, run->tags->arena, out);
}

int conf_tags_expand(
    const struct tags *t, struct span name, const struct text *in, struct text *out)
{
	CLEANUP(freep) struct run *run = NULL;
	int r;

	run = calloc(1, sizeof(*run));
	if (!run)
		return -ENOMEM;
	*run = (struct run){.tags = t, .name = name, .value = *in};
	run->now = run->next = TEXT_OUT_INIT;
	r = run_all(run, out);
	text_out_deinit(&run->now);
	text_out_deinit(&run->next);
	return r;
}
