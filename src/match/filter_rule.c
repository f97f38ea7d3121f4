/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter_rule - what a regex of a [Rule] does when it has matched
 *
 * Only then: lines that match nothing, and filters without rules, pay nothing for it.
 */

#include <errno.h>

#include "base/hash.h"
#include "match/filter_private.h"

/* As text in lower case; bytes beyond ASCII stay. 0: there is nothing. */
static int hash_field(struct filter *f, uint8_t slot, uint64_t *out)
{
	struct span s = {NULL, 0};

	*out = 0;
	if (slot != RULE_NO_SLOT)
		s = f->groups.value[slot];
	if (!s.p || !s.n)
		return 0;
	buf_clear(&f->folded);
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		buf_add_char(&f->folded, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
	}
	if (f->folded.failed)
		return -ENOMEM;
	*out = hash_keyed(buf_str(&f->folded), f->folded.n);
	*out += !*out;
	return 0;
}

static bool has_field(const struct filter *f, uint8_t slot)
{
	return slot != RULE_NO_SLOT && groups_has(&f->groups, slot);
}

/* Nothing in the line says who it was; what an earlier one has bound may. */
static int find_via(struct filter *f, uint8_t slot, struct filter_failure *out)
{
	if (!has_field(f, slot) || !f->join ||
	    !join_find(
		f->join, join_id(slot, f->groups.value[slot]), out->at, &out->net))
		return FAILID_NOTHING;
	out->has_net = true;
	out->is_id = out->is_name = false;
	net_format(&out->net, f->id_text);
	out->id = out->host = span_of(f->id_text);
	return FAILID_FOUND;
}

/* Only one address: who names a network, or nobody yet, is not bound. */
static int bind_field(
    struct filter *f, uint8_t slot, const struct filter_failure *failure)
{
	int r;

	if (!has_field(f, slot) || !failure->has_net || failure->is_id ||
	    !net_is_host(&failure->net))
		return 0;
	r = join_bind(
	    f->join, join_id(slot, f->groups.value[slot]), &failure->net, failure->at);
	return r < 0 ? r : 0;
}

int filter_use(struct filter *f, int found, struct filter_failure *io)
{
	const struct rule_use *use = &f->rules.uses[io->rule];
	int r;

	if (found == FAILID_NOTHING && use->via != RULE_NO_SLOT) {
		found = find_via(f, use->via, io);
		f->n_unbound += found == FAILID_NOTHING;
		f->is_used = true;
	}
	if (found != FAILID_FOUND)
		return found;
	r = hash_field(f, use->distinct, &io->value);
	if (r == 0)
		r = hash_field(f, use->account, &io->account);
	if (r == 0 && use->bind != RULE_NO_SLOT)
		r = bind_field(f, use->bind, io);
	f->is_used |= io->value || io->account || use->bind != RULE_NO_SLOT;
	return r < 0 ? r : FAILID_FOUND;
}
