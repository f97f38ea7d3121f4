/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scanner_vectorscan - Vectorscan's search for literals
 *
 * The library is several megabytes, so it is loaded by name when somebody asks for it.
 * It tells where literals end, in ascending order; so a position to go on from is one
 * that only what ends behind it is still to be told of.
 *
 * Version 5.4.9 misses some literals that end 3 to 31 bytes before the end of what it
 * is given (x86, few literals; tests/fuzz found it): hence the copy of the last bytes.
 * And hence it is never chosen unasked.
 */

#include <assert.h>
#include <errno.h>
#include <hs/hs.h>

#include "base/dynlib.h"
#include "match/scanner_private.h"

#define TAIL_BYTES 64

struct library {
	__typeof__(hs_compile_lit_multi) *compile_lit_multi;
	__typeof__(hs_free_compile_error) *free_compile_error;
	__typeof__(hs_free_database) *free_database;
	__typeof__(hs_alloc_scratch) *alloc_scratch;
	__typeof__(hs_free_scratch) *free_scratch;
	__typeof__(hs_scan) *scan;
	__typeof__(hs_valid_platform) *valid_platform;
};

static const struct dynlib_symbol symbols[] = {
#define SYMBOL(x)                                     \
	{                                             \
		"hs_" #x, offsetof(struct library, x) \
	}
    SYMBOL(compile_lit_multi),
    SYMBOL(free_compile_error),
    SYMBOL(free_database),
    SYMBOL(alloc_scratch),
    SYMBOL(free_scratch),
    SYMBOL(scan),
    SYMBOL(valid_platform),
#undef SYMBOL
};

struct scanner_vectorscan {
	const struct library *lib;
	hs_database_t *database;
	hs_scratch_t *scratch;
	uint8_t *bytes; /* of each literal */
};

/* What is given to the library to compile. */
struct input {
	const char **texts;
	unsigned *options, *ids;
	size_t *bytes;
};

static int load(struct library *lib, struct err *e)
{
	static const char *const names[] = {"libhs.so.5", NULL};

	if (dynlib_load(names, symbols, ARRAY_LEN(symbols), lib, e) < 0)
		return -ENOTSUP;
	if (lib->valid_platform() != HS_SUCCESS)
		return err_set(
		    e, -ENOTSUP, "Vectorscan does not run on this processor");
	return 0;
}

static const struct library *library_get(struct err *e)
{
	/* A library that was loaded stays loaded: the one place where this is kept. */
	static struct library lib;
	static bool is_loaded;

	if (!is_loaded && load(&lib, e) < 0)
		return NULL;
	is_loaded = true;
	return &lib;
}

static void input_deinit(struct input *in)
{
	free(in->texts);
	free(in->options);
	free(in->ids);
	free(in->bytes);
}

static int input_init(struct input *in, const struct scanner_literal *l, size_t n)
{
	*in = (struct input){
	    .texts = calloc(n, sizeof(*in->texts)),
	    .options = calloc(n, sizeof(*in->options)),
	    .ids = calloc(n, sizeof(*in->ids)),
	    .bytes = calloc(n, sizeof(*in->bytes)),
	};
	if (!in->texts || !in->options || !in->ids || !in->bytes)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		in->texts[i] = l[i].text.p;
		in->options[i] = l[i].is_nocase ? HS_FLAG_CASELESS : 0;
		in->ids[i] = (unsigned)i;
		in->bytes[i] = l[i].text.n;
	}
	return 0;
}

static int compile(struct scanner_vectorscan *v, const struct scanner_literal *l,
    size_t n, struct err *e)
{
	CLEANUP(input_deinit) struct input in = {0};
	hs_compile_error_t *error = NULL;
	int r = input_init(&in, l, n);

	if (r < 0)
		return err_errno(e, r, "scanner");
	if (v->lib->compile_lit_multi(in.texts, in.options, in.ids, in.bytes,
		(unsigned)n, HS_MODE_BLOCK, NULL, &v->database, &error) != HS_SUCCESS) {
		r = err_set(e, -EINVAL, "Vectorscan: %s", error ? error->message : "");
		v->lib->free_compile_error(error);
		return r;
	}
	if (v->lib->alloc_scratch(v->database, &v->scratch) != HS_SUCCESS)
		return err_errno(e, -ENOMEM, "Vectorscan");
	return 0;
}

