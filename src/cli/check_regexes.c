/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/check_regexes.h"

#include <errno.h>
#include <stdlib.h>

#include "match/sieve.h"
#include "pipeline/setup_filter.h"

#define SHOWN_BYTES 160 /* of a regex */

static void tell(const struct setup_jail *j, size_t rule, struct buf *out)
{
	const struct setup_rule *r = setup_rule_of(j, (uint32_t)rule);

	buf_printf(out, "jail %s: ", j->name);
	if (r) {
		buf_add_str(out, "a regex of rule ");
		setup_rule_describe(r, out);
	} else {
		buf_printf(out, "failregex %zu", rule + 1);
	}
	buf_add_str(out, " is tried on every line: ");
	buf_quote(out, span_of(setup_regex(j, (uint32_t)rule)), SHOWN_BYTES);
	buf_add_str(out, "\n  a word of three letters or more that every match has "
			 "would make it fast; it may not be\n  optional, nor one of "
			 "several of which another has no word\n");
}

/* What the rules of a jail say, and how heavily. */
static void show_rules(const struct setup_jail *j, struct buf *out)
{
	for (uint32_t i = 0; i < j->n_rules; i++) {
		const struct setup_rule *r = &j->rules[i];

		buf_printf(out, "jail %s: rule ", j->name);
		setup_rule_describe(r, out);
		if (r->distinct)
			buf_printf(out, ", each %s once a day", r->distinct);
		if (r->free)
			buf_printf(out, " beyond %u", r->free);
		if (r->bind)
			buf_printf(out, ", binds %s", r->bind);
		if (r->via)
			buf_printf(out, ", by %s", r->via);
		buf_printf(
		    out, ": %u regex%s\n", r->n_regex, r->n_regex == 1 ? "" : "es");
	}
}

static void look_at(const struct setup_jail *j, const struct filter *f,
    struct check_regexes *counts, struct buf *out)
{
	for (size_t i = 0; i < filter_n_rules(f); i++) {
		counts->n_regexes++;
		if (filter_literals(f, i)->n)
			continue;
		counts->n_on_every_line++;
		tell(j, i, out);
	}
}

static int look_at_all(const struct setup *s, struct filter **filters,
    struct check_regexes *counts, struct buf *out, struct err *e)
{
	for (uint32_t i = 0; i < s->n_jails; i++) {
		struct filter_options o = setup_filter_options(&s->jails[i]);

		if (!setup_n_regexes(&s->jails[i]))
			continue;
		filters[i] = filter_new(&o, e);
		if (!filters[i])
			return err_wrap(e, -EINVAL, "jail %s", s->jails[i].name);
		show_rules(&s->jails[i], out);
		look_at(&s->jails[i], filters[i], counts, out);
	}
	return 0;
}

int check_regexes(
    const struct setup *s, struct check_regexes *counts, struct buf *out, struct err *e)
{
	CLEANUP(freep)
	struct filter **filters = calloc(s->n_jails + 1, sizeof(struct filter *));
	int r = filters ? 0 : err_errno(e, -ENOMEM, "regexes");

	*counts = (struct check_regexes){.scanner = "none"};
	if (!r)
		r = look_at_all(s, filters, counts, out, e);
	if (!r) {
		CLEANUP(sieve_freep)
		struct sieve *sieve = sieve_new(filters, s->n_jails, e);

		r = sieve ? 0 : -ENOMEM;
		if (sieve) {
			counts->n_literals = sieve_n_literals(sieve);
			counts->scanner = sieve_scanner_name(sieve);
		}
	}
	for (uint32_t i = 0; filters && i < s->n_jails; i++)
		filter_free(filters[i]);
	return r;
}
