/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rule_json.h"

void rule_json_put(struct jsonw *j, const struct setup_jail *jail, uint32_t number)
{
	const struct setup_rule *r = setup_rule_of(jail, number);

	if (!r)
		return;
	jsonw_key(j, "name");
	jsonw_str(j, r->name);
	jsonw_key(j, "class");
	jsonw_str(j, hit_class_name(r->class));
	jsonw_key(j, "weight");
	jsonw_f64(j, (double)r->weight / SETUP_RULE_UNIT);
}
