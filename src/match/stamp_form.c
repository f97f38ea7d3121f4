/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/stamp_form.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "match/stamp_fields.h"

/* As they are, and anchored. */
static struct stamp_form *defaults[STAMP_DEFAULTS][2];

static int form_compile(struct stamp_form *f, struct err *e)
{
	int value;

	f->regex = regex_new(
	    span_of(f->draft.regex), (struct regex_options){.multiline = false}, e);
	if (!f->regex)
		return -EINVAL;
	if (regex_n_groups(f->regex) == 0)
		return err_set(e, -EINVAL, "nothing in it is a group");
	for (size_t i = 1; i <= regex_n_groups(f->regex); i++) {
		const char *name = regex_group_name(f->regex, i);

		if (stamp_fields_knows(name))
			f->parts[f->n_parts++] =
			    (struct stamp_part){(uint8_t)i, name[0]};
	}
	value = regex_group_number(f->regex, STAMP_VALUE_GROUP);
	f->value_group = value > 0 ? (size_t)value : 0;
	return 0;
}

/* Not compiled. */
static struct stamp_form *form_draft(struct span pattern, struct err *e)
{
	CLEANUP(stamp_form_freep) struct stamp_form *f = calloc(1, sizeof(*f));

	if (f)
		f->pattern = span_dup(pattern);
	if (!f || !f->pattern) {
		(void)err_errno(e, -ENOMEM, "template");
		return NULL;
	}
	return stamp_draft_make(pattern, &f->draft, e) < 0 ? NULL : TAKE(f);
}

struct stamp_form *stamp_form_new(struct span pattern, struct err *e)
{
	CLEANUP(stamp_form_freep) struct stamp_form *f = form_draft(pattern, e);

	return f && form_compile(f, e) == 0 ? TAKE(f) : NULL;
}

struct stamp_form *stamp_form_free(struct stamp_form *f)
{
	if (!f || f->is_shared)
		return NULL;
	free(f->pattern);
	free(f->draft.name);
	free(f->draft.regex);
	regex_free(f->regex);
	free(f);
	return NULL;
}

struct stamp_form *stamp_form_default(size_t i, bool is_anchored, struct err *e)
{
	struct stamp_form **place = &defaults[i][is_anchored];
	struct buf pattern = BUF_INIT(STAMP_PATTERN_MAX);

	if (*place)
		return *place;
	if (is_anchored)
		buf_add_str(&pattern, "{^LN-BEG}");
	buf_add_str(&pattern, stamp_defaults[i]);
	*place = form_draft(buf_span(&pattern), e);
	buf_deinit(&pattern);
	if (*place)
		(*place)->is_shared = true;
	return *place;
}

bool stamp_form_is_ready(struct stamp_form *f)
{
	/* A default one is right: for want of memory it is tried again with the next
	 * line. */
	if (!f->regex && !f->is_broken && form_compile(f, NULL) < 0)
		f->is_broken = !f->is_shared;
	return f->regex && !f->is_broken;
}