int scanner_vectorscan_new(const struct scanner_literal *l, size_t n,
    struct scanner_vectorscan **out, struct err *e)
{
	const struct library *lib = library_get(e);
	struct scanner_vectorscan *v = NULL;
	int r = 0;

	if (!lib)
		return -ENOTSUP;
	if (n == 0)
		return 0;
	v = calloc(1, sizeof(*v));
	if (v) {
		v->lib = lib;
		v->bytes = calloc(n, sizeof(*v->bytes));
	}
	if (!v || !v->bytes)
		r = err_errno(e, -ENOMEM, "scanner");
	for (size_t i = 0; r == 0 && i < n; i++)
		v->bytes[i] = (uint8_t)l[i].text.n;
	if (r == 0)
		r = compile(v, l, n, e);
	if (r == 0)
		*out = TAKE(v);
	scanner_vectorscan_free(v);
	return r;
}

struct scanner_vectorscan *scanner_vectorscan_free(struct scanner_vectorscan *v)
{
	if (!v)
		return NULL;
	(void)v->lib->free_scratch(v->scratch); /* fails only while it is used */
	(void)v->lib->free_database(v->database);
	free(v->bytes);
	free(v);
	return NULL;
}

/* One call of scanner_vectorscan_find(). Positions are those of the text. */
struct search {
	const struct scanner_vectorscan *v;
	size_t begin; /* of what the library looks at */
	size_t from,
	    until; /* only what ends behind the one, and not behind the other */
	struct scan_hit *hits;
	size_t n, max;
	size_t n_before; /* hits that end before the newest one */
	size_t last_end;
};

static int on_hit(unsigned id, unsigned long long unused, unsigned long long to,
    unsigned flags, void *ctx)
{
	struct search *s = ctx;
	size_t end = s->begin + (size_t)to;

	(void)unused;
	(void)flags;
	if (end <= s->from || end > s->until)
		return 0;
	if (end != s->last_end) {
		s->n_before = s->n;
		s->last_end = end;
	}
	if (s->n == s->max)
		return 1;
	s->hits[s->n++] = (struct scan_hit){(uint32_t)(end - s->v->bytes[id]), id};
	return 0;
}

/* Return: false, with s->from where to go on, when there was no more room. */
static bool search_in(struct search *s, struct span text, size_t until)
{
	s->until = until;
	/* A failure is one of our own making: all that is foreign is what the text
	 * says. */
	hs_error_t r = s->v->lib->scan(
	    s->v->database, text.p, (unsigned)text.n, 0, s->v->scratch, on_hit, s);

	if (r == HS_SCAN_TERMINATED) {
		s->n = s->n_before;
		s->from = s->last_end - 1;
		return false;
	}
	assert(r == HS_SUCCESS);
	s->from = until;
	return true;
}

static size_t back_from(size_t at)
{
	size_t back = SCANNER_LITERAL_BYTES_MAX - 1;

	return at > back ? at - back : 0;
}

/* What ends near the end is looked for in a copy with zeros behind it. */
static void search_tail(struct search *s, struct span text)
{
	char copy[SCANNER_LITERAL_BYTES_MAX + 2 * TAIL_BYTES] = {0};
	size_t n;

	s->begin = back_from(s->from);
	n = text.n - s->begin;
	memcpy(copy, text.p + s->begin, n);
	(void)search_in(s, (struct span){copy, n + TAIL_BYTES}, text.n);
}

size_t scanner_vectorscan_find(struct scanner_vectorscan *v, struct span text,
    size_t *from, struct scan_hit *hits, size_t max)
{
	size_t tail = text.n > TAIL_BYTES ? text.n - TAIL_BYTES : 0;
	struct search s = {.v = v, .from = *from, .hits = hits, .max = max};
	bool is_done = true;

	if (s.from < tail) {
		s.begin = back_from(s.from);
		is_done = search_in(&s, span_skip(text, s.begin), tail);
	}
	if (is_done && s.from < text.n)
		search_tail(&s, text);
	*from = s.from;
	return s.n;
}
