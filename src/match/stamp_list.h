/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_list - the templates that a datepattern option asks for, in their order
 *
 * One pattern per line. {DEFAULT} adds all default templates (the anchored copies
 * first), {^LN-BEG} alone those at the line's start, {DATE} within a pattern makes one
 * template of each default. {NONE} adds nothing: lines that no other pattern fits have
 * no date. No pattern at all is {DEFAULT}.
 */

#include "match/stamp_template.h"

#define STAMP_TEMPLATES_MAX 1000 /* a configuration beyond this is a mistake */

struct stamp_list {
	struct stamp_template **all;
	size_t n;
};

void stamp_list_deinit(struct stamp_list *l);

/* Return: 0, or negative with @e naming the pattern; @l is to be deinited anyway. */
int stamp_list_add(struct stamp_list *l, struct span datepattern, struct err *e);
