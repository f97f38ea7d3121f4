/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup_filter - what a filter needs, and whether it compiles
 *
 * It is compiled once to see that it does. Which regex is to blame is only looked for
 * when it does not: most set-ups are right, and a start should not take twice as long.
 */
#include "pipeline/setup_filter.h"

#include "pipeline/setup_rules.h"

#include <errno.h>

static int dup_text(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

static enum filter_usedns usedns_of(const struct conf_value *v)
{
	struct span text = span_of(v->text ? v->text : "warn");

	if (span_eq_nocase(text, SPAN("yes")))
		return FILTER_DNS_YES;
	if (span_eq_nocase(text, SPAN("no")))
		return FILTER_DNS_NO;
	if (span_eq_nocase(text, SPAN("raw")))
		return FILTER_DNS_RAW;
	return FILTER_DNS_WARN;
}

static int take_regexes(const struct conf_values *from, char ***out, uint32_t *n)
{
	*out = calloc(from->n + 1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	for (; *n < from->n; (*n)++) {
		if (dup_text(&(*out)[*n], from->items[*n].text) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Tell which of these do not compile. Return: whether all do. */
static bool check_regexes(const struct conf_values *v, const char *kind,
    const char *prefregex, enum filter_usedns usedns, struct diag *d)
{
	bool are_good = true;

	for (size_t i = 0; i < v->n; i++) {
		const char *text = v->items[i].text;
		struct err e = {""};
		int r = prefregex ? filter_check_failregex(text, prefregex, usedns, &e)
				  : filter_check_regex(text, usedns, &e);

		if (r == 0)
			continue;
		diag_add(d, DIAG_ERROR, v->items[i].at, "%s: %s", kind, e.text);
		are_good = false;
	}
	return are_good;
}

/* The same of all regexes of a filter. */
static bool check_filter(
    const struct conf_filter *f, const struct setup_jail *j, struct diag *d)
{
	const char *pref = j->prefregex ? j->prefregex : "";
	struct err e = {""};

	if (*pref && filter_check_regex(pref, j->usedns, &e) < 0) {
		diag_add(d, DIAG_ERROR, f->prefregex.at, "prefregex: %s", e.text);
		return false;
	}
	bool are_good = check_regexes(&f->failregex, "failregex", pref, j->usedns, d);

	are_good &= setup_check_rules(f, j, d);
	return check_regexes(&f->ignoreregex, "ignoreregex", NULL, j->usedns, d) &&
	       are_good;
}

int setup_take_filter(const struct conf_jail *c, struct diag *d, struct setup_jail *j)
{
	const struct conf_filter *f = &c->filter;
	const char *pref = f->prefregex.text;
	struct err e = {""};
	int r;

	j->usedns = usedns_of(c->usedns.text ? &c->usedns : &f->usedns);
	j->maxlines = f->maxlines ? f->maxlines : 1;
	if (dup_text(&j->filter_name, f->name) < 0 ||
	    dup_text(&j->prefregex, pref && *pref ? pref : NULL) < 0 ||
	    dup_text(&j->datepattern, f->datepattern.text) < 0 ||
	    dup_text(&j->timezone, c->logtimezone.text) < 0 ||
	    take_regexes(&f->failregex, &j->failregex, &j->n_failregex) < 0 ||
	    take_regexes(&f->ignoreregex, &j->ignoreregex, &j->n_ignoreregex) < 0)
		return -ENOMEM;
	r = setup_take_rules(f, j);
	if (r == -E2BIG) {
		diag_add(d, DIAG_ERROR, c->at, "filter %s: more than %d regexes",
		    f->name ? f->name : "", SETUP_RULES_MAX);
		return 1;
	}
	if (r < 0)
		return r;
	if (!setup_n_regexes(j))
		return check_filter(f, j, d) ? 0 : 1;

	/* The whole at once; only where that fails is it worth to look for the place.
	 */
	struct filter_options o = setup_filter_options(j);
	CLEANUP(filter_freep) struct filter *whole = filter_new(&o, &e);

	if (whole)
		return 0;
	/* What no regex is to blame for: a bad date pattern, too many lines. */
	if (check_filter(f, j, d))
		diag_add(d, DIAG_ERROR, f->datepattern.text ? f->datepattern.at : c->at,
		    "filter %s: %s", f->name ? f->name : "", e.text);
	return 1;
}
