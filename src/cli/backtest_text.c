/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a backtest found, in a terminal: a row a policy, 80 columns.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/backtest_answer.h"
#include "cli/bars.h"
#include "cli/client.h"

#define NAME_CELLS 13
#define MAX_ROWS 10 /* of a list of addresses */
#define TEXT_BYTES 300

void backtest_add_length(struct buf *out, const json_t *seconds)
{
	static const struct {
		double sec;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}};
	double sec = json_number_value(seconds);

	if (!json_is_number(seconds)) {
		buf_add_str(out, "-");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		double n = sec / units[i].sec;

		if (n < 1)
			continue;
		buf_printf(
		    out, "%.*f %s", n < 9.95 && n != (double)(int)n, n, units[i].name);
		return;
	}
	buf_printf(out, "%.0f s", sec);
}

void backtest_add_share(struct buf *out, const json_t *policy)
{
	int64_t all = client_number(policy, "attempts");

	if (all > 0)
		buf_printf(out, "%.1f %%",
		    100 * (double)client_number(policy, "stopped") / (double)all);
	else
		buf_add_str(out, "-");
}

/* --- the table */

enum { LEFT, RIGHT };

static void add_cell(struct buf *out, const char *text, size_t n_cells, int side)
{
	size_t n = strlen(text);

	for (size_t i = n; side == RIGHT && i < n_cells; i++)
		buf_add_char(out, ' ');
	buf_add_str(out, text);
	for (size_t i = n; side == LEFT && i < n_cells; i++)
		buf_add_char(out, ' ');
}

static void add_number(struct buf *out, int64_t n, size_t n_cells)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(64);

	bars_add_number(&b, n);
	add_cell(out, buf_str(&b), n_cells, RIGHT);
}

static void add_length(struct buf *out, const json_t *seconds, size_t n_cells)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(64);

	backtest_add_length(&b, seconds);
	add_cell(out, buf_str(&b), n_cells, RIGHT);
}

static void add_share(struct buf *out, const json_t *p)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(64);

	backtest_add_share(&b, p);
	add_cell(out, buf_str(&b), 8, RIGHT);
}

static void add_count(struct buf *out, const json_t *n, size_t n_cells)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(64);

	if (json_is_number(n))
		buf_printf(&b, "%.0f", json_number_value(n));
	else
		buf_add_str(&b, "-");
	add_cell(out, buf_str(&b), n_cells, RIGHT);
}

static void add_policy(struct buf *out, const json_t *p)
{
	const char *name = client_text(p, "name");

	add_cell(out, name, NAME_CELLS, LEFT);
	if (strlen(name) > NAME_CELLS) {
		buf_add_char(out, '\n');
		add_cell(out, "", NAME_CELLS, LEFT);
	}
	add_number(out, client_number(p, "stopped"), 10);
	add_share(out, p);
	add_number(out, client_number(p, "addresses"), 8);
	add_number(out, client_number(p, "bans"), 8);
	add_length(out, json_object_get(p, "mean_seconds"), 9);
	add_length(out, json_object_get(p, "median_seconds"), 9);
	add_length(out, json_object_get(p, "p90_seconds"), 9);
	add_count(out, json_object_get(p, "median_attempts"), 6);
	buf_add_char(out, '\n');
}

static void add_table(struct buf *out, const json_t *policies)
{
	const json_t *p;
	size_t i;

	buf_add_str(out,
	    "POLICY          STOPPED   SHARE  BANNED    BANS     EACH   TO BAN"
	    "      P90 TRIES\n");
	json_array_foreach(policies, i, p) add_policy(out, p);
}

/* --- honest servers */

static void add_signs(struct buf *out, const json_t *row)
{
	buf_printf(out,
	    "good signs on %" PRId64 " days, of %" PRId64 " kinds; attempts: ",
	    client_number(row, "good_days"), client_number(row, "good_kinds"));
	bars_add_number(out, client_number(row, "attempts"));
	buf_add_char(out, '\n');
}

static void add_quoted(struct buf *out, const json_t *row, const char *key)
{
	const char *text = client_text(row, key);

	if (!*text)
		return;
	buf_add_str(out, "      ");
	buf_quote(out, span_of(text), TEXT_BYTES);
	buf_add_char(out, '\n');
}

