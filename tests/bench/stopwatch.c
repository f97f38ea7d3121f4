/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stopwatch - from the write() of an offending line to the element in the kernel
 *
 *   stopwatch write LOG ADDRESS COUNT MIN-MAX SECONDS [spin] [on CPU] [set TABLE SET]
 *       Append COUNT lines, each of another address from ADDRESS on; print for each the
 *       nanoseconds until it was banned, or -1 if it was not within SECONDS. The next
 *       line is written MIN to MAX microseconds after that, so that the phase of
 *       whoever polls the log does not matter.
 *
 *   stopwatch calibrate COUNT MIN-MAX [spin] [on CPU]
 *       How late is the witness? A second process adds elements by itself; print for
 *       each the nanoseconds that this took with nobody listening, the same with the
 *       witness listening, and from there until the witness noticed.
 *
 * "spin": the witness never sleeps; "on CPU": its process stays on that one.
 * Run in the network namespace of the program that is measured. A part of tests/bench.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "enforce/nft.h"
#include "witness.h"

#define CALIBRATE_TABLE "bandog-bench"
#define CALIBRATE_FIRST "198.19.0.1"
#define CALIBRATE_SECONDS 5
#define MAX_COUNT 65000

struct pause {
	uint32_t min_us, max_us;
	uint32_t state; /* of the random numbers: the same in each run */
};

static int fail(const char *what)
{
	fprintf(stderr, "stopwatch: %s: %s\n", what, strerror(errno));
	return 1;
}

static int usage(void)
{
	fputs("usage: stopwatch write LOG ADDRESS COUNT MIN-MAX SECONDS [spin]"
	      " [on CPU] [set TABLE SET]\n"
	      "       stopwatch calibrate COUNT MIN-MAX [spin] [on CPU]\n",
	    stderr);
	return 64;
}

static bool read_pause(const char *text, struct pause *out)
{
	*out = (struct pause){.state = 2463534242};
	return sscanf(text, "%" SCNu32 "-%" SCNu32, &out->min_us, &out->max_us) == 2 &&
	       out->min_us <= out->max_us;
}

static bool read_count(const char *text, uint32_t *out)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*out = (uint32_t)n;
	return end != text && !*end && n > 0 && n <= MAX_COUNT;
}

static bool read_cpu(const char *text, uint32_t *out)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*out = (uint32_t)n;
	return end != text && !*end && n < CPU_SETSIZE;
}

static bool read_witness_words(char **words, struct witness_options *out)
{
	*out = (struct witness_options){0};
	for (; *words; words++) {
		if (!strcmp(*words, "spin")) {
			out->spins = true;
		} else if (!strcmp(*words, "on") && words[1] &&
			   read_cpu(words[1], &out->cpu)) {
			out->is_pinned = true;
			words++;
		} else if (!strcmp(*words, "set") && words[1] && words[2]) {
			out->table = words[1];
			out->set = words[2];
			words += 2;
		} else {
			return false;
		}
	}
	return true;
}

static uint32_t next_random(struct pause *p)
{
	p->state ^= p->state << 13;
	p->state ^= p->state >> 17;
	p->state ^= p->state << 5;
	return p->state;
}

static void rest(struct pause *p)
{
	uint32_t us = p->min_us + next_random(p) % (p->max_us - p->min_us + 1);
	struct timespec t = {us / 1000000, (long)(us % 1000000) * 1000};

	(void)nanosleep(&t, NULL); /* shorter does no harm */
}

/* --- write --- */

static size_t format_line(char *room, size_t n, uint32_t addr_be)
{
	struct in_addr a = {addr_be};
	char stamp[32], text[INET_ADDRSTRLEN];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	inet_ntop(AF_INET, &a, text, sizeof(text));
	int r = snprintf(room, n,
	    "%s mx postfix/smtpd[4711]: NOQUEUE: reject: RCPT from unknown[%s]: 554 "
	    "5.7.1 <someone@example.com>: Relay access denied; from=<a@example.net> "
	    "to=<someone@example.com> proto=ESMTP helo=<example.net>\n",
	    stamp, text);

	return r > 0 && (size_t)r < n ? (size_t)r : 0;
}

static int write_one(int fd, struct witness *w, uint32_t addr_be, int64_t timeout_ns)
{
	char line[512];
	size_t n = format_line(line, sizeof(line), addr_be);
	int64_t start = now_ns(), end = 0;

	if (write(fd, line, n) != (ssize_t)n)
		return -errno;
	int r = witness_wait(w, addr_be, timeout_ns, &end);

	if (r && r != -ETIMEDOUT)
		return r;
	printf("%" PRId64 "\n", r ? INT64_C(-1) : end - start);
	return 0;
}

