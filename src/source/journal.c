/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journal.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "source/journal_lib.h"

#define FIELD_CAP 4096
#define MAX_MATCH_WORDS 256

struct journal {
	const struct journal_lib *lib;
	sd_journal *j;
	int fd;
	struct cursor at; /* of the entry handed out last */
	bool is_seeking;  /* entries up to `at` are still to be passed over */
	struct buf line;
};

/* --- opening -----------------------------------------------------------------------
 */

static int open_files(struct journal *j, const char *pattern)
{
	glob_t g;

	if (glob(pattern, 0, NULL, &g) != 0)
		return -ENOENT;
	/* The library wants a list that ends with NULL, which glob(3) makes. */
	const char **paths = calloc(g.gl_pathc + 1, sizeof(*paths));
	int r = paths ? 0 : -ENOMEM;

	for (size_t i = 0; paths && i < g.gl_pathc; i++)
		paths[i] = g.gl_pathv[i];
	if (!r)
		r = j->lib->open_files(&j->j, paths, 0);
	free(paths);
	globfree(&g);
	return r;
}

static int open_any(struct journal *j, const char *path)
{
	struct stat st;

	if (!path)
		return j->lib->open(&j->j, SD_JOURNAL_LOCAL_ONLY);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return j->lib->open_directory(&j->j, path, 0);
	return open_files(j, path);
}

/* FIELD=value, with quotes around the value or the whole taken off. */
static struct span unquoted(struct span word, char *room)
{
	size_t n = 0;

	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] != '"' && word.p[i] != '\'')
			room[n++] = word.p[i];
	}
	return (struct span){room, n};
}

static int add_word(struct journal *j, struct span word, struct err *e)
{
	char room[FIELD_CAP];

	if (word.n > sizeof(room))
		return err_set(e, -EINVAL, "journalmatch: a word is too long");
	struct span plain = unquoted(word, room);

	if (span_eq(plain, SPAN("+")))
		return j->lib->add_disjunction(j->j);
	if (span_index(plain, '=') <= 0)
		return err_set(e, -EINVAL,
		    "journalmatch: '" SPAN_FMT "' is not FIELD=value", SPAN_ARG(plain));
	int r = j->lib->add_match(j->j, plain.p, plain.n);

	return r < 0 ? err_errno(e, r, "journalmatch: '" SPAN_FMT "'", SPAN_ARG(plain))
		     : 0;
}

/* Words as a shell splits them: blanks inside quotes belong to the word. */
static bool next_quoted_word(struct span *rest, struct span *out)
{
	size_t i = 0, start;
	char quote = '\0';

	while (i < rest->n && strchr(" \t\r", rest->p[i]))
		i++;
	start = i;
	for (; i < rest->n; i++) {
		char c = rest->p[i];

		if (quote)
			quote = c == quote ? '\0' : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == ' ' || c == '\t')
			break;
	}
	*out = (struct span){rest->p + start, i - start};
	*rest = span_skip(*rest, i);
	return out->n > 0;
}

static int add_matches(struct journal *j, const char *match, struct err *e)
{
	struct span rest = span_of(match ? match : ""), line, word;
	bool is_first = true;
	int n = 0, r = 0;

	while (!r && span_next_line(&rest, &line)) {
		line = span_trim(line);
		if (!line.n)
			continue;
		if (!is_first)
			r = j->lib->add_disjunction(j->j);
		is_first = false;
		while (!r && next_quoted_word(&line, &word)) {
			if (++n > MAX_MATCH_WORDS)
				return err_set(
				    e, -E2BIG, "journalmatch: too many words");
			r = add_word(j, word, e);
		}
	}
	return r < 0 ? r : 0;
}

static int seek(struct journal *j, const struct cursor *resume, wall_t since)
{
	uint64_t from = since.us > 0 ? (uint64_t)since.us : 0;

	if (resume) {
		j->at = *resume;
		j->is_seeking = true;
		from = resume->offset;
	}
	return j->lib->seek_realtime_usec(j->j, from);
}

struct journal *journal_open(const struct journal_options *o,
    const struct cursor *resume, wall_t since, struct err *e)
{
	const struct journal_lib *lib = journal_lib_get(e);
	CLEANUP(journal_closep) struct journal *j = lib ? calloc(1, sizeof(*j)) : NULL;

	if (!j)
		return NULL;
	j->lib = lib;
	j->line = BUF_INIT(JOURNAL_LINE_CAP);
	int r = open_any(j, o->path);

	if (r < 0) {
		j->j = NULL;
		err_errno(
		    e, r, "journal%s%s", o->path ? " " : "", o->path ? o->path : "");
		return NULL;
	}
	(void)lib->set_data_threshold(j->j, JOURNAL_LINE_CAP);
	j->fd = lib->get_fd(j->j);
	if (add_matches(j, o->match, e) < 0)
		return NULL;
	r = seek(j, resume, since);
	if (r < 0) {
		err_errno(e, r, "journal: cannot find the place to go on");
		return NULL;
	}
	return TAKE(j);
}