static void add_honest(struct buf *out, const json_t *row)
{
	char at[40], until[40];

	client_time(row, "at", at, sizeof(at));
	client_time(row, "until", until, sizeof(until));
	buf_printf(out, "  %s", client_text(row, "ip"));
	if (*client_text(row, "network"))
		buf_printf(out, " (in %s)", client_text(row, "network"));
	buf_printf(out, "  %s to %s\n    ", at, until);
	add_signs(out, row);
	buf_printf(out, "    %s, ", client_text(row, "jail"));
	if (*client_text(row, "answer"))
		buf_printf(out, "%s, ", client_text(row, "answer"));
	if (*client_text(row, "name"))
		buf_printf(out, "rule %s:\n", client_text(row, "name"));
	else
		buf_printf(out, "failregex %" PRId64 ":\n", client_number(row, "rule"));
	add_quoted(out, row, "reason");
	add_quoted(out, row, "line");
}

static void add_more(struct buf *out, size_t n)
{
	if (n > MAX_ROWS)
		buf_printf(out, "  and %zu more, see --json\n", n - MAX_ROWS);
}

static void add_victims(struct buf *out, const json_t *p)
{
	const json_t *list = json_object_get(p, "honest"), *row;
	size_t n = json_array_size(list), i;

	buf_printf(out, "\n%s: honest servers hit: ", client_text(p, "name"));
	bars_add_number(out, (int64_t)n);
	buf_add_str(out, "; banned without an attempt: ");
	bars_add_number(out, client_number(p, "without_attempts"));
	if (client_number(p, "networks"))
		buf_printf(
		    out, "; networks banned: %" PRId64, client_number(p, "networks"));
	buf_add_char(out, '\n');
	json_array_foreach(list, i, row)
	{
		if (i < MAX_ROWS)
			add_honest(out, row);
	}
	add_more(out, n);
}

static void add_both(struct buf *out, const json_t *facts)
{
	const json_t *list = json_object_get(facts, "both"), *row;
	size_t n = json_array_size(list), i;

	if (!n)
		return;
	buf_add_str(out,
	    "\nnot to be told apart: addresses with both, attempts and good "
	    "signs\n");
	json_array_foreach(list, i, row)
	{
		if (i >= MAX_ROWS)
			continue;
		add_cell(out, "", 2, LEFT);
		add_cell(out, client_text(row, "ip"), NAME_CELLS + 3, LEFT);
		buf_add_str(out, "  ");
		add_signs(out, row);
	}
	add_more(out, n);
}

/* --- all of it */

static void add_facts(struct buf *out, const json_t *answer)
{
	const json_t *f = json_object_get(answer, "facts");
	char since[40], until[40];

	client_time(answer, "since", since, sizeof(since));
	client_time(answer, "until", until, sizeof(until));
	bars_add_number(out, client_number(answer, "lines"));
	buf_printf(out, " lines; evidence from %s to %s\n", since, until);
	bars_add_number(out, client_number(f, "attempts"));
	buf_add_str(out, " attempts by ");
	bars_add_number(out, client_number(f, "addresses"));
	buf_add_str(out, " addresses");
	if (client_number(f, "attempts"))
		buf_printf(out, "; bans at the first would stop %.1f %%",
		    100 * (double)client_number(f, "after_first") /
			(double)client_number(f, "attempts"));
	buf_add_char(out, '\n');
	bars_add_number(out, client_number(f, "honest"));
	buf_printf(out, " honest servers (facts by the filters of %s)\n\n",
	    client_text(f, "profile"));
}

static void add_interrupted(struct buf *out, const json_t *answer)
{
	const json_t *o = json_object_get(answer, "interrupted");
	char at[40];

	if (!o)
		return;
	client_time(o, "at", at, sizeof(at));
	buf_printf(out, "interrupted at %s, %" PRId64, at, client_number(o, "bytes"));
	if (client_number(o, "of"))
		buf_printf(out, " of %" PRId64, client_number(o, "of"));
	buf_add_str(out, " bytes\n");
}

void backtest_text(const json_t *answer, struct buf *out)
{
	const json_t *policies = json_object_get(answer, "policies"), *p;
	const json_t *facts = json_object_get(answer, "facts");
	size_t i;

	add_interrupted(out, answer);
	add_facts(out, answer);
	add_table(out, policies);
	json_array_foreach(policies, i, p) add_victims(out, p);
	add_both(out, facts);
	if (client_number(facts, "not_kept"))
		buf_printf(out,
		    "\n%" PRId64 " attempts and signs are of more addresses than there "
		    "is room for\n",
		    client_number(facts, "not_kept"));
}
