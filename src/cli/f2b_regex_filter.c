/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * REGEX and IGNOREREGEX: a filter of the configuration, a filter file, or a regex.
 * Names are told apart from regexes as fail2ban-regex does it, by whether there is such
 * a file.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/f2b_names.h"
#include "cli/f2b_regex.h"
#include "cli/f2b_repr.h"
#include "cli/f2b_spec.h"
#include "match/tags.h"
#include "pipeline/setup.h"

#define SHORT_CHARS 53

struct place {
	char base[PATH_MAX]; /* configuration folder, or that of the file */
	char file[PATH_MAX];
	bool is_found;
};

static bool has_dot_near_end(struct span name)
{
	struct span end = name.n > 6 ? span_skip(name, name.n - 6) : name;

	return span_index(end, '.') >= 0;
}

static bool is_filter_d(const char *dir)
{
	return !strcmp(f2b_base_name(dir), "filter.d");
}

static void cut_last_part(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		*path = '\0';
	else if (slash == path)
		slash[1] = '\0';
	else
		*slash = '\0';
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool try_name(struct place *p, struct span name, const char *suffix)
{
	bool is_path = memchr(name.p, '/', name.n);
	int n;

	if (is_path)
		n = snprintf(
		    p->file, sizeof(p->file), SPAN_FMT "%s", SPAN_ARG(name), suffix);
	else
		n = snprintf(p->file, sizeof(p->file), "%s/%s" SPAN_FMT "%s", p->base,
		    is_filter_d(p->base) ? "" : "filter.d/", SPAN_ARG(name), suffix);
	if (n < 0 || (size_t)n >= sizeof(p->file))
		return false;
	if (is_path) {
		memcpy(p->base, p->file, sizeof(p->base));
		cut_last_part(p->base);
	}
	return p->is_found = is_file(p->file);
}

static void find_file(const char *config_dir, struct span name, struct place *out)
{
	*out = (struct place){.is_found = false};
	(void)snprintf(out->base, sizeof(out->base), "%s", config_dir);
	if (try_name(out, name, "") || has_dot_near_end(name))
		return;
	(void)(try_name(out, name, ".conf") || try_name(out, name, ".local"));
}

/* Is it read as a filter of a configuration, and not as a file that stands alone? */
static bool is_of_configuration(
    const struct place *p, const char *config_dir, struct span name)
{
	return !strcmp(p->base, config_dir) || is_filter_d(p->base) ||
	       (!has_dot_near_end(name) && !memchr(name.p, '/', name.n));
}

static void say(const struct f2b_regex_options *o, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

static void say(const struct f2b_regex_options *o, const char *fmt, ...)
{
	va_list ap;

	if (o->out)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

static void say_short(
    const struct f2b_regex_options *o, const char *what, const char *value)
{
	struct buf b = BUF_INIT(4096);

	f2b_add_short(&b, span_of(value), SHORT_CHARS);
	say(o, "Use %11s line : %s\n", what, buf_str(&b));
	buf_deinit(&b);
}

static void say_options(const struct f2b_regex_options *o, const struct f2b_spec *s)
{
	struct buf b = BUF_INIT(1 << 20);

	for (size_t i = 0; i < s->n_options; i++) {
		buf_add_str(&b, i ? ", " : "");
		f2b_repr_str(&b, s->options[i].name);
		buf_add_str(&b, ": ");
		f2b_repr_str(&b, s->options[i].value);
	}
	if (s->n_options)
		say(o, "Use   filter options : {%s}\n", buf_str(&b));
	buf_deinit(&b);
}

/* What counts in the end: how lines are logged, how dates are written, what was given.
 */
static void say_real_options(const struct f2b_regex_options *o,
    const struct f2b_spec *s, bool is_journal, const struct conf_filter *f)
{
	struct buf b = BUF_INIT(1 << 20);
	struct span logtype;

	if (o->verbose < 2)
		return;
	if (!f2b_spec_find(s, SPAN("logtype"), &logtype))
		logtype = is_journal ? SPAN("journal") : SPAN("file");
	buf_add_str(&b, "'logtype': ");
	f2b_repr_str(&b, logtype);
	if (f->datepattern.text) {
		buf_add_str(&b, ", 'datepattern': ");
		f2b_repr_str(&b, span_of(f->datepattern.text));
	}
	for (size_t i = 0; i < s->n_options; i++) {
		if (span_eq(s->options[i].name, SPAN("logtype")) ||
		    span_eq(s->options[i].name, SPAN("datepattern")))
			continue;
		buf_add_str(&b, ", ");
		f2b_repr_str(&b, s->options[i].name);
		buf_add_str(&b, ": ");
		f2b_repr_str(&b, s->options[i].value);
	}
	say(o, "Real  filter options : {%s}\n", buf_str(&b));
	buf_deinit(&b);
}

static void print_mistakes(const struct diag *d, const char *value)
{
	for (size_t i = 0; i < d->n; i++) {
		struct buf b = BUF_INIT(1 << 20);

		if (d->items[i].level == DIAG_ERROR) {
			diag_format(&d->items[i], &b);
			printf("Wrong config file: %s\n", buf_str(&b));
		}
		buf_deinit(&b);
	}
	printf("ERROR: failed to load filter %s\n", value);
}

static int take_texts(const struct conf_values *from, const char ***out, size_t *out_n)
{
	const char **list = calloc(from->n + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < from->n; i++)
		list[i] = from->items[i].text;
	*out = list;
	*out_n = from->n;
	return 0;
}

static int add_rule(
    const struct conf_rule *c, const char *regex, struct f2b_regex_filter *out)
{
	struct buf b = BUF_INIT(1 << 20);

	buf_printf(&b, "%s (%s, weight ", c->name, hit_class_name(c->class));
	setup_weight_format(c->weight, &b);
	buf_printf(&b, "): %s", regex);
	out->rules[out->n_rules] = (struct filter_rule){
	    .name = c->name,
	    .regex = regex,
	    .distinct = c->distinct.text,
	    .account = c->account.text,
	    .bind = c->bind.text,
	    .via = c->via.text,
	};
	out->shown_rules[out->n_rules] = buf_take(&b);
	return out->shown_rules[out->n_rules++] ? 0 : -ENOMEM;
}

static int take_rules(const struct conf_filter *c, struct f2b_regex_filter *out)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_rules; i++)
		n += c->rules[i].regex.n;
	out->rules = calloc(n + 1, sizeof(*out->rules));
	out->shown_rules = calloc(n + 1, sizeof(*out->shown_rules));
	if (!out->rules || !out->shown_rules)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_rules; i++) {
		const struct conf_values *v = &c->rules[i].regex;

		for (size_t k = 0; k < v->n; k++)
			if (add_rule(&c->rules[i], v->items[k].text, out) < 0)
				return -ENOMEM;
	}
	return 0;
}

