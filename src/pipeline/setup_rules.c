/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline/setup_rules.h"

#include <errno.h>

#define WEIGHT_MAX 30000 /* 300 failures */

static int dup_text(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

static void rule_deinit(struct setup_rule *r)
{
	free(r->name);
	for (uint32_t i = 0; r->regex && i < r->n_regex; i++)
		free(r->regex[i]);
	free(r->regex);
	free(r->distinct);
	free(r->account);
	free(r->bind);
	free(r->via);
}

void setup_rules_deinit(struct setup_jail *j)
{
	for (uint32_t i = 0; j->rules && i < j->n_rules; i++)
		rule_deinit(&j->rules[i]);
	free(j->rules);
	free(j->filter_rules);
	free(j->engine_rules);
}

/* --- for the stages */

static struct filter_rule filter_rule_of(const struct setup_rule *r, uint32_t i)
{
	return (struct filter_rule){
	    .name = r->name,
	    .regex = r->regex[i],
	    .distinct = r->distinct,
	    .account = r->account,
	    .bind = r->bind,
	    .via = r->via,
	};
}

static struct engine_rule engine_rule_of(const struct setup_rule *r, uint16_t id)
{
	return (struct engine_rule){
	    .class = r->class,
	    .id = id,
	    .weight = r->weight,
	    .bantime_sec = r->bantime_sec,
	    .distinct = r->distinct,
	    .free = r->free,
	    .is_steady = !r->adapt,
	    .name = r->name,
	};
}

/* One entry a regex, as filter and engine want them. Each failregex is a rule of its
 * own. Return: 0, -ENOMEM, or -E2BIG. */
static int lay_out(struct setup_jail *j)
{
	uint64_t n = j->n_failregex, at = n;

	if (!j->n_rules)
		return 0;
	for (uint32_t i = 0; i < j->n_rules; i++)
		n += j->rules[i].n_regex;
	if (n > SETUP_RULES_MAX)
		return -E2BIG;
	j->filter_rules = calloc(n - at + 1, sizeof(*j->filter_rules));
	j->engine_rules = calloc(n + 1, sizeof(*j->engine_rules));
	if (!j->filter_rules || !j->engine_rules)
		return -ENOMEM;
	for (uint32_t i = 0; i < j->n_failregex; i++)
		j->engine_rules[i] = (struct engine_rule){
		    .class = HIT_ABUSE, .id = (uint16_t)i, .weight = SETUP_RULE_UNIT};
	for (uint32_t i = 0; i < j->n_rules; i++) {
		for (uint32_t k = 0; k < j->rules[i].n_regex; k++) {
			j->filter_rules[j->n_rule_regexes++] =
			    filter_rule_of(&j->rules[i], k);
			j->engine_rules[at++] = engine_rule_of(
			    &j->rules[i], (uint16_t)(j->n_failregex + i));
		}
	}
	return 0;
}

uint32_t setup_n_regexes(const struct setup_jail *j)
{
	return j->n_failregex + j->n_rule_regexes;
}

const char *setup_regex(const struct setup_jail *j, uint32_t i)
{
	if (i < j->n_failregex)
		return j->failregex[i];
	i -= j->n_failregex;
	return i < j->n_rule_regexes ? j->filter_rules[i].regex : NULL;
}

const struct setup_rule *setup_rule_of(const struct setup_jail *j, uint32_t i)
{
	if (i < j->n_failregex || i >= setup_n_regexes(j))
		return NULL;
	return &j->rules[j->engine_rules[i].id - j->n_failregex];
}

void setup_rule_describe(const struct setup_rule *r, struct buf *out)
{
	buf_printf(out, "%s (%s, weight ", r->name, hit_class_name(r->class));
	setup_weight_format(r->weight, out);
	buf_add_char(out, ')');
}

void setup_weight_format(int16_t weight, struct buf *out)
{
	int v = weight < 0 ? -weight : weight;

	buf_printf(out, "%s%d", weight < 0 ? "-" : "", v / SETUP_RULE_UNIT);
	if (v % SETUP_RULE_UNIT)
		buf_printf(out, v % 10 ? ".%02d" : ".%d",
		    v % 10 ? v % SETUP_RULE_UNIT : v % SETUP_RULE_UNIT / 10);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool setup_same_rules(const struct setup_jail *a, const struct setup_jail *b)
{
	if (a->n_rule_regexes != b->n_rule_regexes)
		return false;
	for (uint32_t i = 0; i < a->n_rule_regexes; i++) {
		const struct filter_rule *x = &a->filter_rules[i];
		const struct filter_rule *y = &b->filter_rules[i];

		if (!same_text(x->regex, y->regex) ||
		    !same_text(x->distinct, y->distinct) ||
		    !same_text(x->account, y->account) ||
		    !same_text(x->bind, y->bind) || !same_text(x->via, y->via))
			return false;
	}
	return true;
}

/* --- from the configuration */

static int take_rule(const struct conf_rule *c, struct setup_rule *r)
{
	r->regex = calloc(c->regex.n + 1, sizeof(*r->regex));
	if (!r->regex)
		return -ENOMEM;
	for (; r->n_regex < c->regex.n; r->n_regex++)
		if (dup_text(&r->regex[r->n_regex], c->regex.items[r->n_regex].text) <
		    0)
			return -ENOMEM;
	r->class = c->class;
	r->weight = c->weight;
	r->bantime_sec = c->bantime_sec;
	r->free = c->free;
	r->adapt = c->adapt;
	if (dup_text(&r->name, c->name) < 0 ||
	    dup_text(&r->distinct, c->distinct.text) < 0 ||
	    dup_text(&r->account, c->account.text) < 0 ||
	    dup_text(&r->bind, c->bind.text) < 0)
		return -ENOMEM;
	return dup_text(&r->via, c->via.text);
}

int setup_take_rules(const struct conf_filter *f, struct setup_jail *j)
{
	j->rules = calloc(f->n_rules + 1, sizeof(*j->rules));
	if (!j->rules)
		return -ENOMEM;
	for (; j->n_rules < f->n_rules; j->n_rules++) {
		if (take_rule(&f->rules[j->n_rules], &j->rules[j->n_rules]) < 0) {
			rule_deinit(&j->rules[j->n_rules]);
			return -ENOMEM;
		}
	}
	return lay_out(j);
}

static const struct conf_value *place_of(
    const struct conf_rule *r, size_t regex, enum filter_rule_part part)
{
	switch (part) {
	case FILTER_RULE_REGEX:
		break;
	case FILTER_RULE_DISTINCT:
		return &r->distinct;
	case FILTER_RULE_ACCOUNT:
		return &r->account;
	case FILTER_RULE_BIND:
		return &r->bind;
	case FILTER_RULE_VIA:
		return &r->via;
	}
	return &r->regex.items[regex];
}

static bool check_regex(const struct conf_rule *c, const struct filter_rule *rule,
    size_t regex, const struct setup_jail *j, struct diag *d)
{
	const char *pref = j->prefregex ? j->prefregex : "";
	bool is_good = true;

	for (unsigned int part = 0; part < FILTER_RULE_N_PARTS; part++) {
		struct err e = {""};

		if (filter_check_rule(rule, part, pref, j->usedns, &e) == 0)
			continue;
		diag_add(d, DIAG_ERROR, place_of(c, regex, part)->at, "[Rule %s] %s%s",
		    c->name, part == FILTER_RULE_REGEX ? "regex: " : "", e.text);
		is_good = false;
	}
	return is_good;
}

bool setup_check_rules(
    const struct conf_filter *f, const struct setup_jail *j, struct diag *d)
{
	bool are_good = true;
	size_t at = 0;

	for (size_t i = 0; i < f->n_rules; i++) {
		for (size_t k = 0; k < f->rules[i].regex.n; k++)
			are_good &=
			    check_regex(&f->rules[i], &j->filter_rules[at++], k, j, d);
	}
	return are_good;
}

/* --- the wire form */

void setup_put_rules(struct buf *b, const struct setup_jail *j)
{
	pack_u32(b, j->n_rules);
	for (uint32_t i = 0; i < j->n_rules; i++) {
		const struct setup_rule *r = &j->rules[i];

		pack_str(b, r->name);
		pack_u8(b, (uint8_t)r->class);
		pack_u16(b, (uint16_t)r->weight);
		pack_i64(b, r->bantime_sec);
		pack_u16(b, r->free);
		pack_bool(b, r->adapt);
		pack_str(b, r->distinct);
		pack_str(b, r->account);
		pack_str(b, r->bind);
		pack_str(b, r->via);
		pack_u32(b, r->n_regex);
		for (uint32_t k = 0; k < r->n_regex; k++)
			pack_str(b, r->regex[k]);
	}
}

static void get_regexes(struct unpack *u, struct setup_rule *r)
{
	uint32_t n = unpack_count(u, 4);

	r->regex = calloc(n + 1, sizeof(*r->regex));
	if (!r->regex) {
		u->bad = true;
		return;
	}
	for (; r->n_regex < n && !u->bad; r->n_regex++) {
		r->regex[r->n_regex] = unpack_str(u);
		if (!r->regex[r->n_regex])
			u->bad = true;
	}
}

static void get_rule(struct unpack *u, struct setup_rule *r)
{
	uint8_t class;

	r->name = unpack_str(u);
	class = unpack_u8(u);
	r->class = class < HIT_N_CLASSES ? class : HIT_ABUSE;
	r->weight = (int16_t)unpack_u16(u);
	r->bantime_sec = unpack_i64(u);
	r->free = unpack_u16(u);
	r->adapt = unpack_bool(u);
	r->distinct = unpack_str(u);
	r->account = unpack_str(u);
	r->bind = unpack_str(u);
	r->via = unpack_str(u);
	get_regexes(u, r);
	if (!r->name || class >= HIT_N_CLASSES || r->weight > WEIGHT_MAX ||
	    r->weight < -WEIGHT_MAX)
		u->bad = true;
}

void setup_get_rules(struct unpack *u, struct setup_jail *j)
{
	uint32_t n = unpack_count(u, 38);

	j->rules = calloc(n + 1, sizeof(*j->rules));
	if (!j->rules) {
		u->bad = true;
		return;
	}
	for (; j->n_rules < n && !u->bad; j->n_rules++)
		get_rule(u, &j->rules[j->n_rules]);
	if (!u->bad && lay_out(j) < 0)
		u->bad = true;
}
