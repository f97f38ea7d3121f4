/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/action_text.h"

#include <errno.h>
#include <stdio.h>

#define MAX_ROUNDS 26 /* fail2ban gives up after as many */
#define FAMILY_MARK "?family="

static const char *find(const struct action_options *o, struct span name)
{
	for (size_t i = 0; i < o->n; i++) {
		if (span_eq(span_of(o->items[i].name), name))
			return o->items[i].value;
	}
	return NULL;
}

static const char *find_for(
    const struct action_options *o, struct span name, const char *family)
{
	char with_family[256];
	const char *found = NULL;
	int n = -1;

	if (*family && name.n < 200)
		n = snprintf(with_family, sizeof(with_family),
		    SPAN_FMT FAMILY_MARK "%s", SPAN_ARG(name), family);
	if (n > 0 && (size_t)n < sizeof(with_family))
		found = find(o, span_of(with_family));
	return found ? found : find(o, name);
}

const char *action_option(
    const struct action_options *o, const char *name, const char *family)
{
	return find_for(o, span_of(name), family);
}

bool action_option_is_true(
    const struct action_options *o, const char *name, bool fallback)
{
	static const struct span words[] = {
	    SPAN("1"), SPAN("on"), SPAN("true"), SPAN("yes")};
	const char *text = find(o, span_of(name));

	if (!text)
		return fallback;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (span_eq_nocase(span_trim(span_of(text)), words[i]))
			return true;
	}
	return false;
}

bool action_is_conditional(const struct action_options *o)
{
	for (size_t i = 0; i < o->n; i++) {
		if (strstr(o->items[i].name, FAMILY_MARK))
			return true;
	}
	return false;
}

/* Two tags that every text knows: a line end and a blank that no reader trims. */
static const char *find_tag(
    const struct action_options *o, struct span tag, const char *family)
{
	const char *value = find_for(o, tag, family);

	if (value)
		return value;
	if (span_eq(tag, SPAN("br")))
		return "\n";
	return span_eq(tag, SPAN("sp")) ? " " : NULL;
}

/* Put in what is known. Return: was anything? */
static bool replace_once(const struct action_options *o, const char *family,
    struct span text, struct buf *out)
{
	bool has_changed = false;

	while (text.n) {
		struct span tag;
		const char *value = NULL;
		size_t n = text_tag(text, &tag);

		if (n)
			value = find_tag(o, tag, family);
		if (value) {
			buf_add_str(out, value);
			text = span_skip(text, n);
			has_changed = true;
		} else {
			buf_add_char(out, text.p[0]);
			text = span_skip(text, 1);
		}
	}
	return has_changed;
}

size_t text_tag(struct span text, struct span *tag)
{
	size_t n = 1;

	if (text.n < 3 || text.p[0] != '<')
		return 0;
	while (n < text.n && text.p[n] != '>' && text.p[n] != '<' && text.p[n] != ' ')
		n++;
	if (n == text.n || text.p[n] != '>' || n == 1)
		return 0;
	*tag = (struct span){text.p + 1, n - 1};
	return n + 1;
}

int action_text(const struct action_options *o, const char *name, const char *family,
    struct buf *out)
{
	const char *value = find_for(o, span_of(name), family);
	CLEANUP(buf_deinit) struct buf next = BUF_INIT(out->cap);

	buf_clear(out);
	buf_add_str(out, value ? value : "");
	for (int i = 0; i < MAX_ROUNDS; i++) {
		buf_clear(&next);
		bool has_changed = replace_once(o, family, buf_span(out), &next);

		if (next.failed || out->failed)
			return -E2BIG;
		if (!has_changed)
			return 0;
		buf_clear(out);
		buf_add_span(out, buf_span(&next));
	}
	return -ELOOP;
}
