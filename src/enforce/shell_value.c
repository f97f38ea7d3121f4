/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/shell_value.h"

#include "enforce/action_text.h"

bool shell_is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

/* --- whole -------------------------------------------------------------------------
 */

/* Bytes of @s that are one control character of a terminal, 0 if it begins with none.
 * C1 is 80..9F, alone or as UTF-8. */
static size_t control_len(struct span s)
{
	unsigned char c = (unsigned char)s.p[0];
	unsigned char next = s.n > 1 ? (unsigned char)s.p[1] : 0;

	if (c < 0x20)
		return c != '\n' && c != '\t';
	if (c == 0xc2 && next >= 0x80 && next < 0xa0)
		return 2;
	return c == 0x7f || (c >= 0x80 && c < 0xa0);
}

static bool may_be_first(char c)
{
	return shell_is_alnum(c) || c == '_' || c == '[' || c == '/' || c == ' ' ||
	       (unsigned char)c >= 0x80;
}

static void add_whole(struct buf *b, const struct shell_value *v)
{
	bool is_line_start = true;

	for (size_t i = 0; i < v->text.n;) {
		struct span rest = span_skip(v->text, i);
		char c = rest.p[0];
		size_t n_utf8 = span_utf8_len(rest), n = control_len(rest);

		if (n_utf8 > 1 && n == 0) {
			buf_add(b, rest.p, n_utf8);
			i += n_utf8;
			is_line_start = false;
			continue;
		}
		if (c == '\\' || (c == '\n' && !v->has_lines))
			n = 1;
		if (n)
			c = '?';
		if ((i == 0 && !may_be_first(c)) || (is_line_start && strchr("~.#", c)))
			buf_add_char(b, ' ');
		buf_add_char(b, c);
		is_line_start = c == '\n';
		i += n ? n : 1;
	}
}

/* --- word, inert -------------------------------------------------------------------
 */

static bool is_joint(struct span v, size_t i)
{
	return (v.p[i] == '.' || v.p[i] == '-' || v.p[i] == '@') && i > 0 &&
	       i + 1 < v.n && shell_is_alnum(v.p[i - 1]) && shell_is_alnum(v.p[i + 1]);
}

/* @was_filler: the byte before is one already, and runs become one. */
static void add_letters(
    struct buf *b, struct span v, bool has_joints, bool was_filler, char filler)
{
	for (size_t i = 0; i < v.n; i++) {
		bool is_kept = shell_is_alnum(v.p[i]) || (has_joints && is_joint(v, i));

		if (is_kept || !was_filler)
			buf_add_char(b, is_kept ? v.p[i] : filler);
		was_filler = !is_kept;
	}
}

static void add_inert(struct buf *b, struct span v, char filler)
{
	size_t n = b->n;

	buf_add_char(b, filler);
	add_letters(b, v, false, true, filler);
	if (b->n == n + 1) /* "_" alone is a variable of the shell's, and of perl's */
		buf_add_char(b, '0');
}

void shell_value_add(
    struct buf *b, const struct shell_value *v, enum shell_form form, char filler)
{
	struct shell_value cut = *v;

	if (cut.text.n > SHELL_VALUE_MAX)
		cut.text.n = SHELL_VALUE_MAX;
	switch (form) {
	case SHELL_WHOLE:
		add_whole(b, &cut);
		return;
	case SHELL_WORD:
		add_letters(b, cut.text, true, false, filler);
		return;
	case SHELL_INERT:
		add_inert(b, cut.text, filler);
		return;
	}
}

char shell_value_filler(struct span command, shell_tag_fn tag, void *ctx)
{
	while (command.n) {
		struct shell_value v = {{"", 0}, false, false};
		struct span name;
		size_t n = text_tag(command, &name);

		if (n && tag(ctx, name, &v)) {
			if (!v.is_foreign && span_index(v.text, '_') >= 0)
				return 'Z';
			command = span_skip(command, n);
			continue;
		}
		if (command.p[0] == '_')
			return 'Z';
		command = span_skip(command, 1);
	}
	return '_';
}
