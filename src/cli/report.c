/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bandog report: hits, how many passed, how many were stopped, and whose they were. */
#include "cli/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/client.h"

#define PAGE_MAX_BYTES (16u << 20)
#define TEXT_MAX_ROWS 48
#define PAGE_MAX_COLUMNS 168 /* a week of hours */
#define DEFAULT_SINCE "-24h"

static int write_all(int fd, struct span rest)
{
	while (rest.n) {
		ssize_t n = write(fd, rest.p, rest.n);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			rest = span_skip(rest, (size_t)n);
	}
	return 0;
}

/* Whole or not at all: who looks meanwhile sees the page before. */
static int replace_file(const char *path, struct span page)
{
	char temp[PATH_MAX];
	int n = snprintf(temp, sizeof(temp), "%s.XXXXXX", path);

	if (n < 0 || n >= (int)sizeof(temp))
		return -ENAMETOOLONG;
	CLEANUP(fd_closep) int fd = mkostemp(temp, O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int r = write_all(fd, page);

	if (!r && fchmod(fd, 0644) < 0)
		r = -errno;
	if (!r && rename(temp, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(temp); /* it has no other name */
	return r;
}

int report_put_page(const struct buf *page, const char *path)
{
	int r = page->failed ? -ENOMEM : replace_file(path, buf_span(page));

	if (r < 0)
		fprintf(stderr, "bandog: %s: %s\n", path, strerror(-r));
	return r < 0 ? CLI_FAILED : CLI_OK;
}

static int write_page(const struct report_view *v, const char *path)
{
	CLEANUP(buf_deinit) struct buf page = BUF_INIT(PAGE_MAX_BYTES);

	report_html(v, &page);
	return report_put_page(&page, path);
}

static int print_text(const struct report_view *v)
{
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(PAGE_MAX_BYTES);

	report_text(v, &text);
	if (text.failed) {
		fputs("bandog: out of memory\n", stderr);
		return CLI_FAILED;
	}
	fputs(buf_str(&text), stdout);
	return CLI_OK;
}

static bool is_empty(const json_t *a)
{
	return !client_number(a, "hits") && !client_number(a, "bans");
}

static int show(const json_t *answer, const char *html)
{
	struct report_view v = {.answer = answer, .now = wall_now()};
	char since[40];
	int code;

	if (!html && is_empty(answer)) {
		client_time(answer, "since", since, sizeof(since));
		printf("nothing came and nothing was stopped since %s\n", since);
		return CLI_OK;
	}
	/* Without rows there is no plot. */
	(void)report_series_of(json_object_get(answer, "hours"), v.now,
	    html ? PAGE_MAX_COLUMNS : TEXT_MAX_ROWS, &v.hours);
	code = html ? write_page(&v, html) : print_text(&v);
	report_series_deinit(&v.hours);
	return code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
	enum { OPT_SINCE = CLI_OWN, OPT_HTML };
	static const struct option options[] = {CLI_COMMON_OPTIONS,
	    {"since", required_argument, NULL, OPT_SINCE},
	    {"html", required_argument, NULL, OPT_HTML}, {NULL, 0, NULL, 0}};
	struct cli_options o = cli_defaults();
	const char *since_text = DEFAULT_SINCE, *html = NULL;
	json_t *answer;
	wall_t since;
	int c, code;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == OPT_SINCE)
			since_text = optarg;
		else if (c == OPT_HTML)
			html = optarg;
		else if ((code = cli_common(v, c, &o)) >= 0)
			return code;
	}
	if (optind < argc)
		return cli_usage(v, "no argument is needed");
	if (cli_time(v, "--since", since_text, &since))
		return CLI_USAGE;
	if (client_ask(&o,
		json_pack("{s:s,s:I}", "do", "report", "since",
		    (json_int_t)(since.us > 0 ? since.us / US_PER_SEC : 0)),
		&answer))
		return CLI_FAILED;
	(void)setlocale(LC_CTYPE, "");
	code = CLI_OK;
	if (o.json)
		client_print(answer);
	if (html || !o.json)
		code = show(answer, html);
	json_decref(answer);
	return code;
}

const struct cli_verb cli_report = {
    .name = "report",
    .synopsis = "[--since TIME] [--html FILE] [--json]",
    .summary = "Tell how many came, got through and were stopped",
    .help =
	"  --since TIME   as in 2026-11-24T04:05, or -7d; a day ago without it\n"
	"  --html FILE    instead of text a page with plots, which needs no network\n"
	"By hour (or day), jail, reason, network and address.\n",
    .run = run,
};
