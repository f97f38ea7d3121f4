/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jail_logs - is there any of a jail's logs, and if not, what then
 */

#include <errno.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/chars.h"
#include "conf/jail.h"

/* The folders where journald keeps it, for good or until the next boot. */
static const char *const journal_folders[] = {"/var/log/journal", "/run/log/journal"};

static bool exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/* @line: a pattern, perhaps with a word such as "tail" behind its last blank. */
static bool line_finds_log(struct span line)
{
	size_t n = line.n;
	glob_t found = {0};
	bool is_there = false;

	while (n && line.p[n - 1] != ' ')
		n--;
	CLEANUP(freep)
	char *pattern = span_dup(chars_trim((struct span){line.p, n ? n - 1 : line.n}));

	if (!pattern)
		return true; /* out of memory: no reason to give the jail up */
	if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc && !is_there; i++)
			is_there = exists(found.gl_pathv[i]);
		globfree(&found);
	}
	return is_there;
}

static bool finds_log(const struct text *logpath)
{
	struct conf_place at;
	struct span line;
	size_t pos = 0;

	while (text_next_line(logpath, &pos, &line, &at))
		if (line_finds_log(line))
			return true;
	return false;
}

static bool has_journalmatch(const struct jail_reader *rd)
{
	const struct ini *ini = rd->has_filter ? &rd->filter.set->all : NULL;

	if (jail_value_span(rd, "journalmatch").n)
		return true;
	for (size_t i = 0; rd->has_filter && i < rd->filter.params.n; i++)
		if (!strcmp(rd->filter.params.items[i].name, "journalmatch"))
			return true;
	return ini && (ini_find_option(ini_find_section(ini, SPAN("Definition")),
			   SPAN("journalmatch")) ||
			  ini_find_option(ini_find_section(ini, SPAN("Init")),
			      SPAN("journalmatch")));
}

/* "auto[journalpath=/x]" says where; what cannot be parsed is told by others. */
static bool has_journal(struct jail_reader *rd, const struct text *backend)
{
	struct params p;

	if (params_parse(rd->ld->arena, NULL, "backend", backend, &p))
		return false;
	for (size_t i = 0; i < p.n; i++)
		if (!strcmp(p.items[i].name, "journalpath") ||
		    !strcmp(p.items[i].name, "journalfiles"))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(journal_folders); i++)
		if (exists(journal_folders[i]))
			return true;
	return false;
}

static bool backend_is(const struct text *backend, struct span word)
{
	struct span s = chars_trim(text_span(backend));

	if (s.n > word.n)
		s.n = word.n;
	return span_eq_nocase(s, word);
}

static void decide(struct jail_reader *rd, const struct text *logpath)
{
	const struct text *backend = jail_find_value(rd, "backend");
	bool may_read_journal = true, may_skip = false;

	jail_apply_bool(rd, "systemd_if_nologs", &may_read_journal);
	jail_apply_bool(rd, "skip_if_nologs", &may_skip);
	if (!chars_trim(text_span(logpath)).n || backend_is(backend, SPAN("systemd")) ||
	    finds_log(logpath))
		return;
	if (may_read_journal && has_journalmatch(rd) &&
	    backend_is(backend, SPAN("auto")) && has_journal(rd, backend)) {
		rd->reads_journal = true;
		diag_add(rd->ld->d, DIAG_NOTE, text_place(logpath, 0),
		    "logpath: jail '%s' has no log yet; it reads the journal",
		    rd->j->name);
	} else if (may_skip) {
		rd->j->is_skipped = true;
		diag_add(rd->ld->d, DIAG_WARNING, text_place(logpath, 0),
		    "logpath: jail '%s' has no log and is skipped, as skip_if_nologs "
		    "wants",
		    rd->j->name);
	}
}

int jail_look_for_logs(struct jail_reader *rd)
{
	static const char *const names[] = {
	    "logpath", "skip_if_nologs", "systemd_if_nologs", "journalmatch"};
	int r = 0;

	if (!rd->ld->look_for_logs)
		return 0;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(names); i++)
		r = jail_read_option(rd, names[i]);
	if (r == 0 && jail_find_value(rd, "logpath"))
		decide(rd, jail_find_value(rd, "logpath"));
	return r;
}
