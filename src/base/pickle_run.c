/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pickle_run - the opcodes: those that make data, and names of classes for replies
 */

#include "base/pickle_private.h"

#include <endian.h>
#include <errno.h>

#define MAX_NAME_BYTES 200 /* of a module, of a class */

static int push_text(struct reader *r, enum pickle_kind kind, unsigned int n_bytes)
{
	struct pickle_value v = {.kind = kind};
	const uint8_t *p;
	uint64_t n = 0;
	int e = pickle_read_number(r, n_bytes, &n);

	if (e < 0)
		return e;
	p = pickle_cut(r, n);
	if (!p)
		return pickle_bad(r, "the pickle ends within a text");
	v.text = (struct span){(const char *)p, (size_t)n};
	return pickle_push_value(r, v);
}

/* --- classes -------------------------------------------------------------------------
 */

static int refuse_class(struct reader *r)
{
	return pickle_bad(r, "classes and calls are not accepted, only data");
}

/* Old protocols name the modules as Python 2 did. */
static struct span modern_module(struct span s)
{
	return span_eq(s, SPAN("__builtin__")) || span_eq(s, SPAN("exceptions"))
		   ? SPAN("builtins")
		   : s;
}

static int push_class(struct reader *r, struct span module, struct span name)
{
	struct pickle_value v = {.kind = PICKLE_CLASS};
	char *text;

	module = modern_module(module);
	if (module.n > MAX_NAME_BYTES || name.n > MAX_NAME_BYTES)
		return pickle_too_big(r, "the name of a class is too long");
	text = pickle_take_bytes(r->out, module.n + 1 + name.n);
	if (!text)
		return pickle_no_memory(r);
	memcpy(text, module.p, module.n);
	text[module.n] = '.';
	memcpy(text + module.n + 1, name.p, name.n);
	v.text = (struct span){text, module.n + 1 + name.n};
	return pickle_push_value(r, v);
}

static int read_line(struct reader *r, struct span *out)
{
	struct span rest = {(const char *)r->p, (size_t)(r->end - r->p)};
	ptrdiff_t n = span_index(rest, '\n');

	if (n < 0)
		return pickle_bad(r, "the pickle ends within a name");
	*out = (struct span){rest.p, (size_t)n};
	r->p += n + 1;
	return 0;
}

static int read_global(struct reader *r)
{
	struct span module, name;
	int e;

	if (r->mode == PICKLE_DATA)
		return refuse_class(r);
	e = read_line(r, &module);
	if (!e)
		e = read_line(r, &name);
	return e < 0 ? e : push_class(r, module, name);
}

static int read_stack_global(struct reader *r)
{
	if (r->mode == PICKLE_DATA)
		return refuse_class(r);
	if (r->stack.n - pickle_ground(r) < 2)
		return pickle_bad(r, "a class without a name");
	const struct cell *name = r->stack.at[r->stack.n - 1];
	const struct cell *module = r->stack.at[r->stack.n - 2];

	if (name->v.kind != PICKLE_STR || module->v.kind != PICKLE_STR)
		return pickle_bad(r, "the name of a class is no text");
	r->stack.n -= 2;
	return push_class(r, module->v.text, name->v.text);
}

/* A builtin type called with one value that is of it already, or has its items. */
static bool is_plain(struct span class, const struct pickle_value *args)
{
	static const char *const names[] = {"builtins.str", "builtins.int",
	    "builtins.float", "builtins.bool", "builtins.list", "builtins.tuple",
	    "builtins.set", "builtins.frozenset"};

	if (args->n != 1 || args->items[0]->kind >= PICKLE_OBJECT)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (span_eq(class, span_of(names[i])))
			return true;
	}
	return false;
}

