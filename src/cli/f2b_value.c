/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What came as a pickle, as Python's repr() and str() show it. */
#include <string.h>

#include "cli/f2b_client.h"
#include "cli/f2b_repr.h"

static void repr_items(
    struct buf *b, const struct pickle_value *v, const char *open, const char *close)
{
	buf_add_str(b, open);
	for (size_t i = 0; i < v->n; i++) {
		const char *between = v->kind == PICKLE_DICT && i % 2 ? ": " : ", ";

		buf_add_str(b, i ? between : "");
		f2b_repr_value(b, v->items[i]);
	}
	buf_add_str(b, close);
}

/* An exception: Name('argument'). */
static void repr_object(struct buf *b, const struct pickle_value *v)
{
	struct span name = v->text;
	ptrdiff_t dot;

	while ((dot = span_index(name, '.')) >= 0)
		name = span_skip(name, (size_t)dot + 1);
	buf_add_span(b, name);
	repr_items(b, v, "(", ")");
}

/* The depth is bounded by PICKLE_MAX_DEPTH. */
void f2b_repr_value(struct buf *b, const struct pickle_value *v)
{
	switch (v->kind) {
	case PICKLE_NONE:
		buf_add_str(b, "None");
		break;
	case PICKLE_BOOL:
		buf_add_str(b, v->truth ? "True" : "False");
		break;
	case PICKLE_INT:
		buf_printf(b, "%lld", (long long)v->number);
		break;
	case PICKLE_FLOAT:
		f2b_repr_float(b, v->real);
		break;
	case PICKLE_STR:
		f2b_repr_str(b, v->text);
		break;
	case PICKLE_BYTES:
		buf_add_char(b, 'b');
		f2b_repr_str(b, v->text);
		break;
	case PICKLE_LIST:
		repr_items(b, v, "[", "]");
		break;
	case PICKLE_TUPLE:
		repr_items(b, v, "(", v->n == 1 ? ",)" : ")");
		break;
	case PICKLE_SET:
		repr_items(b, v, v->n ? "{" : "set(", v->n ? "}" : ")");
		break;
	case PICKLE_DICT:
		repr_items(b, v, "{", "}");
		break;
	case PICKLE_OBJECT:
		repr_object(b, v);
		break;
	case PICKLE_CLASS:
		buf_printf(b, "<class '" SPAN_FMT "'>", SPAN_ARG(v->text));
		break;
	}
}

bool f2b_object_is(const struct pickle_value *v, const char *name)
{
	return v->kind == PICKLE_OBJECT && span_ends(v->text, span_of(name)) &&
	       (v->text.n == strlen(name) ||
		   v->text.p[v->text.n - strlen(name) - 1] == '.');
}

void f2b_str_value(struct buf *b, const struct pickle_value *v)
{
	if (v->kind == PICKLE_STR)
		buf_add_span(b, v->text);
	else if (v->kind == PICKLE_OBJECT && v->n == 0)
		return;
	else if (v->kind == PICKLE_OBJECT && v->n == 1 && !f2b_object_is(v, "KeyError"))
		f2b_str_value(b, v->items[0]);
	else if (v->kind == PICKLE_OBJECT && v->n == 1)
		f2b_repr_value(b, v->items[0]);
	else if (v->kind == PICKLE_OBJECT)
		repr_items(b, v, "(", ")");
	else
		f2b_repr_value(b, v);
}
