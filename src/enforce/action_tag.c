/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/action_tag.h"

static const struct {
	const char *name;
	enum action_tag tag;
} tags[] = {
    {"ip", TAG_IP},
    {"fid", TAG_ID},
    {"family", TAG_FAMILY},
    {"ip-rev", TAG_IP_REV},
    {"ip-host", TAG_IP_HOST},
    {"failures", TAG_FAILURES},
    {"ipfailures", TAG_IP_FAILURES},
    {"ipjailfailures", TAG_JAIL_FAILURES},
    {"time", TAG_TIME},
    {"bantime", TAG_BANTIME},
    {"bancount", TAG_BANCOUNT},
    {"matches", TAG_MATCHES},
    {"ipmatches", TAG_IP_MATCHES},
    {"ipjailmatches", TAG_JAIL_MATCHES},
    {"restored", TAG_RESTORED},
    {"jail.name", TAG_JAIL_NAME},
    {"jail.banned", TAG_JAIL_BANNED},
    {"jail.banned_total", TAG_JAIL_BANNED_TOTAL},
    {"jail.found", TAG_FAILURES},
    {"jail.found_total", TAG_FAILURES},
    {"fq-hostname", TAG_FQ_HOSTNAME},
    {"sh-hostname", TAG_SH_HOSTNAME},
    {"raw-ticket", TAG_RAW_TICKET},
};

static bool is_field(struct span name)
{
	if (name.n <= 2 || !span_starts(name, SPAN("F-")))
		return false;
	for (size_t i = 2; i < name.n; i++) {
		if (!shell_is_alnum(name.p[i]) && name.p[i] != '_')
			return false;
	}
	return true;
}

enum action_tag action_tag_find(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		if (span_eq(name, span_of(tags[i].name)))
			return tags[i].tag;
	}
	return is_field(name) ? TAG_FIELD : TAG_NONE;
}

bool action_tag_has_lines(enum action_tag tag)
{
	return tag == TAG_MATCHES || tag == TAG_IP_MATCHES || tag == TAG_JAIL_MATCHES;
}

bool action_tag_is_foreign(enum action_tag tag)
{
	return tag == TAG_FIELD || tag == TAG_IP_HOST || action_tag_has_lines(tag);
}

bool action_tag_sample(void *ctx, struct span name, struct shell_value *out)
{
	enum action_tag tag = action_tag_find(name);
	const bool *has_ids = ctx;
	bool may_be_id = tag == TAG_IP || tag == TAG_ID || tag == TAG_RAW_TICKET;

	*out = (struct shell_value){SPAN("0"),
	    action_tag_is_foreign(tag) || (may_be_id && has_ids && *has_ids),
	    action_tag_has_lines(tag)};
	return tag != TAG_NONE;
}
