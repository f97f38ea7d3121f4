/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * sieve-main - logs through all jails: line by line, in blocks of any size, and with
 * these blocks searched by other pipelines, now this and now that
 *
 * For tests/compat/sieve.py. What becomes of each failure and each order must be the
 * same, in the same order, and so must all counts. usage: sieve-main CONFIG-DIR SEED
 * LOG... Prints counts, or the first difference; exit status 1 then.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "pipeline/pipeline.h"

#define LOG_BYTES_MAX (1u << 30)
#define TOLD_BYTES_MAX (1u << 30)
#define NOW INT64_C(1124013600)

struct run {
	struct pipeline *pipeline;
	struct orders orders;
	struct buf told; /* what became of each failure, and counts */
	struct buf names_told;
	struct buf orders_told;
	uint64_t n_hits;
};

#define N_SEARCHERS 3

/* Jails whose lines are searched apart, and the others. */
struct halves {
	struct pipeline *searchers[N_SEARCHERS];
	uint32_t *apart, *own;
	uint32_t n_apart, n_own;
	struct pipeline_known *known;
	size_t n_known, max_known;
};

static void on_verdict(void *ctx, const struct hit *h, int outcome)
{
	struct run *r = ctx;

	r->n_hits++;
	buf_printf(&r->told,
	    "hit jail %u rule %u class %u weight %d value %" PRIx64 " account %" PRIx64
	    " at %" PRId64 " outcome %d ",
	    h->jail, h->rule, h->class, h->weight, h->value, h->account, h->at.us,
	    outcome);
	buf_add_net(&r->told, &h->net);
	buf_add_char(&r->told, ' ');
	buf_add_span(&r->told, h->text);
	buf_add_char(&r->told, '\n');
}

static bool on_name(void *ctx, const struct pipeline_name *n)
{
	struct run *r = ctx;

	buf_printf(&r->names_told, "name jail %u rule %u at %" PRId64 " " SPAN_FMT "\n",
	    n->jail, n->rule, n->at.us, SPAN_ARG(n->name));
	return false;
}

static void tell_orders(struct run *r)
{
	for (size_t i = 0; i < r->orders.n; i++)
		order_encode(&r->orders_told, &r->orders.items[i]);
	orders_clear(&r->orders);
}

static void tell_counts(struct run *r, const struct setup *s)
{
	for (uint32_t i = 0; i < s->n_jails; i++) {
		const struct filter *f = pipeline_filter(r->pipeline, i);
		struct pipeline_counts c;

		pipeline_counts(r->pipeline, i, &c);
		buf_printf(&r->told,
		    "jail %s: %" PRIu64 " lines, %" PRIu64 " failures, %" PRIu64
		    " helped, %" PRIu64 " ignored, %" PRIu64 " without address\n",
		    s->jails[i].name, c.lines, c.failures, c.helped, c.ignored,
		    c.no_address);
		if (f)
			buf_printf(
			    &r->told, "%" PRIu64 " unbound\n", filter_n_unbound(f));
		for (size_t k = 0; f && k < filter_n_rules(f); k++)
			buf_printf(&r->told, "%" PRIu64 "\n", filter_n_hits(f, k));
	}
}

static int start(struct run *r, const struct setup *s, struct err *e)
{
	r->told = r->names_told = r->orders_told = BUF_INIT(TOLD_BYTES_MAX);
	r->pipeline = pipeline_new(s, e);
	if (!r->pipeline)
		return -1;
	pipeline_on_verdict(r->pipeline, on_verdict, r);
	pipeline_on_name(r->pipeline, on_name, r);
	return 0;
}

static void by_line(struct run *r, const struct setup *s, struct span log)
{
	struct span text;

	while (span_next_line(&log, &text)) {
		const struct line l = {
		    .text = text, .stamp = WALL_NONE, .read_at = wall_from_sec(NOW)};

		for (uint32_t i = 0; i < s->n_jails; i++)
			(void)pipeline_feed(r->pipeline, i, &l, WALL_NONE, &r->orders);
		tell_orders(r);
	}
}

/* Whole lines, from one to as many as make 64 KiB. */
static struct span cut_block(struct span *log, uint64_t *seed, size_t *n_lines)
{
	struct span block = {log->p, 0};
	size_t wish;

	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	wish = (size_t)1 << (*seed >> 60);
	*n_lines = 0;
	while (block.n < log->n && block.n < 2 * wish) {
		const char *end = memchr(log->p + block.n, '\n', log->n - block.n);

		block.n = end ? (size_t)(end - log->p) + 1 : log->n;
		++*n_lines;
	}
	*log = span_skip(*log, block.n);
	return block;
}

static int keep_known(void *ctx, const struct pipeline_known *k)
{
	struct halves *h = ctx;

	if (h->n_known == h->max_known) {
		h->max_known = 2 * h->max_known + 64;
		h->known = reallocarray(h->known, h->max_known, sizeof(*h->known));
	}
	h->known[h->n_known++] = *k;
	return 0;
}

static void feed_halves(
    struct run *r, const struct pipeline_block *all, struct halves *h, uint64_t chance)
{
	struct pipeline_block apart = *all, own = *all;

	apart.jails = h->apart;
	apart.n_jails = h->n_apart;
	own.jails = h->own;
	own.n_jails = h->n_own;
	h->n_known = 0;
	(void)pipeline_search_block(
	    h->searchers[chance % N_SEARCHERS], &apart, keep_known, h);
	const struct pipeline_found f = {h->known, h->n_known, h->apart, h->n_apart};

	if (pipeline_feed_found(r->pipeline, &own, &f, WALL_NONE, &r->orders) < 0)
		buf_add_str(&r->told, "refused\n");
}