static int call_class(struct reader *r)
{
	struct cell *made;
	int e;

	if (r->mode == PICKLE_DATA)
		return refuse_class(r);
	if (r->stack.n - pickle_ground(r) < 2)
		return pickle_bad(r, "a call without a class");
	struct cell *args = r->stack.at[r->stack.n - 1];
	struct cell *class = r->stack.at[r->stack.n - 2];

	if (args->v.kind != PICKLE_TUPLE || class->v.kind != PICKLE_CLASS)
		return pickle_bad(r, "a call of what is no class");
	r->stack.n -= 2;
	if (is_plain(class->v.text, &args->v)) {
		/* An item is what pickle_push_new() made, so a cell begins where it
		 * does. */
		union {
			const struct pickle_value *v;
			struct cell *c;
		} item = {.v = args->v.items[0]};

		return pickle_cells_push(r, &r->stack, item.c);
	}
	e = pickle_push_new(r,
	    (struct pickle_value){.kind = PICKLE_OBJECT,
		.text = class->v.text,
		.items = args->v.items,
		.n = args->v.n},
	    &made);
	if (e < 0)
		return e;
	made->weight = args->weight;
	made->depth = args->depth;
	return 0;
}

/* What an object has beside its arguments is of no use to anyone here. */
static int drop_state(struct reader *r)
{
	if (r->mode == PICKLE_DATA)
		return refuse_class(r);
	if (r->stack.n - pickle_ground(r) < 2)
		return pickle_bad(r, "a state without an object");
	r->stack.n--;
	return 0;
}

/* --- numbers -------------------------------------------------------------------------
 */

static int push_unsigned(struct reader *r, unsigned int n_bytes)
{
	uint64_t v = 0;
	int e = pickle_read_number(r, n_bytes, &v);

	return e < 0 ? e
		     : pickle_push_value(r, (struct pickle_value){.kind = PICKLE_INT,
						.number = (int64_t)v});
}

static int push_signed(struct reader *r, unsigned int n_bytes)
{
	uint64_t v = 0;
	int e = pickle_read_number(r, n_bytes, &v);

	if (e < 0)
		return e;
	if (n_bytes > 0 && n_bytes < 8 && v >> (8 * n_bytes - 1) & 1)
		v |= UINT64_MAX << 8 * n_bytes;
	return pickle_push_value(
	    r, (struct pickle_value){.kind = PICKLE_INT, .number = (int64_t)v});
}

static int push_long(struct reader *r)
{
	uint64_t n_bytes = 0;
	int e = pickle_read_number(r, 1, &n_bytes);

	if (e < 0)
		return e;
	if (n_bytes > 8)
		return pickle_too_big(r, "a number is too large");
	return push_signed(r, (unsigned int)n_bytes);
}

static int push_float(struct reader *r)
{
	struct pickle_value v = {.kind = PICKLE_FLOAT};
	uint64_t bits = 0;
	int e = pickle_read_number(r, 8, &bits);

	if (e < 0)
		return e;
	bits = htobe64(htole64(bits)); /* the one big-endian value of the format */
	memcpy(&v.real, &bits, sizeof(bits));
	return pickle_push_value(r, v);
}

static int push_bool(struct reader *r, bool truth)
{
	return pickle_push_value(
	    r, (struct pickle_value){.kind = PICKLE_BOOL, .truth = truth});
}

/* --- opcodes -------------------------------------------------------------------------
 */

static int push_mark(struct reader *r)
{
	if (r->n_marks == ARRAY_LEN(r->marks))
		return pickle_too_big(r, "the pickle is too deep");
	r->marks[r->n_marks++] = r->stack.n;
	return 0;
}

static int put_at(struct reader *r, unsigned int n_bytes)
{
	uint64_t at = 0;
	int e = pickle_read_number(r, n_bytes, &at);

	return e < 0 ? e : pickle_memo_put(r, at);
}

/* Frames only tell a reader of files how much to read at once. */
static int skip_frame(struct reader *r)
{
	uint64_t n = 0;
	int e = pickle_read_number(r, 8, &n);

	if (e < 0)
		return e;
	return n > (uint64_t)(r->end - r->p)
		   ? pickle_bad(r, "the pickle ends too early")
		   : 0;
}

