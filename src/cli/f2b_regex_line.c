/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line: asked of the filter, counted, and remembered for the end. With maxlines, a
 * line is counted as missed first, and as matched when a later one takes it along.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/f2b_dns.h"
#include "cli/f2b_regex.h"

void f2b_regex_lines_add(struct f2b_regex_lines *l, struct span text)
{
	char **more;

	if (l->n == F2B_REGEX_LINES_MAX)
		return;
	if ((l->n & (l->n - 1)) == 0) {
		more = reallocarray(l->items, l->n ? 2 * l->n : 1, sizeof(*more));
		if (!more)
			return;
		l->items = more;
	}
	l->items[l->n] = span_dup(text);
	l->n += l->items[l->n] != NULL;
}

static void lines_deinit(struct f2b_regex_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i]);
	free(l->items);
}

/* The first line that reads @text is no longer one of them. */
static void lines_remove(struct f2b_regex_lines *l, const char *text)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->items[i], text) != 0)
			continue;
		free(l->items[i]);
		l->n--;
		memmove(
		    &l->items[i], &l->items[i + 1], (l->n - i) * sizeof(l->items[0]));
		return;
	}
}

static void stat_deinit(struct f2b_regex_stat *s)
{
	for (size_t i = 0; i < s->n_ids; i++)
		free(s->ids[i].text);
	free(s->ids);
}

void f2b_regex_deinit(struct f2b_regex *x)
{
	for (size_t i = 0; x->fail && i < x->from->n_failregex + x->from->n_rules; i++)
		stat_deinit(&x->fail[i]);
	for (size_t i = 0; i < x->n_kept; i++) {
		free(x->kept[i].text);
		free(x->kept[i].stripped);
	}
	free(x->kept);
	free(x->fail);
	free(x->ignore);
	lines_deinit(&x->matched);
	lines_deinit(&x->missed);
	lines_deinit(&x->ignored);
	lines_deinit(&x->prefix_groups);
	buf_deinit(&x->told_prefix);
	buf_deinit(&x->out);
	filter_free(x->filter);
}

/* --- what the filter tells --- */

static void remember_id(struct f2b_regex *x, struct f2b_regex_stat *s, struct span id,
    const struct examine_hit *hit)
{
	struct f2b_regex_id *more;

	if (!x->o->verbose || s->n_ids == F2B_REGEX_LINES_MAX)
		return;
	if ((s->n_ids & (s->n_ids - 1)) == 0) {
		more = reallocarray(s->ids, s->n_ids ? 2 * s->n_ids : 1, sizeof(*more));
		if (!more)
			return;
		s->ids = more;
	}
	s->ids[s->n_ids] = (struct f2b_regex_id){
	    .text =
		span_dup(hit->kind == EXAMINE_WAITS || id.n == 0 ? SPAN("None") : id),
	    .at = hit->failure.at,
	    .is_multiple = x->n_found > 1,
	};
	s->n_ids += s->ids[s->n_ids].text != NULL;
}

/* One failure; a name is as many as it has addresses. */
static void on_id(struct f2b_regex *x, const struct examine_hit *hit, struct span id)
{
	if (!x->o->out) {
		struct f2b_regex_stat *s = &x->fail[hit->failure.rule];

		s->n_hits++;
		remember_id(x, s, id, hit);
	}
	if (hit->kind == EXAMINE_NO_FAILURE) {
		x->is_ignored = true;
		return;
	}
	x->n_found++;
	if (x->o->out)
		f2b_regex_out(x, hit, id);
}

static void on_hit(void *ctx, const struct examine_hit *hit)
{
	struct f2b_regex *x = ctx;
	struct net addrs[F2B_DNS_ADDRS];
	char text[NET_TEXT_BYTES];
	size_t n;

	if (hit->kind == EXAMINE_REFUSED)
		return;
	if (!hit->failure.is_name || hit->kind == EXAMINE_WAITS) {
		on_id(x, hit, hit->failure.id);
		return;
	}
	n = f2b_dns_find(hit->failure.host, addrs);
	for (size_t i = 0; i < n; i++) {
		net_format(&addrs[i], text);
		on_id(x, hit, span_of(text));
	}
}

static void on_ignored(void *ctx, size_t ignoreregex)
{
	struct f2b_regex *x = ctx;

	x->ignore[ignoreregex].n_hits++;
	x->is_ignored = true;
}

static void on_prefregex(void *ctx, const struct examine_group *groups, size_t n)
{
	struct f2b_regex *x = ctx;

	x->is_prefix_told = true;
	if (!x->o->verbose)
		return;
	buf_clear(&x->told_prefix);
	buf_add_char(&x->told_prefix, '{');
	f2b_regex_repr_groups(&x->told_prefix, groups, n, true);
	buf_add_char(&x->told_prefix, '}');
}

/*
 * Where the line was ignored before the prefregex was asked, the answer to the line
 * before counts once more: so it does in fail2ban-regex.
 */
static void count_prefix(struct f2b_regex *x, int outcome)
{
	if (x->is_prefix_told || outcome != FILTER_IGNORED)
		x->has_prefix = x->is_prefix_told;
	if (!x->has_prefix)
		return;
	x->n_prefix_hits++;
	if (!x->o->verbose)
		return;
	if (x->prefix_groups.n < (size_t)x->show_max)
		f2b_regex_lines_add(&x->prefix_groups, buf_span(&x->told_prefix));
	else if (x->prefix_groups.n == (size_t)x->show_max)
		f2b_regex_lines_add(&x->prefix_groups, SPAN("..."));
}

