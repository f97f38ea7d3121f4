/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter_rules - sections [Rule NAME] of a filter: what a line says, and how much it
 * weighs
 *
 * fail2ban ignores sections that it does not know; so one file serves both. All rules
 * are read, also those that another mode has, so that their mistakes are told; which
 * regexes compile, and which fields they have, is seen where they are compiled.
 */

#include <errno.h>

#include "conf/chars.h"
#include "conf/room.h"
#include "conf/schema.h"

#define RULES_MAX 1000
#define NAME_BYTES_MAX 64
#define WEIGHT_MAX 300 /* failures, either way */
#define WEIGHT_UNIT 100

static const struct span prefix = {"Rule ", 5};

struct reader {
	struct load *ld;
	struct definition *def;
	struct span mode;           /* of the filter */
	struct ini_section section; /* its own options over those of [Definition] */
	const struct ini_section *own;
	struct conf_rule *rule;
	bool is_off, is_broken;
};

static void complain(struct reader *rd, struct conf_place at, const char *name,
    struct span value, const char *expected)
{
	diag_add(rd->ld->d, DIAG_ERROR, at, "%s: '%s' will not do, expected %s", name,
	    chars_show(value).text, expected);
	rd->is_broken = true;
}

/* An option that the section itself has. Return: 0, 1 (not set, or wrong, which is
 * told), -ENOMEM. */
static int get(struct reader *rd, const char *name, struct text *out)
{
	const struct ini_option *o = ini_find_option(rd->own, span_of(name));
	int r = o ? definition_resolve(rd->def, &rd->section, o, out) : 1;

	if (r == -EINVAL)
		rd->is_broken = true;
	return r == -EINVAL ? 1 : r;
}

static const struct schema_option *option(const char *name)
{
	return schema_find(span_of(name), SCHEMA_RULE);
}

/* --- values */

static int read_enabled(struct reader *rd)
{
	bool is_on = true;
	struct text t;
	int r = get(rd, "enabled", &t);

	if (r == 0)
		schema_read_bool(rd->ld->d, option("enabled"), &t, &is_on);
	rd->is_off |= !is_on;
	return r < 0 ? r : 0;
}

static int read_mode(struct reader *rd)
{
	struct span rest, word;
	struct text t;
	int r = get(rd, "mode", &t);

	if (r)
		return r < 0 ? r : 0;
	rest = text_span(&t);
	while (span_next_word(&rest, ",", &word))
		if (span_eq_nocase(word, rd->mode))
			return 0;
	rd->is_off = true;
	return 0;
}

static int read_regex(struct reader *rd)
{
	struct text t;
	int r = get(rd, "regex", &t);

	if (r == 0)
		r = values_add_lines(rd->ld, &t, &rd->rule->regex);
	/* Empty: a later file has switched it off. Not there at all: forgotten. */
	if (r == 0 && !rd->rule->regex.n)
		rd->is_off = true;
	if (!ini_find_option(rd->own, SPAN("regex")) && !rd->is_off) {
		diag_add(rd->ld->d, DIAG_ERROR, rd->own->at,
		    "[%s]: there is no regex, expected regex = ... (or enabled = no)",
		    chars_show(span_of(rd->own->name)).text);
		rd->is_broken = true;
	}
	return r < 0 ? r : 0;
}

static int read_class(struct reader *rd)
{
	struct text t;
	int r = get(rd, "class", &t);

	if (r)
		return r < 0 ? r : 0;
	if (hit_class_parse(chars_trim(text_span(&t)), &rd->rule->class) < 0)
		complain(rd, text_place(&t, 0), "class", chars_trim(text_span(&t)),
		    "abuse, misconfiguration, local-fault, neutral or good");
	return 0;
}

/* "-1.25" in hundredths. Return: 0; -EINVAL: no such number; -ERANGE. */
static int parse_weight(struct span s, int16_t *out)
{
	bool is_negative = s.n && s.p[0] == '-';
	unsigned int n_digits = 0, n_behind = 0;
	int64_t v = 0;
	bool has_point = false;

	if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
		s = span_skip(s, 1);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && !has_point) {
			has_point = true;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9' || n_behind == 2)
			return -EINVAL;
		n_digits++;
		n_behind += has_point;
		if (v <= WEIGHT_MAX * WEIGHT_UNIT)
			v = v * 10 + (s.p[i] - '0');
	}
	if (!n_digits || (has_point && !n_behind))
		return -EINVAL;
	for (; n_behind < 2; n_behind++)
		v *= 10;
	if (v > WEIGHT_MAX * WEIGHT_UNIT)
		return -ERANGE;
	*out = (int16_t)(is_negative ? -v : v);
	return 0;
}