static int take_filter(const struct conf_filter *c, struct f2b_regex_filter *out)
{
	out->prefregex = c->prefregex.text;
	out->datepattern = c->datepattern.text;
	out->journalmatch = c->journalmatch.text;
	out->maxlines = c->is_maxlines_set ? c->maxlines : 0;
	if (take_rules(c, out) < 0 ||
	    take_texts(&c->failregex, &out->failregex, &out->n_failregex) < 0)
		return -ENOMEM;
	return take_texts(&c->ignoreregex, &out->ignoreregex, &out->n_ignoreregex);
}

static int load_conf(const struct f2b_regex_options *o, const char *dir,
    const char *name, const struct f2b_spec *s, bool is_journal,
    struct f2b_regex_filter *out)
{
	struct buf spec = BUF_INIT(1 << 20);
	struct diag d = {0};
	struct span given;
	int r = -EINVAL;

	buf_add_str(&spec, name);
	buf_add_span(&spec, s->rest);
	if (is_journal && !f2b_spec_find(s, SPAN("logtype"), &given))
		buf_add_str(&spec, "[logtype=journal]");
	out->conf = conf_load_filter(dir, buf_str(&spec), &d);
	if (!out->conf || d.n_errors) {
		print_mistakes(&d, o->args[1]);
	} else {
		say_real_options(o, s, is_journal, &out->conf->jails[0].filter);
		r = take_filter(&out->conf->jails[0].filter, out);
	}
	buf_deinit(&spec);
	diag_deinit(&d);
	return r;
}

static int load_file(const struct f2b_regex_options *o, const struct place *p,
    const struct f2b_spec *s, bool is_journal, struct f2b_regex_filter *out)
{
	char dir[PATH_MAX], name[PATH_MAX], *dot;

	memcpy(dir, p->base, sizeof(dir));
	if (is_of_configuration(p, o->config_dir, s->name)) {
		if (is_filter_d(dir))
			cut_last_part(dir);
		(void)snprintf(name, sizeof(name), SPAN_FMT, SPAN_ARG(s->name));
		memmove(name, f2b_base_name(name), strlen(f2b_base_name(name)) + 1);
		dot = strrchr(name, '.');
		if (dot && dot != name)
			*dot = '\0';
		say(o, "Use %11s filter file : %s, basedir: %s\n", "failregex", name,
		    dir);
		say_options(o, s);
		return load_conf(o, *dir ? dir : ".", name, s, is_journal, out);
	}
	say(o, "Use %11s file : " SPAN_FMT "\n", "failregex", SPAN_ARG(s->name));
	say_options(o, s);
	if (!realpath(p->file, name)) {
		printf("ERROR: failed to load filter %s\n", o->args[1]);
		return -EINVAL;
	}
	return load_conf(o, o->config_dir, name, s, is_journal, out);
}