/* --- maxlines --- */

static bool is_among(const uint64_t *ids, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

/* A line before has been taken along: it was not missed after all. */
static void take_along(
    struct f2b_regex *x, const struct f2b_regex_kept *k, struct buf *taken)
{
	lines_remove(&x->missed, x->o->debuggex ? k->stripped : k->text);
	if (x->o->print_all_matched && x->o->debuggex) {
		buf_add_str(taken, k->stripped);
		buf_add_char(taken, '\n');
	} else if (x->o->print_all_matched) {
		f2b_regex_lines_add(&x->matched, span_of(k->text));
	}
	x->matched.n_all++;
	x->missed.n_all--;
}

static void keep_line(struct f2b_regex *x, const struct examine_line *l)
{
	struct f2b_regex_kept *k = &x->kept[x->n_kept];
	struct buf text = BUF_INIT(SIZE_MAX / 2), stripped = BUF_INIT(SIZE_MAX / 2);

	buf_add_span(&text, l->before);
	buf_add_span(&text, l->date);
	buf_add_span(&text, l->after);
	buf_add_span(&stripped, l->before);
	buf_add_span(&stripped, l->after);
	buf_add_str(&text, "");
	buf_add_str(&stripped, "");
	k->number = x->n_examined;
	k->text = buf_take(&text);
	k->stripped = buf_take(&stripped);
	if (k->text && k->stripped) {
		x->n_kept++;
		return;
	}
	free(k->text);
	free(k->stripped);
}

/* Which lines are still with the filter? Those that went have matched. */
static void follow_kept(struct f2b_regex *x, struct buf *taken)
{
	struct examine_line now;
	size_t n_ids, n = 0, pushed_out = x->n_kept >= x->maxlines;
	const uint64_t *ids = filter_kept_lines(x->filter, &n_ids);

	for (size_t i = 0; i < x->n_kept; i++) {
		struct f2b_regex_kept *k = &x->kept[i];

		if (is_among(ids, n_ids, k->number)) {
			x->kept[n++] = *k;
			continue;
		}
		if (i >= pushed_out && !x->o->out)
			take_along(x, k, taken);
		free(k->text);
		free(k->stripped);
	}
	x->n_kept = n;
	if (!is_among(ids, n_ids, x->n_examined) || n >= x->maxlines)
		return;
	filter_examined_line(x->filter, &now);
	keep_line(x, &now);
}

/* --- counting --- */

static void count(struct f2b_regex *x, struct span shown)
{
	const struct f2b_regex_options *o = x->o;
	uint64_t most = (uint64_t)x->show_max + 1;

	if (x->is_ignored) {
		x->ignored.n_all++;
		if (!o->print_no_ignored &&
		    (o->print_all_ignored || x->ignored.n_all <= most))
			f2b_regex_lines_add(&x->ignored, shown);
	} else if (x->n_found > 0) {
		x->matched.n_all++;
		if (o->print_all_matched)
			f2b_regex_lines_add(&x->matched, shown);
	} else {
		x->missed.n_all++;
		if (!o->print_no_missed &&
		    (o->print_all_missed || x->missed.n_all <= most))
			f2b_regex_lines_add(&x->missed, shown);
	}
	x->n_tested++;
}

/* As it is shown: of a journal with its date; bad bytes as the filter saw them. */
static struct span shown_line(struct f2b_regex *x, struct buf *b, struct buf *taken)
{
	struct examine_line l;

	filter_examined_line(x->filter, &l);
	if (x->o->debuggex && taken->n > 0) {
		buf_add_span(b, buf_span(taken));
		buf_add_span(b, l.before);
		buf_add_span(b, l.after);
		return buf_span(b);
	}
	buf_add_span(b, l.before);
	if (span_eq(l.after, x->line) && !x->is_journal)
		return x->line; /* the date is one of an earlier line */
	buf_add_span(b, l.date);
	buf_add_span(b, l.after);
	return buf_span(b);
}

int f2b_regex_feed(struct f2b_regex *x, struct span text, struct span date, wall_t at)
{
	struct examine how = {
	    .all = !x->o->no_check_all && !x->o->out,
	    .tells_waiting = !x->o->out,
	    .on_hit = on_hit,
	    .on_ignored = on_ignored,
	    .on_prefregex = on_prefregex,
	    .ctx = x,
	};
	wall_t now = wall_now();
	/* As if it came now: so a line that needs no date is of now. */
	struct line l = {.text = text, .stamp = at, .read_at = now, .live = true};
	struct buf taken = BUF_INIT(16u << 20), shown = BUF_INIT(SIZE_MAX / 2);
	int r;

	x->n_found = 0;
	x->is_ignored = x->is_prefix_told = false;
	x->line = text;
	x->n_examined++;
	r = filter_examine(x->filter, &l, date, now, &how);
	if (r >= 0 && x->maxlines > 1)
		follow_kept(x, &taken);
	if (r >= 0 && !x->o->out) {
		count_prefix(x, r);
		count(x, shown_line(x, &shown, &taken));
	}
	buf_deinit(&taken);
	buf_deinit(&shown);
	return r < 0 ? r : 0;
}