struct journal *journal_close(struct journal *j)
{
	if (!j)
		return NULL;
	if (j->j)
		j->lib->close(j->j);
	buf_deinit(&j->line);
	free(j);
	return NULL;
}

int journal_fd(const struct journal *j)
{
	return j->fd < 0 ? -1 : j->fd;
}

int journal_process(struct journal *j)
{
	int r = j->lib->process(j->j);

	/* SD_JOURNAL_INVALIDATE (files came or went) needs nothing: the next call of
	 * next() goes on behind the current entry, wherever it lies now. */
	return r < 0 ? r : 0;
}

/* --- entries -----------------------------------------------------------------------
 */

static bool field(struct journal *j, const char *name, struct span *out)
{
	const void *p;
	size_t n, skip = strlen(name) + 1;

	if (j->lib->get_data(j->j, name, &p, &n) < 0 || n < skip)
		return false;
	*out = (struct span){(const char *)p + skip, n - skip};
	return true;
}

static bool first_field(
    struct journal *j, const char *a, const char *b, struct span *out)
{
	return field(j, a, out) || field(j, b, out);
}

/* Newlines of a message become the two characters "\n": a line stays a line. */
static void add_message(struct buf *b, struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n')
			buf_add_str(b, "\\n");
		else
			buf_add_char(b, text.p[i]);
	}
}

/* A field dies with the next get_data(), so each is added as it is read. */
static void make_line(struct journal *j)
{
	struct span s;

	buf_clear(&j->line);
	if (field(j, "_HOSTNAME", &s)) {
		buf_add_span(&j->line, s);
		buf_add_char(&j->line, ' ');
	}
	if (first_field(j, "SYSLOG_IDENTIFIER", "_COMM", &s)) {
		buf_add_span(&j->line, s);
		if (first_field(j, "SYSLOG_PID", "_PID", &s)) {
			buf_add_char(&j->line, '[');
			buf_add_span(&j->line, s);
			buf_add_char(&j->line, ']');
		}
		buf_add_str(&j->line, ": ");
	}
	if (field(j, "MESSAGE", &s))
		add_message(&j->line, s);
}

static wall_t entry_time(struct journal *j, uint64_t realtime)
{
	struct span s;
	int64_t us;

	if (field(j, "_SOURCE_REALTIME_TIMESTAMP", &s) && span_to_i64(s, &us) == 0 &&
	    us > 0)
		return (wall_t){us};
	return (wall_t){(int64_t)realtime};
}

/* "s=...;i=1a;...;x=..." (sd_journal_get_cursor(3)): the number i and the checksum x.
 */
static void parse_cursor(const char *text, struct cursor *out)
{
	struct span rest = span_of(text), word;

	while (span_next_word(&rest, ";", &word)) {
		char number[32];

		if (word.n < 3 || word.n >= sizeof(number) || word.p[1] != '=')
			continue;
		memcpy(number, word.p + 2, word.n - 2);
		number[word.n - 2] = '\0';
		if (word.p[0] == 'i')
			out->lines = strtoull(number, NULL, 16);
		else if (word.p[0] == 'x')
			out->head_hash = strtoull(number, NULL, 16);
	}
}

static int read_position(struct journal *j, struct cursor *out)
{
	char *text = NULL;
	uint64_t realtime = 0;
	int r = j->lib->get_realtime_usec(j->j, &realtime);

	if (!r)
		r = j->lib->get_cursor(j->j, &text);
	if (r < 0)
		return r;
	*out = (struct cursor){.offset = realtime};
	parse_cursor(text, out);
	free(text);
	return 0;
}

/*
 * Entries of the same microsecond as the one to go on behind: those up to and with it
 * were handed out. When it has been vacuumed away, nothing of its time is left either.
 */
static bool is_known(struct journal *j, const struct cursor *here)
{
	if (!j->is_seeking)
		return false;
	if (here->offset != j->at.offset) {
		j->is_seeking = false;
		return false;
	}
	if (here->lines == j->at.lines && here->head_hash == j->at.head_hash)
		j->is_seeking = false;
	return true;
}

int journal_read(struct journal *j, size_t max_entries, journal_fn fn, void *ctx)
{
	for (size_t n = 0; n < max_entries; n++) {
		struct cursor here;
		int r = j->lib->next(j->j);

		if (r <= 0)
			return r;
		r = read_position(j, &here);
		if (r == -EADDRNOTAVAIL || r == -EBADMSG)
			continue; /* an entry that is damaged or went meanwhile */
		if (r < 0)
			return r;
		if (is_known(j, &here))
			continue;
		make_line(j);
		wall_t at = entry_time(j, here.offset);

		j->at = here;
		if (fn(ctx, buf_span(&j->line), at))
			return JOURNAL_MORE;
	}
	return JOURNAL_MORE;
}

void journal_cursor(const struct journal *j, struct cursor *out)
{
	*out = j->at;
}
