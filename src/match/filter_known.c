/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * filter_known - a line that was searched elsewhere
 *
 * A regex sees the line without its date and nothing else; so what was found there
 * holds here, if the same bytes are cut out. Which these are depends on what was learnt
 * from lines before, in their order: it is looked for again in each line, and costs a
 * tenth of the search.
 */

#include "match/filter_private.h"

#include <assert.h>

static bool is_match(int outcome)
{
	return outcome != FILTER_MISS && outcome != FILTER_LIMIT;
}

void filter_tell(const struct filter *f, int outcome,
    const struct filter_failure *failure, struct filter_known *out)
{
	*out = (struct filter_known){
	    .cut_start = f->cut_start,
	    .cut_n = f->cut_n,
	    .cut_by = f->cut_by,
	    .is_cut_fresh = f->is_cut_fresh,
	    .outcome = outcome,
	};
	if (!is_match(outcome))
		return;
	out->rule = failure->rule;
	/* What others are bound to is in the table of the one that decides. */
	out->in_session = f->groups.value[GROUP_MLFID].p || f->is_used;
	if (outcome != FILTER_FAILURE)
		return;
	/* The text of an id or a name lies in the line, not in what is told. */
	out->in_session |= failure->is_id || failure->is_name;
	out->has_net = failure->has_net;
	if (out->has_net)
		out->net = failure->net;
}

bool filter_is_plausible(const struct filter *f, const struct filter_known *k)
{
	return k->outcome >= FILTER_MISS && k->outcome <= FILTER_LIMIT &&
	       k->rule < f->rules.n_failregex;
}

bool filter_is_sure_miss(const struct filter *f, const struct filter_known *k)
{
	int last;

	if (k->outcome != FILTER_MISS || !f->stamp)
		return k->outcome == FILTER_MISS;
	last = stamp_last_kept(f->stamp);
	return last < 0 ? k->is_cut_fresh : k->cut_by == last;
}

static int recall(struct filter *f, const struct filter_known *k, wall_t now,
    struct filter_failure *out)
{
	if (!is_match(k->outcome))
		return k->outcome;
	f->n_hits[k->rule]++;
	filter_learn(f, now);
	out->rule = k->rule;
	out->has_net = k->has_net;
	out->net = k->net;
	out->value = out->account = 0;
	return k->outcome;
}

int filter_feed_known(struct filter *f, const struct line *l,
    const struct filter_known *k, wall_t now, struct filter_failure *out)
{
	struct filter_texts t = {0};
	struct filter_date date;
	int r = filter_cut_date(f, l, now, &t, &date);
	bool is_same = f->cut_start == k->cut_start && f->cut_n == k->cut_n;

	assert(!f->ring);
	if (r == 0 && date.is_open && is_match(k->outcome))
		r = filter_close_date(f, t.clean, l, now, &date);
	if (r < 0)
		return r;
	if (date.is_open && is_same) {
		filter_skip_open(f, l, now);
		return k->outcome;
	}
	*out = (struct filter_failure){.at = date.at, .attempts = 1};
	if (is_same && !k->in_session)
		return recall(f, k, now, out);
	if (is_same)
		t.first_rule = k->rule;
	r = filter_set_subject(f, date.before, date.after, &t.whole);
	if (r < 0)
		return r;
	return filter_search(f, &t, &date, NULL, now, out);
}
