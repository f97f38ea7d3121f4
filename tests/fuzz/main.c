/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main - run a fuzz target without a fuzzer
 *
 * Usage: fuzz_X CORPUS-DIR [MUTATIONS]. Replays each file of the corpus and then some
 * thousand mutations of them, always the same ones: so every test run repeats what the
 * fuzzer once found. When the target dies, its last input is left in fuzz-crash.bin in
 * the working directory: it belongs into the corpus.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "fuzz.h"

#define MAX_INPUT_BYTES 65536
#define DEFAULT_MUTATIONS 3000

struct corpus {
	struct buf *files;
	size_t n;
};

/* For the signal handler, which gets no argument of ours. */
static const uint8_t *current;
static size_t current_bytes;

static void on_crash(int signo)
{
	int fd = open("fuzz-crash.bin", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd >= 0)
		(void)!write(fd, current, current_bytes);
	(void)signal(signo, SIG_DFL);
	(void)raise(signo);
}

/* From memory of exactly that size, so that a sanitizer sees every step beyond it. */
static void run(const char *p, size_t n)
{
	uint8_t *exact = malloc(n > 0 ? n : 1);

	if (!exact)
		abort();
	if (n > 0)
		memcpy(exact, p, n);
	current = exact;
	current_bytes = n;
	(void)LLVMFuzzerTestOneInput(exact, n);
	free(exact);
}

static int is_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* In the order of their names, or the mutations would differ between machines. */
static int load(struct corpus *c, const char *dir)
{
	CLEANUP(fd_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **names;
	int n = scandir(dir, &names, is_visible, alphasort), r = 0;

	if (fd < 0 || n < 0)
		return -errno;
	c->files = calloc(n > 0 ? (size_t)n : 1, sizeof(*c->files));
	if (!c->files)
		abort();
	for (int i = 0; i < n; i++) {
		c->files[i] = BUF_INIT(MAX_INPUT_BYTES);
		if (r == 0)
			r = fd_read_file(fd, names[i]->d_name, &c->files[i]);
		free(names[i]);
	}
	free(names);
	c->n = (size_t)n;
	return r;
}

/* xorshift64* (Vigna, 2016): the same everywhere. Below @limit, which is not 0. */
static size_t draw(uint64_t *seed, size_t limit)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (size_t)((*seed * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static void insert(struct buf *b, size_t at, struct span s)
{
	CLEANUP(freep) char *tail = span_dup(span_skip(buf_span(b), at));
	size_t n_tail = b->n - at;

	b->n = at;
	buf_add_span(b, s);
	buf_add(b, tail, n_tail);
}

static void remove_range(struct buf *b, size_t at, size_t n)
{
	memmove(b->p + at, b->p + at + n, b->n - at - n);
	b->n -= n;
}

/* One small step away from what @b holds; @other is where pieces are taken from. */
static void mutate(struct buf *b, struct span other, uint64_t *seed)
{
	static const char odd[] = "\0\x01\x7f\x80\xff \n\t/:.[]()-+*%\"\\'0919azAZ";
	size_t at = draw(seed, b->n + 1), from, n;

	switch (draw(seed, 7)) {
	case 0:
		if (at < b->n)
			b->p[at] = (char)(b->p[at] ^ (1 << draw(seed, 8)));
		break;
	case 1:
		if (at < b->n)
			b->p[at] = odd[draw(seed, sizeof(odd) - 1)];
		break;
	case 2:
		insert(b, at, (struct span){&odd[draw(seed, sizeof(odd) - 1)], 1});
		break;
	case 3:
		if (at < b->n)
			remove_range(b, at, 1 + draw(seed, b->n - at));
		break;
	case 4: /* cut the end off */
		if (at < b->n)
			remove_range(b, at, b->n - at);
		break;
	case 5: /* a piece of another input */
		from = draw(seed, other.n + 1);
		n = draw(seed, other.n - from + 1);
		insert(b, at, (struct span){other.p + from, n});
		break;
	default: /* a 32-bit number, as lengths and counts are */
		n = draw(seed, 4) == 0 ? 0xffffffff : draw(seed, 300);
		for (size_t i = 0; i < 4 && at + i < b->n; i++)
			b->p[at + i] = (char)(n >> (8 * i) & 0xff);
		break;
	}
}

static void run_mutations(const struct corpus *c, size_t n_mutations)
{
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < n_mutations; i++) {
		struct buf b = BUF_INIT(2 * MAX_INPUT_BYTES);
		size_t n_steps = 1 + draw(&seed, 6);

		buf_add_span(&b, buf_span(&c->files[draw(&seed, c->n)]));
		buf_add(&b, "", 0); /* allocates even for an empty file */
		for (; n_steps > 0; n_steps--)
			mutate(&b, buf_span(&c->files[draw(&seed, c->n)]), &seed);
		run(b.p, b.n);
		buf_deinit(&b);
	}
}

int main(int argc, char **argv)
{
	struct corpus c = {0};
	int64_t n_mutations = DEFAULT_MUTATIONS;
	int r;

	if (argc < 2 || (argc > 2 && (span_to_i64(span_of(argv[2]), &n_mutations) < 0 ||
					 n_mutations < 0))) {
		(void)fprintf(stderr, "usage: %s CORPUS-DIR [MUTATIONS]\n", argv[0]);
		return 2;
	}
	r = load(&c, argv[1]);
	if (r < 0 || c.n == 0) {
		printf("1..1\nnot ok 1 - corpus %s: %s\n", argv[1],
		    r < 0 ? strerror(-r) : "empty");
		return 1;
	}
	(void)signal(SIGABRT, on_crash);
	(void)signal(SIGSEGV, on_crash);
	for (size_t i = 0; i < c.n; i++)
		run(c.files[i].p, c.files[i].n);
	run_mutations(&c, (size_t)n_mutations);
	printf("1..1\nok 1 - %zu files, %lld mutations\n", c.n, (long long)n_mutations);
	for (size_t i = 0; i < c.n; i++)
		buf_deinit(&c.files[i]);
	free(c.files);
	return 0;
}
