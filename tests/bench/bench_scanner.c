/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast each kind of scanner searches a mail log for literals, beside a split into
 * lines by memchr() and a memmem() for each literal.
 *
 *   bench_scanner [LITERALS [LOG...]]
 *
 * LITERALS: a file with one a line, "(?i)" before those of either case; without it, 6
 * of mail and more of our own make. LOG: instead of two generated ones, in which 40 %
 * of the lines and none have a literal of those 6.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/scan.h"
#include "match/scanner.h"

#define LOG_BYTES (64 << 20)
#define BLOCK_BYTES (256 << 10)
#define MAX_HITS 4096
#define ROUNDS 7
#define MEMMEM_MAX 32 /* literals; beyond, it takes too long to wait for */

struct text {
	char *p;
	size_t n;
};

struct result {
	double gb_sec;
	size_t n_found;
};

static void die(const char *what)
{
	fprintf(stderr, "bench_scanner: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_sec(void)
{
	struct timespec t;

	/* Not the clock on the wall: others may want the processor as well. */
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t next_random(void)
{
	static uint32_t r = 2463534242;

	r ^= r << 13;
	r ^= r >> 17;
	r ^= r << 5;
	return r;
}

/* --- logs --- */

static int attack_line(char *room, size_t n, uint32_t r)
{
	unsigned a = r >> 8 & 255, b = r >> 16 & 255;

	switch (r % 4) {
	case 0:
	case 1:
		return snprintf(room, n,
		    "NOQUEUE: reject: RCPT from unknown[198.18.%u.%u]: 554 5.7.1 "
		    "<x%u@example.net>: Relay access denied; from=<a@example.org> "
		    "to=<x%u@example.net> proto=ESMTP helo=<User>",
		    a, b, r % 9973, r % 9973);
	case 2:
		return snprintf(room, n,
		    "warning: unknown[198.18.%u.%u]: SASL LOGIN authentication failed: "
		    "UGFzc3dvcmQ6",
		    a, b);
	default:
		return snprintf(room, n,
		    "lost connection after AUTH from unknown[198.18.%u.%u]", a, b);
	}
}

static int calm_line(char *room, size_t n, uint32_t r)
{
	switch (r % 3) {
	case 0:
		return snprintf(room, n, "connect from mail.example.org[203.0.113.%u]",
		    r >> 8 & 255);
	case 1:
		return snprintf(room, n,
		    "%08X19: from=<u%u@example.org>, size=%u, nrcpt=1 (queue active)",
		    r, r % 9973, r >> 12);
	default:
		return snprintf(room, n,
		    "%08X42: to=<v%u@example.com>, "
		    "relay=mx.example.com[203.0.113.9]:25, "
		    "delay=0.7, delays=0.1/0/0.3/0.3, dsn=2.0.0, status=sent (250 "
		    "2.0.0 ok "
		    "queued as %08X)",
		    r, r % 9973, r * 7);
	}
}

static struct text generate(unsigned attack_pct)
{
	struct text t = {malloc(LOG_BYTES + 1024), 0};

	if (!t.p)
		die("memory");
	for (unsigned i = 0; t.n < LOG_BYTES; i++) {
		uint32_t r = next_random();
		char *p = t.p + t.n;
		int n = snprintf(p, 200,
		    "Nov 23 %02u:%02u:%02u mx postfix/smtpd[%u]: ", i / 3600000 % 24,
		    i / 60000 % 60, i / 1000 % 60, i % 30000);

		n += next_random() % 100 < attack_pct ? attack_line(p + n, 600, r)
						      : calm_line(p + n, 600, r);
		p[n] = '\n';
		t.n += (size_t)n + 1;
	}
	return t;
}

static struct text load(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct text t;

	if (fd < 0 || fstat(fd, &st) < 0)
		die(path);
	t = (struct text){malloc((size_t)st.st_size + 1), (size_t)st.st_size};
	if (!t.p || read(fd, t.p, t.n) != (ssize_t)t.n)
		die(path);
	close(fd);
	return t;
}

/* --- literals --- */

static const char *const own[] = {"reject: RCPT", "SASL ", "lost connection after",
    "too many errors", "improper command", "PREGREET"};

/* As in regexes, many literals have words in common: each subject with each fault. */
static const char *const subjects[] = {"authentication", "Login", "password", "user",
    "connection", "session", "request", "command", "relay", "certificate", "SIP peer",
    "query", "mailbox", "transfer"};
static const char *const faults[] = {" failed", " failure;", " denied", " rejected by",
    " refused from", " not allowed", " not found", " unknown", " is invalid", " limit",
    " mismatch for", " attempts", " blocked", " expired", " forbidden", " aborted",
    " ERROR", " disabled", " exceeded:", " locked", " not permitted", " violation",
    " banned"};

struct set {
	struct scanner_literal l[SCANNER_LITERALS_MAX];
	size_t n;
};

static void add(struct set *s, struct span text)
{
	struct span nocase = SPAN("(?i)");
	bool is_nocase = span_starts(text, nocase);

	if (s->n < SCANNER_LITERALS_MAX)
		s->l[s->n++] = (struct scanner_literal){
		    span_skip(text, is_nocase ? nocase.n : 0), is_nocase};
}

static void fill_own(struct set *s)
{
	static char texts[ARRAY_LEN(subjects) * ARRAY_LEN(faults)]
			 [SCANNER_LITERAL_BYTES_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		add(s, span_of(own[i]));
	for (size_t f = 0; f < ARRAY_LEN(faults); f++) {
		for (size_t i = 0; i < ARRAY_LEN(subjects); i++, n++) {
			(void)snprintf(
			    texts[n], sizeof(texts[n]), "%s%s", subjects[i], faults[f]);
			add(s, span_of(texts[n]));
		}
	}
}

static void fill(struct set *s, const char *path)
{
	struct span line, rest;

	if (!path) {
		fill_own(s);
		return;
	}
	struct text t = load(path);

	rest = (struct span){t.p, t.n};
	while (span_next_line(&rest, &line))
		add(s, line);
}

/* --- what is measured: each gives how much it found --- */

static size_t by_scanner(const void *ctx, struct span block)
{
	static struct scan_hit hits[MAX_HITS];
	size_t from = 0, n = 0;

	while (from < block.n)
		n += scanner_find(ctx, block, &from, hits, MAX_HITS);
	return n;
}

static size_t by_memmem(const void *ctx, struct span block)
{
	const struct set *s = ctx;
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct span want = s->l[i].text;
		const char *p = block.p, *end = block.p + block.n;

		while ((p = memmem(p, (size_t)(end - p), want.p, want.n))) {
			n++;
			p++;
		}
	}
	return n;
}

static size_t by_memchr(const void *ctx, struct span block)
{
	const char *p = block.p, *end = block.p + block.n;
	size_t n = 0;

	(void)ctx;
	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		n++;
		p++;
	}
	return n;
}

static size_t by_count(const void *ctx, struct span block)
{
	(void)ctx;
	return scan_count_lines(block);
}

static size_t by_ascii(const void *ctx, struct span block)
{
	(void)ctx;
	return scan_is_ascii(block);
}

/* As when a file is read: each block comes into the same buffer, and is in the cache.
 */
static double one_round(size_t (*f)(const void *, struct span), const void *ctx,
    struct text t, size_t *out_found)
{
	static char buffer[BLOCK_BYTES] __attribute__((aligned(4096)));
	double took = 0;

	*out_found = 0;
	for (size_t at = 0; at < t.n; at += BLOCK_BYTES) {
		size_t n = t.n - at < BLOCK_BYTES ? t.n - at : BLOCK_BYTES;

		memcpy(buffer, t.p + at, n);
		double start = now_sec();

		*out_found += f(ctx, (struct span){buffer, n});
		took += now_sec() - start;
	}
	return (double)t.n / 1e9 / took;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void measure(const char *what, size_t (*f)(const void *, struct span),
    const void *ctx, struct text t)
{
	double speeds[ROUNDS];
	size_t n = 0;

	for (int i = 0; i < ROUNDS; i++)
		speeds[i] = one_round(f, ctx, t, &n);
	qsort(speeds, ROUNDS, sizeof(*speeds), by_value);
	printf("  %-24s %6.2f GB/s (best %6.2f), %zu found\n", what, speeds[ROUNDS / 2],
	    speeds[ROUNDS - 1], n);
}

static void measure_kinds(const struct set *s, size_t n, struct text t)
{
	static const enum scanner_kind kinds[] = {
	    SCANNER_AVX512, SCANNER_AVX2, SCANNER_PORTABLE, SCANNER_VECTORSCAN};
	struct set some = *s;
	struct err e;

	some.n = n;
	printf(" %zu literals\n", n);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		double start = now_sec();
		CLEANUP(scanner_freep)
		struct scanner *sc = scanner_new(s->l, n, kinds[i], &e);
		double took = now_sec() - start;
		char what[64];

		if (!sc)
			continue;
		(void)snprintf(what, sizeof(what), "%s (made in %.1f ms)",
		    scanner_name(sc), took * 1e3);
		measure(what, by_scanner, sc, t);
	}
	if (n <= MEMMEM_MAX)
		measure("memmem for each", by_memmem, &some, t);
}

static void measure_log(
    const char *what, const struct set *s, bool is_given, struct text t)
{
	static const size_t sizes[] = {6, 30, 150, 320};

	printf("%s: %zu MB, %zu bytes a line\n", what, t.n >> 20,
	    t.n / (by_count(NULL, (struct span){t.p, t.n}) + 1));
	measure("memchr, lines", by_memchr, NULL, t);
	measure("scan_count_lines", by_count, NULL, t);
	measure("scan_is_ascii", by_ascii, NULL, t);
	for (size_t i = 0; i < ARRAY_LEN(sizes) && sizes[i] < s->n; i++)
		measure_kinds(s, sizes[i], t);
	if (is_given)
		measure_kinds(s, s->n, t);
}

int main(int argc, char **argv)
{
	static struct set s;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	(void)sched_setaffinity(0, sizeof(one), &one); /* else it is less exact */
	fill(&s, argv[1]);
	for (int i = 2; i < argc; i++)
		measure_log(argv[i], &s, true, load(argv[i]));
	if (argc <= 2) {
		measure_log("dense log", &s, argc > 1, generate(40));
		measure_log("calm log", &s, argc > 1, generate(0));
	}
	return 0;
}