static int cmd_write(char **words)
{
	CLEANUP(witness_closep) struct witness *w = NULL;
	struct witness_options o;
	struct in_addr first;
	struct pause p;
	uint32_t count, seconds;

	if (inet_pton(AF_INET, words[1], &first) != 1 ||
	    !read_count(words[2], &count) || !read_pause(words[3], &p) ||
	    !read_count(words[4], &seconds) || !read_witness_words(words + 5, &o))
		return usage();
	int fd = open(words[0], O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0)
		return fail(words[0]);
	w = witness_open(&o);
	if (!w)
		return fail("cannot listen to nf_tables");
	for (uint32_t i = 0; i < count; i++) {
		uint32_t addr_be = htonl(ntohl(first.s_addr) + i);

		rest(&p);
		errno = -write_one(fd, w, addr_be, (int64_t)seconds * 1000000000);
		if (errno)
			return fail("measurement");
	}
	close(fd);
	return 0;
}

/* --- calibrate --- */

struct added {
	int64_t before, after;
};

static int add_one(struct nft *n, uint32_t addr_be, struct added *out)
{
	struct nft_change c = {
	    .add = true, .net = net_from_v4(addr_be), .timeout_ms = 600000};
	struct err e = {""};

	out->before = now_ns();
	int r = nft_apply(n, &c, 1, NULL, NULL, &e);

	out->after = now_ns();
	return r;
}

/* The process that adds: half of them alone, half with the witness, which is told over
 * the pipe what comes. Return: exit status. */
static int add_all(int to_witness, uint32_t count, struct pause p, struct added *out)
{
	CLEANUP(nft_closep) struct nft *n = NULL;
	struct nft_target t = {.name = "calibrate"};
	uint32_t first = ntohl(inet_addr(CALIBRATE_FIRST));
	struct err e = {""};

	struct nft_place place = nft_own_place;

	strcpy(place.table, CALIBRATE_TABLE);
	n = nft_open(&place, &e);
	if (!n || nft_setup(n, &t, 1, &e) < 0) {
		fprintf(stderr, "stopwatch: %s\n", e.text);
		return 1;
	}
	for (uint32_t i = 0; i < 2 * count; i++) {
		rest(&p);
		if (i == count && write(to_witness, "", 1) != 1)
			return 1;
		if (i == count)
			usleep(100000); /* until it listens */
		if (add_one(n, htonl(first + i), &out[i]) < 0)
			return fail("cannot add an element");
	}
	return nft_remove(n, &e) < 0;
}

static int notice_all(const struct witness_options *o, int from_adder, uint32_t count,
    int64_t *out_noticed)
{
	CLEANUP(witness_closep) struct witness *w = NULL;
	uint32_t first = ntohl(inet_addr(CALIBRATE_FIRST)) + count;
	char go;

	if (read(from_adder, &go, 1) != 1)
		return -EPIPE;
	w = witness_open(o);
	if (!w)
		return -errno;
	for (uint32_t i = 0; i < count; i++) {
		int r = witness_wait(w, htonl(first + i),
		    CALIBRATE_SECONDS * INT64_C(1000000000), &out_noticed[i]);

		if (r)
			return r;
	}
	return 0;
}

static int cmd_calibrate(char **words)
{
	CLEANUP(freep) int64_t *noticed = NULL;
	struct witness_options o;
	struct pause p;
	uint32_t count;
	int pipe_fds[2], status = 1;

	if (!read_count(words[0], &count) || !read_pause(words[1], &p) ||
	    !read_witness_words(words + 2, &o))
		return usage();
	struct added *added = mmap(NULL, 2 * count * sizeof(*added),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	noticed = calloc(count, sizeof(*noticed));
	if (added == MAP_FAILED || !noticed || pipe(pipe_fds) < 0)
		return fail("calibrate");
	pid_t pid = fork();

	if (pid < 0)
		return fail("fork");
	if (!pid) {
		close(pipe_fds[0]);
		_exit(add_all(pipe_fds[1], count, p, added));
	}
	close(pipe_fds[1]);
	errno = -notice_all(&o, pipe_fds[0], count, noticed);
	if (errno)
		(void)fail("calibrate");
	if (waitpid(pid, &status, 0) != pid || status)
		return 1;
	for (uint32_t i = 0; i < count; i++) {
		const struct added *with = &added[count + i];

		printf("%" PRId64 " %" PRId64 " %" PRId64 "\n",
		    added[i].after - added[i].before, with->after - with->before,
		    noticed[i] - with->after);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 7 && !strcmp(argv[1], "write"))
		return cmd_write(argv + 2);
	if (argc >= 4 && !strcmp(argv[1], "calibrate"))
		return cmd_calibrate(argv + 2);
	return usage();
}
