/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan_cores - slots in a ring
 *
 * Slots from head to tail are with the workers, in turn; that at tail is being filled.
 * A worker gets its slots and gives them back in their order, so there is nothing to
 * wait for but the worker of the slot at head. One slot more for each worker than it is
 * busy with keeps it busy while the scan decides.
 */
#include "cli/scan_cores.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#include "base/scan.h"
#include "cli/scan_worker.h"

/* Two blocks as they are read fit, with long lines before them. */
#define SLOT_BYTES (576 * 1024)
#define BYTES_PER_FOUND 16 /* of lines: so much room there is for what is found */
/* What one core does before the others have begun; and then it is known which dates
 * the log has. */
#define ALONE_BYTES (8 << 20)
/* What searching and deciding must take for a byte. Below that, which is a few
 * gigabytes a second, handing lines over costs as much as searching them. */
#define WORTH_PS 300

struct scan_cores {
	struct scan_cores_options o;
	size_t n_workers, n_alive, n_lost;
	size_t slot_bytes;
	size_t n_alone;   /* bytes until work is shared */
	int64_t alone_ns; /* that they took */
	bool is_shared;
	uint32_t *apart, *own; /* jails that are searched by workers, and here */
	uint32_t n_apart, n_own;
	void *memory;
	size_t memory_bytes;
	struct scan_work work;
	struct scan_worker workers[SCAN_CORES_MAX];
	size_t owner[2 * SCAN_CORES_MAX + 2]; /* of each slot; SIZE_MAX: none */
	size_t head, tail;                    /* count on; slot is the remainder */
	size_t turn;
};

static unsigned int n_usable(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : CPU_COUNT(&set);

	return n < SCAN_CORES_DEFAULT_MAX ? (unsigned int)n : SCAN_CORES_DEFAULT_MAX;
}

struct scan_cores *scan_cores_new(const struct scan_cores_options *o)
{
	CLEANUP(scan_cores_freep) struct scan_cores *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->o = *o;
	c->n_workers = o->n_cores ? o->n_cores : n_usable();
	if (c->n_workers > SCAN_CORES_MAX)
		c->n_workers = SCAN_CORES_MAX;
	c->slot_bytes = o->slot_bytes ? o->slot_bytes : SLOT_BYTES;
	c->n_alone = o->slot_bytes ? o->slot_bytes : ALONE_BYTES;
	c->apart = calloc(o->n_jails + 1, sizeof(*c->apart));
	c->own = calloc(o->n_jails + 1, sizeof(*c->own));
	if (!c->apart || !c->own)
		return NULL;
	for (uint32_t i = 0; i < o->n_jails; i++) {
		if (pipeline_is_separable(o->pipeline, o->jails[i]))
			c->apart[c->n_apart++] = o->jails[i];
		else
			c->own[c->n_own++] = o->jails[i];
	}
	return TAKE(c);
}

struct scan_cores *scan_cores_free(struct scan_cores *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; c->is_shared && i < c->n_workers; i++)
		scan_worker_end(&c->workers[i]);
	if (c->memory)
		(void)munmap(c->memory, c->memory_bytes);
	free(c->apart);
	free(c->own);
	free(c);
	return NULL;
}

size_t scan_cores_n_workers(const struct scan_cores *c)
{
	return c->n_workers;
}

size_t scan_cores_n_lost(const struct scan_cores *c)
{
	return c->n_lost;
}

/* --- sharing begins */

