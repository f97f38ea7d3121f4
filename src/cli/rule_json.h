/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * rule_json - what a regex says beside that it matched, for the verbs that show matches
 */

#include "base/jsonw.h"
#include "pipeline/setup.h"

/* Into an object: "name", "class" and "weight" of the rule that regex @number of the
 * jail belongs to; nothing if it is a plain failregex. */
void rule_json_put(struct jsonw *j, const struct setup_jail *jail, uint32_t number);