static int stop(struct reader *r)
{
	if (r->n_marks || r->stack.n != 1)
		return pickle_bad(r, "the pickle does not leave one value");
	if (r->p != r->end)
		return pickle_bad(r, "bytes follow the end of the pickle");
	r->out->root = &r->stack.at[0]->v;
	r->is_done = true;
	return 0;
}

static int run_container(struct reader *r, uint8_t opcode)
{
	switch (opcode) {
	case ']':
		return pickle_make_of_last(r, PICKLE_LIST, 0);
	case ')':
		return pickle_make_of_last(r, PICKLE_TUPLE, 0);
	case '}':
		return pickle_make_of_last(r, PICKLE_DICT, 0);
	case 0x8f:
		return pickle_make_of_last(r, PICKLE_SET, 0);
	case 0x85:
	case 0x86:
	case 0x87:
		return pickle_make_of_last(r, PICKLE_TUPLE, opcode - 0x84u);
	case 'l':
		return pickle_make_from_mark(r, PICKLE_LIST);
	case 't':
		return pickle_make_from_mark(r, PICKLE_TUPLE);
	case 'd':
		return pickle_make_from_mark(r, PICKLE_DICT);
	case 0x91:
		return pickle_make_from_mark(r, PICKLE_SET);
	case 'a':
		return pickle_add_last(r, PICKLE_LIST, 1);
	case 'e':
		return pickle_add_from_mark(r, PICKLE_LIST);
	case 's':
		return pickle_add_last(r, PICKLE_DICT, 2);
	case 'u':
		return pickle_add_from_mark(r, PICKLE_DICT);
	case 0x90:
		return pickle_add_from_mark(r, PICKLE_SET);
	default:
		return err_set(r->error, -EBADMSG,
		    "opcode 0x%02x is not accepted, only data", opcode);
	}
}

static int run_value(struct reader *r, uint8_t opcode)
{
	switch (opcode) {
	case 'N':
		return pickle_push_value(r, (struct pickle_value){.kind = PICKLE_NONE});
	case 0x88:
	case 0x89:
		return push_bool(r, opcode == 0x88);
	case 'K':
		return push_unsigned(r, 1);
	case 'M':
		return push_unsigned(r, 2);
	case 'J':
		return push_signed(r, 4);
	case 0x8a:
		return push_long(r);
	case 'G':
		return push_float(r);
	case 0x8c:
	case 'U': /* a text of Python 2 */
		return push_text(r, PICKLE_STR, 1);
	case 'X':
	case 'T':
		return push_text(r, PICKLE_STR, 4);
	case 0x8d:
		return push_text(r, PICKLE_STR, 8);
	case 'C':
		return push_text(r, PICKLE_BYTES, 1);
	case 'B':
		return push_text(r, PICKLE_BYTES, 4);
	case 0x8e:
		return push_text(r, PICKLE_BYTES, 8);
	default:
		return run_container(r, opcode);
	}
}

static int run(struct reader *r, uint8_t opcode)
{
	switch (opcode) {
	case '(':
		return push_mark(r);
	case 0x94:
		return pickle_memo_put(r, r->memo.n);
	case 'q':
		return put_at(r, 1);
	case 'r':
		return put_at(r, 4);
	case 'h':
		return pickle_memo_get(r, 1);
	case 'j':
		return pickle_memo_get(r, 4);
	case 0x95:
		return skip_frame(r);
	case 'c':
		return read_global(r);
	case 0x93:
		return read_stack_global(r);
	case 'R':
	case 0x81:
		return call_class(r);
	case 'b':
		return drop_state(r);
	case '.':
		return stop(r);
	default:
		return run_value(r, opcode);
	}
}

int pickle_run_all(struct reader *r)
{
	const uint8_t *head = pickle_cut(r, 2);

	if (!head || head[0] != 0x80 || head[1] < 2 || head[1] > 5)
		return pickle_bad(r, "no pickle of protocol 2 to 5");
	while (!r->is_done) {
		const uint8_t *opcode = pickle_cut(r, 1);
		int e = opcode ? run(r, *opcode)
			       : pickle_bad(r, "the pickle ends too early");

		if (e < 0)
			return e;
	}
	return 0;
}
