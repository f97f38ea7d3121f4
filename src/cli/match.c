/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bandog match: what a filter makes of a log, line by line, without windows and bans.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "cli/cli.h"
#include "cli/input.h"
#include "cli/rule_json.h"
#include "cli/table.h"
#include "pipeline/setup.h"

#define MISSED_SHOWN 20
#define OUT_FLUSH_BYTES (64 * 1024)

enum { OPT_FILTER = CLI_OWN, OPT_NOW, OPT_DNS, OPT_JOURNAL };

struct matching {
	struct filter *filter;
	const struct setup_jail *jail;
	wall_t now;
	bool json;
	struct buf out;
	uint64_t n_others; /* evidence of other classes than abuse */
	uint64_t n_lines, n_failures, n_helped, n_ignored, n_limits, n_no_address;
	uint64_t n_missed;
	char *missed[MISSED_SHOWN];
	uint64_t missed_number[MISSED_SHOWN];
};

static void flush_out(struct matching *m)
{
	fwrite(buf_str(&m->out), 1, m->out.n, stdout);
	buf_clear(&m->out);
}

static void put_failure(
    struct matching *m, const struct filter_failure *f, uint64_t number)
{
	struct jsonw j = jsonw_of(&m->out);
	const struct filter_field *fields;
	size_t n;

	jsonw_object(&j);
	jsonw_key(&j, "line");
	jsonw_i64(&j, (int64_t)number);
	jsonw_key(&j, "time");
	jsonw_wall(&j, f->at, true);
	jsonw_key(&j, "id");
	jsonw_span(&j, f->id);
	jsonw_key(&j, "host");
	jsonw_span(&j, f->host);
	jsonw_key(&j, "rule");
	jsonw_i64(&j, f->rule);
	rule_json_put(&j, m->jail, f->rule);
	if (f->attempts > 1) {
		jsonw_key(&j, "attempts");
		jsonw_i64(&j, f->attempts);
	}
	jsonw_key(&j, "fields");
	jsonw_object(&j);
	n = filter_fields(m->filter, &fields);
	for (size_t i = 0; i < n; i++) {
		jsonw_key(&j, fields[i].name);
		jsonw_span(&j, fields[i].value);
	}
	jsonw_object_end(&j);
	jsonw_object_end(&j);
	buf_add_char(&m->out, '\n');
	if (m->out.n > OUT_FLUSH_BYTES)
		flush_out(m);
}

static void count_failure(struct matching *m, const struct filter_failure *f)
{
	const struct setup_rule *r = setup_rule_of(m->jail, f->rule);

	if (r && r->class != HIT_ABUSE)
		m->n_others++;
	else
		m->n_failures++;
}

static void remember_missed(struct matching *m, struct span text, uint64_t number)
{
	if (m->n_missed < MISSED_SHOWN && !m->json) {
		struct buf b = BUF_INIT(4096);

		buf_quote(&b, text, 1000);
		m->missed[m->n_missed] = buf_take(&b);
		m->missed_number[m->n_missed] = number;
	}
	m->n_missed++;
}

static int on_line(void *ctx, struct span text, uint64_t number)
{
	struct matching *m = ctx;
	struct line l = {
	    .text = text, .number = number, .stamp = WALL_NONE, .read_at = m->now};
	struct filter_failure f;
	int r = filter_feed(m->filter, &l, NULL, m->now, &f);

	m->n_lines++;
	switch (r) {
	case FILTER_FAILURE:
		count_failure(m, &f);
		if (m->json)
			put_failure(m, &f, number);
		return 0;
	case FILTER_HELPED:
		m->n_helped++;
		return 0;
	case FILTER_IGNORED:
		m->n_ignored++;
		return 0;
	case FILTER_NO_ADDRESS:
		m->n_no_address++;
		return 0;
	case FILTER_LIMIT:
		m->n_limits++;
		return 0;
	case FILTER_MISS:
		remember_missed(m, text, number);
		return 0;
	default:
		return r;
	}
}

static void print_rule(const struct matching *m, struct table *t, uint32_t i)
{
	const struct setup_rule *r = setup_rule_of(m->jail, i);
	const char *regex = setup_regex(m->jail, i);
	CLEANUP(buf_deinit) struct buf weight = BUF_INIT(64);
	char number[24], hits[24], limits[24];

	snprintf(number, sizeof(number), "%u", i);
	snprintf(hits, sizeof(hits), "%llu",
	    (unsigned long long)filter_n_hits(m->filter, i));
	snprintf(limits, sizeof(limits), "%llu",
	    (unsigned long long)filter_n_limits(m->filter, i));
	if (!m->jail->n_rules) {
		table_row(t, (const char *[]){number, hits, limits, regex});
		return;
	}
	setup_weight_format(r ? r->weight : SETUP_RULE_UNIT, &weight);
	table_row(
	    t, (const char *[]){number, hits, limits, r ? r->name : "failregex",
		   hit_class_name(r ? r->class : HIT_ABUSE), buf_str(&weight), regex});
}

static void print_rules(const struct matching *m)
{
	struct table *t =
	    m->jail->n_rules
		? table_new((const char *[]){"RULE", "HITS", "LIMITS", "NAME", "CLASS",
		      "WEIGHT", "REGEX", NULL})
		: table_new((const char *[]){"RULE", "HITS", "LIMITS", "REGEX", NULL});

	for (uint32_t i = 0; t && i < filter_n_rules(m->filter); i++)
		print_rule(m, t, i);
	table_print(t);
	table_free(t);
}

