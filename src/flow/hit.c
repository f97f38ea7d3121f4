/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/hit.h"

#include <errno.h>

static const char *const names[HIT_N_CLASSES] = {
    [HIT_ABUSE] = "abuse",
    [HIT_MISCONFIGURATION] = "misconfiguration",
    [HIT_LOCAL_FAULT] = "local-fault",
    [HIT_NEUTRAL] = "neutral",
    [HIT_GOOD] = "good",
};

const char *hit_class_name(enum hit_class class)
{
	return class < HIT_N_CLASSES ? names[class] : "unknown";
}

int hit_class_parse(struct span name, enum hit_class *out)
{
	for (unsigned int i = 0; i < HIT_N_CLASSES; i++) {
		if (span_eq_nocase(name, span_of(names[i]))) {
			*out = (enum hit_class)i;
			return 0;
		}
	}
	return -EINVAL;
}