static int read_weight(struct reader *rd)
{
	struct text t;
	int r = get(rd, "weight", &t);

	rd->rule->weight = WEIGHT_UNIT;
	if (r)
		return r < 0 ? r : 0;
	r = parse_weight(chars_trim(text_span(&t)), &rd->rule->weight);
	if (r == -EINVAL)
		complain(rd, text_place(&t, 0), "weight", chars_trim(text_span(&t)),
		    "a number of failures with at most two decimals, such as 1 or "
		    "-0.25");
	else if (r < 0)
		complain(rd, text_place(&t, 0), "weight", chars_trim(text_span(&t)),
		    "-300 to 300 failures");
	return 0;
}

static int read_bantime(struct reader *rd)
{
	double sec;
	struct text t;
	int r = get(rd, "bantime", &t);

	if (r)
		return r < 0 ? r : 0;
	if (schema_read_duration(rd->ld->d, option("bantime"), &t, &sec) < 0) {
		rd->is_broken = true;
		return 0;
	}
	/* What is below a second would mean "the jail's". */
	rd->rule->bantime_sec = sec < 0 ? -1 : sec < 9e15 ? (int64_t)sec : -1;
	if (!rd->rule->bantime_sec)
		complain(rd, text_place(&t, 0), "bantime", chars_trim(text_span(&t)),
		    "a second or more, or -1 for good");
	return 0;
}

static int read_free(struct reader *rd)
{
	int64_t v;
	struct text t;
	int r = get(rd, "free", &t);

	if (r)
		return r < 0 ? r : 0;
	if (schema_read_count(rd->ld->d, option("free"), &t, &v) < 0) {
		rd->is_broken = true;
		return 0;
	}
	rd->rule->free = (uint16_t)v;
	if (!ini_find_option(rd->own, SPAN("distinct")))
		complain(rd, text_place(&t, 0), "free", chars_trim(text_span(&t)),
		    "distinct = FIELD beside it");
	return 0;
}

static int read_adapt(struct reader *rd)
{
	struct text t;
	int r = get(rd, "adapt", &t);

	if (r == 0)
		schema_read_bool(rd->ld->d, option("adapt"), &t, &rd->rule->adapt);
	return r < 0 ? r : 0;
}

static bool is_field_name(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return s.n > 0;
}

