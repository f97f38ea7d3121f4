/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline/setup_native.h"

/* fail2ban's names for what drops an address, and one of ours; the file may be missing.
 */
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
    {"xdp", ACTION_XDP},
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

/* --- fail2ban's nftables ------------------------------------------------------------
 */

struct options {
	struct action_option *items;
	struct action_options all;
};

static void options_deinit(struct options *o)
{
	free(o->items);
}

static struct options options_of(const struct conf_action *a)
{
	struct options o = {calloc(a->n_options + 1, sizeof(*o.items)), {NULL, 0}};

	for (size_t i = 0; o.items && i < a->n_options; i++)
		o.items[i] =
		    (struct action_option){a->options[i].name, a->options[i].value};
	o.all = (struct action_options){o.items, o.items ? a->n_options : 0};
	return o;
}

static bool read_hook(struct span word, uint32_t *out)
{
	static const struct {
		struct span word;
		uint32_t hook;
	} hooks[] = {
	    {SPAN("input"), NF_INET_LOCAL_IN},
	    {SPAN("prerouting"), NF_INET_PRE_ROUTING},
	    {SPAN("forward"), NF_INET_FORWARD},
	};

	for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
		if (!span_eq(word, hooks[i].word))
			continue;
		*out = hooks[i].hook;
		return true;
	}
	return false;
}

/* The option with all others put in. */
static bool read_option(const struct options *o, const char *name, const char *family,
    char out[NFT_SET_NAME_BYTES])
{
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(ACTION_TEXT_MAX);

	if (action_text(&o->all, name, family, &text) < 0 || text.n == 0 ||
	    text.n >= NFT_SET_NAME_BYTES - 4) /* room for "-128" */
		return false;
	memcpy(out, text.p, text.n + 1);
	return true;
}

/* Does the action's text do what its options say, as in the distribution's file? */
static bool is_text_plain(const struct options *o, const struct nft_target *t,
    const char *hook, const char *priority, const char *blocktype)
{
	CLEANUP(buf_deinit) struct buf ban = BUF_INIT(ACTION_TEXT_MAX);
	CLEANUP(buf_deinit) struct buf start = BUF_INIT(ACTION_TEXT_MAX);
	CLEANUP(buf_deinit) struct buf want = BUF_INIT(ACTION_TEXT_MAX);

	if (action_text(&o->all, "actionban", "inet4", &ban) < 0 ||
	    action_text(&o->all, "actionstart", "inet4", &start) < 0)
		return false;
	buf_printf(
	    &want, "nft add element inet %s %s \\{ <ip> \\}", t->place.table, t->set4);
	if (!span_eq(span_trim(buf_span(&ban)), buf_span(&want)))
		return false;
	buf_clear(&want);
	buf_printf(&want,
	    "add chain inet %s %s \\{ type filter hook %s priority %s \\; \\}",
	    t->place.table, t->place.chain, hook, priority);
	if (span_find(buf_span(&start), buf_span(&want)) < 0)
		return false;
	buf_clear(&want);
	buf_printf(&want, " saddr @%s %s", t->set4, blocktype);
	return span_find(buf_span(&start), buf_span(&want)) >= 0;
}

/* Return: false: what it says is not what we do. */
static bool read_nft(const struct conf_action *a, struct nft_target *t)
{
	CLEANUP(options_deinit) struct options o = options_of(a);
	const char *hook = action_value(a, "chain_hook", "");
	const char *priority = action_value(a, "chain_priority", "");
	const char *blocktype = action_value(a, "blocktype", "");
	const char *type = action_value(a, "type", "multiport");
	int64_t number;

	if (strcmp(type, "multiport") && strcmp(type, "allports"))
		return false;
	if (strcmp(blocktype, "reject") && strcmp(blocktype, "drop"))
		return false;
	t->answer = strcmp(blocktype, "drop") ? NFT_REJECT : NFT_DROP;
	if (!read_hook(span_of(hook), &t->place.hook) ||
	    span_to_i64(span_of(priority), &number) < 0 || number < INT32_MIN ||
	    number > INT32_MAX)
		return false;
	t->place.priority = (int32_t)number;
	return read_option(&o, "table", "inet4", t->place.table) &&
	       read_option(&o, "chain", "inet4", t->place.chain) &&
	       read_option(&o, "addr_set", "inet4", t->set4) &&
	       read_option(&o, "addr_set", "inet6", t->set6) &&
	       is_text_plain(&o, t, hook, priority, blocktype);
}

static bool is_nft(const struct conf_action *a)
{
	struct nft_target t = {.n_ports = 0};

	return read_nft(a, &t);
}

void action_place(const struct conf_action *a, struct nft_target *t)
{
	struct nft_target found = *t;

	if (a->has_file && read_nft(a, &found))
		*t = found;
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
	if (is_iptables(text) || is_ipset(text) || is_nft(a))
		return strcmp(action_value(a, "type", ""), "allports")
			   ? ACTION_PORTS
			   : ACTION_ALL_PORTS;
	return is_hosts_deny(a, text) ? ACTION_HOSTS_DENY : ACTION_COMMANDS;
}

enum action_kind action_kind_of(const struct conf_action *a, bool is_wanted)
{
	CLEANUP(options_deinit) struct options o = options_of(a);
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(ACTION_TEXT_MAX);
	enum action_kind by_name = kind_of_name(a->name);

	if (!a->has_file || by_name == ACTION_MAIL || by_name == ACTION_PYTHON)
		return by_name;
	if (!is_wanted || action_text(&o.all, "actionban", "inet4", &text) < 0)
		return ACTION_COMMANDS;
	enum action_kind k = kind_of_text(a, span_trim(buf_span(&text)));

	/* Older files name the ports in their rules only. */
	return k == ACTION_PORTS && by_name == ACTION_ALL_PORTS ? by_name : k;
}
