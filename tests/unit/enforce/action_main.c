/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * action-main DIR - the commands of all actions of all jails of a folder, as JSON
 * lines, for tests/compat/actions_oracle.py
 *
 * A line: jail, action, option, family, the text with all options put in, and the
 * script with a ticket's values pasted in (all are harmless there, so nothing is
 * quoted).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/jsonw.h"
#include "conf/conf.h"
#include "enforce/action_text.h"
#include "enforce/shell_script.h"

static const char *const names[] = {"actionstart", "actionstop", "actionreload",
    "actionflush", "actioncheck", "actionrepair", "actionban", "actionprolong",
    "actionreban", "actionunban"};
static const char *const families[] = {"", "inet4", "inet6"};
static const char *const values[][2] = {
    {"ip", "ADDR"},
    {"fid", "ADDR"},
    {"family", "FAMILY"},
    {"ip-rev", "REV."},
    {"ip-host", "host.example"},
    {"failures", "3"},
    {"time", "1795420764"},
    {"bantime", "600"},
    {"bancount", "1"},
    {"matches", "LINES"},
    {"ipmatches", "IPLINES"},
    {"ipjailmatches", "IPJAILLINES"},
    {"ipfailures", "5"},
    {"ipjailfailures", "4"},
    {"restored", "0"},
    {"jail.name", "JAIL"},
    {"fq-hostname", "FQ"},
    {"sh-hostname", "SH"},
    {"F-USER", "mallory"},
};

static bool tag_of(UNUSED void *ctx, struct span tag, struct shell_value *out)
{
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		if (!span_eq(tag, span_of(values[i][0])))
			continue;
		*out = (struct shell_value){span_of(values[i][1]), false};
		return true;
	}
	*out = (struct shell_value){{"", 0}, false};
	return span_starts(tag, SPAN("F-"));
}

static void print(const char *jail, const char *action, const char *name,
    const char *family, struct span text, struct span script)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1 << 20);
	struct jsonw j = jsonw_of(&b);
	const char *const cells[] = {jail, action, name, family};

	jsonw_array(&j);
	for (size_t i = 0; i < ARRAY_LEN(cells); i++)
		jsonw_str(&j, cells[i]);
	jsonw_span(&j, text);
	jsonw_span(&j, script);
	jsonw_array_end(&j);
	puts(buf_str(&b));
}

static int expand(const char *jail, const struct conf_action *a)
{
	CLEANUP(freep)
	struct action_option *items = calloc(a->n_options + 1, sizeof(*items));
	struct action_options o = {items, a->n_options};
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(ACTION_TEXT_MAX);
	CLEANUP(buf_deinit) struct buf script = BUF_INIT(1 << 20), env = BUF_INIT(1024);

	for (size_t i = 0; items && i < a->n_options; i++)
		items[i] =
		    (struct action_option){a->options[i].name, a->options[i].value};
	for (size_t n = 0; n < ARRAY_LEN(names); n++) {
		for (size_t f = 0; f < ARRAY_LEN(families); f++) {
			if (action_text(&o, names[n], families[f], &text) < 0 ||
			    shell_script(
				buf_span(&text), tag_of, NULL, &script, &env, NULL) < 0)
				return 1;
			print(jail, a->actname, names[n], families[f], buf_span(&text),
			    buf_span(&script));
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	CLEANUP(diag_deinit) struct diag d = {0};
	CLEANUP(conf_freep)
	struct conf *c = argc == 2 ? conf_load(argv[1], NULL, CONF_ALL, &d) : NULL;
	int bad = 0;

	if (!c) {
		(void)fprintf(stderr, "usage: action-main DIR\n");
		return 2;
	}
	for (size_t i = 0; i < c->n_jails; i++) {
		for (size_t k = 0; k < c->jails[i].n_actions; k++)
			bad |= expand(c->jails[i].name, &c->jails[i].actions[k]);
	}
	return bad;
}
