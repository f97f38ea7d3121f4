/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * failid - from groups to who it was
 *
 * ip4 before ip6 before dns before fid. What a regex takes for an address must be one
 * to inet_pton() as well: 300.1.1.1 or 192.000.2.1 is refused.
 */

#include "match/filter.h"
#include "match/rule.h"

enum {
	FAILID_FOUND,
	FAILID_REFUSED, /* there is something, but no address; id and host say what */
	FAILID_NOTHING, /* none of the four groups took part */
};

/**
 * failid_find()
 * @text: storage for an address in canonical form
 * @out:  id, host, has_net, net, is_name, is_id are set
 *
 * Return: FAILID_*.
 */
int failid_find(const struct groups *g, enum filter_usedns usedns,
    char text[NET_TEXT_BYTES], struct filter_failure *out);
