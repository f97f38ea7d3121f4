/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LOG: a file, the journal, or the lines themselves. Files in other encodings than
 * UTF-8 are converted as a whole, so that also UTF-16 has lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "cli/f2b_regex.h"
#include "cli/f2b_spec.h"
#include "source/blocks.h"
#include "source/journal.h"
#include "source/split.h"

#define BLOCK_BYTES_MAX (16 * 1024 * 1024) /* no compression has larger ones */
#define SHORT_CHARS 53
#define LINES_LISTED 5
#define LINE_BYTES_MAX (1024 * 1024)

struct input {
	struct f2b_regex *x;
	struct split *split;
	int failed;
};

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int feed(struct f2b_regex *x, struct span text)
{
	while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	if (text.n == 0 || *text.p == '#')
		return 0;
	return f2b_regex_feed(x, text, (struct span){"", 0}, WALL_NONE);
}

static void on_line(void *ctx, struct span text, UNUSED size_t whole_bytes)
{
	struct input *in = ctx;

	if (!in->failed)
		in->failed = feed(in->x, text);
}

/* --- other encodings --- */

static bool is_utf8(const char *encoding)
{
	return !strcasecmp(encoding, "utf-8") || !strcasecmp(encoding, "utf8") ||
	       !strcasecmp(encoding, "auto");
}

/* Names that Python knows and iconv does not. */
static iconv_t open_encoding(const char *name)
{
	static const char *const names[][2] = {
	    {"latin-1", "ISO-8859-1"},
	    {"latin_1", "ISO-8859-1"},
	    {"iso-8859", "ISO-8859-1"},
	    {"utf-16-le", "UTF-16LE"},
	    {"utf_16_le", "UTF-16LE"},
	    {"utf-16-be", "UTF-16BE"},
	    {"utf_16_be", "UTF-16BE"},
	    {"utf_16", "UTF-16"},
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!strcasecmp(name, names[i][0]))
			name = names[i][1];
	}
	return iconv_open("UTF-8", name);
}

/*
 * What can be converted of @in (with @n_in bytes), to the split; bytes that are none of
 * this encoding become U+FFFD. Return: how many bytes are left over.
 */
static size_t convert(struct input *in, iconv_t cd, char *p, size_t n, bool is_end)
{
	char out[4096];

	while (n > 0) {
		char *to = out;
		size_t room = sizeof(out), r = iconv(cd, &p, &n, &to, &room);

		(void)split_feed(
		    in->split, (struct span){out, sizeof(out) - room}, on_line, in);
		if (r != (size_t)-1)
			continue;
		if (errno == EINVAL && !is_end)
			return n;
		if (errno == EILSEQ || errno == EINVAL) {
			(void)split_feed(in->split, SPAN("\xef\xbf\xbd"), on_line, in);
			p++;
			n--;
		}
	}
	return 0;
}

/* A block in that encoding. @left has what was left over of the one before: part of a
 * character. */
static void convert_block(
    struct input *in, iconv_t cd, struct span block, struct buf *left)
{
	size_t n;

	buf_add_span(left, block);
	n = convert(in, cd, left->p, left->n, block.n == 0);
	buf_consume(left, left->n - n);
}

static int run_blocks(
    struct input *in, struct blocks *blocks, iconv_t cd, struct err *e)
{
	struct buf left = BUF_INIT(BLOCK_BYTES_MAX);
	int r = 0;

	while (!r && !in->failed) {
		struct span block = {"", 0};

		r = blocks_read(blocks, &block, e);
		if (r < 0)
			break;
		if (cd == (iconv_t)-1)
			(void)split_feed(in->split, block, on_line, in);
		else
			convert_block(in, cd, block, &left);
	}
	if (left.failed)
		in->failed = -ENOMEM;
	buf_deinit(&left);
	return r < 0 ? r : 0;
}

static int run_file(struct f2b_regex *x, const char *path)
{
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	CLEANUP(split_freep) struct split *split = split_new(LINE_BYTES_MAX);
	CLEANUP(blocks_freep) struct blocks *blocks = fd < 0 ? NULL : blocks_new(fd);
	struct input in = {.x = x, .split = split};
	iconv_t cd = (iconv_t)-1;
	struct err e = {""};
	int r;

	if (fd < 0) {
		r = -errno;
		printf("[Errno %d] %s: '%s'\n", -r, strerror(-r), path);
		return r;
	}
	if (!split || !blocks)
		return -ENOMEM;
	if (!is_utf8(x->o->encoding)) {
		cd = open_encoding(x->o->encoding);
		if (cd == (iconv_t)-1) {
			printf("ERROR: unknown encoding: %s\n", x->o->encoding);
			return -EINVAL;
		}
	}
	r = run_blocks(&in, blocks, cd, &e);
	if (r < 0)
		printf("ERROR: %s: %s\n", path, e.text);
	if (cd != (iconv_t)-1)
		(void)iconv_close(cd);
	/* What has no line end yet is no line, as for the daemon. */
	return r < 0 ? r : in.failed;
}

