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
	if (o->n_failregex > UINT16_MAX)
		return err_set(e, -EINVAL, "more than %d failregexes", UINT16_MAX);
	if (group_names_init(&r->names) < 0)
		return err_errno(e, -ENOMEM, "filter");
	r->failregex = calloc(o->n_failregex + 1, sizeof(r->failregex[0]));
	r->ignoreregex = calloc(o->n_ignoreregex + 1, sizeof(r->ignoreregex[0]));
	if (!r->failregex || !r->ignoreregex)
		return err_errno(e, -ENOMEM, "filter");
	if (o->prefregex && o->prefregex[0]) {
		const struct rule_options ro = rules_options(o, cut);

		r->prefregex = rules_make_prefregex(o->prefregex, &ro, &r->names, e);
		if (!r->prefregex)
			return -EINVAL;
	}
	n = rules_add_failregexes(r, o, cut, e);
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
	rule_free(r->prefregex);
	group_names_deinit(&r->names);
}

int rules_check_failregex(
    const char *regex, const char *prefregex, bool with_names, struct err *e)
{
	const struct rule_options ro = {.with_names = with_names};
	CLEANUP(group_names_deinit) struct group_names names = {0};
	CLEANUP(rule_freep) struct rule *pref = NULL;
	CLEANUP(rule_freep) struct rule *r = NULL;

	if (group_names_init(&names) < 0)
		return err_errno(e, -ENOMEM, "filter");
	if (prefregex && prefregex[0]) {
		pref = rules_make_prefregex(prefregex, &ro, &names, e);
		if (!pref)
			return -EINVAL;
	}
	r = rules_make_failregex(regex, pref, &ro, &names, e);
	return r ? 0 : -EINVAL;
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
