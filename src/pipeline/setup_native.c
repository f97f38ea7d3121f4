/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline/setup_native.h"

/* fail2ban's names for what drops an address; the file may be missing. */
static const struct {
	const char *name;
	enum action_kind kind;
} known[] = {
    {"nftables", ACTION_PORTS},
    {"nftables-multiport", ACTION_PORTS},
    {"nftables-allports", ACTION_ALL_PORTS},
    {"iptables", ACTION_PORTS},
    {"iptables-new", ACTION_PORTS},
    {"iptables-multiport", ACTION_PORTS},
    {"iptables-allports", ACTION_ALL_PORTS},
    {"iptables-ipset", ACTION_PORTS},
    {"iptables-ipset-proto4", ACTION_PORTS},
    {"iptables-ipset-proto6", ACTION_PORTS},
    {"iptables-ipset-proto6-allports", ACTION_ALL_PORTS},
    {"hostsdeny", ACTION_HOSTS_DENY},
    {"smtp.py", ACTION_MAIL},
};

const char *action_value(
    const struct conf_action *a, const char *name, const char *fallback)
{
	for (size_t i = 0; i < a->n_params; i++) {
		if (!strcmp(a->params[i].name, name))
			return a->params[i].value;
	}
	for (size_t i = 0; i < a->n_options; i++) {
		if (!strcmp(a->options[i].name, name))
			return a->options[i].value;
	}
	return fallback;
}

static enum action_kind kind_of_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!strcmp(name, known[i].name))
			return known[i].kind;
	}
	if (span_ends(span_of(name), SPAN(".py")))
		return ACTION_PYTHON;
	return ACTION_UNKNOWN;
}

/* One simple command: nothing piped, chained or put on a second line. */
static bool is_simple(struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (strchr("\n|&;`$", text.p[i]))
			return false;
	}
	return true;
}

/* iptables [-w] -I f2b-NAME 1 -s <ip> -j DROP|REJECT... */
static bool is_iptables(struct span text)
{
	static const struct span jump = SPAN(" -s <ip> -j ");
	ptrdiff_t at = span_find(text, jump);

	if (at < 0 || !is_simple(text) || !span_starts(text, SPAN("iptables ")))
		return false;
	struct span target = span_skip(text, (size_t)at + jump.n);

	return span_starts(target, SPAN("DROP")) || span_starts(target, SPAN("REJECT"));
}

/* ipset -exist add SET <ip> timeout N; the oldest form asks first. */
static bool is_ipset(struct span text)
{
	if (!span_starts(text, SPAN("ipset ")) || span_find(text, SPAN("<ip>")) < 0)
		return false;
	return is_simple(text) || (span_starts(text, SPAN("ipset --test ")) &&
				      span_find(text, SPAN("\n")) < 0);
}

/* nft add element inet TABLE SET \{ <ip> \} */
static bool is_nft(struct span text)
{
	return is_simple(text) && span_starts(text, SPAN("nft add element inet ")) &&
	       span_ends(text, SPAN(" \\{ <ip> \\}"));
}

/* printf ... "DAEMONS: ADDRESS\n" >> FILE */
static bool is_hosts_deny(const struct conf_action *a, struct span text)
{
	CLEANUP(buf_deinit) struct buf end = BUF_INIT(ACTION_TEXT_MAX);

	buf_printf(&end, ": <ip>\\n\" >> %s", action_value(a, "file", ""));
	return is_simple(text) && span_starts(text, SPAN("printf ")) &&
	       span_ends(text, buf_span(&end));
}

static enum action_kind kind_of_text(const struct conf_action *a, struct span text)
{
	if (is_iptables(text) || is_ipset(text) || is_nft(text))
		return strcmp(action_value(a, "type", ""), "allports")
			   ? ACTION_PORTS
			   : ACTION_ALL_PORTS;
	return is_hosts_deny(a, text) ? ACTION_HOSTS_DENY : ACTION_COMMANDS;
}

enum action_kind action_kind_of(const struct conf_action *a, bool is_wanted)
{
	CLEANUP(freep)
	struct action_option *items = calloc(a->n_options + 1, sizeof(*items));
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(ACTION_TEXT_MAX);
	enum action_kind by_name = kind_of_name(a->name);

	if (!a->has_file || by_name == ACTION_MAIL || by_name == ACTION_PYTHON)
		return by_name;
	for (size_t i = 0; items && i < a->n_options; i++)
		items[i] =
		    (struct action_option){a->options[i].name, a->options[i].value};
	struct action_options o = {items, items ? a->n_options : 0};

	if (!is_wanted || action_text(&o, "actionban", "inet4", &text) < 0)
		return ACTION_COMMANDS;
	enum action_kind k = kind_of_text(a, span_trim(buf_span(&text)));

	/* Older files name the ports in their rules only. */
	return k == ACTION_PORTS && by_name == ACTION_ALL_PORTS ? by_name : k;
}
