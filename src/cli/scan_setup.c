/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/scan_setup.h"

#include <errno.h>
#include <stddef.h>

/* What only the running daemon needs is of no interest here. */
static void print_errors(const struct diag *d)
{
	struct diag errors = *d;
	size_t n = 0;
	struct diag_item *items = calloc(d->n + 1, sizeof(*items));

	for (size_t i = 0; items && i < d->n; i++) {
		if (d->items[i].level == DIAG_ERROR)
			items[n++] = d->items[i];
	}
	errors.items = items;
	errors.n = items ? n : 0;
	cli_print_diag(&errors);
	free(items);
}

int scan_setup_load(const char *dir, const char *const *jails, struct setup **out)
{
	struct diag d = {0};
	CLEANUP(conf_freep) struct conf *conf = conf_load(dir, jails, 0, &d);
	struct setup *s = NULL;

	if (conf)
		(void)setup_build(conf, &d, &s);
	print_errors(&d);
	diag_deinit(&d);
	if (!s)
		return -EINVAL;
	for (uint32_t i = 0; i < s->n_jails; i++)
		s->jails[i].no_date = false;
	*out = s;
	return 0;
}

/* Text in which all jails with a filter agree; NULL: they do not, or have none. */
static const char *common_text(const struct setup *s, size_t offset)
{
	const char *common = NULL;

	for (uint32_t i = 0; i < s->n_jails; i++) {
		const struct setup_jail *j = &s->jails[i];
		const char *text = *(char *const *)((const char *)j + offset);

		if (!setup_n_regexes(j))
			continue;
		if (!text || (common && strcmp(text, common) != 0))
			return NULL;
		common = text;
	}
	return common;
}

void scan_setup_dates(const struct setup *s, struct inputs_options *io)
{
	io->datepattern = common_text(s, offsetof(struct setup_jail, datepattern));
	io->timezone = common_text(s, offsetof(struct setup_jail, timezone));
}