/* Return: 0 when @value names a filter, which is loaded, 1 when it does not, -EINVAL.
 */
static int load_named(const struct f2b_regex_options *o, const char *value,
    bool is_journal, struct f2b_regex_filter *out)
{
	struct f2b_spec s;
	struct place p;
	struct err e;

	if (!f2b_spec_is_one(span_of(value)))
		return 1;
	if (f2b_spec_parse(span_of(value), &s, &e) < 0) {
		printf("ERROR: Wrong filter name or options: %s\n", e.text);
		printf("       while parsing: %s\n", value);
		return -EINVAL;
	}
	find_file(o->config_dir, s.name, &p);
	return p.is_found ? load_file(o, &p, &s, is_journal, out) : 1;
}

/* --- are the regexes right? --- */

static enum filter_usedns names_of(const struct f2b_regex_options *o)
{
	return o->usedns && !strcasecmp(o->usedns, "no") ? FILTER_DNS_NO
							 : FILTER_DNS_RAW;
}

static int refuse(const struct f2b_regex_options *o, const char *regex, bool has_no_id,
    const struct err *e)
{
	struct buf b = BUF_INIT(1 << 20);
	struct err none;

	if (span_trim(span_of(regex)).n == 0) {
		puts("ERROR: Cannot add empty regex");
	} else if (tags_expand(
		       span_of(regex), names_of(o) != FILTER_DNS_NO, &b, &none) < 0) {
		printf("ERROR: %s\n", none.text);
	} else if (has_no_id) {
		printf("ERROR: No failure-id group in '%s'\n", buf_str(&b));
	} else {
		printf("ERROR: Unable to compile regular expression '%s':\n%s\n",
		    buf_str(&b), e->text);
	}
	buf_deinit(&b);
	return -EINVAL;
}

static int check_plain(const struct f2b_regex_options *o, const char *regex)
{
	struct err e = {""};

	if (filter_check_regex(regex, names_of(o), &e) == 0)
		return 0;
	return refuse(o, regex, false, &e);
}

static int check_fail(
    const struct f2b_regex_options *o, const struct f2b_regex_filter *f)
{
	struct err e = {""};

	if (f->prefregex && *f->prefregex && check_plain(o, f->prefregex) < 0)
		return -EINVAL;
	for (size_t i = 0; i < f->n_failregex; i++) {
		if (check_plain(o, f->failregex[i]) < 0)
			return -EINVAL;
		if (filter_check_failregex(
			f->failregex[i], f->prefregex, names_of(o), &e) < 0)
			return refuse(o, f->failregex[i], true, &e);
	}
	for (size_t i = 0; i < f->n_rules; i++) {
		for (unsigned int part = 0; part < FILTER_RULE_N_PARTS; part++) {
			if (filter_check_rule(
				&f->rules[i], part, f->prefregex, names_of(o), &e) < 0)
				return refuse(o, f->rules[i].regex, true, &e);
		}
	}
	for (size_t i = 0; i < f->n_ignoreregex; i++) {
		if (check_plain(o, f->ignoreregex[i]) < 0)
			return -EINVAL;
	}
	return 0;
}

/* --- all of it --- */

static int take_one(const char *value, const char ***out, size_t *out_n)
{
	const char **list = calloc(1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	list[0] = value;
	free(*out);
	*out = list;
	*out_n = 1;
	return 0;
}

static void say_filter(
    const struct f2b_regex_options *o, const struct f2b_regex_filter *f)
{
	if (!o->maxlines && f->maxlines)
		say(o, "Use         maxlines : %u\n", f->maxlines);
	if (!o->datepattern && f->datepattern && !o->out)
		f2b_say_datepattern(f->datepattern);
}

int f2b_regex_filter_load(
    const struct f2b_regex_options *o, bool is_journal, struct f2b_regex_filter *out)
{
	int r = load_named(o, o->args[1], is_journal, out);

	if (r < 0)
		return r;
	if (r == 1) {
		say_short(o, "failregex", o->args[1]);
		if (take_one(o->args[1], &out->failregex, &out->n_failregex) < 0)
			return -ENOMEM;
	} else {
		say_filter(o, out);
	}
	if (check_fail(o, out) < 0)
		return -EINVAL;
	if (o->n_args < 3)
		return 0;
	say_short(o, "ignoreregex", o->args[2]);
	if (take_one(o->args[2], &out->ignoreregex, &out->n_ignoreregex) < 0)
		return -ENOMEM;
	return check_plain(o, o->args[2]);
}

void f2b_regex_filter_deinit(struct f2b_regex_filter *f)
{
	for (size_t i = 0; f->shown_rules && i < f->n_rules; i++)
		free(f->shown_rules[i]);
	free(f->shown_rules);
	free(f->rules);
	free(f->failregex);
	free(f->ignoreregex);
	conf_free(f->conf);
}
