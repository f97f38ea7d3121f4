/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * rules - the order matters: a failregex may leave the address to the prefregex
 */

#include "match/rules.h"

#include <errno.h>
#include <stdlib.h>

static struct rule *rules_make_failregex(const char *regex,
    const struct rule *prefregex, const struct rule_options *o,
    struct group_names *names, struct err *e)
{
	CLEANUP(rule_freep) struct rule *r = rule_new(regex, o, names, e);

	if (r && !rule_has_failure_id(r) &&
	    !(prefregex && rule_has_failure_id(prefregex))) {
		(void)err_set(e, -EINVAL,
		    "nothing in it says who it was: <HOST>, <ADDR>, <F-ID>, ... is "
		    "missing");
		return NULL;
	}
	return TAKE(r);
}

/* Of a rule that is about somebody by an id, another line tells the address. */
static struct rule *rules_make_rule(const struct filter_rule *rule,
    const struct rule *prefregex, const struct rule_options *o,
    struct group_names *names, struct err *e)
{
	return rule->via ? rule_new(rule->regex, o, names, e)
			 : rules_make_failregex(rule->regex, prefregex, o, names, e);
}

static const char *part_field(const struct filter_rule *r, enum filter_rule_part part)
{
	switch (part) {
	case FILTER_RULE_REGEX:
		break;
	case FILTER_RULE_DISTINCT:
		return r->distinct;
	case FILTER_RULE_ACCOUNT:
		return r->account;
	case FILTER_RULE_BIND:
		return r->bind;
	case FILTER_RULE_VIA:
		return r->via;
	}
	return NULL;
}

/* The slot of the field, which @r or @prefregex must have. Return: 0 or -EINVAL. */
static int rules_find_field(const struct rules *all, const struct rule *r,
    const struct filter_rule *rule, enum filter_rule_part part, uint8_t *out,
    struct err *e)
{
	static const char *const names[] = {
	    "regex", "distinct", "account", "bind", "via"};
	const char *field = part_field(rule, part);
	int slot;

	if (!field)
		return 0;
	slot = group_names_find(&all->names, span_of(field));
	if (slot >= 0 &&
	    (rule_has_slot(r, (size_t)slot) ||
		(all->prefregex && rule_has_slot(all->prefregex, (size_t)slot)))) {
		*out = (uint8_t)slot;
		return 0;
	}
	return err_set(e, -EINVAL,
	    "%s: the regex has no field '%s', expected <F-...>...</F-...> of that name "
	    "in it",
	    names[part], field);
}

static int rules_find_fields(const struct rules *all, const struct rule *r,
    const struct filter_rule *rule, struct rule_use *out, struct err *e)
{
	uint8_t slots[FILTER_RULE_N_PARTS] = {
	    RULE_NO_SLOT, RULE_NO_SLOT, GROUP_USER, RULE_NO_SLOT, RULE_NO_SLOT};

	for (unsigned int i = FILTER_RULE_DISTINCT; i < FILTER_RULE_N_PARTS; i++) {
		if (rules_find_field(all, r, rule, i, &slots[i], e) < 0)
			return -EINVAL;
	}
	*out =
	    (struct rule_use){slots[FILTER_RULE_DISTINCT], slots[FILTER_RULE_ACCOUNT],
		slots[FILTER_RULE_BIND], slots[FILTER_RULE_VIA]};
	return 0;
}

static struct rule *rules_make_prefregex(const char *regex,
    const struct rule_options *o, struct group_names *names, struct err *e)
{
	struct rule *r = rule_new(regex, o, names, e);

	if (!r)
		(void)err_wrap(e, -EINVAL, "prefregex");
	return r;
}

/* What prefregex and failregexes of @o are made with. */
static struct rule_options rules_options(
    const struct filter_options *o, enum literals_cut cut)
{
	return (struct rule_options){
	    .with_names = o->usedns != FILTER_DNS_NO,
	    .is_sieved = true,
	    .cut = cut,
	};
}

static int rules_add_failregexes(struct rules *r, const struct filter_options *o,
    enum literals_cut cut, struct err *e)
{
	struct rule_options ro = rules_options(o, cut);

	ro.multiline = o->maxlines > 1;
	for (; r->n_failregex < o->n_failregex; r->n_failregex++) {
		size_t i = r->n_failregex;

		r->failregex[i] = rules_make_failregex(
		    o->failregex[i], r->prefregex, &ro, &r->names, e);
		if (!r->failregex[i])
			return err_wrap(e, -EINVAL, "failregex[%zu]", i);
	}
	return 0;
}

static int rules_add_rules(struct rules *r, const struct filter_options *o,
    enum literals_cut cut, struct err *e)
{
	struct rule_options ro = rules_options(o, cut);

