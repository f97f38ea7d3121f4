/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline/setup_foreign.h"

#include <stdio.h>
#include <stdlib.h>

#include "enforce/action_tag.h"
#include "enforce/action_text.h"
#include "enforce/shell_plain.h"

#define MAX_SHOWN 30 /* bytes of the place that was not understood */

static const char *const names[] = {"actionstart", "actionstop", "actionreload",
    "actionflush", "actioncheck", "actionrepair", "actionban", "actionprolong",
    "actionreban", "actionunban"};
static const char *const families[] = {"", "inet4", "inet6"};

static struct span shown_part(struct span text, size_t at)
{
	struct span rest = span_skip(text, at), line = {"", 0};

	(void)span_next_line(&rest, &line);
	if (line.n > MAX_SHOWN)
		line.n = MAX_SHOWN;
	while (line.n && (unsigned char)line.p[line.n - 1] >= 0x80)
		line.n--; /* no half of a character */
	return line;
}

static bool names_id(const char *regex)
{
	return regex && (strstr(regex, "F-ID") || strstr(regex, "(?P<fid>"));
}

/* May its filter find an id that is no address? */
static bool names_ids(const struct setup_jail *j)
{
	bool does = j->usedns == FILTER_DNS_RAW || names_id(j->prefregex);

	for (uint32_t i = 0; !does && i < j->n_failregex; i++)
		does = names_id(j->failregex[i]);
	return does;
}

/* Return: was there something to tell? */
static bool tell(const struct setup_jail *j, const char *what, struct span text,
    struct conf_place at, struct diag *d)
{
	struct shell_reason reason;
	bool has_ids = names_ids(j);
	enum shell_form form = shell_plain(text, action_tag_sample, &has_ids, &reason);
	struct span part = shown_part(text, reason.at);

	if (form == SHELL_WHOLE)
		return false;
	diag_add(d, DIAG_WARNING, at,
	    "jail %s: %s: values from logs become %s: %s (at '" SPAN_FMT "')", j->name,
	    what,
	    form == SHELL_WORD ? "words of letters, digits, '.', '-' and '@'"
			       : "'_' and letters and digits",
	    reason.why, SPAN_ARG(part));
	return true;
}

void setup_tell_foreign(const struct setup_jail *j, const char *what,
    const char *command, struct conf_place at, struct diag *d)
{
	(void)tell(j, what, span_of(command), at, d);
}

static bool tell_option(const struct setup_jail *j, const struct conf_action *a,
    const struct action_options *o, const char *name, struct diag *d)
{
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(ACTION_TEXT_MAX);
	char what[200];

	(void)snprintf(what, sizeof(what), "action '%.100s': %s", a->actname, name);
	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		if (action_text(o, name, families[f], &text) == 0 &&
		    tell(j, what, buf_span(&text), a->at, d))
			return true;
	}
	return false;
}

void setup_tell_foreign_action(
    const struct setup_jail *j, const struct conf_action *a, struct diag *d)
{
	CLEANUP(freep)
	struct action_option *items = calloc(a->n_options + 1, sizeof(*items));
	struct action_options o = {items, a->n_options};

	for (size_t i = 0; items && i < a->n_options; i++)
		items[i] =
		    (struct action_option){a->options[i].name, a->options[i].value};
	for (size_t n = 0; items && n < ARRAY_LEN(names); n++) {
		if (tell_option(j, a, &o, names[n], d))
			return; /* one is enough to send somebody there */
	}
}
