/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_pickle - any bytes as a pickle, from a client and from a server
 *
 * What was read can be written, and reads and writes the same again.
 */

#include <assert.h>

#include "base/pickle.h"
#include "base/picklew.h"
#include "fuzz.h"

#define MAX_ITEMS 2000

static void write_value(
    struct buf *b, const struct pickle_value *v, unsigned int depth);

static void write_items(struct buf *b, const struct pickle_value *v, unsigned int depth)
{
	for (size_t i = 0; i < v->n; i++)
		write_value(b, v->items[i], depth + 1);
}

static void write_rows(struct buf *b, const struct pickle_value *v, unsigned int depth)
{
	switch (v->kind) {
	case PICKLE_LIST:
		picklew_list(b);
		write_items(b, v, depth);
		picklew_list_end(b);
		break;
	case PICKLE_TUPLE:
	case PICKLE_OBJECT:
		picklew_tuple(b);
		write_items(b, v, depth);
		picklew_tuple_end(b);
		break;
	case PICKLE_SET:
		picklew_set(b);
		write_items(b, v, depth);
		picklew_set_end(b);
		break;
	default:
		assert(v->kind == PICKLE_DICT && v->n % 2 == 0);
		picklew_dict(b);
		write_items(b, v, depth);
		picklew_dict_end(b);
		break;
	}
}

static void write_value(struct buf *b, const struct pickle_value *v, unsigned int depth)
{
	assert(depth <= PICKLE_MAX_DEPTH);
	switch (v->kind) {
	case PICKLE_NONE:
		picklew_none(b);
		break;
	case PICKLE_BOOL:
		picklew_bool(b, v->truth);
		break;
	case PICKLE_INT:
		picklew_i64(b, v->number);
		break;
	case PICKLE_FLOAT:
		picklew_f64(b, v->real);
		break;
	case PICKLE_STR:
	case PICKLE_BYTES:
	case PICKLE_CLASS:
		picklew_span(b, v->text);
		break;
	default:
		write_rows(b, v, depth);
		break;
	}
}

static void write_pickle(struct buf *b, const struct pickle *p)
{
	picklew_begin(b);
	write_value(b, pickle_root(p), 0);
	picklew_end(b);
}

static void read_and_write(struct span s, enum pickle_mode mode)
{
	CLEANUP(buf_deinit) struct buf once = BUF_INIT(1 << 24);
	CLEANUP(buf_deinit) struct buf twice = BUF_INIT(1 << 24);
	CLEANUP(pickle_freep) struct pickle *p = NULL;
	CLEANUP(pickle_freep) struct pickle *again = NULL;
	struct err e = {""};

	if (pickle_read(s, mode, MAX_ITEMS, &p, &e) < 0) {
		assert(!p && e.text[0]);
		return;
	}
	write_pickle(&once, p);
	assert(!once.failed);
	assert(pickle_read(buf_span(&once), PICKLE_DATA, MAX_ITEMS, &again, &e) == 0);
	write_pickle(&twice, again);
	assert(once.n == twice.n && !memcmp(once.p, twice.p, once.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span s = {(const char *)bytes, n};

	read_and_write(s, PICKLE_DATA);
	read_and_write(s, PICKLE_OBJECTS);
	return 0;
}