/* --- the journal --- */

static const char journal_word[] = "systemd-journal";

static int on_entry(void *ctx, struct span text, wall_t at)
{
	struct f2b_regex *x = ctx;
	char when[64] = "";
	struct tm tm;
	time_t sec = (time_t)(at.us / US_PER_SEC);
	int us = (int)(at.us % US_PER_SEC);

	if (localtime_r(&sec, &tm)) {
		size_t n = strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);

		if (us)
			(void)snprintf(when + n, sizeof(when) - n, ".%06d", us);
	}
	return f2b_regex_feed(x, text, span_of(when), at);
}

static const char *journalmatch_of(const struct f2b_regex *x)
{
	return x->o->journalmatch ? x->o->journalmatch : x->from->journalmatch;
}

static int run_journal(struct f2b_regex *x, const char *log)
{
	struct journal_options o = {.match = journalmatch_of(x)};
	CLEANUP(journal_closep) struct journal *j = NULL;
	CLEANUP(freep) char *path = NULL;
	struct f2b_spec spec;
	struct span value;
	struct err e = {""};
	int r = f2b_spec_parse(span_of(log), &spec, &e);

	if (r == 0 && (f2b_spec_find(&spec, SPAN("journalpath"), &value) ||
			  f2b_spec_find(&spec, SPAN("journalfiles"), &value)))
		o.path = path = span_dup(value);
	if (r == 0)
		j = journal_open(&o, NULL, wall_from_sec(0), &e);
	if (!j) {
		printf("ERROR: %s\n", e.text);
		return -EINVAL;
	}
	do {
		r = journal_read(j, 1024, on_entry, x);
	} while (r == JOURNAL_MORE);
	return r < 0 ? r : 0;
}

/* --- lines of the command line --- */

static int run_text(struct f2b_regex *x, const char *text)
{
	struct span rest = span_of(text);
	int r = 0;

	for (;;) {
		ptrdiff_t end = span_index(rest, '\n');

		if (end < 0)
			return r ? r : feed(x, rest);
		r = feed(x, (struct span){rest.p, (size_t)end});
		if (r < 0)
			return r;
		rest = span_skip(rest, (size_t)end + 1);
	}
}

static void say_text(const struct f2b_regex *x, const char *text)
{
	struct span rest = span_of(text);
	struct buf b = BUF_INIT(1 << 20);
	size_t n = 1;

	if (x->maxlines <= 1 && !strchr(text, '\n')) {
		f2b_add_short(&b, rest, SHORT_CHARS);
		printf("Use      single line : %s\n", buf_str(&b));
		buf_deinit(&b);
		return;
	}
	for (const char *p = text; *p; p++)
		n += *p == '\n';
	printf("Use      multi line : %zu line(s)\n", n);
	for (size_t i = 0; i < n; i++) {
		ptrdiff_t end = span_index(rest, '\n');
		struct span line = {rest.p, end < 0 ? rest.n : (size_t)end};

		if (i == LINES_LISTED) {
			puts("| ...");
			break;
		}
		buf_clear(&b);
		f2b_add_short(&b, line, SHORT_CHARS);
		printf("| %2zu: %s\n", i + 1, buf_str(&b));
		rest = span_skip(rest, line.n + 1);
	}
	puts("`-");
	buf_deinit(&b);
}

int f2b_regex_input_open(struct f2b_regex *x, const char *log)
{
	const char *match = journalmatch_of(x);

	if (x->o->out)
		return 0;
	if (is_file(log)) {
		printf("Use         log file : %s\n", log);
		printf("Use         encoding : %s\n", x->o->encoding);
	} else if (x->is_journal) {
		puts("Use         systemd journal");
		printf("Use         encoding : %s\n", x->o->encoding);
		if (match)
			printf("Use    journal match : %s\n", match);
	} else {
		say_text(x, log);
	}
	putchar('\n');
	return 0;
}

int f2b_regex_input_run(struct f2b_regex *x, const char *log)
{
	if (is_file(log))
		return run_file(x, log);
	if (x->is_journal)
		return run_journal(x, log);
	return run_text(x, log);
}

bool f2b_regex_is_journal(const char *log)
{
	return !strncmp(log, journal_word, strlen(journal_word));
}
