/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The results at the end: regexes and their hits, date templates, lines. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/f2b_regex.h"
#include "match/tags.h"

void f2b_add_short(struct buf *b, struct span s, size_t max_chars)
{
	size_t n_chars = 0, cut = 0;

	for (size_t i = 0; i < s.n; n_chars++) {
		size_t n = span_utf8_len(span_skip(s, i));

		if (n_chars == max_chars - 3)
			cut = i;
		i += n ? n : 1;
	}
	if (n_chars > max_chars) {
		buf_add(b, s.p, cut);
		buf_add_str(b, "...");
	} else {
		buf_add_span(b, s);
	}
}

/* A list under @header, which may be NULL; nothing at all when there is nothing in it.
 */
struct list {
	const char *header;
	bool is_begun;
};

static void list_add(struct list *l, struct span text)
{
	if (!l->is_begun && l->header)
		printf("|- %s\n", l->header);
	l->is_begun = true;
	fputs("|  ", stdout);
	(void)fwrite(text.p, 1, text.n, stdout);
	putchar('\n');
}

static void list_end(const struct list *l)
{
	if (l->is_begun)
		puts("`-");
}

/* --- regexes --- */

static void list_id(struct list *l, const struct f2b_regex_id *id)
{
	struct buf b = BUF_INIT(1 << 20);
	char when[64] = "";
	struct tm tm;
	time_t t = id->at.us == WALL_NONE.us
		       ? (time_t)(wall_now().us / US_PER_SEC)
		       : (time_t)((id->at.us - (id->at.us < 0 ? US_PER_SEC - 1 : 0)) /
				  US_PER_SEC);

	if (localtime_r(&t, &tm))
		(void)strftime(when, sizeof(when), "%a %b %d %H:%M:%S %Y", &tm);
	buf_printf(&b, "    %s  %s%s", id->text, when,
	    id->is_multiple ? " (multiple regex matched)" : "");
	list_add(l, buf_span(&b));
	buf_deinit(&b);
}

static void print_regexes(const struct f2b_regex *x, const char *title,
    const char *const *regexes, const struct f2b_regex_stat *stats, size_t n)
{
	struct list l = {.header = " #) [# of hits] regular expression"};
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += stats[i].n_hits;
	printf("\n%s: %" PRIu64 " total\n", title, total);
	for (size_t i = 0; i < n; i++) {
		struct buf b = BUF_INIT(1 << 20);

		buf_printf(
		    &b, "%2zu) [%" PRIu64 "] %s", i + 1, stats[i].n_hits, regexes[i]);
		if (stats[i].n_hits || x->o->verbose)
			list_add(&l, buf_span(&b));
		buf_deinit(&b);
		for (size_t k = 0; k < stats[i].n_ids; k++)
			list_id(&l, &stats[i].ids[k]);
	}
	list_end(&l);
}

static void print_prefregex(const struct f2b_regex *x)
{
	struct buf b = BUF_INIT(1 << 20);
	struct list l = {.header = NULL};
	struct err e;
	bool with_names = !x->o->usedns || strcasecmp(x->o->usedns, "no") != 0;

	printf("\nPrefregex: %" PRIu64 " total\n", x->n_prefix_hits);
	(void)tags_expand(span_of(x->from->prefregex), with_names, &b, &e);
	list_add(&l, buf_span(&b));
	for (size_t i = 0; i < x->prefix_groups.n; i++) {
		buf_clear(&b);
		buf_printf(&b, "    %s", x->prefix_groups.items[i]);
		list_add(&l, buf_span(&b));
	}
	list_end(&l);
	buf_deinit(&b);
}

/* --- dates --- */

static void print_templates(const struct f2b_regex *x)
{
	struct list l = {.header = "[# of hits] date format"};
	struct stamp_template_view t;
	struct buf b = BUF_INIT(1 << 20);

	puts("\nDate template hits:");
	for (size_t i = 0; x->n_examined > 0 && filter_template(x->filter, i, &t);
	     i++) {
		if (!x->o->verbose && !t.n_hits)
			continue;
		buf_clear(&b);
		buf_printf(&b, "[%" PRIu64 "] %s", t.n_hits, t.name);
		list_add(&l, buf_span(&b));
		if (!x->o->verbose_date)
			continue;
		buf_clear(&b);
		buf_printf(&b, "    # weight: %.3f (%.3f), pattern: %s", t.weight,
		    t.factor, t.pattern);
		list_add(&l, buf_span(&b));
		buf_clear(&b);
		buf_printf(&b, "    # regex:   %s", t.regex);
		list_add(&l, buf_span(&b));
	}
	list_end(&l);
	buf_deinit(&b);
}