static size_t aligned(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

static int make_slots(struct scan_cores *c)
{
	size_t n = 2 * c->n_workers + 2;
	uint32_t max_found = (uint32_t)(c->slot_bytes / BYTES_PER_FOUND + 1);
	size_t text = aligned(c->slot_bytes);
	size_t found = aligned(max_found * sizeof(struct pipeline_known));
	size_t slots = aligned(n * sizeof(struct scan_slot));

	c->memory_bytes = slots + n * (text + found);
	c->memory = mmap(NULL, c->memory_bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c->memory == MAP_FAILED) {
		c->memory = NULL;
		return -ENOMEM;
	}
	c->work.slots = c->memory;
	c->work.n_slots = n;
	for (size_t i = 0; i < n; i++) {
		char *at = (char *)c->memory + slots + i * (text + found);

		c->work.slots[i] = (struct scan_slot){
		    .text = at, .found = (void *)(at + text), .max_found = max_found};
	}
	return 0;
}

/* Without memory or processes there is one core, as there may be anywhere. */
static void share(struct scan_cores *c)
{
	if (make_slots(c) < 0)
		return;
	c->work.pipeline = c->o.pipeline;
	c->work.jails = c->apart;
	c->work.n_jails = c->n_apart;
	c->is_shared = true;
	for (size_t i = 0; i < c->n_workers; i++)
		c->n_alive += scan_worker_start(&c->workers[i], &c->work) == 0;
}

static bool is_worth_it(const struct scan_cores *c)
{
	return c->o.n_cores || c->alone_ns * 1000 / ALONE_BYTES >= WORTH_PS;
}

static bool is_shared(struct scan_cores *c)
{
	if (!c->is_shared && c->n_workers > 1 && c->n_apart && !c->n_alone) {
		if (is_worth_it(c))
			share(c);
		if (!c->is_shared)
			c->n_workers = 1;
	}
	return c->n_alive;
}

static int64_t cpu_ns(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* 0: not worth it */
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* --- deciding */

static int feed_alone(
    struct scan_cores *c, const struct pipeline_block *lines, struct orders *out)
{
	struct pipeline_block b = *lines;

	b.jails = c->o.jails;
	b.n_jails = c->o.n_jails;
	return pipeline_feed_block(c->o.pipeline, &b, WALL_NONE, out);
}

static void lose(struct scan_cores *c)
{
	c->n_alive--;
	c->n_lost++;
}

/* Return: true: the slot was searched. */
static bool await(struct scan_cores *c, size_t slot)
{
	struct scan_worker *w;
	int r;

	if (c->owner[slot] == SIZE_MAX)
		return false;
	w = &c->workers[c->owner[slot]];
	if (w->fd < 0)
		return false;
	r = scan_worker_wait(w);
	if (r < 0)
		lose(c);
	return r == (int)slot && !c->work.slots[slot].result;
}

/* Decide the slot at head. */
static int take(struct scan_cores *c, struct orders *out)
{
	size_t number = c->head++ % c->work.n_slots;
	struct scan_slot *s = &c->work.slots[number];
	const struct pipeline_block b = {
	    .lines = {s->text, s->n_bytes},
	    .n_lines = s->n_lines,
	    .jails = c->own,
	    .n_jails = c->n_own,
	    .read_at = s->read_at,
	};
	struct pipeline_found found = {
	    .items = s->found, .jails = c->apart, .n_jails = c->n_apart};
	int r = -EINVAL;

	if (await(c, number) && s->n_found <= s->max_found) {
		found.n = s->n_found;
		r = pipeline_feed_found(c->o.pipeline, &b, &found, WALL_NONE, out);
	}
	return r == -EINVAL ? feed_alone(c, &b, out) : r;
}

/* The slot at tail is full. */
static void submit(struct scan_cores *c)
{
	size_t slot = c->tail++ % c->work.n_slots;

	c->owner[slot] = SIZE_MAX;
	while (c->n_alive && c->owner[slot] == SIZE_MAX) {
		size_t i = c->turn++ % c->n_workers;

		if (c->workers[i].fd < 0)
			continue;
		if (scan_worker_give(&c->workers[i], (uint8_t)slot) == 0)
			c->owner[slot] = i;
		else
			lose(c);
	}
}

static struct scan_slot *filling(struct scan_cores *c)
{
	return &c->work.slots[c->tail % c->work.n_slots];
}

int scan_cores_settle(struct scan_cores *c, struct orders *out)
{
	int result = 0;

	if (!c->is_shared)
		return 0;
	if (filling(c)->n_bytes)
		submit(c);
	while (c->head != c->tail) {
		int r = take(c, out);

		result = r < 0 ? r : result;
	}
	filling(c)->n_bytes = 0;
	return result;
}

/* --- filling slots */

/* Take whole lines of @b that fit into @room bytes off it. Return: false: none does. */
static bool cut(struct pipeline_block *b, size_t room, struct pipeline_block *out)
{
	const char *end;

	*out = *b;
	if (b->lines.n > room) {
		end = memrchr(b->lines.p, '\n', room);
		if (!end)
			return false;
		out->lines = span_from(b->lines.p, end + 1);
		out->n_lines = scan_count_lines(out->lines);
	}
	b->lines = span_skip(b->lines, out->lines.n);
	b->n_lines -= out->n_lines;
	return true;
}

static void put(struct scan_slot *s, const struct pipeline_block *b)
{
	if (!s->n_bytes)
		s->n_lines = 0;
	memcpy(s->text + s->n_bytes, b->lines.p, b->lines.n);
	s->n_bytes += b->lines.n;
	s->n_lines += b->n_lines;
	s->read_at = b->read_at;
}

/* The slot at tail is given away; the next one is made free. */
static int turn_over(struct scan_cores *c, struct orders *out)
{
	int r = 0;

	submit(c);
	if (c->tail - c->head == c->work.n_slots)
		r = take(c, out);
	filling(c)->n_bytes = 0;
	return r;
}

static size_t first_line_bytes(const struct pipeline_block *b)
{
	struct span rest = b->lines, line = {"", 0};

	(void)span_next_whole_line(&rest, &line);
	return line.n;
}

static int feed_shared(
    struct scan_cores *c, const struct pipeline_block *lines, struct orders *out)
{
	struct pipeline_block rest = *lines, piece;
	int result = 0, r;

	while (rest.lines.n) {
		struct scan_slot *s = filling(c);
		bool is_other = s->n_bytes && s->read_at.us != rest.read_at.us;

		if (!is_other && cut(&rest, c->slot_bytes - s->n_bytes, &piece)) {
			put(s, &piece);
			if (s->n_bytes < c->slot_bytes / 2)
				continue;
			r = turn_over(c, out);
		} else if (s->n_bytes) {
			r = turn_over(c, out);
		} else {
			/* A line longer than a slot; all lines before it come first. */
			r = scan_cores_settle(c, out);
			result = r < 0 ? r : result;
			(void)cut(&rest, first_line_bytes(&rest), &piece);
			r = feed_alone(c, &piece, out);
		}
		result = r < 0 ? r : result;
	}
	return result;
}

int scan_cores_feed(
    struct scan_cores *c, const struct inputs_lines *lines, struct orders *out)
{
	const struct pipeline_block b = {
	    .lines = lines->lines,
	    .n_lines = lines->n_lines,
	    .read_at = lines->read_at,
	};
	int64_t begun;
	int r, settled;

	if (is_shared(c))
		return feed_shared(c, &b, out);
	settled = scan_cores_settle(c, out);
	begun = cpu_ns();
	r = feed_alone(c, &b, out);
	c->alone_ns += c->n_alone ? cpu_ns() - begun : 0;
	c->n_alone -= c->n_alone < b.lines.n ? c->n_alone : b.lines.n;
	return settled < 0 ? settled : r;
}