/* @h: NULL: by pipeline_feed_block() */
static void by_block(struct run *r, const struct setup *s, struct span log,
    uint64_t seed, struct halves *h)
{
	CLEANUP(freep) uint32_t *jails = calloc(s->n_jails + 1, sizeof(*jails));

	for (uint32_t i = 0; i < s->n_jails; i++)
		jails[i] = i;
	while (log.n) {
		struct pipeline_block b = {
		    .jails = jails,
		    .n_jails = s->n_jails,
		    .read_at = wall_from_sec(NOW),
		};
		struct span lines = cut_block(&log, &seed, &b.n_lines);
		/* Of exact size, so that a sanitizer sees steps beyond it. */
		CLEANUP(freep) char *copy = malloc(lines.n);

		memcpy(copy, lines.p, lines.n);
		b.lines = (struct span){copy, lines.n};
		if (h)
			feed_halves(r, &b, h, seed >> 40);
		else
			(void)pipeline_feed_block(
			    r->pipeline, &b, WALL_NONE, &r->orders);
		tell_orders(r);
	}
}

static int compare(const char *what, struct span x, struct span y)
{
	struct span p, q;

	if (span_eq(x, y))
		return 0;
	for (size_t i = 1;; i++) {
		bool has_p = span_next_line(&x, &p), has_q = span_next_line(&y, &q);

		if (has_p && has_q && span_eq(p, q))
			continue;
		printf("%s %zu differs:\n  line by line: " SPAN_FMT
		       "\n  otherwise:    " SPAN_FMT "\n",
		    what, i, has_p ? (int)p.n : 3, has_p ? p.p : "end",
		    has_q ? (int)q.n : 3, has_q ? q.p : "end");
		return 1;
	}
}

static int halves_init(struct halves *h, const struct setup *s, struct err *e)
{
	h->apart = calloc(s->n_jails + 1, sizeof(*h->apart));
	h->own = calloc(s->n_jails + 1, sizeof(*h->own));
	for (size_t i = 0; i < N_SEARCHERS; i++) {
		h->searchers[i] = pipeline_new(s, e);
		if (!h->searchers[i])
			return -1;
	}
	for (uint32_t i = 0; i < s->n_jails; i++) {
		if (pipeline_is_separable(h->searchers[0], i))
			h->apart[h->n_apart++] = i;
		else
			h->own[h->n_own++] = i;
	}
	return 0;
}

static void halves_deinit(struct halves *h)
{
	for (size_t i = 0; i < N_SEARCHERS; i++)
		pipeline_free(h->searchers[i]);
	free(h->apart);
	free(h->own);
	free(h->known);
}

static void run_deinit(struct run *r)
{
	pipeline_free(r->pipeline);
	orders_deinit(&r->orders);
	buf_deinit(&r->told);
	buf_deinit(&r->names_told);
	buf_deinit(&r->orders_told);
}

static int compare_runs(struct run *a, struct run *b, bool with_names)
{
	int code = compare("failure or count", buf_span(&a->told), buf_span(&b->told));

	if (!code && with_names)
		code =
		    compare("name", buf_span(&a->names_told), buf_span(&b->names_told));
	return code ? code
		    : compare("order", buf_span(&a->orders_told),
			  buf_span(&b->orders_told));
}

static int run_logs(const struct setup *s, uint64_t seed, char **logs, int n_logs)
{
	CLEANUP(run_deinit) struct run a = {0};
	CLEANUP(run_deinit) struct run b = {0};
	CLEANUP(run_deinit) struct run c = {0};
	CLEANUP(halves_deinit) struct halves h = {0};
	struct err e = {""};
	int code;

	if (start(&a, s, &e) < 0 || start(&b, s, &e) < 0 || start(&c, s, &e) < 0 ||
	    halves_init(&h, s, &e) < 0) {
		printf("%s\n", e.text);
		return 1;
	}
	for (int i = 0; i < n_logs; i++) {
		struct buf log = BUF_INIT(LOG_BYTES_MAX);

		if (fd_read_file(AT_FDCWD, logs[i], &log) == 0) {
			if (log.n && log.p[log.n - 1] != '\n')
				buf_add_char(&log, '\n');
			by_line(&a, s, buf_span(&log));
			by_block(&b, s, buf_span(&log), seed + (uint64_t)i, NULL);
			by_block(&c, s, buf_span(&log), seed + (uint64_t)i, &h);
		}
		buf_deinit(&log);
	}
	tell_counts(&a, s);
	tell_counts(&b, s);
	tell_counts(&c, s);
	code = compare_runs(&a, &b, true);
	/* Who is searched apart tells no names. */
	if (!code)
		code = compare_runs(&a, &c, false);
	if (!code)
		printf("%" PRIu64 " failures\n", a.n_hits);
	return code;
}

int main(int argc, char **argv)
{
	struct diag d = {0};
	CLEANUP(conf_freep) struct conf *conf = NULL;
	CLEANUP(setup_freep) struct setup *setup = NULL;
	int code = 1;

	if (argc < 4)
		return 64;
	conf = conf_load(argv[1], NULL, 0, &d);
	if (conf)
		(void)setup_build(conf, &d, &setup);
	for (size_t i = 0; i < d.n; i++) {
		if (d.items[i].level == DIAG_ERROR)
			printf("%s\n", d.items[i].text);
	}
	if (setup && setup->n_jails)
		code = run_logs(setup, strtoull(argv[2], NULL, 10), argv + 3, argc - 3);
	else
		printf("no jail\n");
	diag_deinit(&d);
	return code;
}