/* --- lines --- */

static struct span trim_end(struct span s)
{
	while (s.n > 0 &&
	       (s.p[s.n - 1] == ' ' || (s.p[s.n - 1] >= '\t' && s.p[s.n - 1] <= '\r') ||
		   (s.p[s.n - 1] >= 0x1c && s.p[s.n - 1] <= 0x1f)))
		s.n--;
	return s;
}

static void add_url_part(struct buf *b, const char *key, struct span value)
{
	buf_printf(b, "%s=", key);
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if ((c >= '0' && c <= '9') ||
		    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		    strchr("_.-~", c ? c : '%'))
			buf_add_char(b, c);
		else if (c == ' ')
			buf_add_char(b, '+');
		else
			buf_printf(b, "%%%02X", (uint8_t)c);
	}
}

static void list_link(
    const struct f2b_regex *x, struct list *l, const char *line, const char *regex)
{
	struct buf b = BUF_INIT(16u << 20), full = BUF_INIT(1 << 20);
	struct err e;
	bool with_names = !x->o->usedns || strcasecmp(x->o->usedns, "no") != 0;

	(void)tags_expand(span_of(regex), with_names, &full, &e);
	buf_printf(&b, "%s | %s |  https://www.debuggex.com/?", line, regex);
	add_url_part(&b, "re", buf_span(&full));
	add_url_part(&b, "&str", span_of(line));
	buf_add_str(&b, "&flavor=python");
	if (x->maxlines > 1)
		buf_add_str(&b, "&flags=m");
	list_add(l, trim_end(buf_span(&b)));
	buf_deinit(&full);
	buf_deinit(&b);
}

static void print_links(const struct f2b_regex *x, const char *header,
    const struct f2b_regex_lines *lines, bool is_ignored)
{
	const char *const *regexes =
	    is_ignored ? x->from->ignoreregex : x->from->failregex;
	size_t n = is_ignored ? x->from->n_ignoreregex : x->from->n_failregex;
	struct list l = {.header = header};

	for (size_t i = 0; i < lines->n; i++) {
		for (size_t k = 0; k < n; k++)
			list_link(x, &l, lines->items[i], regexes[k]);
	}
	list_end(&l);
}

static void print_lines(const struct f2b_regex *x, const char *type, const char *header,
    const struct f2b_regex_lines *lines, bool all)
{
	struct list l = {.header = header};

	if (!lines->n_all)
		return;
	if (!all && lines->n_all >= (uint64_t)x->show_max) {
		printf("%s too many to print.  Use --print-all-%s to print all %" PRIu64
		       " lines\n",
		    header, type, lines->n_all);
		return;
	}
	if (x->o->debuggex) {
		print_links(x, header, lines, lines == &x->ignored);
		return;
	}
	for (size_t i = 0; i < lines->n; i++)
		list_add(&l, trim_end(span_of(lines->items[i])));
	list_end(&l);
}

void f2b_regex_print(struct f2b_regex *x, double took_sec)
{
	const struct f2b_regex_options *o = x->o;

	puts("\nResults\n=======");
	if (x->from->prefregex && *x->from->prefregex)
		print_prefregex(x);
	print_regexes(
	    x, "Failregex", x->from->failregex, x->fail, x->from->n_failregex);
	if (x->from->n_rules)
		print_regexes(x, "Rules", (const char *const *)x->from->shown_rules,
		    x->fail + x->from->n_failregex, x->from->n_rules);
	print_regexes(
	    x, "Ignoreregex", x->from->ignoreregex, x->ignore, x->from->n_ignoreregex);
	if (!x->is_journal)
		print_templates(x);
	printf("\nLines: %" PRIu64 " lines, %" PRIu64 " ignored, %" PRIu64
	       " matched, %" PRIu64 " missed\n",
	    x->n_tested, x->ignored.n_all, x->matched.n_all, x->missed.n_all);
	printf("[processed in %.2f sec]\n\n", took_sec);
	if (o->print_all_matched)
		print_lines(x, "matched", "Matched line(s):", &x->matched, true);
	if (!o->print_no_ignored)
		print_lines(x, "ignored", "Ignored line(s):", &x->ignored,
		    o->print_all_ignored);
	if (!o->print_no_missed)
		print_lines(
		    x, "missed", "Missed line(s):", &x->missed, o->print_all_missed);
}
