/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/scanner.h"

#include <assert.h>
#include <errno.h>

#include "match/scanner_private.h"

struct scanner {
	/* One of the two; none when there are no literals. */
	const struct scanner_unit *unit;
	struct scanner_vectorscan *vectorscan;
	struct scanner_plan plan;
	const char *name;
	size_t hits_min;
};

static int check_literal(const struct scanner_literal *l, struct err *e)
{
	if (l->text.n < SCANNER_LITERAL_BYTES_MIN ||
	    l->text.n > SCANNER_LITERAL_BYTES_MAX)
		return err_set(e, -EINVAL, "a literal of %zu bytes", l->text.n);
	for (size_t i = 0; i < l->text.n; i++) {
		unsigned char c = (unsigned char)l->text.p[i];

		if (c == '\0' || c == '\n' || c >= SCANNER_BYTES)
			return err_set(e, -EINVAL, "a literal with byte %u", c);
	}
	return 0;
}

static int check_literals(const struct scanner_literal *l, size_t n, struct err *e)
{
	if (n > SCANNER_LITERALS_MAX)
		return err_set(
		    e, -E2BIG, "%zu literals, more than %d", n, SCANNER_LITERALS_MAX);
	for (size_t i = 0; i < n; i++) {
		int r = check_literal(&l[i], e);

		if (r < 0)
			return r;
	}
	return 0;
}

static const struct scanner_unit *unit_of(enum scanner_kind kind)
{
	const struct scanner_unit *const units[] = {
	    [SCANNER_PORTABLE] = scanner_portable,
	    [SCANNER_AVX2] = scanner_avx2,
	    [SCANNER_AVX512] = scanner_avx512,
	};
	const struct scanner_unit *unit = units[kind];

	return unit && unit->is_here() ? unit : NULL;
}

static const struct scanner_unit *best_unit(void)
{
	const struct scanner_unit *unit = unit_of(SCANNER_AVX512);

	if (!unit)
		unit = unit_of(SCANNER_AVX2);
	return unit ? unit : scanner_portable;
}

static int set_unit(struct scanner *s, const struct scanner_literal *l, size_t n,
    const struct scanner_unit *unit, struct err *e)
{
	int r;

	if (!unit)
		return err_set(
		    e, -ENOTSUP, "this processor or build has no such scanner");
	s->name = unit->name;
	if (n == 0)
		return 0;
	r = scanner_plan_init(&s->plan, l, n, unit->shape(n));
	if (r < 0)
		return err_errno(e, r, "scanner");
	s->unit = unit;
	s->hits_min = s->plan.longest_chain;
	return 0;
}

static int set_vectorscan(
    struct scanner *s, const struct scanner_literal *l, size_t n, struct err *e)
{
	int r = scanner_vectorscan_new(l, n, &s->vectorscan, e);

	if (r < 0)
		return r;
	s->name = "vectorscan";
	if (n > 0)
		s->hits_min = n;
	return 0;
}

static int set_kind(struct scanner *s, const struct scanner_literal *l, size_t n,
    enum scanner_kind kind, struct err *e)
{
	switch (kind) {
	case SCANNER_BEST:
		return set_unit(s, l, n, best_unit(), e);
	case SCANNER_VECTORSCAN:
		return set_vectorscan(s, l, n, e);
	default:
		return set_unit(s, l, n, unit_of(kind), e);
	}
}

struct scanner *scanner_new(
    const struct scanner_literal *l, size_t n, enum scanner_kind kind, struct err *e)
{
	CLEANUP(scanner_freep) struct scanner *s = NULL;
	int r = check_literals(l, n, e);

	if (r == 0) {
		/* The plan's tables are loaded as whole vectors. */
		s = aligned_alloc(alignof(struct scanner), sizeof(*s));
		r = s ? 0 : -ENOMEM;
	}
	if (r == 0) {
		*s = (struct scanner){.hits_min = 1};
		r = set_kind(s, l, n, kind, e);
	}
	if (r < 0) {
		s = scanner_free(s);
		errno = -r;
		return NULL;
	}
	return TAKE(s);
}

struct scanner *scanner_free(struct scanner *s)
{
	if (!s)
		return NULL;
	s->vectorscan = scanner_vectorscan_free(s->vectorscan);
	scanner_plan_deinit(&s->plan);
	free(s);
	return NULL;
}

const char *scanner_name(const struct scanner *s)
{
	return s->name;
}

size_t scanner_hits_min(const struct scanner *s)
{
	return s->hits_min;
}

/* So much of the text that what is read behind its last key still belongs to it. */
static size_t inner_bytes(size_t n)
{
	return n < SCANNER_SLACK ? 0
				 : (n - SCANNER_SLACK) / SCANNER_BLOCK * SCANNER_BLOCK;
}

#define TAIL_MAX (SCANNER_BLOCK + SCANNER_SLACK + SCANNER_BLOCK)

/* The rest, in a copy with zeros behind it. A literal may begin in the block before. */
static size_t find_in_tail(const struct scanner *s, struct span text, size_t *from,
    struct scan_hit *hits, size_t max)
{
	char copy[TAIL_MAX + SCANNER_SLACK] = {0};
	size_t inner = inner_bytes(text.n);
	size_t begin = inner > 0 ? inner - SCANNER_BLOCK : 0;
	size_t bytes = text.n - begin, at = *from - begin, n;
	size_t end = (bytes + SCANNER_BLOCK - 1) / SCANNER_BLOCK * SCANNER_BLOCK;

	memcpy(copy, text.p + begin, bytes);
	n = s->unit->find(&s->plan, copy, &at, end, hits, max);
	for (size_t i = 0; i < n; i++)
		hits[i].at += (uint32_t)begin;
	*from = at < bytes ? begin + at : text.n;
	return n;
}

HOT size_t scanner_find(const struct scanner *s, struct span text, size_t *from,
    struct scan_hit *hits, size_t max)
{
	size_t inner = inner_bytes(text.n), n = 0;

	assert(text.n <= UINT32_MAX && *from <= text.n && max >= s->hits_min);
	if (s->vectorscan)
		return scanner_vectorscan_find(s->vectorscan, text, from, hits, max);
	if (!s->unit) {
		*from = text.n;
		return 0;
	}
	if (*from < inner)
		n = s->unit->find(&s->plan, text.p, from, inner, hits, max);
	if (*from >= inner && *from < text.n)
		n += find_in_tail(s, text, from, hits + n, max - n);
	return n;
}