/* "F-RCPT", "<F-RCPT>" and "RCPT" are "rcpt". */
static int read_field(struct reader *rd, const char *name, struct conf_value *out)
{
	struct span s;
	char *lower;
	struct text t;
	int r = get(rd, name, &t);

	if (r)
		return r < 0 ? r : 0;
	s = chars_trim(text_span(&t));
	if (!s.n)
		return 0;
	lower = arena_dup_lower(rd->ld->arena, s);
	if (!lower)
		return -ENOMEM;
	s = (struct span){lower, s.n};
	if (s.n > 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		s = (struct span){s.p + 1, s.n - 2};
	if (span_starts(s, SPAN("f-")))
		s = span_skip(s, 2);
	if (!is_field_name(s)) {
		complain(rd, text_place(&t, 0), name, chars_trim(text_span(&t)),
		    "the name of a field: for <F-RCPT> it is rcpt");
		return 0;
	}
	/* As the regex has them. */
	if (span_eq(s, SPAN("id")))
		s = SPAN("fid");
	if (span_eq(s, SPAN("port")))
		s = SPAN("fport");
	out->text = arena_dup(rd->ld->arena, s);
	out->at = text_place(&t, 0);
	return out->text ? 0 : -ENOMEM;
}

static int read_fields(struct reader *rd)
{
	struct conf_rule *rule = rd->rule;
	int r = read_field(rd, "distinct", &rule->distinct);

	if (r == 0)
		r = read_field(rd, "account", &rule->account);
	if (r == 0)
		r = read_field(rd, "bind", &rule->bind);
	return r ? r : read_field(rd, "via", &rule->via);
}

/* --- a rule */

/* A name with '_' before it is material for the others. */
static void check_options(struct reader *rd)
{
	for (const struct dict_item *i = rd->own->options.first; i; i = i->next) {
		const struct ini_option *o = i->value;
		struct span name = span_of(o->name);
		const struct schema_option *near;

		if (o->name[0] == '_' || schema_find(name, SCHEMA_RULE))
			continue;
		near = schema_find_near(name, SCHEMA_RULE);
		if (near)
			diag_add(rd->ld->d, DIAG_ERROR, o->at,
			    "[%s]: there is no option '%s'; did you mean '%s'?",
			    chars_show(span_of(rd->own->name)).text,
			    chars_show(name).text, near->name);
		else
			diag_add(rd->ld->d, DIAG_ERROR, o->at,
			    "[%s]: there is no option '%s'; expected regex, class, "
			    "weight, bantime, distinct, free, bind, via, account, "
			    "adapt, mode "
			    "or enabled (a name of your own begins with '_')",
			    chars_show(span_of(rd->own->name)).text,
			    chars_show(name).text);
		rd->is_broken = true;
	}
}

static int read_name(struct reader *rd)
{
	struct span s = chars_trim(span_skip(span_of(rd->own->name), prefix.n));
	bool is_good = s.n > 0 && s.n <= NAME_BYTES_MAX;

	for (size_t i = 0; i < s.n && is_good; i++) {
		char c = s.p[i];

		is_good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			  (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
	}
	if (!is_good)
		complain(rd, rd->own->at, "Rule", s,
		    "[Rule NAME], a name of letters, digits, '-', '_' and '.', at most "
		    "64");
	rd->rule->name = arena_dup(rd->ld->arena, s);
	rd->rule->at = rd->own->at;
	return rd->rule->name ? 0 : -ENOMEM;
}

static int add_options(struct ini_section *to, const struct ini_section *from)
{
	int r = 0;

	for (const struct dict_item *i = from ? from->options.first : NULL; r == 0 && i;
	     i = i->next)
		r = dict_put(&to->options, i->key, i->value);
	return r;
}

static int begin(struct reader *rd, const struct ini_section *own)
{
	const struct ini_section *definition =
	    ini_find_section(rd->def->ini, SPAN("Definition"));
	int r;

	rd->own = own;
	rd->is_off = false;
	rd->section = (struct ini_section){
	    .name = own->name, .at = own->at, .options = DICT_INIT(rd->ld->arena)};
	r = add_options(&rd->section, definition);
	return r ? r : add_options(&rd->section, own);
}

static int read_rule(
    struct reader *rd, const struct ini_section *own, struct conf_rule *out)
{
	static int (*const readers[])(struct reader *) = {read_name, read_mode,
	    read_regex, read_class, read_weight, read_bantime, read_fields, read_free,
	    read_adapt};
	int r = begin(rd, own);

	rd->rule = out;
	*out = (struct conf_rule){.adapt = true};
	rd->is_broken |= own->is_broken;
	if (r == 0)
		r = read_enabled(rd);
	if (r || rd->is_off) /* whatever else it says */
		return r;
	check_options(rd);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(readers); i++)
		r = readers[i](rd);
	return r;
}

/* --- all of them */

static bool is_bound(const struct conf_filter *f, const char *field)
{
	for (size_t i = 0; i < f->n_rules; i++) {
		const char *bind = f->rules[i].bind.text;

		if (bind && strcmp(bind, field) == 0)
			return true;
	}
	return false;
}

static void check_joins(struct reader *rd, const struct conf_filter *f)
{
	for (size_t i = 0; i < f->n_rules; i++) {
		const struct conf_value *via = &f->rules[i].via;

		if (!via->text || is_bound(f, via->text))
			continue;
		diag_add(rd->ld->d, DIAG_ERROR, via->at,
		    "via: nothing binds '%s' to an address, expected a rule with bind "
		    "= %s",
		    chars_show(span_of(via->text)).text,
		    chars_show(span_of(via->text)).text);
		rd->is_broken = true;
	}
}

static void hint_case(struct reader *rd, const struct ini_section *s)
{
	struct span name = span_of(s->name);

	if (name.n > prefix.n &&
	    span_eq_nocase((struct span){name.p, prefix.n}, prefix))
		diag_add(rd->ld->d, DIAG_WARNING, s->at,
		    "[%s] is ignored; did you mean [Rule %s]?", chars_show(name).text,
		    chars_show(span_skip(name, prefix.n)).text);
}

static int read_rules(struct reader *rd, struct conf_filter *out)
{
	int r = 0;

	out->rules = arena_alloc_array(
	    rd->ld->arena, rd->def->ini->sections.n + 1, sizeof(*out->rules));
	if (!out->rules)
		return -ENOMEM;
	for (const struct dict_item *i = rd->def->ini->sections.first; r == 0 && i;
	     i = i->next) {
		const struct ini_section *s = i->value;

		if (!span_starts(span_of(s->name), prefix)) {
			hint_case(rd, s);
			continue;
		}
		r = read_rule(rd, s, &out->rules[out->n_rules]);
		out->n_rules += r == 0 && !rd->is_off;
	}
	return r;
}

int filter_rules_fill(
    struct load *ld, struct definition *def, struct conf_filter *out, bool *is_broken)
{
	struct reader rd = {.ld = ld, .def = def, .mode = SPAN("normal")};
	struct text mode;
	int r = definition_find(def, SPAN("mode"), &mode);

	if (r == -ENOMEM)
		return r;
	if (r == 0 && chars_trim(text_span(&mode)).n)
		rd.mode = chars_trim(text_span(&mode));
	r = read_rules(&rd, out);
	if (r < 0)
		return r;
	check_joins(&rd, out);
	if (out->n_rules > RULES_MAX) {
		diag_add(ld->d, DIAG_ERROR, out->rules[RULES_MAX].at,
		    "more than %d rules in one filter", RULES_MAX);
		rd.is_broken = true;
	}
	*is_broken |= rd.is_broken;
	return 0;
}