	ro.multiline = o->maxlines > 1;
	for (size_t i = 0; i < o->n_rules; i++) {
		const struct filter_rule *rule = &o->rules[i];
		struct rule *made =
		    rules_make_rule(rule, r->prefregex, &ro, &r->names, e);

		if (!made)
			return err_wrap(e, -EINVAL, "rule %s", rule->name);
		r->failregex[r->n_failregex++] = made;
		if (rules_find_fields(r, made, rule, &r->uses[r->n_failregex - 1], e) <
		    0)
			return err_wrap(e, -EINVAL, "rule %s", rule->name);
		r->has_joins |= rule->bind != NULL;
	}
	return 0;
}

/* Of a plain failregex it is known whose account it is about, too. */
static int rules_init_uses(struct rules *r, const struct filter_options *o)
{
	if (!o->n_rules)
		return 0;
	r->uses = calloc(o->n_failregex + o->n_rules, sizeof(r->uses[0]));
	for (size_t i = 0; r->uses && i < o->n_failregex; i++)
		r->uses[i] = (struct rule_use){
		    RULE_NO_SLOT, GROUP_USER, RULE_NO_SLOT, RULE_NO_SLOT};
	return r->uses ? 0 : -ENOMEM;
}

static int rules_add_ignoreregexes(
    struct rules *r, const struct filter_options *o, struct err *e)
{
	const struct rule_options ro = {.with_names = o->usedns != FILTER_DNS_NO};

	for (; r->n_ignoreregex < o->n_ignoreregex; r->n_ignoreregex++) {
		size_t i = r->n_ignoreregex;

		r->ignoreregex[i] = rule_new(o->ignoreregex[i], &ro, &r->names, e);
		if (!r->ignoreregex[i])
			return err_wrap(e, -EINVAL, "ignoreregex[%zu]", i);
	}
	return 0;
}

int rules_init(struct rules *r, const struct filter_options *o, enum literals_cut cut,
    struct err *e)
{
	int n;

	*r = (struct rules){0};
	if (o->n_failregex > UINT16_MAX || o->n_rules > UINT16_MAX - o->n_failregex)
		return err_set(e, -EINVAL, "more than %d failregexes", UINT16_MAX);
	if (group_names_init(&r->names) < 0)
		return err_errno(e, -ENOMEM, "filter");
	r->failregex = calloc(o->n_failregex + o->n_rules + 1, sizeof(r->failregex[0]));
	r->ignoreregex = calloc(o->n_ignoreregex + 1, sizeof(r->ignoreregex[0]));
	if (!r->failregex || !r->ignoreregex || rules_init_uses(r, o) < 0)
		return err_errno(e, -ENOMEM, "filter");
	if (o->prefregex && o->prefregex[0]) {
		const struct rule_options ro = rules_options(o, cut);

		r->prefregex = rules_make_prefregex(o->prefregex, &ro, &r->names, e);
		if (!r->prefregex)
			return -EINVAL;
	}
	n = rules_add_failregexes(r, o, cut, e);
	if (n == 0)
		n = rules_add_rules(r, o, cut, e);
	return n < 0 ? n : rules_add_ignoreregexes(r, o, e);
}

void rules_deinit(struct rules *r)
{
	for (size_t i = 0; i < r->n_ignoreregex; i++)
		rule_free(r->ignoreregex[i]);
	free(r->ignoreregex);
	for (size_t i = 0; i < r->n_failregex; i++)
		rule_free(r->failregex[i]);
	free(r->failregex);
	free(r->uses);
	rule_free(r->prefregex);
	group_names_deinit(&r->names);
}

int rules_check_rule(const struct filter_rule *rule, enum filter_rule_part part,
    const char *prefregex, bool with_names, struct err *e)
{
	const struct rule_options ro = {.with_names = with_names};
	CLEANUP(rules_deinit) struct rules all = {0};
	CLEANUP(rule_freep) struct rule *r = NULL;
	uint8_t unused;

	if (group_names_init(&all.names) < 0)
		return err_errno(e, -ENOMEM, "filter");
	if (prefregex && prefregex[0]) {
		all.prefregex = rules_make_prefregex(prefregex, &ro, &all.names, e);
		if (!all.prefregex)
			return -EINVAL;
	}
	r = rules_make_rule(rule, all.prefregex, &ro, &all.names, e);
	if (part == FILTER_RULE_REGEX || !r)
		return r || part != FILTER_RULE_REGEX ? 0 : -EINVAL;
	return rules_find_field(&all, r, rule, part, &unused, e);
}

int rules_check_failregex(
    const char *regex, const char *prefregex, bool with_names, struct err *e)
{
	const struct filter_rule rule = {.regex = regex};

	return rules_check_rule(&rule, FILTER_RULE_REGEX, prefregex, with_names, e);
}

int rules_check_regex(const char *regex, bool with_names, struct err *e)
{
	const struct rule_options ro = {.with_names = with_names};
	CLEANUP(group_names_deinit) struct group_names names = {0};
	CLEANUP(rule_freep) struct rule *r = NULL;

	if (group_names_init(&names) < 0)
		return err_errno(e, -ENOMEM, "filter");
	r = rule_new(regex, &ro, &names, e);
	return r ? 0 : -EINVAL;
}