static void print_summary(const struct matching *m)
{
	printf("%llu lines: %llu failures, %llu matched but no failure, %llu ignored, "
	       "%llu missed\n",
	    (unsigned long long)m->n_lines, (unsigned long long)m->n_failures,
	    (unsigned long long)(m->n_helped + m->n_no_address),
	    (unsigned long long)m->n_ignored, (unsigned long long)m->n_missed);
	if (m->jail->n_rules)
		printf("%llu lines of evidence that is no abuse\n",
		    (unsigned long long)m->n_others);
	if (m->n_no_address)
		printf("%llu of those matched had no address where one was expected\n",
		    (unsigned long long)m->n_no_address);
	if (filter_n_unbound(m->filter))
		printf(
		    "%llu of those spoke of an id that no line before has bound to an "
		    "address\n",
		    (unsigned long long)filter_n_unbound(m->filter));
	if (m->n_limits)
		printf("%llu lines ran into a regex limit\n",
		    (unsigned long long)m->n_limits);
	putchar('\n');
	print_rules(m);
	if (!m->n_missed)
		return;
	printf(
	    "\nmissed%s:\n", m->n_missed > MISSED_SHOWN ? " (the first of them)" : "");
	for (size_t i = 0; i < MISSED_SHOWN && i < m->n_missed; i++)
		printf("%8llu  %s\n", (unsigned long long)m->missed_number[i],
		    m->missed[i] ? m->missed[i] : "");
}

static int match_log(struct matching *m, const char *path)
{
	struct err e = {""};
	int r = input_read(path, on_line, m, &e);

	flush_out(m);
	if (r < 0) {
		fprintf(stderr, "bandog match: %s: %s\n", path, e.text);
		if (!m->n_lines)
			return CLI_FAILED;
	}
	if (!m->json)
		print_summary(m);
	return r < 0 ? CLI_FAILED : CLI_OK;
}

/* Names are shown as they stand: nothing is looked up here. */
static enum filter_usedns names_of(const char *dns, enum filter_usedns configured)
{
	bool wanted = dns ? *dns == 'y' : configured != FILTER_DNS_NO;

	return wanted ? FILTER_DNS_RAW : FILTER_DNS_NO;
}

/* Return: exit code. */
static int with_filter(const struct cli_options *o, const char *spec, const char *dns,
    bool journal, wall_t now, const char *path)
{
	struct diag d = {0};
	struct err e = {""};
	CLEANUP(conf_freep)
	struct conf *conf = conf_load_filter(o->config_dir, spec, &d);
	CLEANUP(setup_freep) struct setup *s = NULL;
	int code = CLI_FAILED;

	if (conf)
		(void)setup_build(conf, &d, &s);
	cli_print_diag(&d);
	if (s && s->n_jails == 1 && !d.n_errors) {
		struct filter_options fo = setup_filter_options(&s->jails[0]);

		fo.usedns = names_of(dns, fo.usedns);
		fo.no_date = journal;
		CLEANUP(filter_freep) struct filter *f = filter_new(&fo, &e);
		struct matching m = {.filter = f,
		    .jail = &s->jails[0],
		    .now = now,
		    .json = o->json,
		    .out = BUF_INIT(16u << 20)};

		if (f)
			code = match_log(&m, path);
		else
			fprintf(stderr, "bandog match: %s\n", e.text);
		for (size_t i = 0; i < MISSED_SHOWN; i++)
			free(m.missed[i]);
		buf_deinit(&m.out);
	}
	diag_deinit(&d);
	return code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
	static const struct option options[] = {CLI_COMMON_OPTIONS,
	    {"filter", required_argument, NULL, OPT_FILTER},
	    {"now", required_argument, NULL, OPT_NOW},
	    {"dns", required_argument, NULL, OPT_DNS},
	    {"journal", no_argument, NULL, OPT_JOURNAL}, {NULL, 0, NULL, 0}};
	struct cli_options o = cli_defaults();
	const char *spec = NULL, *now_text = NULL, *dns = NULL;
	bool journal = false;
	wall_t now;
	int c, code;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == OPT_FILTER)
			spec = optarg;
		else if (c == OPT_NOW)
			now_text = optarg;
		else if (c == OPT_DNS)
			dns = optarg;
		else if (c == OPT_JOURNAL)
			journal = true;
		else if ((code = cli_common(v, c, &o)) >= 0)
			return code;
	}
	if (!spec)
		return cli_usage(v, "--filter NAME is needed");
	if (optind + 1 != argc)
		return cli_usage(
		    v, "exactly one log is needed ('-' reads standard input)");
	if (dns && strcmp(dns, "yes") != 0 && strcmp(dns, "no") != 0)
		return cli_usage(v, "--dns: expected yes or no, not '%s'", dns);
	code = cli_time(v, "--now", now_text, &now);
	if (code)
		return code;
	return with_filter(&o, spec, dns, journal, now, argv[optind]);
}

const struct cli_verb cli_match = {
    .name = "match",
    .synopsis =
	"--filter 'NAME[opt=\"value\",...]' [--json] [--now TIME] [--dns yes|no]\n"
	"                    [--journal] LOG|-",
    .summary = "Show what a filter makes of a log (no window, no bans)",
    .help =
	"  --filter SPEC   filter.d/NAME.conf with options, or a path to a .conf file\n"
	"  --now TIME      the clock, which settles dates without a year (TZ: the "
	"zone)\n"
	"  --dns yes|no    does <HOST> take host names too (they are not looked up)\n"
	"  --journal       lines carry no date of their own\n"
	"  --json          one object a failure: line, time, id, host, rule, fields;\n"
	"                  of a [Rule] also its name, class and weight\n"
	"Without --json: lines matched, ignored and missed, with counts per rule.\n",
    .run = run,
};
